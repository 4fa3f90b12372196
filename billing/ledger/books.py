"""The ledger as an accountant reads it: accounts with what was debited and credited in a period, the postings of one, and the
double-entry lines of a period. Row-level permission is applied here.

Only what moved counts: what is kept for a booking (``hold`` and its end without money) is no posting.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from billing.ledger.models import Account, Transfer, TransferKind
from billing.ledger.rules.accounting import Entry
from config.kernel.access import Actor, Role, get_visible, visible_to

READERS = (Role.FINANCE, Role.PROGRAMME_OFFICER, Role.INSPECTOR, Role.OWNER_FINANCE)
_SUPERVISORS = (Role.FINANCE, Role.PROGRAMME_OFFICER, Role.INSPECTOR)
MOVED = (TransferKind.GRANT, TransferKind.POST, TransferKind.REVERSE, TransferKind.REFUND, TransferKind.MOVE)
_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Period:
    """Local days, both included; None: from the first, or to the newest posting."""

    first_on: date | None = None
    last_on: date | None = None

    @property
    def starts_at(self) -> datetime | None:
        return _midnight(self.first_on) if self.first_on else None

    @property
    def ends_at(self) -> datetime | None:
        return _midnight(self.last_on + timedelta(days=1)) if self.last_on and self.last_on < date.max else None

    def before(self) -> Q:
        """Postings before the period; none where it has no beginning."""
        return Q(at__lt=self.starts_at) if self.starts_at else Q(pk__in=())

    def within(self) -> Q:
        """Postings in it."""
        found = Q(at__gte=self.starts_at) if self.starts_at else Q()
        return found & Q(at__lt=self.ends_at) if self.ends_at else found


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(settings.TIME_ZONE))


@dataclass(frozen=True, slots=True)
class Sums:
    """Of one account, in fen: the balance before a period (debits less credits), and what was debited and credited in it."""

    opening_fen: int = 0
    debit_fen: int = 0
    credit_fen: int = 0

    @property
    def closing_fen(self) -> int:
        return self.opening_fen + self.debit_fen - self.credit_fen


def accounts(actor: Actor, *, organisation_id: int | None = None, programme: str = "", kind: str = "") -> QuerySet[Account]:
    """The accounts that one may read, by kind and key: all for who supervises, those of its institution for its finance.

    Raises Forbidden.
    """
    actor.require(*READERS)
    rows = visible_to(Account.objects.all(), actor)
    if not actor.has(*_SUPERVISORS):
        rows = rows.filter(own(actor))
    if organisation_id is not None:
        rows = rows.filter(organisation_id=organisation_id)
    if programme:
        rows = rows.filter(programme__code=programme)
    if kind:
        rows = rows.filter(kind=kind)
    return rows.select_related("organisation", "programme").order_by("kind", "key")


def own(actor: Actor) -> Q:
    """The accounts of the institutions for which the actor accounts: their own, and what customers owe them."""
    owners = actor.organisations(Role.OWNER_FINANCE)
    found = Q(organisation_id__in=owners)
    for owner_id in owners:
        found |= Q(key__startswith=f"receivable:{owner_id}:")
    return found


def account_for(actor: Actor, pk: int) -> Account:
    """One of them. Raises Forbidden, NotFound."""
    return get_visible(accounts(actor), actor, pk=pk)


def sums(rows: Sequence[Account], period: Period) -> dict[int, Sums]:
    """By account; two queries."""
    debits, credits = (_side(side, rows, period) for side in ("debit_id", "credit_id"))
    found = {}
    for row in rows:
        debited, credited = debits.get(row.pk, (0, 0)), credits.get(row.pk, (0, 0))
        found[row.pk] = Sums(debited[0] - credited[0], debited[1], credited[1])
    return found


def _side(side: str, rows: Sequence[Account], period: Period) -> dict[int, tuple[int, int]]:
    moved = Transfer.objects.filter(**{f"{side}__in": [row.pk for row in rows]}, kind__in=MOVED).order_by().values(side)
    summed = moved.annotate(
        before=Coalesce(Sum("amount_fen", filter=period.before()), 0),
        within=Coalesce(Sum("amount_fen", filter=period.within()), 0),
    )
    return {row[side]: (row["before"], row["within"]) for row in summed}


def postings(actor: Actor, account: Account, period: Period) -> QuerySet[Transfer]:
    """What was posted on an account in a period, in the order in which it was."""
    rows = visible_to(Transfer.objects.filter(Q(debit=account) | Q(credit=account), period.within(), kind__in=MOVED), actor)
    return rows.select_related("debit", "credit", "actor", "programme_version").order_by("pk")


def balance_before(account: Account, period: Period, first_id: int | None) -> int:
    """The balance (debits less credits) of an account before a period, with what was posted in it before ``first_id``; one query."""
    until = period.before() if first_id is None else period.before() | (period.within() & Q(pk__lt=first_id))
    rows = Transfer.objects.filter(until, kind__in=MOVED).aggregate(
        debit=Coalesce(Sum("amount_fen", filter=Q(debit=account)), 0),
        credit=Coalesce(Sum("amount_fen", filter=Q(credit=account)), 0),
    )
    return int(rows["debit"]) - int(rows["credit"])


def entries(actor: Actor, period: Period, *, organisation_id: int | None = None) -> Iterator[Entry]:
    """Every posting of a period that one may read, as a debit and a credit; streamed, in order. Raises Forbidden at once."""
    actor.require(*READERS)
    rows = visible_to(Transfer.objects.filter(period.within(), kind__in=MOVED), actor)
    if not actor.has(*_SUPERVISORS):
        mine = accounts(actor).values("pk")
        rows = rows.filter(Q(debit__in=mine) | Q(credit__in=mine))
    if organisation_id is not None:
        rows = rows.filter(Q(debit__organisation_id=organisation_id) | Q(credit__organisation_id=organisation_id))
    parts = ("debit__organisation", "credit__organisation", "programme_version__programme")
    return _entries(rows.select_related(*parts).order_by("pk"))


def _entries(rows: QuerySet[Transfer]) -> Iterator[Entry]:
    zone = ZoneInfo(settings.TIME_ZONE)
    for row in rows.iterator(chunk_size=_CHUNK):
        version: Any = row.programme_version
        yield Entry(
            voucher=row.pk,
            on=row.at.astimezone(zone).date(),
            at=row.at.astimezone(zone),
            debit=(row.debit.key, row.debit.kind, row.debit.organisation.name if row.debit.organisation else ""),
            credit=(row.credit.key, row.credit.kind, row.credit.organisation.name if row.credit.organisation else ""),
            amount_fen=row.amount_fen,
            kind=row.kind,
            reason=row.reason,
            source=f"{row.source_type}:{row.source_id}",
            programme=f"{version.programme.code} {version.label}" if version is not None else "",
        )
