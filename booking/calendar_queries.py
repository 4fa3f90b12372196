"""What calendars show: feeds for calendar programs, subscribed calendars and their conflicts, bookings within closures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Count, DateTimeField, Exists, F, IntegerField, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from psycopg.types.range import TimestamptzRange

from booking import queries
from booking.models import (
    CalendarSubscription,
    FeedToken,
    Occupancy,
    OccupancySource,
    Reservation,
    ReservationTransition,
    SubscribedEvent,
)
from booking.rules.states import GIVEN_UP, ReservationState
from booking.services import subscription_refresh
from config.kernel.access import Actor, get_visible, visible_to
from config.kernel.time_range import TimeRange, merge
from instruments.models import Instrument, Organisation

BACK, AHEAD = timedelta(days=30), timedelta(days=180)
KEEP_CANCELLED = timedelta(days=90)
MAX_EVENTS = 2_000
_ACTIVE = [ReservationState.REQUESTED, ReservationState.APPROVED, ReservationState.IN_USE]


# --- Feeds ------------------------------------------------------------------------------------------------------------
def feeds_of(actor: Actor) -> QuerySet[FeedToken]:
    """The actor's own links, newest first."""
    return visible_to(FeedToken.objects.select_related("lab"), actor).order_by("-created_at", "-pk")


def with_history(rows: QuerySet[Reservation]) -> QuerySet[Reservation]:
    """Reservations with ``steps`` (how often they changed since they were asked for) and ``changed_at`` (when last)."""
    history = ReservationTransition.objects.filter(reservation_id=OuterRef("pk")).order_by().values("reservation_id")
    changes = history.annotate(number=Count("pk")).values("number")
    last = history.annotate(last=Max("at")).values("last")
    return rows.annotate(
        steps=Coalesce(Subquery(changes, output_field=IntegerField()) - 1, 0),
        changed_at=Coalesce(Subquery(last, output_field=DateTimeField()), F("created_at")),
    )


def my_feed(actor: Actor, now: datetime) -> list[Reservation]:
    """What the person asked for, from a month ago to half a year ahead; what was given up is told for 90 days."""
    return _feed(queries.reservations_visible(actor).filter(requested_by_id=actor.user_id), now)


def lab_feed(actor: Actor, lab_id: int | None, now: datetime) -> list[Reservation]:
    """All bookings of the instruments that the person manages, or of one lab of theirs, in the same window."""
    rows = queries.lab_reservations(actor)
    return _feed(rows if lab_id is None else rows.filter(instrument__organisation_id=lab_id), now)


def labs_to_follow(actor: Actor) -> list[Organisation]:
    """The labs whose bookings the person may follow, by name."""
    rows = Organisation.objects.filter(pk__in=actor.organisations(*queries.LAB_ROLES))
    return list(visible_to(rows, actor).order_by("name_pinyin", "pk"))


def _feed(rows: QuerySet[Reservation], now: datetime) -> list[Reservation]:
    rows = with_history(rows).filter(ends_at__gt=now - BACK, starts_at__lt=now + AHEAD)
    told = Q(changed_at__gt=now - KEEP_CANCELLED) | ~Q(state__in=[state.value for state in GIVEN_UP])
    return list(rows.filter(told).order_by("starts_at", "pk")[:MAX_EVENTS])


@dataclass(frozen=True, slots=True)
class BusyTime:
    """A taken stretch, buffers included, without anything about whose it is. ``name`` stays the same while it changes, and when a booking
    is ``given_up``."""

    name: str
    during: TimeRange
    changes: int
    changed_at: datetime
    given_up: bool = False


def busy_times(instrument: Instrument, now: datetime) -> list[BusyTime]:
    """When an instrument that the actor was given already is taken, from a month ago to half a year ahead, by start; bookings that were
    given up in the last 90 days are told so, that what a calendar program took over goes: two queries."""
    taken = _taken_times(instrument, now)
    standing = {one.name for one in taken}
    given_up = [one for one in _given_up_times(instrument, now) if one.name not in standing]
    return sorted([*taken, *given_up], key=lambda one: (one.during.starts_at, one.name))[:MAX_EVENTS]


def _taken_times(instrument: Instrument, now: datetime) -> list[BusyTime]:
    window = TimestamptzRange(now - BACK, now + AHEAD)
    rows = (
        Occupancy.objects.filter(calendar_id=instrument.calendar_id, blocking=True, during__overlap=window)
        .annotate(steps=Count("reservation__transitions"), changed_at=Max("reservation__transitions__at"))
        .order_by("during", "pk")
        .values_list("pk", "source", "reservation_id", "downtime_id", "during", "steps", "changed_at", "downtime__made_at")
    )
    return [
        BusyTime(
            _busy_name(pk, source, reservation_id, downtime_id, during.lower),
            TimeRange(during.lower, during.upper),
            max(steps - 1, 0),
            changed_at or made_at or during.lower,
        )
        for pk, source, reservation_id, downtime_id, during, steps, changed_at, made_at in rows[:MAX_EVENTS]
    ]


def _busy_name(pk: int, source: str, reservation_id: int | None, downtime_id: int | None, starts_at: datetime) -> str:
    """By the booking, which keeps its name when it moves; by the downtime and where its piece begins, as pieces are made anew around
    bookings; else by the row."""
    if source == OccupancySource.RESERVATION:
        return f"busy-r{reservation_id}"
    if downtime_id is not None:
        return f"busy-d{downtime_id}-{starts_at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    return f"busy-{pk}"


def _given_up_times(instrument: Instrument, now: datetime) -> list[BusyTime]:
    """Not of requests that never took any time: those of a lab that lets requests compete, unless one was approved."""
    approved = ReservationTransition.objects.filter(reservation_id=OuterRef("pk"), to_state=ReservationState.APPROVED)
    compete = Q(instrument__policy__pending_blocks=False, instrument__policy__approval_required=True)
    took_time = ~compete | Exists(approved)
    rows = Reservation.objects.filter(
        took_time,
        instrument__calendar_id=instrument.calendar_id,
        state__in=[state.value for state in GIVEN_UP],
        ends_at__gt=now - BACK,
        starts_at__lt=now + AHEAD,
    )
    told: QuerySet[Any] = with_history(rows).filter(Q(changed_at__gt=now - KEEP_CANCELLED)).order_by("starts_at", "pk")
    return [
        BusyTime(f"busy-r{one.pk}", TimeRange(one.starts_at, one.ends_at), one.steps, one.changed_at, given_up=True)
        for one in told[:MAX_EVENTS]
    ]


# --- Subscribed calendars ---------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Overlap:
    """An event of a subscribed calendar that shares time with a booking here, or (None) with time that the lab took itself."""

    event: SubscribedEvent
    reservation: Reservation | None


def subscriptions_of(actor: Actor, instrument: Instrument) -> list[CalendarSubscription]:
    """The calendars that block time on the instrument, with ``event_count``, by title."""
    rows = visible_to(CalendarSubscription.objects.filter(calendar_id=instrument.calendar_id), actor)
    return list(rows.annotate(event_count=Count("events")).order_by("title", "pk"))


def subscription_for(actor: Actor, subscription_id: int) -> CalendarSubscription:
    """One of them. Raises NotFound."""
    return get_visible(CalendarSubscription.objects.select_related("instrument"), actor, pk=subscription_id)


def overlaps_of(actor: Actor, instrument: Instrument, now: datetime) -> list[Overlap]:
    """Where a subscribed calendar and a booking want the same time, soonest first: three queries."""
    pairs = subscription_refresh.conflicts(instrument.calendar_id, now)
    events = visible_to(SubscribedEvent.objects.select_related("subscription"), actor).in_bulk([event for event, _ in pairs])
    wanted = [reservation for _, reservation in pairs if reservation is not None]
    known = queries.reservations_visible(actor).filter(pk__in=wanted).order_by().in_bulk()
    return [
        Overlap(events[event], known.get(reservation) if reservation is not None else None)
        for event, reservation in pairs
        if event in events and (reservation is None or reservation in known)
    ]


# --- Closures ---------------------------------------------------------------------------------------------------------
def bookings_within(actor: Actor, instruments: Sequence[Instrument], ranges: Iterable[TimeRange]) -> list[Reservation]:
    """Bookings of these instruments that are not over and share time with one of the ranges, by start: one query."""
    wanted = merge(ranges)
    if not wanted:
        return []
    rows = queries.reservations_visible(actor).filter(
        instrument__in=instruments, state__in=_ACTIVE, starts_at__lt=wanted[-1].ends_at, ends_at__gt=wanted[0].starts_at
    )
    return [one for one in rows.order_by("starts_at", "pk") if any(one.during.overlaps(each) for each in wanted)]
