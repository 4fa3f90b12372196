"""Who may have time: the read model and the registry's flat table, narrowed down by the database. Nothing here is the last word.

Where few instruments match, each one's days are looked at (*by entry*). Where many do, the days are walked through in the order of
their first free instant, and what is met is checked for the filters (*by day*), so that neither costs more for a larger country.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection

from booking.rules.assistance import ASSISTED
from booking.rules.time_search import TimeSearch
from instruments.models import BOOKABLE_STATUSES, POLICY_NUMBERS
from instruments.rules.facets import LETTERS
from instruments.rules.regions import division_prefix
from instruments.services import search_tokens

#: Up to so many matching instruments are looked at one by one.
FEW = 3000
#: How many days are met at first when walking, and at most.
WALKED, MOST_WALKED = 240, 16_000
#: A stretch that is longer is found by its first so many minutes: a day's row sees no further than the next day.
SEEN_MINUTES = 23 * 60
#: Counts of days say "so many and more" beyond this.
MOST_COUNTED = 500


@dataclass(frozen=True, slots=True)
class Candidate:
    """An instrument that seems to be free from ``fits_at`` on; never later than it really is."""

    instrument_id: int
    calendar_id: int
    fits_at: datetime
    region_code: str


@dataclass(frozen=True, slots=True)
class Candidates:
    """The earliest of them, by ``fits_at``. Instruments that are not among them are not free before ``sure_until`` (None: there
    are no others). ``walked``: by day, so that asking for more makes little surer."""

    rows: list[Candidate]
    sure_until: datetime | None
    walked: bool = False


@dataclass(frozen=True, slots=True)
class DayCount:
    """How many instruments have a free stretch that is long enough on a local day, and the lowest public price per hour among
    them (fen). ``more``: at least so many; then the lowest price is not known."""

    local_on: date
    count: int
    more: bool
    price_from_fen: int | None


def earliest(search: TimeSearch, now: datetime, limit: int, *, beside: str = "") -> Candidates:
    """The candidates with the earliest stretches; ``beside`` leaves a division out."""
    values = _values(search, now) | {"limit": limit, "few": FEW}
    return _one_by_one(_few_of(search, values, beside), values, limit) or _walk(search, values, now, limit, beside)


def _one_by_one(few: str, values: dict[str, Any], limit: int) -> Candidates | None:
    """None where more than ``FEW`` match: the statement that looks at them counts them first."""
    sql = _BY_ENTRY.format(few=few)
    near = 2 * limit
    while True:
        rows = _fetch(sql, values | {"near": near})
        met, last_at, matching = rows[0][4:7]
        if matching > FEW:
            return None
        found = [Candidate(*row[:4]) for row in rows if row[0] is not None]
        if len(found) == limit or met < near:
            break
        near *= 8
    bounds = [last_at] if met == near else []
    bounds += [found[-1].fits_at] if len(found) == limit else []
    return Candidates(found, min(bounds, default=None))


def _walk(search: TimeSearch, values: dict[str, Any], now: datetime, limit: int, beside: str) -> Candidates:
    found: dict[int, Candidate] = {}
    sure_until: datetime | None = None
    sql = _BY_DAY.format(where=_conditions(search, values, beside))
    day = search.first_on
    while day <= search.last_on:
        walked = WALKED
        while True:
            rows = _fetch(sql, values | {"day": day, "walked": walked})
            met, last_at = (rows[0][4], rows[0][5]) if rows else (0, None)
            if len(found) + len(rows) >= limit or met < walked or walked >= MOST_WALKED:
                break
            walked *= 8
        for instrument_id, calendar_id, fits_at, region_code, _met, _last in rows:
            if instrument_id is not None:
                found.setdefault(instrument_id, Candidate(instrument_id, calendar_id, fits_at, region_code))
        if met >= walked:  # the day holds more: what was not met is not free before the last one that was
            sure_until = max(last_at or now, now)
            break
        if len(found) >= limit:
            sure_until = _first_instant_after(day)
            break
        day += timedelta(days=1)
    ordered = sorted(found.values(), key=lambda one: (one.fits_at, one.instrument_id))
    if len(ordered) > limit:
        cut = ordered[limit - 1].fits_at
        sure_until = cut if sure_until is None else min(cut, sure_until)
    return Candidates(ordered[:limit], sure_until, walked=True)


@dataclass(frozen=True, slots=True)
class Helped:
    """An instrument that is used with assistance, by those who were named for it, and its lowest public price per hour (fen)."""

    instrument_id: int
    price_from_fen: int | None


def helped(search: TimeSearch, now: datetime, most: int) -> list[Helped]:
    """Of those that match but for time the first ``most`` that are no use where nobody can assist (``rules.assistance.meant_mode``)."""
    if search.service_mode not in ("", ASSISTED):
        return []
    values = _values(search, now) | {"most": most, "alone": [ASSISTED], "any": search.service_mode == ASSISTED}
    return [Helped(*row) for row in _fetch(_HELPED.format(where=_conditions(search, values, "")), values)]


def count_by_day(search: TimeSearch, now: datetime, without: Sequence[int] = ()) -> list[DayCount]:
    """For each local day of the search, but for the instruments ``without``; the notice that labs need is taken into account, the
    reservations' buffers are not."""
    values = _values(search, now) | {"few": FEW, "most": MOST_COUNTED + 1, "without": list(without)}
    beyond = " AND NOT coalesce(e.instrument_id = ANY(%(without)s), false)" if without else ""
    rows = _fetch(_DAYS_BY_ENTRY.format(few=_few_of(search, values, "", beyond)), values)
    if rows[0][3] > FEW:
        rows = _fetch(_DAYS_BY_DAY.format(where=_conditions(search, values, "") + beyond), values)
    found = {row[0]: row for row in rows}
    days = [search.first_on + timedelta(days=n) for n in range((search.last_on - search.first_on).days + 1)]
    return [_counted(day, found.get(day)) for day in days]


def _counted(day: date, row: tuple[Any, ...] | None) -> DayCount:
    count, price = row[1:3] if row is not None else (0, None)
    more = count > MOST_COUNTED
    return DayCount(day, min(count, MOST_COUNTED), more, None if more else price)


def matching(search: TimeSearch, now: datetime) -> tuple[int, int, int]:
    """How many bookable instruments match but for time (at most FEW + 1), how many of those are being calculated, and the longest
    free stretch (minutes) that one of them has in the days of the search."""
    values = _values(search, now) | {"few": FEW + 1}
    where = _conditions(search, values, "")
    ((count, calculating, longest),) = _fetch(_MATCHING.format(where=where), values)
    return count, calculating, longest or 0


def calculating_of(search: TimeSearch, now: datetime) -> int:
    """How many instruments that match but for time are being calculated, so that they may be missing; counted among the first thousand
    calendars that are being calculated."""
    values = _values(search, now)
    where = _conditions(search, values, "")
    ((count,),) = _fetch(_CALCULATING.format(where=where), values)
    return int(count)


def _values(search: TimeSearch, now: datetime) -> dict[str, Any]:
    today = now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
    return {
        "now": now,
        "today": today,
        "first_on": search.first_on,
        "last_on": search.last_on,
        "minutes": search.duration_minutes,
        "seen": min(search.duration_minutes, SEEN_MINUTES),
        "runs": list(BOOKABLE_STATUSES),
    }


def _few_of(search: TimeSearch, values: dict[str, Any], beside: str, beyond: str = "") -> str:
    """The beginning of a statement that looks at what matches, one by one; ``beyond``: further conditions. By technique and place alone
    it is read side by side (``CatalogueTechnique``), else from the entries themselves."""
    if not (search.technique and set(search.active) <= {"technique", "region_code"}):
        where = _conditions(search, values, beside)
        return _FEW_ENTRIES.format(source="instruments_catalogueentry", where=where + beyond)
    where = f"e.technique = %(technique)s AND (e.bookable OR e.instrument_id IN ({_RETURNING}))"
    values["technique"] = search.technique
    if search.region_code:
        where += f" AND {_within('e.region_code', 'place', search.region_code, values)}"
    if beside:
        where += f" AND NOT {_within('e.region_code', 'beside', beside, values)}"
    return _FEW_ENTRIES.format(source="instruments_cataloguetechnique", where=where + beyond)


def _within(column: str, name: str, division: str, values: dict[str, Any]) -> str:
    """Whether a place lies in a division."""
    low = division_prefix(division)
    values |= {f"{name}_low": low, f"{name}_high": f"{low:9<6}"}
    return f"({column} >= %({name}_low)s AND {column} <= %({name}_high)s)"


def _conditions(search: TimeSearch, values: dict[str, Any], beside: str) -> str:
    """The conditions on an entry ``e``; their values go into ``values``."""
    found = [f"e.instrument_id IS NOT NULL AND e.public AND (e.bookable OR e.instrument_id IN ({_RETURNING}))"]

    def add(condition: str, **given: Any) -> None:
        found.append(condition)
        values.update(given)

    if search.text:
        asked = search_tokens.query(search.text)
        add("e.search @@ %(text)s::tsquery" if asked else "false", text=asked)
    # As facets, so that narrower techniques and all divisions within one are found too, both by one index.
    wanted = [f"{LETTERS[name]}:{value}" for name in ("technique", "region_code") if (value := getattr(search, name))]
    if wanted:
        add("e.facets @> %(wanted)s::varchar[]", wanted=wanted)
    if search.class_code:
        add("e.class_code LIKE %(class)s", **{"class": search.class_code + "%"})
    if search.zone:
        add("e.zones @> %(zones)s::varchar[]", zones=[search.zone])
    if search.owner is not None:
        add("e.organisation_id = %(owner)s", owner=search.owner)
    if search.service_mode:
        add("e.service_modes @> %(modes)s::varchar[]", modes=[search.service_mode])
    if search.no_training:
        add("NOT e.training_needed")
    if search.no_approval:
        add("NOT e.approval_needed")
    if beside:
        add(f"NOT {_within('e.region_code', 'beside', beside, values)}")
    return " AND ".join(found)


def _fetch(sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def _first_instant_after(day: date) -> datetime:
    """The earliest instant at which a local day after ``day`` begins anywhere on earth (UTC+14)."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1, hours=-14)


#: Instruments that do not run and can be booked again once their breakdown is over: their calendar is taken until then.
_RETURNING = """
    SELECT b.instrument_id FROM booking_downtime b
     WHERE b.closed_at IS NULL AND b.kind = 'breakdown' AND b.status_before = ANY(%(runs)s)"""
_HELPED = """
SELECT e.instrument_id, e.price_from_fen FROM instruments_catalogueentry e
 WHERE {where} AND (%(any)s OR e.service_modes = %(alone)s::varchar[])
   AND e.instrument_id IN (SELECT instrument_id FROM booking_instrumentassistant)
 ORDER BY e.instrument_id LIMIT %(most)s"""
#: As ``BookingPolicy.may_last``.
_FITS_POLICY = """
    %(minutes)s >= e.min_minutes AND (e.max_minutes IS NULL OR %(minutes)s <= e.max_minutes)
    AND (%(minutes)s %% e.granularity_minutes = 0 OR 1440 %% e.granularity_minutes <> 0)
"""
#: From when on, until which day and by which grid what matches can be asked for, if for so long at all.
_ENTRY = f"""
    SELECT e.instrument_id, e.calendar_id, e.region_code, e.price_from_fen,
           %(now)s + make_interval(mins => e.notice_minutes) AS from_at,
           %(today)s::date + 1 + e.horizon_days AS until_on, make_interval(mins => e.granularity_minutes) AS step
      FROM {{source}} WHERE {_FITS_POLICY}
"""  # noqa: S608
#: What matches, and of that, unless there are too many, what the policy lets ask for so long: by calendar, so that the index of their days
#: is gone through in its own order.
_FEW_ENTRIES = f"""
WITH matching AS MATERIALIZED (
    SELECT e.instrument_id, e.calendar_id, e.region_code, e.price_from_fen, {", ".join(f"e.{name}" for name in POLICY_NUMBERS)}
      FROM {{source}} e WHERE {{where}} LIMIT %(few)s + 1
), e AS MATERIALIZED ({_ENTRY.replace("{source}", "matching e")} AND (SELECT count(*) FROM matching) <= %(few)s ORDER BY e.calendar_id)"""  # noqa: S608
#: Fenced off, so that each is found by its calendar.
_ENTRIES_OF_NEAR = """
    near CROSS JOIN LATERAL (
        SELECT * FROM instruments_catalogueentry e WHERE e.calendar_id = near.calendar_id AND {where} OFFSET 0) e
"""
#: The first instant from ``at`` on that lies on the policy's grid of a day, which begins anew at its end. On a day whose clock changes the
#: grid is left to the last word.
_ON_GRID = """CASE WHEN {day}.ends_at - {day}.starts_at = interval '24 hours'
                       THEN CASE WHEN {at} >= {day}.ends_at THEN {at}
                                 ELSE least(date_bin(e.step, {at} + e.step - interval '1 microsecond', {day}.starts_at), {day}.ends_at)
                            END ELSE {at} END"""
#: Where in a day's free stretches (those over midnight too) one begins that is long enough.
_FIT = f"""
    SELECT min(place.at) AS fits_at
      FROM unnest(CASE WHEN upper(d.free) = d.ends_at AND d.continues_until IS NOT NULL
                       THEN d.free + tstzmultirange(tstzrange(d.ends_at, d.continues_until)) ELSE d.free END) AS r
      CROSS JOIN LATERAL (
           SELECT {_ON_GRID.format(at="greatest(lower(r), e.from_at)", day="d")} AS at OFFSET 0) place
     WHERE upper(r) - place.at >= make_interval(mins => %(seen)s) AND place.at < d.ends_at
"""  # noqa: S608  (constants only; values are bound)
#: Each entry's first day that may have a stretch, and the earliest instant on the policy's grid at which it could begin: read from the
#: columns alone.
_FIRST_DAY = f"""
    SELECT e.*, day.local_on, {_ON_GRID.format(at="greatest(day.first_free_at, e.from_at)", day="day")} AS at_least
      FROM {{entries}} CROSS JOIN LATERAL (
           SELECT d.local_on, d.first_free_at, d.starts_at, d.ends_at FROM booking_dayavailability d
            WHERE d.calendar_id = e.calendar_id AND d.local_on BETWEEN %(first_on)s AND least(%(last_on)s::date, e.until_on)
              AND d.longest_free_minutes >= %(seen)s AND d.free_until >= e.from_at + make_interval(mins => %(seen)s)
            ORDER BY d.local_on LIMIT 1) day
"""  # noqa: S608  (constants only; values are bound)
#: Those that ask for the least notice are looked at first: whose notice alone lies beyond what enough of them have is not near. Only the
#: nearest are looked at more closely, and none where too many match.
_BY_ENTRY = f"""{{few}}, turn AS MATERIALIZED (
    SELECT e.*, row_number() OVER (ORDER BY e.from_at, e.calendar_id) <= 4 * %(near)s AS early FROM e
), early AS MATERIALIZED ({_FIRST_DAY.format(entries="(SELECT * FROM turn WHERE early) e")}
), reach AS MATERIALIZED (
    SELECT coalesce((SELECT at_least FROM early ORDER BY at_least OFFSET %(near)s - 1 LIMIT 1), 'infinity') AS at
), near AS MATERIALIZED (
    SELECT * FROM early
     UNION ALL
    {_FIRST_DAY.format(entries="(SELECT * FROM turn WHERE NOT early AND from_at <= (SELECT at FROM reach) ORDER BY calendar_id) e")}
     ORDER BY at_least, instrument_id LIMIT %(near)s
), found AS (
    SELECT e.instrument_id, e.calendar_id, first.fits_at, e.region_code
      FROM near e CROSS JOIN LATERAL (
           SELECT fit.fits_at FROM booking_dayavailability d CROSS JOIN LATERAL ({_FIT}) fit
            WHERE d.calendar_id = e.calendar_id AND d.local_on BETWEEN e.local_on AND least(%(last_on)s::date, e.until_on)
              AND d.longest_free_minutes >= %(seen)s AND fit.fits_at IS NOT NULL
            ORDER BY d.local_on LIMIT 1) first
     ORDER BY first.fits_at, e.instrument_id LIMIT %(limit)s
)
SELECT found.*, met.count, met.last_at, (SELECT count(*) FROM matching)
  FROM (SELECT count(*) AS count, max(at_least) AS last_at FROM near) met LEFT JOIN found ON true
"""  # noqa: S608  (constants only; values are bound)
#: One row without an instrument says how many days were met when none of them matches.
_BY_DAY = f"""
WITH near AS MATERIALIZED (
    SELECT calendar_id, first_free_at FROM booking_dayavailability
     WHERE local_on = %(day)s AND longest_free_minutes >= %(seen)s AND free_until >= %(now)s + make_interval(mins => %(seen)s)
     ORDER BY first_free_at LIMIT %(walked)s
), e AS MATERIALIZED ({_ENTRY.replace("{source}", _ENTRIES_OF_NEAR)}),
found AS (
    SELECT e.instrument_id, e.calendar_id, fit.fits_at, e.region_code
      FROM e JOIN booking_dayavailability d ON d.calendar_id = e.calendar_id AND d.local_on = %(day)s
      CROSS JOIN LATERAL ({_FIT}) fit
     WHERE fit.fits_at IS NOT NULL AND d.local_on <= e.until_on
     ORDER BY fit.fits_at, e.instrument_id LIMIT 4 * %(limit)s
)
SELECT found.*, met.count, met.last_at
  FROM (SELECT count(*) AS count, max(first_free_at) AS last_at FROM near) met LEFT JOIN found ON true
"""  # noqa: S608
#: One row without a day says how many match when none has time, or too many match to look.
_DAYS_BY_ENTRY = """{few}, days AS (
    SELECT d.local_on, count(*) AS count, min(e.price_from_fen) AS price
      FROM e JOIN booking_dayavailability d ON d.calendar_id = e.calendar_id
     WHERE d.local_on BETWEEN %(first_on)s AND least(%(last_on)s::date, e.until_on) AND d.longest_free_minutes >= %(seen)s
       AND d.free_until >= e.from_at + make_interval(mins => %(seen)s)
     GROUP BY d.local_on
)
SELECT days.*, found.count FROM (SELECT count(*) AS count FROM matching) found LEFT JOIN days ON true
"""
_DAYS_BY_DAY = f"""
SELECT day.local_on, met.count, met.price FROM generate_series(%(first_on)s::date, %(last_on)s::date, '1 day') AS each (day)
 CROSS JOIN LATERAL (SELECT each.day::date AS local_on) day CROSS JOIN LATERAL (
     SELECT count(*) AS count, min(price_from_fen) AS price FROM (
         SELECT e.price_from_fen FROM booking_dayavailability d
          CROSS JOIN LATERAL (
              SELECT * FROM instruments_catalogueentry e WHERE e.calendar_id = d.calendar_id AND {{where}} OFFSET 0) e
          WHERE d.local_on = day.local_on AND d.longest_free_minutes >= %(seen)s AND {_FITS_POLICY}
            AND d.free_until >= %(now)s + make_interval(mins => e.notice_minutes + %(seen)s)
            AND d.local_on <= %(today)s::date + 1 + e.horizon_days
          LIMIT %(most)s) AS counted) met
"""  # noqa: S608
#: From the few calendars that wait, each entry found by its calendar.
_CALCULATING = """
WITH waiting AS MATERIALIZED (
    SELECT calendar_id FROM booking_calendaravailability WHERE calculating_since IS NOT NULL LIMIT 1000)
SELECT count(*) FROM waiting CROSS JOIN LATERAL (
    SELECT FROM instruments_catalogueentry e WHERE e.calendar_id = waiting.calendar_id AND {where} OFFSET 0) found
"""
_MATCHING = """
WITH e AS MATERIALIZED (SELECT calendar_id FROM instruments_catalogueentry e WHERE {where} LIMIT %(few)s)
SELECT (SELECT count(*) FROM e),
       (SELECT count(*) FROM e LEFT JOIN booking_calendaravailability a ON a.calendar_id = e.calendar_id
         WHERE a.calendar_id IS NULL OR a.calculating_since IS NOT NULL),
       (SELECT max(d.longest_free_minutes) FROM e JOIN booking_dayavailability d ON d.calendar_id = e.calendar_id
         WHERE d.local_on BETWEEN %(first_on)s AND %(last_on)s AND d.free_until > %(now)s)
"""
