"""Numbers without gaps: the next place of a series, taken in the transaction of the document that bears it."""

from __future__ import annotations

from django.db import connection


def next_place(series_key: str) -> int:
    """The next place (from 1) of a series. Its row stays locked until the document is committed or nothing happened, so no number is
    given twice and none is left out."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO billing_numberseries (key, last) VALUES (%s, 1)"
            " ON CONFLICT (key) DO UPDATE SET last = billing_numberseries.last + 1 RETURNING last",
            [series_key],
        )
        (place,) = cursor.fetchone()
    return int(place)
