"""An invoice is made out to the customer; to another only where the customer says so, for finance and reviewers to see."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.test import Client

from billing.invoices import papers, queries
from billing.invoices.services import asking, recording
from config.kernel.models import AuditEntry
from tests.billing.bills.conftest import DECEMBER
from tests.billing.invoices.test_invoices import WANTED, invoice_of, refused

pytestmark = pytest.mark.django_db
PARENT = "91630104MA0000023M"
WHY = "Its parent, Lianhe, pays"


def pages_of(cast, made):
    browser = Client(headers={"accept-language": "en"})
    browser.cookies["django_language"] = "en"
    browser.force_login(cast.users["li"])
    addresses = ("/invoices/", "/invoices/?show=recorded", f"/bills/{made.pk}/invoice/")
    return [browser.get(address).content.decode() for address in addresses]


def test_another_buyer_is_refused_unless_said_and_then_seen_by_finance_until_after_it_is_recorded(bill, cast):
    made, li, firm = bill(), cast.actor("li"), cast.actor("zhao")
    assert papers.of_bill(made).buyer_code == WANTED.buyer_code != PARENT
    for said in ("", "  "):
        wanted = replace(WANTED, buyer_code=PARENT, other_buyer=said)
        assert refused(lambda wanted=wanted: asking.ask(firm, made.pk, wanted, DECEMBER)) == ["invoice.other_buyer"]
    given = invoice_of(made, buyer_code=PARENT)
    assert refused(lambda: recording.record(li, made.pk, given, DECEMBER)) == ["invoice.buyer"]  # nobody asked for that one
    asked = asking.ask(firm, made.pk, replace(WANTED, buyer_code=PARENT, other_buyer=WHY), DECEMBER)
    assert AuditEntry.objects.filter(action="invoice.ask").latest("pk").after["other_buyer"] == WHY
    listed, _recorded, of_bill = pages_of(cast, made)
    assert WHY in listed and WHY in of_bill and "not the customer" in listed
    recording.record(li, made.pk, given, DECEMBER)
    _listed, recorded, of_bill = pages_of(cast, made)
    assert asked.other_buyer == WHY
    for page in (recorded, of_bill):
        assert "made out to another than the customer" in page
    (found,) = queries.blue_invoices()
    assert (found.customer_code, found.why_other) == (WANTED.buyer_code, WHY)


def test_the_customers_own_code_needs_no_word_and_keeps_none(bill, cast):
    made, li = bill(), cast.actor("li")
    asked = asking.ask(cast.actor("zhao"), made.pk, replace(WANTED, other_buyer=WHY), DECEMBER)
    assert asked.other_buyer == ""
    recording.record(li, made.pk, invoice_of(made), DECEMBER)
    assert not any("not the customer" in page or "another than the customer" in page for page in pages_of(cast, made))
