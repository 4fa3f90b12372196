"""The price of a commissioned test: so many units at the customer's rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, NamedTuple

from billing.pricing.rules.classes import Customer, class_in
from billing.pricing.rules.counted import CountedLine, CountedTerms, compile_counted
from billing.pricing.rules.customer_class import ACADEMIC, FIRM_LARGE, FIRM_SME, INSIDE, TEAM
from billing.pricing.rules.steps import Step
from billing.pricing.rules.tax import Tax
from config.kernel.errors import Refusal

CUSTOMER_CLASSES = (INSIDE, ACADEMIC, TEAM, FIRM_SME, FIRM_LARGE)
UNITS = ("sample", "element", "test", "hour", "half_day", "day", "batch", "run", "consumable", "operator_hour")
UNITS_OF_TIME = ("hour", "half_day", "day", "operator_hour")
"""These count no samples: such tests are quoted, and samples are sent for them under a commission that counts them."""
MOST_SAMPLES = 100_000
MOST_ELEMENTS = 200


@dataclass(frozen=True, slots=True)
class SamplePrice:
    """What one ``unit`` of a test item costs, in fen. ``class_fen`` holds the classes of customers that pay something else.

    ``terms`` is the whole schedule where the price is one (``amount_fen`` is then its highest rate, ``class_fen`` has every class).
    """

    unit: str
    amount_fen: int
    class_fen: Mapping[str, int] = field(default_factory=dict)
    terms: CountedTerms | None = None

    @classmethod
    def of_terms(cls, terms: CountedTerms) -> SamplePrice:
        """The price that a schedule of what is counted makes."""
        return cls(terms.unit, max(terms.rates_fen.values()), dict(terms.rates_fen), terms)

    @property
    def customer_classes(self) -> tuple[str, ...]:
        """The classes that may pay something else than each other."""
        return CUSTOMER_CLASSES if self.terms is None else tuple(self.terms.rates_fen)

    def class_of(self, customer: Customer) -> str:
        """The class in which a customer pays."""
        return class_in(self.terms.classes if self.terms is not None else (), self.customer_classes, customer)

    def rate_fen(self, customer_class: str) -> int:
        """What a customer of that class pays for one unit."""
        return self.class_fen.get(customer_class, self.amount_fen)

    @property
    def lowest_fen(self) -> int:
        """The lowest rate of those that anybody pays."""
        if self.terms is not None and self.terms.steps:
            return min(min(rates.values()) for rates in self.terms.step_rates_fen)
        return min(self.rate_fen(name) for name in {*CUSTOMER_CLASSES, *self.class_fen})


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
    """What was agreed to be charged beyond the price, in the lab's words, and in its English ones where it has some."""

    words: str
    amount_fen: int
    words_en: str = ""

    def named(self) -> dict[str, str]:
        """The words as they are kept: what has no English words is kept as it always was."""
        return {"words": self.words} | ({"words_en": self.words_en} if self.words_en else {})


def with_extras(priced: PricedSamples, extras: Sequence[ExtraCharge], tax: Tax | None = None) -> PricedSamples:
    """The price with what was agreed to be charged beyond it, a line each; its amounts contain ``tax``."""
    lines = tuple(SampleLine("extra", 1, each.amount_fen, each.amount_fen) for each in extras)
    gross = priced.gross_fen + sum(line.amount_fen for line in lines)
    return replace(priced, gross_fen=gross, lines=(*priced.lines, *lines), steps=(*priced.steps, *extra_steps(extras, tax)))


def extra_steps(extras: Sequence[ExtraCharge], tax: Tax | None) -> tuple[Step, ...]:
    """A step for each, and one for the tax in all of them."""
    steps = [
        Step("price", "", "price.step.extra", {**each.named(), "line_fen": each.amount_fen}, each.amount_fen) for each in extras
    ]
    if tax is not None:
        steps.append(tax.step_of_extras(sum(each.amount_fen for each in extras)))
    return tuple(steps)


def quantity_of(unit: str, samples: int, elements: int) -> int:
    """How many ``unit`` that is: a batch is one, however many samples are in it, and elements are counted in each sample."""
    return 1 if unit == "batch" else samples * (elements if unit == "element" else 1)


def price_samples(price: SamplePrice, samples: int, elements: int, customer_class: str, local_on: date) -> PricedSamples:
    """Price ``samples`` (for a price per hour or day: so many of those), each with ``elements`` where each element costs.

    A batch costs once, however many samples are in it. Raises Refusal ``price.samples_out_of_range``,
    ``price.elements_out_of_range``, ``price.class_without_rate``.
    """
    if not 1 <= samples <= MOST_SAMPLES:
        raise Refusal.of("price.samples_out_of_range", "samples", most=MOST_SAMPLES)
    if not 1 <= elements <= MOST_ELEMENTS:
        raise Refusal.of("price.elements_out_of_range", "elements", most=MOST_ELEMENTS)
    quantity = quantity_of(price.unit, samples, elements)
    if price.terms is not None:
        return _priced_by_terms(price.terms, quantity, customer_class, local_on)
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


def _priced_by_terms(terms: CountedTerms, quantity: int, customer_class: str, local_on: date) -> PricedSamples:
    if customer_class not in terms.rates_fen:
        raise Refusal.of("price.class_without_rate", customer_class=customer_class)
    counted = list(terms.lines(quantity, customer_class))
    lines = tuple(SampleLine(_line_unit(terms, line), line.quantity, line.rate_fen, line.amount_fen) for line in counted)
    gross = sum(line.amount_fen for line in lines)
    net = gross - sum(line.amount_fen for line in counted if line.kind == "tax")
    steps = [*_steps(terms, counted), *([terms.tax.step(net, gross)] if terms.tax is not None else [])]
    top_up = gross - terms.without_minimum_fen(quantity, customer_class)
    return PricedSamples(customer_class, local_on, gross, top_up, lines, tuple(steps))


def _line_unit(terms: CountedTerms, line: CountedLine) -> str:
    return terms.unit if line.kind == "units" else line.kind


def _steps(terms: CountedTerms, lines: Sequence[CountedLine]) -> list[Step]:
    """The working, line by line; added tax is told by the step of the tax."""
    steps, running = [], 0
    for line in lines:
        if line.kind == "tax":
            continue
        running += line.amount_fen
        params: dict[str, Any] = {"line_fen": line.amount_fen}
        if line.kind == "minimum":
            params = {"minimum_fen": terms.minimum_fen, "added_fen": line.amount_fen}
        elif line.kind == "units":
            params |= {"quantity": line.quantity, "unit": terms.unit, "rate_fen": line.rate_fen}
            if line.step:
                params["marginal"] = line.step
        steps.append(Step("price", "", _step_key(line), params, running))
    return steps


def _step_key(line: CountedLine) -> str:
    if line.kind == "units":
        return "price.step.samples_in_step" if line.step else "price.step.samples"
    return {"setup": "price.step.setup", "minimum": "price.step.minimum_charge"}[line.kind]


def sample_price_to_json(price: SamplePrice) -> dict[str, Any]:
    """What freezes a price: its rates, or the whole schedule where it is one."""
    if price.terms is not None:
        return {"document": price.terms.document}
    return {"unit": price.unit, "amount_fen": price.amount_fen, "class_fen": dict(price.class_fen)}


def sample_price_from_json(data: Mapping[str, Any]) -> SamplePrice:
    """``sample_price_from_json(sample_price_to_json(price)) == price``."""
    return SamplePrice.of_terms(compile_counted(data["document"])) if "document" in data else SamplePrice(**data)
