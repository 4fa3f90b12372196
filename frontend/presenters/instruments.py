"""What an instrument is called in the reader's language: its class, its place, its ways of service."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language

from instruments.models import CatalogueEntry, CodeScheme, Instrument
from instruments.queries import codes
from instruments.queries.divisions import division_name
from instruments.registry_wording import SERVICE_MODE_NAMES
from instruments.rules.classification import instrument_classes
from instruments.rules.regions import Language

_ICONS = {"01": "microscope", "09": "heart-handshake", "12": "building-factory-2", "13": "device-desktop"}


def is_english() -> bool:
    return (get_language() or "").startswith("en")


def reader_language() -> Language:
    """The language in which codes are named to the reader."""
    return "en" if is_english() else "zh"


def class_name(class_code: str) -> str:
    """The name of the class of a code, in the reader's language; empty when the code has none."""
    known = instrument_classes().get(class_code[:2])
    return "" if known is None else known.en if is_english() else known.zh


def class_label(class_code: str) -> str:
    """The own name of a class of any level, in the reader's language; the code where no list has it."""
    found = codes.entry_of(CodeScheme.INSTRUMENT_CLASS, class_code, timezone.localdate())
    return class_code if found is None else found.name(reader_language())


def place_name(region_code: str) -> str:
    """The name of a division that we know, else nothing."""
    return division_name(region_code, reader_language())


def card_icon(class_code: str) -> str:
    """The icon that stands for a class where there is no photo."""
    return _ICONS.get(class_code[:2], "flask")


def zone(instrument: Instrument) -> ZoneInfo:
    """The time zone of the place where it stands."""
    return ZoneInfo(instrument.site.time_zone)


def mode_names(thing: Instrument | CatalogueEntry) -> list[Promise | str]:
    """Its ways of service in words."""
    return [SERVICE_MODE_NAMES[mode] for mode in thing.service_modes if mode in SERVICE_MODE_NAMES]
