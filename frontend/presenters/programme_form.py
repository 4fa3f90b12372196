"""The form of a draft as a page shows it: the tree of its fields with labels, choices, faults and buttons."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from billing import wording
from billing.subsidy.rules.checking import Checked, Flaw
from billing.subsidy.rules.form_moves import value_at
from billing.subsidy.rules.form_tree import ABSENT, TOP, Node, Place, tree
from billing.subsidy.rules.shape import Kind, programme_shape
from config.kernel.messages import sentence
from frontend.programme_labels import choice_word, hint_of, label_of

FEW = 6
"""More optional fields than this that are empty stand behind "More fields"."""
_STEP = re.compile(r"\.([^.\[\]]+)|\[(?:([0-9]+)|'((?:[^'\\]|\\.)*)'|\"([^\"]*)\")\]")
_LONG = frozenset({"zh", "en", "note"})
_MOVABLE = frozenset({Kind.GROUP, Kind.VARIANT, Kind.RAW, Kind.EITHER, Kind.LIST, Kind.TEXT})
PARTS: Mapping[str, tuple[Promise | str, tuple[str, ...]]] = {
    "document": (
        gettext_lazy("The document"),
        ("code", "version", "name", "issuer", "budget_item", "kind", "validity", "date_basis", "settlement", "exclusive",
         "imported_sessions", "legal_basis", "evidence", "synthetic", "template", "format"),
    ),
    "clauses": (gettext_lazy("Clauses"), ("clauses",)),
    "gates": (gettext_lazy("Who is eligible"), ("gates",)),
    "asks": (gettext_lazy("Questions to whoever books"), ("asks",)),
    "amount": (gettext_lazy("Base and rate"), ("base", "rate", "adjustments", "rounding")),
    "caps": (gettext_lazy("Limits"), ("caps",)),
    "payers": (gettext_lazy("Payers"), ("payers",)),
    "review": (gettext_lazy("Way of a claim"), ("review",)),
    "open_points": (gettext_lazy("Open points"), ("open_points",)),
    "examples": (gettext_lazy("Worked examples"), ("examples",)),
}  # fmt: skip
MORE = "more"
_LARGE = "examples"
"""Its items are so long that each is written on a page of its own."""


@dataclass(frozen=True, slots=True)
class FieldView:
    """One field or group. ``buttons`` are (verb, word, name of the place, whether it can be pressed)."""

    kind: str
    id: str
    name: str
    label: str
    hint: str
    text: str
    required: bool
    there: bool
    options: Sequence[tuple[str, str, bool]] = ()
    children: Sequence[FieldView] = ()
    more: Sequence[FieldView] = ()
    problems: Sequence[str] = ()
    buttons: Sequence[tuple[str, str, str, bool]] = ()
    count: int = 0
    key: str = ""
    long: bool = False
    select_name: str = ""
    discriminator: str = ""


@dataclass(frozen=True, slots=True)
class FlawRow:
    """A fault with the address of the field that mends it (empty on the page of the field itself)."""

    place: str
    text: str
    url: str


@dataclass(frozen=True, slots=True)
class PartTab:
    code: str
    title: str
    flaws: int
    current: bool


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An item that is written on its own page; ``result``: passed, failed, or empty while it cannot be run."""

    name: str
    title: str
    result: str
    first: bool
    last: bool


@dataclass(frozen=True, slots=True)
class Editing:
    """Which piece of the document a page shows: the part, its top-level keys, and the place of an item where it is one."""

    part: str
    keys: tuple[str, ...]
    at: str = ""
    problems: Mapping[str, list[str]] = field(default_factory=dict)


def parts() -> dict[str, tuple[str, tuple[str, ...]]]:
    """The parts of the editor by code: title and top-level fields; what the schema has beside them comes under "More"."""
    found = {code: (str(title), keys) for code, (title, keys) in PARTS.items()}
    known = {key for _title, keys in PARTS.values() for key in keys}
    others = tuple(key for key in programme_shape().fields if key not in known)
    return found | ({MORE: (pgettext("parts of a programme", "More"), others)} if others else {})


def part_of(key: str) -> str:
    """The part that holds a top-level field; the first one where none does."""
    return next((code for code, (_title, keys) in parts().items() if key in keys), next(iter(PARTS)))


def is_large(part: str) -> bool:
    return part == _LARGE


def fields_of(document: Mapping[str, Any], editing: Editing) -> list[FieldView]:
    """The fields of a part, or of one of its items."""
    shape = programme_shape()
    if editing.at:
        held, value = value_at(shape, document, editing.at)
        if held is None or value is ABSENT:
            return []
        node = tree(held, value, _place(editing.at))
        return [_view(node, editing, _("Example"))]
    fields = shape.fields
    return [
        _view(
            tree(fields[key], document.get(key, ABSENT), TOP.below(key), required=key in shape.required), editing, label_of(key)
        )
        for key in editing.keys
        if key in fields
    ]


def _place(name: str) -> Place:
    place = TOP
    for step in name.split("/"):
        place = place.at(int(step)) if step.isdigit() else place.below(step)
    return place


def field_id(path: str) -> str:
    """The id of the field at a JSON path."""
    return "f-" + re.sub(r"[^A-Za-z0-9]+", "-", path.removeprefix("$")).strip("-")


def problems_by_path(checked: Checked) -> dict[str, list[str]]:
    """What is wrong, by JSON path, in the reader's language."""
    found: dict[str, list[str]] = {}
    for flaw in checked.flaws:
        found.setdefault(flaw.path, []).append(flaw_words(flaw))
    for place, each in enumerate(checked.examples):
        if not each.passed:
            found.setdefault(f"$.examples[{place}]", []).append(sentence("programme.example_fails", {"title": each.title}))
    return found


def warning_rows(draft_id: int, checked: Checked) -> list[FlawRow]:
    """What may be meant otherwise, each with a link to its field."""
    return [FlawRow(place_words(each.path), flaw_words(each), field_url(draft_id, each.path)) for each in checked.warnings]


def flaw_words(flaw: Flaw) -> str:
    """The sentence of a fault or of a warning."""
    params = dict(flaw.params)
    if "facts" in params:
        params["facts"] = wording.several(wording.fact_word(each) for each in params["facts"])
    if "payer" in params:
        params["payer"] = wording.payer_word(params["payer"])
    if "services" in params:
        params |= {name: wording.several(wording.service_word(each) for each in params[name]) for name in ("services", "known")}
    elif "labels" in params:
        params |= {name: wording.several(str(each) for each in params[name]) for name in ("labels", "known")}
    elif "known" in params:
        key = _keys(flaw.path)[-1:] or [""]
        params["known"] = [choice_word(key[0], str(each)) for each in params["known"]]
    if "kinds" in params:
        words = {
            "string": _("a text"),
            "integer": _("a whole number"),
            "array": _("a list"),
            "object": _("a group of fields"),
            "boolean": _("yes or no"),
            "number": _("a number"),
        }
        params["kinds"] = [words.get(str(each), str(each)) for each in params["kinds"]]
    return sentence(flaw.code, params)


def _keys(path: str) -> list[str]:
    """The names and numbers of a JSON path."""
    return [next(part for part in found if part) for found in _STEP.findall(path) if any(found)]


def place_words(path: str) -> str:
    """A JSON path in words: "Limits 2 › Limit"."""
    words: list[str] = []
    for step in _keys(path):
        if step.isdigit() and words:
            words[-1] = f"{words[-1]} {int(step) + 1}"
        else:
            words.append(label_of(step))
    return " › ".join(words)


def flaw_rows(draft_id: int, problems: Mapping[str, list[str]]) -> list[FlawRow]:
    """Every fault with a link to the field that mends it."""
    rows = []
    for path, texts in problems.items():
        address = field_url(draft_id, path)
        rows += [FlawRow(place_words(path), text, address) for text in texts]
    return rows


def field_url(draft_id: int, path: str) -> str:
    """Where a field is written."""
    keys = _keys(path)
    part = part_of(keys[0]) if keys else next(iter(PARTS))
    query = f"?part={part}"
    if is_large(part) and len(keys) > 1 and keys[1].isdigit():
        query += f"&at={keys[0]}/{keys[1]}"
    return f"{reverse('programme_draft_edit', args=[draft_id])}{query}#{field_id(path)}"


def tabs(editing: Editing, problems: Mapping[str, list[str]]) -> list[PartTab]:
    """The parts with the number of faults in each."""
    counts: dict[str, int] = {}
    for path, texts in problems.items():
        keys = _keys(path)
        part = part_of(keys[0]) if keys else next(iter(PARTS))
        counts[part] = counts.get(part, 0) + len(texts)
    return [PartTab(code, title, counts.get(code, 0), code == editing.part) for code, (title, _keys_) in parts().items()]


def item_rows(document: Mapping[str, Any], checked: Checked) -> list[ItemRow]:
    """The worked examples as a list, each with what came out."""
    items = document.get(_LARGE)
    rows = items if isinstance(items, list) else []
    results = {place: "passed" if each.passed else "failed" for place, each in enumerate(checked.examples)}
    return [
        ItemRow(
            name=f"{_LARGE}/{place}",
            title=str(each.get("title") or "") if isinstance(each, Mapping) else "",
            result=results.get(place, ""),
            first=place == 0,
            last=place == len(rows) - 1,
        )
        for place, each in enumerate(rows)
    ]


# --- One field ----------------------------------------------------------------------------------------------------------
def _view(node: Node, editing: Editing, label: str, buttons: Sequence[tuple[str, str, str, bool]] = ()) -> FieldView:
    kind, shape, key = node.kind, node.shape, node.place.key
    children = list(_children(node, editing))
    empty = [each for each in children if not each.required and not each.there]
    hidden = empty if kind is Kind.GROUP and len(empty) > FEW else []
    own: list[tuple[str, str, str, bool]] = [*buttons]
    if kind in (Kind.GROUP, Kind.VARIANT) and node.removable:
        own.append(("remove", _("Leave out"), node.name, True) if node.there else ("fill", _("Fill in"), node.name, True))
    if kind is Kind.LIST:
        own.append(("add", _("Add"), node.name, True))
    return FieldView(
        kind=kind.value,
        id=field_id(node.place.path),
        name=node.name,
        label=label,
        hint=hint_of(key, shape.definition),
        text=node.text,
        required=node.required,
        there=node.there,
        options=_options(node),
        children=[each for each in children if each not in hidden],
        more=hidden,
        problems=editing.problems.get(node.place.path, ()),
        buttons=own,
        count=len(node.children),
        key=key,
        long=key in _LONG,
        select_name=f"{node.name}/{shape.field}" if kind is Kind.VARIANT else f"{node.name}/@form",
        discriminator=label_of(shape.field) if kind is Kind.VARIANT else label,
    )


def _children(node: Node, editing: Editing) -> Iterator[FieldView]:
    if node.kind is Kind.LIST:
        last = len(node.children) - 1
        for place, child in enumerate(node.children):
            yield _view(child, editing, _item_title(node, child, place), _item_buttons(child, place, last))
    elif node.kind is Kind.MAP:
        for child in node.children:
            gone = [("remove", _("Take out"), child.name, True)] if child.place.key else []
            yield _view(child, editing, label_of(node.place.key), gone)
    else:
        for child in node.children:
            yield _view(child, editing, label_of(child.place.key) if node.kind is not Kind.EITHER else label_of(node.place.key))


def _item_buttons(child: Node, place: int, last: int) -> list[tuple[str, str, str, bool]]:
    if child.kind not in _MOVABLE:
        return []
    return [
        ("up", _("Up"), child.name, place > 0),
        ("down", _("Down"), child.name, place < last),
        ("copy", _("Copy"), child.name, True),
        ("remove", _("Take out"), child.name, True),
    ]


def _item_title(node: Node, child: Node, place: int) -> str:
    """The list's name, the number, and what tells the item from the others."""
    told = child.text if child.kind is Kind.VARIANT else next((each.text for each in child.children if each.text), "")
    word = choice_word("type", told) if told else ""
    return f"{label_of(node.place.key) if node.place.key else _('Alternative')} {place + 1}" + (f": {word[:60]}" if word else "")


def _options(node: Node) -> list[tuple[str, str, bool]]:
    key, shape = node.place.key, node.shape
    if node.kind in (Kind.CHOICE, Kind.SEVERAL):
        chosen = {node.text, *node.chosen}
        known = [(code, choice_word(key, code), code in chosen) for code in shape.options]
        other = (
            [(node.text, node.text, True)] if node.kind is Kind.CHOICE and node.text and node.text not in shape.options else []
        )
        return known + other
    if node.kind is Kind.VARIANT:
        known = [(code, choice_word(shape.field, code), code == node.text) for code in shape.options]
        return known + ([(node.text, node.text, True)] if node.text and node.text not in shape.options else [])
    if node.kind is Kind.EITHER:
        return [(code, choice_word("", code), code == node.text) for code in shape.forms]
    if node.kind is Kind.YES_NO:
        return [("true", _("Yes"), node.text == "true"), ("false", _("No"), node.text == "false")]
    return []
