"""Reads of limited accounts and their movements."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from billing.ledger.models import Account, LedgerSeal, Transfer
from config.kernel.access import Actor, Role, get_visible, visible_to

#: Kinds of which there is an account for each order or contract: a list of all accounts leaves them out until it is asked for them.
VERY_MANY = ("order", "contract")
READERS = (Role.FINANCE, Role.PROGRAMME_OFFICER, Role.INSPECTOR)


def programme_accounts(actor: Actor, kind: str = "") -> QuerySet[Account]:
    """The limited accounts of programmes, of one kind or (empty) of all but those of which there are very many. Raises Forbidden."""
    actor.require(*READERS)
    rows = visible_to(Account.objects.filter(limited=True, programme__isnull=False), actor)
    rows = rows.filter(kind=kind) if kind else rows.exclude(kind__in=VERY_MANY)
    return rows.select_related("programme", "organisation").order_by("programme__code", "kind", "key")


def account_for(actor: Actor, pk: int) -> Account:
    """One of them. Raises Forbidden, NotFound."""
    actor.require(*READERS)
    rows = Account.objects.filter(limited=True, programme__isnull=False).select_related("programme", "organisation", "returns_to")
    return get_visible(rows, actor, pk=pk)


def movements(actor: Actor, account: Account) -> QuerySet[Transfer]:
    """The movements on an account, the latest first."""
    rows = visible_to(Transfer.objects.filter(Q(debit=account) | Q(credit=account)), actor)
    return rows.select_related("actor", "programme_version").order_by("-pk")


def newest_seal(actor: Actor) -> LedgerSeal | None:
    """The end of the chain."""
    return visible_to(LedgerSeal.objects.all(), actor).order_by("-number").first()
