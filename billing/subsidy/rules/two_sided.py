"""Whose claim a side is: a programme whose rules look at ``request.side`` is asked for both, as the user's claim and as the owner's.

That both claim stands in the facts (``BOTH_SIDES``), so that what was promised before programmes were told it replays as it was. Facts that
name one side, as examples do, mean that side alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from billing.ledger.rules.documents import Document
from billing.subsidy.rules.facts import BOTH_SIDES, NO_FACTS, Facts
from billing.subsidy.rules.outcome import SettlementMode
from billing.subsidy.rules.parts.conditions import facts_named

if TYPE_CHECKING:
    from billing.subsidy.rules.programme import Side

SIDE = "request.side"
USER, OWNER = "user", "owner"


def asked(document: Document) -> frozenset[str]:
    """``SIDE`` where a document of several sides looks at it in any of its rules."""
    if "sides" not in document:
        return frozenset()
    rules = [value for name, value in document.items() if name != "examples"]
    return frozenset({SIDE} & facts_named(rules))


def is_both(facts: Facts) -> bool:
    """Whether both sides claim."""
    return facts.more.request.side == BOTH_SIDES


def is_owners(side: Side) -> bool:
    """Whether a side is the claim of the owner and never the user's, as far as the side alone decides it."""
    user, owner = (_holds(side, whose) for whose in (USER, OWNER))
    if side.programme.mode is SettlementMode.PAID_BESIDE:
        return owner or not user
    return owner and not user


def _holds(side: Side, whose: str) -> bool:
    """Whether it may hold for the claim of one side of which nothing else is known."""
    return side.when is None or side.when.holds(claimed_by(NO_FACTS, whose), []) is not False


def claimed_by(facts: Facts, whose: str | None) -> Facts:
    """The facts of the claim of one side, of ``BOTH_SIDES``, or of nobody in particular (None). Of both, the rate that whoever books has
    chosen is the user's alone."""
    request = facts.more.request
    rate = None if whose == OWNER and request.side == BOTH_SIDES else request.rate
    return facts.with_more(replace(facts.more, request=replace(request, side=whose, rate=rate)))
