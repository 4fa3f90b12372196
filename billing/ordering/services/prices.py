"""What a lab's own price lists say, for a line of a quotation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from billing.ledger.rules.money import Rounding, round_fen
from billing.pricing import sample_prices
from billing.pricing import services as pricing
from billing.pricing.rules.customer_class import customer_class
from billing.pricing.rules.samples import CUSTOMER_CLASSES
from instruments.models import Organisation
from instruments.rules.firm_size import size_class


@dataclass(frozen=True, slots=True)
class Published:
    """The price of one ``unit`` for a customer, in fen; None where the lab publishes none or gives it on request."""

    unit: str
    fen: int | None


def of_instrument(instrument_id: int, customer: Organisation, on: date) -> Published:
    """The rate of an hour outside every band for the customer's class."""
    version_id = pricing.version_id_in_force(instrument_id, on)
    if version_id is None:
        return Published("hour", None)
    schedule = pricing.schedule(version_id)
    named = _class_of(customer, schedule.customer_classes)
    rate = schedule.rates.get(named)
    return Published("hour", None if rate is None else round_fen(Decimal(rate.fen), Rounding.HALF_UP))


def of_test(resource_id: int, customer: Organisation, on: date) -> Published:
    """The rate of one unit of a test for the customer's class."""
    found = sample_prices.in_force([resource_id], on).get(resource_id)
    if found is None:
        return Published("sample", None)
    if found.price is None:
        return Published(found.unit, None)
    return Published(found.unit, found.price.rate_fen(_class_of(customer, CUSTOMER_CLASSES)))


def _class_of(customer: Organisation, priced: tuple[str, ...]) -> str:
    size = None
    if customer.staff_count is not None and customer.annual_revenue_fen is not None:
        size = size_class(customer.staff_count, customer.annual_revenue_fen).value
    return customer_class(kind=customer.kind, size=size, is_owner=False, priced=priced)
