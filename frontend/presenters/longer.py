"""The ends to which a running session can go on, each with what the whole session costs then."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from billing.settlement.services.extension_quotes import extension_figures
from billing.subsidy.rules.assess import Assessment
from booking.models import Reservation


@dataclass(frozen=True, slots=True)
class Longer:
    """One end that is offered, with what the whole session would cost then and how much more that is."""

    ends_at: datetime
    more_minutes: int
    assessment: Assessment
    more_now_fen: int

    @property
    def subsidy_fen(self) -> int:
        return self.assessment.deducted_fen + self.assessment.refunded_fen


def longer_ends(running: Reservation, ends: Iterable[datetime], payable_now_fen: int, now: datetime) -> list[Longer]:
    """``running`` comes with its instrument, site, owner and customer, and is one that the actor was given; ``payable_now_fen`` is what it
    costs as it is."""
    found = []
    for ends_at in ends:
        assessment = extension_figures(running, ends_at, now)
        more = int((ends_at - running.ends_at).total_seconds()) // 60
        found.append(Longer(ends_at, more, assessment, assessment.payable_now_fen - payable_now_fen))
    return found
