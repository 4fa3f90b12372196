"""Prepaid money: keeping free money of a payment for its customer, and paying bills with it as they are issued (given back:
``prepaid_refunds``).

Order of locks, as everywhere: payments in id order, then the bill, then accounts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Sum

from billing.bills.accounts import unassigned
from billing.bills.models import Bill
from billing.ledger import services as ledger
from billing.ledger.models import Account, Transfer, TransferKind
from billing.ledger.services import Source
from billing.payments.models import Allocation, Payment
from billing.payments.prepaid_models import EntryKind, PrepaidEntry
from billing.payments.services.allocating import give_locked, open_fen, standing_of
from billing.prepaid.accounts import CHARGE, prepaid, prepaid_due
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Conflict, NotFound, Refusal
from config.kernel.services import audit, transactions
from instruments.models import Organisation


def deposit(actor: Actor, payment_id: int, customer_id: int, amount_fen: int, now: datetime) -> PrepaidEntry:
    """Keep a part of what is free of a payment as prepaid for a customer of the payment's owner.

    Raises NotFound, Forbidden, Refusal ``prepaid.own`` / ``refund.amount`` (with what is free).
    """

    def work() -> PrepaidEntry:
        payment = get_visible(Payment.objects.all(), actor, pk=payment_id)
        actor.require_in(payment.owner_id, Role.OWNER_FINANCE)
        customer = Organisation.objects.filter(pk=customer_id).first()
        if customer is None:
            raise NotFound.of("access.not_found", model="organisation")
        if customer.pk == payment.owner_id:
            raise Refusal.of("prepaid.own", field="customer")
        Payment.objects.select_for_update(no_key=True).values_list("pk").get(pk=payment.pk)
        free = standing_of(payment).free_fen
        if not 0 < amount_fen <= free:
            raise Refusal.of("refund.amount", field="amount_fen", free_fen=free)
        row = keep(payment, customer.pk, amount_fen, now, actor_id=actor.user_id)
        audit.record(actor, "prepaid.deposit", payment, now, after={"customer": customer.pk, "amount_fen": amount_fen})
        return row

    return transactions.run(work)


def keep(payment: Payment, customer_id: int, amount_fen: int, now: datetime, *, actor_id: int | None) -> PrepaidEntry:
    """Write the deposit and its posting; the payment is locked and the amount was checked."""
    row = PrepaidEntry.objects.create(
        payment=payment, customer_id=customer_id, kind=EntryKind.DEPOSIT, amount_fen=amount_fen, actor_id=actor_id, at=now
    )
    source = Source("prepaid", row.pk, "prepaid_deposit", actor_id=actor_id)
    account = locked_account(payment.owner_id, customer_id, now)
    free_money = ledger.open_accounts([unassigned(payment.owner_id)], now)
    ledger.grant(free_money[unassigned(payment.owner_id).key], account, amount_fen, source, now)
    return row


def locked_account(owner_id: int, customer_id: int, now: datetime) -> Account:
    spec = prepaid(owner_id, customer_id)
    return ledger.lock(ledger.open_accounts([spec], now).values())[spec.key]


def left_of(entry: PrepaidEntry) -> int:
    """What of a deposit was not used."""
    return entry.amount_fen + int(PrepaidEntry.objects.filter(of=entry).aggregate(fen=Sum("amount_fen"))["fen"] or 0)


def deposits_of(owner_id: int, customer_id: int) -> list[PrepaidEntry]:
    """The deposits of a customer at an owner of which something is left, the first one first, their payments locked."""
    rows = PrepaidEntry.objects.filter(payment__owner_id=owner_id, customer_id=customer_id)
    used = {row["of"]: row["fen"] for row in rows.exclude(of=None).order_by().values("of").annotate(fen=Sum("amount_fen"))}
    found = [row for row in rows.filter(of=None).order_by("pk") if row.amount_fen + used.get(row.pk, 0) > 0]
    payments = sorted({row.payment_id for row in found})
    list(Payment.objects.select_for_update(no_key=True).filter(pk__in=payments).order_by("pk").values_list("pk"))
    return list(PrepaidEntry.objects.filter(pk__in=[row.pk for row in found]).select_related("payment").order_by("pk"))


def take(
    deposits: Sequence[PrepaidEntry],
    amount_fen: int,
    kind: EntryKind,
    now: datetime,
    *,
    bill: Bill | None = None,
    reason: str = "",
    actor_id: int | None = None,
) -> list[PrepaidEntry]:
    """Use deposits whose payments are locked, the first one first, one entry for each deposit.

    Raises Conflict ``prepaid.changed_meanwhile`` where they have less left.
    """
    parts: dict[int, tuple[PrepaidEntry, int]] = {}
    made = []
    rest = amount_fen
    for one in deposits:
        part = min(left_of(one), rest)
        if part > 0:
            parts[one.pk] = (one, part)
            rest -= part
    if rest:
        raise Conflict.of("prepaid.changed_meanwhile")
    for one, part in parts.values():
        made.append(
            PrepaidEntry.objects.create(
                payment=one.payment,
                customer_id=one.customer_id,
                kind=kind,
                amount_fen=-part,
                of=one,
                bill=bill,
                reason=reason,
                actor_id=actor_id,
                at=now,
            )
        )
    return made


def capture(bill: Bill, charge_ids: Sequence[int], now: datetime) -> None:
    """Pay a bill that was just issued with its customer's prepaid money: what was kept for its charges, and of the rest what is not kept
    for other bookings, up to what is open. Part of the transaction of issuing; nothing where there is no such money."""
    spec = prepaid(bill.owner_id, bill.customer_id)
    if spec.key not in ledger.known([spec.key]):
        return
    deposits = deposits_of(bill.owner_id, bill.customer_id)
    account = locked_account(bill.owner_id, bill.customer_id, now)
    source = Source("bill", bill.pk, "prepaid_capture", actor_id=bill.issued_by_id)
    held = _end_holds(account, charge_ids, source, now)
    if held:
        ledger.move(prepaid_due(bill.owner_id), unassigned(bill.owner_id), held, source, now)
    account = locked_account(bill.owner_id, bill.customer_id, now)
    # What was deposited since the deposits were read is on the account; its payment is not locked, so it waits for the next bill.
    there = sum(left_of(one) for one in deposits)
    beyond = min(account.left_fen, open_fen(bill) - held, there - held)
    if beyond > 0:
        ledger.withdraw(account, unassigned(bill.owner_id), beyond, source, now)
    if held + max(0, beyond) == 0:
        return
    for entry in take(deposits, held + max(0, beyond), EntryKind.CAPTURE, now, bill=bill):
        give_locked(entry.payment, bill, -entry.amount_fen, now, actor_id=None, prepaid=entry)


def _end_holds(account: Account, charge_ids: Sequence[int], source: Source, now: datetime) -> int:
    """Take what is held for these charges; how much that was (fen)."""
    rows = Transfer.objects.filter(
        debit=account, kind=TransferKind.HOLD, source_type=CHARGE, source_id__in=charge_ids, ends__isnull=True
    )
    taken = 0
    for pending in rows.select_related("debit").order_by("pk"):
        ledger.end_holds([pending], {account.pk: pending.amount_fen}, source, now, TransferKind.VOID)
        taken += pending.amount_fen
    return taken


def take_back(payment: Payment, amount_fen: int, reason: str, now: datetime) -> int:
    """Money of a locked payment went back at the provider without asking us: what of it was kept as prepaid and not promised to bookings
    is free again, up to ``amount_fen``; returns how much that was."""
    freed = 0
    for one in PrepaidEntry.objects.filter(payment=payment, of=None).select_related("payment").order_by("-pk"):
        account = locked_account(payment.owner_id, one.customer_id, now)
        part = min(left_of(one), account.left_fen, amount_fen - freed)
        if part > 0:
            (entry,) = take([one], part, EntryKind.WITHDRAW, now, reason=reason)
            source = Source("prepaid", entry.pk, "prepaid_withdraw")
            ledger.withdraw(account, unassigned(payment.owner_id), part, source, now)
            freed += part
    return freed


def keep_again(bill: Bill, undone: Sequence[Allocation], now: datetime, actor_id: int | None) -> None:
    """What prepaid money had paid of a bill is prepaid again as far as the bill gave it back (``undone``: the reversing entries, their
    payments locked), and not free money: a part of a transaction that credits or takes an allocation away. What else was given to the bill
    is free money of its payment."""
    back: dict[int, int] = {}
    for entry in undone:
        if entry.undoes is not None and entry.undoes.prepaid_id is not None:
            back[entry.payment_id] = back.get(entry.payment_id, 0) - entry.amount_fen
    for payment_id, fen in sorted(back.items()):
        # No more than the guard allows: before allocations said where their money came from, too much was sometimes kept.
        part = min(fen, _not_kept_again(bill, payment_id))
        if part <= 0:
            continue
        row = PrepaidEntry.objects.create(
            payment_id=payment_id,
            customer_id=bill.customer_id,
            kind=EntryKind.DEPOSIT,
            amount_fen=part,
            bill=bill,
            actor_id=actor_id,
            at=now,
        )
        account = locked_account(bill.owner_id, bill.customer_id, now)
        free_money = ledger.open_accounts([unassigned(bill.owner_id)], now)[unassigned(bill.owner_id).key]
        ledger.grant(free_money, account, part, Source("prepaid", row.pk, "prepaid_deposit", actor_id=actor_id), now)


def _not_kept_again(bill: Bill, payment_id: int) -> int:
    """What a bill gave back of the prepaid money of a payment, and is not prepaid again yet (fen)."""
    of_both: dict[str, Any] = {"bill": bill, "payment": payment_id}
    back = Allocation.objects.filter(**of_both, undoes__prepaid__isnull=False).aggregate(fen=Sum("amount_fen"))["fen"] or 0
    kept = PrepaidEntry.objects.filter(**of_both, kind=EntryKind.DEPOSIT).aggregate(fen=Sum("amount_fen"))["fen"] or 0
    return int(-back - kept)


def let_go(owner_id: int, customer_id: int, charge_id: int, source: Source, now: datetime) -> int:
    """A charge is on no bill for good: what of its customer's prepaid money was kept for it is not kept any more. Returns how much that
    was (fen)."""
    spec = prepaid(owner_id, customer_id)
    if spec.key not in ledger.known([spec.key]):
        return 0
    account = locked_account(owner_id, customer_id, now)
    rows = Transfer.objects.filter(
        debit=account, kind=TransferKind.HOLD, source_type=CHARGE, source_id=charge_id, ends__isnull=True
    )
    found = list(rows.select_related("debit").order_by("pk"))
    if found:
        ledger.end_holds(found, {}, source, now, TransferKind.VOID)
    return sum(each.amount_fen for each in found)
