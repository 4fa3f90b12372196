"""What an hour (or a sample) costs a lab, and the price that this proposes: a sheet of the lab's own figures.

Charges recover cost and make no profit (国科发基〔2017〕289号 as the domain notes read it): depreciation = value / (years x hours a year),
and consumables, energy, labour, and a share for management that counts on top of the rest. Each class of customers pays a share of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from billing.ledger.rules.money import EXACT, WIDE, Rounding, round_fen

#: The parts of a sheet that are typed as an amount of yuan for one unit.
PER_UNIT = ("consumables", "energy", "labour", "upkeep")
MOST_YEARS, MOST_UNITS_A_YEAR = 100, 1_000_000


@dataclass(frozen=True, slots=True)
class CostSheet:
    """``value_fen`` is what the instrument cost, used up over ``years`` of ``units_a_year`` each; ``per_unit_fen`` by ``PER_UNIT``;
    ``management_share`` (0.2 is a fifth) of all of it; ``class_shares`` of the full cost by customer class."""

    value_fen: int
    years: int
    units_a_year: int
    per_unit_fen: Mapping[str, int]
    management_share: Decimal
    class_shares: Mapping[str, Decimal]


class CostPart(NamedTuple):
    """One line of a sheet: ``code`` (``depreciation``, one of ``PER_UNIT``, ``management``) and fen for one unit."""

    code: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Recovery:
    """What one unit costs, line by line, and what each class would pay; every amount is rounded half up to the fen, once."""

    parts: tuple[CostPart, ...]
    cost_fen: int
    proposed_fen: Mapping[str, int]


def recover(sheet: CostSheet) -> Recovery:
    """The cost of one unit and the proposed prices. ``cost_fen`` is the sum of the parts."""
    yearly = Decimal(sheet.years * sheet.units_a_year)
    parts = [CostPart("depreciation", _rounded(WIDE.divide(Decimal(sheet.value_fen), yearly)))]
    parts += [CostPart(name, sheet.per_unit_fen[name]) for name in PER_UNIT if sheet.per_unit_fen.get(name)]
    direct = sum(part.amount_fen for part in parts)
    if sheet.management_share:
        parts.append(CostPart("management", _rounded(EXACT.multiply(Decimal(direct), sheet.management_share))))
    cost = sum(part.amount_fen for part in parts)
    proposed = {name: _rounded(EXACT.multiply(Decimal(cost), share)) for name, share in sheet.class_shares.items()}
    return Recovery(tuple(parts), cost, proposed)


def _rounded(fen: Decimal) -> int:
    return round_fen(fen, Rounding.HALF_UP)


def sheet_to_json(sheet: CostSheet) -> dict[str, Any]:
    """What is kept with a version: the figures and what they came to."""
    found = recover(sheet)
    return {
        "value_fen": sheet.value_fen,
        "years": sheet.years,
        "units_a_year": sheet.units_a_year,
        "per_unit_fen": dict(sheet.per_unit_fen),
        "management_share": f"{sheet.management_share:f}",
        "class_shares": {name: f"{share:f}" for name, share in sheet.class_shares.items()},
        "parts": [part._asdict() for part in found.parts],
        "cost_fen": found.cost_fen,
        "proposed_fen": dict(found.proposed_fen),
    }


def sheet_from_json(data: Mapping[str, Any]) -> CostSheet:
    """``sheet_from_json(sheet_to_json(sheet)) == sheet``."""
    return CostSheet(
        data["value_fen"],
        data["years"],
        data["units_a_year"],
        dict(data["per_unit_fen"]),
        Decimal(data["management_share"]),
        {name: Decimal(share) for name, share in data["class_shares"].items()},
    )
