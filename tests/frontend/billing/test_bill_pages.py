"""The pages of bills, credit notes and payments: a month from what can be billed to the paid bill, by clicks."""

from __future__ import annotations

import io
import re
import subprocess

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from billing.bills.models import Bill, BillVoid, CreditNote
from billing.bills.services import documents
from billing.payments.models import Allocation, Payment
from config.kernel.services import tokens
from tests.billing.bills.conftest import DECEMBER
from tests.billing.month.conftest import second_person
from tests.billing.payments.conftest import csv_of
from tests.billing.payments.test_bank_transfers import row

pytestmark = pytest.mark.django_db


def hidden(page):
    """The fields of the form that confirms."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.content.decode()))


def issue(browser, cast):
    query = f"?owner={cast.lab.pk}&customer={cast.firm.pk}&until=2026-11-30"
    page = browser.get(reverse("bill_issue") + query)
    fields = hidden(page) | {"days": "30"}
    return browser.post(reverse("bill_issue"), fields), fields


def test_finance_sees_what_can_be_billed_looks_issues_and_lands_on_the_bill(cast, month, browse):
    browser = browse("li")
    page = browser.get(reverse("bill_open") + "?until=2026-11-30").content.decode()
    assert "Gaoyuan Lithium" in page and "Lianhe Materials" in page and "¥1,080.00" in page
    answer, fields = issue(browser, cast)
    bill = Bill.objects.get()
    assert answer.url == reverse("bill_detail", args=[bill.pk])
    assert browser.post(reverse("bill_issue"), fields).url == answer.url and Bill.objects.count() == 1
    page = browser.get(answer.url).content.decode()
    assert bill.number in page and bill.reference in page and "To pay" in page and "hx-trigger" in page


def test_a_large_bill_is_proposed_on_the_page_and_issued_by_somebody_else(cast, month, browse, settings):
    settings.SECOND_PERSON_FROM_FEN = 100_00
    second_person(cast)
    li, mei = browse("li"), browse("mei")
    query = f"?owner={cast.lab.pk}&customer={cast.firm.pk}&until=2026-11-30"
    page = li.get(reverse("bill_issue") + query)
    assert "Propose over ¥1,080.00" in page.content.decode() and "Issue the bill over" not in page.content.decode()
    fields = hidden(page) | {"days": "30"}
    alone = li.post(reverse("bill_issue"), fields)
    assert alone.status_code == 422 and "another one issues it" in alone.content.decode() and not Bill.objects.exists()
    at = li.post(reverse("bill_issue"), fields | {"act": "propose"}).url
    assert li.post(reverse("bill_issue"), fields | {"act": "propose"}).url == at  # two clicks
    own = li.get(at).content.decode()
    assert "Somebody else of finance issues it." in own and f"{at}issue" not in own
    assert li.post(f"{at}issue").status_code == 422 and browse("zhao").get(at).status_code == 404
    assert at in mei.get(reverse("bill_open") + query).content.decode()
    refused = mei.post(f"{at}decline", {"reason": "x" * 501})
    said = refused.content.decode()
    assert refused.status_code == 422 and "x" * 501 in said and "That was not done" in said and "Nothing was issued" not in said
    assert "Issue the bill over ¥1,080.00" in mei.get(at).content.decode()
    answer = mei.post(f"{at}issue")
    assert answer.url == reverse("bill_detail", args=[Bill.objects.get().pk])
    assert Bill.objects.get().number in li.get(at).content.decode() and mei.post(f"{at}issue").status_code == 409
    # The same over the API.
    keys = {who: tokens.issue(cast.actor(who), "x", ["read", "settle"], cast.now) for who in ("li", "mei", "zhao")}

    def call(method, path, who, body=None, key="k"):
        headers = {"Authorization": f"Bearer {keys[who]}", "Idempotency-Key": key}
        return getattr(Client(), method)(f"/api/v1/{path}", body or {}, content_type="application/json", headers=headers)

    asked = {"owner": cast.lab.pk, "customer": cast.other_firm.pk, "until_on": "2026-11-30", "due_days": 30}
    assert (
        call("post", "bills/", "li", asked).status_code == 422
        and call("post", "bill-proposals/", "zhao", asked).status_code == 403
    )
    made = call("post", "bill-proposals/", "li", asked, "p")
    assert made.status_code == 201 and call("post", "bill-proposals/", "li", asked, "p").json() == made.json()
    path = f"bill-proposals/{made.json()['id']}/"
    assert [row["state"] for row in call("get", "bill-proposals/?state=waiting", "mei").json()["results"]] == ["waiting"]
    assert call("post", f"{path}issue/", "li").status_code == 422 and call("get", path, "zhao").status_code == 404
    assert call("post", f"{path}decline/", "mei").status_code == 422
    issued = call("post", f"{path}issue/", "mei").json()
    assert (issued["state"], issued["decided_by"], issued["bill"]) == ("issued", "Mei", Bill.objects.latest("pk").pk)


def test_the_customer_reads_its_bill_and_cannot_undo_it(cast, month, browse, bill):
    issued, browser = bill(), browse("zhao")
    page = browser.get(reverse("bill_detail", args=[issued.pk])).content.decode()
    assert (
        issued.reference in page and "Make the bill void" not in page and reverse("bill_credit", args=[issued.pk, 1]) not in page
    )
    assert issued.number in browser.get(reverse("bill_list") + "?open=1").content.decode()
    assert browser.post(reverse("bill_void", args=[issued.pk]), {"reason": "x"}).status_code == 403
    assert browse("he").get(reverse("bill_detail", args=[issued.pk])).status_code == 404


def test_days_that_cannot_be_are_said_and_nothing_is_issued(cast, month, browse):
    browser = browse("li")
    fields = issue(browser, cast)[1] | {"days": "ninety", "key": "other"}
    answer = browser.post(reverse("bill_issue"), fields)
    assert answer.status_code == 422 and "between 0 and 60 days" in answer.content.decode() and Bill.objects.count() == 1


def test_the_documents_are_made_and_handed_out_byte_for_byte(cast, month, browse, bill, tmp_path):
    issued, browser = bill(), browse("zhao")
    assert browser.get(reverse("bill_download", args=[issued.pk, "pdf"])).status_code == 422
    documents.render("bill", issued.pk, DECEMBER)
    paper = browser.get(reverse("bill_download", args=[issued.pk, "pdf"]))
    assert paper.content == browser.get(reverse("bill_download", args=[issued.pk, "pdf"])).content
    (tmp_path / "bill.pdf").write_bytes(paper.content)
    text = subprocess.run(
        ["pdftotext", "-layout", str(tmp_path / "bill.pdf"), "-"], capture_output=True, check=True
    ).stdout.decode()
    assert issued.number in text and issued.reference in text and "1,080.00" in text and "6222 0000" in text
    book = load_workbook(io.BytesIO(browser.get(reverse("bill_download", args=[issued.pk, "xlsx"])).content))
    sheet = book.worksheets[0]
    amounts = [each.value for each in sheet["L"][8:] if each.value is not None]
    assert float(amounts[-1]) == 1080.00 == float(sum(amounts[:-1]))
    assert browser.get(reverse("bill_download", args=[issued.pk, "exe"])).status_code == 404


def test_a_bill_is_voided_with_a_reason_that_the_customer_reads(cast, month, browse, bill):
    issued, browser = bill(), browse("li")
    assert browser.post(reverse("bill_void", args=[issued.pk]), {"reason": " "}).status_code == 422
    browser.post(reverse("bill_void", args=[issued.pk]), {"reason": "wrong <b>month</b>"})
    assert BillVoid.objects.get().bill_id == issued.pk
    assert "wrong &lt;b&gt;month" in browse("zhao").get(reverse("bill_detail", args=[issued.pk])).content.decode()


def test_a_credit_note_is_looked_at_first(cast, month, browse, bill):
    issued, browser = bill(), browse("li")
    address = reverse("bill_credit", args=[issued.pk, 1])
    typed = {"amount": "90", "reason_code": "poor_result", "reason": "no peak"}
    assert browser.get(address).status_code == 200
    wrong = browser.post(address, typed | {"amount": "a lot", "reason": ""})
    assert wrong.status_code == 422 and "a lot" in wrong.content.decode()
    page = browser.post(address, typed)
    assert (
        "DEMO-QH-V" in page.content.decode() and "owes ¥90.00 less" in page.content.decode() and not CreditNote.objects.exists()
    )
    fields = hidden(page) | {"confirm": "1"}
    first = browser.post(address, fields)
    assert browser.post(address, fields).url == first.url and CreditNote.objects.count() == 1
    assert CreditNote.objects.get().number in browser.get(first.url).content.decode()
    documents.render("credit_note", CreditNote.objects.get().pk, DECEMBER)
    assert (
        browse("zhao").get(reverse("credit_note_download", args=[CreditNote.objects.get().pk, "pdf"])).content.startswith(b"%PDF")
    )


def test_a_banks_list_is_taken_in_and_its_money_given_by_one_click(cast, month, browse, bill):
    issued, browser = bill(), browse("li")
    bad = SimpleUploadedFile("x.csv", csv_of(row("1"), row("ten", serial="2")))
    answer = browser.post(reverse("payment_import"), {"file": bad, "owner": cast.lab.pk, "layout": ""})
    assert answer.status_code == 422 and "“ten”" in answer.content.decode() and not Payment.objects.exists()
    good = SimpleUploadedFile("x.csv", csv_of(row("1,080.00", issued.reference)))
    assert browser.post(reverse("payment_import"), {"file": good, "owner": cast.lab.pk, "layout": ""}).status_code == 302
    payment = Payment.objects.get()
    page = browser.get(reverse("payment_list"))
    assert "payment reference, amount" in page.content.decode()
    browser.post(reverse("payment_give", args=[payment.pk]), {"bill": issued.pk, "amount": "1080.00", "next": "list"})
    assert "Paid" in browser.get(reverse("bill_detail", args=[issued.pk])).content.decode()
    given = Allocation.objects.get()
    browser.post(reverse("payment_undo", args=[given.pk]), {"reason": "wrong bill"})
    again = browser.post(reverse("payment_give", args=[payment.pk]), {"bill": issued.pk, "amount": "9999"})
    assert again.status_code == 422 and "¥1,080.00" in again.content.decode()
    browser.post(reverse("payment_refund", args=[payment.pk]), {"amount": "1080", "reason": "sent twice"})
    assert "sent twice" in browser.get(reverse("payment_detail", args=[payment.pk])).content.decode()


@pytest.mark.parametrize("route", ["bill_list", "bill_open", "payment_list", "payment_import"])
def test_pages_are_there_in_both_languages(cast, month, browse, bill, route):
    bill(cast.other_firm)
    browser = browse("li")
    assert browser.get(reverse(route)).status_code == 200
    browser.cookies["django_language"] = "zh-hans"
    assert "账单" in browser.get(reverse(route)).content.decode()


def test_lists_take_a_constant_number_of_queries(cast, month, browse, bill, take, django_assert_max_num_queries):
    bill(), bill(cast.other_firm)
    take(row("1"), row("2", serial="2"), row("3", serial="3"))
    browser = browse("li")
    for route in ("bill_list", "payment_list", "bill_open"):
        browser.get(reverse(route))
        with django_assert_max_num_queries(16):
            browser.get(reverse(route))
