"""The reference that people read out: ``R2026-000123``, the year and a sequence within it."""

from __future__ import annotations

import re

_REFERENCE = re.compile(r"R(?P<year>[1-9][0-9]{3})-(?P<sequence>[0-9]{6}|[1-9][0-9]{6,})")


def format_reference(year: int, sequence: int) -> str:
    """The reference of the ``sequence``-th reservation of ``year``; sequences past six digits grow longer.

    Raises ValueError for a year without four digits or a sequence below one.
    """
    if not 1000 <= year <= 9999 or sequence < 1:
        raise ValueError("a reference needs a four-digit year and a sequence from one")
    return f"R{year}-{sequence:06d}"


def parse_reference(text: str) -> tuple[int, int]:
    """(year, sequence) of a reference as ``format_reference`` writes it; blanks around it and lower case are forgiven.

    Raises ValueError for anything else.
    """
    match = _REFERENCE.fullmatch(text.strip().upper())
    if match is None or int(match["sequence"]) < 1:
        raise ValueError("not a reservation reference")
    return int(match["year"]), int(match["sequence"])
