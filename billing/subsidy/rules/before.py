"""What came before in a year, summed up for the rules that go on from it."""

from __future__ import annotations

from dataclasses import replace

from billing.subsidy.rules.facts import Before, Facts
from billing.subsidy.rules.outcome import Award

NOTHING = Before(fee=0, minutes=0, samples=0, awards=0, subsidised=0)


def service(facts: Facts, award: Award) -> Before:
    """One service alone: the facts on which it was decided, completed by its price, and what was given for it."""
    quantities = facts.quantities
    return Before(
        fee=facts.amounts.fee or 0,
        minutes=quantities.minutes or 0,
        samples=quantities.samples or 0,
        awards=1,
        subsidised=award.total_fen,
    )


def together(one: Before, other: Before) -> Before:
    """Both sums as one; what somebody spent over months is no part of them."""
    return Before(
        fee=(one.fee or 0) + (other.fee or 0),
        minutes=(one.minutes or 0) + (other.minutes or 0),
        samples=(one.samples or 0) + (other.samples or 0),
        awards=(one.awards or 0) + (other.awards or 0),
        subsidised=(one.subsidised or 0) + (other.subsidised or 0),
    )


def going_on(facts: Facts, before: Before) -> Facts:
    """The facts with what came before in the year; what was spent over months stays as it was said."""
    known = replace(before, spend=facts.more.before.spend)
    return replace(facts, more=replace(facts.more, before=known))
