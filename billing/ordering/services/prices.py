"""What a lab's own price lists say, for a line of a quotation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from billing.ledger.rules.money import Rounding, round_fen
from billing.pricing import sample_prices
from billing.pricing import services as pricing
from billing.pricing.customers import customer_of
from billing.pricing.rules.schedule import PriceSchedule
from instruments.models import Organisation

#: A quotation is written for somebody else, never for the lab's own people.
_NO_OWNER = 0


@dataclass(frozen=True, slots=True)
class Published:
    """The price of one ``unit`` for a customer, in fen; None where the lab publishes none or gives it on request."""

    unit: str
    fen: int | None


def of_instruments(instrument_ids: Iterable[int], customer: Organisation, on: date) -> dict[int, Published]:
    """The rate of a unit outside every band for the customer's class, by instrument; looked up in one go."""
    wanted = list(instrument_ids)
    versions = pricing.version_ids_in_force(wanted, on)
    schedules = pricing.schedules(versions.values())
    return {pk: _standard(schedules[versions[pk]], customer) if pk in versions else Published("hour", None) for pk in wanted}


def _standard(schedule: PriceSchedule, customer: Organisation) -> Published:
    rate = schedule.rates.get(schedule.class_of(customer_of(customer, _NO_OWNER)))
    return Published(schedule.unit, None if rate is None else round_fen(Decimal(rate.fen), Rounding.HALF_UP))


def of_tests(resource_ids: Iterable[int], customer: Organisation, on: date) -> dict[int, Published]:
    """The rate of one unit of each test for the customer's class, by test; looked up in one go."""
    wanted = list(resource_ids)
    known = sample_prices.in_force(wanted, on)
    asked = customer_of(customer, _NO_OWNER)
    return {
        pk: Published("sample", None)
        if (found := known.get(pk)) is None
        else Published(found.unit, None if found.price is None else found.price.rate_fen(found.price.class_of(asked)))
        for pk in wanted
    }
