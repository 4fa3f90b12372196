"""The conditions of a programme in words: what the document says itself, else what its facts and operators come to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from billing import wording
from frontend.programme_labels import choice_word, label_of

Json = Mapping[str, Any]
_OPEN_GROUPS = frozenset({"other", "other_amounts"})
"""Groups whose facts have names of their author's: what a field of the same name is called says nothing of them."""
_OPERATORS: Mapping[str, Promise | str] = {
    "is": gettext_lazy("%(fact)s is %(value)s"),
    "is_not": gettext_lazy("%(fact)s is not %(value)s"),
    "any_of": gettext_lazy("%(fact)s is one of: %(value)s"),
    "none_of": gettext_lazy("%(fact)s is none of: %(value)s"),
    "at_least": gettext_lazy("%(fact)s is at least %(value)s"),
    "at_most": gettext_lazy("%(fact)s is at most %(value)s"),
    "above": gettext_lazy("%(fact)s is above %(value)s"),
    "below": gettext_lazy("%(fact)s is below %(value)s"),
    "starts_with": gettext_lazy("%(fact)s begins with one of: %(value)s"),
    "has_any": gettext_lazy("%(fact)s has one of: %(value)s"),
    "has_all": gettext_lazy("%(fact)s has all of: %(value)s"),
    "weekdays": gettext_lazy("%(fact)s falls on: %(value)s"),
    "has_none": gettext_lazy("%(fact)s has none of: %(value)s"),
}


def fact_word(path: str) -> str:
    """A fact by its path; one of a name of its own (``other.``, ``other_amounts.``) by that name as it is written."""
    word = wording.fact_word(path)
    if word != path:
        return word
    group, _dot, name = path.partition(".")
    if group in _OPEN_GROUPS:
        return _("%(group)s: %(name)s") % {"group": label_of(group), "name": name.replace("_", " ")}
    return _("%(group)s: %(name)s") % {"group": label_of(group), "name": label_of(name)}


def condition_words(when: Any) -> str:
    """A condition (``all``, ``any``, ``not``, or a fact with operators). Raises for what is none."""
    if "all" in when:
        return str(_(" and ")).join(_inner(each) for each in when["all"])
    if "any" in when:
        return str(_("; or ")).join(_inner(each) for each in when["any"])
    if "not" in when:
        return _("not: %(condition)s") % {"condition": condition_words(when["not"])}
    fact = fact_word(when["fact"])
    told = [_operator(fact, name, value) for name, value in when.items() if name not in ("fact", "if_unknown")]
    return str(_(" and ")).join(told) or fact


def _inner(when: Any) -> str:
    words = condition_words(when)
    return f"({words})" if "all" in when or "any" in when else words


def _operator(fact: str, name: str, value: Any) -> str:
    words = _OPERATORS.get(name)
    if words is None:
        return f"{fact}: {label_of(name)} {value_words(name, value)}"
    return str(words) % {"fact": fact, "value": value_words(name, value)}


def value_words(key: str, value: Any) -> str:
    """A value of a document: groups and lists item by item."""
    if isinstance(value, Mapping):
        if set(value) <= {"fact", "times"} and "fact" in value:
            times = f" × {value['times']}" if "times" in value else ""
            return f"{fact_word(str(value['fact']))}{times}"
        if set(value) == {"zh", "en"}:
            return wording.document_text({name: str(each) for name, each in value.items()})
        kept = [(name, each) for name, each in value.items() if name != "clause"]
        told = [f"{label_of(str(name))} {value_words(str(name), each)}" for name, each in kept]
        return pgettext("between the parts of a rate", "; ").join(told) or "–"
    if isinstance(value, list):
        return wording.several(value_words(key, each) for each in value) or "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return choice_word(key, str(value)) if str(value) else "–"


def said(piece: Json) -> str:
    """What a part says of its condition in its own words, else the condition in ours."""
    if "says" in piece:
        return wording.document_text({name: str(each) for name, each in piece["says"].items()})
    return condition_words(piece["when"])
