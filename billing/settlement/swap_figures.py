"""What two bookings cost before and after they swap: the swap itself, done and undone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from billing.settlement.reservation_figures import Figures, quoted_of
from booking.services import swaps
from booking.services.swaps import Swap
from config.kernel.access import Actor


@dataclass(frozen=True, slots=True)
class SwappedFigures:
    """The figures of one of the two by the quote in force: now, and with the other time."""

    reservation_id: int
    before: Figures
    after: Figures

    @property
    def same(self) -> bool:
        return self.before == self.after


def look(actor: Actor, asked: Swap, now: datetime) -> tuple[SwappedFigures, SwappedFigures]:
    """What the one and the other cost after the swap, each with what it costs now. Raises as ``booking.services.swaps.look``."""
    ids = (asked.one_id, asked.other_id)
    before = quoted_of(actor, ids)
    after = swaps.look(actor, asked, lambda: quoted_of(actor, ids), now)
    one, other = (SwappedFigures(pk, before[pk], after[pk]) for pk in ids)
    return one, other
