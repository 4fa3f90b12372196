"""Facts that nobody knows before a claim: what others gave, what does not count, what is asked for. They are told with the claim, where a
programme looks at them.

While money is promised the programme is told what is usual (nothing was given, nothing is left out) and that the declaration is still
awaited: its award is an estimate. Who receives money that was taken off a bill already is not asked: the bill is not written anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from billing.ledger.rules.documents import Document
from billing.pricing.rules.steps import Step
from billing.subsidy.rules.facts import ClaimAmounts, Facts
from billing.subsidy.rules.given_here import OTHERS
from billing.subsidy.rules.outcome import SettlementMode

#: What ``service.awaited`` calls them while they have not come.
DECLARATION = "declaration"
ASKED = "amounts.asked"
LOWER_LEVEL = "amounts.lower_level"
#: In the order in which a claim asks for them.
OF_THE_CLAIM = (OTHERS, LOWER_LEVEL, "amounts.lender", "amounts.excluded", ASKED)
Amounts = Mapping[str, int]
"""Fen by the path of a fact."""
#: Something, however little: the lower level has given its part.
_SOMETHING = 1


def asked(document: Document) -> tuple[str, ...]:
    """Which of them a programme looks at that pays to who claims: in a condition, an adjustment, an amount left out or a payer's part."""
    places = [document, *document.get("sides", ())]
    modes = {place["settlement"]["mode"] for place in places if "settlement" in place}
    if modes <= {SettlementMode.DEDUCTED_NOW.value}:
        return ()
    named = {text for place in places for text in _named(place)}
    return tuple(path for path in OF_THE_CLAIM if path in named)


def expected(document: Document) -> Amounts:
    """What is told of them while money is promised. What is asked for is not known then and limits nothing. Where a programme asks nothing
    of the lower level but that it gave something, it is expected to."""
    found = {path: 0 for path in asked(document) if path != ASKED}
    if LOWER_LEVEL in found and LOWER_LEVEL not in set(_worked_with(document)):
        found[LOWER_LEVEL] = _SOMETHING
    return found


def fixed(document: Document) -> Amounts:
    """Of these what is the same for every booking; what others gave is not, because programmes here give as well."""
    return {path: fen for path, fen in expected(document).items() if path != OTHERS}


def assumed(facts: Facts, amounts: Amounts) -> Facts:
    """The facts with amounts of a claim."""
    own = {path.partition(".")[2]: fen for path, fen in amounts.items()}
    known = {"asked": own.pop("asked")} if "asked" in own else {}
    return replace(facts, amounts=replace(facts.amounts, **known, claim=_claim(facts.amounts.claim, own)))


def declared(facts: Facts, amounts: Amounts) -> Facts:
    """The facts of a promise with what came with the claim in the place of what was expected."""
    paper = replace(facts.service.paper, awaited=facts.service.paper.awaited - {DECLARATION})
    return assumed(replace(facts, service=replace(facts.service, paper=paper)), amounts)


def is_awaited(facts: Facts) -> bool:
    """Whether an award rests on what the claim will say."""
    return DECLARATION in facts.service.paper.awaited


@dataclass(frozen=True, slots=True)
class Declares:
    """A programme's question to the claim: a step, and an estimate, while it is not answered."""

    clause: str
    paths: tuple[str, ...]

    def check(self, facts: Facts) -> Step | None:
        if not is_awaited(facts):
            return None
        return Step("gate", self.clause, "subsidy.step.declared_later", {"declares": list(self.paths)}, 0)

    def estimates(self, facts: Facts) -> bool:
        return is_awaited(facts)


def _claim(before: ClaimAmounts, amounts: Mapping[str, Any]) -> ClaimAmounts:
    return replace(before, **amounts)


def _named(place: Mapping[str, Any]) -> Iterator[str]:
    """The facts that rules name by their path, and amounts left out of a base, which stand there by their name."""
    yield from (f"amounts.{name}" for name in place.get("base", {}).get("less", ()))
    for adjustment in place.get("adjustments", ()):
        if adjustment["type"] == "asked_limit":
            yield ASKED
    rules = ("gates", "rate", "adjustments", "caps", "payers", "when")
    yield from _paths([place[name] for name in rules if name in place])


def _worked_with(document: Document) -> Iterator[str]:
    """The facts of which the amount counts, not only whether there is one."""
    for place in (document, *document.get("sides", ())):
        yield from (f"amounts.{name}" for name in place.get("base", {}).get("less", ()))
        for adjustment in place.get("adjustments", ()):
            yield from (adjustment.get("of", ""), *adjustment.get("counting", ()))
        yield from _up_to(place.get("payers", {}))


def _up_to(payers: Any) -> Iterator[str]:
    if isinstance(payers, Mapping):
        if isinstance(payers.get("up_to"), str):
            yield payers["up_to"]
        for value in payers.values():
            yield from _up_to(value)
    elif isinstance(payers, list):
        for each in payers:
            yield from _up_to(each)


def _paths(rules: Any) -> Iterator[str]:
    if isinstance(rules, str):
        yield rules
    elif isinstance(rules, Mapping):
        for name, value in rules.items():
            if name != "says":
                yield from _paths(value)
    elif isinstance(rules, list):
        for each in rules:
            yield from _paths(each)
