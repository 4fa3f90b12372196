"""What a customer spent over months, as a row of a trial keeps it: a sum for each span of months that a programme asks for.

By the rule of ``billing.settlement.spent``: what services of other owners were charged at, before any subsidy, on the local day of the
service. In a trial what was charged before a service counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from billing.subsidy.rules.facts import Service, Spent
from billing.subsidy.rules.parts.days import add_months


class Spending(NamedTuple):
    """The date by which a programme goes, and the different spans of months of its gates on spending, the shortest first (none: it does not
    ask)."""

    basis: str
    months: tuple[int, ...]

    def day(self, service: Service) -> date | None:
        """The day that counts for a service."""
        found: date | None = getattr(service, f"{self.basis}_on")
        return found


def spending_of(document: Mapping[str, Any]) -> Spending:
    """What a document asks."""
    return Spending(document["date_basis"], tuple(sorted(set(_months(document)))))


def sums(spending: Spending, on: date | None, days: Mapping[date, int]) -> tuple[int, ...]:
    """What was spent in each span up to the day that counts (fen)."""
    if on is None:
        return (0,) * len(spending.months)
    starts = [add_months(on, -months) for months in spending.months]
    return tuple(sum(fen for day, fen in days.items() if start < day <= on) for start in starts)


def spent(spending: Spending, on: date | None, found: Sequence[int]) -> tuple[Spent, ...]:
    """Sums as facts that come to the same in every span."""
    told, before, day = [], 0, on
    for months, fen in zip(spending.months, found, strict=True):
        if day is None or on is None:
            return ()
        if fen > before:
            told.append(Spent(day, fen - before))
        before, day = fen, add_months(on, -months)
    return tuple(reversed(told))


def _months(document: Any) -> Iterable[int]:
    if isinstance(document, list):
        for each in document:
            yield from _months(each)
    elif isinstance(document, Mapping):
        if document.get("type") == "minimum_spend" and "months" in document:
            yield document["months"]
        for name, value in document.items():
            if name != "examples":
                yield from _months(value)
