"""A programme: one version of a public funding rule, read from its document and compiled once.

The document's form is docs/programmes.md; its JSON Schema is billing/subsidy/schema/programme.schema.json.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from billing.ledger.rules.documents import Document, DocumentError, Fault, load_schema, schema_faults, sha256_of
from billing.pricing.rules.steps import Step
from billing.subsidy.rules.facts import Facts, facts_faults, is_day
from billing.subsidy.rules.outcome import Payee, SettlementMode, Unmet
from billing.subsidy.rules.parts.adjustments import Adjustment, QualityFactor, adjustment_faults, parse_adjustment
from billing.subsidy.rules.parts.base import Base, parse_base
from billing.subsidy.rules.parts.caps import Cap, cap_faults, parse_cap
from billing.subsidy.rules.parts.gates import parse_gate
from billing.subsidy.rules.parts.imported import ImportedSessions, parse_imported
from billing.subsidy.rules.parts.payers import Payers, parse_payers, payer_faults
from billing.subsidy.rules.parts.rate import Rate, parse_rate, rate_faults
from billing.subsidy.rules.parts.rounding import ClaimRounding, parse_rounding
from billing.subsidy.rules.parts.validity import Validity

_SCHEMA = Path(__file__).parents[1] / "schema" / "programme.schema.json"
_PATH_PART = re.compile(r"\.([^.\[\]]+)|\[([0-9]+)\]")
_PAYEE_OF = {"deducted_now": "provider", "refunded_later": "firm"}


@dataclass(frozen=True, slots=True)
class Clause:
    """One numbered clause. ``assumed``: not in the source, added so that the rule can be computed."""

    id: str
    zh: str
    en: str
    source: str
    assumed: bool


class Condition(Protocol):
    """Anything that can turn a request down: validity, gates, the base, adjustments."""

    def check(self, facts: Facts) -> Step | Unmet | None: ...


@dataclass(frozen=True, slots=True)
class Programme:
    """A compiled programme version.

    ``document`` is what it was read from, ``sha256`` its fingerprint. ``form`` is the paper way of settlement behind
    ``mode``. ``exclusive_class`` is empty when the programme excludes no other. ``conditions`` are all that must hold,
    in the order in which they are told; ``must_be_set`` are the caps whose limit configuration has to give.
    """

    sha256: str
    code: str
    version: str
    synthetic: bool
    template: bool
    evidence_grade: str
    name: Mapping[str, str]
    kind: str
    mode: SettlementMode
    form: str
    payee: Payee
    exclusive_class: str
    exclusive_clause: str
    clauses: Mapping[str, Clause]
    validity: Validity
    base: Base
    rate: Rate
    adjustments: tuple[Adjustment, ...]
    rounding: ClaimRounding
    joint_caps: tuple[Cap, ...]
    payer_caps: tuple[Cap, ...]
    payers: Payers
    conditions: tuple[Condition, ...]
    must_be_set: tuple[Cap, ...]
    document: Document = field(repr=False, compare=False)

    @property
    def caps(self) -> tuple[Cap, ...]:
        """All of them, in the order in which they cut: the joint ones first."""
        return (*self.joint_caps, *self.payer_caps)

    @property
    def uses_quality(self) -> bool:
        """Whether the amount depends on the quality grade of the service."""
        return any(isinstance(each, QualityFactor) for each in self.adjustments)

    @property
    def covers_imported(self) -> bool:
        """Whether sessions that came with a list of the lab's may be subsidised at all."""
        return any(isinstance(each, ImportedSessions) and each.allowed for each in self.conditions)

    def accounts_for(self, applicant_kind: str | None) -> tuple[Cap, ...]:
        """The caps kept on accounts that an award to this kind of applicant draws on: load a Balance for each."""
        return tuple(cap for cap in self.caps if cap.on_account and cap.concerns(applicant_kind))


def parse_programme(document: Document) -> Programme:
    """Check and compile a programme. Raises DocumentError with every fault and its JSON path."""
    faults = schema_faults(load_schema(_SCHEMA), document) or list(_meaning_faults(document))
    if faults:
        raise DocumentError(faults)
    caps = [parse_cap(cap) for cap in document["caps"]]
    exclusive = document.get("exclusive", {})
    settlement = document["settlement"]
    validity, base = _validity(document), parse_base(document["base"])
    gates = tuple(parse_gate(gate) for gate in document["gates"])
    adjustments = tuple(parse_adjustment(each) for each in document["adjustments"])
    return Programme(
        sha256=sha256_of(document),
        code=document["code"],
        version=document["version"],
        synthetic=document["synthetic"],
        template=document["template"],
        evidence_grade=document["evidence"]["grade"],
        name=document["name"],
        kind=document["kind"],
        mode=SettlementMode(settlement["mode"]),
        form=settlement["form"],
        payee=Payee(settlement["payee"]),
        exclusive_class=exclusive.get("class", ""),
        exclusive_clause=exclusive.get("clause", ""),
        clauses={clause["id"]: _clause(clause) for clause in document["clauses"]},
        validity=validity,
        base=base,
        rate=parse_rate(document["rate"]),
        adjustments=adjustments,
        rounding=parse_rounding(document["rounding"]),
        joint_caps=tuple(cap for cap in caps if not cap.payer),
        payer_caps=tuple(cap for cap in caps if cap.payer),
        payers=parse_payers(document["payers"]),
        must_be_set=tuple(cap for cap in caps if cap.refuse_when_unset),
        conditions=(validity, parse_imported(document), *gates, base, *adjustments),
        document=document,
    )


def _clause(document: Mapping[str, Any]) -> Clause:
    return Clause(document["id"], document["zh"], document["en"], document.get("source", ""), document.get("assumed", False))


def _validity(document: Document) -> Validity:
    days = document["validity"]
    first, last = date.fromisoformat(days["first_day"]), date.fromisoformat(days["last_day"])
    return Validity(days["clause"], first, last, document["date_basis"])


def _meaning_faults(document: Document) -> Iterator[Fault]:
    """What the schema cannot say, for a document that has the right shape."""
    yield from _validity_faults(document["validity"])
    yield from _clause_faults(document)
    yield from rate_faults(document["rate"])
    yield from adjustment_faults(document["adjustments"])
    yield from payer_faults(document["payers"])
    yield from cap_faults(document["caps"], {each["payer"] for each in document["payers"]["shares"]})
    yield from _open_point_faults(document)
    yield from _example_faults(document)
    settlement = document["settlement"]
    if settlement["payee"] != _PAYEE_OF[settlement["mode"]]:
        expected = _PAYEE_OF[settlement["mode"]]
        yield Fault("$.settlement.payee", f"money that is {settlement['mode']} goes to the {expected}")
    if document["synthetic"] != (document["evidence"]["grade"] == "S"):
        yield Fault("$.synthetic", "a synthetic programme has evidence grade S, and no other has")


def _validity_faults(days: Mapping[str, str]) -> Iterator[Fault]:
    wrong = [name for name in ("first_day", "last_day") if not is_day(days[name])]
    for name in wrong:
        yield Fault(f"$.validity.{name}", f"{days[name]!r} is not a day of the calendar")
    if not wrong and days["first_day"] > days["last_day"]:
        yield Fault("$.validity.last_day", "the last day lies before the first")


def _clause_faults(document: Document) -> Iterator[Fault]:
    ids = [clause["id"] for clause in document["clauses"]]
    for place, each in enumerate(ids):
        if each in ids[:place]:
            yield Fault(f"$.clauses[{place}].id", f"the id {each!r} is taken")
    for path, used in _used_clauses(document, "$"):
        if used not in ids:
            yield Fault(path, f"there is no clause {used!r}")


def _used_clauses(piece: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(piece, Mapping):
        for name, value in piece.items():
            if name == "clause":
                yield f"{path}.clause", value
            elif name != "examples":
                yield from _used_clauses(value, f"{path}.{name}")
    elif isinstance(piece, list):
        for place, value in enumerate(piece):
            yield from _used_clauses(value, f"{path}[{place}]")


def _open_point_faults(document: Document) -> Iterator[Fault]:
    for place, point in enumerate(document["open_points"]):
        if not _exists(document, point["field"]):
            yield Fault(f"$.open_points[{place}].field", f"{point['field']} is not in this document")


def _example_faults(document: Document) -> Iterator[Fault]:
    caps = {cap["id"] for cap in document["caps"]}
    for place, example in enumerate(document["examples"]):
        path = f"$.examples[{place}]"
        for fault in facts_faults(example["facts"]):
            yield Fault(f"{path}.facts{fault.path.removeprefix('$')}", fault.message)
        for name in example.get("balances", {}):
            if name not in caps:
                yield Fault(f"{path}.balances.{name}", f"there is no cap {name!r}")


def _exists(document: Document, path: str) -> bool:
    piece: Any = document
    for name, place in _PATH_PART.findall(path):
        try:
            piece = piece[name] if name else piece[int(place)]
        except (KeyError, IndexError, TypeError):
            return False
    return True
