"""When a person is told: at once, after the quiet hours, or with the next digest; and when a failed attempt is repeated.

Instants are aware and come back in UTC. Quiet hours and the hour of a digest are wall time of the person's zone. Where clocks jump
forward over the end of the quiet hours (or the hour of a digest), the jump itself is that moment; where an hour comes twice, the
digest goes with its first pass, so that there is one a day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from instruments.rules.wall_time import instants_showing, start_instant, to_wall

MAIL_DELAYS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 480, 720))
"""Between the attempts of a mail: eight attempts within about a day."""
WEBHOOK_DELAYS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 30, 60, 120, 240, 480, 480))
"""Between the attempts of a webhook: ten attempts within a day."""
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


class Digest(StrEnum):
    """How mail is gathered."""

    IMMEDIATELY = "immediately"
    DAILY = "daily"
    WEEKLY = "weekly"


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When one person wants mail. Quiet from ``quiet_from`` (in) until ``quiet_until`` (out), perhaps over midnight; both or neither.

    ``digest_hour`` is 0 to 23, ``digest_weekday`` 0 (Monday) to 6.
    """

    zone: ZoneInfo
    digest: Digest = Digest.IMMEDIATELY
    digest_hour: int = 8
    digest_weekday: int = 0
    quiet_from: time | None = None
    quiet_until: time | None = None


def due_at(now: datetime, rhythm: Rhythm) -> datetime:
    """When something that happens ``now`` is to be told: never earlier, never within the quiet hours."""
    if rhythm.digest is Digest.IMMEDIATELY:
        return after_quiet(now, rhythm)
    return after_quiet(next_digest(now, rhythm), rhythm)


def is_quiet(instant: datetime, rhythm: Rhythm) -> bool:
    """Whether the person's clock shows a time within the quiet hours."""
    begins, ends = rhythm.quiet_from, rhythm.quiet_until
    if begins is None or ends is None or begins == ends:
        return False
    shown = to_wall(instant, rhythm.zone).time()
    if begins < ends:
        return begins <= shown < ends
    return shown >= begins or shown < ends


def after_quiet(instant: datetime, rhythm: Rhythm) -> datetime:
    """The first moment from ``instant`` on that is not quiet."""
    if not is_quiet(instant, rhythm) or rhythm.quiet_until is None or rhythm.quiet_from is None:
        return instant.astimezone(UTC)
    wall = to_wall(instant, rhythm.zone)
    crosses = rhythm.quiet_from > rhythm.quiet_until and wall.time() >= rhythm.quiet_from
    ends = datetime.combine(wall.date() + (_DAY if crosses else timedelta()), rhythm.quiet_until)
    return next(moment for moment in _moments(ends, rhythm.zone) if moment >= instant)


def next_digest(now: datetime, rhythm: Rhythm) -> datetime:
    """The first digest after ``now``."""
    today = to_wall(now, rhythm.zone).date()
    days = (today + timedelta(days=ahead) for ahead in range(-1, 10))
    moments = (_digest_of(day, rhythm) for day in days if _has_digest(day, rhythm))
    return next(moment for moment in moments if moment > now)


def retry_at(delays: tuple[timedelta, ...], attempts: int, now: datetime) -> datetime | None:
    """When to try again after ``attempts`` that failed; None when it is given up."""
    return now + delays[attempts - 1] if attempts <= len(delays) else None


def _has_digest(day: date, rhythm: Rhythm) -> bool:
    return rhythm.digest is not Digest.WEEKLY or day.weekday() == rhythm.digest_weekday


def _digest_of(day: date, rhythm: Rhythm) -> datetime:
    return _moments(datetime.combine(day, time(rhythm.digest_hour)), rhythm.zone)[0]


def _moments(wall: datetime, zone: ZoneInfo) -> tuple[datetime, ...]:
    """When a clock comes to show ``wall``: the passes, or the jump that leaves it out."""
    return instants_showing(wall, zone) or (_jump_over(wall, zone),)


def _jump_over(wall: datetime, zone: ZoneInfo) -> datetime:
    """The instant of the jump in whose gap ``wall`` lies, to the second."""
    late = start_instant(wall, zone)
    early = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    before = early.astimezone(zone).utcoffset()
    while late - early > _SECOND:
        middle = early + timedelta(seconds=int((late - early).total_seconds()) // 2)
        if middle.astimezone(zone).utcoffset() == before:
            early = middle
        else:
            late = middle
    return late.replace(microsecond=0)
