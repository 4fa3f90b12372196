"""A programme's document for other years: its days move, what others wrote and when they wrote it stays."""

from __future__ import annotations

import re
from datetime import MAXYEAR, MINYEAR, date
from typing import Any

from billing.ledger.rules.documents import Document
from billing.subsidy.rules.parts.days import add_months

MOST_YEARS = 20
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
#: Parts that quote a text as it was published on its day.
_QUOTED = frozenset({"legal_basis", "evidence", "clauses", "open_points"})


def in_other_years(document: Document, years: int) -> dict[str, Any]:
    """The document with every day of its rules and its worked examples ``years`` later (earlier below zero).

    29 February becomes the 28th where the year has none. What is no day stays as it was typed. Raises ValueError beyond MOST_YEARS and
    for a year that no calendar has.
    """
    if not 0 < abs(years) <= MOST_YEARS:
        raise ValueError(f"between 1 and {MOST_YEARS} years, later or earlier")
    return {name: part if name in _QUOTED else _moved(part, years) for name, part in document.items()}


def _moved(piece: Any, years: int) -> Any:
    if isinstance(piece, dict):
        return {name: _moved(value, years) for name, value in piece.items()}
    if isinstance(piece, list):
        return [_moved(value, years) for value in piece]
    return _later(piece, years) if isinstance(piece, str) and _DAY.fullmatch(piece) else piece


def _later(text: str, years: int) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return text
    if not MINYEAR <= day.year + years <= MAXYEAR:
        raise ValueError(f"no calendar has the year {day.year + years}")
    return add_months(day, 12 * years).isoformat()
