"""Telling the offices which payment lists wait for them, and no longer those that do not.

Compared, not reacted to, as claims are (``waiting``): at once where a list changes, and again from time to time, so that whoever gets the
role, or stands in for somebody, later is told, too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from billing.claims.models import PaymentList
from billing.claims.notices import TO_RECORD, TO_SIGN
from billing.claims.services.office import OFFICE
from billing.claims.services.telling import People, Who, bring, open_notices
from billing.claims.signing import Signers
from billing.claims.worklist import lists_open
from config.kernel.access import Role
from config.kernel.services.parking import each_parked
from instruments.services.notices import News
from instruments.services.settling import settle_these

#: Whom a list is to ask, by event.
Asked = dict[str, frozenset[Who]]
#: The notices of (event, list).
Told = dict[tuple[str, int], dict[Who, int]]


def tell_list(row: PaymentList, now: datetime) -> int:
    """Bring what people were told of a locked list in line with what it waits for; returns how many were told. Call it inside the
    transaction of the change."""
    wanted = _wanted(list(_open().filter(pk=row.pk)), now).get(row.pk, {})
    told = _told([row.pk])
    params = {"number": row.number, "programme": row.batch.programme.code, "total_fen": row.total_fen}
    return sum(
        bring(
            told.get((event, row.pk), {}),
            wanted.get(event, frozenset()),
            News(event, params, f"/payout-lists/{row.pk}/", row),
            now,
        )
        for event in (TO_SIGN, TO_RECORD)
    )


def tell_due(now: datetime) -> int:
    """The same of every list; returns of how many somebody was told. Safe to repeat: where everybody is told, it is a handful of queries,
    however many lists and offices."""
    told = _told()  # before the lists: of one made in between nothing was told that would seem to be of none
    rows = list(_open())
    wanted = _wanted(rows, now)
    settle_these([pk for (_event, list_id), own in told.items() if list_id not in wanted for pk in own.values()], now)
    due = [
        list_id
        for list_id, asked in wanted.items()
        if any(asked.get(event, frozenset()) != told.get((event, list_id), {}).keys() for event in (TO_SIGN, TO_RECORD))
    ]
    return each_parked(due, lambda pk: _again(pk, now), "notice of a payment list")


def _open() -> QuerySet[PaymentList]:
    return PaymentList.objects.filter(lists_open()).select_related("batch__programme").defer("content").order_by("pk")


def _wanted(rows: Sequence[PaymentList], now: datetime) -> dict[int, Asked]:
    """Whom open lists are to ask: whoever may sign next, or finance once all have signed."""
    known = People({row.batch.programme.issuer_id for row in rows}, now)
    reached = {
        row.pk: known.at(row.batch.programme.issuer_id, OFFICE if row.next_part is not None else (Role.FINANCE,)) for row in rows
    }
    signers = Signers(rows, {pk for people in reached.values() for one in people for pk in one.people})
    found: dict[int, Asked] = {}
    for row in rows:
        if row.next_part is None:
            found[row.pk] = {TO_RECORD: frozenset(one.who for one in reached[row.pk])}
        else:
            found[row.pk] = {TO_SIGN: frozenset(one.who for one in reached[row.pk] if signers.is_free(row, *one.people))}
    return found


def _told(list_ids: Collection[int] | None = None) -> Told:
    return open_notices(PaymentList, (TO_SIGN, TO_RECORD), _key_of, list_ids)


def _key_of(event: str, list_id: str, params: Mapping[str, Any]) -> tuple[str, int]:
    return (event, int(list_id))


def _again(list_id: int, now: datetime) -> int:
    """With the list locked and everything asked again: it may have been signed in between."""
    return tell_list(PaymentList.objects.select_for_update(no_key=True).get(pk=list_id), now)
