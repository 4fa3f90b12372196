"""What a booking or a sample job keeps of its customer's own accounts, prepaid money and spending limits, from asking until it is billed.
Every function is part of the caller's transaction.

Asked for, it is held under the booking or job; charged, what is due of the prepaid money is held under the charge until the bill takes it
(``billing.payments.services.prepaying``), and the limits are spent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.db.models import Max

from billing.cards.accounts import RESERVATION, SAMPLE_JOB
from billing.ledger import services as ledger
from billing.ledger.models import Account, Transfer, TransferKind
from billing.ledger.services import AccountSpec, Held, Source
from billing.prepaid.accounts import CHARGE, KINDS, PREPAID, limits, prepaid_due
from billing.prepaid.rules.standing import lacking
from booking.models import Reservation, SampleJob
from booking.rules.samples import JobEvent
from booking.rules.states import Action
from config.kernel.errors import Conflict

Paying = Reservation | SampleJob
_GIVEN_UP_BY = (Action.REJECT, Action.MARK_NO_SHOW, JobEvent.REFUSE)
"""After which a reservation or a job may come back to life."""


def owner_of(paying: Paying) -> int:
    """Who is paid."""
    return paying.lab_id if isinstance(paying, SampleJob) else paying.instrument.organisation_id


def kept(accounts: Sequence[Account]) -> list[Account]:
    """The customer's own accounts among these."""
    return [account for account in accounts if account.kind in KINDS]


def kept_before(paying: Paying) -> list[Account]:
    """The customer's own accounts on which it kept its price until it was rejected or missed, in id order; nothing is locked.

    Those are the accounts of the holds that its rejection ended since the last one was made: what a move ended is not kept again.
    """
    kind = SAMPLE_JOB if isinstance(paying, SampleJob) else RESERVATION
    own = Transfer.objects.filter(source_type=kind, source_id=paying.pk, debit__kind__in=KINDS)
    last = own.filter(kind=TransferKind.HOLD).aggregate(last=Max("pk"))["last"] or 0
    ended = own.filter(reason__in=_GIVEN_UP_BY, pk__gt=last).exclude(kind=TransferKind.HOLD)
    return list(Account.objects.filter(pk__in=ended.values("debit_id")).order_by("pk"))


def hold(
    paying: Paying, held: Sequence[Held], beside: Sequence[Account] | None, amount_fen: int, source: Source, now: datetime
) -> None:
    """Keep ``amount_fen`` on the accounts ``beside`` (None: on those of ``held``) in place of what of ``held`` is on such accounts.

    Raises Conflict ``prepaid.not_enough_left`` / ``spending.over_limit`` (needed_fen, left_fen).
    """
    before = [one for one in held if one.debit.kind in KINDS]
    accounts = [one.debit for one in before] if beside is None else list(beside)
    wanted = sorted((account.pk, amount_fen) for account in accounts if amount_fen > 0)
    if sorted((one.debit_id, one.amount_fen) for one in before) == wanted:
        return
    ledger.end_holds(before, {}, source, now, TransferKind.VOID)
    if wanted:
        _keep(list(ledger.lock(accounts).values()), amount_fen, owner_of(paying), source, now)


def _keep(accounts: Sequence[Account], amount_fen: int, owner_id: int, source: Source, now: datetime) -> None:
    """On every one of these locked accounts."""
    for account in accounts:
        if account.limited and (reason := lacking(account.kind, amount_fen, account.promisable_fen)) is not None:
            raise Conflict(reason)
    for account in accounts:
        ledger.hold({account.pk: amount_fen}, _payee(account, owner_id, now), source, now)


def _payee(account: Account, owner_id: int, now: datetime) -> Account:
    spec: AccountSpec = prepaid_due(owner_id) if account.kind == PREPAID else limits()
    return ledger.open_accounts([spec], now)[spec.key]


def settle(paying: Paying, charge_id: int, due_fen: int, source: Source, now: datetime) -> None:
    """It is charged: the limits spend what is due, and prepaid money keeps it for the bill; what costs more than was held takes of both
    what is left, and the rest is billed."""
    own = [one for one in ledger.open_holds(source.type, source.id) if one.debit.kind in KINDS]
    accounts = ledger.lock([one.debit for one in own])
    for one in own:
        account = accounts[one.debit.key]
        room = one.amount_fen + account.left_fen if account.limited else due_fen
        due = min(due_fen, room)
        ledger.end_holds([one], {}, source, now, TransferKind.VOID)
        if due <= 0:
            continue
        under = replace(source, type=CHARGE, id=charge_id) if one.debit.kind == PREPAID else source
        ledger.hold({one.debit_id: due}, _payee(one.debit, owner_of(paying), now), under, now)
        if one.debit.kind != PREPAID:
            mine = [each for each in ledger.open_holds(source.type, source.id) if each.debit_id == one.debit_id]
            ledger.end_holds(mine, {one.debit_id: due}, source, now, TransferKind.VOID)
