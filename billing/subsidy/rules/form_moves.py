"""Adding, taking away and moving parts of a document that is being written, by the names of its form's fields."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from billing.subsidy.rules.form_tree import ABSENT, MOST_ITEMS, blank_of
from billing.subsidy.rules.shape import Kind, Shape

VERBS = ("add", "fill", "remove", "up", "down", "copy")


def moved(shape: Shape, document: Mapping[str, Any], verb: str, name: str) -> dict[str, Any]:
    """The document after ``verb`` at the place ``name`` (``caps/2``); unchanged where there is no such place."""
    changed: dict[str, Any] = copy.deepcopy(dict(document))
    *above, last = name.split("/")
    holder, held = _walk(shape, changed, above)
    if holder is None or verb not in VERBS:
        return changed
    if verb in ("add", "fill"):
        _begin(holder, held, last, verb)
    elif isinstance(held, list):
        _move_item(held, verb, last)
    elif verb == "remove" and isinstance(held, dict):
        key = _key(holder, held, last)
        held.pop(key, None)
    return changed


def _walk(shape: Shape, document: Any, steps: list[str]) -> tuple[Shape | None, Any]:
    """The shape and the value at a place."""
    current: Shape | None = shape
    for step in steps:
        current, document = _into(current, document, step)
        if current is None or document is ABSENT:
            return None, ABSENT
    return current, document


def _into(shape: Shape | None, value: Any, step: str) -> tuple[Shape | None, Any]:
    if shape is not None and shape.kind is Kind.EITHER:
        shape = shape.forms.get(shape.form_of(value))
    if shape is None:
        return None, ABSENT
    if shape.kind is Kind.LIST:
        index = _index(value, step)
        return (shape.item, value[index]) if index is not None else (None, ABSENT)
    if not isinstance(value, Mapping):
        return None, ABSENT
    if shape.kind is Kind.MAP:
        key = _key(shape, value, step)
        return (shape.item, value[key]) if key in value else (None, ABSENT)
    group = shape.variant(str(value.get(shape.field, ""))) if shape.kind is Kind.VARIANT else shape
    found = group.fields.get(step) if group is not None and group.kind is Kind.GROUP else None
    return found, value.get(step, ABSENT)


def _begin(holder: Shape, held: Any, last: str, verb: str) -> None:
    """Append a new item to a list, or make an optional group."""
    shape, value = _into(holder, held, last)
    if shape is None or not isinstance(held, dict | list):
        return
    if verb == "fill":
        if value is ABSENT and isinstance(held, dict):
            held[last] = blank_of(shape)
        return
    if shape.kind is Kind.EITHER and value is not ABSENT:
        shape = shape.forms.get(shape.form_of(value), shape)
    if shape.kind is not Kind.LIST or (isinstance(value, list) and len(value) >= MOST_ITEMS):
        return
    item = blank_of(shape.item)
    item = "" if item is ABSENT else item
    if isinstance(value, list):
        value.append(item)
    elif isinstance(held, dict):
        held[last] = [item]


def _move_item(items: list[Any], verb: str, last: str) -> None:
    index = _index(items, last)
    if index is None:
        return
    if verb == "remove":
        del items[index]
    elif verb == "copy" and len(items) < MOST_ITEMS:
        items.insert(index + 1, copy.deepcopy(items[index]))
    else:
        other = index - 1 if verb == "up" else index + 1
        if verb in ("up", "down") and 0 <= other < len(items):
            items[index], items[other] = items[other], items[index]


def _index(items: Any, step: str) -> int | None:
    if isinstance(items, list) and step.isascii() and step.isdigit() and len(step) < 6 and int(step) < len(items):
        return int(step)
    return None


def _key(shape: Shape, value: Mapping[str, Any], step: str) -> str:
    """The key of a field; of a map the field names the row."""
    if shape.kind is not Kind.MAP:
        return step
    keys = list(value)
    return keys[int(step)] if step.isascii() and step.isdigit() and len(step) < 6 and int(step) < len(keys) else step


def value_at(shape: Shape, document: Mapping[str, Any], name: str) -> tuple[Shape | None, Any]:
    """The shape and the value at a place of a document (ABSENT: nothing there)."""
    return _walk(shape, document, name.split("/")) if name else (shape, document)


def put(shape: Shape, document: Mapping[str, Any], name: str, value: Any) -> dict[str, Any]:
    """The document with another value at a place that is there or may be there; unchanged elsewhere."""
    changed: dict[str, Any] = copy.deepcopy(dict(document))
    *above, last = name.split("/")
    holder, held = _walk(shape, changed, above)
    if isinstance(held, list):
        index = _index(held, last)
        if index is not None and value is not ABSENT:
            held[index] = value
    elif holder is not None and isinstance(held, dict):
        key = _key(holder, held, last)
        if value is ABSENT:
            held.pop(key, None)
        else:
            held[key] = value
    return changed
