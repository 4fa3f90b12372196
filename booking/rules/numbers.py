"""The reference that people read out: ``R2026-000123``, the year and a sequence within it."""

from __future__ import annotations


def format_reference(year: int, sequence: int) -> str:
    """The reference of the ``sequence``-th reservation of ``year``; sequences past six digits grow longer.

    Raises ValueError for a year without four digits or a sequence below one.
    """
    if not 1000 <= year <= 9999 or sequence < 1:
        raise ValueError("a reference needs a four-digit year and a sequence from one")
    return f"R{year}-{sequence:06d}"
