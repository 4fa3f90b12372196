"""What calendars show: feeds for calendar programs, subscribed calendars and their conflicts, bookings within closures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Case, Count, DateTimeField, F, IntegerField, Max, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce
from psycopg.types.range import TimestamptzRange

from booking import queries
from booking.models import (
    CalendarSubscription,
    FeedToken,
    Reservation,
    ReservationTransition,
    SubscribedEvent,
)
from booking.models.busy_change import busy_name, sources_told
from booking.rules.feed import Feed, cut
from booking.rules.states import GIVEN_UP, ReservationState
from booking.services import subscription_refresh
from config.kernel.access import Actor, get_visible, visible_to
from config.kernel.time_range import TimeRange, merge
from instruments.models import Instrument, Organisation

BACK, AHEAD = timedelta(days=30), timedelta(days=180)
KEEP_CANCELLED = timedelta(days=90)
MAX_EVENTS = 30_000
"""In one feed: 40 instruments with three bookings and more on each day of the 210."""
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


def my_feed(actor: Actor, now: datetime) -> Feed[Reservation]:
    """What the person asked for, from a month ago to half a year ahead; what was given up is told for 90 days."""
    return _feed(queries.reservations_visible(actor).filter(requested_by_id=actor.user_id), now)


def lab_feed(actor: Actor, lab_id: int | None, now: datetime) -> Feed[Reservation]:
    """All bookings of the instruments that the person manages, or of one lab of theirs, in the same window."""
    rows = queries.lab_reservations(actor)
    return _feed(rows if lab_id is None else rows.filter(instrument__organisation_id=lab_id), now)


def labs_to_follow(actor: Actor) -> list[Organisation]:
    """The labs whose bookings the person may follow, by name."""
    rows = Organisation.objects.filter(pk__in=actor.organisations(*queries.LAB_ROLES))
    return list(visible_to(rows, actor).order_by("name_pinyin", "pk"))


def _feed(rows: QuerySet[Reservation], now: datetime) -> Feed[Reservation]:
    """Of one instrument or person there is one object, however many bookings name it: a lab's half year is tens of thousands."""
    rows = with_history(rows).filter(ends_at__gt=now - BACK, starts_at__lt=now + AHEAD)
    told = Q(changed_at__gt=now - KEEP_CANCELLED) | ~Q(state__in=[state.value for state in GIVEN_UP])
    to_come = Case(When(ends_at__gt=now, then="starts_at"))
    nearest = rows.filter(told).order_by(to_come.asc(nulls_last=True), "-ends_at", "pk")
    shared = nearest.select_related(None).prefetch_related("instrument__site", "organisation", "requested_by")
    return cut(list(shared[: MAX_EVENTS + 1]), now, MAX_EVENTS)


@dataclass(frozen=True, slots=True)
class BusyTime:
    """A taken stretch, buffers included, without anything about whose it is. ``name`` stays the same while it changes, and when it is
    ``given_up``; ``changes`` grows with each change."""

    name: str
    during: TimeRange
    changes: int
    changed_at: datetime
    given_up: bool = False


_BUSY = f"""
WITH told AS (
    SELECT {busy_name("o")} AS name, o.during, o.reservation_id, o.downtime_id FROM booking_occupancy o
     WHERE int8range(o.calendar_id, o.calendar_id, '[]') && int8range(%(calendar)s, %(calendar)s, '[]')
       AND o.during && %(window)s AND o.blocking AND {sources_told("o")}
)
SELECT 'busy-' || t.name, lower(t.during) AS starts_at, upper(t.during) AS ends_at, coalesce(c.sequence, 0),
       coalesce(c.changed_at, r.created_at, d.made_at, lower(t.during)), false
  FROM told t
  LEFT JOIN booking_busychange c ON c.calendar_id = %(calendar)s AND c.name = t.name
  LEFT JOIN booking_reservation r ON r.id = t.reservation_id
  LEFT JOIN booking_downtime d ON d.id = t.downtime_id
 UNION ALL
SELECT 'busy-' || c.name, lower(c.during), upper(c.during), c.sequence, c.changed_at, true FROM booking_busychange c
 WHERE c.calendar_id = %(calendar)s AND NOT c.taken AND c.changed_at > %(since)s AND c.during && %(window)s
"""  # noqa: S608  (constants only; values are bound)
_NEAREST = f"""
SELECT * FROM ({_BUSY}) AS found (name, starts_at, ends_at, changes, changed_at, given_up)
 ORDER BY CASE WHEN ends_at > %(now)s THEN starts_at END NULLS LAST, ends_at DESC, name
 LIMIT %(most)s
"""  # noqa: S608  (as above)


def busy_times(instrument: Instrument, now: datetime) -> Feed[BusyTime]:
    """When an instrument that the actor was given already is taken, from a month ago to half a year ahead, and what was taken and went
    in the last 90 days: one query. Times kept while somebody fills in a form are not told."""
    values: dict[str, Any] = {
        "calendar": instrument.calendar_id,
        "window": TimestamptzRange(now - BACK, now + AHEAD),
        "since": now - KEEP_CANCELLED,
        "now": now,
        "most": MAX_EVENTS + 1,
    }
    with connection.cursor() as cursor:
        cursor.execute(_NEAREST, values)
        rows = [
            BusyTime(name, TimeRange(starts_at, ends_at), changes, changed_at, given_up)
            for name, starts_at, ends_at, changes, changed_at, given_up in cursor.fetchall()
        ]
    return cut(rows, now, MAX_EVENTS)


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
