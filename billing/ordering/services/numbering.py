"""The next number of a series, in the transaction of the document."""

from __future__ import annotations

from datetime import date

from django.db import connection

from billing.ordering.rules.numbers import Series, document_number, series_key


def next_number(series: Series, on: date) -> str:
    """The next number of the year's series. Its row stays locked until the document is committed or nothing happened."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO billing_numberseries (key, last) VALUES (%s, 1)"
            " ON CONFLICT (key) DO UPDATE SET last = billing_numberseries.last + 1 RETURNING last",
            [series_key(series, on.year)],
        )
        (place,) = cursor.fetchone()
    return document_number(series, on.year, place)
