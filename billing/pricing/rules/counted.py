"""A price schedule of what is counted (samples, elements, runs, batches ...): marginal steps, setting up, the least charge, tax.

Rates are whole fen in every step, so nothing is rounded but added tax.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from billing.ledger.rules.documents import Document, DocumentError, Fault
from billing.ledger.rules.money import parse_yuan
from billing.pricing.rules.classes import ClassRule, class_rules
from billing.pricing.rules.marginal import Marginal, marginal_faults, marginal_steps, shares_of
from billing.pricing.rules.schedule import TIME_UNITS, own_rate, require_schema, shared_faults
from billing.pricing.rules.tax import Tax, tax_of

COUNTED_UNITS = ("sample", "element", "test", "run", "batch", "consumable", "operator_hour")
"""What a price may be for that is counted and not measured as time on an instrument."""
#: Parts of a document that only time on an instrument has.
_OF_TIME = ("unit_minutes", "step_minutes", "bands", "holidays", "operator", "fees", "addons")


class CountedLine(NamedTuple):
    """``quantity`` at ``rate_fen`` each; ``kind``: ``units``, ``setup``, ``minimum`` or ``tax``; ``step`` counts from 1 (0: none)."""

    kind: str
    quantity: int
    rate_fen: int
    step: int = 0

    @property
    def amount_fen(self) -> int:
        return self.quantity * self.rate_fen


@dataclass(frozen=True, slots=True)
class CountedTerms:
    """A compiled schedule of what is counted. Rates in fen for one ``unit`` by customer class."""

    unit: str
    rates_fen: Mapping[str, int]
    classes: tuple[ClassRule, ...]
    steps: tuple[Marginal, ...]
    step_rates_fen: tuple[Mapping[str, int], ...]
    setup_fen: Mapping[str, int]
    minimum_fen: int
    tax: Tax | None
    document: Document = field(repr=False, compare=False)

    @property
    def class_names(self) -> Mapping[str, Mapping[str, str]]:
        """The names (zh, en) that the document gives classes, by code."""
        return {rule.code: rule.name for rule in self.classes if rule.name}

    def lines(self, quantity: int, customer_class: str) -> Iterator[CountedLine]:
        """The lines of ``quantity`` units for a class that has a price, in the order of the working."""
        net = 0
        for line in self._before_minimum(quantity, customer_class):
            net += line.amount_fen
            yield line
        if net < self.minimum_fen:
            yield CountedLine("minimum", 1, self.minimum_fen - net)
            net = self.minimum_fen
        if self.tax is not None and not self.tax.included:
            yield CountedLine("tax", 1, self.tax.added_fen(net))

    def without_minimum_fen(self, quantity: int, customer_class: str) -> int:
        """What it would be if there were no least charge."""
        net = sum(line.amount_fen for line in self._before_minimum(quantity, customer_class))
        return net + (self.tax.added_fen(net) if self.tax is not None else 0)

    def _before_minimum(self, quantity: int, customer_class: str) -> Iterator[CountedLine]:
        if self.steps:
            for place, count in shares_of(self.steps, quantity):
                yield CountedLine("units", count, self.step_rates_fen[place][customer_class], place + 1)
        else:
            yield CountedLine("units", quantity, self.rates_fen[customer_class])
        if self.setup_fen.get(customer_class):
            yield CountedLine("setup", 1, self.setup_fen[customer_class])


def parse_counted(document: Document) -> CountedTerms:
    """Check and compile a schedule of what is counted. Raises DocumentError with every fault and its JSON path."""
    require_schema(document)
    faults = shared_faults(document) + marginal_faults(document, None)
    if document.get("unit") not in COUNTED_UNITS:
        faults.append(Fault("$.unit", f"what is counted is priced per {', '.join(COUNTED_UNITS)}"))
    faults += [Fault(f"$.{name}", "only time on an instrument has it: leave it out") for name in _OF_TIME if name in document]
    if "minutes" in document.get("minimum", {}):
        faults.append(Fault("$.minimum.minutes", "only time on an instrument has it: leave it out"))
    if not faults:
        faults = _fraction_faults(document)
    if faults:
        raise DocumentError(faults)
    return compile_counted(document)


def compile_counted(document: Document) -> CountedTerms:
    """Compile a schedule that was checked when it was published."""
    steps = marginal_steps(document.get("steps", ()))
    rates = {name: parse_yuan(amount) for name, amount in document["rates"].items()}
    return CountedTerms(
        unit=document["unit"],
        rates_fen=rates,
        classes=class_rules(document.get("classes", ())),
        steps=steps,
        step_rates_fen=tuple(
            {name: int(step.fen(name, own_rate(document["rates"][name]).fen)) for name in rates} for step in steps
        ),
        setup_fen={name: parse_yuan(amount) for name, amount in document.get("setup", {}).items()},
        minimum_fen=parse_yuan(document.get("minimum", {}).get("amount", 0)),
        tax=tax_of(document.get("tax")),
        document=document,
    )


def is_of_time(document: Mapping[str, Any]) -> bool:
    """Whether a document's rates are for time on an instrument."""
    return document.get("unit", "hour") in TIME_UNITS


def _fraction_faults(document: Document) -> list[Fault]:
    """Steps in which a unit would cost a part of a fen."""
    return [
        Fault(f"$.steps[{place}].ratio", f"times the rate of {name!r} it is a part of a fen: choose a ratio that gives whole fen")
        for place, step in enumerate(marginal_steps(document.get("steps", ())))
        for name, amount in document["rates"].items()
        if step.fen(name, own_rate(amount).fen) % 1
    ]
