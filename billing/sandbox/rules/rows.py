"""The services of a trial, as they are read and as they are kept until their batch is closed."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple


class Row(NamedTuple):
    """A charged service. ``facts`` and ``service`` are places in the tables of ``Known``; amounts are fen; ``month`` is YYYY-MM. A
    commissioned test has ``samples`` and no instrument (0), a session ``minutes``. ``order``: what it was ordered with, ``sheet``: the
    commission sheet it stands under, both 0 where there is none. ``tax_fen``: the tax in the fee, where a programme asks. ``given``: what
    programmes before the one that is tried gave for it and how much of that made it cheaper for the customer, then the same before what it
    is held against; nothing where neither asks. ``counts``: what follows from its price (``priced_counts``), and
    ``spent``: what its customer spent before (``spending``), likewise."""

    facts: int
    service: int
    fee_fen: int
    top_up_fen: int
    minutes: int
    samples: int
    customer: int
    owner: int
    instrument: int
    person: int
    order: int
    sheet: int
    month: str
    tax_fen: int = 0
    given: tuple[int, ...] = ()
    counts: tuple[int, ...] = ()
    spent: tuple[int, ...] = ()


Income = tuple[str, int, int]
"""What an owner (by its key in facts) earned from customers outside in a year, in fen."""
_MONTH, _FIXED = Row._fields.index("month"), Row._fields.index("given")


class Kept:
    """Rows side by side in whole numbers, about a hundred bytes each, shared by all simulations that go over them. ``count``: how many
    there were so far, forgotten ones included."""

    __slots__ = ("_columns", "_counts", "_first", "_given", "_last", "_width")

    def __init__(self) -> None:
        self._columns = array("q")
        self._first = 0
        self._last: Sequence[Row] = ()
        self._given = self._counts = 0
        self._width = _FIXED

    @property
    def count(self) -> int:
        return self._first + len(self._columns) // self._width

    def take(self, rows: Sequence[Row]) -> int:
        """Keep a piece, once for all simulations that it is given to; the place of its first row."""
        if rows is not self._last:
            for row in rows:
                month = int(row.month[:4]) * 100 + int(row.month[5:])
                numbers: list[Any] = [*row[:_MONTH], month, row.tax_fen, *row.given, *row.counts, *row.spent]
                self._columns.extend(numbers)
                self._given, self._counts, self._width = len(row.given), len(row.counts), len(numbers)
            self._last = rows
        return self.count - len(rows)

    def row(self, place: int) -> Row:
        """A row by its place. Raises IndexError for one that was forgotten."""
        begin = (place - self._first) * self._width
        if begin < 0:
            raise IndexError("this row was forgotten")
        values: list[Any] = self._columns[begin : begin + self._width].tolist()
        month, tax_fen = values[_MONTH:_FIXED]
        counts = _FIXED + self._given
        spent = counts + self._counts
        told = (tuple(values[_FIXED:counts]), tuple(values[counts:spent]), tuple(values[spent:]))
        return Row._make([*values[:_MONTH], _month(month), tax_fen, *told])

    def forget(self, before: int) -> None:
        """Let go of all rows before a place."""
        if before > self._first:
            del self._columns[: (before - self._first) * self._width]
            self._first = before


@lru_cache
def _month(number: int) -> str:
    return f"{number // 100}-{number % 100:02d}"
