"""What a new price changes: every rate of every class, setting up, operator and least charge, before and after, and which are large."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from billing.ledger.rules.money import WIDE, Rounding, round_fen
from billing.pricing.rules.marginal import NO_STEPS
from billing.pricing.rules.samples import SamplePrice
from billing.pricing.rules.schedule import STANDARD_BAND, TIME_UNITS, PriceSchedule, UnitRate
from config.kernel.errors import Reason
from instruments.rules.price_change import Jump, jump

RATE, SETUP, OPERATOR, MINIMUM, ADDON, UNIT = "rate", "setup", "operator", "minimum", "addon", "unit"
"""The parts of a price that are compared; ``unit``: the rate is for another unit than before, and no figure says what that is."""


class RateChange(NamedTuple):
    """One figure that differs, in fen for an hour (of what is counted: for a unit); None where there was or will be none.

    ``key`` names this very change, so that a yes to it is a yes to nothing else; ``was`` of a band that is new is what the standard
    price was. ``beyond``: of marginal steps, after how much it holds (minutes; of what is counted units). A part (``setup`` ...) that a
    price in force did not have was nil.
    """

    customer_class: str
    band: str
    was_fen: int | None
    becomes_fen: int | None
    part: str = RATE
    beyond: int = 0

    @property
    def key(self) -> str:
        place = self.band if self.part == RATE and not self.beyond else f"{self.band}/{self.part}/{self.beyond}"
        return f"{self.customer_class}:{place}:{self.was_fen}:{self.becomes_fen}"

    @property
    def jump(self) -> Jump | None:
        return jump(self.was_fen, self.becomes_fen)

    @property
    def large(self) -> bool:
        """Whether a person says yes to it by itself: a figure of a price in force that jumps, or one for another unit."""
        return self.was_fen is not None and (self.part == UNIT or self.jump is not None)


class _Place(NamedTuple):
    part: str
    band: str
    beyond: int = 0


Found = Mapping[str, Mapping[_Place, int]]
"""Figures in fen by class and place."""


def schedule_changes(old: PriceSchedule | None, new: PriceSchedule) -> list[RateChange]:
    """By class, then band, in the new document's order; classes and bands that go stand last."""
    ends = sorted({0, *_ends(new), *(_ends(old) if old is not None else ())})
    least = old is not None and _least_of(old) != _least_of(new)
    return _changes(_timed(old, ends, least=least) if old is not None else {}, _timed(new, ends, least=least))


def sample_changes(old: SamplePrice | None, new: SamplePrice | None) -> list[RateChange]:
    """As ``schedule_changes`` for what is counted. ``new`` None: it is given on request from now on."""
    if old is None and new is None:
        return []
    if new is None:
        assert old is not None
        return [RateChange(name, STANDARD_BAND, old.rate_fen(name), None) for name in old.customer_classes]
    if old is not None and old.unit != new.unit:
        return list(_of_another_unit(old, new))
    ends = sorted({0, *_counted_ends(new), *(_counted_ends(old) if old is not None else ())})
    return _changes(_counted(old, ends) if old is not None else {}, _counted(new, ends))


def unconfirmed(changes: Sequence[RateChange], confirmed: Collection[str]) -> list[Reason]:
    """Why not to publish: ``price.jump_not_confirmed`` for each large change whose key nobody said yes to."""
    unsaid = [each.key for each in changes if each.large and each.key not in confirmed]
    return [Reason("price.jump_not_confirmed", {"key": key}, "confirmed") for key in unsaid]


def _of_another_unit(old: SamplePrice, new: SamplePrice) -> Iterator[RateChange]:
    for name in new.customer_classes:
        was = old.rate_fen(name) if name in old.customer_classes else None
        yield RateChange(name, STANDARD_BAND, was, new.rate_fen(name), UNIT if was is not None else RATE)


def _changes(before: Found, after: Found) -> list[RateChange]:
    changes: list[RateChange] = []
    for name in [*after, *(name for name in before if name not in after)]:
        was, becomes = before.get(name, {}), after.get(name, {})
        own = [
            RateChange(name, place.band, *pair, place.part, place.beyond)
            for place in [*becomes, *(place for place in was if place not in becomes)]
            if len(set(pair := (_at(was, place), _at(becomes, place)))) > 1
        ]
        changes += own[:1] + [one for last, one in pairwise(own) if not _goes_on(last, one)]
    return changes


def _at(figures: Mapping[_Place, int], place: _Place) -> int | None:
    """The figure of a place; of a band that is not there the standard one, of a part that a price does not have nil. An add-on that
    comes or goes has no figure on the other side: nobody paid for it."""
    if place.part == ADDON:
        return figures.get(place)
    if place.part != RATE:
        return figures.get(place, 0) if figures else None
    return figures.get(place, figures.get(_Place(RATE, STANDARD_BAND, place.beyond)))


def _goes_on(last: RateChange, one: RateChange) -> bool:
    """Whether the change before says the same of less: the steps are cut where either price has an end."""
    return one.beyond > last.beyond and one._replace(beyond=last.beyond) == last


def _ends(schedule: PriceSchedule) -> list[int]:
    """After how many minutes steps end."""
    return [end // timedelta(minutes=1) for end in schedule.step_ends]


def _timed(schedule: PriceSchedule, ends: Sequence[int], *, least: bool) -> dict[str, dict[_Place, int]]:
    """``least``: whether the least charge is looked at, which is a matter of rates where it is told in minutes."""
    codes = [STANDARD_BAND, *(band.code for band in schedule.bands)]
    own = _ends(schedule)
    found: dict[str, dict[_Place, int]] = {}
    for name in schedule.customer_classes:
        figures = {
            _Place(RATE, code, end): _per_hour(
                schedule.rate(number - 1, name, sum(1 for each in own if each <= end) if schedule.steps else NO_STEPS),
                schedule.unit_minutes,
            )
            for number, code in enumerate(codes)
            for end in ends
        }
        figures[_Place(SETUP, "")] = schedule.setup_fen.get(name, 0)
        if schedule.operator is not None:
            figures[_Place(OPERATOR, "")] = round_fen(schedule.operator.rates[name].fen, Rounding.HALF_UP)
        if least:
            per_hour = figures[_Place(RATE, STANDARD_BAND, 0)]
            by_time = round_fen(WIDE.divide(Decimal(per_hour * schedule.minimum_minutes), Decimal(60)), Rounding.HALF_UP)
            figures[_Place(MINIMUM, "")] = max(schedule.minimum_charge_fen, by_time)
        for addon in schedule.addons:
            figures[_Place(ADDON, addon.code)] = addon.fen[name]
        found[name] = figures
    return found


def _least_of(schedule: PriceSchedule) -> tuple[int, int]:
    return schedule.minimum_minutes, schedule.minimum_charge_fen


def _per_hour(rate: UnitRate, unit_minutes: int) -> int:
    return round_fen(WIDE.divide(rate.fen * TIME_UNITS["hour"], Decimal(unit_minutes)), Rounding.HALF_UP)


def _counted_ends(price: SamplePrice) -> list[int]:
    steps = price.terms.steps if price.terms is not None else ()
    return [int(step.up_to) for step in steps if step.up_to is not None]


def _counted(price: SamplePrice, ends: Sequence[int]) -> dict[str, dict[_Place, int]]:
    own, terms = _counted_ends(price), price.terms
    found: dict[str, dict[_Place, int]] = {}
    for name in price.customer_classes:
        figures = {}
        for end in ends:
            rates = terms.step_rates_fen[sum(1 for each in own if each <= end)] if terms is not None and terms.steps else None
            figures[_Place(RATE, STANDARD_BAND, end)] = rates[name] if rates is not None else price.rate_fen(name)
        if terms is not None:
            figures[_Place(SETUP, "")] = terms.setup_fen.get(name, 0)
            figures[_Place(MINIMUM, "")] = terms.minimum_fen
        found[name] = figures
    return found
