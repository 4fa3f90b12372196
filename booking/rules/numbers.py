"""The reference that people read out: ``R2026-000123``, the year and a sequence within it."""

from __future__ import annotations


def format_reference(year: int, sequence: int) -> str:
    """The reference of the ``sequence``-th reservation of ``year``; sequences past six digits grow longer.

    Raises ValueError for a year without four digits or a sequence below one.
    """
    return _reference("R", year, sequence)


def format_sample_reference(year: int, sequence: int) -> str:
    """As ``format_reference``, of a sample job: ``S2026-000045``."""
    return _reference("S", year, sequence)


def _reference(letter: str, year: int, sequence: int) -> str:
    if not 1000 <= year <= 9999 or sequence < 1:
        raise ValueError("a reference needs a four-digit year and a sequence from one")
    return f"{letter}{year}-{sequence:06d}"
