"""Adding money to a programme's account: asked for by one person, added or refused by another."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from billing.ledger import services as ledger
from billing.ledger.life import ISSUED, KEEPERS, REASON_LENGTH, TREASURY
from billing.ledger.models import Account, AccountState
from billing.ledger.queries import READERS
from billing.ledger.services import Source
from billing.ledger.top_up_models import SOURCE, TopUp
from config.kernel.access import Actor, get_visible, visible_to
from config.kernel.errors import Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole


@whole
def ask(actor: Actor, account_id: int, amount_fen: int, reason: str, now: datetime) -> TopUp:
    """Ask for money from the treasury; nothing moves until somebody else adds it.

    Raises NotFound, Forbidden, Refusal ``ledger.reason_needed``, ``ledger.reason_too_long`` (``reason``), ``ledger.amount_not_positive``
    (``amount_fen``), ``ledger.closed``, ``ledger.voucher_is_issued``: what a voucher is worth three people decide.
    """
    actor.require(*KEEPERS)
    account = get_visible(Account.objects.filter(limited=True, programme__isnull=False), actor, pk=account_id)
    why = _words(reason)
    if not why:
        raise Refusal.of("ledger.reason_needed", field="reason")
    if amount_fen <= 0:
        raise Refusal.of("ledger.amount_not_positive", field="amount_fen")
    _refuse_where_none_is_taken(account)
    asked = TopUp.objects.create(account=account, amount_fen=amount_fen, reason=why, asked_by_id=actor.person_id, asked_at=now)
    audit.record(actor, "account.ask_top_up", account, now, after={"top_up": asked.pk, "amount_fen": amount_fen}, reason=why)
    return asked


@whole
def add(actor: Actor, top_up_id: int, now: datetime) -> Account:
    """Somebody else says yes: the money moves.

    Raises NotFound, Forbidden, Refusal ``ledger.second_person``, ``ledger.top_up_decided``, ``ledger.closed``.
    """
    asked = _locked(actor, top_up_id)
    if asked.asked_by_id == actor.person_id:
        raise Refusal.of("ledger.second_person")
    treasury = ledger.open_accounts([TREASURY], now)[TREASURY.key]
    account = ledger.lock([asked.account])[asked.account.key]
    _refuse_where_none_is_taken(account)
    _decide(asked, TopUp.State.ADDED, actor, "", now)
    ledger.grant(treasury, account, asked.amount_fen, Source(SOURCE, asked.pk, "top_up", None, actor.person_id), now)
    after = {"top_up": asked.pk, "amount_fen": asked.amount_fen}
    audit.record(actor, "account.top_up", account, now, after=after, reason=asked.reason)
    account.refresh_from_db()
    return account


@whole
def refuse(actor: Actor, top_up_id: int, reason: str, now: datetime) -> TopUp:
    """Do not add it; whoever asked may take it back so. Raises NotFound, Forbidden, Refusal ``ledger.reason_needed``,
    ``ledger.reason_too_long`` (``reason``), ``ledger.top_up_decided``."""
    asked, why = _locked(actor, top_up_id), _words(reason)
    if not why:
        raise Refusal.of("ledger.reason_needed", field="reason")
    _decide(asked, TopUp.State.REFUSED, actor, why, now)
    audit.record(actor, "account.refuse_top_up", asked.account, now, after={"top_up": asked.pk}, reason=why)
    return asked


def waiting(actor: Actor, account: Account | None = None) -> QuerySet[TopUp]:
    """What waits for a second person, the oldest first; of one account where it is given. Raises Forbidden."""
    actor.require(*READERS)
    rows = visible_to(TopUp.objects.filter(state=TopUp.State.ASKED), actor)
    rows = rows.filter(account=account) if account is not None else rows
    return rows.select_related("account__programme", "account__organisation", "asked_by").order_by("pk")


def top_up_for(actor: Actor, pk: int) -> TopUp:
    """One of them, decided or not. Raises Forbidden, NotFound."""
    actor.require(*READERS)
    rows = TopUp.objects.select_related("account__programme", "account__organisation", "asked_by", "decided_by")
    return get_visible(rows, actor, pk=pk)


def _locked(actor: Actor, top_up_id: int) -> TopUp:
    actor.require(*KEEPERS)
    rows = TopUp.objects.select_for_update(of=("self",)).select_related("account")
    asked = get_visible(rows, actor, pk=top_up_id)
    if asked.state != TopUp.State.ASKED:
        raise Refusal.of("ledger.top_up_decided")
    return asked


def _decide(asked: TopUp, state: TopUp.State, actor: Actor, answer: str, now: datetime) -> None:
    asked.state, asked.decided_by_id, asked.decided_at, asked.answer = state, actor.person_id, now, answer
    asked.save(update_fields=["state", "decided_by", "decided_at", "answer"])


def _refuse_where_none_is_taken(account: Account) -> None:
    if account.kind == ISSUED:
        raise Refusal.of("ledger.voucher_is_issued")
    if account.state == AccountState.CLOSED:
        raise Refusal.of("ledger.closed")


def _words(reason: str) -> str:
    why = reason.strip()
    if len(why) > REASON_LENGTH:
        raise Refusal.of("ledger.reason_too_long", field="reason", maximum=REASON_LENGTH)
    return why
