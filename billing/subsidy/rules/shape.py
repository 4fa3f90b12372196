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


class Kind(StrEnum):
    """How a place is written down."""

    TEXT = "text"
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
        return {name: shape_of(each, self.schema) for name, each in self.node.get("properties", {}).items()}

    @property
    def item(self) -> Shape:
        """What a list or a map holds."""
        return shape_of(self.node["items"] if self.kind is Kind.LIST else self.node["additionalProperties"], self.schema)

    def variant(self, code: str) -> Shape | None:
        """The group behind a discriminator's value."""
        for const, node in _variants(self.node, self.schema):
            if const == code:
                return shape_of(node, self.schema)
        return None

    @property
    def forms(self) -> dict[str, Shape]:
        """The forms of EITHER: ``value`` for a text or a number, ``settings`` for a group, ``list``."""
        found: dict[str, Shape] = {}
        for node in _forms(self.node):
            shape = shape_of(node, self.schema)
            found.setdefault(_form_name(shape), shape)
        return found


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


def _resolved(node: Mapping[str, Any], schema: str) -> tuple[Mapping[str, Any], str, str]:
    """Follow references; a group that is described as the facts is the schema of the facts."""
    definition = ""
    while "$ref" in node:
        file, _, pointer = node["$ref"].partition("#")
        schema = file or schema
        target: Any = _root(schema)
        for part in filter(None, pointer.split("/")):
            target = target[part]
            definition = part
        node = {**target, **{name: value for name, value in node.items() if name != "$ref"}}
    if node.get("description") == _FACTS and "properties" not in node:
        return _root(_FACTS), _FACTS, "facts"
    return node, schema, definition


def _kind(node: Mapping[str, Any], schema: str) -> tuple[Kind, tuple[str, ...], str]:
    if "const" in node:
        return Kind.FIXED, (), ""
    if "enum" in node and all(isinstance(each, str) for each in node["enum"]):
        return Kind.CHOICE, tuple(node["enum"]), ""
    variants = [const for const, _ in _variants(node, schema)]
    if variants:
        return Kind.VARIANT, tuple(variants), _discriminator(node, schema)
    if len(_forms(node)) > 1:
        return Kind.EITHER, (), ""
    types = node.get("type")
    if types == "boolean":
        return Kind.YES_NO, (), ""
    if types == "integer":
        return Kind.WHOLE, (), ""
    if types == "string" or (isinstance(types, list) and set(types) <= _SCALARS):
        return Kind.TEXT, (), ""
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
    if item.kind is Kind.TEXT and item.definition not in ("money", "share"):
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


def _discriminator(node: Mapping[str, Any], schema: str) -> str:
    for each in node.get("allOf", ()):
        for name in each.get("if", {}).get("properties", {}):
            return str(name)
    return "type"


def _forms(node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The alternatives of a value that may have several forms."""
    if "if" in node and "then" in node and "else" in node and "properties" not in node:
        return [node["else"], node["then"]]
    several = [each for each in (*node.get("oneOf", ()), *node.get("anyOf", ())) if set(each) - {"required"}]
    return several if "properties" not in node else []


def _form_name(shape: Shape) -> str:
    if shape.kind in (Kind.GROUP, Kind.MAP, Kind.VARIANT):
        return "settings"
    return "list" if shape.kind in (Kind.LIST, Kind.SEVERAL, Kind.LINES) else "value"


def form_of(value: object) -> str:
    """Which of the forms of EITHER a value has."""
    return "settings" if isinstance(value, Mapping) else "list" if isinstance(value, list) else "value"


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
