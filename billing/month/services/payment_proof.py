"""What proves that bills were paid: from whom the money came, where it stands in which bank list or at which checkout, and the receipts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from billing.payments.models import Allocation, Payment
from billing.receipts.models import Receipt
from billing.receipts.rules.standing import printed
from config.kernel.access import Actor, visible_to

Json = dict[str, Any]


def given_to(actor: Actor, bill_ids: Collection[int]) -> dict[int, list[Json]]:
    """What was given to each of some bills, and what of that was taken away again, in order; of each payment that the actor may read with
    what proves it, and the receipts that name the bill. Amounts in fen. Three queries."""
    rows = visible_to(Allocation.objects.filter(bill_id__in=bill_ids), actor)
    given = list(
        rows.select_related("bill", "payment__statement", "payment__checkout__bill")
        .defer("bill__content", "payment__checkout__bill__content")
        .order_by("pk")
    )
    payments = {each.payment_id for each in given}
    readable = set(visible_to(Payment.objects.filter(pk__in=payments), actor).values_list("pk", flat=True))
    receipts = _receipts(actor, payments)
    found: dict[int, list[Json]] = {pk: [] for pk in bill_ids}
    for each in given:
        proof = _proof(each.payment) if each.payment_id in readable else {}
        named = each.payment_id, each.bill.customer_id, each.bill.number
        found[each.bill_id].append({**_said(each), **proof, "receipts": receipts.get(named, [])})
    return found


def _receipts(actor: Actor, payments: Collection[int]) -> dict[tuple[int, int, str], list[Json]]:
    """The receipts for some payments by payment, customer and the number of a bill that they name: one payment may pay several bills, of
    several customers."""
    found: dict[tuple[int, int, str], list[Json]] = defaultdict(list)
    for row in visible_to(Receipt.objects.filter(payment__in=payments), actor).order_by("pk"):
        said = {"number": row.number, "total_fen": row.total_fen, "content_sha256": row.content_sha256}
        for bill in printed(row.content):
            found[row.payment_id, row.customer_id, bill].append(said)
    return found


def _said(each: Allocation) -> Json:
    return {
        "amount_fen": each.amount_fen,
        "at": each.at.isoformat(),
        "method": each.payment.method,
        "received_on": each.payment.received_on.isoformat(),
        "undoes": each.undoes_id,
        "reason": each.reason,
    }


def _proof(payment: Payment) -> Json:
    """Where the money is found again: in the row of a bank's list, known by its hash, or at the provider."""
    proof: Json = {"payment_fen": payment.amount_fen, "payer_name": payment.payer_name, "remark": payment.remark}
    if payment.statement is not None:
        proof["bank_list"] = {
            "file_name": payment.statement.file_name,
            "sha256": payment.statement.sha256,
            "row": payment.row,
            "row_fingerprint": payment.fingerprint,
        }
    if payment.checkout is not None:
        proof["checkout"] = {
            "provider": payment.checkout.provider,
            "reference": payment.checkout.reference,
            "session": payment.checkout.session_ref,
            "intent": payment.checkout.intent_ref,
        }
    return proof
