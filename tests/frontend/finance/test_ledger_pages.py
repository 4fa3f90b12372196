"""The ledger's pages: from a posting to the document that caused it, in words, with a constant number of queries."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.ledger.models import Account, Transfer
from billing.payments.services import allocating, prepaying, refunding
from billing.sources import WAYS, places
from instruments.models import User
from tests.billing.bills.conftest import DECEMBER, bill
from tests.billing.claims.conftest import office
from tests.billing.payments.conftest import take

__all__ = ["bill", "office", "take"]

LINK = re.compile(r'<a class="small" href="([^"]+)">([^<]+)</a>')
CAUSE = re.compile(r'<br><(?:a|span) class="small(?: soft)?"[^>]*>([^<]+)</')
RAW = re.compile(r"\b(" + "|".join(WAYS) + r"):\d+")


def pages(browser) -> list[tuple[Account, str]]:
    found = []
    for account in Account.objects.order_by("pk"):
        answer = browser.get(f"/ledger/{account.pk}/")
        if answer.status_code == 200:
            found.append((account, answer.content.decode()))
    return found


@pytest.fixture
def everything(bill, office, take, cast):
    """Bills that were paid, given up, credited back and kept as prepaid money; a claim that was paid."""
    made = bill()
    li = cast.actor("li")
    (payment,) = take("2026-12-03,9000.00,,A firm,6222,What for,T1")
    given = allocating.give(li, payment.pk, made.pk, 100_00, DECEMBER)
    allocating.undo(li, given.pk, "Another one's", DECEMBER)
    refunding.refund(li, payment.pk, 10_00, "Too much", DECEMBER)
    prepaying.deposit(li, payment.pk, cast.firm.pk, 50_00, DECEMBER)
    batch, _claim = office.approved()
    office.pay_all(office.listed(batch))
    return made


def test_the_sides_of_an_account_are_called_as_accountants_call_them(everything, browse, cast):
    browser = browse("li")
    account = next(each for each, page in pages(browser) if 'data-label="Credit"' in page)
    User.objects.filter(pk=cast.users["li"].pk).update(language="zh-hans")
    browser.cookies["django_language"] = "zh-hans"
    shown = browser.get(f"/ledger/{account.pk}/").content.decode()
    assert 'data-label="借方"' in shown and 'data-label="贷方"' in shown and 'data-label="冲减"' not in shown


def test_every_posting_leads_to_the_document_that_caused_it(everything, browse):
    seen = {}
    browser = browse("wu")
    for account, page in pages(browser):
        causes = CAUSE.findall(page)
        assert len(causes) == page.count('data-label="Why"') and not [each for each in causes if RAW.search(each)], account.key
        seen |= {words.rsplit(" ", 1)[0]: address for address, words in LINK.findall(page)}
    assert {
        "Bill",
        "Payment",
        "Money given to a bill",
        "Refund of a payment",
        "Prepaid money",
        "Claim",
        "Payout of a list",
    } <= set(seen)
    assert {"Booking", "Account"} <= set(seen)
    for words, address in seen.items():
        assert browser.get(address).status_code == 200, words
    assert everything.number in " ".join(page for _account, page in pages(browser))


@pytest.mark.parametrize("who", ["li", "qian", "chen"])
def test_whoever_reads_the_ledger_is_led_to_what_they_may_read_and_nowhere_else(who, everything, browse):
    browser = browse(who)
    found = {address for _account, page in pages(browser) for address, _words in LINK.findall(page)}
    assert found
    assert {address: code for address in found if (code := browser.get(address).status_code) != 200} == {}


def test_the_page_takes_as_many_queries_however_many_postings_it_shows(everything, browse, bill, cast, take):
    browser = browse("wu")
    account = Account.objects.get(key=f"unassigned:{cast.lab.pk}")

    def asked() -> int:
        browser.get(f"/ledger/{account.pk}/")
        with CaptureQueriesContext(connection) as counted:
            assert browser.get(f"/ledger/{account.pk}/").status_code == 200
        return len(counted)

    few = asked()
    more = take(*(f"2026-12-04,{n}00.00,,A firm,6222,What for,U{n}" for n in range(1, 9)))
    for payment in more:
        allocating.give(cast.actor("li"), payment.pk, everything.pk, 1_00, DECEMBER)
    assert asked() == few


def test_of_a_type_one_query_is_asked(everything, cast):
    wu, sources = cast.actor("wu"), list(Transfer.objects.values_list("source_type", "source_id"))
    with CaptureQueriesContext(connection) as counted:
        found = places(wu, sources)
    assert len(counted) == len({kind for kind, _pk in sources})
    assert found.keys() == set(sources)


@pytest.mark.parametrize("kind", sorted(WAYS))
def test_every_way_is_a_query_that_can_be_asked(kind, cast):
    assert WAYS[kind](cast.actor("wu"), {0}) == {}
    assert WAYS[kind](cast.actor("li"), {0}) == {}
