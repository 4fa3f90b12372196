"""The faults of a document's shape in words for whoever types it: the field, what is wrong with it, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from jsonschema import ValidationError
from jsonschema.protocols import Validator

from billing.ledger.rules.documents import Fault

_LONGEST = 60
_FIELDS = "Its fields are "
_TYPES = {
    "string": "text in quotes",
    "integer": "a whole number without quotes",
    "boolean": "true or false without quotes",
    "object": "an object {…}",
    "array": "a list […]",
}


def shape_faults(validator: Validator, document: Any) -> list[Fault]:
    """Every place in ``document`` that the schema does not allow, told so that it can be put right. Of what is of several kinds and none of
    them, the fields of each kind are not told."""
    schema: Any = validator.schema
    whole: Mapping[str, Any] = schema if isinstance(schema, Mapping) else {}
    found = {fault for error in validator.iter_errors(document) for fault in _faults(error, whole)}
    plainly = {fault.path for fault in found if fault.message.endswith(_TYPES["object"])}
    return sorted(fault for fault in found if fault.path not in plainly or _FIELDS not in fault.message)


def _faults(error: ValidationError, whole: Mapping[str, Any]) -> Iterator[Fault]:
    path, rule = error.json_path, str(error.validator)
    wanted: Any = error.validator_value
    if rule == "additionalProperties" and isinstance(error.instance, Mapping):
        yield from _unexpected(error, path)
    elif rule == "required":
        [name] = [each for each in wanted if f"{each!r} is a required" in error.message]
        yield Fault(f"{path}.{name}", f"it is missing; add it{_wanted(error, name, whole)}")
    else:
        yield Fault(path, _message(error, rule))


def _unexpected(error: ValidationError, path: str) -> Iterator[Fault]:
    given: Any = error.instance
    known = list(error.schema.get("properties", {})) if isinstance(error.schema, Mapping) else []
    for name in given:
        if name not in known:
            near = get_close_matches(str(name), known, n=1)
            guess = f"did you mean {near[0]!r}?" if near else f"the fields here are {', '.join(known)}"
            yield Fault(f"{path}.{name}", f"there is no such field; {guess}")


def _message(error: ValidationError, rule: str) -> str:
    shown = _short(error.instance)
    limit: Any = error.validator_value
    given: Any = error.instance
    if rule == "type":
        kinds = [limit] if isinstance(limit, str) else list(limit)
        wanted = " or ".join(_TYPES.get(kind, kind) for kind in kinds)
        return f"{shown} is not {wanted}{_fix(error)}"
    if rule == "enum":
        near = get_close_matches(str(error.instance), [str(each) for each in limit], n=1)
        guess = f"; did you mean {near[0]!r}?" if near else ""
        return f"{shown} is not one of {', '.join(str(each) for each in limit)}{guess}"
    if rule == "maxItems":
        return f"{len(given)} entries are too many; write at most {limit}"
    if rule == "minItems":
        return f"write at least {limit} entr{'y' if limit == 1 else 'ies'} here"
    if rule == "uniqueItems":
        return "an entry stands here twice; leave one out"
    if rule == "const":
        return f"{shown} cannot be used here; write {_short(limit)}"
    if rule in ("minimum", "maximum"):
        return f"{shown} is out of range; write {'at least' if rule == 'minimum' else 'at most'} {limit}{_fix(error)}"
    if rule == "minProperties":
        return f"write at least {limit} of {', '.join(error.schema.get('properties', {})) or 'its fields'}"  # type: ignore[union-attr]
    if rule in ("minLength", "maxLength"):
        return f"write {'at least' if rule == 'minLength' else 'at most'} {limit} character{'' if limit == 1 else 's'} here{_fix(error)}"
    if rule == "pattern":
        return f"{shown} cannot be used here{_fix(error) or f'; it has to match {limit}'}"
    if rule in ("anyOf", "oneOf"):
        named = [" and ".join(each["required"]) for each in limit if "required" in each]
        return (
            f"write {'one' if rule == 'oneOf' else 'at least one'} of {', '.join(named)}"
            if named
            else f"{shown} cannot be used here"
        )
    return f"{shown}: {error.message[:200]}"


def _fix(error: ValidationError) -> str:
    """What the schema says about the field, where it says something; of a group that is none, its fields."""
    schema: Any = error.schema
    if not isinstance(schema, Mapping):
        return ""
    fields = ", ".join(schema.get("properties", {})) if error.validator == "type" else ""
    said = schema.get("description", "") or (f"{_FIELDS}{fields}" if fields else "")
    return f". {said}" if said else ""


def _wanted(error: ValidationError, name: str, whole: Mapping[str, Any]) -> str:
    """What to write in a field that is missing, as far as the schema says it: in words, as choices, or as the fields of a group."""
    schema: Any = whole if error.json_path == "$" else error.schema
    own = schema.get("properties", {}).get(name, {}) if isinstance(schema, Mapping) else {}
    field = {**whole.get("$defs", {}).get(str(own.get("$ref", "")).removeprefix("#/$defs/"), {}), **own}
    if field.get("description"):
        return f". {field['description']}"
    if "enum" in field:
        return f", one of {', '.join(str(each) for each in field['enum'])}"
    fields = field.get("required") or list(field.get("properties", {}))
    if fields:
        return f", an object with {', '.join(fields)}"
    return f", {_TYPES[field['type']]}" if field.get("type") in _TYPES else ""


def _short(value: Any) -> str:
    text = repr(value) if isinstance(value, str | bool | int) else str(value)
    text = {"True": "true", "False": "false", "None": "null"}.get(text, text)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
