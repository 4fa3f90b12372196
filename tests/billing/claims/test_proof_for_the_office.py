"""What the office that reviews and pays a claim reads in its pack of the bills behind it: the bill, its VAT invoice, the receipt and the
payment, of the claim's own lines and of nothing else."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import date

import pytest

from billing.bills.models import BillLine
from billing.bills.services import issuing
from billing.bills.services.issuing import BillRequest
from billing.claims.models import ClaimLine
from billing.invoices.models import VatInvoice
from billing.month.services import claim_evidence
from billing.payments.models import Payment
from billing.payments.services import allocating, bank_import
from billing.receipts.services import issuing as receipts
from billing.subsidy.models import Programme
from instruments.models import Membership, Organisation
from tests.billing.claims.conftest import DECEMBER, begins_with_month, month, office
from tests.billing.payments.conftest import csv_of

__all__ = ["begins_with_month", "month", "office"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def claim(cast, office):
    """A claim whose services are billed, invoiced and paid, by money that paid another firm's bill too."""
    li = cast.actor("li")
    Programme.objects.update(issuer=cast.office)
    _, (made,) = office.filled()
    bill = issuing.issue(li, BillRequest(cast.lab.pk, made.payee_id, date(2026, 11, 30)), DECEMBER)
    other = issuing.issue(li, BillRequest(cast.lab.pk, cast.firm.pk, date(2026, 11, 30)), DECEMBER)
    bank_import.import_statement(li, cast.lab.pk, csv_of("2026-12-01,90000.00,,Payer,6222,also for Other,1"), "a.csv", DECEMBER)
    payment = Payment.objects.get()
    for each in (bill, other):
        allocating.give(li, payment.pk, each.pk, each.total_fen, DECEMBER)
        receipts.receipt(li, payment.pk, each.customer_id, DECEMBER)
    VatInvoice.objects.create(
        number="26632000000000000017", issued_on=date(2026, 12, 1), net_fen=bill.total_fen, tax_fen=0, total_fen=bill.total_fen,
        buyer_code="", seller_code="", recorded_by=cast.users["li"], recorded_at=DECEMBER, owner=cast.lab, bill=bill,
    )  # fmt: skip
    office.submit(made, "he")
    return made


def pack(cast, who, claim):
    with zipfile.ZipFile(io.BytesIO(claim_evidence.of_claim(cast.actor(who), claim.pk).archive.content)) as archive:
        return {name: json.loads(archive.read(name)) for name in archive.namelist() if name.endswith(".json")}


def the_bill(read):
    (name,) = [name for name in read if name.startswith("bills/")]
    return read[name]


@pytest.mark.parametrize("who", ["chen", "sun", "qian"])
def test_the_office_reads_the_bill_its_invoice_its_receipt_and_where_the_money_is(cast, claim, who):
    read = pack(cast, who, claim)
    assert [each["number"] for each in read["invoices.json"]] == ["26632000000000000017"]
    (paid,) = the_bill(read)["payments"]
    assert paid["payer_name"] == "Payer" and paid["bank_list"]["file_name"] == "a.csv"
    assert [each["number"] for each in paid["receipts"]] == ["SJ-2026-000001"]
    assert read["manifest.json"]["left_out"] == []


def test_the_office_reads_no_line_that_is_not_of_the_claim_and_nothing_of_who_else_the_money_was_for(cast, claim):
    of_claim = ClaimLine.objects.filter(claim=claim).values("award__charge")
    positions = set(BillLine.objects.filter(charge__in=of_claim).values_list("position", flat=True))
    read = pack(cast, "qian", claim)
    content = the_bill(read)["content"]
    whole = BillLine.objects.filter(bill__customer=claim.payee)
    assert positions and content["lines_in_all"] == whole.count()
    assert len(content["lines"]) == len(positions) and "totals" not in content
    (paid,) = the_bill(read)["payments"]
    assert not {"payment_fen", "remark"} & set(paid)
    of_other = [name for name, said in read.items() if name.startswith("bills/") and cast.firm.name in json.dumps(said)]
    assert not of_other


def test_another_office_reads_no_bill_and_its_manifest_says_that_they_are_left_out(cast, claim):
    elsewhere = Organisation.objects.create(
        name="Another office",
        kind=cast.office.kind,
        name_key="another office",
        status="verified",
        verified_at=DECEMBER,
        created_at=DECEMBER,
    )
    Membership.objects.filter(user=cast.users["sun"]).update(organisation=elsewhere)
    read = pack(cast, "sun", claim)
    assert "invoices.json" not in read and not [name for name in read if name.startswith("bills/")]
    assert {"bills/", "invoices.json"} <= set(read["manifest.json"]["left_out"])


def test_an_empty_list_of_invoices_is_only_where_there_is_none(cast, office):
    _, (made,) = office.filled()
    for who in ("chen", "he"):
        read = pack(cast, who, made)
        assert read["invoices.json"] == [] and "invoices.json" not in read["manifest.json"]["left_out"]
