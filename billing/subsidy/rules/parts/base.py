"""The base: what a rate is applied to, an amount of money or a quantity of service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from billing.ledger.rules.documents import Fault
from billing.ledger.rules.money import parse_yuan
from billing.pricing.rules.steps import Step
from billing.subsidy.rules.fact_fields import FactField, FactKind, fact_field
from billing.subsidy.rules.facts import Facts
from billing.subsidy.rules.outcome import Unmet, missing
from billing.subsidy.rules.parts.conditions import fact_fault

#: The units of a base that is a quantity, and the fact that counts it; hours are counted in minutes.
QUANTITIES = {
    "machine_hours": "quantities.minutes",
    "external_machine_hours": "quantities.external_minutes",
    "samples": "quantities.samples",
    "elements": "quantities.elements",
    "runs": "quantities.runs",
    "units": "quantities.units",
    "days": "quantities.days",
    "persons": "quantities.persons",
    "sessions": "quantities.sessions",
    "vouchers": "quantities.vouchers",
}
_MINUTES_PER_HOUR = 60


@dataclass(frozen=True, slots=True)
class Base:
    """An amount. What is only due because of a minimum charge is part of it or not, as the document says: a minimum must not carry a
    subsidy nobody decided."""

    clause: str
    amount: str
    with_minimum: bool

    def check(self, facts: Facts) -> Unmet | None:
        """An Unmet when the amount is not known."""
        known = getattr(facts.amounts, self.amount) is not None
        return None if known else missing(self.clause, f"amounts.{self.amount}")

    def take(self, facts: Facts, steps: list[Step]) -> int:
        """The base in fen."""
        whole: int = getattr(facts.amounts, self.amount)
        left_out = 0 if self.with_minimum else facts.amounts.minimum_top_up or 0
        eligible = whole - left_out
        params: dict[str, Any] = {"of": self.amount, "whole_fen": whole}
        key = "subsidy.step.base"
        if left_out:
            params["left_out_fen"] = left_out
            key = "subsidy.step.base_without_minimum"
        steps.append(Step("base", self.clause, key, params, eligible))
        return eligible

    def cost(self, facts: Facts, base_fen: int) -> int:
        """What a deduction or refund may never exceed, in fen."""
        return base_fen

    def whole(self, facts: Facts) -> int:
        """The price behind the base, in fen."""
        found: int = getattr(facts.amounts, self.amount)
        return found


@dataclass(frozen=True, slots=True)
class WorkedBase:
    """An amount that is worked out: the least of several, less some, only what lies above a threshold, at most a limit."""

    clause: str
    of: tuple[FactField, ...]
    less: tuple[FactField, ...]
    with_minimum: bool
    above_fen: int
    at_most_fen: int | None

    def check(self, facts: Facts) -> Unmet | None:
        """An Unmet when one of the amounts is not known."""
        unknown = [field.path for field in self.of if field.read(facts) is None]
        return missing(self.clause, unknown[0]) if unknown else None

    def take(self, facts: Facts, steps: list[Step]) -> int:
        """The base in fen, never negative. An amount to leave out that is not known is nil."""
        least = min(self.of, key=lambda field: field.read(facts))
        eligible: int = least.read(facts)
        steps.append(Step("base", self.clause, "subsidy.step.base", {"of": _name(least), "whole_fen": eligible}, eligible))
        out = [(_name(field), field.read(facts) or 0) for field in self.less]
        if not self.with_minimum:
            out.append(("minimum_top_up", facts.amounts.minimum_top_up or 0))
        for name, amount in out:
            if amount:
                eligible = max(0, eligible - amount)
                params = {"of": name, "left_out_fen": amount}
                steps.append(Step("base", self.clause, "subsidy.step.base_less", params, eligible))
        if self.above_fen:
            eligible = max(0, eligible - self.above_fen)
            params = {"above_fen": self.above_fen}
            steps.append(Step("base", self.clause, "subsidy.step.base_above", params, eligible))
        if self.at_most_fen is not None and eligible > self.at_most_fen:
            eligible = self.at_most_fen
            steps.append(Step("base", self.clause, "subsidy.step.base_at_most", {"limit_fen": eligible}, eligible))
        return eligible

    def cost(self, facts: Facts, base_fen: int) -> int:
        """What a deduction or refund may never exceed, in fen."""
        return base_fen

    def whole(self, facts: Facts) -> int:
        """The price behind the base, in fen."""
        found: int = min(field.read(facts) for field in self.of)
        return found


@dataclass(frozen=True, slots=True)
class QuantityBase:
    """A quantity of service: machine hours (counted in minutes), samples, runs ... For rates that are an amount per unit."""

    clause: str
    unit: str
    field: FactField
    per: int

    def check(self, facts: Facts) -> Unmet | None:
        """An Unmet when the quantity is not known, or a fact of an author's own is no number."""
        found = self.field.read(facts)
        return (
            None
            if isinstance(found, int) and not isinstance(found, bool) and found >= 0
            else missing(self.clause, self.field.path)
        )

    def take(self, facts: Facts, steps: list[Step]) -> Fraction:
        """The quantity in units."""
        quantity = Fraction(self.field.read(facts), self.per)
        params = {"unit": self.unit, "quantity": quantity_text(quantity)}
        steps.append(Step("base", self.clause, "subsidy.step.base_quantity", params, 0))
        return quantity

    def cost(self, facts: Facts, base_fen: int) -> int | None:
        """A deduction or refund never exceeds the fee, where it is known; None where it is not."""
        return facts.amounts.fee

    def whole(self, facts: Facts) -> int:
        """The fee, or nil where none is known."""
        return facts.amounts.fee or 0


AnyBase = Base | WorkedBase | QuantityBase
Taken = int | Fraction


def quantity_text(quantity: Fraction) -> str:
    """A quantity for people: ``1.25``; a third of an hour stays ``1/3``."""
    if quantity.denominator == 1:
        return str(quantity.numerator)
    hundredths = quantity * 100
    if hundredths.denominator == 1:
        whole, rest = divmod(hundredths.numerator, 100)
        return f"{whole}.{rest:02d}".rstrip("0")
    return str(quantity)


def _name(field: FactField) -> str:
    return field.path.removeprefix("amounts.")


def _amount(name: str) -> FactField:
    field = fact_field(name if "." in name else f"amounts.{name}")
    if field is None or field.kind is not FactKind.MONEY:
        raise ValueError(f"{name!r} is not an amount")
    return field


def parse_base(document: Mapping[str, Any]) -> AnyBase:
    """The base that a valid piece of a document describes."""
    clause = document["clause"]
    if "quantity" in document:
        unit = document["quantity"]
        field = fact_field(QUANTITIES[unit]) if unit in QUANTITIES else fact_field(unit)
        if field is None:
            raise ValueError(f"{unit!r} is not a quantity")
        return QuantityBase(clause, unit, field, _MINUTES_PER_HOUR if unit.endswith("machine_hours") else 1)
    with_minimum = document.get("minimum_charge", "included") == "included"
    plain = document.get("amount") in ("fee", "contract") and not document.keys() & {"less", "only_above", "at_most"}
    if plain:
        return Base(clause, document["amount"], with_minimum)
    named = document.get("least_of") or [document["amount"]]
    limit = document.get("at_most")
    return WorkedBase(
        clause,
        tuple(_amount(name) for name in named),
        tuple(_amount(name) for name in document.get("less", ())),
        with_minimum,
        parse_yuan(document.get("only_above", 0)),
        None if limit is None else parse_yuan(limit),
    )


def base_faults(document: Mapping[str, Any]) -> list[Fault]:
    """What the schema cannot say: one kind of base, amounts that exist, and what a minimum charge does where there may be one."""
    kinds = [name for name in ("amount", "least_of", "quantity") if name in document]
    if len(kinds) != 1:
        return [Fault("$.base", "write exactly one of 'amount', 'least_of' and 'quantity'")]
    faults = []
    named = [("$.base.amount", document["amount"])] if "amount" in document else []
    for list_name in ("least_of", "less"):
        named += [(f"$.base.{list_name}[{place}]", name) for place, name in enumerate(document.get(list_name, ()))]
    for path, name in named:
        field = fact_field(name if "." in name else f"amounts.{name}")
        if field is None and name in QUANTITIES:
            faults.append(Fault(path, f"{name} is a quantity, not an amount; write it as base.quantity"))
        elif field is None:
            faults.append(fact_fault(name if "." in name else f"amounts.{name}", path))
        elif field.kind is not FactKind.MONEY:
            faults.append(Fault(path, f"{field.path} is not an amount of money"))
    if "quantity" in document:
        return faults + _quantity_faults(document)
    charged = [name for _, name in named if name in ("fee", "contract")]
    if charged and "minimum_charge" not in document:
        faults.append(Fault("$.base.minimum_charge", "write 'included' or 'excluded': whether a minimum charge is subsidised"))
    return faults


def _quantity_faults(document: Mapping[str, Any]) -> list[Fault]:
    unit = document["quantity"]
    own = fact_field(unit) if unit.startswith("other.") else None
    faults = [
        Fault(f"$.base.{name}", "a quantity has none; leave it out")
        for name in ("minimum_charge", "less", "only_above", "at_most")
        if name in document
    ]
    if unit not in QUANTITIES and own is None:
        faults.append(
            Fault("$.base.quantity", f"{unit!r} is not one of {', '.join(QUANTITIES)}, nor a number of your own ('other.…')")
        )
    return faults
