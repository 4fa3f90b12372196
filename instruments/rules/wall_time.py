"""From what a clock on the wall shows to an instant, and back, through gaps and repeated hours.

A *wall time* is a naive ``datetime``: what the site's clock shows. A zone is an IANA zone (``ZoneInfo``).
Instants are aware and come back in UTC. Times typed by people pass ``refuse_year`` first: the first and the last year of ``datetime``
have wall times without an instant. Nothing else here raises on a wall time that does not exist or exists twice:

* In a gap (the clock jumps forward) the missing wall time is shifted forward by the length of the gap,
  as RFC 5545 reads it: 02:30 in a gap from 02:00 to 03:00 means 03:30.
* In a fold (the clock goes back) a start means the first pass and an end the last pass, so that a window covers
  both passes of the hours that it names.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from config.kernel.errors import Refusal
from config.kernel.time_range import TimeRange

FIRST_YEAR, LAST_YEAR = 1970, 2199
_MOMENT = timedelta(microseconds=1)
_DAY = timedelta(days=1)


def refuse_year(day: date, field: str) -> None:
    """Raise Refusal ``calendar.year_out_of_range`` for a day (or wall time) outside ``FIRST_YEAR`` to ``LAST_YEAR``."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Refusal.of("calendar.year_out_of_range", field, first=FIRST_YEAR, last=LAST_YEAR)


def to_wall(instant: datetime, zone: ZoneInfo) -> datetime:
    """What a clock in ``zone`` shows at ``instant``: naive, without saying which pass of a repeated hour."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def start_instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """The instant (UTC) at which something that starts at ``wall`` starts."""
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def end_instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """The instant (UTC) at which something that ends at ``wall`` ends.

    In a fold this is the last pass, unless the repeated stretch only begins at ``wall``: nothing before it repeats
    then, and a window until 01:00 does not swallow a repeated 01:00 to 02:00.
    """
    passes = instants_showing(wall, zone)
    if len(passes) > 1 and len(instants_showing(wall - _MOMENT, zone)) > 1:
        return passes[-1]
    return start_instant(wall, zone)


def instants_showing(wall: datetime, zone: ZoneInfo) -> tuple[datetime, ...]:
    """Every instant (UTC, ascending) at which a clock in ``zone`` shows ``wall``: none in a gap, two in a fold."""
    early = start_instant(wall, zone)
    late = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if late < early:
        return ()
    return (early,) if late == early else (early, late)


def local_day(day: date, zone: ZoneInfo) -> TimeRange:
    """The local day as instants, from midnight to midnight: 23, 24 or 25 hours, as the zone has it.

    Raises ValueError for a day that the zone never had (Samoa left out 2011-12-30).
    """
    midnight = datetime.combine(day, time.min)
    return TimeRange(start_instant(midnight, zone), start_instant(midnight + _DAY, zone))
