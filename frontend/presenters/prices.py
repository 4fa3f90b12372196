"""An instrument's price and booking policy in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from billing import wording
from billing.pricing import services as pricing
from billing.pricing.rules.customer_class import customer_class
from billing.pricing.rules.describe import DescribedBand, describe
from billing.pricing.rules.schedule import PriceSchedule
from config.kernel.messages import duration_words
from frontend import display
from frontend.presenters.fees import rule_words as fee_words
from instruments.models import Instrument, Organisation
from instruments.rules.firm_size import size_class


@dataclass(frozen=True, slots=True)
class ClassRow:
    """What one class of customers pays per hour, in each band. ``own``: the reader's own class."""

    name: str
    own: bool
    rates: list[str]


@dataclass(frozen=True, slots=True)
class BandWords:
    """A band's name and the hours in which it holds; the standard band has no hours of its own."""

    name: str
    when: str


@dataclass(frozen=True, slots=True)
class PriceWords:
    """The reader's own class stands first. ``notes`` are the minimums and what unused time costs, in plain sentences."""

    bands: list[BandWords]
    rows: list[ClassRow]
    notes: list[str]


def price_words(instrument: Instrument, customers: Sequence[Organisation], on: date) -> PriceWords | None:
    """The price in force on a local date, or None when the lab has published none."""
    version_id = pricing.version_id_in_force(instrument.pk, on)
    if version_id is None:
        return None
    schedule = pricing.schedule(version_id)
    described = describe(schedule)
    own = [class_of(customer, instrument, schedule) for customer in customers]
    names = sorted(described.customer_classes, key=lambda name: own.index(name) if name in own else len(own))
    rows = [
        ClassRow(
            wording.customer_class_word(name),
            name in own,
            [wording.hourly(band.yuan_per_hour[name]) for band in described.bands],
        )
        for name in names
    ]
    bands = [BandWords(wording.band_word(band.code, {band.code: band.name}), _when(band)) for band in described.bands]
    notes = _minimums(described.minimum_minutes, described.minimum_charge_fen) + fee_words(described.fees)
    return PriceWords(bands, rows, notes)


def class_of(customer: Organisation, instrument: Instrument, schedule: PriceSchedule) -> str:
    """The class in which a customer pays for an instrument."""
    size = None
    if customer.staff_count is not None and customer.annual_revenue_fen is not None:
        size = size_class(customer.staff_count, customer.annual_revenue_fen).value
    is_owner = customer.pk == instrument.organisation_id
    return customer_class(kind=customer.kind, size=size, is_owner=is_owner, priced=schedule.customer_classes)


def _when(band: DescribedBand) -> str:
    if not band.weekdays:
        return ""
    params = {"days": _weekdays(band.weekdays), "from_time": band.from_time, "to_time": band.to_time}
    if band.until_next_day:
        return _("%(days)s from %(from_time)s to %(to_time)s the next day") % params
    return _("%(days)s from %(from_time)s to %(to_time)s") % params


def _weekdays(numbers: Sequence[int]) -> str:
    """Days of the week (Monday is 1); a run is written by its ends."""
    names = [display.weekday(date(2024, 1, number)) for number in numbers]  # 1 January 2024 was a Monday
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return _("%(first)s to %(last)s") % {"first": names[0], "last": names[-1]}
    return str(_(", ")).join(names)


def _minimums(minutes: int, charge_fen: int) -> list[str]:
    notes = []
    if minutes:
        notes.append(_("At least %(length)s are charged.") % {"length": duration_words(minutes)})
    if charge_fen:
        notes.append(_("A session costs at least %(amount)s.") % {"amount": display.yuan(charge_fen)})
    return notes
