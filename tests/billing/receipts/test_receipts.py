"""Receipts and statements of account: what they say, that they are frozen, and that the other side's are not there; all papers as data."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from datetime import date

import pytest
from django.db import IntegrityError, ProgrammingError, transaction
from django.test import Client

from billing.bills import queries as bill_queries
from billing.bills.models import Bill
from billing.bills.services import issuing as bills
from billing.ledger.rules.documents import canonical_json
from billing.papers import checking
from billing.papers.codes import KEY
from billing.papers.kinds import kinds
from billing.papers.rules.status import Status
from billing.payments.services import allocating, crediting
from billing.payments.services.crediting import CreditRequest
from billing.receipts import queries, rendering
from billing.receipts.models import Receipt
from billing.receipts.rules.standing import taken_back, unsaid
from billing.receipts.services import issuing
from config.kernel.access import visible_to
from config.kernel.date_wording import date_words
from config.kernel.errors import Forbidden, NotFound, Refusal
from tests.billing.bills.conftest import DECEMBER

CANARY = "CANARY-OF-THE-OTHER-FIRM"
FIRST, LAST = date(2026, 11, 1), date(2026, 12, 1)


def codes(call) -> list[str]:
    with pytest.raises(Refusal) as error:
        call()
    return [reason.code for reason in error.value.reasons]


def test_a_receipt_says_what_of_a_payment_paid_and_a_statement_of_account_every_movement(bill, cast, take, client):
    cast.other_firm.name = cast.other_firm.name_en = CANARY
    cast.other_firm.save()
    made, foreign, li, zhao = bill(), bill(cast.other_firm), cast.actor("li"), cast.actor("zhao")
    payment, theirs = take(
        "2026-12-01,500.00,,=高原公司<img src=file:///etc/passwd>,6222,货款,1", f"2026-12-01,200.00,,{CANARY},6223,{CANARY},2"
    )
    allocating.give(li, theirs.pk, foreign.pk, 10_000, DECEMBER)
    issuing.receipt(li, theirs.pk, cast.other_firm.pk, DECEMBER)
    issuing.account_statement(li, cast.lab.pk, cast.other_firm.pk, FIRST, LAST, DECEMBER)
    crediting.issue(li, CreditRequest(foreign.pk, 1, 100, "other", CANARY), DECEMBER)
    given = allocating.give(li, payment.pk, made.pk, 10_000, DECEMBER)
    with pytest.raises(Forbidden):
        issuing.receipt(zhao, payment.pk, cast.firm.pk, DECEMBER)
    assert codes(lambda: issuing.receipt(li, payment.pk, cast.other_firm.pk, DECEMBER)) == ["receipt.nothing_new"]
    first = issuing.receipt(li, payment.pk, cast.firm.pk, DECEMBER)
    assert (first.number, first.total_fen) == ("SJ-2026-000002", 10_000)
    assert codes(lambda: issuing.receipt(li, payment.pk, cast.firm.pk, DECEMBER)) == ["receipt.nothing_new"]
    allocating.give(li, payment.pk, made.pk, 5_000, DECEMBER)
    assert issuing.receipt(li, payment.pk, cast.firm.pk, DECEMBER).total_fen == 5_000
    allocating.undo(li, given.pk, "mistake", DECEMBER)
    assert checking.by_code(first.content[KEY]["code"]).facts.status is not Status.VALID
    crediting.issue(li, CreditRequest(made.pk, 1, 300, "other", "because"), DECEMBER)
    for days in ((LAST, FIRST), (FIRST, date(2026, 12, 2))):
        assert codes(lambda days=days: issuing.account_statement(zhao, cast.lab.pk, cast.firm.pk, *days, DECEMBER)) == [
            "receipt.days"
        ]
    with pytest.raises(NotFound):
        issuing.account_statement(cast.actor("he"), cast.lab.pk, cast.firm.pk, FIRST, LAST, DECEMBER)
    with pytest.raises(Forbidden):
        issuing.account_statement(cast.actor("lin"), cast.lab.pk, cast.firm.pk, FIRST, LAST, DECEMBER)
    account = issuing.account_statement(zhao, cast.lab.pk, cast.firm.pk, FIRST, LAST, DECEMBER)
    lines = [(line["what"], line["number"], line["debit_fen"], line["credit_fen"]) for line in account.content["lines"]]
    note = bill_queries.credits_of(li, made)[0]
    assert lines == [
        ("bill", made.number, made.total_fen, 0),
        ("payment", made.number, 0, 10_000),
        ("payment", made.number, 0, 5_000),
        ("payment_undone", made.number, 10_000, 0),
        ("credit_note", note.number, 0, 300),
    ]
    (standing,) = [bill_queries.standing_of(row) for row in bill_queries.with_standing(Bill.objects.filter(pk=made.pk))]
    assert account.total_fen == standing.open_fen == account.content["lines"][-1]["balance_fen"]
    again = issuing.account_statement(li, cast.lab.pk, cast.firm.pk, FIRST, LAST, DECEMBER)
    replaced, latest = (checking.by_code(each.content[KEY]["code"]).facts for each in (account, again))
    assert (replaced.status, replaced.replaced_by) == (Status.REPLACED, again.number)
    assert (latest.status, latest.replaced_by) == (Status.VALID, "")
    checked = Client(headers={"Accept-Language": "en"}).get(f"/verify/{account.content[KEY]['code']}/").content.decode()
    assert "Replaced by</dt>" in checked and again.number in checked
    for paper in (first, account):
        html = rendering.render_html(paper.content)
        assert "<img" not in html and html.count("<svg") == 1 and paper.number in html
    with pytest.raises(ProgrammingError), transaction.atomic():
        Receipt.objects.filter(pk=first.pk).update(total_fen=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        values = {
            field.attname: getattr(first, field.attname) for field in Receipt._meta.concrete_fields if field.attname != "id"
        }
        Receipt.objects.create(**values | {"number": "SJ-X", "total_fen": payment.amount_fen})
    with pytest.raises(NotFound):
        queries.paper_for(cast.actor("he"), "receipt", first.pk)
    issuing.render("receipt", first.pk, DECEMBER)
    issuing.render("account_statement", account.pk, DECEMBER)
    assert queries.document(zhao, "receipt", first.pk, "pdf").content.startswith(b"%PDF")
    client.force_login(cast.users["zhao"])
    for address in (
        "/receipts/",
        "/receipts/?show=account_statement",
        f"/receipts/{first.pk}/",
        f"/account-statements/{account.pk}/",
    ):
        assert client.get(address).status_code == 200, address
    english = {"accept-language": "en"}
    assert "<time" in client.get(f"/receipts/{first.pk}/", headers=english).content.decode().split("Received on")[1][:40]
    shown = client.get(f"/account-statements/{account.pk}/", headers=english).content.decode()
    assert date_words(FIRST) in shown and f">{FIRST.isoformat()}" not in shown
    answer = client.post(
        "/account-statements/issue", {"pair": f"{cast.lab.pk}-{cast.firm.pk}", "from": FIRST, "until": date(2026, 11, 20)}
    )
    assert answer.status_code == 302 and answer["Location"].startswith("/account-statements/")
    typed = {"pair": f"{cast.lab.pk}-{cast.firm.pk}", "from": LAST, "until": FIRST}
    again = client.post("/account-statements/issue?show=account_statement", typed)
    page = again.content.decode()
    assert again.status_code == 422 and 'role="alert"' in page  # with the reason, in place, and what was typed
    assert f'name="from" value="{LAST}"' in page and f'name="until" value="{FIRST}"' in page
    assert f'value="{cast.lab.pk}-{cast.firm.pk}" selected' in page and account.number in page
    _as_data(client, made, first, account)
    _nothing_of_the_other_firm(cast, zhao, client)


def test_money_that_goes_to_another_bill_takes_its_receipt_with_it_and_the_other_bill_gets_one(bill, cast, take):
    li, one = cast.actor("li"), bill()
    (payment,) = take("2026-12-01,500.00,,高原公司,6222,货款,1")
    given = allocating.give(li, payment.pk, one.pk, 10_000, DECEMBER)
    first = issuing.receipt(li, payment.pk, cast.firm.pk, DECEMBER)
    allocating.undo(li, given.pk, "mistake", DECEMBER)
    bills.void(li, one.pk, "issued anew", DECEMBER)
    other = bill()
    allocating.give(li, payment.pk, other.pk, 5_000, DECEMBER)
    assert checking.by_code(first.content[KEY]["code"]).facts.status is Status.CREDITED
    second = issuing.receipt(li, payment.pk, cast.firm.pk, DECEMBER)
    assert [(line["number"], line["credit_fen"]) for line in second.content["lines"]] == [(other.number, 5_000)]
    assert checking.by_code(second.content[KEY]["code"]).facts.status is Status.VALID
    assert codes(lambda: issuing.receipt(li, payment.pk, cast.firm.pk, DECEMBER)) == ["receipt.nothing_new"]


def test_what_is_taken_back_is_taken_from_the_latest_receipt_of_its_bill_alone():
    receipts = [{"A": 100}, {"A": 50, "B": 30}]
    assert unsaid({"A": 100, "B": 130}, [{"A": 100}]) == {"B": 130}
    assert unsaid({"A": 60}, [{"A": 100}]) == {}
    assert [taken_back({"A": 150, "B": 30}, receipts, place) for place in (0, 1)] == [0, 0]
    assert [taken_back({"A": 120, "B": 30}, receipts, place) for place in (0, 1)] == [0, 30]
    assert [taken_back({"A": 70, "B": 30}, receipts, place) for place in (0, 1)] == [30, 50]
    assert [taken_back({"C": 180}, receipts, place) for place in (0, 1)] == [100, 80]


def _as_data(client, made, receipt, account) -> None:
    """Every paper as CSV and JSON; the JSON's own hash is the one that the paper prints, and the check knows it."""
    places = {f"/bills/{made.pk}": made, f"/receipts/{receipt.pk}": receipt, f"/account-statements/{account.pk}": account}
    for place, paper in places.items():
        address = f"{place}/files/"
        text = client.get(f"{address}json").content
        assert hashlib.sha256(text).hexdigest() == paper.content_sha256 and json.loads(text) == paper.content
        assert checking.by_file(paper.content_sha256).facts.number == paper.number
        twin = client.get(f"{address}html").content.decode()
        assert paper.number in twin and "default-src 'none'" in twin and "fonts." not in twin and "<img" not in twin
        table = client.get(f"{address}csv").content
        rows = list(csv.reader(io.StringIO(table.decode("utf-8-sig"))))
        assert table.startswith(b"\xef\xbb\xbf") and len(rows) == len(paper.content["lines"]) + 2
        assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row)
        assert client.get(f"{address}exe").status_code == 404


def _nothing_of_the_other_firm(cast, zhao, client) -> None:
    """No paper of any kind and no export that a firm can have names what only the other one may read. PDF, XLSX, CSV and JSON are made
    from the content alone."""
    seen = 0
    for kind in kinds().values():
        everything = [canonical_json(row.content) for row in kind.rows()]
        mine = visible_to(kind.rows(), zhao)
        for row in mine:
            seen += 1
            assert CANARY not in canonical_json(row.content), kind.name
        assert kind.name not in ("bill", "credit_note", "receipt", "account_statement") or any(
            CANARY in text for text in everything
        )
    assert seen > 4
    for address in ("/bills/", "/receipts/", "/receipts/?show=account_statement", "/invoices/", "/ledger/export", "/ledger/"):
        answer = client.get(address)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert CANARY.encode() not in body, address
