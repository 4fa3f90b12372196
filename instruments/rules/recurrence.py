"""How often an opening or a closure comes again, as django-scheduler's ``Rule`` stores it.

The library keeps a frequency name (``WEEKLY``) and a text (``byweekday:0,1,2,3,4;interval:1;count:5``); the last day is
kept with its event. The third Monday of a month is stored as ``byweekday:0;bysetpos:3``, which the library reads as we do
(``MO(3)`` it would drop silently). What we do not expand exactly is refused, never dropped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Literal, get_args

from dateutil.rrule import DAILY, MO, MONTHLY, WEEKLY, YEARLY, rrule, weekday

from config.kernel.errors import Refusal

Frequency = Literal["daily", "weekly", "monthly", "yearly"]

_DATEUTIL_FREQUENCY: dict[Frequency, Literal[0, 1, 2, 3]] = {
    "daily": DAILY,
    "weekly": WEEKLY,
    "monthly": MONTHLY,
    "yearly": YEARLY,
}
_PERIOD = {"daily": timedelta(days=1), "weekly": timedelta(weeks=1)}
_MONTHS = {"monthly": 1, "yearly": 12}
_WEEKDAY_NAMES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_PARAMETERS: dict[str, tuple[str, ...]] = {
    "daily": ("byweekday", "interval", "count"),
    "weekly": ("byweekday", "interval", "count"),
    "monthly": ("bymonthday", "byweekday", "bysetpos", "interval", "count"),
    "yearly": ("interval", "count"),
}
NTHS = (1, 2, 3, 4, 5, -1)
_MONTH_DAYS = (*range(1, 32), -1)


@dataclass(frozen=True, slots=True)
class Recurrence:
    """Every ``interval`` days, weeks (from Monday), months or years.

    * daily, weekly: on ``weekdays`` (0 = Monday; empty = as it started).
    * monthly: on ``month_days`` (1 to 31, -1 = the last day), or on the ``nth`` (1 to 5, -1 = the last) of exactly one
      weekday, or as it started. A month without such a day (31, fifth Monday) is left out, as in RFC 5545.
    * yearly: on the day of the year on which it started; 29 February only in leap years.

    It ends after the local day ``until`` (inclusive) or after ``count`` occurrences, or never. As in RFC 5545 an
    occurrence that is cancelled or moved still counts, and an entry that starts on a day outside of these first
    happens on the next day inside.

    Raises Refusal ``recurrence.*`` for values out of range, and for combinations that mean nothing.
    """

    frequency: Frequency
    interval: int = 1
    weekdays: tuple[int, ...] = ()
    until: date | None = None
    count: int | None = None
    month_days: tuple[int, ...] = ()
    nth: int | None = None

    def __post_init__(self) -> None:
        if self.frequency not in get_args(Frequency):
            raise Refusal.of("recurrence.unsupported_frequency", "frequency", frequency=str(self.frequency))
        if self.interval < 1:
            raise Refusal.of("recurrence.out_of_range", "interval", minimum=1, value=self.interval)
        if self.count is not None and self.count < 1:
            raise Refusal.of("recurrence.out_of_range", "count", minimum=1, value=self.count)
        if any(not 0 <= one <= 6 for one in self.weekdays):
            raise Refusal.of("recurrence.unsupported_weekday", "weekdays", value=list(self.weekdays))
        if self.until is not None and self.count is not None:
            raise Refusal.of("recurrence.until_and_count", "until")
        object.__setattr__(self, "weekdays", tuple(sorted(set(self.weekdays))))
        object.__setattr__(self, "month_days", tuple(sorted(set(self.month_days), key=lambda day: (day < 0, day))))
        self._refuse_days_of_another_frequency()

    def _refuse_days_of_another_frequency(self) -> None:
        if self.frequency != "monthly" and (self.month_days or self.nth is not None):
            raise Refusal.of("recurrence.only_monthly", "frequency")
        if self.frequency == "yearly" and self.weekdays:
            raise Refusal.of("recurrence.unsupported_parameter", "weekdays", parameter="byweekday")
        if any(day not in _MONTH_DAYS for day in self.month_days):
            raise Refusal.of("recurrence.unsupported_month_day", "month_days", value=list(self.month_days))
        if self.nth is not None and self.nth not in NTHS:
            raise Refusal.of("recurrence.unsupported_nth", "nth", value=self.nth)
        if self.frequency == "monthly" and (self.nth is None) != (not self.weekdays):
            raise Refusal.of("recurrence.nth_and_weekday", "nth")
        if self.nth is not None and (len(self.weekdays) != 1 or self.month_days):
            raise Refusal.of("recurrence.nth_and_weekday", "nth")

    @property
    def follows_weekdays(self) -> bool:
        """Whether it goes on for ever by days of the week, so that a make-up workday can take the place of one of them."""
        return self.count is None and (self.frequency == "weekly" or (self.frequency == "daily" and bool(self.weekdays)))

    def happens_as(self, first: datetime, day: date, as_weekday: int) -> bool:
        """Whether an entry that starts at ``first`` would happen on ``day`` if that were a ``as_weekday`` (0 = Monday).

        Only meaningful where it ``follows_weekdays``: the day must lie within its life and in a week (or on a day) of its
        interval.
        """
        began = first.date()
        if day < began or (self.until is not None and day > self.until):
            return False
        if self.frequency == "weekly":
            weeks = ((day - timedelta(days=day.weekday())) - (began - timedelta(days=began.weekday()))).days // 7
            return weeks % self.interval == 0 and as_weekday in (self.weekdays or (began.weekday(),))
        return (day - began).days % self.interval == 0 and as_weekday in self.weekdays

    def starts_between(self, first: datetime, low: datetime, high: datetime) -> Iterator[datetime]:
        """The wall times in ``[low, high]`` at which an entry that starts at ``first`` (wall time) starts, ascending.

        Without a ``count`` whole periods before ``low`` are skipped, so an old entry costs no more than a new one.
        """
        days = self._days(first)
        if self.count is None and low > first:
            first = self._skipped(first, low)
        repeats = rrule(
            _DATEUTIL_FREQUENCY[self.frequency],
            dtstart=first,
            interval=self.interval,
            wkst=MO,
            until=None if self.until is None else datetime.combine(self.until, time.max),
            count=self.count,
            **days,
        )
        for start in repeats:
            if start > high:
                break
            if start >= low:
                yield start

    def _days(self, first: datetime) -> dict[str, Any]:
        """What dateutil needs to know of the days; explicit, so that the search may begin on another day than ``first``."""
        if self.nth is not None:
            return {"byweekday": weekday(self.weekdays[0], self.nth)}
        if self.frequency == "monthly":
            return {"bymonthday": self.month_days or (first.day,)}
        if self.frequency == "yearly":
            return {"bymonth": first.month, "bymonthday": first.day}
        return {"byweekday": self.weekdays or None}

    def _skipped(self, first: datetime, low: datetime) -> datetime:
        """Where to begin so that nothing from ``low`` on is missed: ``first``, or the start of a later period in step."""
        if self.frequency in _PERIOD:
            period = _PERIOD[self.frequency] * self.interval
            return first + (low - first) // period * period
        step = _MONTHS[self.frequency] * self.interval
        steps = ((low.year - first.year) * 12 + low.month - first.month) // step
        if steps == 0:
            return first
        years, months = divmod(first.month - 1 + steps * step, 12)
        return first.replace(year=first.year + years, month=months + 1, day=1)


def parse_recurrence(frequency: str, params: str, until: date | None = None) -> Recurrence:
    """The recurrence that a stored rule means; ``until`` is the event's last local day.

    Raises Refusal with code ``recurrence.unsupported_frequency``, ``recurrence.unsupported_parameter``,
    ``recurrence.unsupported_weekday``, ``recurrence.malformed`` or what ``Recurrence`` refuses.
    """
    frequency = frequency.strip().lower()
    if frequency not in _PARAMETERS:
        raise Refusal.of("recurrence.unsupported_frequency", "frequency", frequency=frequency)
    found: dict[str, list[str]] = {}
    for part in filter(None, (part.strip() for part in params.split(";"))):
        name, colon, value = part.partition(":")
        name = name.strip().lower()
        if name not in _PARAMETERS[frequency]:
            raise Refusal.of("recurrence.unsupported_parameter", "params", parameter=name)
        if not colon or name in found:
            raise Refusal.of("recurrence.malformed", "params", part=part)
        found[name] = [item.strip() for item in value.split(",")]
    return Recurrence(
        frequency=frequency,  # type: ignore[arg-type]  # one of the four by now
        interval=_one_number(found, "interval") or 1,
        weekdays=tuple(_weekday(item) for item in found.get("byweekday", [])),
        until=until,
        count=_one_number(found, "count"),
        month_days=tuple(_signed(item, "bymonthday") for item in found.get("bymonthday", [])),
        nth=_nth(found),
    )


def format_recurrence(recurrence: Recurrence) -> tuple[str, str]:
    """The frequency name and the params text under which django-scheduler stores it (``until`` is the event's)."""
    parts = []
    if recurrence.month_days:
        parts.append("bymonthday:" + ",".join(map(str, recurrence.month_days)))
    if recurrence.weekdays:
        parts.append("byweekday:" + ",".join(map(str, recurrence.weekdays)))
    if recurrence.nth is not None:
        parts.append(f"bysetpos:{recurrence.nth}")
    parts.append(f"interval:{recurrence.interval}")
    if recurrence.count is not None:
        parts.append(f"count:{recurrence.count}")
    return recurrence.frequency.upper(), ";".join(parts)


def _one_number(found: dict[str, list[str]], name: str) -> int | None:
    if name not in found:
        return None
    items = found[name]
    if len(items) != 1 or not items[0].isascii() or not items[0].isdigit() or int(items[0]) < 1:
        raise Refusal.of("recurrence.malformed", "params", part=f"{name}:{','.join(items)}")
    return int(items[0])


def _nth(found: dict[str, list[str]]) -> int | None:
    items = found.get("bysetpos")
    if items is None:
        return None
    if len(items) != 1:
        raise Refusal.of("recurrence.malformed", "params", part=f"bysetpos:{','.join(items)}")
    return _signed(items[0], "bysetpos")


def _signed(item: str, name: str) -> int:
    digits = item.removeprefix("-")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 4:
        raise Refusal.of("recurrence.malformed", "params", part=f"{name}:{item}")
    return int(item)


def _weekday(item: str) -> int:
    if item.upper() in _WEEKDAY_NAMES:
        return _WEEKDAY_NAMES.index(item.upper())
    if item in {"0", "1", "2", "3", "4", "5", "6"}:
        return int(item)
    raise Refusal.of("recurrence.unsupported_weekday", "params", value=item)
