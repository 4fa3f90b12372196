"""Sessions on one calendar beside each other: nobody uses an instrument while somebody else does, and who is kept out is not to blame."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet

from booking.models import Reservation, UsageSession
from booking.rules.states import ReservationState
from config.kernel.time_range import TimeRange

LOOK_BACK = timedelta(days=14)
"""A session that began longer ago is no longer somebody's who forgot to end it."""


def running_on(calendar_id: int) -> QuerySet[Reservation]:
    """The reservations of a calendar whose session runs, the earliest first."""
    return Reservation.objects.filter(instrument__calendar_id=calendar_id, state=ReservationState.IN_USE).order_by(
        "starts_at", "pk"
    )


def others_in(reservation: Reservation, during: TimeRange) -> list[TimeRange]:
    """When others really used the calendar within ``during``; a session that runs still has used it until the end of that."""
    rows = _others(reservation, during.starts_at).filter(actual_starts_at__lt=during.ends_at)
    found = rows.filter(Q(actual_ends_at__gt=during.starts_at) | Q(actual_ends_at=None))
    times = [(start, end or max(start, during.ends_at)) for start, end in found.values_list("actual_starts_at", "actual_ends_at")]
    return [TimeRange(start, end) for start, end in times if end > start]


def kept_out_until(reservation: Reservation, now: datetime) -> datetime | None:
    """Until when somebody else's session went on into the time of a reservation that has not begun: ``now`` while it still runs, None
    where nobody's did."""
    rows = _others(reservation, reservation.starts_at).filter(actual_starts_at__lte=reservation.starts_at)
    reaching = rows.filter(Q(actual_ends_at__gt=reservation.starts_at) | Q(actual_ends_at=None))
    return max((end or now for end in reaching.values_list("actual_ends_at", flat=True)), default=None)


def _others(reservation: Reservation, around: datetime) -> QuerySet[UsageSession]:
    return UsageSession.objects.filter(
        reservation__instrument__calendar_id=reservation.instrument.calendar_id,
        reservation__starts_at__gte=around - LOOK_BACK,
        reservation__starts_at__lt=around + LOOK_BACK,
    ).exclude(Q(reservation_id=reservation.pk) | Q(actual_ends_at=F("actual_starts_at")))
