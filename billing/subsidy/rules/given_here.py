"""What other programmes here give for the same service, as part of ``amounts.other_subsidies``: told where a programme looks at that.

A programme is told what those before it gave, in the order in which the platform lists them, whatever their way of settlement. What
who claims declares is beside it. Whether a programme is told stands frozen with the candidate: what was worked out before any was told
replays without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from billing.ledger.rules.documents import Document
from billing.pricing.rules.steps import Step
from billing.subsidy.rules.facts import Facts
from billing.subsidy.rules.outcome import Award, Outcome
from billing.subsidy.rules.priced_facts import named

OTHERS = "amounts.other_subsidies"
#: The key of the step that says what was given.
GIVEN_HERE = "subsidy.step.given_here"


class Given(NamedTuple):
    """What a programme gives for a service, in fen."""

    programme: str
    fen: int


def asked(document: Document) -> frozenset[str]:
    """``OTHERS`` where a document looks at it, in a condition, an adjustment, an amount left out or a payer's part."""
    return named(document, (OTHERS,))


def given_of(outcomes: Iterable[Outcome]) -> tuple[Given, ...]:
    """What programmes give; those that give nothing are left out."""
    return tuple(Given(each.programme, each.total_fen) for each in outcomes if isinstance(each, Award) and each.total_fen)


def with_given(facts: Facts, given: Iterable[Given]) -> Facts:
    """The facts with what was given on top of what is told of others already; without anything given that is known to be nothing."""
    claim = facts.amounts.claim
    others = (claim.other_subsidies or 0) + sum(each.fen for each in given)
    if others == claim.other_subsidies:
        return facts
    return replace(facts, amounts=replace(facts.amounts, claim=replace(claim, other_subsidies=others)))


def saying(outcome: Outcome, clause: str, given: Sequence[Given]) -> Outcome:
    """The outcome of a programme that was told what was given, with a step that says so before all others."""
    if not given:
        return outcome
    params = {"programmes": [each.programme for each in given], "given_fen": sum(each.fen for each in given)}
    return outcome._replace(steps=(Step("gate", clause, GIVEN_HERE, params, 0), *outcome.steps))
