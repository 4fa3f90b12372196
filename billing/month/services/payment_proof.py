"""What proves that bills were paid: from whom the money came, where it stands in which bank list or at which checkout, and the receipts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from billing.payments.models import Allocation, Payment
from billing.receipts.models import Receipt
from config.kernel.access import Actor, visible_to

Json = dict[str, Any]


def given_to(actor: Actor, bill_ids: Collection[int]) -> dict[int, list[Json]]:
    """What was given to each of some bills, and what of that was taken away again, in order; of each payment that the actor may read with
    what proves it. Amounts in fen. Three queries."""
    rows = visible_to(Allocation.objects.filter(bill_id__in=bill_ids), actor)
    given = list(
        rows.select_related("payment__statement", "payment__checkout__bill")
        .defer("payment__checkout__bill__content")
        .order_by("pk")
    )
    payments = {each.payment_id for each in given}
    readable = set(visible_to(Payment.objects.filter(pk__in=payments), actor).values_list("pk", flat=True))
    receipts: dict[int, list[Json]] = defaultdict(list)
    for row in visible_to(Receipt.objects.filter(payment__in=payments), actor).defer("content").order_by("pk"):
        receipts[row.payment_id].append({"number": row.number, "total_fen": row.total_fen, "content_sha256": row.content_sha256})
    found: dict[int, list[Json]] = {pk: [] for pk in bill_ids}
    for each in given:
        proof = _proof(each.payment) if each.payment_id in readable else {}
        found[each.bill_id].append({**_said(each), **proof, "receipts": receipts[each.payment_id]})
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
