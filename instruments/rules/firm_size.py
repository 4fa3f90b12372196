"""A firm's size class from its staff and yearly revenue."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SizeClass(StrEnum):
    MICRO = "micro"
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


@dataclass(frozen=True, slots=True)
class SizeThreshold:
    """The least staff and the least yearly revenue (in fen), both needed, for a size class."""

    size: SizeClass
    min_staff: int
    min_revenue_fen: int


_FEN_PER_MILLION_YUAN = 100_000_000

INDUSTRY_THRESHOLDS_2011 = (
    SizeThreshold(SizeClass.LARGE, 1000, 400 * _FEN_PER_MILLION_YUAN),
    SizeThreshold(SizeClass.MEDIUM, 300, 20 * _FEN_PER_MILLION_YUAN),
    SizeThreshold(SizeClass.SMALL, 20, 3 * _FEN_PER_MILLION_YUAN),
)
"""Industry pair of the standard for small and medium firms of 2011 (MIIT joint document 2011 no. 300, section 4.2).
Other sectors have other pairs."""


def size_class(staff: int, revenue_fen: int, thresholds: tuple[SizeThreshold, ...] = INDUSTRY_THRESHOLDS_2011) -> SizeClass:
    """The largest class of which both thresholds are reached: one that fails drops a firm to the class below.

    ``thresholds`` go from the largest class down; below all of them a firm is micro. Raises ValueError for a negative
    number.
    """
    if staff < 0 or revenue_fen < 0:
        raise ValueError("staff and revenue are not negative")
    for threshold in thresholds:
        if staff >= threshold.min_staff and revenue_fen >= threshold.min_revenue_fen:
            return threshold.size
    return SizeClass.MICRO
