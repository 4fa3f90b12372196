"""What a person holds at a time, for the write path of a reservation and for jobs: each function is one statement.

They lie outside of ``booking.queries`` because services call them. An instrument that nobody needs a licence for says so in its
policy (``licence_needed``), which is read with the instrument anyway: without it none of this is asked.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from booking.models import Licence, Reservation
from booking.rules.assistance import ASSISTED
from booking.rules.licensing import OPERATED
from booking.rules.states import IN_REVIEW, ReservationState
from booking.rules.training import Level, with_implied
from booking.rules.week_time import WeekTime, parts_within
from config.kernel.statements import planned_once
from config.kernel.time_range import TimeRange
from instruments.models import Instrument

#: A reservation in one of these counts as use of what a licence is for: it was used, whatever is disputed about it, or will be before the
#: time asked about.
_USING = (ReservationState.APPROVED, ReservationState.IN_USE, *IN_REVIEW, ReservationState.AGREED)
#: Levels with which a person may work alone.
_ALONE = (Level.SELF, Level.OFF_HOURS)


def _covers(instrument: str) -> str:
    """SQL: licence ``l`` is for the instrument of that alias."""
    return (
        f"(l.instrument_id IS NULL OR l.instrument_id = {instrument}.id) AND starts_with({instrument}.class_code, l.class_code)"
    )


def _in_force(at: str) -> str:
    """SQL: licence ``l`` holds at that instant: granted, neither taken away nor run out, nor unused for too long."""
    return f"""l.state = 'valid' AND l.granted_at <= {at} AND (l.valid_until IS NULL OR l.valid_until > {at})
    AND (l.unused_months IS NULL OR {at} < make_interval(months => l.unused_months::int) + GREATEST(l.granted_at, (
        SELECT max(used.starts_at) FROM booking_reservation used JOIN instruments_instrument u ON u.id = used.instrument_id
         WHERE used.requested_by_id = l.person_id AND u.organisation_id = l.organisation_id AND used.state = ANY(%(using)s)
           AND used.starts_at < {at} AND {_covers("u")})))"""  # noqa: S608  (constants only; values are bound)


_LEVELS_HELD = f"""
SELECT l.level FROM booking_licence l JOIN instruments_instrument i ON i.id = %(instrument)s
 WHERE l.person_id = %(person)s AND l.organisation_id = i.organisation_id AND {_covers("i")} AND {_in_force("%(at)s")}
"""  # noqa: S608
_LEVELS_HELD_EACH = f"""
SELECT m.place, l.level FROM unnest(%(instruments)s::bigint[], %(moments)s::timestamptz[]) WITH ORDINALITY AS m (instrument_id, at, place)
  JOIN instruments_instrument i ON i.id = m.instrument_id
  JOIN booking_licence l ON l.organisation_id = i.organisation_id
 WHERE l.person_id = %(person)s AND {_covers("i")} AND {_in_force("m.at")}
"""  # noqa: S608
_LEVELS_HELD_AT = f"""
SELECT m.at, l.level FROM unnest(%(moments)s::timestamptz[]) AS m (at) CROSS JOIN booking_licence l
  JOIN instruments_instrument i ON i.id = %(instrument)s
 WHERE l.person_id = %(person)s AND l.organisation_id = i.organisation_id AND {_covers("i")} AND {_in_force("m.at")}
"""  # noqa: S608
_IN_FORCE_OF = f"SELECT l.id FROM booking_licence l WHERE l.id = ANY(%(ids)s) AND {_in_force('%(at)s')}"  # noqa: S608


#: SQL: when the person of ``r`` comes: at its start, or now where that has passed.
_COMES = "GREATEST(r.starts_at, %(now)s::timestamptz)"
#: SQL: somebody of the lab assists in the reservation ``r``.
_ATTENDED = "EXISTS (SELECT FROM booking_occupancy o WHERE o.reservation_id = r.id AND o.source = 'assistance')"


def _of(modes: str, rules: str, levels: str) -> str:
    """SQL: a session (``r``) of ``modes`` where the policy says ``rules``, whose person will hold none of ``levels`` when they come."""
    return f"""
FROM booking_reservation r
  JOIN instruments_instrument i ON i.id = r.instrument_id
  JOIN booking_instrumentpolicy p ON p.instrument_id = i.id AND {rules}
  JOIN instruments_site t ON t.id = i.site_id
 WHERE {modes} AND NOT EXISTS (
    SELECT FROM booking_licence l WHERE l.person_id = r.requested_by_id AND l.organisation_id = i.organisation_id
       AND l.level = ANY({levels}) AND {_covers("i")} AND {_in_force(_COMES)})
"""


def _unlicensed(which: str) -> str:
    """SQL: those of ``which`` that need a licence nobody holds then (the first two parts), and those that would need one for off-hours if
    they touch such times, which Python looks at (the last part, with the times): id, start, end, times, zone. As
    ``booking.rules.licensing`` says, but for an assisted session what counts is who assists in it."""
    operated, assisted = "r.service_mode = ANY(%(operated)s)", "r.service_mode = %(assisted)s"
    needed = _of(operated, """p.rules @> '{"licence_needed": true}'""", "%(alone)s")
    for_it = _of(assisted, """p.rules @> '{"assisted_licence_needed": true}'""", "%(any)s")
    times = "jsonb_array_length(COALESCE(p.rules -> 'licensed_times', '[]')) > 0"
    off_hours = _of(f"({operated} OR ({assisted} AND NOT {_ATTENDED}))", times, "%(off_hours)s")
    return f"""
SELECT r.id, r.starts_at, r.ends_at, NULL::jsonb, t.time_zone {needed} AND {which}
 UNION ALL
SELECT r.id, r.starts_at, r.ends_at, NULL::jsonb, t.time_zone {for_it} AND {which}
 UNION ALL
SELECT r.id, r.starts_at, r.ends_at, p.rules -> 'licensed_times', t.time_zone {off_hours} AND {which}
 ORDER BY 2, 1
"""


_WITHOUT_LICENCE = _unlicensed("r.id = ANY(%(ids)s)")
_GAPS_AHEAD = _unlicensed(
    "r.state = ANY(%(states)s) AND r.starts_at > %(now)s AND r.starts_at <= %(until)s"
    " AND NOT EXISTS (SELECT FROM booking_licencegap g WHERE g.reservation_id = r.id)"
)
_HOW: dict[str, Any] = {
    "operated": list(OPERATED),
    "assisted": ASSISTED,
    "any": [level.value for level in Level],
    "alone": list(_ALONE),
    "off_hours": [Level.OFF_HOURS.value],
    "using": list(_USING),
}


def levels_held(person_id: int, instrument_id: int, at: datetime) -> frozenset[str]:
    """The levels that a person holds for an instrument at an instant, with all that they include: one statement."""
    values: dict[str, Any] = {"person": person_id, "instrument": instrument_id, "at": at, "using": list(_USING)}
    with planned_once() as cursor:
        cursor.execute(_LEVELS_HELD, values)
        return with_implied(level for (level,) in cursor.fetchall())


def levels_held_at(person_id: int, instrument_id: int, moments: Collection[datetime]) -> dict[datetime, frozenset[str]]:
    """As ``levels_held`` for many instants, each a key: one statement, and none for no instants."""
    if not moments:
        return {}
    values: dict[str, Any] = {"person": person_id, "instrument": instrument_id, "moments": list(moments), "using": list(_USING)}
    levels: dict[datetime, set[str]] = {moment: set() for moment in moments}
    with connection.cursor() as cursor:
        cursor.execute(_LEVELS_HELD_AT, values)
        for moment, level in cursor.fetchall():
            levels[moment].add(level)
    return {moment: with_implied(held) for moment, held in levels.items()}


def levels_held_each(person_id: int, asked: Sequence[tuple[int, datetime]]) -> list[frozenset[str]]:
    """As ``levels_held`` for each of many instruments at an instant of its own: one statement, and none for none."""
    if not asked:
        return []
    values: dict[str, Any] = {
        "person": person_id,
        "instruments": [instrument_id for instrument_id, _at in asked],
        "moments": [at for _instrument_id, at in asked],
        "using": list(_USING),
    }
    levels: list[set[str]] = [set() for _one in asked]
    with connection.cursor() as cursor:
        cursor.execute(_LEVELS_HELD_EACH, values)
        for place, level in cursor.fetchall():
            levels[place - 1].add(level)
    return [with_implied(held) for held in levels]


def may_work_alone(person_id: int, instrument_id: int, at: datetime) -> bool:
    """Whether the person holds a licence to operate the instrument at that time."""
    return Level.SELF in levels_held(person_id, instrument_id, at)


def is_assisted_licence_needed(instrument: Instrument) -> bool:
    """Whether who is assisted must hold a licence; as ``is_licence_needed``."""
    policy = getattr(instrument, "policy", None)
    return policy is not None and bool(policy.rules.get("assisted_licence_needed"))


def is_licence_needed(instrument: Instrument) -> bool:
    """Whether who operates the instrument must hold a licence; its policy is read with it or here."""
    policy = getattr(instrument, "policy", None)
    return policy is not None and bool(policy.rules.get("licence_needed"))


def in_force(licences: Iterable[Licence], at: datetime) -> frozenset[int]:
    """The ids of those that hold at that instant: one statement."""
    ids = [one.pk for one in licences]
    if not ids:
        return frozenset()
    with connection.cursor() as cursor:
        cursor.execute(_IN_FORCE_OF, {"ids": ids, "at": at, "using": list(_USING)})
        return frozenset(pk for (pk,) in cursor.fetchall())


def without_licence(reservations: Iterable[Reservation], now: datetime) -> frozenset[int]:
    """The ids of reservations whose person will hold no licence at the start (or holds none now, where that has passed), where one is
    needed, or none for off-hours, where they touch such times: one statement."""
    ids = [one.pk for one in reservations]
    return frozenset(_lacking(_WITHOUT_LICENCE, {"ids": ids, "now": now})) if ids else frozenset()


def gaps_ahead(now: datetime, until: datetime, most: int) -> list[int]:
    """The ids of reservations as ``without_licence`` says that begin before ``until`` and of which nobody has been told, the soonest
    first, ``most`` at most: one statement."""
    states = [ReservationState.REQUESTED, ReservationState.APPROVED]
    return _lacking(_GAPS_AHEAD, {"states": states, "now": now, "until": until})[:most]


def _lacking(statement: str, values: dict[str, Any]) -> list[int]:
    """The ids that a statement of ``_unlicensed`` finds, each once, in its order."""
    with connection.cursor() as cursor:
        cursor.execute(statement, _HOW | values)
        rows = cursor.fetchall()
    return list(dict.fromkeys(pk for pk, *found in rows if _lacks(*found)))


def _lacks(starts_at: datetime, ends_at: datetime, times: Any, zone: str) -> bool:
    """Whether no licence is there at all (no ``times``), or the booked time touches those for which another one is needed."""
    if times is None:
        return True
    documents = json.loads(times) if isinstance(times, str) else times
    return bool(parts_within(map(WeekTime.read, documents), TimeRange(starts_at, ends_at), ZoneInfo(zone)))
