"""What goes to the tax platform by rate of tax, the red letters that are due, and red rows in the table that comes back."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.test import Client
from openpyxl import load_workbook

from billing.invoices import batch_file, queries, sheets
from billing.invoices.models import VatInvoice
from billing.invoices.rules.batch_rows import parts, red_part
from billing.invoices.services import asking, recording
from billing.ledger.rules.money import plain_yuan
from billing.payments.services import crediting
from billing.payments.services.crediting import CreditRequest
from config.kernel.errors import NotFound, Refusal
from tests.billing.bills.conftest import DECEMBER
from tests.billing.invoices.test_invoices import WANTED, invoice_of

HEAD = "账单号,数电发票号码,开票日期,购买方识别号,销售方识别号,金额,税额,价税合计,对应蓝字发票号码\n"
BLUE, RED, ANEW = "26632000000000000001", "26632000000000000002", "26632000000000000003"


def row(given, bill="", blue=""):
    amounts = ",".join(plain_yuan(fen) for fen in (given.net_fen, given.tax_fen, given.total_fen))
    return f"{bill},{given.number},{given.issued_on},{given.buyer_code},{given.seller_code},{amounts},{blue}\n"


def take_in(cast, text):
    return recording.import_table(cast.actor("li"), cast.lab.pk, (HEAD + text).encode(), (), DECEMBER)


def faults_of(cast, text):
    with pytest.raises(Refusal) as error:
        take_in(cast, text)
    return [(reason.params["row"], reason.code) for reason in error.value.reasons]


def line(position, amount_fen, rate="", quantity="1.00", unit="hour"):
    tax = {"tax": {"rate": rate, "tax_fen": 0}} if rate else {}
    return {"position": position, "amount_fen": amount_fen, "quantity": quantity, "unit": unit, **tax}


def test_what_is_owed_is_parted_by_rate_and_adds_up():
    lines = [
        line(1, 106_00, "0.06", "1.50"),
        line(2, 212_01, "0.06", "2"),
        line(3, 103_00, "0.03", "4", "sample"),
        line(4, 50_00),
    ]
    none, three, six = parts(lines, {4: 20_00})
    assert (none.rate, none.net_fen, none.tax_fen, none.total_fen) == ("", None, None, 30_00)
    assert (three.rate, three.net_fen, three.tax_fen, three.quantity, three.unit) == ("0.03", 100_00, 3_00, "4", "sample")
    assert (six.net_fen, six.tax_fen, six.total_fen, six.quantity) == (300_01, 18_00, 318_01, "3.50")
    (mixed,) = parts([line(1, 1_00, "0.06"), line(2, 1_00, "0.06", "3", "sample")], {})
    assert (mixed.quantity, mixed.unit, mixed.net_fen, mixed.tax_fen) == ("", "", 1_89, 11)
    assert parts([line(1, 5_00)], {1: 5_00})[0].total_fen == 0
    back = red_part(50_00, 6_00, 106_00, "0.06")
    assert (back.net_fen, back.tax_fen, back.total_fen) == (-47_17, -2_83, -50_00)
    halves = red_part(75_00, 8_49, 150_00, "0.06"), red_part(75_00, 8_49 - 4_25, 75_00, "0.06")
    assert [one.tax_fen for one in halves] == [-4_25, -4_24], "together no more than the invoice had"


def test_a_bill_that_is_credited_after_its_invoice_is_due_a_red_letter_and_stands_in_the_file(bill, cast):
    made, li = bill(), cast.actor("li")
    asking.ask(cast.actor("zhao"), made.pk, WANTED, DECEMBER)
    recording.record(li, made.pk, invoice_of(made), DECEMBER)
    assert not queries.red_due(li).exists() and batch_file.rows_of(li, cast.lab.pk) == []
    crediting.issue(li, CreditRequest(made.pk, 1, 100_00, "other", "too much"), DECEMBER + timedelta(hours=1))
    (due,) = queries.red_due(li)
    assert (due.due_fen, due.owed_fen) == (100_00, made.total_fen - 100_00)
    browser = Client(headers={"accept-language": "en"})
    browser.cookies["django_language"] = "en"
    browser.force_login(cast.users["li"])
    page = browser.get("/invoices/?show=red").content.decode()
    assert "Red letter due" in page and made.number in page and "¥100.00" in page
    (said,) = batch_file.rows_of(li, cast.lab.pk)
    assert (said.blue, said.title, said.kind, said.part.total_fen) == (BLUE, WANTED.title, "special", -100_00)
    (_head, written) = csv.reader(io.StringIO(sheets.requests_csv([said]).decode("utf-8-sig")))
    assert written[12:14] == ["-100.00", BLUE] and written[3] == made.content["owner"]["code"]
    book = load_workbook(io.BytesIO(sheets.requests_xlsx([said], "Lab", DECEMBER)))
    assert list(book[book.sheetnames[0]].values)[-1][12:14] == (-100, BLUE)
    # A red letter over it: nothing is due any more, although the bill was credited.
    red = invoice_of(made, RED, net_fen=-94_34, tax_fen=-5_66, total_fen=-100_00)
    take_in(cast, row(red, made.number, BLUE))
    assert not queries.red_due(li).exists() and "Red letter due" not in browser.get("/invoices/").content.decode()
    with pytest.raises(NotFound):
        batch_file.rows_of(li, cast.other_firm.pk)


def test_an_invoice_over_what_was_owed_after_the_credit_is_due_nothing(bill, cast):
    made, li = bill(), cast.actor("li")
    crediting.issue(li, CreditRequest(made.pk, 1, 100_00, "other", "too much"), DECEMBER)
    net = (made.total_fen - 100_00) * 100 // 106
    given = invoice_of(made, net_fen=net, tax_fen=made.total_fen - 100_00 - net, total_fen=made.total_fen - 100_00)
    recording.record(li, made.pk, given, DECEMBER)
    assert not queries.red_due(li).exists()


def test_red_rows_of_the_table_take_back_by_the_rules_of_a_red_letter_before_blue_rows_are_looked_at(bill, cast):
    made, other, li = bill(), bill(cast.other_firm), cast.actor("li")
    blue = recording.record(li, made.pk, invoice_of(made), DECEMBER)
    whole = {"net_fen": -blue.net_fen, "tax_fen": -blue.tax_fen, "total_fen": -blue.total_fen}
    red, anew = invoice_of(made, RED, **whole), invoice_of(made, ANEW)
    too_much = invoice_of(made, RED, **{**whole, "net_fen": -blue.net_fen - 1, "total_fen": -blue.total_fen - 1})
    for text, fault in (
        (row(red, "", ANEW), "invoice.blue_unknown"),
        (row(red, other.number, BLUE), "invoice.red_other_bill"),
        (row(too_much, "", BLUE), "invoice.red_too_much"),
        (row(invoice_of(made, RED), "", BLUE), "invoice.red_below_zero"),
        (row(red, made.number), "invoice.amount"),  # below zero without the invoice that it takes back
        (row(anew, made.number), "invoice.has_one"),
    ):
        assert (2, fault) in faults_of(cast, text), fault
    half = invoice_of(made, RED, net_fen=-blue.net_fen, tax_fen=0, total_fen=-blue.net_fen)
    again = invoice_of(made, "26632000000000000004", net_fen=-blue.net_fen, tax_fen=0, total_fen=-blue.net_fen)
    assert faults_of(cast, row(half, "", BLUE) + row(again, "", BLUE)) == [(3, "invoice.red_too_much")]
    assert (3, "invoice.has_one") in faults_of(cast, row(half, "", BLUE) + row(anew, made.number))
    assert VatInvoice.objects.count() == 1
    # The blue row stands first in the file: what is taken back is taken back before.
    assert take_in(cast, row(anew, made.number) + row(red, "", BLUE)).invoices == 2
    assert VatInvoice.objects.get(number=RED).reverses == blue
    assert [each.number for each in queries.blue_invoices().filter(left_fen__gt=0)] == [ANEW]
