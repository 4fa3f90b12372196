"""How values are written for people: money, dates, durations. Plain text; the template tags add the markup."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from config.kernel.date_wording import date_words, moment_words, month_name, weekday, zone_words

__all__ = [
    "bytes_words",
    "date_words",
    "in_zone",
    "moment_words",
    "month_label",
    "month_name",
    "month_words",
    "platform_clock",
    "platform_zone",
    "range_words",
    "read_in",
    "weekday",
    "yuan",
    "zone_label",
    "zone_words",
]

#: The zone of whoever reads the page that is being made; none where nobody said it, as in papers and mails.
_READERS: ContextVar[ZoneInfo | None] = ContextVar("readers_zone", default=None)


def yuan(fen: int) -> str:
    """An amount in fen as yuan: 123450 is "¥1,234.50", negative amounts have a minus sign (U+2212) in front."""
    sign = "\u2212" if fen < 0 else ""
    whole, rest = divmod(abs(fen), 100)
    return f"{sign}¥{whole:,}.{rest:02d}"


def platform_zone() -> ZoneInfo:
    """The time zone in which times are written unless another one is named beside them; every page says which it is."""
    return ZoneInfo(settings.TIME_ZONE)


@contextmanager
def read_in(zone_name: str) -> Iterator[None]:
    """While it lasts, pages are made for somebody whose clock is that of the named zone. An unknown name says nothing."""
    known = _READERS.set(ZoneInfo(zone_name) if zone_name in _zone_names() else None)
    try:
        yield
    finally:
        _READERS.reset(known)


def in_zone(moment: datetime, zone_name: str = "") -> datetime:
    """An instant in the named zone, or in the platform's when none is named."""
    return moment.astimezone(ZoneInfo(zone_name) if zone_name else platform_zone())


def zone_label(moment: datetime, zone_name: str = "") -> str:
    """What to write after a time: nothing when the zone's clock agrees with the reader's then, else like "UTC+9, Asia/Tokyo"."""
    if not zone_name:
        return ""
    there = in_zone(moment, zone_name)
    if there.utcoffset() == moment.astimezone(_READERS.get() or platform_zone()).utcoffset():
        return ""
    return f"{_offset_words(there)}, {zone_name}"


def platform_clock(moment: datetime) -> str:
    """The clock of times beside which no zone is written, with its offset at an instant: "China Standard Time (UTC+8)"."""
    return f"{zone_words(settings.TIME_ZONE)} ({_offset_words(in_zone(moment))})"


def _offset_words(local: datetime) -> str:
    minutes = int((local.utcoffset() or timedelta()).total_seconds()) // 60
    sign = "-" if minutes < 0 else "+"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{sign}{hours}{f':{rest:02d}' if rest else ''}"


@cache
def _zone_names() -> frozenset[str]:
    return frozenset(available_timezones())


def month_label(month: int) -> str:
    """A month by itself, short."""
    return pgettext("month by itself", "%(month)s") % {"month": month_name(month)}


def month_words(day: date) -> str:
    """A month with its year."""
    return pgettext("month and year", "%(month)s %(year)s") % {"month": month_name(day.month), "year": str(day.year)}


def range_words(starts: datetime, ends: datetime) -> str:
    """Two local times: the second with its date only when it is another day."""
    last = f"{ends:%H:%M}" if ends.date() == starts.date() else moment_words(ends)
    if ends.time() == time(0) and (ends.date() - starts.date()).days == 1:
        last = "24:00"
    return f"{moment_words(starts)}–{last}"


def bytes_words(size: int) -> str:
    """A file's size in kB or MB."""
    if size < 1_000_000:
        return _("%(size)s kB") % {"size": max(1, round(size / 1000))}
    return _("%(size)s MB") % {"size": f"{size / 1_000_000:.1f}"}
