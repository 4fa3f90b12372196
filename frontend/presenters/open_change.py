"""A proposal to move a booking that waits for an answer, as the page of the booking shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from billing.settlement.services import moving
from booking.models import Reservation, ReservationChange
from booking.rules.changes import ChangeState, Side
from booking.services import changes, deciders
from config.kernel.access import Actor
from config.kernel.errors import Refusal
from config.kernel.time_range import TimeRange
from frontend.presenters import assessment
from frontend.presenters.assessment import AssessmentRows


@dataclass(frozen=True, slots=True)
class Option:
    """A time of the proposal and what it costs (None where that cannot be said); ``other_id`` names it where it is not the first."""

    during: TimeRange
    figures: AssessmentRows | None
    other_id: int | None


@dataclass(frozen=True, slots=True)
class OpenChange:
    """The proposal, its times in order, and for whom the reader speaks: "customer", "lab" or nobody."""

    row: ReservationChange
    options: list[Option]
    reader: str

    @property
    def is_own(self) -> bool:
        return self.reader == self.row.side


def open_change(actor: Actor, reservation: Reservation, now: datetime) -> OpenChange | None:
    """The proposal that waits, if one does."""
    row = reservation.changes.filter(state=ChangeState.OPEN).select_related("proposed_by", "instrument__site").first()
    if row is None:
        return None
    times: list[tuple[TimeRange, int | None]] = [(row.during, None), *((one.during, one.pk) for one in row.others.all())]
    options = [
        Option(during, _figures(actor, reservation, row, during, now), other_id)
        for during, other_id in sorted(times, key=lambda time: time[0])
    ]
    return OpenChange(row, options, _reader(actor, reservation, row))


def _figures(
    actor: Actor, reservation: Reservation, row: ReservationChange, during: TimeRange, now: datetime
) -> AssessmentRows | None:
    try:
        return assessment.of_preview(moving.preview(actor, reservation.pk, during, now, row.instrument_id))
    except Refusal:
        return None


def _reader(actor: Actor, reservation: Reservation, row: ReservationChange) -> str:
    """The side of who reads it; who proposed it reads it as the side that was spoken for."""
    named = Side(row.side) if row.proposed_by_id == actor.user_id else None
    if (
        named is None
        and row.side == Side.CUSTOMER
        and not reservation.is_of(actor.user_id)
        and deciders.decides(reservation, actor)
    ):
        return Side.LAB
    try:
        return changes.side_of(reservation, actor, named)
    except Refusal:
        return ""
