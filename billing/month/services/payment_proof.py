"""What proves that bills were paid: from whom the money came, where it stands in which bank list or at which checkout, and the receipts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from billing.payments.models import Allocation, Payment
from billing.receipts.models import Receipt
from billing.receipts.rules.standing import printed
from config.kernel.access import Actor, visible_to

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Proofs:
    """What was given to bills, by bill; ``unproven``: some of it without what proves it, which this reader may not see."""

    by_bill: dict[int, list[Json]]
    unproven: bool


def given_to(actor: Actor, bill_ids: Collection[int], *, as_office: bool = False) -> Proofs:
    """What was given to each of some bills, and what of that was taken away again, in order; of each payment that the actor may read with
    what proves it, and the receipts that name the bill. Amounts in fen. Three queries.

    ``as_office``: for the office that reviews and pays what is billed there. It reads of every payment where it is found again, and
    nothing of what else the same money paid: not how much it was, not what its payer wrote, no receipt of another customer.
    """

    def seen(rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows if as_office else visible_to(rows, actor)

    rows = seen(Allocation.objects.filter(bill_id__in=bill_ids))
    given = list(
        rows.select_related("bill", "payment__statement", "payment__checkout__bill", "payment__by_hand__evidence")
        .defer("bill__content", "payment__checkout__bill__content")
        .order_by("pk")
    )
    payments = {each.payment_id for each in given}
    readable = set(seen(Payment.objects.filter(pk__in=payments)).values_list("pk", flat=True))
    receipts = _by_bill(seen(Receipt.objects.filter(payment__in=payments)))
    found: dict[int, list[Json]] = {pk: [] for pk in bill_ids}
    for each in given:
        proof = _proof(each.payment, whole=not as_office) if each.payment_id in readable else {}
        named = each.payment_id, each.bill.customer_id, each.bill.number
        found[each.bill_id].append({**_said(each), **proof, "receipts": receipts.get(named, [])})
    return Proofs(found, unproven=bool(payments - readable))


def _by_bill(rows: QuerySet[Receipt]) -> dict[tuple[int, int, str], list[Json]]:
    """Receipts by payment, customer and the number of a bill that they name: one payment may pay several bills, of several customers."""
    found: dict[tuple[int, int, str], list[Json]] = defaultdict(list)
    for row in rows.order_by("pk"):
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


def _proof(payment: Payment, *, whole: bool) -> Json:
    """Where the money is found again: in the row of a bank's list, known by its hash, or at the provider. ``whole``: with what the payment
    was in all and what its payer wrote, which may be about others."""
    proof: Json = {"payer_name": payment.payer_name}
    if whole:
        proof |= {"payment_fen": payment.amount_fen, "remark": payment.remark}
    if payment.statement is not None:
        proof["bank_list"] = {
            "file_name": payment.statement.file_name,
            "sha256": payment.statement.sha256,
            "row": payment.row,
            "row_fingerprint": payment.fingerprint,
        }
    if payment.by_hand is not None:
        proof["by_hand"] = {
            "way": payment.by_hand.way,
            "reference": payment.by_hand.reference,
            "evidence_sha256": payment.by_hand.evidence.sha256,
        }
    if payment.checkout is not None:
        proof["checkout"] = {
            "provider": payment.checkout.provider,
            "reference": payment.checkout.reference,
            "session": payment.checkout.session_ref,
            "intent": payment.checkout.intent_ref,
        }
    return proof
