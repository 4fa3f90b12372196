"""A document as a tree of form fields over its schema, and the tree's answers as a document again.

Names of fields are places with ``/`` between them (``caps/0/limit``); helpers of a place begin with ``@`` behind it (``caps/@count``).
What a form cannot show as it should be is shown as JSON text, so that saving a form never loses or mends anything by itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from billing.subsidy.rules.shape import LIST, SETTINGS, VALUE, Kind, Shape

ABSENT: Any = object()
"""No value at this place: an optional field that is left empty."""
MOST_ITEMS = 300
_YES_NO = {True: "true", False: "false"}


class Posted(Protocol):
    """What a browser sends."""

    def get(self, name: str) -> Any: ...
    def getlist(self, name: str) -> list[Any]: ...
    def __contains__(self, name: object) -> bool: ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: the name of its field, its JSON path, and its key (empty for an item of a list)."""

    name: str
    path: str
    key: str

    def below(self, key: str) -> Place:
        part = f".{key}" if key.isidentifier() else f"[{key!r}]"
        return Place(f"{self.name}/{key}" if self.name else key, self.path + part, key)

    def at(self, index: int) -> Place:
        return Place(f"{self.name}/{index}", f"{self.path}[{index}]", "")


TOP = Place("", "$", "")


@dataclass(frozen=True, slots=True)
class Node:
    """One field, or a group of them. ``text`` is what the field holds; ``chosen`` of several; ``there``: an optional group is filled."""

    kind: Kind
    place: Place
    shape: Shape
    required: bool
    there: bool = True
    text: str = ""
    chosen: tuple[str, ...] = ()
    children: tuple[Node, ...] = ()

    @property
    def name(self) -> str:
        return self.place.name

    @property
    def removable(self) -> bool:
        """Whether the group may be left out as a whole."""
        return not self.required and bool(self.place.key)


def tree(shape: Shape, value: Any, place: Place, *, required: bool = True) -> Node:
    """The fields for ``value`` (ABSENT: nothing there yet)."""
    kind = shape.kind if fits(shape, value) else Kind.RAW
    node = Node(kind, place, shape, required, there=value is not ABSENT)
    if kind is Kind.EITHER:
        return _either(node, value)
    if kind in (Kind.GROUP, Kind.VARIANT):
        return replace(node, text=_code(shape, value), children=_fields(shape, value, place))
    if kind is Kind.LIST:
        items = [] if value is ABSENT else value
        return replace(
            node, children=tuple(tree(shape.item, each, place.at(index)) for index, each in enumerate(items[:MOST_ITEMS]))
        )
    if kind is Kind.MAP:
        return replace(node, children=_rows(shape, {} if value is ABSENT else value, place))
    if kind is Kind.SEVERAL:
        return replace(node, chosen=() if value is ABSENT else tuple(value))
    return replace(node, text=_text(kind, value))


def fits(shape: Shape, value: Any) -> bool:
    """Whether the form's own fields can hold ``value`` without changing it."""
    if value is ABSENT:
        return True
    kind = shape.kind
    if kind in (Kind.GROUP, Kind.VARIANT):
        return isinstance(value, Mapping) and set(value) <= _known(shape, value)
    if kind is Kind.MAP:
        return isinstance(value, Mapping)
    if kind is Kind.LIST:
        return isinstance(value, list) and len(value) <= MOST_ITEMS
    if kind is Kind.SEVERAL:
        return isinstance(value, list) and all(each in shape.options for each in value) and len(set(value)) == len(value)
    if kind is Kind.LINES:
        return isinstance(value, list) and all(isinstance(each, str) and each == " ".join(each.split()) != "" for each in value)
    if kind is Kind.EITHER:
        return bool(shape.form_of(value))
    if kind is Kind.YES_NO:
        return isinstance(value, bool)
    if kind is Kind.FIXED:
        return bool(value == shape.node["const"] and type(value) is type(shape.node["const"]))
    if kind is Kind.WHOLE:
        return isinstance(value, int | str) and not isinstance(value, bool)
    if kind is Kind.ANY:
        return isinstance(value, int | str)
    return isinstance(value, str) or (kind is not Kind.CHOICE and isinstance(value, int) and not isinstance(value, bool))


def _known(shape: Shape, value: Mapping[str, Any]) -> set[str]:
    if shape.kind is Kind.GROUP:
        return set(shape.fields)
    variant = shape.variant(str(value.get(shape.field, "")))
    return {shape.field} | (set(variant.fields) if variant is not None else set())


def _code(shape: Shape, value: Any) -> str:
    """The discriminator of a group with variants."""
    if shape.kind is not Kind.VARIANT or value is ABSENT:
        return ""
    found = value.get(shape.field, "")
    return found if isinstance(found, str) else ""


def _fields(shape: Shape, value: Any, place: Place) -> tuple[Node, ...]:
    if value is ABSENT:
        return ()
    group = shape if shape.kind is Kind.GROUP else shape.variant(_code(shape, value))
    if group is None:
        return ()
    return tuple(
        tree(each, value.get(name, ABSENT), place.below(name), required=name in group.required)
        for name, each in group.fields.items()
        if shape.kind is Kind.GROUP or name != shape.field
    )


def _rows(shape: Shape, value: Mapping[str, Any], place: Place) -> tuple[Node, ...]:
    """The values of a map by the key of their places, and an empty one for another."""
    nodes = []
    for index, (name, each) in enumerate([*value.items()][:MOST_ITEMS]):
        below = place.below(name)
        nodes.append(tree(shape.item, each, Place(f"{place.name}/{index}", below.path, name)))
    blank = blank_of(shape.item)
    return (*nodes, tree(shape.item, blank, Place(f"{place.name}/{len(nodes)}", f"{place.path}.", "")))


def blank_of(shape: Shape) -> Any:
    """What a new part begins with: its groups and lists, nothing in its fields."""
    if shape.kind is Kind.GROUP:
        made = {name: blank_of(each) for name, each in shape.fields.items() if name in shape.required}
        return {name: value for name, value in made.items() if value is not ABSENT}
    if shape.kind is Kind.VARIANT:
        code = shape.options[0]
        group = shape.variant(code)
        return {**(blank_of(group) if group is not None else {}), shape.field: code}
    if shape.kind in (Kind.LIST, Kind.SEVERAL, Kind.LINES):
        return []
    if shape.kind is Kind.MAP:
        return {}
    return shape.node["const"] if shape.kind is Kind.FIXED else ABSENT


def _either(node: Node, value: Any) -> Node:
    forms = node.shape.forms
    form = next(iter(forms)) if value is ABSENT else node.shape.form_of(value)
    inner = tree(forms[form], value, node.place, required=node.required)
    return replace(node, text=form, children=(inner,))


def _text(kind: Kind, value: Any) -> str:
    if kind is Kind.RAW:
        return "" if value is ABSENT else json.dumps(value, ensure_ascii=False, indent=2)
    if value is ABSENT:
        return ""
    if kind is Kind.LINES:
        return "\n".join(value)
    if kind is Kind.ANY and isinstance(value, str) and (value.isdigit() or value in ("true", "false") or value.startswith('"')):
        return json.dumps(value, ensure_ascii=False)
    return _YES_NO[value] if isinstance(value, bool) else str(value)


def read(shape: Shape, posted: Posted, name: str, before: Any, *, required: bool = True) -> Any:
    """What was typed at ``name`` and below, ABSENT for an optional place that is left empty.

    ``before`` is what stood there: a text that is only the writing of the same value stays that value.
    """
    if f"{name}/@raw" in posted:
        return _read_raw(str(posted.get(f"{name}/@raw") or ""), before)
    kind = shape.kind
    if kind is Kind.EITHER:
        return _read_either(shape, posted, name, before, required=required)
    if kind in (Kind.GROUP, Kind.VARIANT):
        return _read_group(shape, posted, name, before)
    if kind is Kind.LIST:
        return _read_list(shape, posted, name, before, required=required)
    if kind is Kind.MAP:
        return _read_map(shape, posted, name, before, required=required)
    if kind is Kind.SEVERAL:
        chosen = posted.getlist(name)
        found = [each for each in shape.options if each in chosen]
        return _same(found, before) if found else _nothing(before, required=required)
    if kind is Kind.LINES:
        lines = [" ".join(line.split()) for line in str(posted.get(name) or "").splitlines()]
        found = [line for line in lines if line]
        return found or _nothing(before, required=required)
    if kind is Kind.FIXED:
        return shape.node["const"]
    return _read_text(kind, str(posted.get(name) or "").strip(), before)


def _read_text(kind: Kind, text: str, before: Any) -> Any:
    """An empty field is no value, also where one is needed: then its absence is told."""
    if before is not ABSENT and not isinstance(before, Mapping | list) and _text(kind, before) == text:
        return before
    if not text:
        return ABSENT
    if kind is Kind.ANY and len(text) > 1 and text.startswith('"') and text.endswith('"'):
        return text[1:-1]
    if kind in (Kind.YES_NO, Kind.ANY) and text in ("true", "false"):
        return text == "true"
    if kind in (Kind.WHOLE, Kind.ANY) and text.isascii() and text.isdigit() and len(text) < 16:
        return int(text)
    return text


def _nothing(before: Any, *, required: bool) -> Any:
    """An optional list without items is not written; one that was written without items stays so."""
    return [] if required or before == [] else ABSENT


def _same(found: list[str], before: Any) -> list[str]:
    """The order in which somebody wrote codes down stays."""
    return before if isinstance(before, list) and sorted(map(str, before)) == sorted(found) else found


def _read_raw(text: str, before: Any) -> Any:
    """JSON of a piece; what is none stays as a text, which the check then names."""
    if not text.strip():
        return ABSENT
    try:
        return json.loads(text, parse_constant=str)
    except (ValueError, RecursionError):
        return text if before is ABSENT or text != json.dumps(before, ensure_ascii=False, indent=2) else before


def _read_group(shape: Shape, posted: Posted, name: str, before: Any) -> Any:
    if name and f"{name}/@there" not in posted:
        return ABSENT
    old = before if isinstance(before, Mapping) else {}
    if shape.kind is Kind.GROUP:
        return _read_fields(shape, posted, name, old)
    code, was = str(posted.get(f"{name}/{shape.field}") or ""), str(posted.get(f"{name}/@was") or "")
    shown = shape.variant(was)
    found = _read_fields(shown, posted, name, old, but_for=shape.field) if shown is not None else {}
    if code != was:
        chosen = shape.variant(code)
        found = {key: value for key, value in found.items() if chosen is not None and key in chosen.fields}
    return {shape.field: code, **found} if code else found


def _read_fields(shape: Shape, posted: Posted, name: str, old: Mapping[str, Any], but_for: str = "") -> dict[str, Any]:
    found = {}
    for key, each in shape.fields.items():
        if key == but_for:
            continue
        place = f"{name}/{key}" if name else key
        value = read(each, posted, place, old.get(key, ABSENT), required=key in shape.required)
        if value is not ABSENT:
            found[key] = value
    return found


def _read_list(shape: Shape, posted: Posted, name: str, before: Any, *, required: bool) -> Any:
    old = before if isinstance(before, list) else []
    count = _count(posted, name)
    items = [read(shape.item, posted, f"{name}/{index}", old[index] if index < len(old) else ABSENT) for index in range(count)]
    found = [each for each in items if each is not ABSENT]
    return found or _nothing(before, required=required)


def _read_map(shape: Shape, posted: Posted, name: str, before: Any, *, required: bool) -> Any:
    old = before if isinstance(before, Mapping) else {}
    found = {}
    for index in range(_count(posted, name)):
        key = str(posted.get(f"{name}/{index}/@key") or "").strip()
        value = read(shape.item, posted, f"{name}/{index}", old.get(key, ABSENT))
        if key or value not in (ABSENT, {}, ""):
            found[key] = "" if value is ABSENT else value
    return found or ({} if required or before == {} else ABSENT)


def _read_either(shape: Shape, posted: Posted, name: str, before: Any, *, required: bool) -> Any:
    forms = shape.forms
    form, was = str(posted.get(f"{name}/@form") or ""), str(posted.get(f"{name}/@form_was") or "")
    if form not in forms:
        form = was if was in forms else next(iter(forms))
    if form != was:
        return _begun(forms[form], form)
    return read(forms[form], posted, name, before, required=required)


def _begun(shape: Shape, form: str) -> Any:
    """What another form of a value begins with, so that it can be told from the others."""
    if form == VALUE:
        return ABSENT
    if form == LIST:
        return []
    made = blank_of(shape)
    made = made if isinstance(made, dict) else {}
    return made if form == SETTINGS or form in made else {form: "", **made}


def _count(posted: Posted, name: str) -> int:
    text = str(posted.get(f"{name}/@count") or "0")
    return min(int(text), MOST_ITEMS) if text.isascii() and text.isdigit() and len(text) < 6 else 0
