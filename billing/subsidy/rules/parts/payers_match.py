"""A payer that matches what another gives (1:1 and the like), each within its own caps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from billing.ledger.rules.documents import Fault
from billing.ledger.rules.money import EXACT, Rounding, round_fen
from billing.subsidy.rules.facts import Facts
from billing.subsidy.rules.parts.conditions import Condition, condition_faults, parse_condition


@dataclass(frozen=True, slots=True)
class Matching:
    """A payer that gives ``ratio`` times what the lead gives, on a condition or always (a condition that cannot be told: nothing)."""

    payer: str
    ratio: Decimal
    when: Condition | None


@dataclass(frozen=True, slots=True)
class Match:
    """The rate gives the part of the ``lead``; the others are on top of it.

    ``last_first``: where the whole is more than the cost or a joint cap allows, the last payer named gives way first; otherwise all
    give way in proportion.
    """

    clause: str
    lead: str
    matches: tuple[Matching, ...]
    rounding: Rounding
    last_first: bool

    @property
    def names(self) -> tuple[str, ...]:
        return (self.lead, *(each.payer for each in self.matches))

    def matched(self, lead_fen: int, each: Matching, facts: Facts) -> int:
        """What one payer adds to the lead's part, in fen, before its own caps."""
        if each.when is not None and not each.when.holds(facts, []):
            return 0
        return round_fen(EXACT.multiply(Decimal(lead_fen), each.ratio), self.rounding)


def parse_match(document: Mapping[str, Any], basis: str) -> Match:
    """The payers that a valid piece of a document describes."""
    matches = (
        Matching(each["payer"], Decimal(each["ratio"]), parse_condition(each["when"], basis) if "when" in each else None)
        for each in document["matches"]
    )
    return Match(
        document["clause"],
        document["lead"],
        tuple(matches),
        Rounding(document["rounding"]),
        document["gives_way"] == "last_first",
    )


def match_faults(document: Mapping[str, Any], path: str) -> list[Fault]:
    """What the schema cannot say: nobody matches himself, conditions make sense."""
    faults = []
    seen = {document["lead"]}
    for place, each in enumerate(document["matches"]):
        where = f"{path}.matches[{place}]"
        if each["payer"] in seen:
            faults.append(Fault(f"{where}.payer", f"the payer {each['payer']!r} is named twice"))
        seen.add(each["payer"])
        if "when" in each:
            faults += condition_faults(each["when"], f"{where}.when")
    return faults
