"""A bill's VAT invoice from the customer's wish to the red letter; what the database refuses; the table there and back."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext

from billing.bills.models import BillVoid
from billing.bills.services import issuing
from billing.bills.services.issuing import local_day
from billing.invoices import batch_file, queries, sheets
from billing.invoices.models import InvoiceRequest, VatInvoice
from billing.invoices.papers import ASKERS, of_bill
from billing.invoices.rules.checks import Given
from billing.invoices.services import asking, recording
from billing.invoices.services.asking import Wanted
from billing.invoices.services.recording import Handed
from billing.ledger.rules.money import plain_yuan
from billing.payments.services import crediting
from billing.payments.services.crediting import CreditRequest
from billing.settlement.opening_models import OpeningLoad, SubsidisedItem
from config.kernel.access import visible_to
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.models import StoredFile
from tests.billing.bills.conftest import DECEMBER

WANTED = Wanted("高原公司", "91630100MA00000151", "special", "books@gaoyuan.example", "=note")


def invoice_of(made, number="26632000000000000001", **changes) -> Given:
    """A right invoice for a bill: 6 % of tax in it."""
    expected = queries.expected_of(of_bill(made), "", local_day(DECEMBER))
    net = made.total_fen * 100 // 106
    given = Given(
        number, "", local_day(DECEMBER), expected.buyer_code, expected.seller_code, net, made.total_fen - net, made.total_fen
    )
    return replace(given, **changes)


def _reads(call) -> list[str]:
    """The queries of something that is refused."""
    with CaptureQueriesContext(connection) as seen:
        assert refused(call)
    return [each["sql"] for each in seen]


def refused(call) -> list[str]:
    with pytest.raises(Refusal) as error:
        call()
    return [reason.code for reason in error.value.reasons]


def test_from_the_wish_to_the_red_letter(bill, cast, client):
    made, li = bill(), cast.actor("li")
    firm = next(
        cast.actor(name) for name in ("wei", "lin", "gao", "zhao") if name in cast.users and _pays(cast.actor(name), cast.firm.pk)
    )
    bad = Wanted("", "123", "gift", "nobody")
    assert refused(lambda: asking.ask(firm, made.pk, bad, DECEMBER)) == [
        "invoice.title_missing", "invoice.buyer_code", "invoice.kind", "invoice.email"
    ]  # fmt: skip
    with pytest.raises(Forbidden):
        asking.ask(li, made.pk, WANTED, DECEMBER)
    wish = asking.ask(firm, made.pk, WANTED, DECEMBER)
    with pytest.raises(Conflict):
        asking.ask(firm, made.pk, WANTED, DECEMBER)
    rows = list(csv.reader(io.StringIO(sheets.requests_csv(batch_file.rows_of(li, cast.lab.pk)).decode("utf-8-sig"))))
    assert rows[1][:3] == [made.number, "高原公司", "91630100MA00000151"] and rows[1][-1] == "'=note"
    assert rows[1][3] == made.content["owner"]["code"] and rows[1][12:14] == [plain_yuan(made.total_fen), ""]
    assert sheets.requests_xlsx(batch_file.rows_of(li, cast.lab.pk), "Lab", DECEMBER).startswith(b"PK")
    asking.refuse(li, made.pk, "the title is wrong", DECEMBER)
    wish.refresh_from_db()
    assert wish.answer == "refused" and refused(lambda: asking.withdraw(firm, made.pk, DECEMBER)) == ["invoice.nothing_asked"]
    again = asking.ask(
        firm,
        made.pk,
        replace(WANTED, buyer_code=queries.expected_of(of_bill(made), "", local_day(DECEMBER)).buyer_code),
        DECEMBER,
    )
    given = invoice_of(made)
    with pytest.raises(Forbidden):
        recording.record(firm, made.pk, given, DECEMBER)
    assert refused(lambda: recording.record(li, made.pk, given, DECEMBER, file=Handed("x.exe", b"MZ"))) == ["invoice.file_type"]
    assert VatInvoice.objects.count() == 0
    blue = recording.record(li, made.pk, given, DECEMBER, file=Handed("i.pdf", b"%PDF-1.4 invoice"))
    again.refresh_from_db()
    assert again.answer == "recorded" and queries.file_of(firm, blue.pk).content == b"%PDF-1.4 invoice"
    assert set(refused(lambda: recording.record(li, made.pk, given, DECEMBER))) == {"invoice.known", "invoice.has_one"}
    assert refused(lambda: asking.ask(firm, made.pk, WANTED, DECEMBER)) == ["invoice.has_one"]
    part = replace(given, number="26632000000000000002", net_fen=-100, tax_fen=-6, total_fen=-106)
    recording.record_red(li, blue.pk, part, DECEMBER)
    left = made.total_fen - 106
    assert queries.invoice_for(li, blue.pk).left_fen == left
    tax = given.tax_fen - 6
    rest = replace(given, number="26632000000000000003", net_fen=tax - left, tax_fen=-tax, total_fen=-left)
    assert refused(
        lambda: recording.record_red(li, blue.pk, replace(rest, net_fen=tax - left - 1, total_fen=-left - 1), DECEMBER)
    )
    red = recording.record_red(li, blue.pk, rest, DECEMBER)
    assert refused(lambda: recording.record_red(li, red.pk, part, DECEMBER)) == ["invoice.red_of_red"]
    recording.record(li, made.pk, replace(given, number="26632000000000000004"), DECEMBER)
    with pytest.raises(NotFound):
        queries.invoice_for(cast.actor("he") if "he" in cast.users else cast.actor("bo"), blue.pk)
    assert visible_to(VatInvoice.objects.all(), firm).count() == 4
    client.force_login(cast.users["li"])
    for address in ("/invoices/", "/invoices/?show=recorded", f"/bills/{made.pk}/invoice/", "/invoices/import/"):
        assert client.get(address).status_code == 200, address


def _pays(actor, firm_id: int) -> bool:
    return firm_id in actor.organisations(*ASKERS)


def test_what_the_database_refuses_of_invoices_whoever_writes(bill, cast):
    made, other = bill(), bill(cast.other_firm)
    li = cast.actor("li")
    blue = recording.record(li, made.pk, invoice_of(made), DECEMBER)

    def row(**changes) -> dict:
        values = {
            field.attname: getattr(blue, field.attname) for field in VatInvoice._meta.concrete_fields if field.attname != "id"
        }
        return values | {"bill_id": other.pk, "number": "26632000000000000009"} | changes

    for changes in (
        {"number": blue.number},  # one invoice, one bill
        {"total_fen": blue.total_fen + 1},  # adds up
        {"net_fen": -1, "tax_fen": 0, "total_fen": -1},  # blue and below zero
        {"number": "123"},  # its form
        {"bill_id": made.pk},  # one live invoice
        {"owner_id": cast.firm.pk},  # of the owner of its bill
        {"reverses_id": blue.pk, "net_fen": -1, "tax_fen": 0, "total_fen": -1},  # red of another bill
        {
            "bill_id": made.pk,
            "reverses_id": blue.pk,
            "net_fen": -blue.total_fen - 1,
            "tax_fen": 0,
            "total_fen": -blue.total_fen - 1,
        },
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            VatInvoice.objects.create(**row(**changes))
    assert refused(lambda: issuing.void(li, made.pk, "x", DECEMBER)) == ["bill.not_voidable"]
    with pytest.raises(IntegrityError), transaction.atomic():
        BillVoid.objects.create(bill=made, reason="x", voided_by_id=li.user_id, voided_at=DECEMBER)
    with transaction.atomic():
        issuing.void(li, other.pk, "no invoice of it counts", DECEMBER)  # the control
        with pytest.raises(IntegrityError), transaction.atomic():
            VatInvoice.objects.create(**row())
        transaction.set_rollback(True)
    assert VatInvoice.objects.create(**row()).pk  # the control: with nothing wrong it is written
    for change in (lambda: VatInvoice.objects.update(tax_fen=0), blue.delete):
        with pytest.raises(ProgrammingError), transaction.atomic():
            change()
    wish = InvoiceRequest.objects.create(
        bill=made, title="x", buyer_code="x", kind="special", email="a@b.example", asked_by_id=li.user_id, asked_at=DECEMBER
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        InvoiceRequest.objects.filter(pk=wish.pk).update(title="y")
    asking.refuse(li, made.pk, "no", DECEMBER)
    with pytest.raises(IntegrityError), transaction.atomic():
        InvoiceRequest.objects.filter(pk=wish.pk).update(reason="yes")


def test_a_table_comes_back_whole_or_not_at_all_with_its_files_and_every_fault_by_row(bill, cast, client):
    first, second = bill(), bill(cast.other_firm)
    li = cast.actor("li")
    stored = StoredFile.objects.create(
        sha256="0" * 64, size_bytes=1, media_type="x", file_name="x", path="x", created_at=DECEMBER
    )
    load = OpeningLoad.objects.create(
        table=stored, evidence=stored, reason="r", row_count=1, loaded_by_id=li.user_id, loaded_at=DECEMBER
    )
    SubsidisedItem.objects.create(
        batch=load, exclusive_class="c", kind="invoice", reference="26632000000000000099", organisation=cast.firm
    )
    head = "bill,number,code,issued_on,buyer_code,seller_code,net,tax,total\n"

    def line(made, number: str, **changes) -> str:
        given = invoice_of(made, number, **changes)
        amounts = ",".join(plain_yuan(fen) for fen in (given.net_fen, given.tax_fen, given.total_fen))
        return f"{made.number},{number},,{given.issued_on},{given.buyer_code},{given.seller_code},{amounts}\n"

    good = line(first, "26632000000000000001") + line(second, "26632000000000000002")
    wrong = (
        head
        + line(first, "26632000000000000099")
        + line(second, "26632000000000000003", buyer_code="X")
        + "ZD-9999-1"
        + good[14:]
    )
    with pytest.raises(Refusal) as error:
        recording.import_table(li, cast.lab.pk, wrong.encode(), (), DECEMBER)
    found = [(reason.params["row"], reason.code) for reason in error.value.reasons]
    assert (2, "invoice.subsidised_elsewhere") in found and (3, "invoice.buyer") in found and (4, "invoice.bill_unknown") in found
    assert VatInvoice.objects.count() == 0
    twice = head + good + line(first, "26632000000000000004")
    assert refused(lambda: recording.import_table(li, cast.lab.pk, twice.encode(), (), DECEMBER)) == [
        "invoice.bill_twice_in_file"
    ]
    reads = [
        len(_reads(lambda text=text: recording.import_table(li, cast.lab.pk, text.encode(), (), DECEMBER)))
        for text in (
            head + line(first, "26632000000000000099"),
            head + line(first, "26632000000000000099") + line(second, "26632000000000000098"),
        )
    ]
    assert reads[0] == reads[1]  # the checks of a table are as many queries for two rows as for one
    assert recording.MOST_FILES < settings.DATA_UPLOAD_MAX_NUMBER_FILES
    for files in ([Handed("nobody.pdf", b"%PDF-")], [Handed("26632000000000000001.pdf", b"MZ")]):
        assert refused(lambda files=files: recording.import_table(li, cast.lab.pk, (head + good).encode(), files, DECEMBER))
    with pytest.raises(NotFound):
        recording.import_table(li, cast.other_firm.pk, (head + good).encode(), (), DECEMBER)
    client.force_login(cast.users["li"])
    today = issuing.local_day(DECEMBER) + timedelta(days=0)
    assert str(today) in good
    handed = [Handed("dzfp_26632000000000000001.pdf", b"%PDF-1"), Handed("26632000000000000002.xml", b"<?xml ?>")]
    done = recording.import_table(li, cast.lab.pk, (head + good).encode("gb18030"), handed, DECEMBER)
    assert (done.invoices, done.files) == (2, 2)
    shown = client.post("/invoices/import/", {"owner": cast.lab.pk, "file": SimpleUploadedFile("t.csv", (head + good).encode())})
    assert shown.status_code == 422 and VatInvoice.objects.count() == 2


def test_after_a_credit_note_the_table_asks_for_what_is_owed_and_for_nothing_once_all_was_credited(bill, cast):
    made, li, firm = bill(), cast.actor("li"), cast.actor("zhao")
    asking.ask(firm, made.pk, WANTED, DECEMBER)
    first = made.lines.order_by("position").first()
    crediting.issue(li, CreditRequest(made.pk, first.position, 100, "other", "because"), DECEMBER)
    rows = list(csv.reader(io.StringIO(sheets.requests_csv(batch_file.rows_of(li, cast.lab.pk)).decode("utf-8-sig"))))
    assert rows[1][12] == plain_yuan(made.total_fen - 100)
    asking.withdraw(firm, made.pk, DECEMBER)
    for line in made.lines.order_by("position"):
        left = line.amount_fen - (100 if line.pk == first.pk else 0)
        crediting.issue(li, CreditRequest(made.pk, line.position, left, "other", "all of it"), DECEMBER)
    assert refused(lambda: asking.ask(firm, made.pk, WANTED, DECEMBER)) == ["invoice.nothing_owed"]
    assert refused(lambda: recording.record(li, made.pk, invoice_of(made), DECEMBER)) == ["invoice.nothing_owed"]
