"""The VAT invoice of what an office buys by a settlement statement: asked for, recorded, checked, taken back, waited for."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from billing.bills.services import issuing
from billing.bills.services.issuing import BillRequest, local_day
from billing.claims.models import Claim, PaymentList
from billing.claims.services import batches, handing_in, paying, publishing, reviewing
from billing.claims.services.batches import BatchInput
from billing.claims.sheets import lines_sheet
from billing.invoices import batch_file, queries
from billing.invoices.models import InvoiceRequest, VatInvoice
from billing.invoices.papers import of_statement
from billing.invoices.rules.checks import Given
from billing.invoices.services import asking, recording
from billing.invoices.services.asking import Wanted
from billing.invoices.services.recording import Handed
from billing.ledger.rules.money import plain_yuan
from billing.month.services import claim_evidence, evidence
from billing.payments.services import crediting
from billing.payments.services.crediting import CreditRequest
from billing.settlement.models import Statement
from billing.settlement.services import statements
from billing.subsidy import services
from billing.subsidy.models import ProgrammeVersion
from billing.subsidy.rules.programme_faults import document_faults
from billing.subsidy.rules.sale import Invoiced, invoiced
from config.kernel import invariants
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from instruments.models import OrganisationIdentifier
from tests.billing.claims.conftest import AFTER, DECEMBER, PUBLIC_OVER
from tests.billing.settlement.conftest import NOVEMBER, run_session
from tests.billing.settlement.test_two_sided import two_sided
from tests.conftest import Cast, slot_of

OFFICE_CODE, LAB_CODE = "11630000015000011M", "12630000000000123E"
NUMBER = "26632000000000000007"
PDF = Handed("invoice.pdf", b"%PDF-1.4 an invoice")


def bought(form: str = "monthly_purchase", **settled: str) -> dict[str, Any]:
    """A programme that pays the user back and buys of the owner month by month."""
    document = two_sided() | {"code": "DEMO-QH-BUY"}
    document["sides"][1]["settlement"] = document["sides"][1]["settlement"] | {"form": form, **settled}
    return document


class Purchase:
    """A statement of November by which the office buys 120 yuan of the lab, and the people around it."""

    def __init__(self, cast: Cast, **settled: str) -> None:
        self.cast = cast
        for organisation, code in ((cast.office, OFFICE_CODE), (cast.lab, LAB_CODE), (cast.firm, "91630100MA00000151")):
            OrganisationIdentifier.objects.create(organisation=organisation, scheme="uscc", value=code)
        cast.lab.bank_name, cast.lab.bank_account_name, cast.lab.bank_account_number = "Bank of Demo", "Kunlun", "6222 0000"
        cast.lab.save()
        version = services.draft_version(cast.actor("chen"), bought(**settled), cast.now)
        services.publish_version(cast.actor("sun"), version, cast.now)
        self.reservation_id = run_session(cast, slot_of(9, 12))
        self.version = ProgrammeVersion.objects.get(programme__code="DEMO-QH-BUY")
        self.qian, self.li = cast.actor("qian"), cast.actor("li")

    def statement(self, now: Any = DECEMBER) -> Statement:
        which = (self.version.pk, self.cast.lab.pk, NOVEMBER, now)
        return statements.issue(self.qian, *which, mode="paid_beside")

    def bill(self) -> Any:
        return issuing.issue(self.li, BillRequest(self.cast.lab.pk, self.cast.firm.pk, date(2026, 11, 30)), DECEMBER)

    def credited(self, fen: int, now: Any = DECEMBER + timedelta(hours=1)) -> None:
        crediting.issue(self.li, CreditRequest(self.bill().pk, 1, fen, "other", "because"), now)

    def claimed(self) -> tuple[Any, Claim]:
        """The lab's claim of the batch of December, approved."""
        days = {
            "from_on": NOVEMBER,
            "until_on": date(2026, 11, 30),
            "opens_on": date(2026, 12, 1),
            "closes_on": date(2026, 12, 7),
        }
        chen = self.cast.actor("chen")
        batch = batches.open_batch(chen, BatchInput(self.version.programme_id, "paid_beside", fund_year=2026, **days), DECEMBER)
        batches.gather(chen, batch.pk, DECEMBER)
        claim = Claim.objects.get(batch=batch)
        handing_in.submit(self.li, claim.pk, DECEMBER)
        batches.close(chen, batch.pk, AFTER)
        reviewing.pass_on(chen, claim.pk, AFTER)
        publishing.publicise(chen, batch.pk, AFTER)
        publishing.end_due(PUBLIC_OVER)
        return batch, reviewing.approve(self.cast.actor("sun"), claim.pk, PUBLIC_OVER)


@pytest.fixture
def purchase(cast: Cast) -> Purchase:
    return Purchase(cast)


def given(fen: int = 120_00, **changes: Any) -> Given:
    net = fen * 100 // 106
    return replace(Given(NUMBER, "", local_day(DECEMBER), OFFICE_CODE, LAB_CODE, net, fen - net, fen), **changes)


def red(fen: int, **changes: Any) -> Given:
    tax = fen - fen * 100 // 106
    plain = Given("26632000000000000008", "", local_day(DECEMBER), OFFICE_CODE, LAB_CODE, tax - fen, -tax, -fen)
    return replace(plain, **changes)


WANTED = Wanted("Demo Science Office", OFFICE_CODE, "ordinary", "office@demo.example")


def refused(call: Any) -> list[str]:
    with pytest.raises(Refusal) as error:
        call()
    return [reason.code for reason in error.value.reasons]


def wrong() -> list[str]:
    return [name for name, look in invariants.registered().items() if name.startswith("invoices.") and look().violations]


def test_the_document_says_whether_it_is_a_sale_and_whether_payment_waits() -> None:
    assert invoiced(bought(), "paid_beside") is Invoiced.ASKED
    assert invoiced(bought(), "refunded_later") is Invoiced.NONE
    assert invoiced(bought("yearly_reward"), "paid_beside") is Invoiced.NONE
    assert invoiced(bought("yearly_reward", vat_invoice="asked"), "paid_beside") is Invoiced.ASKED
    assert invoiced(bought(vat_invoice="before_payment"), "paid_beside") is Invoiced.BEFORE_PAYMENT
    assert not document_faults(bought(vat_invoice="before_payment"))
    document = bought()
    document["sides"][0]["settlement"]["vat_invoice"] = "asked"
    assert ["paid_beside" in fault.message for fault in document_faults(document)] == [True]


def test_the_office_asks_the_lab_records_and_every_fault_is_named(purchase: Purchase) -> None:
    made, qian, li = purchase.statement(), purchase.qian, purchase.li
    with pytest.raises(Forbidden):
        asking.ask_sold(li, made.pk, WANTED, DECEMBER)
    with pytest.raises(NotFound):
        asking.ask_sold(purchase.cast.actor("lin"), made.pk, WANTED, DECEMBER)
    wish = asking.ask_sold(qian, made.pk, WANTED, DECEMBER)
    with pytest.raises(Conflict):
        asking.ask_sold(qian, made.pk, WANTED, DECEMBER)
    (row,) = batch_file.rows_of(li, purchase.cast.lab.pk)
    assert (row.bill, row.buyer_code, row.seller_code, row.part.total_fen) == (made.number, OFFICE_CODE, LAB_CODE, 120_00)
    with pytest.raises(Forbidden):
        recording.record_sold(qian, made.pk, given(), DECEMBER)
    bad = given(119_00, number="2663", buyer_code="91630100MA00000151", issued_on=local_day(DECEMBER) + timedelta(days=40))
    assert refused(lambda: recording.record_sold(li, made.pk, bad, DECEMBER)) == [
        "invoice.number", "invoice.buyer", "invoice.not_bought", "invoice.window"
    ]  # fmt: skip
    assert refused(lambda: recording.record_sold(li, made.pk, given(121_00), DECEMBER)) == ["invoice.not_bought"]
    kept = recording.record_sold(li, made.pk, given(), DECEMBER, file=PDF)
    wish.refresh_from_db()
    assert (wish.answer, kept.statement_id, kept.bill_id, kept.owner_id) == ("recorded", made.pk, None, purchase.cast.lab.pk)
    assert queries.file_of(qian, kept.pk).content == PDF.content
    assert refused(lambda: asking.ask_sold(qian, made.pk, WANTED, DECEMBER)) == ["invoice.has_one"]
    assert not wrong()


def test_one_invoice_of_the_country_is_for_one_paper_and_a_statement_has_one(purchase: Purchase) -> None:
    made, li = purchase.statement(), purchase.li
    bill = purchase.bill()
    for_bill = replace(
        given(bill.total_fen), buyer_code=bill.content["customer"]["code"], seller_code=bill.content["owner"]["code"]
    )
    recording.record(li, bill.pk, for_bill, DECEMBER)
    assert refused(lambda: recording.record_sold(li, made.pk, given(), DECEMBER)) == ["invoice.known"]
    recording.record_sold(li, made.pk, given(number="26632000000000000009"), DECEMBER)
    again = given(number="26632000000000000010")
    assert refused(lambda: recording.record_sold(li, made.pk, again, DECEMBER)) == ["invoice.has_one"]
    blue = VatInvoice.objects.get(statement=made)
    with pytest.raises(IntegrityError, match="one invoice at a time"), transaction.atomic():
        VatInvoice.objects.create(**_fields(blue, number="26632000000000000011"))
    with pytest.raises(IntegrityError, match="payee of its statement"), transaction.atomic():
        VatInvoice.objects.create(**_fields(blue, number="26632000000000000011", owner_id=purchase.cast.firm.pk))
    both = {"bill_id": bill.pk, "statement_id": made.pk}
    with pytest.raises(IntegrityError, match="invoice_request_of_one_paper"), transaction.atomic():
        InvoiceRequest.objects.create(
            **both, title="x", buyer_code="x", kind="ordinary", asked_by_id=li.user_id, asked_at=DECEMBER
        )


def _fields(blue: VatInvoice, **changes: Any) -> dict[str, Any]:
    names = [field.attname for field in VatInvoice._meta.concrete_fields if field.attname != "id"]
    return {name: getattr(blue, name) for name in names} | changes


def test_a_reward_is_no_sale(cast: Cast) -> None:
    purchase = Purchase(cast, form="yearly_reward")
    made = purchase.statement()
    assert refused(lambda: asking.ask_sold(purchase.qian, made.pk, WANTED, DECEMBER)) == ["invoice.not_sold"]
    assert refused(lambda: recording.record_sold(purchase.li, made.pk, given(), DECEMBER)) == ["invoice.not_sold"]
    assert queries.sold_invoice(purchase.qian, made) is None


def test_what_is_taken_back_since_is_due_a_red_letter_and_a_new_invoice_is_over_the_rest(purchase: Purchase) -> None:
    made, li = purchase.statement(), purchase.li
    recording.record_sold(li, made.pk, given(), DECEMBER)
    assert not queries.red_due(li).exists()
    purchase.credited(600_00)
    (due,) = queries.red_due(li)
    assert (due.owed_fen, due.left_fen, due.due_fen) == (60_00, 120_00, 60_00)
    (row,) = batch_file.rows_of(li, purchase.cast.lab.pk)
    assert (row.bill, row.blue, row.part.total_fen, row.title) == (made.number, NUMBER, -60_00, "Demo Science Office")
    assert refused(lambda: recording.record_red(li, due.pk, red(130_00), DECEMBER)) == ["invoice.red_too_much"]
    recording.record_red(li, due.pk, red(60_00), DECEMBER)
    assert not queries.red_due(li).exists() and queries.sold_invoice(purchase.qian, made).live.left_fen == 60_00
    recording.record_red(li, due.pk, red(60_00, number="26632000000000000012"), DECEMBER)
    fresh = given(number="26632000000000000013")
    assert refused(lambda: recording.record_sold(li, made.pk, fresh, DECEMBER)) == ["invoice.not_bought"]
    recording.record_sold(li, made.pk, given(60_00, number="26632000000000000013"), DECEMBER)
    assert not wrong()


def test_the_table_of_the_tax_platform_brings_it_in_with_the_bills_of_the_lab(purchase: Purchase) -> None:
    made, li = purchase.statement(), purchase.li
    net = 120_00 * 100 // 106
    amounts = ",".join(plain_yuan(fen) for fen in (net, 120_00 - net, 120_00))
    head = "账单号,发票号码,开票日期,购买方识别号,销售方识别号,金额,税额,价税合计"
    table = f"{head}\n{made.number},{NUMBER},2026-12-01,{OFFICE_CODE},{LAB_CODE},{amounts}\n"
    done = recording.import_table(li, purchase.cast.lab.pk, table.encode(), [Handed(f"{NUMBER}.pdf", PDF.content)], DECEMBER)
    assert (done.invoices, done.files) == (1, 1) and VatInvoice.objects.get().statement_id == made.pk
    assert refused(lambda: recording.import_table(li, purchase.cast.lab.pk, table.encode(), [], DECEMBER)) == [
        "invoice.known", "invoice.has_one"
    ]  # fmt: skip


def test_the_list_names_it_and_waits_for_it_only_where_the_programme_says_so(cast: Cast) -> None:
    purchase = Purchase(cast, vat_invoice="before_payment")
    batch, claim = purchase.claimed()
    assert refused(lambda: paying.make(purchase.qian, batch.pk, PUBLIC_OVER)) == ["claims.invoice_awaited"]
    made = purchase.statement(PUBLIC_OVER)
    assert refused(lambda: paying.make(purchase.qian, batch.pk, PUBLIC_OVER)) == ["claims.invoice_awaited"]
    page = signed_in(cast, "qian").get(reverse("claim_batch_detail", args=[batch.pk])).content.decode()
    assert "once the provider" in page
    recording.record_sold(purchase.li, made.pk, given(issued_on=local_day(PUBLIC_OVER)), PUBLIC_OVER, file=PDF)
    (listed,) = paying.make(purchase.qian, batch.pk, PUBLIC_OVER)
    said = [{"number": NUMBER, "issued_on": "2026-12-16"}]
    assert [line["invoices"] for line in listed.content["lines"]] == [said]
    (row,) = lines_sheet(listed.content).rows
    assert any(NUMBER in str(cell) for cell in row)
    pack = claim_evidence.of_claim(cast.actor("chen"), claim.pk)
    with zipfile.ZipFile(io.BytesIO(pack.archive.content)) as archive:
        (kept,) = json.loads(archive.read("invoices.json"))
        assert (kept["number"], kept["statement"], kept["to_customer"]) == (NUMBER, made.number, True)
        assert any(name.startswith(f"invoices/{NUMBER}") for name in archive.namelist())
    of_statement_pack = evidence.of_statement(purchase.li, made.pk)
    with zipfile.ZipFile(io.BytesIO(of_statement_pack.archive.content)) as archive:
        assert NUMBER in archive.read("invoices.json").decode()


def test_without_the_word_a_list_does_not_wait(purchase: Purchase) -> None:
    batch, _claim = purchase.claimed()
    (listed,) = paying.make(purchase.qian, batch.pk, PUBLIC_OVER)
    assert "invoices" not in listed.content["lines"][0] and PaymentList.objects.count() == 1


def signed_in(cast: Cast, who: str) -> Client:
    client = Client()
    client.force_login(cast.users[who])
    return client


def test_pages_and_api_do_it_too(purchase: Purchase) -> None:
    made, cast = purchase.statement(), purchase.cast
    finance, lab, firm = (signed_in(cast, who) for who in ("qian", "li", "lin"))
    page = reverse("statement_invoice", args=[made.pk])
    assert firm.get(page).status_code == 404
    assert "was not asked for yet" in finance.get(reverse("statement_detail", args=[made.pk])).content.decode()
    typed = {"title": "", "buyer_code": OFFICE_CODE, "kind": "ordinary", "email": "office@demo.example", "other_buyer": ""}
    refusal = finance.post(reverse("sold_invoice_ask", args=[made.pk]), typed)
    assert refusal.status_code == 422 and "office@demo.example" in refusal.content.decode()
    assert finance.post(reverse("sold_invoice_ask", args=[made.pk]), typed | {"title": "Office"}).status_code == 302
    assert made.number in lab.get(reverse("invoice_list")).content.decode()
    assert finance.post(reverse("sold_invoice_withdraw", args=[made.pk])).status_code == 302
    assert lab.post(reverse("sold_invoice_refuse", args=[made.pk]), {"reason": "no"}).status_code == 422
    asked = {"title": "Office", "buyer_code": OFFICE_CODE, "kind": "ordinary", "email": "office@demo.example"}
    url = f"/api/v1/statements/{made.pk}/invoice-requests/"
    assert finance.post(url, asked, content_type="application/json", headers={"Idempotency-Key": "k1"}).status_code == 201
    assert InvoiceRequest.objects.filter(statement=made, answered_at__isnull=True).count() == 1
    net = 120_00 * 100 // 106
    body = {"statement": made.pk, "number": NUMBER, "issued_on": "2026-11-30", "buyer_code": OFFICE_CODE, "seller_code": LAB_CODE}
    body |= {"net_fen": net, "tax_fen": 120_00 - net, "total_fen": 120_00}
    for papers in ({"statement": None}, {"bill": made.pk}):
        unclear = lab.post(
            "/api/v1/invoices/", body | papers, content_type="application/json", headers={"Idempotency-Key": str(papers)}
        )
        assert unclear.status_code == 400 and unclear.json()["errors"][0]["field"] == "bill"
    done = lab.post("/api/v1/invoices/", body, content_type="application/json", headers={"Idempotency-Key": "k2"})
    assert done.status_code == 201, done.content
    (row,) = finance.get("/api/v1/invoices/").json()["results"]
    assert (row["statement"], row["bill"], row["number"], row["other_buyer"]) == (made.pk, None, NUMBER, False)
    assert NUMBER in finance.get(page).content.decode() and NUMBER in lab.get(page).content.decode()
    assert finance.get(reverse("invoice_list") + "?show=recorded").status_code == 200
    assert queries.expected_of(of_statement(made), "", local_day(DECEMBER)).claimed_fen == 120_00
