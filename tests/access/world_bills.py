"""Bills, credit notes and payments on both sides of the world: the cast's lab with Gaoyuan, the other lab with Lianhe."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from billing.bills.models import Bill, CreditNote
from billing.bills.proposal_models import BillProposal
from billing.bills.services import issuing
from billing.bills.services.issuing import BillRequest
from billing.ledger import services as ledger
from billing.models import (
    Account,
    BookCheck,
    Checkout,
    InvoiceRequest,
    PaymentDifference,
    ProviderEvent,
    SpendingLimit,
    VatInvoice,
)
from billing.payments.hand_models import HandEntry
from billing.payments.services import allocating, bank_import, crediting, differences
from billing.payments.services.crediting import CreditRequest
from billing.payments.services.differences import Fact
from billing.prepaid.accounts import limit_spec
from billing.receipts.services import issuing as receipts
from config.kernel.services import files
from tests.handed_out import give


def build(world: Any, now: datetime, marks: tuple[str, str]) -> None:
    """A bill, a credit note of its first line, a payment of which a part is given to the bill; ``marks``: what only one side reads."""
    cast, found = world.cast, {}
    sides = (("li", cast.lab, cast.firm, marks[0], "lin"), ("bo", world.other_lab, cast.other_firm, marks[1], "he"))
    for who, owner, customer, mark, member in sides:
        actor = cast.actor(who)
        bill = issuing.issue(actor, BillRequest(owner.pk, customer.pk, now.date()), now)
        asked = CreditRequest(bill.pk, 1, 100, "other", f"because {mark}")
        note = crediting.issue(actor, asked, now)
        stored = files.store(f"%PDF-1.4 {mark}".encode(), file_name="b.pdf", media_type="application/pdf", user_id=None, now=now)
        for row in (bill, note):
            give(row, f"%PDF-1.4 {mark}".encode(), now, "pdf", "xlsx")
        invoice = _invoiced(actor, bill, customer, owner, stored, mark, now)
        rows = f"date,credit,debit,payer,remark\n2026-11-20,50,,{mark},{mark}".encode()
        statement = bank_import.import_statement(actor, owner.pk, rows, "list.csv", now).statement
        payment = statement.payments.get()
        given = allocating.give(actor, payment.pk, bill.pk, 1000, now)
        event = ProviderEvent.objects.create(
            provider="stripe", event_ref=f"evt_{owner.pk}", kind="charge.succeeded", object_ref="ch_1", live=False,
            happened_at=now, received_at=now, state="dead", note="provider.refused", handled_at=now,
        )  # fmt: skip
        checkout = Checkout.objects.create(
            bill=bill, provider="stripe", attempt=2, key=f"pay:{bill.reference}:2", amount_fen=1, state="quarantined",
            session_ref=f"cs_{owner.pk}", asked_by=cast.users[who], asked_at=now, changed_at=now,
        )  # fmt: skip
        differences.note(Fact("quarantined", f"cs_{owner.pk}", checkout.pk, 2, 1, "provider.other_amount"), now)
        difference = PaymentDifference.objects.get(checkout=checkout)
        proposal = BillProposal.objects.create(
            owner=owner, customer=customer, until_on=now.date(), due_days=30, line_count=1, total_fen=100,
            proposed_by=cast.users["zhou"], proposed_at=now,
        )  # fmt: skip
        found.setdefault("bill_proposal", []).append(proposal.pk)
        limit = SpendingLimit.objects.create(
            organisation=customer, member=cast.users[member], limit_fen=1_000_000_00, valid_from="2026-01-01",
            valid_until="2026-12-31", set_by=cast.users[member], set_at=now,
        )  # fmt: skip
        ledger.open_accounts([limit_spec(limit.pk, limit.limit_fen, customer.pk)], now)
        made = {"bill": bill.pk, "bill_line": (bill.pk, 1), "credit_note": note.pk, "payment": payment.pk, "allocation": given.pk}
        made["hand_entry"] = HandEntry.objects.create(
            owner=owner, way="cash", amount_fen=77_00, received_on=now.date(), payer_name=mark, reference=f"SLIP-{mark}",
            evidence=stored, recorded_by=cast.users["zhou"], recorded_at=now,
        ).pk  # fmt: skip
        receipt = receipts.receipt(actor, payment.pk, customer.pk, now)
        account = receipts.account_statement(actor, owner.pk, customer.pk, now.date(), now.date(), now)
        for row in (receipt, account):
            give(row, f"%PDF-1.4 {mark}".encode(), now, "pdf", "xlsx")
        made |= {"invoice": invoice.pk, "receipt": receipt.pk, "account_statement": account.pk}
        made["ledger_account"] = Account.objects.get(key=f"revenue:{owner.pk}").pk
        made |= {"provider_event": event.pk, "difference": difference.pk, "spending_limit": limit.pk}
        for kind, value in made.items():
            found.setdefault(kind, []).append(value)
    BookCheck.objects.create(asked_by=cast.users["zhou"], asked_at=now)
    assert Bill.objects.count() == CreditNote.objects.count() == 2
    world.objects |= {kind: (values[0], values[1]) for kind, values in found.items()}


def _invoiced(actor: Any, bill: Bill, customer: Any, owner: Any, stored: Any, mark: str, now: datetime) -> VatInvoice:
    """Its VAT invoice was asked for, refused, and recorded all the same."""
    asked = {"title": mark, "buyer_code": "91630100MA00000151", "kind": "ordinary", "email": "a@example.com", "note": mark}
    InvoiceRequest.objects.create(
        bill=bill, asked_by_id=actor.user_id, asked_at=now, answer="refused", reason=mark, answered_by_id=actor.user_id,
        answered_at=now, **asked,
    )  # fmt: skip
    return VatInvoice.objects.create(
        owner=owner, bill=bill, number=f"2663{bill.pk:016d}", issued_on=now.date(), buyer_code=mark[:18], seller_code=mark[:18],
        net_fen=bill.total_fen - 5, tax_fen=5, total_fen=bill.total_fen, file=stored, recorded_by_id=actor.user_id, recorded_at=now,
    )  # fmt: skip
