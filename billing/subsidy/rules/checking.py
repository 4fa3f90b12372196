"""What is wrong with a document that somebody is still writing: where, which rule, and the values for a sentence in any language.

``parse_programme`` says the same faults in English for who writes JSON; here each is a code (``programme.flaw.*``) with parameters, so
that a form can name the field and the fix.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jsonschema import ValidationError
from jsonschema.protocols import Validator

from billing.ledger.rules.documents import Document, DocumentError, load_schema
from billing.subsidy.rules.examples import ExampleResult, check_examples
from billing.subsidy.rules.programme import parse_programme
from billing.subsidy.rules.shape import PROGRAMME_SCHEMA, definition_of
from billing.subsidy.rules.without_effect import warnings_of

MOST_FLAWS = 200
"""A document that is wrong in more places than this is wrong as a whole; the first ones say how."""

_BY_FORM = {
    "money": "money",
    "share": "share",
    "exact_share": "share",
    "day": "day",
    "clause_id": "clause",
}
#: By the pattern of the schema, which says nothing to who fills in a form.
_BY_PATTERN = {
    r"^[A-Z0-9][A-Z0-9-]{1,39}$": "code",
    r"^[a-z][a-z0-9-]{0,39}$": "id",
    r"^(fen|yuan|[1-9][0-9]{0,8})$": "step",
    r"^[0-9](\.[0-9]{1,6})?$": "factor",
    r"^[0-9]{1,6}(\.[0-9]{1,6})?$": "times",
    r"^[0-9]{2}-[0-9]{2}$": "day_of_year",
    r"^([0-9]{2}|[0-9]{4}|[0-9]{6})$": "region",
    r"^[0-9A-Z]{18}$": "office",
    r"^[a-z_]+\.[a-z][a-z0-9_]*$": "fact",
    r"^\$\.": "place",
    r"^[0-9]{6}$": "region_code",
    r"^[a-z][a-z0-9_]{0,39}$": "name",
    r"^(0(\.[0-9]{1,6})?|1(\.0{1,6})?)$": "share",
}


@dataclass(frozen=True, slots=True)
class Flaw:
    """One fault: its JSON path (``$.caps[1].limit``), the code of its sentence, and the sentence's parameters."""

    path: str
    code: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Checked:
    """What a document is worth: its faults, and once it has none what its worked examples give and what may be meant otherwise
    (``warnings``, which keep nothing from being published)."""

    flaws: tuple[Flaw, ...]
    examples: tuple[ExampleResult, ...]
    warnings: tuple[Flaw, ...] = ()

    @property
    def sound(self) -> bool:
        """Without a fault, and every worked example comes out."""
        return not self.flaws and all(each.passed for each in self.examples)


def check(document: Document) -> Checked:
    """Everything that keeps ``document`` from being published, as far as it can be said without a database."""
    flaws = tuple(_shape_flaws(load_schema(PROGRAMME_SCHEMA), document)) or tuple(_meaning_flaws(document))
    if flaws:
        return Checked(flaws, ())
    warnings = (Flaw(each.path, each.code, each.params) for each in warnings_of(document))
    return Checked((), tuple(check_examples(document)), tuple(warnings))


def _shape_flaws(validator: Validator, document: Document) -> Iterator[Flaw]:
    """In the order of the document, each place told once."""
    told: set[tuple[str, str]] = set()
    for error in _simple(validator.iter_errors(document)):
        for flaw in _flaws_of(error):
            if (flaw.path, flaw.code) not in told and len(told) < MOST_FLAWS:
                told.add((flaw.path, flaw.code))
                yield flaw


def _simple(errors: Iterable[ValidationError]) -> Iterator[ValidationError]:
    """Errors as they are, but of alternatives the faults of the one that comes nearest."""
    for error in errors:
        nearest = _nearest(error.context) if error.validator in ("oneOf", "anyOf") and error.context else ()
        if nearest:
            yield from _simple(nearest)
        else:
            yield error


def _nearest(context: Sequence[ValidationError]) -> list[ValidationError]:
    """The errors of the alternative whose discriminating constant fits, else of the one with the fewest."""
    groups: dict[int, list[ValidationError]] = {}
    for each in context:
        groups.setdefault(int(each.relative_schema_path[0]), []).append(each)
    fitting = [group for group in groups.values() if not any(each.validator in ("const", "type") for each in group)]
    return min(fitting, key=len) if fitting else []


def _flaws_of(error: ValidationError) -> Iterator[Flaw]:
    path, rule = error.json_path, str(error.validator)
    wanted: Any = error.validator_value
    instance: Any = error.instance
    schema: Any = error.schema
    if rule == "required":
        for name in wanted:
            if isinstance(instance, Mapping) and name not in instance:
                yield Flaw(_below(path, name), "programme.flaw.required", {})
    elif rule == "additionalProperties" and isinstance(wanted, bool):
        known = schema.get("properties", {})
        for name in instance:
            if name not in known:
                yield Flaw(_below(path, name), "programme.flaw.unknown", {"known": sorted(known)})
    else:
        yield _single(path, rule, wanted, error)


def _single(path: str, rule: str, wanted: Any, error: ValidationError) -> Flaw:
    found = _shown(error.instance)
    form = _BY_FORM.get(definition_of(error.schema), "")
    if form and rule in ("type", "pattern", "minimum", "maximum"):
        return Flaw(path, f"programme.flaw.{form}", {"found": found})
    if rule in ("enum", "const"):
        return Flaw(path, "programme.flaw.choice", {"found": found, "known": wanted if rule == "enum" else [wanted]})
    if rule in ("minLength", "minItems", "minProperties"):
        return Flaw(path, "programme.flaw.few", {"least": wanted})
    if rule in ("maxLength", "maxItems", "maxProperties"):
        return Flaw(path, "programme.flaw.many", {"most": wanted})
    if rule in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
        return Flaw(path, "programme.flaw.range", {"found": found, "limit": wanted})
    if rule == "uniqueItems":
        return Flaw(path, "programme.flaw.twice", {})
    if rule == "type":
        kinds = wanted if isinstance(wanted, list) else [wanted]
        return Flaw(path, "programme.flaw.kind", {"found": found, "kinds": kinds})
    if rule == "pattern" and wanted in _BY_PATTERN:
        return Flaw(path, f"programme.flaw.{_BY_PATTERN[wanted]}", {"found": found})
    return Flaw(path, "programme.flaw.other", {"fault": error.message[:300]})


def _meaning_flaws(document: Document) -> Iterator[Flaw]:
    try:
        parse_programme(document)
    except DocumentError as error:
        for fault in error.faults[:MOST_FLAWS]:
            yield Flaw(fault.path, "programme.flaw.meaning", {"fault": fault.message})


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if name.isidentifier() else f"{path}[{name!r}]"


def _shown(value: Any) -> str:
    """What was found, short enough for a sentence."""
    text = value if isinstance(value, str) else "…" if isinstance(value, Mapping | list) else json.dumps(value)
    return text if len(text) <= 40 else text[:39] + "…"
