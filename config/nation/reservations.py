"""Reservations of the synthetic country, with their occupancies and history, behind all guards; written by the database itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from booking.models import Occupancy, Reservation, ReservationTransition
from config.nation.bulk import built_afterwards
from config.nation.registry import ANSWERS, FIRMS, Made
from config.nation.shape import popularity

BATCH = 40_000
#: What is ahead of now of all the days, at most so many.
AHEAD_SHARE, MOST_AHEAD = 4, 45
SLOTS_A_DAY = 3
_ZONE = ZoneInfo("Asia/Shanghai")


def write(made: list[Made], total: int, days: int, seed: int, now: datetime, said: Callable[[int], None]) -> int:
    """Spread ``total`` reservations over ``days`` around ``now`` by Zipf's law; returns how many there was room for."""
    bookable = [one.id for one in made if one.hours is not None and one.id % 31]
    today = now.astimezone(_ZONE).date()
    first = today - timedelta(days=days - min(MOST_AHEAD, days // AHEAD_SHARE))
    monday = first - timedelta(days=first.weekday())
    capacity = days * 5 // 7 * SLOTS_A_DAY
    counts = popularity(len(bookable), total, capacity, seed)
    firms_after = max(one.site for one in made)
    values: dict[str, Any] = {
        "capacity": capacity, "monday": monday, "now": now, "zone": _ZONE.key, "slots": SLOTS_A_DAY,
        "first_firm": _first_firm(firms_after), "firms": FIRMS, "answers": ANSWERS,
    }  # fmt: skip
    written = 0
    with built_afterwards(Reservation, Occupancy, ReservationTransition), connection.cursor() as cursor:
        for ids, wanted in _batches(bookable, counts):
            cursor.execute(_FILL, values | {"ids": ids, "counts": wanted})
            written += int(cursor.fetchone()[0])
            said(written)
    return written


def _first_firm(after: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(id) FROM instruments_organisation WHERE kind = 'firm' AND id >= %s", [after])
        return int(cursor.fetchone()[0])


def _batches(ids: list[int], counts: list[int]) -> Iterator[tuple[list[int], list[int]]]:
    """Instruments with together about as many reservations as one statement should write."""
    taken: tuple[list[int], list[int]] = ([], [])
    size = 0
    for pk, count in zip(ids, counts, strict=True):
        if not count:
            continue
        taken[0].append(pk)
        taken[1].append(count)
        size += count
        if size >= BATCH:
            yield taken
            taken, size = ([], []), 0
    if taken[0]:
        yield taken


#: Reservation j of n takes a slot of its own: the slots of all the days are cut into n stretches, and it lies somewhere in the j-th.
_FILL = """
WITH wanted AS (
    SELECT i.id AS instrument_id, i.calendar_id, w.n, j, (%(capacity)s::bigint * j / w.n)::int AS stretch,
           hashint8(i.id * 7919 + j)::bigint & 1048575 AS dice
      FROM unnest(%(ids)s::bigint[], %(counts)s::int[]) AS w (id, n)
      JOIN instruments_instrument i ON i.id = w.id CROSS JOIN LATERAL generate_series(0, w.n - 1) AS j
), placed AS (
    SELECT *, stretch + (dice %% greatest(1, %(capacity)s / n))::int AS slot FROM wanted
), timed AS (
    SELECT *, (%(monday)s::date + slot / %(slots)s / 5 * 7 + slot / %(slots)s %% 5
               + CASE slot %% %(slots)s WHEN 0 THEN time '09:00' WHEN 1 THEN time '11:30' ELSE time '14:30' END)
              AT TIME ZONE %(zone)s AS starts_at,
           make_interval(mins => 60 + 30 * (dice / 8 %% (CASE slot %% %(slots)s WHEN 1 THEN 5 ELSE 4 END))::int) AS length,
           CASE WHEN dice %% 11 = 0 THEN 'cancelled' WHEN dice %% 7 = 0 THEN 'requested' ELSE 'approved' END AS wish
      FROM placed
), made AS (
    INSERT INTO booking_reservation
        (instrument_id, organisation_id, requested_by_id, starts_at, ends_at, state, service_mode, purpose, research_project, created_at)
    SELECT instrument_id, %(first_firm)s + dice %% %(firms)s, 1, starts_at, starts_at + length,
           CASE WHEN wish = 'requested' AND starts_at <= %(now)s THEN 'expired' ELSE wish END, 'self_operated', 'nation', '',
           least(starts_at, %(now)s) - make_interval(hours => 40 + (dice %% 200)::int)
      FROM timed
    RETURNING id, instrument_id, starts_at, ends_at, state, created_at
), occupied AS (
    INSERT INTO booking_occupancy (calendar_id, during, blocking, source, reservation_id, note)
    SELECT i.calendar_id, tstzrange(m.starts_at, m.ends_at), m.state IN ('approved', 'requested'), 'reservation', m.id, ''
      FROM made m JOIN instruments_instrument i ON i.id = m.instrument_id
), told AS (
    INSERT INTO booking_reservationtransition (reservation_id, action, from_state, to_state, actor_id, at, reason)
    SELECT id, 'request', '', 'requested', 1, created_at, '' FROM made
    UNION ALL
    SELECT id, CASE state WHEN 'approved' THEN 'approve' WHEN 'cancelled' THEN 'cancel' ELSE 'expire' END, 'requested', state,
           CASE state WHEN 'approved' THEN %(answers)s WHEN 'cancelled' THEN 1 END,
           created_at + make_interval(hours => (1 + id %% 30)::int), ''
      FROM made WHERE state <> 'requested'
)
SELECT count(*) FROM made
"""
