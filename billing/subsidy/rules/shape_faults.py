"""The faults of a document's shape in words for whoever types it: the field, what is wrong with it, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from jsonschema import ValidationError
from jsonschema.protocols import Validator

from billing.ledger.rules.documents import Fault

_LONGEST = 60
_TYPES = {
    "string": "text in quotes",
    "integer": "a whole number without quotes",
    "boolean": "true or false without quotes",
    "object": "an object {…}",
    "array": "a list […]",
}


def shape_faults(validator: Validator, document: Any) -> list[Fault]:
    """Every place in ``document`` that the schema does not allow, told so that it can be put right."""
    found = [fault for error in validator.iter_errors(document) for fault in _faults(error)]
    return sorted(set(found))


def _faults(error: ValidationError) -> Iterator[Fault]:
    path, rule = error.json_path, str(error.validator)
    wanted: Any = error.validator_value
    if rule == "additionalProperties" and isinstance(error.instance, Mapping):
        yield from _unexpected(error, path)
    elif rule == "required":
        [name] = [each for each in wanted if f"{each!r} is a required" in error.message]
        yield Fault(f"{path}.{name}", f"it is missing; add it{_fix(error, name)}")
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
        return f"write at least {limit} entries here"
    if rule == "uniqueItems":
        return "an entry stands here twice; leave one out"
    if rule == "const":
        return f"{shown} cannot be used here; write {_short(limit)}"
    if rule in ("minimum", "maximum"):
        return f"{shown} is out of range; write {'at least' if rule == 'minimum' else 'at most'} {limit}{_fix(error)}"
    if rule == "minProperties":
        return f"write at least {limit} of {', '.join(error.schema.get('properties', {})) or 'its fields'}"  # type: ignore[union-attr]
    if rule in ("minLength", "maxLength"):
        return f"write {'at least' if rule == 'minLength' else 'at most'} {limit} characters here{_fix(error)}"
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


def _fix(error: ValidationError, name: str = "") -> str:
    """What the schema says about the field, where it says something."""
    schema: Any = error.schema
    if name:
        schema = schema.get("properties", {}).get(name, {}) if isinstance(schema, Mapping) else {}
    description = schema.get("description", "") if isinstance(schema, Mapping) else ""
    return f". {description}" if description else ""


def _short(value: Any) -> str:
    text = repr(value) if isinstance(value, str | bool | int) else str(value)
    text = {"True": "true", "False": "false", "None": "null"}.get(text, text)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
