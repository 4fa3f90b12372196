"""Reading subscribed calendars, and keeping the time that their events take on ours.

An event takes what is free of its time. What is booked here stays booked: the rest of the event is blocked all the same, and the
overlap is shown as a conflict until one of the two is gone. So the occupancies of a calendar's subscriptions are derived from their
events and from what else is on the calendar; ``settle`` brings them up to date behind the calendar's lock.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import connection
from psycopg.types.range import TimestamptzRange

from booking.models import CalendarSubscription, Occupancy, OccupancySource, SubscribedEvent
from booking.rules.subscribed import free_pieces, next_due, numbered
from booking.services import subscription_news
from config.kernel.access import NOBODY
from config.kernel.errors import Refusal
from config.kernel.services import audit, outbound
from config.kernel.services.outbound import Fetched
from config.kernel.services.transactions import whole
from config.kernel.time_range import TimeRange
from instruments.rules.ics_reading import TAKEN, IcsFile, IcsRow
from instruments.services import ics_reader, schedule_store

AHEAD = timedelta(days=400)
READ_AGAIN_BELOW = timedelta(days=300)
"""An unchanged file is read again when less than this of the time ahead is known: repetitions go on."""
MAX_SHOWN_UNREAD = 50
_Piece = tuple[TimeRange, tuple[str, int]]
"""A stretch of an event's time, with the event's title and id."""

#: Events of subscriptions that share time with something else on their calendar.
_CONFLICTS = """
SELECT DISTINCT e.id, o.reservation_id, e.starts_at
  FROM booking_subscribedevent e
  JOIN booking_calendarsubscription s ON s.id = e.subscription_id AND s.enabled
  JOIN booking_occupancy o ON int8range(o.calendar_id, o.calendar_id, '[]') && int8range(s.calendar_id, s.calendar_id, '[]')
       AND o.during && tstzrange(e.starts_at, e.ends_at) AND o.blocking AND o.source <> 'subscribed'
  LEFT JOIN booking_reservation r ON r.id = o.reservation_id
 WHERE s.calendar_id = %(calendar)s AND e.ends_at > %(now)s
   AND (r.id IS NULL OR (r.starts_at < e.ends_at AND r.ends_at > e.starts_at))
 ORDER BY e.starts_at, e.id
 LIMIT 100
"""


def due_ids(now: datetime) -> list[int]:
    """The subscriptions whose time to be read has come, longest waiting first."""
    rows = CalendarSubscription.objects.filter(enabled=True, due_at__lte=now).order_by("due_at", "pk")
    return list(rows.values_list("pk", flat=True))


def refresh(subscription_id: int, now: datetime) -> None:
    """Read one subscription that is due and bring the calendar up to date. A fault is written down with it; safe to repeat."""
    rows = CalendarSubscription.objects.select_related("instrument__site")
    subscription = rows.filter(pk=subscription_id, enabled=True, due_at__lte=now).first()
    if subscription is None:
        return
    try:
        fetched = _fetch(subscription, now)
        file, digest = _read(subscription, fetched, now)
    except Refusal as refusal:
        _note_fault(subscription, refusal, now)
        return
    _apply(subscription, fetched, file, digest, now)


def settle_crowded(now: datetime) -> int:
    """Give events the time that has become free meanwhile, wherever some of it was taken; returns on how many calendars."""
    rows = CalendarSubscription.objects.filter(crowded=True, enabled=True).order_by("calendar_id")
    calendars = list(rows.values_list("calendar_id", flat=True).distinct())
    return sum(settle(calendar_id, now) for calendar_id in calendars)


@whole
def settle(calendar_id: int, now: datetime) -> bool:
    """Make the occupancies of a calendar's subscriptions what they should be from ``now`` on; whether anything was written."""
    schedule_store.lock_calendars([calendar_id])
    events = SubscribedEvent.objects.filter(subscription__calendar_id=calendar_id, subscription__enabled=True, ends_at__gt=now)
    wanted_events = [(TimeRange(one.starts_at, one.ends_at), (one.title, one.pk)) for one in events]
    rows = Occupancy.objects.filter(calendar_id=calendar_id, blocking=True, during__endswith__gt=now)
    ours: dict[_Piece, tuple[int, int]] = {}
    taken = []
    for pk, during, note, source, followed, piece in rows.values_list("pk", "during", "note", "source", "followed", "piece"):
        there = TimeRange(during.lower, during.upper)
        if source == OccupancySource.SUBSCRIBED:
            ours[there, (note, followed or 0)] = pk, piece or 0
        else:
            taken.append(there)
    crowded = free_pieces(wanted_events, taken) != free_pieces(wanted_events, [])
    CalendarSubscription.objects.filter(calendar_id=calendar_id, crowded=not crowded).update(crowded=crowded)
    taken += _history(calendar_id, wanted_events, now)
    wanted = dict.fromkeys(free_pieces(wanted_events, taken))
    gone = [pk for one, (pk, _piece) in ours.items() if one not in wanted]
    fresh = [one for one in wanted if one not in ours]
    numbers = _numbers(calendar_id, wanted, {one: piece for one, (_pk, piece) in ours.items()}, now) if fresh else {}
    if gone:
        Occupancy.objects.filter(pk__in=gone).delete()
    Occupancy.objects.bulk_create(
        Occupancy(
            calendar_id=calendar_id,
            during=TimestamptzRange(during.starts_at, during.ends_at),
            blocking=True,
            source=OccupancySource.SUBSCRIBED,
            note=title,
            followed=event,
            piece=numbers[during],
        )
        for during, (title, event) in fresh
    )
    return bool(gone or fresh)


def _numbers(calendar_id: int, wanted: Iterable[_Piece], standing: Mapping[_Piece, int], now: datetime) -> dict[TimeRange, int]:
    """The number of each piece among those of its event; what is over keeps its own."""
    theirs: defaultdict[int, list[TimeRange]] = defaultdict(list)
    ours: defaultdict[int, dict[TimeRange, int]] = defaultdict(dict)
    used: defaultdict[int, set[int]] = defaultdict(set)
    for during, (_title, event) in wanted:
        theirs[event].append(during)
    for (during, (_title, event)), piece in standing.items():
        ours[event][during] = piece
    over = Occupancy.objects.filter(calendar_id=calendar_id, followed__in=list(theirs), during__endswith__lte=now)
    for known, number in over.values_list("followed", "piece"):
        used[known or 0].add(number or 0)
    return {during: one for event, pieces in theirs.items() for during, one in numbered(pieces, ours[event], used[event]).items()}


def _history(calendar_id: int, events: Sequence[_Piece], now: datetime) -> list[TimeRange]:
    """What is over and reaches into an event that still lasts: it stays as it was."""
    first = min((during.starts_at for during, _ in events), default=now)
    rows = Occupancy.objects.filter(
        calendar_id=calendar_id,
        blocking=True,
        during__endswith__lte=now,
        during__overlap=TimestamptzRange(min(first, now), now, "[]"),
    )
    return [TimeRange(during.lower, during.upper) for during in rows.values_list("during", flat=True)]


def conflicts(calendar_id: int, now: datetime) -> list[tuple[int, int | None]]:
    """(event, reservation or None for the lab's own time) for each overlap on the calendar, soonest first."""
    with connection.cursor() as cursor:
        cursor.execute(_CONFLICTS, {"now": now, "calendar": calendar_id})
        return [(int(event), reservation) for event, reservation, _ in cursor.fetchall()]


# --- Reading ----------------------------------------------------------------------------------------------------------
def _fetch(subscription: CalendarSubscription, now: datetime) -> Fetched:
    if _knows_enough(subscription, now):
        return outbound.fetch(subscription.address, etag=subscription.etag, last_modified=subscription.last_modified)
    return outbound.fetch(subscription.address)


def _knows_enough(subscription: CalendarSubscription, now: datetime) -> bool:
    return subscription.read_until_at is not None and subscription.read_until_at - now >= READ_AGAIN_BELOW


def _read(subscription: CalendarSubscription, fetched: Fetched, now: datetime) -> tuple[IcsFile | None, str]:
    """The file and its digest; no file when it says what it said before."""
    if fetched.content is None:
        return None, subscription.sha256
    digest = hashlib.sha256(fetched.content).hexdigest()
    if digest == subscription.sha256 and _knows_enough(subscription, now):
        return None, digest
    zone = ZoneInfo(subscription.instrument.site.time_zone)
    return ics_reader.read(fetched.content, zone, TimeRange(now, now + AHEAD)), digest


@whole
def _note_fault(subscription: CalendarSubscription, refusal: Refusal, now: datetime) -> None:
    """The events that are known stay; the next attempts come at growing distances."""
    reason, failures = refusal.reasons[0], subscription.failures + 1
    noted = CalendarSubscription.objects.filter(pk=subscription.pk, address=subscription.address, enabled=True).update(
        last_fetched_at=now,
        failures=failures,
        fault_code=reason.code,
        fault_params=reason.params,
        due_at=next_due(now, failures),
    )
    if noted:
        subscription_news.failed(subscription, failures, now)


@whole
def _apply(subscription: CalendarSubscription, fetched: Fetched, file: IcsFile | None, digest: str, now: datetime) -> None:
    """Write what was read, unless the subscription was paused, removed or changed meanwhile."""
    schedule_store.lock_calendars([subscription.calendar_id])
    rows = CalendarSubscription.objects.select_related("instrument").select_for_update(of=("self",), no_key=True)
    row = rows.filter(pk=subscription.pk, enabled=True, address=subscription.address).first()
    if row is None:
        return
    subscription_news.works(row, row.failures, now)
    row.last_fetched_at = row.last_ok_at = now
    row.failures, row.fault_code, row.fault_params, row.due_at = 0, "", {}, next_due(now, 0)
    if fetched.content is not None:
        row.etag, row.last_modified, row.sha256 = fetched.etag, fetched.last_modified, digest
    counts: dict[str, int] = {}
    if file is not None:
        row.read_until_at = now + AHEAD
        row.unread = [
            [one.line, one.title, one.reason.code, one.reason.params] for one in file.rows if one.fate == "refused" and one.reason
        ][:MAX_SHOWN_UNREAD]
        counts = _write_events(row, [one for one in file.rows if one.fate == TAKEN], now)
    row.save()
    if settle(row.calendar_id, now) or any(counts.values()):
        audit.record(NOBODY, "subscription.refresh", row, now, after={"file": digest, **counts})


def _write_events(row: CalendarSubscription, taken: Sequence[IcsRow], now: datetime) -> dict[str, int]:
    """Make the events those of the file; what is over goes."""
    known = {(one.uid, one.recurrence): one for one in row.events.all()}
    wanted = {one.key: one for one in taken}
    gone = [one.pk for key, one in known.items() if key not in wanted]
    SubscribedEvent.objects.filter(pk__in=gone).delete()
    added: list[SubscribedEvent] = []
    changed: list[SubscribedEvent] = []
    for key, one in wanted.items():
        event = known.get(key) or SubscribedEvent(subscription=row, uid=one.uid, recurrence=one.recurrence)
        before = (event.starts_at, event.ends_at, event.title) if event.pk else None
        if one.starts_at is None or one.ends_at is None or before == (one.starts_at, one.ends_at, one.title):
            continue
        event.starts_at, event.ends_at, event.title = one.starts_at, one.ends_at, one.title
        (changed if event.pk else added).append(event)
    SubscribedEvent.objects.bulk_create(added)
    SubscribedEvent.objects.bulk_update(changed, ["starts_at", "ends_at", "title"], batch_size=500)
    return {"added": len(added), "changed": len(changed), "gone": len(gone)}
