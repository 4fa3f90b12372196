"""What proves a payment in an evidence pack: who paid, where it stands in the bank's list or at the checkout, and the receipts."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import date

import pytest

from billing.month.services import evidence
from billing.payments.models import Allocation, Checkout, Payment
from billing.payments.services import allocating
from billing.receipts.services import issuing
from billing.settlement.services import statements
from tests.billing.bills.conftest import DECEMBER, begins_with_month, bill, month
from tests.billing.payments.conftest import take

__all__ = ["begins_with_month", "bill", "month", "take"]
pytestmark = pytest.mark.django_db


def read(pack, name):
    with zipfile.ZipFile(io.BytesIO(pack.archive.content)) as archive:
        return json.loads(archive.read(name)) if name in archive.namelist() else None


def paid(cast, made, take):
    (payment,) = take("2026-12-01,500.00,,Gaoyuan Lithium,6222,for November,1")
    allocating.give(cast.actor("li"), payment.pk, made.pk, 500_00, DECEMBER)
    issuing.receipt(cast.actor("li"), payment.pk, cast.firm.pk, DECEMBER)
    payment.refresh_from_db()
    return payment


def test_a_payment_by_bank_names_its_payer_its_row_and_its_receipt(cast, bill, take):
    made = bill()
    payment = paid(cast, made, take)
    (said,) = read(evidence.of_bill(cast.actor("li"), made.pk), "payments.json")["payments"]
    assert (said["amount_fen"], said["payment_fen"], said["payer_name"]) == (500_00, 500_00, "Gaoyuan Lithium")
    assert "for November" in said["remark"]
    assert said["bank_list"] == {
        "file_name": payment.statement.file_name,
        "sha256": payment.statement.sha256,
        "row": payment.row,
        "row_fingerprint": payment.fingerprint,
    }
    assert [each["number"] for each in said["receipts"]] == ["SJ-2026-000001"] and "checkout" not in said
    # What else came in at the lab, and from whom, is nobody else's business: the customer reads what its bill was given, and its receipt.
    (told,) = read(evidence.of_bill(cast.actor("zhao"), made.pk), "payments.json")["payments"]
    assert told["amount_fen"] == 500_00 and told["receipts"] == said["receipts"]
    assert not {"payer_name", "remark", "bank_list", "payment_fen"} & set(told)


def test_a_payment_online_names_its_checkout(cast, bill):
    made = bill()
    checkout = Checkout.objects.create(
        bill=made, provider="stripe", attempt=1, key="pay:1:1", amount_fen=100, state="paid", session_ref="cs_1", intent_ref="pi_1",
        asked_by=cast.users["zhao"], asked_at=DECEMBER, changed_at=DECEMBER,
    )  # fmt: skip
    payment = Payment.objects.create(
        owner=cast.lab, method="stripe", amount_fen=100, received_on=DECEMBER.date(), checkout=checkout, created_at=DECEMBER
    )
    Allocation.objects.create(payment=payment, bill=made, amount_fen=100, at=DECEMBER)
    (said,) = read(evidence.of_bill(cast.actor("li"), made.pk), "payments.json")["payments"]
    assert said["checkout"] == {"provider": "stripe", "reference": made.reference, "session": "cs_1", "intent": "pi_1"}


def test_a_statement_brings_the_bills_behind_its_lines_with_their_payments_for_who_reads_those(cast, bill, take, month):
    made = bill()
    paid(cast, made, take)
    statement = statements.issue(cast.actor("qian"), month["DEMO-QH-V"].pk, cast.lab.pk, date(2026, 11, 1), DECEMBER)
    name = f"bills/{made.number}.json"
    said = read(evidence.of_statement(cast.actor("li"), statement.pk), name)
    assert said["sha256"] == made.content_sha256 and said["payments"][0]["payer_name"] == "Gaoyuan Lithium"
    assert read(evidence.of_statement(cast.actor("qian"), statement.pk), name) is None  # the office reads no bills


def test_payments_are_read_with_the_same_queries_however_many_there_are(cast, bill, take, django_assert_num_queries):
    from billing.month.services.payment_proof import given_to

    made, li = bill(), cast.actor("li")
    for row in ("2026-12-01,500.00,,A,6222,x,1", "2026-12-01,100.00,,B,6223,y,2"):
        (payment,) = take(row, name=f"{row[-1]}.csv")
        allocating.give(li, payment.pk, made.pk, 100_00, DECEMBER)
        with django_assert_num_queries(3):
            assert len(given_to(li, [made.pk]).by_bill[made.pk]) == int(row[-1])
