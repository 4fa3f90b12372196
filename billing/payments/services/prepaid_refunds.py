"""Giving a customer's prepaid money back."""

from __future__ import annotations

from datetime import datetime

from billing.bills.accounts import unassigned
from billing.bills.services.issuing import checked_reason
from billing.ledger import services as ledger
from billing.ledger.services import Source
from billing.payments.prepaid_models import EntryKind
from billing.payments.services import prepaying, refunding
from config.kernel.access import Actor, Role
from config.kernel.errors import NotFound, Refusal
from config.kernel.services import audit, transactions


def withdraw(actor: Actor, owner_id: int, customer_id: int, amount_fen: int, reason: str, now: datetime) -> list[int]:
    """Give what is left of a customer's prepaid money back: it is free money of its payments again and sent back the way it came (a
    transfer is written down, a payment service asked). Returns the ids of the payments.

    Raises Forbidden, NotFound, Refusal ``bill.reason_*`` / ``prepaid.left`` (with what is not kept for bookings) / ``refund.under_way``.
    """
    text = checked_reason(reason)

    def work() -> list[int]:
        if owner_id not in actor.organisations(Role.OWNER_FINANCE):
            actor.require(Role.OWNER_FINANCE)
            raise NotFound.of("access.not_found", model="organisation")
        deposits = prepaying.deposits_of(owner_id, customer_id)
        if not deposits:  # nobody's account is opened for a customer who may not even exist
            raise Refusal.of("prepaid.left", field="amount_fen", left_fen=0)
        account = prepaying.locked_account(owner_id, customer_id, now)
        left = min(account.left_fen, sum(prepaying.left_of(one) for one in deposits))  # more may have been deposited meanwhile
        if not 0 < amount_fen <= left:
            raise Refusal.of("prepaid.left", field="amount_fen", left_fen=left)
        taken = prepaying.take(deposits, amount_fen, EntryKind.WITHDRAW, now, reason=text, actor_id=actor.user_id)
        source = Source("prepaid", taken[0].pk, "prepaid_withdraw", actor_id=actor.user_id)
        ledger.withdraw(account, unassigned(owner_id), amount_fen, source, now)
        back: dict[int, int] = {}
        for entry in taken:
            back[entry.payment_id] = back.get(entry.payment_id, 0) - entry.amount_fen
        for payment_id, part in sorted(back.items()):
            refunding.refund(actor, payment_id, part, text, now)
        audit.record(actor, "prepaid.withdraw", account, now, after={"amount_fen": amount_fen}, reason=text)
        return sorted(back)

    return transactions.run(work)
