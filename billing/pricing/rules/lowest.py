"""The lowest price of an hour that a price schedule offers to the public."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from billing.ledger.rules.documents import Document
from billing.ledger.rules.money import WIDE, Rounding, round_fen
from billing.pricing.rules.customer_class import INSIDE
from billing.pricing.rules.schedule import TIME_UNITS, PriceSchedule, Rates, compile_schedule


def lowest_public_fen(document: Document) -> int | None:
    """Fen per hour over every band, marginal step and customer class but the owner's own people; None when only those have a price.

    ``document`` is a valid price schedule.
    """
    schedule = compile_schedule(document)
    own = {rule.code for rule in schedule.classes if rule.own} or {INSIDE}
    found = [rate.fen for rates in _all_rates(schedule) for name, rate in rates.items() if name not in own]
    if not found:
        return None
    hourly = WIDE.divide(min(found) * TIME_UNITS["hour"], Decimal(schedule.unit_minutes))
    return round_fen(hourly, Rounding.HALF_UP)


def _all_rates(schedule: PriceSchedule) -> Iterator[Rates]:
    if schedule.steps:
        yield from schedule.step_rates.values()
        return
    yield schedule.rates
    for band in schedule.bands:
        yield band.rates
