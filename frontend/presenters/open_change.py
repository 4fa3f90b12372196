"""A proposal to move a booking that waits for an answer, as the page of the booking shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from billing.settlement.services import moving
from booking.models import Reservation, ReservationChange
from booking.rules.changes import ChangeState
from booking.services import changes
from config.kernel.access import Actor
from config.kernel.errors import Refusal
from frontend.presenters import assessment
from frontend.presenters.assessment import AssessmentRows


@dataclass(frozen=True, slots=True)
class OpenChange:
    """The proposal, what the new time costs (None where that cannot be said), and for whom the reader speaks: "customer", "lab" or
    nobody."""

    row: ReservationChange
    figures: AssessmentRows | None
    reader: str

    @property
    def is_own(self) -> bool:
        return self.reader == self.row.side


def open_change(actor: Actor, reservation: Reservation, now: datetime) -> OpenChange | None:
    """The proposal that waits, if one does."""
    row = reservation.changes.filter(state=ChangeState.OPEN).select_related("proposed_by").first()
    if row is None:
        return None
    try:
        figures: AssessmentRows | None = assessment.of_preview(moving.preview(actor, reservation.pk, row.during, now))
    except Refusal:
        figures = None
    return OpenChange(row, figures, _reader(actor, reservation))


def _reader(actor: Actor, reservation: Reservation) -> str:
    try:
        return changes.side_of(reservation, actor)
    except Refusal:
        return ""
