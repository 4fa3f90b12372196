"""What takes time on all instruments of a lab on a day or in a week: a constant number of statements, however many there are."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from math import inf
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from psycopg.types.range import TimestamptzRange

from booking.models import OccupancySource
from booking.rules.assistance import ASSISTED
from booking.rules.states import GIVEN_UP, ReservationState
from config.kernel.access import Actor, Role, visible_to
from config.kernel.errors import NotFound
from config.kernel.time_range import TimeRange, subtract
from instruments.models import FormerCalendar, Instrument
from instruments.rules.opening import CalendarRules, open_ranges
from instruments.rules.wall_time import local_day
from instruments.services import schedule_store

MOST_PAGES = 1000
"""Further pages of instruments than any lab has are not asked for."""


class Span(StrEnum):
    DAY = "day"
    WEEK = "week"

    @property
    def days(self) -> int:
        return 1 if self is Span.DAY else 7

    @property
    def most(self) -> int:
        """So many instruments are shown at once: more than that nobody draws in time."""
        return 200 if self is Span.DAY else 50


MOVABLE = frozenset({ReservationState.REQUESTED.value, ReservationState.APPROVED.value})


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that takes or is asked to take time of an instrument: ``starts`` to ``ends``, in whole seconds of Unix time, are the booked
    time of a reservation, else what is taken.

    ``kind`` is a source of occupancies; ``state`` that of its reservation. ``title`` is who booked, or why it is taken. What another
    instrument with the same calendar takes has neither state nor kind of downtime, and a name only where one manages that one too.
    ``assisted_by``: who of the lab sits beside the user.
    """

    key: int
    instrument_id: int
    starts: int
    ends: int
    kind: str
    state: str = ""
    reservation_id: int | None = None
    downtime_id: int | None = None
    title: str = ""
    title_en: str = ""
    person: str = ""
    downtime_kind: str = ""
    assisted_by: str = ""

    @property
    def during(self) -> TimeRange:
        return TimeRange(datetime.fromtimestamp(self.starts, UTC), datetime.fromtimestamp(self.ends, UTC))

    @property
    def movable(self) -> bool:
        return self.kind == OccupancySource.RESERVATION and self.state in MOVABLE


@dataclass(frozen=True, slots=True)
class Timeline:
    """A page of a lab's instruments with what lies on them in ``window``, on the clock of ``zone``, the first one's. ``closed`` is when
    each is not open to everybody."""

    instruments: Sequence[Instrument]
    entries: Sequence[Entry]
    closed: dict[int, list[TimeRange]]
    window: TimeRange
    first_on: date
    span: Span
    zone: ZoneInfo
    page: int
    more: bool


def timeline(actor: Actor, lab_id: int | None, first_on: date | None, span: Span, now: datetime, page: int = 1) -> Timeline:
    """The instruments of one lab that the actor manages (none named: of all of them), by name.

    Raises Forbidden, NotFound for a lab of others.
    """
    actor.require(Role.LAB_MANAGER)
    mine = actor.organisations(Role.LAB_MANAGER)
    if lab_id is not None and lab_id not in mine:
        raise NotFound.of("access.not_found", model="organisation")
    labs = mine if lab_id is None else {lab_id}
    rows = visible_to(Instrument.objects.filter(organisation_id__in=labs).exclude(status="retired"), actor)
    rows = rows.select_related("site").only(
        "name", "name_en", "calendar_id", "organisation_id", "status", "site__name", "site__time_zone"
    )
    first = (page - 1) * span.most
    found = list(rows.order_by("name_pinyin", "name", "pk")[first : first + span.most + 1])
    shown = found[: span.most]
    zone = ZoneInfo(shown[0].site.time_zone if shown else settings.TIME_ZONE)
    day = first_on or now.astimezone(zone).date()
    last = local_day(day + timedelta(days=span.days - 1), zone)
    window = TimeRange(local_day(day, zone).starts_at, last.ends_at)
    entries = _entries(shown, _stays(actor, shown, window, now), mine, window, now)
    return Timeline(shown, entries, _closed(shown, window), window, day, span, zone, page, len(found) > span.most)


def _closed(rows: Sequence[Instrument], window: TimeRange) -> dict[int, list[TimeRange]]:
    """Many instruments of a lab keep the same hours, which are worked out once."""
    rules = schedule_store.rules_by_calendar(one.calendar_id for one in rows)
    known: dict[tuple[Hashable, str], list[TimeRange]] = {}

    def of(kept: CalendarRules, zone: str) -> list[TimeRange]:
        if (kept, zone) not in known:
            known[kept, zone] = subtract([window], open_ranges(kept, ZoneInfo(zone), window))
        return known[kept, zone]

    return {one.pk: of(rules[one.calendar_id], one.site.time_zone) for one in rows}


#: The guard's own index finds what blocks, calendar by calendar: without OFFSET the planner may read the day of everybody instead and
#: compare all of it with each calendar. Requests that block nothing are found by their instruments. Instants come as numbers: to read a
#: thousand of them as texts takes longer than everything else.
_ENTRIES = f"""
WITH taken AS (
    SELECT o.id, o.calendar_id, o.during, o.source, o.note, o.reservation_id, o.downtime_id, true AS blocking
      FROM unnest(%(calendars)s::bigint[]) AS c (id) CROSS JOIN LATERAL (
           SELECT * FROM booking_occupancy
            WHERE blocking AND int8range(calendar_id, calendar_id, '[]') && int8range(c.id, c.id, '[]') AND during && %(window)s
            OFFSET 0) o
     WHERE o.expires_at IS NULL OR o.expires_at > %(now)s
    UNION ALL
    SELECT o.id, o.calendar_id, o.during, o.source, '', o.reservation_id, NULL, false
      FROM booking_reservation r JOIN booking_occupancy o ON o.reservation_id = r.id
     WHERE r.instrument_id = ANY(%(instruments)s) AND r.state = '{ReservationState.REQUESTED.value}' AND NOT o.blocking
       AND r.starts_at < upper(%(window)s::tstzrange) AND r.ends_at > lower(%(window)s::tstzrange)
       AND o.source = '{OccupancySource.RESERVATION.value}'
)
SELECT t.id, t.calendar_id,
       extract(epoch FROM CASE WHEN t.source = '{OccupancySource.RESERVATION.value}' THEN r.starts_at ELSE lower(t.during) END)::bigint,
       extract(epoch FROM CASE WHEN t.source = '{OccupancySource.RESERVATION.value}' THEN r.ends_at ELSE upper(t.during) END)::bigint,
       t.source, t.note, t.reservation_id, r.state, i.id, c.name, c.name_en, u.full_name, t.downtime_id, d.kind, t.blocking,
       i.organisation_id, coalesce(nullif(h.full_name, ''), h.email)
  FROM taken t
  LEFT JOIN booking_reservation r ON r.id = t.reservation_id
  LEFT JOIN instruments_organisation c ON c.id = r.organisation_id
  LEFT JOIN instruments_user u ON u.id = r.requested_by_id
  LEFT JOIN booking_downtime d ON d.id = t.downtime_id
  LEFT JOIN (booking_occupancy s JOIN booking_assistant a ON a.calendar_id = s.calendar_id JOIN instruments_user h ON h.id = a.person_id)
         ON s.reservation_id = r.id AND s.source = '{OccupancySource.ASSISTANCE.value}' AND r.service_mode = '{ASSISTED}'
  LEFT JOIN instruments_instrument i ON i.id = coalesce(r.instrument_id, d.instrument_id)
 ORDER BY 3, t.id
"""  # noqa: S608  (constants only; values are bound)


@dataclass(frozen=True, slots=True)
class _Stay:
    """An instrument was on a calendar from ``since`` (seconds of Unix time) until before ``until``."""

    instrument_id: int
    since: float = -inf
    until: float = inf

    def shows(self, whose: int | None, starts: int, ends: int) -> bool:
        """Whether what lies on the calendar took its time: its own always, that of others while it was there."""
        return whose == self.instrument_id or (starts < self.until and ends > self.since)


def _stays(actor: Actor, rows: Sequence[Instrument], window: TimeRange, now: datetime) -> dict[int, list[_Stay]]:
    """By calendar, which of the instruments were on it: what is over stays on the one where it was."""
    left: dict[int, list[FormerCalendar]] = {}
    if window.starts_at < now:
        former = FormerCalendar.objects.filter(instrument__in=rows, left_at__gt=window.starts_at)
        for one in visible_to(former, actor).order_by("left_at", "pk"):
            left.setdefault(one.instrument_id, []).append(one)
    stays: dict[int, list[_Stay]] = {}
    for instrument in rows:
        since = -inf
        for one in left.get(instrument.pk, ()):
            stays.setdefault(one.calendar_id, []).append(_Stay(instrument.pk, since, one.left_at.timestamp()))
            since = one.left_at.timestamp()
        stays.setdefault(instrument.calendar_id, []).append(_Stay(instrument.pk, since))
    return stays


def _entries(
    rows: Sequence[Instrument], stays: dict[int, list[_Stay]], labs: Collection[int], window: TimeRange, now: datetime
) -> list[Entry]:
    """All that lies on the calendars of the instruments, with names where it belongs to one of ``labs``, which the actor manages."""
    values: dict[str, Any] = {
        "calendars": list(stays),
        "instruments": [one.pk for one in rows],
        "window": TimestamptzRange(window.starts_at, window.ends_at),
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ENTRIES, values)
        return [entry for row in cursor.fetchall() for entry in _of_row(row, stays, labs)]


def _of_row(row: tuple[Any, ...], stays: dict[int, list[_Stay]], labs: Collection[int]) -> list[Entry]:
    (pk, calendar_id, starts, ends, source, note, reservation_id, state, instrument_id, name, name_en, person, downtime_id,
     kind, blocking, lab_id, assisted_by) = row  # fmt: skip
    if source == OccupancySource.RESERVATION and state in GIVEN_UP:
        return []
    whose = (reservation_id, downtime_id, name or note, name_en or "", person or "")
    entries = []
    there = (one.instrument_id for one in stays[calendar_id] if one.shows(instrument_id, starts, ends))
    for each in dict.fromkeys(there) if blocking else [instrument_id]:
        if instrument_id in (each, None):
            entries.append(Entry(pk, each, starts, ends, source, state or "", *whose, kind or "", assisted_by or ""))
        else:
            entries.append(Entry(pk, each, starts, ends, source, "", *(whose if lab_id in labs else ())))
    return entries
