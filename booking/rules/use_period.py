"""Over which days the use of instruments is counted, and with which days before it is compared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from config.kernel.errors import Reason, Refusal
from config.kernel.time_range import TimeRange
from instruments.rules.wall_time import start_instant, to_wall

MOST_DAYS = 366
FIRST_YEAR, LAST_YEAR = 2000, 2100
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


class Span(StrEnum):
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    OWN = "own"


_MONTHS = {Span.MONTH: 1, Span.QUARTER: 3, Span.YEAR: 12}


@dataclass(frozen=True, slots=True)
class Period:
    """Local days from ``first_on`` to ``last_on``, both included, on the wall of whichever instrument is looked at."""

    span: Span
    first_on: date
    last_on: date

    @property
    def days(self) -> int:
        return (self.last_on - self.first_on).days + 1

    @property
    def before(self) -> Period:
        """The month, quarter or year before; of own days as many days before."""
        if self.span is Span.OWN:
            return Period(self.span, self.first_on - timedelta(days=self.days), self.first_on - _DAY)
        return period_of(self.span, self.first_on - _DAY)

    @property
    def after(self) -> Period:
        """The next one of the same kind."""
        if self.span is Span.OWN:
            return Period(self.span, self.last_on + _DAY, self.last_on + timedelta(days=self.days))
        return period_of(self.span, self.last_on + _DAY)


def period_of(span: Span, day: date) -> Period:
    """The calendar month, quarter or year (not ``OWN``) in which ``day`` lies."""
    months = _MONTHS[span]
    first_month = (day.month - 1) // months * months + 1
    first_on = date(day.year, first_month, 1)
    return Period(span, first_on, _first_of(day.year, first_month + months) - _DAY)


def _first_of(year: int, month: int) -> date:
    return date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1)


def own_period(first_on: date, last_on: date) -> Period:
    """Days of one's own choice.

    Raises Refusal ``utilisation.days_reversed``, ``utilisation.too_many_days`` (``last_on``), ``utilisation.year`` (``first_on``).
    """
    reasons = []
    if last_on < first_on:
        reasons.append(Reason("utilisation.days_reversed", {}, "last_on"))
    if (last_on - first_on).days >= MOST_DAYS:
        reasons.append(Reason("utilisation.too_many_days", {"most": MOST_DAYS}, "last_on"))
    if not (first_on.year > FIRST_YEAR and last_on.year < LAST_YEAR):
        reasons.append(Reason("utilisation.year", {"first": FIRST_YEAR + 1, "last": LAST_YEAR - 1}, "first_on"))
    Refusal.raise_any(reasons)
    return Period(Span.OWN, first_on, last_on)


def asked_period(span: Span, on: date | None, first_on: date | None, last_on: date | None, today: date) -> Period:
    """The period of which people name a day (default: today), or, of their own choice, both ends.

    Raises Refusal ``utilisation.days_missing`` and those of ``own_period``; ``utilisation.year`` (``on``).
    """
    if span is not Span.OWN:
        day = on or today
        if not FIRST_YEAR < day.year < LAST_YEAR:
            raise Refusal.of("utilisation.year", "on", first=FIRST_YEAR + 1, last=LAST_YEAR - 1)
        return period_of(span, day)
    missing = [name for name, day in (("first_on", first_on), ("last_on", last_on)) if day is None]
    Refusal.raise_any([Reason("utilisation.days_missing", {}, name) for name in missing])
    return own_period(first_on or today, last_on or today)


@dataclass(frozen=True, slots=True)
class Windows:
    """What has passed of a period, and as much of the one before it; None where nothing has passed yet."""

    current: TimeRange | None
    before: TimeRange


def windows(period: Period, zone: ZoneInfo, now: datetime) -> Windows:
    """A period that is not over counts until ``now``, the one before it until the same day and time of its own; then both can be compared.

    March until the 30th at noon is compared with all of February, which has no 30th.
    """
    starts_at, ends_at = _ends(period, zone)
    before_from, before_until = _ends(period.before, zone)
    if now <= starts_at:
        return Windows(None, TimeRange(before_from, before_until))
    if now < ends_at:
        passed = max(_SECOND, to_wall(now, zone) - datetime.combine(period.first_on, time.min))
        until = start_instant(datetime.combine(period.before.first_on, time.min) + passed, zone)
        before_until = min(before_until, until)
    return Windows(TimeRange(starts_at, min(now, ends_at)), TimeRange(before_from, before_until))


def _ends(period: Period, zone: ZoneInfo) -> tuple[datetime, datetime]:
    midnights = (datetime.combine(day, time.min) for day in (period.first_on, period.last_on + _DAY))
    starts_at, ends_at = (start_instant(midnight, zone) for midnight in midnights)
    return starts_at, ends_at
