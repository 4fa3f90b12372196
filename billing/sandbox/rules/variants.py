"""Variants of a programme document: the same rule with its main rate or its limits a step lower or higher."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from billing.ledger.rules.money import Rounding, parse_yuan, plain_yuan, round_fen

TRIED, AGAINST = "tried", "against"
RATE_DOWN, RATE_UP, CAP_DOWN, CAP_UP = "rate_down", "rate_up", "cap_down", "cap_up"
STEPS = (RATE_DOWN, RATE_UP, CAP_DOWN, CAP_UP)
_MOST_DIGITS = Decimal("0.000001")
_ONE, _HUNDRED = Decimal(1), Decimal(100)
_SHARES, _SHARES_AFTERWARDS = frozenset({"rate"}), frozenset({"at_least", "at_most", "assume"})
#: Pools are a budget, which the page asks for itself.
_POOL = "pool"


def as_if_in_force(document: Mapping[str, Any]) -> dict[str, Any]:
    """The rule as if it were in force on any day: next year's rule is tried on last year's sessions. Examples and open
    points, which may speak of its days, are left out."""
    validity = {name: value for name, value in document["validity"].items() if name != "windows"}
    return {
        **document,
        "examples": [],
        "open_points": [],
        "validity": validity | {"first_day": "2000-01-01", "last_day": "2099-12-31"},
    }


def variant_of(document: Mapping[str, Any], variant: str, rate_step_percent: int, cap_step_percent: int) -> dict[str, Any]:
    """``document`` with its rates, or with its limits other than pools, moved by whole per cent of themselves."""
    changed: dict[str, Any] = copy.deepcopy(dict(document))
    for piece in (changed, *changed.get("sides", ())):
        if variant in (RATE_DOWN, RATE_UP):
            _move_rates(piece.get("rate"), _factor(variant == RATE_UP, rate_step_percent))
        elif variant in (CAP_DOWN, CAP_UP):
            for cap in piece.get("caps", ()):
                if cap.get("per") != _POOL:
                    _move_limit(cap, _factor(variant == CAP_UP, cap_step_percent))
    return changed


def _factor(up: bool, percent: int) -> Decimal:
    return _ONE + (Decimal(percent) / _HUNDRED if up else -Decimal(percent) / _HUNDRED)


def _move_rates(piece: Any, factor: Decimal) -> None:
    """Every share called ``rate``, of a rate that is fixed afterwards its bounds and what is assumed until then, and every amount that a
    rate names, at most 1 or as large as it comes out."""
    if isinstance(piece, dict):
        shares = _SHARES_AFTERWARDS if piece.get("type") == "ex_post" else _SHARES
        for name, value in piece.items():
            if name in shares and isinstance(value, str):
                piece[name] = _share(value, factor)
            elif name == "amount" and isinstance(value, str | int) and not isinstance(value, bool):
                piece[name] = _amount(value, factor)
            else:
                _move_rates(value, factor)
    elif isinstance(piece, list):
        for value in piece:
            _move_rates(value, factor)


def _share(text: str, factor: Decimal) -> str:
    share = Fraction(text)
    moved = min(_ONE, Decimal(share.numerator) / Decimal(share.denominator) * factor).quantize(_MOST_DIGITS, ROUND_HALF_UP)
    return f"{moved.normalize():f}"


def _amount(value: str | int, factor: Decimal) -> str:
    return plain_yuan(round_fen(Decimal(parse_yuan(value)) * factor, Rounding.HALF_UP))


def _move_limit(cap: dict[str, Any], factor: Decimal) -> None:
    limit = cap.get("limit")
    if isinstance(limit, dict):
        for name in ("default", "otherwise"):
            if name in limit:
                limit[name] = _amount(limit[name], factor)
        for case in limit.get("cases", ()):
            case["limit"] = _amount(case["limit"], factor)
    elif limit is not None:
        cap["limit"] = _amount(limit, factor)


def budget_of(document: Mapping[str, Any]) -> int | None:
    """What the pools of a document hold together where it says so (fen), else None."""
    found = []
    for cap in document.get("caps", ()):
        if cap.get("per") == _POOL:
            limit = cap["limit"]
            if isinstance(limit, Mapping) and "share" in limit:
                continue  # a part of another pool
            own = limit.get("default") if isinstance(limit, Mapping) else limit
            if own is None:
                return None
            found.append(parse_yuan(own))
    return sum(found) if found else None
