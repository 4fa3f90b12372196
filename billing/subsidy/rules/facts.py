"""The facts on which a subsidy is decided, read from the public JSON form (billing/subsidy/schema/facts.schema.json).

In JSON amounts are yuan as text or whole numbers; here they are fen. An absent fact is None (or empty).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from billing.ledger.rules.documents import Document, DocumentError, Fault, load_schema, schema_faults
from billing.ledger.rules.money import parse_yuan, plain_yuan

_SCHEMA = Path(__file__).parents[1] / "schema" / "facts.schema.json"
_NO_DAYS = frozenset({"kind", "imported"})
"""What the group ``service`` says beside days."""


@dataclass(frozen=True, slots=True)
class Party:
    """An applicant, a provider or an instrument's place. ``region_code``: GB/T 2260, six digits."""

    kind: str | None = None
    size: str | None = None
    region_code: str | None = None
    policy_zones: frozenset[str] = frozenset()
    verified: bool | None = None
    first_use: bool | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """What was done and the local dates a programme may count from. ``imported``: it came with a list of the lab's."""

    kind: str | None = None
    service_on: date | None = None
    invoice_on: date | None = None
    claim_on: date | None = None
    approval_on: date | None = None
    imported: bool | None = None


@dataclass(frozen=True, slots=True)
class Amounts:
    """Money in fen. ``minimum_top_up``: what is only due because of a minimum. ``asked``: the subsidy asked for."""

    fee: int | None = None
    contract: int | None = None
    minimum_top_up: int | None = None
    asked: int | None = None


@dataclass(frozen=True, slots=True)
class Quantities:
    """How much was done: minutes on the instrument, samples."""

    minutes: int | None = None
    samples: int | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """All facts of one request, in the groups of the public schema. ``grade`` is ``quality.grade``."""

    applicant: Party = Party()
    provider: Party = Party()
    instrument: Party = Party()
    service: Service = Service()
    amounts: Amounts = Amounts()
    quantities: Quantities = Quantities()
    grade: str | None = None


def parse_facts(document: Document) -> Facts:
    """Read facts. Raises DocumentError with every fault and its JSON path."""
    faults = facts_faults(document)
    if faults:
        raise DocumentError(faults)
    return Facts(
        applicant=_party(document.get("applicant", {})),
        provider=_party(document.get("provider", {})),
        instrument=_party(document.get("instrument", {})),
        service=_service(document.get("service", {})),
        amounts=Amounts(**{name: parse_yuan(value) for name, value in document.get("amounts", {}).items()}),
        quantities=Quantities(**document.get("quantities", {})),
        grade=document.get("quality", {}).get("grade"),
    )


def facts_faults(document: Document) -> list[Fault]:
    """Everything that keeps ``document`` from being read as facts."""
    return schema_faults(load_schema(_SCHEMA), document) or _day_faults(document)


def facts_document(facts: Facts) -> dict[str, Any]:
    """The facts in their public JSON form: ``parse_facts(facts_document(facts)) == facts``."""
    service = {name: value.isoformat() if isinstance(value, date) else value for name, value in _given(facts.service).items()}
    groups = {
        "applicant": _party_document(facts.applicant),
        "provider": _party_document(facts.provider),
        "instrument": _party_document(facts.instrument),
        "service": service,
        "amounts": {name: plain_yuan(value) for name, value in _given(facts.amounts).items()},
        "quantities": _given(facts.quantities),
        "quality": {"grade": facts.grade} if facts.grade is not None else {},
    }
    return {name: group for name, group in groups.items() if group}


def _party(document: Mapping[str, Any]) -> Party:
    return Party(**{**document, "policy_zones": frozenset(document.get("policy_zones", ()))})


def _service(document: Mapping[str, Any]) -> Service:
    days = {name: date.fromisoformat(value) for name, value in document.items() if name not in _NO_DAYS}
    return Service(kind=document.get("kind"), imported=document.get("imported"), **days)


def _party_document(party: Party) -> dict[str, Any]:
    document = _given(party)
    zones = document.pop("policy_zones")
    return document | ({"policy_zones": sorted(zones)} if zones else {})


def _given(group: Party | Service | Amounts | Quantities) -> dict[str, Any]:
    values = {name: getattr(group, name) for name in group.__slots__}
    return {name: value for name, value in values.items() if value is not None}


def _day_faults(document: Document) -> list[Fault]:
    faults = []
    for name, value in document.get("service", {}).items():
        if name not in _NO_DAYS and not is_day(value):
            faults.append(Fault(f"$.service.{name}", f"{value!r} is not a day of the calendar"))
    return faults


def is_day(text: str) -> bool:
    """Whether ``YYYY-MM-DD`` names a day that exists."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
