"""The life of a programme's limited account: suspended, opened again, closed; what is left at its end lapses (``top_ups``: what is added).

Accounts of fund cards live with their card (``billing.cards``); nothing here touches them.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db.models import F, Q
from django.utils import timezone

from billing.ledger import services as ledger
from billing.ledger.models import Account, AccountState
from billing.ledger.services import AccountSpec, Source
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Conflict, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole

TREASURY = AccountSpec("treasury", "treasury", None)
KEEPERS = (Role.FINANCE, Role.PROGRAMME_OFFICER)
REASON_LENGTH = 500
ISSUED = "voucher"
ENDED_BY_OFFICERS = ("pool", "voucher_quota")


@whole
def set_suspended(actor: Actor, account_id: int, suspended: bool, reason: str, now: datetime) -> Account:
    """Promise nothing new from an account until it is opened again; what is promised stays. Raises NotFound, Forbidden, Refusal
    ``ledger.reason_needed``, ``ledger.reason_too_long``, ``ledger.closed``."""
    account, why = _locked(actor, account_id, reason)
    if account.state == AccountState.CLOSED:
        raise Refusal.of("ledger.closed")
    wanted = AccountState.SUSPENDED if suspended else AccountState.OPEN
    if account.state != wanted:
        _set_state(account, wanted)
        audit.record(actor, "account.suspend" if suspended else "account.open", account, now, reason=why)
    return account


@whole
def close(actor: Actor, account_id: int, reason: str, now: datetime) -> Account:
    """Give what is left back and close for good; what comes back to it later is passed on by ``lapse_due``.

    Raises as ``set_suspended``, Conflict ``ledger.still_holds``.
    """
    account, why = _locked(actor, account_id, reason)
    if account.held_fen:
        raise Conflict.of("ledger.still_holds", held_fen=account.held_fen)
    rest = ledger.return_rest(account, Source("account", account.pk, "close", None, actor.user_id), now)
    yesterday = timezone.localdate(now) - timedelta(days=1)
    ends_on = min(account.ends_on or yesterday, yesterday)
    Account.objects.filter(pk=account.pk).update(state=AccountState.CLOSED, ends_on=ends_on)
    audit.record(actor, "account.close", account, now, after={"returned_fen": rest}, reason=why)
    account.refresh_from_db()
    return account


@whole
def set_last_day(actor: Actor, account_id: int, last_day: date | None, reason: str, now: datetime) -> Account:
    """Say on which local day a budget or a quota ends (None: it does not): what is left lapses after it.

    Raises as ``set_suspended``, Refusal ``ledger.last_day_fixed`` (a voucher has its own), ``ledger.last_day_past`` (``last_day``).
    """
    account, why = _locked(actor, account_id, reason)
    if account.state == AccountState.CLOSED:
        raise Refusal.of("ledger.closed")
    if account.kind not in ENDED_BY_OFFICERS:
        raise Refusal.of("ledger.last_day_fixed")
    if last_day is not None and last_day < timezone.localdate(now):
        raise Refusal.of("ledger.last_day_past", field="last_day")
    before = account.ends_on
    Account.objects.filter(pk=account.pk).update(ends_on=last_day)
    days = ({"ends_on": str(before) if before else None}, {"ends_on": str(last_day) if last_day else None})
    audit.record(actor, "account.last_day", account, now, before=days[0], after=days[1], reason=why)
    account.refresh_from_db()
    return account


def lapse_due(today: date, now: datetime) -> int:
    """Everything due and not yet handled: what is left of accounts whose last day is over goes back; how many gave something back.

    What is still held for use before the end stays held; what of it comes free later lapses at the next run. Each account is a
    transaction of its own, so that one that cannot be had holds up no other.
    """
    rows = Account.objects.filter(Q(limited=True, ends_on__lt=today)).filter(
        Q(granted_fen__gt=F("held_fen") + F("posted_fen")) | ~Q(state=AccountState.CLOSED, held_fen=0)
    )
    return sum(_lapse(pk, today, now) for pk in rows.order_by("pk").values_list("pk", flat=True))


@whole
def _lapse(account_id: int, today: date, now: datetime) -> bool:
    return _give_rest_back(account_id, Source("account", account_id, "lapse", None, None), now, today) > 0


def _give_rest_back(account_id: int, source: Source, now: datetime, today: date | None = None) -> int:
    """``today``: only if the account has ended before it, looked at behind the lock."""
    account = Account.objects.get(pk=account_id)
    account = ledger.lock([account, *([account.returns_to] if account.returns_to else [])])[account.key]
    if today is not None and (account.ends_on is None or account.ends_on >= today):
        return 0
    rest = ledger.return_rest(account, source, now)
    wanted = AccountState.SUSPENDED if account.held_fen else AccountState.CLOSED
    if account.state != wanted:
        _set_state(account, wanted)
    return rest


def end(account_id: int, last_day: date, reason: str, actor_id: int | None, now: datetime) -> int:
    """Let an account promise nothing after ``last_day`` (local) and give what is left back at once; how much that was (fen). Part of
    the caller's transaction, who has checked who may."""
    Account.objects.filter(pk=account_id).update(ends_on=last_day)
    return _give_rest_back(account_id, Source("account", account_id, reason, None, actor_id), now)


def _locked(actor: Actor, account_id: int, reason: str) -> tuple[Account, str]:
    actor.require(*KEEPERS)
    found = get_visible(Account.objects.filter(limited=True, programme__isnull=False), actor, pk=account_id)
    why = reason.strip()
    if not why:
        raise Refusal.of("ledger.reason_needed", field="reason")
    if len(why) > REASON_LENGTH:
        raise Refusal.of("ledger.reason_too_long", field="reason", maximum=REASON_LENGTH)
    home = [found.returns_to] if found.returns_to else []
    return ledger.lock([found, *home])[found.key], why


def _set_state(account: Account, state: AccountState) -> None:
    Account.objects.filter(pk=account.pk).update(state=state)
    account.state = state
