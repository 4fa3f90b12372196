"""For how long somebody may stand in for another."""

from __future__ import annotations

from datetime import date

from config.kernel.errors import Reason

#: Who is away for longer is replaced, not stood in for.
MOST_DAYS = 92


def days_fault(from_on: date, until_on: date, today: date) -> Reason | None:
    """What is wrong with the (local, included) days on which somebody stands in; None: nothing."""
    if from_on > until_on:
        return Reason("deputies.days", {}, "until_on")
    if until_on < today:
        return Reason("deputies.past", {}, "until_on")
    if (until_on - from_on).days >= MOST_DAYS:
        return Reason("deputies.too_long", {"most": MOST_DAYS}, "until_on")
    return None
