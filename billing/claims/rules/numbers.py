"""The numbers of what belongs to claims, one series without gaps for each kind and year."""

from __future__ import annotations

from enum import StrEnum


class Series(StrEnum):
    """The letters of a number: batch (批次), claim (申请), payment list (拨付), claw-back notice (追回), sample for re-check
    (复查抽样)."""

    BATCH = "PC"
    CLAIM = "SQ"
    PAYMENT_LIST = "BF"
    CLAWBACK = "ZH"
    SAMPLE = "CY"


def series_key(series: Series, year: int) -> str:
    """The series in which a (local) year's are numbered."""
    return f"{series.value}/claims/{year}"


def number_at(series: Series, year: int, place: int) -> str:
    """The number at ``place`` (from 1). Raises ValueError for a place below one."""
    if place < 1:
        raise ValueError("a series begins with one")
    return f"{series.value}-{year}-{place:06d}"
