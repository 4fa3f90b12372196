"""How values are written for people: money, dates, durations. Plain text; the template tags add the markup."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

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
    "range_words",
    "viewer_zone",
    "weekday",
    "yuan",
    "zone_label",
    "zone_words",
]


def yuan(fen: int) -> str:
    """An amount in fen as yuan: 123450 is "¥1,234.50", negative amounts have a minus sign (U+2212) in front."""
    sign = "\u2212" if fen < 0 else ""
    whole, rest = divmod(abs(fen), 100)
    return f"{sign}¥{whole:,}.{rest:02d}"


def viewer_zone() -> ZoneInfo:
    """The time zone in which people read times unless a zone is named."""
    return ZoneInfo(settings.TIME_ZONE)


def in_zone(moment: datetime, zone_name: str = "") -> datetime:
    """An instant in the named zone, or in the viewer's when none is named."""
    return moment.astimezone(ZoneInfo(zone_name) if zone_name else viewer_zone())


def zone_label(moment: datetime, zone_name: str = "") -> str:
    """What to write after a time: nothing when the zone's clock agrees with the viewer's then, else like "UTC+9, Asia/Tokyo"."""
    if not zone_name:
        return ""
    offset = in_zone(moment, zone_name).utcoffset()
    if offset is None or offset == in_zone(moment).utcoffset():
        return ""
    minutes = int(offset.total_seconds()) // 60
    sign = "-" if minutes < 0 else "+"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{sign}{hours}{f':{rest:02d}' if rest else ''}, {zone_name}"


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
