"""What happens when a bill is issued, in its transaction. ``billing.payments.services.prepaying`` registers itself at start-up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from billing.bills.models import Bill

_issued: list[Callable[[Bill, Sequence[int], datetime], None]] = []


def register_on_issued(work: Callable[[Bill, Sequence[int], datetime], None]) -> None:
    """The one who works on issued bills; the last counts."""
    _issued[:] = [work]


def issued(bill: Bill, charge_ids: Sequence[int], now: datetime) -> None:
    """A bill was written with its lines; ``charge_ids`` are what it charges beside fees."""
    for work in _issued:
        work(bill, charge_ids, now)
