"""Reading the JSON Schemas of documents as descriptions of forms: what a place may hold, without knowing any programme.

A new part of the schema appears in forms by itself, because nothing here names one. What a schema says in a way that is not known
here can still be written as JSON (``Kind.RAW``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parents[1] / "schema"
_PROGRAMME, _FACTS = "programme.schema.json", "facts.schema.json"
PROGRAMME_SCHEMA = _FOLDER / _PROGRAMME
_SCALARS = frozenset({"string", "integer", "number"})
Json = dict[str, Any]
VALUE, LIST, SETTINGS = "value", "list", "settings"


class Kind(StrEnum):
    """How a place is written down."""

    TEXT = "text"
    ANY = "any"
    """A text, a whole number, or ``true`` / ``false``."""
    WHOLE = "whole"
    YES_NO = "yes_no"
    CHOICE = "choice"
    FIXED = "fixed"
    SEVERAL = "several"
    """Any of a few codes."""
    LINES = "lines"
    """Texts of one's own, one a line."""
    GROUP = "group"
    LIST = "list"
    MAP = "map"
    """Values under names of one's own."""
    VARIANT = "variant"
    """A group whose fields depend on its discriminator (``type`` of a gate)."""
    EITHER = "either"
    """A value of one form or of another (a limit: an amount, or set by configuration)."""
    RAW = "raw"


@dataclass(frozen=True, slots=True)
class Shape:
    """What one place of a document may hold.

    ``definition`` is the name of the schema's definition it comes from (``money``), or empty. ``fields`` are those of a group in
    their order; ``required`` names them; ``item`` is what a list or a map holds; ``options`` are the codes of a choice;
    ``variants`` are the shapes by discriminator, ``field`` its name; ``forms`` are those of EITHER by name.
    """

    kind: Kind
    schema: str
    node: Mapping[str, Any]
    definition: str = ""
    options: tuple[str, ...] = ()
    field: str = ""

    @property
    def required(self) -> frozenset[str]:
        return frozenset(self.node.get("required", ()))

    @property
    def fields(self) -> dict[str, Shape]:
        """The fields of a group."""
        return {name: _field(name, each, self.schema) for name, each in self.node.get("properties", {}).items()}

    @property
    def item(self) -> Shape:
        """What a list or a map holds."""
        return shape_of(self.node["items"] if self.kind is Kind.LIST else self.node["additionalProperties"], self.schema)

    def variant(self, code: str) -> Shape | None:
        """The group behind a discriminator's value; what the whole needs is needed in it."""
        for const, node in _variants(self.node, self.schema):
            if const == code:
                resolved, schema, definition = _resolved(node, self.schema)
                needed = [name for name in self.required if name in resolved.get("properties", {})]
                required = list(dict.fromkeys([*resolved.get("required", ()), *needed]))
                return Shape(Kind.GROUP, schema, {**resolved, "required": required}, definition)
        return None

    @property
    def forms(self) -> dict[str, Shape]:
        """The forms of EITHER: ``value`` for a text or a number, ``list``, and for a group ``settings`` or the field that tells it."""
        return {name: shape_of(node, self.schema) for name, node in _forms(self.node, self.schema)}

    def form_of(self, value: object) -> str:
        """Which of the forms of EITHER a value has; empty where it has none."""
        forms = self.forms
        if isinstance(value, Mapping):
            groups = [name for name in forms if name not in (VALUE, LIST)]
            return next((name for name in groups if name in value), SETTINGS if SETTINGS in groups else next(iter(groups), ""))
        name = LIST if isinstance(value, list) else VALUE
        return name if name in forms else ""


@cache
def _root(name: str) -> Json:
    found: Json = json.loads((_FOLDER / name).read_text(encoding="utf-8"))
    return found


def programme_shape() -> Shape:
    """The shape of a whole programme document."""
    return shape_of(_root(_PROGRAMME), _PROGRAMME)


def shape_of(node: Mapping[str, Any], schema: str) -> Shape:
    """What a piece of the schema file ``schema`` describes."""
    node, schema, definition = _resolved(node, schema)
    kind, options, field = _kind(node, schema)
    return Shape(kind, schema, node, definition, options, field)


def _field(name: str, node: Mapping[str, Any], schema: str) -> Shape:
    """A field of a group; one that is called facts and says no more is the facts."""
    bare = name == "facts" and set(node) <= {"type", "description"}
    return shape_of(_root(_FACTS), _FACTS) if bare else shape_of(node, schema)


def _resolved(node: Mapping[str, Any], schema: str) -> tuple[Mapping[str, Any], str, str]:
    """Follow references, and put together what ``allOf`` adds to one."""
    definition = ""
    while True:
        if "$ref" in node:
            file, _, pointer = node["$ref"].partition("#")
            schema = file or schema
            target: Any = _root(schema)
            for part in filter(None, pointer.split("/")):
                target = target[part]
                definition = part
            node = _joined(target, {name: value for name, value in node.items() if name != "$ref"})
            continue
        plain = [each for each in node.get("allOf", ()) if "if" not in each]
        if not plain:
            return node, schema, definition
        rest = {name: value for name, value in node.items() if name != "allOf"}
        conditions = [each for each in node["allOf"] if "if" in each]
        node = _joined(rest, {"allOf": conditions} if conditions else {})
        for each in plain:
            found, schema, _name = _resolved(each, schema)
            node = _joined(found, node)


def _joined(one: Mapping[str, Any], other: Mapping[str, Any]) -> Json:
    """Two descriptions of the same place; the second is the narrower one."""
    made: Json = {**one, **other}
    if "required" in one and "required" in other:
        made["required"] = list(dict.fromkeys([*one["required"], *other["required"]]))
    if "allOf" in one and "allOf" in other:
        made["allOf"] = [*one["allOf"], *other["allOf"]]
    if "properties" in one and "properties" in other:
        made["properties"] = {**one["properties"], **other["properties"]}
    return made


def _kind(node: Mapping[str, Any], schema: str) -> tuple[Kind, tuple[str, ...], str]:
    if "const" in node:
        return Kind.FIXED, (), ""
    if "enum" in node and all(isinstance(each, str) for each in node["enum"]):
        return Kind.CHOICE, tuple(node["enum"]), ""
    variants = [const for const, _ in _variants(node, schema)]
    if variants:
        field = _discriminator(node)
        offered = node.get("properties", {}).get(field, {}).get("enum", variants)
        return Kind.VARIANT, tuple(code for code in variants if code in offered), field
    if len(_forms(node, schema)) > 1:
        return Kind.EITHER, (), ""
    types = node.get("type")
    if types == "boolean":
        return Kind.YES_NO, (), ""
    if types == "integer":
        return Kind.WHOLE, (), ""
    if types == "string" or (isinstance(types, list) and set(types) <= _SCALARS):
        return Kind.TEXT, (), ""
    if isinstance(types, list) and set(types) <= _SCALARS | {"boolean"}:
        return Kind.ANY, (), ""
    if types == "array" and "items" in node:
        return _list_kind(node, schema)
    if types == "object" and "properties" in node:
        return Kind.GROUP, (), ""
    if types == "object" and isinstance(node.get("additionalProperties"), Mapping):
        return Kind.MAP, (), ""
    return Kind.RAW, (), ""


def _list_kind(node: Mapping[str, Any], schema: str) -> tuple[Kind, tuple[str, ...], str]:
    item = shape_of(node["items"], schema)
    if item.kind is Kind.CHOICE:
        return Kind.SEVERAL, item.options, ""
    if item.kind is Kind.TEXT and item.definition not in ("money", "share", "exact_share"):
        return Kind.LINES, (), ""
    return Kind.LIST, (), ""


def _variants(node: Mapping[str, Any], schema: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Pairs of a constant and the group it selects, from ``allOf`` of if/then, or from alternatives that name a constant."""
    for each in node.get("allOf", ()):
        condition = each.get("if", {}).get("properties", {})
        if len(condition) == 1 and "then" in each:
            (test,) = condition.values()
            if "const" in test:
                yield test["const"], each["then"]
    for each in (*node.get("oneOf", ()), *node.get("anyOf", ())):
        resolved, _, _ = _resolved(each, schema)
        const = resolved.get("properties", {}).get("type", {}).get("const")
        if isinstance(const, str):
            yield const, each


def _discriminator(node: Mapping[str, Any]) -> str:
    for each in node.get("allOf", ()):
        for name in each.get("if", {}).get("properties", {}):
            return str(name)
    return "type"


def _forms(node: Mapping[str, Any], schema: str) -> list[tuple[str, Mapping[str, Any]]]:
    """The alternatives of a value that may have several forms, by name."""
    if "properties" in node:
        return []
    if "if" in node and "then" in node:
        return _forms_by_test(node, schema)
    several = [each for each in (*node.get("oneOf", ()), *node.get("anyOf", ())) if set(each) - {"required"}]
    return [(_form_name(shape_of(each, schema)), each) for each in several]


def _forms_by_test(node: Mapping[str, Any], schema: str) -> list[tuple[str, Mapping[str, Any]]]:
    """``if`` tells them apart by the kind of the value, or by a field that one of them has."""
    test, then = node["if"], node["then"]
    types = [each for each in node.get("type", ()) if each != test.get("type")] if isinstance(node.get("type"), list) else []
    other = node.get("else", {"type": types[0] if len(types) == 1 else types} if types else None)
    found: list[tuple[str, Mapping[str, Any]]] = []
    for name, each in ((test["required"][0] if "required" in test else "", then), ("", other)):
        if each is None:
            continue
        inner, inner_schema, _definition = _resolved(each, schema)
        nested = _forms(inner, inner_schema)
        if nested:
            found += nested
            continue
        needed = [*inner.get("required", ())] if "required" in test else []
        found.append((name or (needed[0] if needed else _form_name(shape_of(each, schema))), each))
    return sorted(found, key=lambda form: form[0] != VALUE)


def _form_name(shape: Shape) -> str:
    if shape.kind in (Kind.GROUP, Kind.MAP, Kind.VARIANT, Kind.RAW):
        return SETTINGS
    return LIST if shape.kind in (Kind.LIST, Kind.SEVERAL, Kind.LINES) else VALUE


@cache
def _definitions() -> dict[str, str]:
    """Names of scalar definitions by their text, for schemas that were resolved by the validator."""
    found = {}
    for file in (_FACTS, _PROGRAMME):
        for name, node in _root(file).get("$defs", {}).items():
            found[json.dumps(node, sort_keys=True)] = name
    return found


def definition_of(node: object) -> str:
    """The name of the definition that a piece of a schema is, or empty."""
    return _definitions().get(json.dumps(node, sort_keys=True), "") if isinstance(node, Mapping) else ""
