"""Whose claim a side is: a programme whose rules look at ``request.side`` is asked for both, as the user's claim and as the owner's.

That both claim stands in the facts (``BOTH``), so that what was promised before programmes were told it replays as it was. Facts that
name one side, as examples do, mean that side alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from billing.ledger.rules.documents import Document
from billing.subsidy.rules.facts import BOTH, BOTH_SIDES, BOTH_SIDES_FIRST, NO_FACTS, Facts
from billing.subsidy.rules.outcome import Award, SettlementMode
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
    return facts.more.request.side in BOTH


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
    """The facts of the claim of one side, of both, or of nobody in particular (None). Of both, the rate that whoever books has chosen is
    the user's alone, and so is a first use that only the user's claim has."""
    request = facts.more.request
    rate = None if whose == OWNER and request.side in BOTH else request.rate
    of_first_use = whose == USER and request.side == BOTH_SIDES_FIRST
    applicant = replace(facts.applicant, first_use=True) if of_first_use else facts.applicant
    return facts.with_more(replace(facts.more, request=replace(request, side=whose, rate=rate)), applicant)


def claimed_by_both(facts: Facts, *, user_had: bool) -> Facts:
    """The facts of a service that both sides claim. ``first_use`` says of them whether anybody was given something of the programme for
    what this applicant used; ``user_had``: whether the applicant was."""
    first_of_user = facts.applicant.first_use is False and not user_had
    return claimed_by(facts, BOTH_SIDES_FIRST if first_of_user else BOTH_SIDES)


def user_gets(award: Award) -> bool:
    """Whether an award of a programme that both claim gives the user something."""
    return award.total_fen > award.given_fen(SettlementMode.PAID_BESIDE)
