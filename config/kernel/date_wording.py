"""Days and times as people read them, in the reader's language: on every page, in refusals, news and mails alike."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext, pgettext_lazy

_WEEKDAYS: tuple[Promise | str, ...] = (
    pgettext_lazy("short weekday", "Mon"),
    pgettext_lazy("short weekday", "Tue"),
    pgettext_lazy("short weekday", "Wed"),
    pgettext_lazy("short weekday", "Thu"),
    pgettext_lazy("short weekday", "Fri"),
    pgettext_lazy("short weekday", "Sat"),
    pgettext_lazy("short weekday", "Sun"),
)
# Translators: in Chinese the month is a number inside a date (11), in English a short name (Nov).
_MONTHS: tuple[Promise | str, ...] = (
    pgettext_lazy("month inside a date", "Jan"),
    pgettext_lazy("month inside a date", "Feb"),
    pgettext_lazy("month inside a date", "Mar"),
    pgettext_lazy("month inside a date", "Apr"),
    pgettext_lazy("month inside a date", "May"),
    pgettext_lazy("month inside a date", "Jun"),
    pgettext_lazy("month inside a date", "Jul"),
    pgettext_lazy("month inside a date", "Aug"),
    pgettext_lazy("month inside a date", "Sep"),
    pgettext_lazy("month inside a date", "Oct"),
    pgettext_lazy("month inside a date", "Nov"),
    pgettext_lazy("month inside a date", "Dec"),
)


def weekday(day: date) -> str:
    return str(_WEEKDAYS[day.weekday()])


def month_name(month: int) -> str:
    return str(_MONTHS[month - 1])


def date_words(day: date) -> str:
    """A date with its weekday."""
    return pgettext("date", "%(weekday)s %(day)s %(month)s %(year)s") % _date_parts(day)


def moment_words(local: datetime) -> str:
    """A local date and time to the minute."""
    return pgettext("date and time", "%(weekday)s %(day)s %(month)s %(year)s, %(time)s") % {
        **_date_parts(local.date()),
        "time": f"{local:%H:%M}",
    }


def zone_words(zone_name: str) -> str:
    """What people call the clock of a place; a zone that has no such name by its own."""
    return _("China Standard Time") if zone_name == "Asia/Shanghai" else zone_name


def _date_parts(day: date) -> dict[str, Any]:
    return {"weekday": weekday(day), "day": str(day.day), "month": month_name(day.month), "year": str(day.year)}
