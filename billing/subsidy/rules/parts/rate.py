"""The rate: what share of the base is subsidised. Exact; nothing is rounded here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from billing.ledger.rules.documents import Fault
from billing.ledger.rules.money import EXACT, parse_yuan
from billing.pricing.rules.steps import Step
from billing.subsidy.rules.parts.exact import amount_step


class Rate(Protocol):
    """Turns a base in fen into an exact amount of fen."""

    def apply(self, base_fen: int, steps: list[Step]) -> Decimal: ...


@dataclass(frozen=True, slots=True)
class FlatRate:
    """One share of the whole base."""

    clause: str
    rate: Decimal
    rate_text: str

    def apply(self, base_fen: int, steps: list[Step]) -> Decimal:
        amount = EXACT.multiply(Decimal(base_fen), self.rate)
        params = {"base_fen": base_fen, "rate": self.rate_text}
        steps.append(amount_step("rate", self.clause, "subsidy.step.flat_rate", params, amount))
        return amount


@dataclass(frozen=True, slots=True)
class Tier:
    """The slice of the base above ``from_fen`` up to ``to_fen`` (None: without end) and its share."""

    from_fen: int
    to_fen: int | None
    rate: Decimal
    rate_text: str


@dataclass(frozen=True, slots=True)
class MarginalTiers:
    """Each slice of the base has its own share, as in an income tax: more spent never means less subsidy."""

    clause: str
    tiers: tuple[Tier, ...]

    def apply(self, base_fen: int, steps: list[Step]) -> Decimal:
        amount = Decimal(0)
        for tier in self.tiers:
            if base_fen <= tier.from_fen:
                break
            slice_fen = (base_fen if tier.to_fen is None else min(base_fen, tier.to_fen)) - tier.from_fen
            amount = EXACT.add(amount, EXACT.multiply(Decimal(slice_fen), tier.rate))
            params = {"from_fen": tier.from_fen, "slice_fen": slice_fen, "rate": tier.rate_text}
            steps.append(amount_step("rate", self.clause, "subsidy.step.tier", params, amount))
        return amount


def parse_rate(document: Mapping[str, Any]) -> Rate:
    """The rate that a valid piece of a document describes."""
    if document["type"] == "flat":
        return FlatRate(document["clause"], Decimal(document["rate"]), document["rate"])
    tiers = []
    start = 0
    for tier in document["tiers"]:
        end = parse_yuan(tier["up_to"]) if "up_to" in tier else None
        tiers.append(Tier(start, end, Decimal(tier["rate"]), tier["rate"]))
        start = end or 0
    return MarginalTiers(document["clause"], tuple(tiers))


def rate_faults(document: Mapping[str, Any]) -> list[Fault]:
    """What the schema cannot say: tiers rise, and only the last has no end."""
    if document["type"] != "tiers":
        return []
    faults = []
    reached = 0
    last = len(document["tiers"]) - 1
    for place, tier in enumerate(document["tiers"]):
        path = f"$.rate.tiers[{place}]"
        if ("up_to" in tier) == (place == last):
            faults.append(Fault(path, "every tier but the last has 'up_to', the last has none"))
            continue
        if "up_to" in tier and parse_yuan(tier["up_to"]) <= reached:
            faults.append(Fault(f"{path}.up_to", "tiers must rise"))
        reached = parse_yuan(tier["up_to"]) if "up_to" in tier else reached
    return faults
