"""What the pages of instruments and test items tell about their use: how much of the open time was used, and what customers think."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Avg, Count, Q, QuerySet

from booking.models import Reservation, SessionRating, UsageSession
from booking.queries.utilisation import maintenance_within
from booking.rules.states import ReservationState
from booking.rules.utilisation import WeekUse, last_weeks, utilisation
from booking.services.context import BookingContext
from booking.services.refusing import BOOKING_ROLES
from config.kernel.access import Actor, visible_to
from config.kernel.time_range import TimeRange, subtract
from instruments.models import Instrument, Resource
from instruments.rules.opening import ranges_open_to_anybody

WEEKS = 12
RATINGS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Ratings:
    """``count`` and ``average`` of those that are not hidden (None without any), and the newest that the actor may read."""

    count: int
    average: float | None
    newest: list[SessionRating]


def use_of(context: BookingContext, now: datetime, weeks: int = WEEKS) -> list[WeekUse]:
    """The last weeks of an instrument that the actor was given, measured as its lab's figures are; two queries. Figures only: who used
    it stays out of it."""
    spans = last_weeks(context.zone, now, weeks)
    whole = TimeRange(spans[0].starts_at, spans[-1].ends_at)
    rows = UsageSession.objects.filter(
        reservation__instrument_id=context.instrument.pk,
        actual_ends_at__gt=whole.starts_at,
        actual_starts_at__lt=whole.ends_at,
    ).values_list("actual_starts_at", "actual_ends_at")
    used = [TimeRange(starts_at, ends_at) for starts_at, ends_at in rows if ends_at is not None and starts_at < ends_at]
    maintained = [during for _calendar_id, during in maintenance_within([context.instrument.calendar_id], whole)]
    offered = subtract(ranges_open_to_anybody(context.rules, context.zone, whole), maintained)
    return utilisation(spans, context.zone, offered, used)


def ratings_of(actor: Actor, instrument: Instrument) -> Ratings:
    """What customers think of an instrument that the actor was given: two queries."""
    return _ratings(visible_to(SessionRating.objects.all(), actor).filter(instrument=instrument))


def ratings_of_test(actor: Actor, test_item: Resource) -> Ratings:
    """What customers think of a test item that the actor was given: two queries."""
    return _ratings(visible_to(SessionRating.objects.all(), actor).filter(sample_job__resource=test_item))


def _ratings(rows: QuerySet[SessionRating]) -> Ratings:
    figures = rows.aggregate(average=Avg("stars", filter=Q(hidden_at=None)), count=Count("pk", filter=Q(hidden_at=None)))
    newest = rows.order_by("-rated_at", "-pk")[:RATINGS_SHOWN]
    return Ratings(figures["count"], figures["average"], list(newest))


def rating_of(actor: Actor, reservation: Reservation) -> SessionRating | None:
    """What the customer thought of a session that the actor may see."""
    return visible_to(SessionRating.objects.all(), actor).filter(reservation=reservation).select_related("rated_by").first()


def may_rate(actor: Actor, reservation: Reservation, rating: SessionRating | None) -> bool:
    """Whether the actor may rate it now."""
    own = reservation.organisation_id in actor.organisations(*BOOKING_ROLES)
    return own and rating is None and reservation.state == ReservationState.AGREED
