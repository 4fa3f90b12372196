"""Documents of the repository and small documents made on the spot, for the tests of the rules of money."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

PROGRAMMES = Path(__file__).parents[3] / "billing" / "subsidy" / "programmes"


def load(code: str) -> dict[str, Any]:
    """A programme document of the repository."""
    document: dict[str, Any] = json.loads((PROGRAMMES / f"{code}.json").read_text(encoding="utf-8"))
    return document


_PLAIN: dict[str, Any] = {
    "format": 1,
    "code": "TEST-1",
    "version": "1",
    "synthetic": True,
    "template": False,
    "evidence": {"grade": "S", "note": {"zh": "test", "en": "test"}},
    "name": {"zh": "test", "en": "test"},
    "issuer": {"zh": "test", "en": "test"},
    "legal_basis": [],
    "kind": "user_subsidy",
    "validity": {"first_day": "2025-01-01", "last_day": "2025-12-31", "clause": "1"},
    "date_basis": "service",
    "settlement": {"mode": "deducted_now", "form": "deduct_and_redeem", "payee": "provider", "clause": "1"},
    "clauses": [{"id": "1", "zh": "test", "en": "test"}],
    "gates": [],
    "base": {"amount": "fee", "minimum_charge": "included", "clause": "1"},
    "rate": {"type": "flat", "clause": "1", "rate": "0.5"},
    "adjustments": [],
    "rounding": {"step": "fen", "mode": "half_up", "clause": "1"},
    "caps": [],
    "payers": {"rule": "largest_remainder", "shares": [{"payer": "province", "share": "1"}], "clause": "1"},
    "open_points": [],
    "examples": [],
}
REFUNDED = {"mode": "refunded_later", "form": "post_claim_refund", "payee": "firm", "clause": "1"}


def programme_document(**changes: Any) -> dict[str, Any]:
    """A small valid programme, 50 % of the fee, changed at its first level."""
    return copy.deepcopy({**_PLAIN, **changes})


def cap(id: str, per: str, limit: Any, **more: Any) -> dict[str, Any]:
    return {"id": id, "per": per, "limit": limit, "when_short": "partial", "clause": "1", **more}


def facts_of(fee: str | int | None = None, kind: str = "firm", **groups: Any) -> dict[str, Any]:
    """Facts of a request served on 2025-06-10."""
    facts: dict[str, Any] = {"applicant": {"kind": kind}, "service": {"service_on": "2025-06-10"}}
    if fee is not None:
        facts["amounts"] = {"fee": fee}
    for name, group in groups.items():
        facts[name] = {**facts.get(name, {}), **group}
    return facts
