"""An instrument's price and booking policy in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from billing import price_words as price_words_of
from billing import wording
from billing.pricing import services as pricing
from billing.pricing.customers import customer_of
from billing.pricing.rules.describe import DescribedSchedule, describe
from billing.pricing.rules.schedule import PriceSchedule
from frontend.presenters.fees import rule_words as fee_words
from instruments.models import Instrument, Organisation


@dataclass(frozen=True, slots=True)
class ClassRow:
    """What one class of customers pays per unit, in each band. ``own``: the reader's own class; ``evidence``: what shows it."""

    name: str
    own: bool
    rates: list[str]
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class BandWords:
    """A band's name and the hours in which it holds; the standard band has no hours of its own."""

    name: str
    when: str


@dataclass(frozen=True, slots=True)
class PriceWords:
    """The reader's own class stands first. ``unit``: what the rates are for. ``notes`` are what the table does not say (steps, minimums,
    what comes on top, what unused time costs), in plain sentences."""

    bands: list[BandWords]
    rows: list[ClassRow]
    notes: list[str]
    unit: str


def price_words(instrument: Instrument, customers: Sequence[Organisation], on: date) -> PriceWords | None:
    """The price in force on a local date, or None when the lab has published none."""
    version_id = pricing.version_id_in_force(instrument.pk, on)
    if version_id is None:
        return None
    schedule = pricing.schedule(version_id)
    described = describe(schedule)
    own = [class_of(customer, instrument, schedule) for customer in customers]
    return words_of(described, own)


def words_of(described: DescribedSchedule, own: Sequence[str] = ()) -> PriceWords:
    """A schedule as a table and sentences; the classes in ``own`` are the reader's and stand first."""
    names = sorted(described.customer_classes, key=lambda name: own.index(name) if name in own else len(own))
    rows = [
        ClassRow(
            wording.class_word(name, described.class_names),
            name in own,
            [wording.hourly(band.yuan_per_unit[name]) for band in described.bands],
            wording.document_text(described.evidence.get(name, {})),
        )
        for name in names
    ]
    bands = [BandWords(price_words_of.band_name(band), price_words_of.when_words(band)) for band in described.bands]
    notes = price_words_of.terms_words(described) + fee_words(described.fees)
    return PriceWords(bands, rows, notes, price_words_of.unit_words(described))


def class_of(customer: Organisation, instrument: Instrument, schedule: PriceSchedule) -> str:
    """The class in which a customer pays for an instrument."""
    return schedule.class_of(customer_of(customer, instrument.organisation_id))
