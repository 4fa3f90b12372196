"""The numbers of quotations (``BJ-2026-000123``) and commission sheets (``WT-2026-000123``): a series without gaps for each year."""

from __future__ import annotations

from enum import StrEnum


class Series(StrEnum):
    """The letters of a series; its key in the table of series ends in them."""

    QUOTATION = "BJ"
    COMMISSION = "WT"


def series_key(series: Series, year: int) -> str:
    """The series in which a document of ``year`` (local) is numbered."""
    return f"{series.value}/{year}/N"


def document_number(series: Series, year: int, place: int) -> str:
    """The number at ``place`` (from 1) of a year's series. Raises ValueError for a place below one."""
    if place < 1:
        raise ValueError("a series begins with one")
    return f"{series.value}-{year}-{place:06d}"
