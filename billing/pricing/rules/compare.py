"""What a new price changes: the rate of every class in every band, before and after, and which changes are large."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from billing.ledger.rules.money import WIDE, Rounding, round_fen
from billing.pricing.rules.samples import SamplePrice
from billing.pricing.rules.schedule import STANDARD_BAND, TIME_UNITS, PriceSchedule, UnitRate
from instruments.rules.price_change import Jump, jump


class RateChange(NamedTuple):
    """One rate that differs, in fen for an hour (of what is counted: for a unit); None where there was or will be none.

    ``key`` names this very change, so that a yes to it is a yes to nothing else; ``was`` of a band that is new is what the standard
    price was.
    """

    customer_class: str
    band: str
    was_fen: int | None
    becomes_fen: int | None

    @property
    def key(self) -> str:
        return f"{self.customer_class}:{self.band}:{self.was_fen}:{self.becomes_fen}"

    @property
    def jump(self) -> Jump | None:
        return jump(self.was_fen, self.becomes_fen)


def schedule_changes(old: PriceSchedule | None, new: PriceSchedule) -> list[RateChange]:
    """By class, then band, in the new document's order; classes and bands that go stand last."""
    return _changes(_hourly(old) if old is not None else {}, _hourly(new))


def sample_changes(old: SamplePrice | None, new: SamplePrice) -> list[RateChange]:
    """As ``schedule_changes`` for what is counted. Another unit is another price: every rate of it is new."""
    before = _counted(old) if old is not None and old.unit == new.unit else {}
    return _changes(before, _counted(new))


Found = Mapping[str, Mapping[str, int]]


def _changes(before: Found, after: Found) -> list[RateChange]:
    changes = []
    for name in [*after, *(name for name in before if name not in after)]:
        was, becomes = before.get(name, {}), after.get(name, {})
        for band in [*becomes, *(band for band in was if band not in becomes)]:
            pair = (was.get(band, was.get(STANDARD_BAND)), becomes.get(band, becomes.get(STANDARD_BAND)))
            if pair[0] != pair[1]:
                changes.append(RateChange(name, band, *pair))
    return changes


def _hourly(schedule: PriceSchedule) -> dict[str, dict[str, int]]:
    bands = {STANDARD_BAND: schedule.rates, **{band.code: band.rates for band in schedule.bands}}
    return {
        name: {code: _per_hour(rates[name], schedule.unit_minutes) for code, rates in bands.items()}
        for name in schedule.customer_classes
    }


def _per_hour(rate: UnitRate, unit_minutes: int) -> int:
    return round_fen(WIDE.divide(rate.fen * TIME_UNITS["hour"], Decimal(unit_minutes)), Rounding.HALF_UP)


def _counted(price: SamplePrice) -> dict[str, dict[str, int]]:
    return {name: {STANDARD_BAND: price.rate_fen(name)} for name in price.customer_classes}
