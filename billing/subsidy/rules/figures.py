"""Limits whose figure the document leaves to the administrator, and a document with the figures that were set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from billing.ledger.rules.money import plain_yuan
from billing.subsidy.rules.parts.caps import YEARLY, Cap, CapPer
from billing.subsidy.rules.programme import Programme


def is_settable(cap: Cap) -> bool:
    """Whether somebody may set the figure of a cap. What a voucher is worth is said by its announcement."""
    return cap.configured and cap.on_account and cap.per is not CapPer.VOUCHER


def settable(programme: Programme) -> list[Cap]:
    """The caps whose figure may be set, in their order."""
    return [cap for cap in programme.caps if is_settable(cap)]


def years_of(programme: Programme, cap: Cap) -> list[int | None]:
    """For which years a figure of the cap is set: each year that the version's days belong to, or once for all."""
    if cap.per not in YEARLY:
        return [None]
    days = programme.validity
    return list(range(programme.cap_year(days.first_day), programme.cap_year(days.last_day) + 1))


def with_figures(document: Mapping[str, Any], figures: Mapping[str, int]) -> dict[str, Any]:
    """The document as if it named the figures (fen, by cap id) that were set, for what is worked out without accounts."""
    found = dict(document)
    if "caps" in found:
        found["caps"] = [_figured(cap, figures) for cap in found["caps"]]
    if "sides" in found:
        found["sides"] = [with_figures(side, figures) for side in found["sides"]]
    return found


def _figured(cap: Mapping[str, Any], figures: Mapping[str, int]) -> dict[str, Any]:
    limit = cap["limit"]
    if cap["id"] not in figures or not isinstance(limit, Mapping) or not limit.get("configured"):
        return dict(cap)
    return {**cap, "limit": {"configured": True, "default": plain_yuan(figures[cap["id"]])}}
