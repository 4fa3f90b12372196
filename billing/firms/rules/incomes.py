"""The yearly income of an owner from customers outside: what may be declared, and which office may confirm it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from config.kernel.errors import Reason, Refusal
from instruments.rules.regions import division_prefix

FIRST_YEAR = 1949
MOST_FEN = 10**17
NOTE_LENGTH = REASON_LENGTH = 500


def checked(year: int, income_fen: int, note: str, today: date) -> str:
    """The note as it is kept. Raises Refusal with every reason: ``firm.year_range`` (``year``), ``firm.figure_range`` (``income_fen``),
    ``firm.note_too_long`` (``note``)."""
    reasons = []
    if not FIRST_YEAR <= year < today.year:
        reasons.append(Reason("firm.year_range", {"first": FIRST_YEAR, "last": today.year - 1}, "year"))
    if not 0 <= income_fen <= MOST_FEN:
        reasons.append(Reason("firm.figure_range", {}, "income_fen"))
    clean = note.replace("\x00", "").strip()
    if len(clean) > NOTE_LENGTH:
        reasons.append(Reason("firm.note_too_long", {"maximum": NOTE_LENGTH}, "note"))
    Refusal.raise_any(reasons)
    return clean


def is_of_region(owner_region: str, office_regions: Iterable[str]) -> bool:
    """Whether one of the offices is for the division in which an owner lies: its own, or one around it. An owner without a region is of
    none."""
    return bool(owner_region) and any(code and owner_region.startswith(division_prefix(code)) for code in office_regions)


def year_before(on: date) -> int:
    """The calendar year whose figure counts for a day: accounts are closed by the calendar year, whenever the year of a cap begins."""
    return on.year - 1
