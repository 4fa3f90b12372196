"""The number of a settlement statement: ``JS-2026-000123``, the issuer's letters, the year and a place without gaps."""

from __future__ import annotations

ISSUER = "JS"
KIND = "S"


def series_key(year: int) -> str:
    """The series in which a statement issued in ``year`` (local) is numbered."""
    return f"{ISSUER}/{year}/{KIND}"


def statement_number(year: int, place: int) -> str:
    """The number at ``place`` (from 1) of a year's series. Raises ValueError for a place below one."""
    if place < 1:
        raise ValueError("a series begins with one")
    return f"{ISSUER}-{year}-{place:06d}"
