"""A settlement statement names the papers behind its lines: bill, payment, invoice, receipt; and a bill says what tax its fees contain."""

from __future__ import annotations

import io
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from billing.bills import pdf as bill_pdf
from billing.bills import sheets as bill_sheets
from billing.bills.rules.content import credited_fee, tax_rows
from billing.bills.services import issuing
from billing.bills.services.issuing import BillRequest
from billing.invoices.models import VatInvoice
from billing.month.services.payment_proof import given_to
from billing.payments.services import allocating, crediting
from billing.payments.services.crediting import CreditRequest
from billing.pricing.models import PriceVersion
from billing.receipts.models import Receipt
from billing.receipts.services import issuing as receipts
from billing.settlement import pdf, sheets
from billing.settlement.lines import annex
from billing.settlement.services import statements
from tests.billing.bills.conftest import DECEMBER
from tests.billing.settlement.conftest import NOVEMBER, run_session
from tests.billing.settlement.test_documents import text_of
from tests.conftest import PRICE, slot_of

pytestmark = pytest.mark.django_db
NUMBER = "26632000000000000017"


@pytest.fixture
def issued(cast: Any, bill: Any, month: Any, take: Any) -> Any:
    """The lab's statement under the voucher once its firm has a bill with an invoice, of which 500.00 are paid."""
    made, li = bill(), cast.actor("li")
    (payment,) = take("2026-12-01,500.00,,高原公司,6222,货款,1")
    allocating.give(li, payment.pk, made.pk, 500_00, DECEMBER)
    receipts.receipt(li, payment.pk, cast.firm.pk, DECEMBER)
    figures = {"net_fen": made.total_fen, "tax_fen": 0, "total_fen": made.total_fen, "buyer_code": "", "seller_code": ""}
    who = {"recorded_by": cast.users["li"], "recorded_at": DECEMBER, "owner": cast.lab, "bill": made}
    VatInvoice.objects.create(number=NUMBER, issued_on=date(2026, 12, 1), **figures, **who)
    return statements.issue(cast.actor("qian"), month["DEMO-QH-V"].pk, cast.lab.pk, NOVEMBER, DECEMBER), made


def test_each_line_names_its_bill_what_was_paid_of_it_its_invoice_and_receipt(issued: Any, tmp_path: Path) -> None:
    statement, made = issued
    papers = [line["papers"] for line in statement.content["lines"]]
    assert papers == [
        {
            "bill": {
                "number": made.number,
                "reference": made.reference,
                "sha256": made.content_sha256,
                "total_fen": 1080_00,
                "paid_fen": 500_00,
            },
            "invoices": [{"number": NUMBER, "issued_on": "2026-12-01", "sha256": ""}],
            "receipts": [{"number": "SJ-2026-000001", "sha256": Receipt.objects.get().content_sha256}],
        }
    ] * len(papers)
    assert statement.content["fund_year"] == 2026
    text = text_of(pdf.render_pdf(statement.content), tmp_path, "-layout")
    assert made.reference not in text
    for said in (made.number, "500.00 / 1,080.00", NUMBER, "2026-12-01", "SJ-2026-000001", "Budget year"):
        assert said in text, said
    book = load_workbook(io.BytesIO(sheets.render_xlsx(statement.content)))
    rows = list(book[book.sheetnames[2]].values)
    assert rows[1][:5] == (
        1,
        f"{made.number} ({made.content_sha256[:12]})",
        "500.00 / 1,080.00",
        f"{NUMBER} 2026-12-01",
        f"SJ-2026-000001 ({Receipt.objects.get().content_sha256[:12]})",
    )


def test_a_line_names_only_receipts_of_its_own_bill_where_one_payment_pays_two_customers(
    cast: Any, bill: Any, month: Any, take: Any
) -> None:
    li = cast.actor("li")
    mine, other = bill(), bill(cast.other_firm)
    (payment,) = take("2026-12-01,500.00,,高原公司,6222,货款,1")
    allocating.give(li, payment.pk, other.pk, 100_00, DECEMBER)
    theirs = receipts.receipt(li, payment.pk, cast.other_firm.pk, DECEMBER)
    allocating.give(li, payment.pk, mine.pk, 200_00, DECEMBER)
    whose = (month["DEMO-QH-V"].pk, cast.lab.pk, NOVEMBER)
    before = statements.preview(cast.actor("qian"), *whose, DECEMBER)
    assert not any("receipts" in line["papers"] for line in before["lines"] if line["customer"]["name"] == cast.firm.name)
    own = receipts.receipt(li, payment.pk, cast.firm.pk, DECEMBER)
    content = statements.issue(cast.actor("qian"), *whose, DECEMBER).content
    named = {(line["customer"]["name"], *(each["number"] for each in line["papers"]["receipts"])) for line in content["lines"]}
    assert (cast.firm.name, own.number) in named and not any(theirs.number in each for each in named if cast.firm.name in each)
    assert theirs.number != own.number

    said = given_to(li, [mine.pk, other.pk]).by_bill
    assert [each["number"] for proof in said[mine.pk] for each in proof["receipts"]] == [own.number]
    assert [each["number"] for proof in said[other.pk] for each in proof["receipts"]] == [theirs.number]


def test_a_statement_from_before_bills_were_named_by_number_keeps_its_bytes(issued: Any) -> None:
    statement, made = issued
    line = statement.content["lines"][0]
    old = {"papers": {"bill": {"reference": "JS1", "total_fen": 1, "paid_fen": 1}, "receipts": ["SJ-1"]}}
    assert annex(old, hashes=False) == ("JS1", "0.01 / 0.01", "", "SJ-1", "")
    assert (annex(line, hashes=True) or ())[0] == f"{made.number} ({made.content_sha256[:12]})"


def test_what_is_issued_before_any_paper_names_none(cast: Any, month: Any) -> None:
    statement = statements.issue(cast.actor("qian"), month["DEMO-QH-V"].pk, cast.lab.pk, NOVEMBER, DECEMBER)
    assert not any("papers" in line for line in statement.content["lines"])
    assert "Papers behind the lines" not in pdf.render_html(statement.content)


def test_a_bill_says_what_tax_its_fees_contain_and_nothing_where_the_price_names_none(
    cast: Any, month: Any, tmp_path: Path
) -> None:
    taxed = PRICE | {"format": 2, "tax": {"rate": "0.06", "included": True}}
    PriceVersion.objects.create(
        instrument=cast.xrd,
        effective_from=date(2026, 11, 27),
        document=taxed,
        published_at=cast.now,
        published_by=cast.users["wang"],
    )
    run_session(cast, slot_of(9, 11, 3))
    made = issuing.issue(cast.actor("li"), BillRequest(cast.lab.pk, cast.firm.pk, date(2026, 11, 30)), DECEMBER)
    # Two hours at 400.00 are 800.00, of which 800 x 6 / 106 = 45.28 are tax; the other lines name no rate.
    (row,) = tax_rows(made.content)
    assert (row.rate, row.gross_fen, row.tax_fen, row.net_fen) == ("0.06", 800_00, 45_28, 754_72)
    assert made.content["tax"] == "shown" and sum("tax" in line for line in made.content["lines"]) == 1
    text = text_of(bill_pdf.render_pdf_apart(made.content), tmp_path, "-layout")
    assert "6%" in text and "754.72" in text and "45.28" in text
    book = load_workbook(io.BytesIO(bill_sheets.render_xlsx(made.content)))
    assert any("45.28" in str(row[1]) for row in book[book.sheetnames[1]].values)
    page = Client(headers={"accept-language": "en"})
    page.force_login(cast.users["zhao"])
    shown = page.get(reverse("bill_detail", args=[made.pk])).content.decode()
    assert "Fees of ¥800.00 contain ¥45.28 of tax (6%); without tax they are ¥754.72." in shown

    # A third is credited, then a seventh, then the rest: each note says the tax of its own part, together that of the line.
    place = next(line["position"] for line in made.content["lines"] if "tax" in line)
    owed = made.content["lines"][place - 1]["amount_fen"]
    notes = []
    for amount_fen in (owed // 3, owed // 7, owed - owed // 3 - owed // 7):
        asked = CreditRequest(made.pk, place, amount_fen, "other", "agreed otherwise")
        notes.append(crediting.issue(cast.actor("li"), asked, DECEMBER).content)
    parts = [each for note in notes for each in tax_rows(note)]
    assert (parts[0].gross_fen, parts[0].tax_fen) == (266_67, 15_09)
    assert (sum(each.gross_fen for each in parts), sum(each.tax_fen for each in parts)) == (800_00, 45_28)
    assert "15.09" in text_of(bill_pdf.render_pdf_apart(notes[0]), tmp_path, "-layout")
    old = {name: value for name, value in notes[0].items() if name != "credited"}
    assert tax_rows(old) == (row,)  # as such notes said it before


@given(
    st.integers(1, 10**9),
    st.integers(0, 10**9),
    st.integers(0, 10**8),
    st.lists(st.integers(1, 10**9), max_size=6),
)
def test_the_credits_of_a_line_add_up_to_its_fee_and_its_tax(
    amount_fen: int, deducted_fen: int, tax_fen: int, cuts: list[int]
) -> None:
    line = {"amount_fen": amount_fen, "gross_fen": amount_fen + deducted_fen, "tax": {"rate": "0.06", "tax_fen": tax_fen}}
    places = sorted({0, amount_fen, *(cut % (amount_fen + 1) for cut in cuts)})
    parts = [credited_fee(line, first, last - first) or {} for first, last in pairwise(places)]
    assert sum(part["gross_fen"] for part in parts) == line["gross_fen"]
    assert sum(part["tax"]["tax_fen"] for part in parts) == tax_fen
    assert all(part["gross_fen"] >= 0 and part["tax"]["tax_fen"] >= 0 for part in parts)
    assert credited_fee({**line, "tax": None}, 0, 1) is None
