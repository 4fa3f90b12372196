"""Marginal steps of a price: the first hours (or samples) at one rate, those beyond at another, each for its own part only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from billing.ledger.rules.documents import Fault
from billing.ledger.rules.money import EXACT, parse_yuan

_MINUTE = timedelta(minutes=1)
NO_STEPS = -1
"""The index of the step where a price has none."""

Cut = tuple[datetime, datetime, int, int]
"""A stretch within one band and one step: start, end (UTC), the band's index, the step's."""


@dataclass(frozen=True, slots=True)
class Marginal:
    """One step. ``up_to`` counts units from the start (None: no end); ``ratio`` of the rate, or ``rates`` (fen) instead of it."""

    up_to: Decimal | None
    ratio: Decimal | None
    rates: Mapping[str, Decimal]

    def fen(self, customer_class: str, rate_fen: Decimal) -> Decimal:
        """What a unit costs within the step where it costs ``rate_fen`` without steps."""
        return self.rates[customer_class] if self.ratio is None else EXACT.multiply(rate_fen, self.ratio)


def marginal_steps(documents: Iterable[Mapping[str, Any]]) -> tuple[Marginal, ...]:
    """The part ``steps`` of a document that was checked."""
    return tuple(
        Marginal(
            Decimal(each["up_to"]) if "up_to" in each else None,
            Decimal(each["ratio"]) if "ratio" in each else None,
            {name: Decimal(parse_yuan(amount)) for name, amount in each.get("rates", {}).items()},
        )
        for each in documents
    )


def marginal_faults(document: Mapping[str, Any], unit_minutes: int | None) -> list[Fault]:
    """What is wrong with the part ``steps`` beside its schema. ``unit_minutes``: of a price for time; None: units are counted."""
    faults: list[Fault] = []
    steps = document.get("steps", [])
    before = Decimal(0)
    for place, step in enumerate(steps):
        path, last = f"$.steps[{place}]", place + 1 == len(steps)
        if "rates" in step and set(step["rates"]) != set(document["rates"]):
            faults.append(Fault(f"{path}.rates", f"a step with rates of its own prices exactly {sorted(document['rates'])}"))
        if last and "up_to" in step:
            faults.append(Fault(f"{path}.up_to", "the last step has no end: leave it out"))
        if last:
            continue
        if "up_to" not in step:
            faults.append(Fault(path, "a step that is not the last says up to where it goes (up_to)"))
            continue
        up_to = Decimal(step["up_to"])
        if up_to <= before:
            faults.append(Fault(f"{path}.up_to", f"it lies above the end of the step before it ({before})"))
        if EXACT.multiply(up_to, Decimal(unit_minutes or 1)) % 1:
            faults.append(Fault(f"{path}.up_to", "it is a whole number of minutes" if unit_minutes else "it is a whole number"))
        before = max(before, up_to)
    own_bands = [place for place, band in enumerate(document.get("bands", ())) if "rates" in band]
    if own_bands and any("rates" in step for step in steps):
        faults.append(Fault("$.steps", f"the band $.bands[{own_bands[0]}] has rates of its own: give the steps as ratios"))
    return faults


def ends_in_time(steps: Sequence[Marginal], unit_minutes: int) -> tuple[timedelta, ...]:
    """After how much time each step but the last ends."""
    return tuple(_MINUTE * int(EXACT.multiply(step.up_to, Decimal(unit_minutes))) for step in steps if step.up_to is not None)


def cut_at(ends: Sequence[timedelta], gone: timedelta, start: datetime, end: datetime, band: int) -> Iterator[Cut]:
    """A stretch cut where steps end; ``gone``: how much of the session lies before it. Time is what really passed."""
    if not ends:
        yield start, end, band, NO_STEPS
        return
    first = start - gone
    place = sum(1 for each in ends if each <= gone)
    while start < end:
        until = min(end, first + ends[place]) if place < len(ends) else end
        yield start, until, band, place
        start, place = until, place + 1


def shares_of(steps: Sequence[Marginal], quantity: int) -> Iterator[tuple[int, int]]:
    """How many of ``quantity`` counted units fall in which step, those with none left out."""
    gone = 0
    for place, step in enumerate(steps):
        end = quantity if step.up_to is None else min(quantity, int(step.up_to))
        if end > gone:
            yield place, end - gone
        gone = max(gone, end)
