"""A cost sheet as the form types it (fields ``cost-*``, amounts in yuan, shares in per cent), and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from billing.ledger.rules.money import parse_yuan
from billing.pricing.rules.cost_recovery import MOST_UNITS_A_YEAR, MOST_YEARS, PER_UNIT, CostSheet

_FIELDS = ("value", "years", "units_a_year", *PER_UNIT, "management_percent")


class CostsNotRead(ValueError):
    """Raised where a sheet cannot be read; ``fields`` are the form's."""

    def __init__(self, fields: Iterable[str]) -> None:
        self.fields = tuple(fields)
        super().__init__(", ".join(self.fields))


def sheet_of(typed: Mapping[str, Any], classes: Iterable[str]) -> CostSheet | None:
    """The sheet that was typed for these customer classes; None where nothing was. Raises CostsNotRead with every field."""
    texts = {name: str(typed.get(f"cost-{name}", "")).strip() for name in _FIELDS}
    if not any(texts.values()):
        return None
    faults: list[str] = []
    amounts = {name: _read(_fen, texts[name] or "0", name, faults) for name in ("value", *PER_UNIT)}
    years = _read(_count(MOST_YEARS), texts["years"], "years", faults)
    units = _read(_count(MOST_UNITS_A_YEAR), texts["units_a_year"], "units_a_year", faults)
    management = _read(_share, texts["management_percent"] or "0", "management_percent", faults)
    shares = {
        name: _read(_share, str(typed.get(f"cost-share-{name}", "")).strip() or "100", f"share-{name}", faults)
        for name in classes
    }
    if faults:
        raise CostsNotRead(f"cost-{name}" for name in faults)
    return CostSheet(amounts["value"], years, units, {name: amounts[name] for name in PER_UNIT}, management, shares)


def typed_sheet(sheet: CostSheet) -> dict[str, str]:
    """What the form shows of a sheet."""
    amounts = {"value": sheet.value_fen, **sheet.per_unit_fen}
    typed = {f"cost-{name}": f"{fen // 100}.{fen % 100:02d}" for name, fen in amounts.items() if fen}
    typed |= {"cost-years": str(sheet.years), "cost-units_a_year": str(sheet.units_a_year)}
    shares = {"management_percent": sheet.management_share} | {
        f"share-{name}": share for name, share in sheet.class_shares.items()
    }
    return typed | {f"cost-{name}": f"{(share * 100).normalize():f}" for name, share in shares.items()}


def _read(reader: Any, text: str, name: str, faults: list[str]) -> Any:
    try:
        return reader(text)
    except (ValueError, ArithmeticError):
        faults.append(name)
        return None


def _fen(text: str) -> int:
    fen = parse_yuan(text.replace(",", ""))
    if fen < 0:
        raise ValueError("an amount is not below zero")
    return fen


def _count(most: int) -> Any:
    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
            raise ValueError("out of range")
        return int(text)

    return read


def _share(text: str) -> Decimal:
    share = Decimal(text) / 100
    if not share.is_finite() or not 0 <= share <= 10 or share != round(share, 6):
        raise ValueError("out of range")
    return share
