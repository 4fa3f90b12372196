"""What the facts of the national service record are called."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, pgettext, pgettext_lazy
from django.utils.translation import gettext as _

from booking.rules.service_facts import fund_sources

Word = str | Promise

DIRECTIONS: Mapping[str, Word] = {
    "research": pgettext_lazy("what a service is for", "Scientific research"),
    "development": pgettext_lazy("what a service is for", "Technical development"),
    "teaching": pgettext_lazy("what a service is for", "Teaching"),
    "other": pgettext_lazy("what a service is for", "Other"),
}

NAMES: Mapping[str, Word] = {
    "purpose": gettext_lazy("Purpose"),
    "research_project": gettext_lazy("Research project"),
    "service_direction": pgettext_lazy("a service", "What it is for"),
    "fund_source": gettext_lazy("Who pays the project"),
    "service_kind": gettext_lazy("Kind of service"),
    "settlement": gettext_lazy("Way of settlement"),
    "rate": gettext_lazy("Rate of the subsidy"),
    "answers": gettext_lazy("Answers to the programmes' questions"),
}

KINDS: Mapping[str, Word] = {
    "statutory_test": pgettext_lazy("kind of service", "statutory test"),
    "certification": pgettext_lazy("kind of service", "certification"),
    "enforcement_inspection": pgettext_lazy("kind of service", "enforcement inspection"),
    "commercial_inspection": pgettext_lazy("kind of service", "commercial inspection"),
    "medical": pgettext_lazy("kind of service", "medical service"),
}
"""Kinds of services that programmes may leave out."""


def corrected(name: str, before: str, after: str) -> str:
    """What became of one of them, in a line. What was answered is only said to be another: its questions are the programmes'."""
    if name == "answers":
        return _("%(name)s: changed") % {"name": NAMES[name]}
    return _("%(name)s: %(before)s → %(after)s") % {
        "name": NAMES[name],
        "before": _said(name, before),
        "after": _said(name, after),
    }


def _said(name: str, text: str) -> str:
    if not text:
        return _("Ordinary use of the instrument") if name == "service_kind" else pgettext("a fact of a service", "not said")
    if name == "rate":
        return _("%(percent)s %%") % {"percent": f"{(Decimal(text) * 100).normalize():f}"}
    words = {"service_direction": DIRECTIONS, "fund_source": dict(fund_source_names()), "service_kind": KINDS}.get(name, {})
    return str(words.get(text, text))


def fund_source_names() -> list[tuple[str, str]]:
    """Code and name in the reader's language, in the order of the list."""
    english = (get_language() or "").startswith("en")
    return [(each.code, each.name_en if english else each.name) for each in fund_sources()]
