"""A price schedule as data for pages that print it in words: who pays what, when, and what the least is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from billing.ledger.rules.money import Rounding
from billing.pricing.rules.fees import FeeRule
from billing.pricing.rules.schedule import STANDARD_BAND, Addon, Operator, PriceSchedule
from billing.pricing.rules.tax import Tax
from booking.rules.leaving import Fault


@dataclass(frozen=True, slots=True)
class DescribedBand:
    """When a band holds (local wall time, ``HH:MM``; ``until_next_day`` when it passes midnight) and its price per unit.

    ``ratio`` is the text of the exact ratio to the standard price, empty when the band has rates of its own. The
    standard band has no weekdays and no times. ``on_holidays``: it starts on statutory holidays too.
    """

    code: str
    name: Mapping[str, str]
    weekdays: tuple[int, ...]
    from_time: str
    to_time: str
    until_next_day: bool
    ratio: str
    yuan_per_unit: Mapping[str, str]
    on_holidays: bool = False


@dataclass(frozen=True, slots=True)
class DescribedStep:
    """A marginal step, counted in units from ``after`` to ``up_to`` (texts; empty: no end), and its price per unit outside bands."""

    after: str
    up_to: str
    yuan_per_unit: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DescribedSchedule:
    """Everything a page needs to print a price schedule in words. The first band is the standard one."""

    currency: str
    customer_classes: tuple[str, ...]
    bands: tuple[DescribedBand, ...]
    minimum_minutes: int
    minimum_charge_fen: int
    rounding: Rounding
    step_fen: int
    fees: Mapping[Fault, FeeRule]
    class_names: Mapping[str, Mapping[str, str]]
    evidence: Mapping[str, Mapping[str, str]]
    unit: str
    unit_minutes: int
    step_minutes: int
    steps: tuple[DescribedStep, ...]
    knows_holidays: bool
    setup_fen: Mapping[str, int]
    operator: Operator | None
    tax: Tax | None
    addons: tuple[Addon, ...]


def describe(schedule: PriceSchedule) -> DescribedSchedule:
    """The schedule as data for display, bands in the document's order."""
    standard = DescribedBand(
        STANDARD_BAND, {}, (), "", "", False, "", {name: rate.yuan_text for name, rate in schedule.rates.items()}
    )
    bands = (
        DescribedBand(
            code=band.code,
            name=band.name,
            weekdays=band.weekdays,
            from_time=_wall(band.from_minute),
            to_time=_wall(band.to_minute),
            until_next_day=band.to_minute <= band.from_minute,
            on_holidays=band.on_holidays,
            ratio=f"{band.ratio:f}" if band.ratio is not None else "",
            yuan_per_unit={name: rate.yuan_text for name, rate in band.rates.items()},
        )
        for band in schedule.bands
    )
    return DescribedSchedule(
        currency=schedule.currency,
        customer_classes=schedule.customer_classes,
        bands=(standard, *bands),
        minimum_minutes=schedule.minimum_minutes,
        minimum_charge_fen=schedule.minimum_charge_fen,
        rounding=schedule.rounding,
        step_fen=schedule.step_fen,
        fees=schedule.fees,
        class_names=schedule.class_names,
        evidence={rule.code: rule.evidence for rule in schedule.classes if rule.evidence},
        unit=schedule.unit,
        unit_minutes=schedule.unit_minutes,
        step_minutes=schedule.step_minutes,
        steps=tuple(_steps(schedule)),
        knows_holidays=schedule.holidays is not None,
        setup_fen=schedule.setup_fen,
        operator=schedule.operator,
        tax=schedule.tax,
        addons=schedule.addons,
    )


def _steps(schedule: PriceSchedule) -> Iterator[DescribedStep]:
    after = ""
    for place, step in enumerate(schedule.steps):
        up_to = "" if step.up_to is None else f"{step.up_to.normalize():f}"
        rates = {name: rate.yuan_text for name, rate in schedule.step_rates[-1, place].items()}
        yield DescribedStep(after, up_to, rates)
        after = up_to


def _wall(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
