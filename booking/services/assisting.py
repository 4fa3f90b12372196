"""Who assists in a session of mode ``assisted``: chosen with the booking, and free again with it.

A session takes the calendar of whoever assists by an occupancy of its own. It follows what the booking takes of its instrument by a trigger
(``booking.models.assistant``), so no state and no writer can forget it; that two instruments never have one person at a time is kept by
``occupancy_no_overlap``, as they are behind different locks. An instrument for which nobody was named
needs nobody. A hold, an offer or a proposal to move such a session keeps somebody's time beside the instrument's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from psycopg.types.range import TimestamptzRange

from booking.models import InstrumentAssistant, Occupancy, OccupancySource, Reservation
from booking.rules.assistance import ASSISTED, NOBODY_ASSISTS, Helper, free_with, in_turn
from booking.rules.policy import BookingPolicy
from booking.rules.slots import free_ranges
from booking.services.taken import NobodyCan
from config.kernel.errors import Reason
from config.kernel.statements import planned_once
from config.kernel.time_range import TimeRange, subtract
from instruments.models import Instrument
from instruments.rules.opening import open_ranges
from instruments.rules.wall_time import local_day
from instruments.services import schedule_store

#: A condition in SQL: somebody was named for the instrument of the alias ``i``.
ANY_NAMED = "EXISTS (SELECT FROM booking_instrumentassistant ia WHERE ia.instrument_id = i.id)"


_HELPERS = """
SELECT w.place, a.id, a.calendar_id, a.person_id, coalesce(nullif(u.full_name, ''), u.email), a.time_zone,
       coalesce((SELECT range_agg(o.during) FROM booking_occupancy o
                  WHERE o.blocking AND int8range(o.calendar_id, o.calendar_id, '[]') && int8range(a.calendar_id, a.calendar_id, '[]')
                    AND o.during && w.looked_at AND o.reservation_id IS DISTINCT FROM w.without_id
                    AND (o.expires_at IS NULL OR o.expires_at > %(now)s::timestamptz)
                    AND NOT (o.source = 'keeping' AND o.holder_id = w.holder_id AND EXISTS (
                             SELECT FROM booking_occupancy h WHERE h.id = o.beside_id AND h.calendar_id = i.calendar_id))), '{}'),
       coalesce((SELECT sum(extract(epoch FROM upper(o.during) - lower(o.during)))::bigint / 60 FROM booking_occupancy o
                  WHERE o.blocking AND int8range(o.calendar_id, o.calendar_id, '[]') && int8range(a.calendar_id, a.calendar_id, '[]')
                    AND o.during && w.week AND o.source = 'assistance' AND o.reservation_id IS DISTINCT FROM w.without_id), 0)
  FROM unnest(%(instruments)s::bigint[], %(windows)s::tstzrange[], %(weeks)s::tstzrange[], %(without)s::bigint[],
              %(holders)s::bigint[]) WITH ORDINALITY AS w (instrument_id, looked_at, week, without_id, holder_id, place)
  JOIN booking_instrumentassistant ia ON ia.instrument_id = w.instrument_id
  JOIN booking_assistant a ON a.id = ia.assistant_id
  JOIN instruments_user u ON u.id = a.person_id
  JOIN instruments_instrument i ON i.id = ia.instrument_id
 WHERE u.is_active
   AND EXISTS (SELECT FROM instruments_membership m WHERE m.user_id = a.person_id AND m.organisation_id = i.organisation_id)
 ORDER BY w.place, a.id
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """Who may assist on an instrument is asked: what they have in ``window`` but for the reservation ``without_id`` and what the person
    ``holder_id`` holds of the instrument, and their minutes in ``week``."""

    instrument_id: int
    window: TimeRange
    week: TimeRange
    without_id: int = 0
    holder_id: int = 0


def helpers_of_many(asked: Sequence[Asked], now: datetime) -> list[list[Helper]]:
    """Who may assist, for each that is asked, by id; what is kept for holds and offers that are over does not count any more. Two queries,
    one where nobody was named, none where nothing is asked."""
    if not asked:
        return []
    values: dict[str, Any] = {
        "instruments": [one.instrument_id for one in asked],
        "windows": [_range(one.window) for one in asked],
        "weeks": [_range(one.week) for one in asked],
        "without": [one.without_id for one in asked],
        "holders": [one.holder_id for one in asked],
        "now": now,
    }
    with planned_once() as cursor:
        cursor.execute(_HELPERS, values)
        rows = cursor.fetchall()
    rules = schedule_store.rules_by_calendar({row[2] for row in rows}) if rows else {}
    at_work: dict[tuple[int, TimeRange], tuple[TimeRange, ...] | None] = {}  # one person may assist on many instruments
    found: list[list[Helper]] = [[] for _one in asked]
    for place, pk, calendar_id, person_id, name, zone_name, busy, minutes in rows:
        key = (calendar_id, asked[place - 1].window)
        if key not in at_work:
            known = rules[calendar_id]
            at_work[key] = tuple(open_ranges(known, ZoneInfo(zone_name), key[1])) if known.entries else None
        taken = tuple(TimeRange(one.lower, one.upper) for one in busy)
        found[place - 1].append(Helper(pk, calendar_id, person_id, name, at_work[key], taken, minutes))
    return found


def named_of(instrument_ids: Iterable[int]) -> frozenset[int]:
    """Those of the instruments for which somebody was named: one query, and none for none."""
    ids = set(instrument_ids)
    if not ids:
        return frozenset()
    return frozenset(InstrumentAssistant.objects.filter(instrument_id__in=ids).values_list("instrument_id", flat=True))


def helpers(
    instrument_id: int,
    window: TimeRange,
    at: datetime,
    zone: ZoneInfo,
    now: datetime,
    *,
    without_id: int = 0,
    holder_id: int | None = None,
) -> list[Helper]:
    """``helpers_of_many`` for one instrument, with the week of ``at``."""
    return helpers_of_many([Asked(instrument_id, window, week_of(at, zone), without_id, holder_id or 0)], now)[0]


def week_of(at: datetime, zone: ZoneInfo) -> TimeRange:
    """The week of an instant, from Monday, on the clock of the place."""
    day = at.astimezone(zone).date()
    monday = day - timedelta(days=day.weekday())
    return TimeRange(local_day(monday, zone).starts_at, local_day(monday + timedelta(days=6), zone).ends_at)


def free_times(
    instrument: Instrument,
    opening: Sequence[TimeRange],
    busy: Sequence[TimeRange],
    policy: BookingPolicy,
    now: datetime,
    *,
    within: TimeRange,
    zone: ZoneInfo,
    service_mode: str,
) -> list[TimeRange]:
    """``rules.slots.free_ranges``; in assisted mode only where somebody can assist (they may overlap then)."""
    found = helpers(instrument.pk, within, within.starts_at, zone, now) if service_mode == ASSISTED else []
    return free_for(found, opening, busy, policy, now)


def free_for(
    named: Sequence[Helper], opening: Sequence[TimeRange], busy: Sequence[TimeRange], policy: BookingPolicy, now: datetime
) -> list[TimeRange]:
    """``rules.slots.free_ranges``; where anybody was ``named``, only as far as one of them can assist."""
    return free_with(named, opening, busy, policy, now) if named else free_ranges(opening, busy, policy, now)


def reasons(
    instrument: Instrument,
    during: TimeRange,
    policy: BookingPolicy,
    zone: ZoneInfo,
    service_mode: str,
    now: datetime,
    without_id: int = 0,
    holder_id: int | None = None,
) -> list[Reason]:
    """Why nobody can assist at a time that is only looked at; nothing where somebody can, or nobody has to. What ``holder_id`` holds of
    the instrument is not in the way."""
    if service_mode != ASSISTED:
        return []
    occupied = policy.occupied(during)
    found = helpers(instrument.pk, occupied, during.starts_at, zone, now, without_id=without_id, holder_id=holder_id)
    return [nobody()] if found and not in_turn(found, during, occupied) else []


def nobody() -> Reason:
    return Reason(NOBODY_ASSISTS, {}, "starts_at")


def assign(
    reservation: Reservation,
    occupied: TimeRange,
    zone: ZoneInfo,
    now: datetime,
    kept_id: int | None = None,
    *,
    blocks: bool = False,
) -> int | None:
    """Let somebody assist in a reservation that has nobody, at its time of now; their id, None where nobody has to.

    Part of the caller's transaction. Who loses somebody to another instrument at the same moment asks the next. Raises NobodyCan.
    """
    if reservation.service_mode != ASSISTED:
        return None

    def look() -> list[Helper]:
        return helpers(reservation.instrument_id, occupied, reservation.starts_at, zone, now, without_id=reservation.pk)

    def write(one: Helper) -> bool:
        return take(reservation.pk, one.calendar_id, blocks=blocks)

    return _first(look, write, reservation.during, occupied, now, kept_id)


def keep(instrument: Instrument, kept: Occupancy, during: TimeRange, zone: ZoneInfo, now: datetime) -> None:
    """Keep the time of somebody who can assist in ``during`` beside a hold or an offer, as long as that lasts.

    Part of the caller's transaction; nothing where nobody has to assist. Raises NobodyCan.
    """
    occupied = TimeRange(kept.during.lower, kept.during.upper)

    def write(one: Helper) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(_KEEP, {"calendar": one.calendar_id, "kept": kept.pk})
            return cursor.rowcount > 0

    _first(lambda: helpers(instrument.pk, occupied, during.starts_at, zone, now), write, during, occupied, now)


def keep_proposed(
    locked: Reservation, instrument: Instrument, during: TimeRange, occupied: TimeRange, zone: ZoneInfo, now: datetime
) -> None:
    """Keep the time of somebody who can assist in ``during`` on ``instrument``, until the proposal to move there ends: of whoever assists
    now, where they can. What they have of the session already stays theirs by itself.

    An occupancy of the proposal's own, so that it ends with the instrument's. Part of the caller's transaction; nothing where nobody has to
    assist. Raises NobodyCan.
    """
    if locked.service_mode != ASSISTED:
        return
    row = of(locked)

    def look() -> list[Helper]:
        return helpers(instrument.pk, occupied, during.starts_at, zone, now, without_id=locked.pk)

    def write(one: Helper) -> bool:
        own = locked.occupancies.filter(blocking=True, calendar_id=one.calendar_id).values_list("during", flat=True)
        parts = subtract([occupied], [TimeRange(each.lower, each.upper) for each in own])
        values: dict[str, Any] = {
            "calendar": one.calendar_id,
            "reservation": locked.pk,
            "parts": [_range(part) for part in parts],
        }
        with connection.cursor() as cursor:
            cursor.execute(_KEEP_PROPOSED, values)
            written = [pk for (pk,) in cursor.fetchall()]
        if len(written) < len(parts):
            Occupancy.objects.filter(pk__in=written).delete()
        return len(written) == len(parts)

    _first(look, write, during, occupied, now, row.calendar.assistant.pk if row is not None else None)


def end_proposed(locked: Reservation) -> bool:
    """Give people's time back that a proposal to move keeps, the instrument's stays kept; whether there was any."""
    if locked.service_mode != ASSISTED:
        return False
    rows = locked.occupancies.filter(source=OccupancySource.CHANGE, calendar__assistant__isnull=False)
    return rows.delete()[0] > 0


def _first(
    look: Callable[[], list[Helper]],
    write: Callable[[Helper], bool],
    during: TimeRange,
    occupied: TimeRange,
    now: datetime,
    kept_id: int | None = None,
) -> int | None:
    """The first in turn whose time could be written; None where nobody has to assist. Keepings that do not count any more are taken away
    only where they matter. Raises NobodyCan."""
    while found := look():
        for one in in_turn(found, during, occupied, kept_id):
            if write(one):
                return one.id
        if not end_expired([one.calendar_id for one in found], occupied, now):
            raise NobodyCan
    return None


def end_expired(calendar_ids: Sequence[int], occupied: TimeRange, now: datetime) -> bool:
    """Give people's time back that expired holds and offers keep; whether there was any."""
    rows = Occupancy.objects.filter(source=OccupancySource.KEEPING, expires_at__lte=now, during__overlap=_range(occupied))
    return rows.filter(calendar_id__in=calendar_ids).delete()[0] > 0


_KEEP = """
INSERT INTO booking_occupancy (calendar_id, during, blocking, source, note, holder_id, held_since, expires_at, beside_id)
SELECT %(calendar)s, h.during, h.blocking, 'keeping', '', h.holder_id, h.held_since, h.expires_at, h.id
  FROM booking_occupancy h WHERE h.id = %(kept)s
ON CONFLICT ON CONSTRAINT occupancy_no_overlap DO NOTHING
"""
_KEEP_PROPOSED = """
INSERT INTO booking_occupancy (calendar_id, during, blocking, source, reservation_id, note)
SELECT %(calendar)s, part, true, 'change', %(reservation)s, '' FROM unnest(%(parts)s::tstzrange[]) AS part
ON CONFLICT ON CONSTRAINT occupancy_no_overlap DO NOTHING RETURNING id
"""
_TAKE = """
INSERT INTO booking_occupancy (calendar_id, during, blocking, source, reservation_id, note)
SELECT %(calendar)s, o.during, o.blocking OR %(blocks)s, 'assistance', o.reservation_id, '' FROM booking_occupancy o
 WHERE o.reservation_id = %(reservation)s AND o.source = 'reservation'
ON CONFLICT ON CONSTRAINT occupancy_no_overlap DO NOTHING
"""


def take(reservation_id: int, calendar_id: int, *, blocks: bool = False) -> bool:
    """Write that somebody assists, unless they have something else by now; whether it was written. It waits for whoever writes at the
    same moment. ``blocks``: the booking keeps others out in a moment, if it does not yet."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"calendar": calendar_id, "reservation": reservation_id, "blocks": blocks})
        return cursor.rowcount > 0


def release(reservation: Reservation) -> int | None:
    """Nobody assists in it any more; the id of who did."""
    if reservation.service_mode != ASSISTED:
        return None
    rows = Occupancy.objects.filter(reservation=reservation, source=OccupancySource.ASSISTANCE)
    found = rows.values_list("calendar__assistant", flat=True).first()
    if found is not None:
        rows.delete()
    return found


def of(reservation: Reservation) -> Occupancy | None:
    """What the reservation takes of its assistant's calendar, with that person; None where nobody assists."""
    if reservation.service_mode != ASSISTED:
        return None
    rows = Occupancy.objects.filter(reservation=reservation, source=OccupancySource.ASSISTANCE)
    return rows.select_related("calendar__assistant__person").first()


def anew_where_needed(locked: Reservation, zone: ZoneInfo, now: datetime, *, must: bool = True) -> None:
    """Directly before a reservation keeps others out: whoever was chosen for it may have something else by now, where it kept nobody out
    yet, or may not assist there any more. Then another.

    ``must`` False: with nobody free it goes on alone, as the lab that begins it is there. What a proposal to move kept of people's time
    ends with the step that follows, and is in nobody's way. Raises NobodyCan.
    """
    end_proposed(locked)
    row = of(locked)
    if row is None:
        return
    occupied = TimeRange(row.during.lower, row.during.upper)
    named = helpers(locked.instrument_id, occupied, locked.starts_at, zone, now, without_id=locked.pk)
    if row.blocking and row.calendar_id in {one.calendar_id for one in named}:
        return
    kept = release(locked)
    try:
        assign(locked, occupied, zone, now, kept, blocks=True)
    except NobodyCan:
        if must:
            raise


def taken_by(reservation: Reservation) -> TimeRange:
    """What it takes of its instrument's calendar, which is what it takes of its assistant's: with the buffers of when it was written, and
    none where a list brought it. Its time alone where it takes nothing."""
    rows = Occupancy.objects.filter(reservation=reservation, source=OccupancySource.RESERVATION)
    during = rows.values_list("during", flat=True).first()
    return reservation.during if during is None else TimeRange(during.lower, during.upper)


def calendars_of(reservation: Reservation) -> list[int]:
    """The calendars on which a running session takes time: its instrument's, and that of who assists."""
    row = of(reservation)
    return [reservation.instrument.calendar_id, *([row.calendar_id] if row is not None else [])]


_PERSON = """
SELECT a.person_id FROM booking_occupancy o JOIN booking_assistant a ON a.calendar_id = o.calendar_id
 WHERE o.reservation_id = %(reservation)s AND o.source = 'assistance'
   AND (SELECT t.action FROM booking_reservationtransition t
         WHERE t.reservation_id = o.reservation_id AND t.action IN ('approve', 'take_back') ORDER BY t.id DESC LIMIT 1) = 'approve'
"""


def person_told(reservation: Reservation) -> int | None:
    """Who assists and hears what becomes of the session: once it was approved, and not before. The person's id."""
    if reservation.service_mode != ASSISTED:
        return None
    with connection.cursor() as cursor:
        cursor.execute(_PERSON, {"reservation": reservation.pk})
        row = cursor.fetchone()
    return row[0] if row else None


def _range(one: TimeRange) -> TimestamptzRange:
    return TimestamptzRange(one.starts_at, one.ends_at)
