"""How often an opening or a closure comes again: daily or weekly, as django-scheduler's ``Rule`` stores it.

The library keeps a frequency name (``WEEKLY``) and a text (``byweekday:0,1,2,3,4;interval:1;count:5``); the last day is
kept with its event. What we do not expand exactly is refused, never dropped silently.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal, get_args

from dateutil.rrule import DAILY, MO, WEEKLY, rrule

from config.kernel.errors import Refusal

Frequency = Literal["daily", "weekly"]

_DATEUTIL_FREQUENCY: dict[Frequency, Literal[2, 3]] = {"daily": DAILY, "weekly": WEEKLY}
_PERIOD: dict[Frequency, timedelta] = {"daily": timedelta(days=1), "weekly": timedelta(weeks=1)}
_WEEKDAY_NAMES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_PARAMETERS = ("byweekday", "interval", "count")


@dataclass(frozen=True, slots=True)
class Recurrence:
    """Every ``interval`` days or weeks (weeks start on Monday), on ``weekdays`` (0 = Monday; empty = as it started).

    It ends after the local day ``until`` (inclusive) or after ``count`` occurrences, or never. As in RFC 5545 an
    occurrence that is cancelled or moved still counts, and an entry that starts on a day outside ``weekdays`` first
    happens on the next day inside.

    Raises Refusal ``recurrence.*`` for values out of range, or ``until`` together with ``count``.
    """

    frequency: Frequency
    interval: int = 1
    weekdays: tuple[int, ...] = ()
    until: date | None = None
    count: int | None = None

    def __post_init__(self) -> None:
        if self.frequency not in get_args(Frequency):
            raise Refusal.of("recurrence.unsupported_frequency", "frequency", frequency=str(self.frequency))
        if self.interval < 1:
            raise Refusal.of("recurrence.out_of_range", "interval", minimum=1, value=self.interval)
        if self.count is not None and self.count < 1:
            raise Refusal.of("recurrence.out_of_range", "count", minimum=1, value=self.count)
        if any(not 0 <= weekday <= 6 for weekday in self.weekdays):
            raise Refusal.of("recurrence.unsupported_weekday", "weekdays", value=list(self.weekdays))
        if self.until is not None and self.count is not None:
            raise Refusal.of("recurrence.until_and_count", "until")
        object.__setattr__(self, "weekdays", tuple(sorted(set(self.weekdays))))

    def starts_between(self, first: datetime, low: datetime, high: datetime) -> Iterator[datetime]:
        """The wall times in ``[low, high]`` at which an entry that starts at ``first`` (wall time) starts, ascending.

        Without a ``count`` whole periods before ``low`` are skipped, so an old entry costs no more than a new one.
        """
        if self.count is None and low > first:
            period = _PERIOD[self.frequency] * self.interval
            first += (low - first) // period * period
        repeats = rrule(
            _DATEUTIL_FREQUENCY[self.frequency],
            dtstart=first,
            interval=self.interval,
            wkst=MO,
            byweekday=self.weekdays or None,
            until=None if self.until is None else datetime.combine(self.until, time.max),
            count=self.count,
        )
        for start in repeats:
            if start > high:
                break
            if start >= low:
                yield start


def parse_recurrence(frequency: str, params: str, until: date | None = None) -> Recurrence:
    """The recurrence that a stored rule means; ``until`` is the event's last local day.

    Raises Refusal with code ``recurrence.unsupported_frequency``, ``recurrence.unsupported_parameter``,
    ``recurrence.unsupported_weekday``, ``recurrence.malformed`` or what ``Recurrence`` refuses.
    """
    found: dict[str, list[str]] = {}
    for part in filter(None, (part.strip() for part in params.split(";"))):
        name, colon, value = part.partition(":")
        name = name.strip().lower()
        if name not in _PARAMETERS:
            raise Refusal.of("recurrence.unsupported_parameter", "params", parameter=name)
        if not colon or name in found:
            raise Refusal.of("recurrence.malformed", "params", part=part)
        found[name] = [item.strip() for item in value.split(",")]
    return Recurrence(
        frequency=frequency.strip().lower(),  # type: ignore[arg-type]  # an unknown name is refused there
        interval=_one_number(found, "interval") or 1,
        weekdays=tuple(_weekday(item) for item in found.get("byweekday", [])),
        until=until,
        count=_one_number(found, "count"),
    )


def format_recurrence(recurrence: Recurrence) -> tuple[str, str]:
    """The frequency name and the params text under which django-scheduler stores it (``until`` is the event's)."""
    parts = []
    if recurrence.weekdays:
        parts.append("byweekday:" + ",".join(map(str, recurrence.weekdays)))
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


def _weekday(item: str) -> int:
    if item.upper() in _WEEKDAY_NAMES:
        return _WEEKDAY_NAMES.index(item.upper())
    if item in {"0", "1", "2", "3", "4", "5", "6"}:
        return int(item)
    raise Refusal.of("recurrence.unsupported_weekday", "params", value=item)
