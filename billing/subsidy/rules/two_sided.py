"""Whose claim a side is: a programme whose rules look at ``request.side`` is asked for both, as the user's claim and as the owner's.

That both claim stands in the facts (``BOTH_SIDES``), so that what was promised before programmes were told it replays as it was. Facts that
name one side, as examples do, mean that side alone.
"""

from __future__ import annotations

from dataclasses import replace

from billing.ledger.rules.documents import Document
from billing.subsidy.rules.facts import BOTH_SIDES, Facts
from billing.subsidy.rules.parts.conditions import facts_named

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


def claimed_by(facts: Facts, whose: str) -> Facts:
    """The facts of the claim of one side, or of ``BOTH_SIDES``. Of both, the rate that whoever books has chosen is the user's alone."""
    request = facts.more.request
    rate = None if whose == OWNER and request.side == BOTH_SIDES else request.rate
    return facts.with_more(replace(facts.more, request=replace(request, side=whose, rate=rate)))
