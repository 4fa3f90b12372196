"""Telling the offices which payment lists wait for them, and no longer those that do not.

Compared, not reacted to, as claims are (``waiting``): at once where a list changes, and again from time to time, so that whoever gets the
role, or stands in for somebody, later is told, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db.models import QuerySet

from billing.claims.models import PaymentList
from billing.claims.notices import TO_RECORD, TO_SIGN
from billing.claims.services.office import OFFICE
from billing.claims.services.telling import Reached, people_of
from billing.claims.worklist import lists_open
from config.kernel.access import Role
from config.kernel.services.parking import each_parked
from instruments.models import Notice
from instruments.services.notices import News, person, tell
from instruments.services.settling import settle_these

_ABOUT = PaymentList._meta.label_lower
#: Event, a person, and for whom they stand in ("": in their own right).
Told = tuple[str, int, str]
#: The people of an office who have one of some roles, as far as they were asked for.
_Known = dict[tuple[int | None, tuple[Role, ...]], list[Reached]]


def tell_list(row: PaymentList, now: datetime) -> int:
    """Bring what people were told of a locked list in line with what it waits for; returns how many were told. Call it inside the
    transaction of the change."""
    wanted = _wanted(row, {}, now) if _open().filter(pk=row.pk).exists() else frozenset()
    return _bring(row, wanted, _told([row.pk]).get(row.pk, {}), now)


def tell_due(now: datetime) -> int:
    """The same of every list; returns of how many somebody was told. Safe to repeat: where everybody is told, it is two queries, and two
    for each office."""
    known: _Known = {}
    told = _told()  # before the lists: of one made in between nothing was told that would seem to be of none
    rows = {row.pk: row for row in _open()}
    settle_these([pk for list_id, own in told.items() if list_id not in rows for pk in own.values()], now)
    due = [pk for pk, row in rows.items() if _wanted(row, known, now) != told.get(pk, {}).keys()]
    return each_parked(due, lambda pk: _again(pk, now), "notice of a payment list")


def _open() -> QuerySet[PaymentList]:
    return PaymentList.objects.filter(lists_open()).select_related("batch__programme").defer("content").order_by("pk")


def _wanted(row: PaymentList, known: _Known, now: datetime) -> frozenset[Told]:
    """Whom an open list is to ask: whoever may sign it next, or finance once all have signed."""
    is_signed = row.approved_by_id is not None
    roles = (Role.FINANCE,) if is_signed else OFFICE
    key = (row.batch.programme.issuer_id, roles)
    if key not in known:
        known[key] = people_of(*key, now)
    free = [one for one in known[key] if is_signed or row.next_is_free_to(one.user_id, one.behalf_id)]
    return frozenset((TO_RECORD if is_signed else TO_SIGN, one.user_id, one.behalf) for one in free)


def _told(lists: Sequence[int] | None = None) -> dict[int, dict[Told, int]]:
    """The open notices of these lists (None: of all), by list; one query."""
    rows = Notice.objects.filter(object_type=_ABOUT, event__in=(TO_SIGN, TO_RECORD), needs_action=True)
    if lists is not None:
        rows = rows.filter(object_id__in=[str(pk) for pk in lists])
    found: dict[int, dict[Told, int]] = {}
    for pk, about, event, user_id, params in rows.values_list("pk", "object_id", "event", "user_id", "params"):
        found.setdefault(int(about), {})[event, user_id, params.get("behalf", "")] = pk
    return found


def _again(list_id: int, now: datetime) -> int:
    """With the list locked and everything asked again: it may have been signed in between."""
    return tell_list(PaymentList.objects.select_for_update(no_key=True).get(pk=list_id), now)


def _bring(row: PaymentList, wanted: frozenset[Told], told: Mapping[Told, int], now: datetime) -> int:
    settle_these([pk for who, pk in told.items() if who not in wanted], now)
    params = {"number": row.number, "programme": row.batch.programme.code, "total_fen": row.total_fen}
    by: dict[tuple[str, str], list[int]] = {}
    for event, user_id, behalf in sorted(wanted - told.keys()):
        by.setdefault((event, behalf), []).append(user_id)
    count = 0
    for (event, behalf), people in by.items():
        own = params | ({"behalf": behalf} if behalf else {})
        count += tell(News(event, own, f"/payout-lists/{row.pk}/", row), person(*people), now)
    return count
