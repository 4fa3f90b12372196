"""What follows from the price of a played service, as a row keeps it: whole numbers, and none where no programme asks.

By the rule of ``billing.subsidy.rules.priced_facts``, from the lines that are frozen with the charge. Which customer is one outside is said
by the facts, not by the price.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from billing.pricing.rules.pricing import LineKind
from billing.pricing.rules.samples import UNITS
from billing.pricing.rules.schedule import DAY
from billing.subsidy.rules.priced_facts import COUNTED_AS, SESSIONS, TAX, UNITS_COUNTED

_NONE = -1
_DAYS = "quantities.days"
Counts = tuple[int, ...]
"""Whether the price names a tax; started days; the place of the unit that a test is priced by, and how many of them (-1: none)."""


def of(found: Mapping[str, Any] | None, *, taxed: bool) -> Counts:
    """``found``: the lines of a price, and the seconds that are subsidised where that is less; None where nobody asks what they count."""
    if found is None:
        return int(taxed), _NONE, _NONE, _NONE
    lines: Sequence[Mapping[str, Any]] = found["lines"] or ()
    daily = [line for line in lines if line.get("kind") == LineKind.TIME.value and line.get("unit") == DAY]
    counted = [line for line in lines if "quantity" in line and line["unit"] in UNITS]
    unit = UNITS.index(counted[0]["unit"]) if counted else _NONE
    return (
        int(taxed),
        _started(daily, found.get("seconds")),
        unit,
        sum(line["quantity"] for line in counted) if counted else _NONE,
    )


def told(counts: Counts, *, tax_fen: int, minutes: int | None) -> dict[str, int]:
    """The facts of the price by path; ``minutes`` of a session, None of a test."""
    found = {} if minutes is None else {SESSIONS: 1 if minutes else 0}
    if not counts:
        return found
    taxed, days, unit, units = counts
    if taxed:
        found[TAX] = tax_fen
    if days != _NONE:
        found[_DAYS] = days
    if unit != _NONE:
        own = COUNTED_AS.get(UNITS[unit])
        found |= {UNITS_COUNTED: units} | ({own: units} if own else {})
    return found


def _started(daily: Sequence[Mapping[str, Any]], subsidised: int | None) -> int:
    if not daily:
        return _NONE
    seconds = sum(line["seconds"] for line in daily)
    seconds = seconds if subsidised is None else min(seconds, max(0, subsidised))
    return int(-(-seconds // daily[0]["unit_seconds"]))
