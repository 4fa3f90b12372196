"""The price of a commissioned test: so many units at the customer's rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple

from billing.pricing.rules.customer_class import ACADEMIC, FIRM_LARGE, FIRM_SME, INSIDE, TEAM
from billing.pricing.rules.steps import Step
from config.kernel.errors import Refusal

CUSTOMER_CLASSES = (INSIDE, ACADEMIC, TEAM, FIRM_SME, FIRM_LARGE)
UNITS = ("sample", "element", "test", "hour", "day", "batch")
UNITS_OF_TIME = ("hour", "day")
"""These count no samples: such tests are quoted, and samples are sent for them under a commission that counts them."""
MOST_SAMPLES = 100_000
MOST_ELEMENTS = 200


@dataclass(frozen=True, slots=True)
class SamplePrice:
    """What one ``unit`` of a test item costs, in fen. ``class_fen`` holds the classes of customers that pay something else."""

    unit: str
    amount_fen: int
    class_fen: Mapping[str, int] = field(default_factory=dict)

    def rate_fen(self, customer_class: str) -> int:
        """What a customer of that class pays for one unit."""
        return self.class_fen.get(customer_class, self.amount_fen)

    @property
    def lowest_fen(self) -> int:
        """The lowest rate of those that anybody pays."""
        rates = [self.rate_fen(name) for name in CUSTOMER_CLASSES]
        return min(rates)


class SampleLine(NamedTuple):
    """``quantity`` units at ``rate_fen`` each."""

    unit: str
    quantity: int
    rate_fen: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class PricedSamples:
    """The price of one commission. ``gross_fen`` is the sum of the lines; ``local_on`` the local date on which it starts."""

    customer_class: str
    local_on: date
    gross_fen: int
    minimum_top_up_fen: int
    lines: tuple[SampleLine, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class ExtraCharge:
    """What was agreed to be charged beyond the price, in the lab's words."""

    words: str
    amount_fen: int


def with_extras(priced: PricedSamples, extras: Sequence[ExtraCharge]) -> PricedSamples:
    """The price with what was agreed to be charged beyond it, a line each."""
    lines = tuple(SampleLine("extra", 1, each.amount_fen, each.amount_fen) for each in extras)
    steps = tuple(
        Step("price", "", "price.step.extra", {"words": each.words, "line_fen": each.amount_fen}, each.amount_fen)
        for each in extras
    )
    gross = priced.gross_fen + sum(line.amount_fen for line in lines)
    return replace(priced, gross_fen=gross, lines=(*priced.lines, *lines), steps=(*priced.steps, *steps))


def quantity_of(unit: str, samples: int, elements: int) -> int:
    """How many ``unit`` that is: a batch is one, however many samples are in it, and elements are counted in each sample."""
    return 1 if unit == "batch" else samples * (elements if unit == "element" else 1)


def price_samples(price: SamplePrice, samples: int, elements: int, customer_class: str, local_on: date) -> PricedSamples:
    """Price ``samples`` (for a price per hour or day: so many of those), each with ``elements`` where each element costs.

    A batch costs once, however many samples are in it. Raises Refusal ``price.samples_out_of_range``,
    ``price.elements_out_of_range``.
    """
    if not 1 <= samples <= MOST_SAMPLES:
        raise Refusal.of("price.samples_out_of_range", "samples", most=MOST_SAMPLES)
    if not 1 <= elements <= MOST_ELEMENTS:
        raise Refusal.of("price.elements_out_of_range", "elements", most=MOST_ELEMENTS)
    quantity = quantity_of(price.unit, samples, elements)
    rate = price.rate_fen(customer_class)
    line = SampleLine(price.unit, quantity, rate, quantity * rate)
    step = Step(
        "price",
        "",
        "price.step.samples",
        {"quantity": quantity, "unit": price.unit, "rate_fen": rate, "line_fen": line.amount_fen},
        line.amount_fen,
    )
    return PricedSamples(customer_class, local_on, line.amount_fen, 0, (line,), (step,))
