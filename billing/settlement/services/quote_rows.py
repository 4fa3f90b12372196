"""Quotes of a reservation, read and written by hand: with every approval and move the ORM takes longer to word them than the database to
answer, and would have them planned anew each time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import JSONField

from billing.settlement.models import Quote
from booking.services.lean_rows import row_of
from config.kernel.json_text import json_text
from config.kernel.statements import planned_once

_READ = tuple(field.attname for field in Quote._meta.concrete_fields)
_DOCUMENTS = frozenset(field.attname for field in Quote._meta.concrete_fields if isinstance(field, JSONField))
_USUAL = {field.attname: field.get_default() for field in Quote._meta.concrete_fields if field.attname != "id"}
_WRITTEN = tuple(_USUAL)
_OF_RESERVATION = (
    f"SELECT {', '.join(_READ)},"  # noqa: S608  (our own fields)
    " EXISTS (SELECT FROM billing_commissionreservation c WHERE c.reservation_id = billing_quote.reservation_id)"
    " FROM billing_quote WHERE reservation_id = %s ORDER BY revision"
)
_INSERT = (
    f"INSERT INTO billing_quote ({', '.join(_WRITTEN)})"  # noqa: S608  (our own fields; values are bound)
    f" VALUES ({', '.join(f'%({name})s' + ('::jsonb' if name in _DOCUMENTS else '') for name in _WRITTEN)})"
)


def quotes_of(reservation_id: int) -> list[Quote]:
    """All revisions, in their order, whole; each knows whether the reservation is ``attached`` to a commission, so that approving one
    that is not looks for no contract."""
    with planned_once() as cursor:
        cursor.execute(_OF_RESERVATION, [reservation_id])
        rows = cursor.fetchall()
    found = [(row_of(Quote, _READ, iter(row[:-1])), row[-1]) for row in rows]
    return [_knowing(quote, attached) for quote, attached in found if quote is not None]


def agreed_of(quotes: Sequence[Quote]) -> Quote:
    """Of all revisions of a reservation the one that its customer accepted last; while it has accepted none, as where the lab entered it
    for somebody who has yet to say yes, the last."""
    return next((quote for quote in reversed(quotes) if quote.accepted_at is not None), quotes[-1])


def last_agreed(reservation_id: int) -> Quote:
    """``agreed_of`` for one reservation."""
    rows = Quote.objects.filter(reservation_id=reservation_id)
    return rows.filter(accepted_at__isnull=False).order_by("-revision").first() or rows.latest("revision")


def _knowing(quote: Quote, attached: bool) -> Quote:
    quote.attached = attached
    return quote


def insert(fields: dict[str, Any]) -> None:
    """One row; a field that is not named has its model's default. Raises TypeError for a name that is none of its fields."""
    if not fields.keys() <= _USUAL.keys():
        raise TypeError(f"no fields of a quote: {sorted(fields.keys() - _USUAL.keys())}")
    values = _USUAL | fields
    with planned_once() as cursor:
        cursor.execute(_INSERT, values | {name: json_text(values[name]) for name in _DOCUMENTS})
