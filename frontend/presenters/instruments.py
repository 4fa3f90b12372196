"""An instrument's page in the reader's language: names, opening hours, closures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from frontend import display
from instruments.models import CatalogueEntry, Instrument
from instruments.registry_wording import SERVICE_MODE_NAMES, WEEKDAY_NAMES
from instruments.rules.classification import instrument_classes
from instruments.rules.regions import region_name, regions
from instruments.services.registry import WeeklyWindow
from instruments.services.schedule_store import StoredEntry

_ICONS = {"01": "microscope", "09": "heart-handshake", "12": "building-factory-2", "13": "device-desktop"}


@dataclass(frozen=True, slots=True)
class Closure:
    """A closure that happens once."""

    entry_id: int
    words: str
    reason: str


@dataclass(frozen=True, slots=True)
class DayHours:
    """The opening hours of a day of the week; empty when closed."""

    weekday: Promise | str
    windows: list[str]


def is_english() -> bool:
    return (get_language() or "").startswith("en")


def class_name(class_code: str) -> str:
    """The name of the class of a code, in the reader's language; empty when the code has none."""
    known = instrument_classes().get(class_code[:2])
    return "" if known is None else known.en if is_english() else known.zh


def place_name(region_code: str) -> str:
    """The name of a division that we know, else nothing."""
    return region_name(region_code, "en" if is_english() else "zh") if region_code in regions() else ""


def weekly_hours(windows: Sequence[WeeklyWindow]) -> list[DayHours]:
    """Seven days with their windows in words."""
    return [
        DayHours(name, [window_words(window.opens, window.closes) for window in windows if window.weekday == weekday])
        for weekday, name in enumerate(WEEKDAY_NAMES)
    ]


def window_words(opens: time, closes: time) -> str:
    """A window of a day; one that ends at or before its start ends the next day."""
    if closes == time(0):
        return f"{opens:%H:%M}–24:00"
    if closes <= opens:
        return _("%(opens)s to %(closes)s the next day") % {"opens": f"{opens:%H:%M}", "closes": f"{closes:%H:%M}"}
    return f"{opens:%H:%M}–{closes:%H:%M}"


def card_icon(class_code: str) -> str:
    """The icon that stands for a class where there is no photo."""
    return _ICONS.get(class_code[:2], "flask")


def zone(instrument: Instrument) -> ZoneInfo:
    """The time zone of the place where it stands."""
    return ZoneInfo(instrument.site.time_zone)


def mode_names(thing: Instrument | CatalogueEntry) -> list[Promise | str]:
    """Its ways of service in words."""
    return [SERVICE_MODE_NAMES[mode] for mode in thing.service_modes if mode in SERVICE_MODE_NAMES]


def closures(stored: Sequence[StoredEntry]) -> list[Closure]:
    """Closures that happen once, in words."""
    return [Closure(one.id, display.range_words(one.entry.starts_local, one.entry.ends_local), one.reason) for one in stored]
