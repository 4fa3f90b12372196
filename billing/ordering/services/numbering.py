"""The next number of a series, in the transaction of the document."""

from __future__ import annotations

from datetime import date

from billing.ordering.rules.numbers import Series, document_number, series_key
from billing.settlement.services.numbering import next_place


def next_number(series: Series, on: date) -> str:
    """The next number of the year's series."""
    return document_number(series, on.year, next_place(series_key(series, on.year)))
