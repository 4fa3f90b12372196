"""Keeping the day-availability read model: computed from opening hours and occupancies, and compared with them.

Occupancies are followed by triggers (``booking.models.availability``). Opening hours are expanded here, in Python, once for all
calendars that have the same; the rest is one statement per batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django import app

from booking.models import CalendarAvailability
from config.kernel.services import transactions
from config.kernel.time_range import TimeRange
from instruments.rules.opening import CalendarRules, ranges_open_to_anybody
from instruments.rules.wall_time import local_day
from instruments.services import schedule_store

TASK = "booking.calculate_availability"
#: Up to so many calendars are computed in the transaction of the change itself, more by the worker.
AT_ONCE = 50
#: Calendars whose rows are locked and written together.
BATCH = 200
_DAY = timedelta(days=1)


class Known(NamedTuple):
    """A calendar with the zone of its days and the local days ``[first_on, ends_on)`` that are wanted of it."""

    calendar_id: int
    zone_name: str
    first_on: date
    ends_on: date


@dataclass(frozen=True, slots=True)
class Difference:
    """A day of a calendar that is not what opening hours and occupancies say, in words for the one who looks after it."""

    calendar_id: int
    local_on: date
    stored: str
    computed: str

    def __str__(self) -> str:
        return f"calendar {self.calendar_id} on {self.local_on}: stored {self.stored}, computed {self.computed}"


# --- Following changes of opening hours -------------------------------------------------------------------------------
def follow_calendars(calendar_ids: Sequence[int]) -> None:
    """Stored openings or closures of these calendars changed: compute their days now, or leave many of them to the worker.

    Part of the caller's transaction. What is left to the worker says so (``calculating_since``).
    """
    now = timezone.now()
    if len(set(calendar_ids)) <= AT_ONCE:
        rebuild(calendar_ids, now)
        return
    mark_calculating(calendar_ids, now)
    app.configure_task(TASK).defer(timestamp=int(now.timestamp()))


def mark_calculating(calendar_ids: Iterable[int], now: datetime) -> None:
    """Say that the days of these calendars are not up to date."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO booking_calendaravailability (calendar_id, time_zone, calculating_since)"
            " SELECT id, '', %(now)s FROM unnest(%(ids)s::bigint[]) AS c (id)"
            " ON CONFLICT (calendar_id) DO UPDATE SET calculating_since ="
            " coalesce(booking_calendaravailability.calculating_since, excluded.calculating_since)",
            {"ids": sorted(set(calendar_ids)), "now": now},
        )


def calculate_waiting(now: datetime) -> int:
    """Compute the days of every calendar that waits for it, batch by batch; returns how many calendars. Safe to repeat."""
    done = 0
    while True:
        waiting = CalendarAvailability.objects.filter(calculating_since__isnull=False).order_by("pk")
        batch = list(waiting.values_list("pk", flat=True)[:BATCH])
        if not batch:
            return done
        rebuild(batch, now)
        done += len(batch)


# --- Writing ----------------------------------------------------------------------------------------------------------
def rebuild(calendar_ids: Iterable[int], now: datetime) -> int:
    """Compute the days from today to the horizon of these calendars; returns how many rows were not right before.

    Each batch is a transaction that locks its calendars first, as a reservation does, so that nothing is lost between reading
    and writing.
    """
    changed = 0
    patterns = _Patterns()
    for batch in _batches(sorted(set(calendar_ids)), BATCH):
        changed += transactions.run(lambda batch=batch: _rebuild(batch, patterns, now))  # type: ignore[misc]
    return changed


def rebuild_all(now: datetime, said: Callable[[int], None] | None = None) -> int:
    """As ``rebuild`` for every calendar with entries and every one that has rows; ``said`` hears how many are done."""
    changed = 0
    patterns = _Patterns()
    for done, batch in enumerate(_batches(_all_calendars(), BATCH)):
        changed += transactions.run(lambda batch=batch: _rebuild(batch, patterns, now))  # type: ignore[misc]
        if said is not None:
            said(done * BATCH + len(batch))
    return changed


def _rebuild(calendar_ids: Sequence[int], patterns: _Patterns, now: datetime) -> int:
    schedule_store.lock_calendars(calendar_ids)
    zones = _zones(calendar_ids)
    values = patterns.values([_from_today(pk, zone_name, now) for pk, zone_name in zones.items()]) | {"now": now}
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, values)
        changed = cursor.rowcount
        cursor.execute(_DROP, {"ids": [pk for pk in calendar_ids if pk not in zones]})
        cursor.execute(_WRITE, values)
        changed += cursor.rowcount
        cursor.execute(_KNOW, values)
    return changed


def _from_today(calendar_id: int, zone_name: str, now: datetime) -> Known:
    today = now.astimezone(ZoneInfo(zone_name)).date()
    return Known(calendar_id, zone_name, today, today + _DAY * horizon_days())


def horizon_days() -> int:
    """How many local days, today included, are kept."""
    return int(settings.AVAILABILITY_DAYS)


# --- Comparing --------------------------------------------------------------------------------------------------------
def verify(calendar_ids: Iterable[int] | None = None, said: Callable[[int], None] | None = None) -> Iterator[Difference]:
    """Every stored day that differs from what its calendar says, of these calendars or of all; reads only.

    Calendars that are being calculated are left out: they say themselves that they are not up to date.
    """
    patterns = _Patterns()
    ids = _all_calendars() if calendar_ids is None else iter(sorted(set(calendar_ids)))
    for done, batch in enumerate(_batches(ids, 5 * BATCH)):
        rows = CalendarAvailability.objects.filter(pk__in=batch, calculating_since__isnull=True).order_by("pk")
        zones = _zones(batch)
        known = [
            Known(row.pk, zones[row.pk], row.first_on, row.ends_on)
            for row in rows
            if row.pk in zones and row.first_on is not None and row.ends_on is not None
        ]
        with connection.cursor() as cursor:
            cursor.execute(_COMPARE, patterns.values(known))
            yield from (Difference(*row) for row in cursor.fetchall())
        if said is not None:
            said(done * 5 * BATCH + len(batch))


# --- Expanding opening hours ------------------------------------------------------------------------------------------
@dataclass(slots=True)
class _Patterns:
    """The days of calendars that have the same entries, zone and span are expanded once."""

    days: dict[tuple[Any, ...], list[tuple[date, datetime, datetime, str]]] = field(default_factory=dict)

    def values(self, known: Sequence[Known]) -> dict[str, Any]:
        """The arrays for the statements below: distinct patterns day by day, and which calendar has which."""
        rules = schedule_store.rules_by_calendar(one.calendar_id for one in known)
        numbers: dict[tuple[Any, ...], int] = {}
        calendars: list[tuple[int, int, date, date, str]] = []
        for one in known:
            key = (rules[one.calendar_id], one.zone_name, one.first_on, one.ends_on)
            number = numbers.setdefault(key, len(numbers))
            calendars.append((one.calendar_id, number, one.first_on, one.ends_on, one.zone_name))
        rows = [(number, *day) for key, number in numbers.items() for day in self._expanded(key)]
        return {
            "pattern": [row[0] for row in rows],
            "local_on": [row[1] for row in rows],
            "starts_at": [row[2] for row in rows],
            "ends_at": [row[3] for row in rows],
            "opening": [row[4] for row in rows],
            "calendars": [row[0] for row in calendars],
            "patterns": [row[1] for row in calendars],
            "first_on": [row[2] for row in calendars],
            "ends_on": [row[3] for row in calendars],
            "zones": [row[4] for row in calendars],
        }

    def _expanded(self, key: tuple[Any, ...]) -> list[tuple[date, datetime, datetime, str]]:
        if key not in self.days:
            self.days[key] = _expand(*key)
        return self.days[key]


def _expand(rules: CalendarRules, zone_name: str, first_on: date, ends_on: date) -> list[tuple[date, datetime, datetime, str]]:
    """(local day, its start, its end, its opening as a multirange literal) for each day; nothing for a calendar never open."""
    if not rules.entries:
        return []
    days = [(day, bounds) for day, bounds in _local_days(zone_name, first_on, ends_on) if bounds is not None]
    window = TimeRange(days[0][1].starts_at, days[-1][1].ends_at)
    opened = ranges_open_to_anybody(rules, ZoneInfo(zone_name), window)
    rows = []
    place = 0
    for day, bounds in days:
        while place < len(opened) and opened[place].ends_at <= bounds.starts_at:
            place += 1
        parts = []
        for whole in opened[place:]:
            part = whole.intersect(bounds)
            if part is None:
                break
            parts.append(f"[{part.starts_at.isoformat()},{part.ends_at.isoformat()})")
        rows.append((day, bounds.starts_at, bounds.ends_at, "{" + ",".join(parts) + "}"))
    return rows


@lru_cache(maxsize=64)
def _local_days(zone_name: str, first_on: date, ends_on: date) -> tuple[tuple[date, TimeRange | None], ...]:
    """Each local day with its bounds, None for a day that the zone never had."""
    return tuple((day, _bounds(day, zone_name)) for day in (first_on + _DAY * n for n in range((ends_on - first_on).days)))


def _bounds(day: date, zone_name: str) -> TimeRange | None:
    try:
        return local_day(day, ZoneInfo(zone_name))
    except ValueError:
        return None


def _zones(calendar_ids: Sequence[int]) -> dict[int, str]:
    """The zone of each calendar: that of the place of its (first) instrument. A calendar of nothing has none and is left out."""
    with connection.cursor() as cursor:
        cursor.execute(_ZONES, [list(calendar_ids)])
        return dict(cursor.fetchall())


def _all_calendars() -> Iterator[int]:
    """Every calendar that has entries or rows, in the order of their ids, without holding them all."""
    last = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_ALL, {"last": last, "count": 20 * BATCH})
            ids = [row[0] for row in cursor.fetchall()]
        if not ids:
            return
        yield from ids
        last = ids[-1]


def _batches(ids: Iterable[int], size: int) -> Iterator[list[int]]:
    left = iter(ids)
    while batch := list(islice(left, size)):
        yield batch


_ZONES = """
SELECT DISTINCT ON (i.calendar_id) i.calendar_id, s.time_zone
  FROM instruments_instrument i JOIN instruments_site s ON s.id = i.site_id
 WHERE i.calendar_id = ANY(%s) ORDER BY i.calendar_id, i.id
"""
_ALL = """
SELECT calendar_id FROM (
    (SELECT DISTINCT calendar_id FROM instruments_calendarentry WHERE calendar_id > %(last)s ORDER BY 1 LIMIT %(count)s)
    UNION
    (SELECT calendar_id FROM booking_calendaravailability WHERE calendar_id > %(last)s ORDER BY 1 LIMIT %(count)s)
) AS known ORDER BY 1 LIMIT %(count)s
"""
_CALENDARS = """
calendar AS MATERIALIZED (
    SELECT * FROM unnest(%(calendars)s::bigint[], %(patterns)s::int[], %(first_on)s::date[], %(ends_on)s::date[], %(zones)s::text[])
        AS c (id, pattern, first_on, ends_on, time_zone))
"""
#: The days as they should be. What is taken is read by the guard's own index, calendar by calendar, once for the whole span.
_COMPUTED = f"""
pattern AS MATERIALIZED (
    SELECT p.id, p.local_on, p.starts_at, p.ends_at, p.opening::tstzmultirange AS opening
      FROM unnest(%(pattern)s::int[], %(local_on)s::date[], %(starts_at)s::timestamptz[], %(ends_at)s::timestamptz[],
                  %(opening)s::text[]) AS p (id, local_on, starts_at, ends_at, opening)
), span AS (
    SELECT id, tstzrange(min(starts_at), max(ends_at)) AS during FROM pattern GROUP BY id
), {_CALENDARS}, busy AS MATERIALIZED (
    SELECT c.id, c.pattern, coalesce(b.taken, '{{}}'::tstzmultirange) AS taken
      FROM calendar c JOIN span s ON s.id = c.pattern CROSS JOIN LATERAL (
           SELECT range_agg(o.during) AS taken FROM booking_occupancy o
            WHERE o.blocking AND int8range(o.calendar_id, o.calendar_id, '[]') && int8range(c.id, c.id, '[]')
              AND o.during && s.during) b
), day AS (
    SELECT b.id AS calendar_id, p.local_on, p.starts_at, p.ends_at, p.opening, p.opening - b.taken AS free
      FROM busy b JOIN pattern p ON p.id = b.pattern
), computed AS (
    SELECT d.*, CASE WHEN lead(d.starts_at) OVER following = d.ends_at THEN lead(
               CASE WHEN lower(d.free) = d.starts_at THEN (SELECT upper(r) FROM unnest(d.free) AS r LIMIT 1) END) OVER following
           END AS continues_until
      FROM day d WINDOW following AS (PARTITION BY d.calendar_id ORDER BY d.local_on))
"""  # noqa: S608
_WRITE = f"""
WITH {_COMPUTED}
INSERT INTO booking_dayavailability AS old (calendar_id, local_on, starts_at, ends_at, opening, free, continues_until)
SELECT calendar_id, local_on, starts_at, ends_at, opening, free, continues_until FROM computed
ON CONFLICT (calendar_id, local_on) DO UPDATE
   SET starts_at = excluded.starts_at, ends_at = excluded.ends_at, opening = excluded.opening, free = excluded.free,
       continues_until = excluded.continues_until
 WHERE (old.starts_at, old.ends_at, old.opening, old.free, old.continues_until)
       IS DISTINCT FROM (excluded.starts_at, excluded.ends_at, excluded.opening, excluded.free, excluded.continues_until)
"""  # noqa: S608  (constants only; values are bound)
#: A calendar that belongs to nothing has no days to find.
_DROP = """
WITH gone AS (DELETE FROM booking_dayavailability WHERE calendar_id = ANY(%(ids)s::bigint[]))
DELETE FROM booking_calendaravailability WHERE calendar_id = ANY(%(ids)s::bigint[])
"""
#: Days that are over, beyond the horizon, or of a calendar that is never open any more.
_FORGET = f"""
WITH {_CALENDARS}
DELETE FROM booking_dayavailability d USING calendar c
 WHERE d.calendar_id = c.id AND (d.local_on < c.first_on OR d.local_on >= c.ends_on OR NOT c.pattern = ANY(%(pattern)s::int[]))
"""  # noqa: S608
_KNOW = f"""
WITH {_CALENDARS}
INSERT INTO booking_calendaravailability AS old (calendar_id, time_zone, first_on, ends_on, calculated_at, calculating_since)
SELECT id, time_zone, first_on, ends_on, %(now)s, NULL FROM calendar
ON CONFLICT (calendar_id) DO UPDATE
   SET time_zone = excluded.time_zone, first_on = excluded.first_on, ends_on = excluded.ends_on,
       calculated_at = excluded.calculated_at, calculating_since = NULL
"""  # noqa: S608
_COMPARE = f"""
WITH {_COMPUTED}, stored AS (
    SELECT d.* FROM booking_dayavailability d JOIN calendar c ON c.id = d.calendar_id
)
SELECT coalesce(s.calendar_id, n.calendar_id), coalesce(s.local_on, n.local_on),
       coalesce(s.free::text, 'no row'), coalesce(n.free::text, 'no row')
  FROM stored s FULL JOIN computed n USING (calendar_id, local_on)
 WHERE s.free IS DISTINCT FROM n.free OR s.opening IS DISTINCT FROM n.opening OR s.starts_at IS DISTINCT FROM n.starts_at
    OR s.ends_at IS DISTINCT FROM n.ends_at OR s.continues_until IS DISTINCT FROM n.continues_until
 ORDER BY 1, 2
"""  # noqa: S608
