"""Eligibility gates. Each looks at the facts and answers with a step (met), an Unmet, or None (not its business).

Families: kind and size of the applicant, region by GB/T 2260 prefix or policy zone, verified organisation, kind of service, minimum
spend (also over months), alternatives of several gates, and any condition at all (``parts.conditions``) with its words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from billing.ledger.rules.documents import Fault
from billing.ledger.rules.money import parse_yuan
from billing.pricing.rules.steps import Step
from billing.subsidy.rules.fact_fields import FactField, FactKind, fact_field
from billing.subsidy.rules.facts import Facts, Party
from billing.subsidy.rules.outcome import Unmet, missing
from billing.subsidy.rules.parts.conditions import (
    Condition,
    condition_faults,
    division_faults,
    fact_fault,
    facts_named,
    parse_condition,
)
from billing.subsidy.rules.parts.days import add_months


class Gate(Protocol):
    """A condition of eligibility."""

    def check(self, facts: Facts) -> Step | Unmet | None: ...


def _met(clause: str, key: str, params: dict[str, Any]) -> Step:
    return Step("gate", clause, "subsidy.step." + key, params, 0)


def _unmet(clause: str, key: str, params: dict[str, Any]) -> Unmet:
    return Unmet(clause, "subsidy.unmet." + key, params)


def _concerns(applies_to: frozenset[str], facts: Facts) -> bool:
    return not applies_to or facts.applicant.kind in applies_to


@dataclass(frozen=True, slots=True)
class ApplicantKindGate:
    """The applicant is of one of the kinds (firm, team, person, institution)."""

    clause: str
    met: Mapping[str, Step]

    def check(self, facts: Facts) -> Step | Unmet | None:
        kind = facts.applicant.kind
        if kind is None:
            return missing(self.clause, "applicant.kind")
        return self.met.get(kind) or _unmet(self.clause, "applicant_kind", {"kind": kind, "allowed": list(self.met)})


@dataclass(frozen=True, slots=True)
class FirmSizeGate:
    """The firm is of one of the size classes (micro, small, medium, large)."""

    clause: str
    met: Mapping[str, Step]
    applies_to: frozenset[str]

    def check(self, facts: Facts) -> Step | Unmet | None:
        if not _concerns(self.applies_to, facts):
            return None
        size = facts.applicant.size
        if size is None:
            return missing(self.clause, "applicant.size")
        return self.met.get(size) or _unmet(self.clause, "firm_size", {"size": size, "allowed": list(self.met)})


@dataclass(frozen=True, slots=True)
class Area:
    """Places named by prefixes of GB/T 2260 codes and by ids of policy zones."""

    prefixes: tuple[str, ...]
    zones: frozenset[str]

    def covers(self, party: Party) -> bool | None:
        """None where it cannot be told: the code is not known, some places are named by theirs, and no zone answers by itself."""
        if not self.zones.isdisjoint(party.policy_zones):
            return True
        if party.region_code is None:
            return None if self.prefixes else False
        return party.region_code.startswith(self.prefixes)

    @property
    def names(self) -> list[str]:
        return [*self.prefixes, *sorted(self.zones)]


@dataclass(frozen=True, slots=True)
class RegionGate:
    """The subject (applicant, provider, instrument) lies in the allowed area and outside the excluded one; where that cannot be told
    without its code, the code is missing."""

    clause: str
    subject: str
    allowed: Area | None
    excluded: Area
    applies_to: frozenset[str]

    def check(self, facts: Facts) -> Step | Unmet | None:
        if not _concerns(self.applies_to, facts):
            return None
        party: Party = getattr(facts, self.subject)
        if party.region_code is None and not party.policy_zones:
            return missing(self.clause, f"{self.subject}.region_code")
        zones = sorted(party.policy_zones) if party.policy_zones else []
        params = {"subject": self.subject, "region": party.region_code or "", "zones": zones}
        excluded = self.excluded.covers(party)
        if excluded:
            return _unmet(self.clause, "region_excluded", {**params, "excluded": self.excluded.names})
        allowed = self.allowed is None or self.allowed.covers(party)
        if self.allowed is not None and allowed is False:
            return _unmet(self.clause, "region", {**params, "allowed": self.allowed.names})
        if excluded is None or allowed is None:
            return missing(self.clause, f"{self.subject}.region_code")
        return _met(self.clause, "region", params)


@dataclass(frozen=True, slots=True)
class VerifiedGate:
    """The platform has checked the identity of the applicant's or the provider's organisation."""

    clause: str
    subject: str
    met: Step
    applies_to: frozenset[str]

    def check(self, facts: Facts) -> Step | Unmet | None:
        if not _concerns(self.applies_to, facts):
            return None
        party: Party = getattr(facts, self.subject)
        if party.verified:
            return self.met
        return _unmet(self.clause, "verified_organisation", {"subject": self.subject})


@dataclass(frozen=True, slots=True)
class ServiceKindGate:
    """The kind of service is listed, or is not one of the excluded kinds."""

    clause: str
    any_of: tuple[str, ...]
    none_of: tuple[str, ...]

    def check(self, facts: Facts) -> Step | Unmet | None:
        kind = facts.service.kind
        if kind is None:
            return missing(self.clause, "service.kind")
        if kind in self.none_of:
            return _unmet(self.clause, "service_excluded", {"service": kind})
        if self.any_of and kind not in self.any_of:
            return _unmet(self.clause, "service_kind", {"service": kind, "allowed": list(self.any_of)})
        return _met(self.clause, "service_kind", {"service": kind})


@dataclass(frozen=True, slots=True)
class MinimumSpendGate:
    """An amount reaches a least one (fen, inclusive)."""

    clause: str
    minimum_fen: int
    of: str
    amount: FactField

    def check(self, facts: Facts) -> Step | Unmet | None:
        amount: int | None = self.amount.read(facts)
        if amount is None:
            return missing(self.clause, self.amount.path)
        params = {"of": self.of, "spent_fen": amount, "minimum_fen": self.minimum_fen}
        if amount >= self.minimum_fen:
            return _met(self.clause, "minimum_spend", params)
        return _unmet(self.clause, "minimum_spend", params)


@dataclass(frozen=True, slots=True)
class SpendOverMonthsGate:
    """What was spent in the ``months`` up to the day that counts reaches a least amount, this claim counted in or not."""

    clause: str
    minimum_fen: int
    amount: FactField
    months: int
    with_this: bool
    day: FactField

    def check(self, facts: Facts) -> Step | Unmet | None:
        on, this = self.day.read(facts), self.amount.read(facts)
        if on is None or (self.with_this and this is None):
            return missing(self.clause, self.day.path if on is None else self.amount.path)
        since = add_months(on, -self.months)
        spent = sum(each.amount_fen for each in facts.more.before.spend if since < each.on <= on)
        spent += this if self.with_this else 0
        params = {"spent_fen": spent, "minimum_fen": self.minimum_fen, "months": self.months}
        if spent >= self.minimum_fen:
            return _met(self.clause, "spend_over_months", params)
        return _unmet(self.clause, "spend_over_months", params)


@dataclass(frozen=True, slots=True)
class ConditionGate:
    """A condition of any facts; ``says`` are its words (zh, en). A fact that is missing refuses and is named.

    ``of_service``: it only looks at provider, instrument and kind of service, whoever asks.
    """

    clause: str
    when: Condition
    says: Mapping[str, str]
    applies_to: frozenset[str]
    of_service: bool

    def check(self, facts: Facts) -> Step | Unmet | None:
        if not _concerns(self.applies_to, facts):
            return None
        unknown: list[str] = []
        answer = self.when.holds(facts, unknown)
        if answer is None:
            return missing(self.clause, unknown[0])
        params = {"says": dict(self.says)}
        return _met(self.clause, "condition", params) if answer else _unmet(self.clause, "condition", params)


@dataclass(frozen=True, slots=True)
class AlternativesGate:
    """At least one alternative is met; an alternative is met when all its gates are."""

    clause: str
    alternatives: tuple[tuple[tuple[Gate, ...], Step], ...]
    """Each with the step that tells that it is met."""

    def check(self, facts: Facts) -> Step | Unmet | None:
        failed: list[list[str]] = []
        for gates, met in self.alternatives:
            unmet = []
            for gate in gates:
                found = gate.check(facts)
                if isinstance(found, Unmet):
                    unmet.append(found.code)
            if not unmet:
                return met
            failed.append(unmet)
        return _unmet(self.clause, "alternatives", {"count": len(failed), "unmet": failed})


def parse_gate(document: Mapping[str, Any], basis: str) -> Gate:
    """The gate that a valid piece of a document describes. ``basis`` is the fact of the programme's date basis."""
    return _PARSERS[document["type"]](document, basis)


def _kinds(document: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(document.get("applies_to", ()))


def _met_by(document: Mapping[str, Any], key: str, param: str) -> dict[str, Step]:
    """The step for each allowed value, made once; in the order of the document."""
    return {value: _met(document["clause"], key, {param: value}) for value in document["any_of"]}


def _verified(document: Mapping[str, Any], _basis: str) -> Gate:
    clause, subject = document["clause"], document["subject"]
    return VerifiedGate(clause, subject, _met(clause, "verified_organisation", {"subject": subject}), _kinds(document))


def _area(items: list[Mapping[str, str]]) -> Area:
    prefixes = tuple(item["code_prefix"] for item in items if "code_prefix" in item)
    return Area(prefixes, frozenset(item["zone"] for item in items if "zone" in item))


def _region(document: Mapping[str, Any], _basis: str) -> Gate:
    return RegionGate(
        document["clause"],
        document["subject"],
        _area(document["any_of"]) if "any_of" in document else None,
        _area(document.get("none_of", [])),
        _kinds(document),
    )


def _alternatives(document: Mapping[str, Any], basis: str) -> Gate:
    clause = document["clause"]
    alternatives = tuple(
        (tuple(parse_gate(gate, basis) for gate in gates), _met(clause, "alternative", {"alternative": place}))
        for place, gates in enumerate(document["alternatives"], start=1)
    )
    return AlternativesGate(clause, alternatives)


def _spend(document: Mapping[str, Any], basis: str) -> Gate:
    clause, minimum, of = document["clause"], parse_yuan(document["amount"]), document["of"]
    amount, day = _amount(of), fact_field(basis)
    if amount is None or day is None:
        raise ValueError(f"{of!r} is not an amount")
    if "months" in document:
        return SpendOverMonthsGate(clause, minimum, amount, document["months"], document["with_this"], day)
    return MinimumSpendGate(clause, minimum, of, amount)


def _amount(name: str) -> FactField | None:
    field = fact_field(name if "." in name else f"amounts.{name}")
    return field if field is not None and field.kind is FactKind.MONEY else None


#: Facts that are the same whoever asks.
_OF_SERVICE = ("provider.", "instrument.", "service.kind", "service.way")

_PARSERS: dict[str, Callable[[Mapping[str, Any], str], Gate]] = {
    "applicant_kind": lambda piece, _basis: ApplicantKindGate(piece["clause"], _met_by(piece, "applicant_kind", "kind")),
    "firm_size": lambda piece, _basis: FirmSizeGate(piece["clause"], _met_by(piece, "firm_size", "size"), _kinds(piece)),
    "region": _region,
    "verified_organisation": _verified,
    "service_kind": lambda piece, _basis: ServiceKindGate(
        piece["clause"], tuple(piece.get("any_of", ())), tuple(piece.get("none_of", ()))
    ),
    "minimum_spend": _spend,
    "any_of": _alternatives,
    "condition": lambda piece, basis: ConditionGate(
        piece["clause"],
        parse_condition(piece["when"], basis),
        piece["says"],
        _kinds(piece),
        all(path.startswith(_OF_SERVICE) for path in facts_named(piece["when"])),
    ),
}


def _region_faults(gate: Mapping[str, Any], where: str) -> Iterator[Fault]:
    for name in ("any_of", "none_of"):
        for number, item in enumerate(gate.get(name, ())):
            yield from division_faults(item.get("code_prefix", ""), f"{where}.{name}[{number}].code_prefix")


def gate_faults(documents: list[Mapping[str, Any]], path: str = "$.gates") -> list[Fault]:
    """What the schema cannot say: conditions make sense, amounts exist, and a spend over months says whether this claim counts."""
    faults: list[Fault] = []
    for place, gate in enumerate(documents):
        where = f"{path}[{place}]"
        if gate["type"] == "condition":
            faults += condition_faults(gate["when"], f"{where}.when")
        if gate["type"] == "region":
            faults += _region_faults(gate, where)
        if gate["type"] == "minimum_spend":
            if _amount(gate["of"]) is None:
                faults.append(fact_fault(f"amounts.{gate['of']}", f"{where}.of"))
            if ("months" in gate) != ("with_this" in gate):
                message = "'months' and 'with_this' (true: this claim counts too) belong together; write both or none"
                faults.append(Fault(where, message))
        for number, alternative in enumerate(gate.get("alternatives", ())):
            faults += gate_faults(alternative, f"{where}.alternatives[{number}]")
    return faults
