"""The statement of account between an office and a payee: notices, what claims took off, what was paid back and what went back again."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from billing.claims import account
from billing.claims.services import repaying, surplus
from billing.claims.services.surplus import Transfer
from billing.receipts import queries, rendering
from billing.receipts.models import AccountStatement
from billing.receipts.services import issuing
from config.kernel import invariants
from config.kernel.access import visible_to
from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.services import tokens
from tests.billing.claims.conftest import at, code_of, wrong
from tests.billing.claims.test_repaying import came, notice, page_of
from tests.billing.claims.test_surplus import JANUARY, another, money, next_claim

__all__ = ["notice"]
pytestmark = pytest.mark.django_db
NOVEMBER, TODAY = date(2026, 11, 1), date(2027, 1, 23)
LATER = JANUARY + timedelta(days=21)


def statement(cast, notice, who="he", first=NOVEMBER, last=TODAY, now=LATER):
    return issuing.account_statement(cast.actor(who), cast.office.pk, notice.payee_id, first, last, now)


def said(paper):
    return [(each["what"], each["number"], each["debit_fen"], each["credit_fen"]) for each in paper.content["lines"]]


def owes(cast, notice) -> int:
    moved = account.moves(cast.office.pk, notice.payee_id, LATER + timedelta(days=1))
    return sum(line.debit_fen - line.credit_fen for _at, line in moved)


def test_the_account_has_every_movement_and_ends_with_what_is_owed_still(cast, office, notice):
    row = came(cast, notice, 2000)
    assert owes(cast, notice) == 5000  # nobody has confirmed it
    repaying.confirm(cast.actor("sun"), row.pk, at(22))
    claim = next_claim(cast, office, "publicised")
    assert owes(cast, notice) == 3000  # what the claim takes off is not decided
    claim.refresh_from_db()
    office.approve(claim, now=JANUARY + timedelta(days=20))
    over = money(cast, notice, 4000, too_much=True)
    repaying.confirm(cast.actor("sun"), over.pk, LATER)
    following = another(cast, notice, 1000)
    repaying.confirm(cast.actor("sun"), surplus.take_for(cast.actor("qian"), over.pk, following.pk, LATER).pk, LATER)
    back = surplus.send_back(cast.actor("qian"), over.pk, Transfer(1500, date(2027, 1, 23), "B1"), LATER)
    surplus.confirm(cast.actor("sun"), back.pk, LATER)
    paper = statement(cast, notice)
    assert said(paper) == [
        ("clawback", notice.number, 5000, 0),
        ("clawback", following.number, 1000, 0),
        ("repaid", notice.number, 0, 2000),
        ("set_off", claim.number, 0, 3000),
        ("repaid", notice.number, 0, 4000),
        ("sent_back", notice.number, 1500, 0),
    ]
    assert paper.total_fen == -1500 == paper.content["lines"][-1]["balance_fen"]  # still with the office, and the payee's
    assert account.still_owed(cast.office.pk, notice.payee_id) == -1500 and wrong() == {}
    surplus.end(cast.actor("qian"), back.pk, "the account is closed", LATER + timedelta(hours=1))
    assert owes(cast, notice) == -3000 and wrong() == {}


def test_what_moved_before_is_owed_before_and_one_period_goes_on_where_the_other_ended(cast, notice):
    row = came(cast, notice, 2000)
    repaying.confirm(cast.actor("sun"), row.pk, at(22))
    repaying.end(cast.actor("sun"), row.pk, "the bank took it back", at(24))
    first = statement(cast, notice, last=date(2026, 12, 22))
    second = statement(cast, notice, first=date(2026, 12, 23))
    assert [what for what, *_rest in said(first)] == ["clawback", "repaid"] and first.total_fen == 3000
    assert second.content["totals"]["opening_fen"] == 3000 and second.total_fen == 5000
    assert said(second) == [("repaid_undone", notice.number, 2000, 0)] and wrong() == {}


def test_a_paper_that_says_something_else_than_had_moved_is_found(cast, notice):
    paper = statement(cast, notice)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE billing_accountstatement SET total_fen = total_fen + 1 WHERE id = %s", [paper.pk])
    (found,) = invariants.registered()["claims.accounts_of_payees_add_up"]().violations
    assert paper.number in found


def test_either_side_issues_it_and_nobody_else_sees_it(cast, notice):
    by_office, by_payee = statement(cast, notice, "qian"), statement(cast, notice)
    assert [paper.number for paper in (by_office, by_payee)] == ["DZ-2027-000001", "DZ-2027-000002"]
    for who, error in (("zhao", NotFound), ("li", NotFound), ("chen", Forbidden), ("lin", Forbidden)):
        with pytest.raises(error):
            statement(cast, notice, who)
    for who, count in (("qian", 2), ("he", 2), ("zhao", 0), ("li", 0), ("chen", 0)):
        assert visible_to(AccountStatement.objects.all(), cast.actor(who)).count() == count, who
    with pytest.raises(Refusal) as refusal:
        issuing.account_statement(cast.actor("qian"), cast.office.pk, cast.firm.pk, NOVEMBER, TODAY, LATER)
    assert code_of(refusal) == "receipt.nothing_between"


def test_who_owes_nothing_sees_nothing_new(cast, notice, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: LATER)
    link = "Statement of account: notices"
    assert link in page_of(cast.users["he"], "/clawbacks/").content.decode()
    assert link in page_of(cast.users["qian"], "/clawbacks/").content.decode()
    assert link not in page_of(cast.users["zhao"], "/clawbacks/").content.decode()
    pair = f'value="{cast.office.pk}-{notice.payee_id}"'
    for who, shown in (("he", True), ("qian", True), ("zhao", False), ("li", False)):
        page = page_of(cast.users[who], "/receipts/?show=account_statement").content.decode()
        assert (pair in page) is shown, who


def test_page_files_and_api_say_the_same(cast, notice, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: LATER)
    repaying.confirm(cast.actor("sun"), came(cast, notice, 2000).pk, at(22))
    sent = {"pair": f"{cast.office.pk}-{notice.payee_id}", "from": "2026-11-01", "until": "2027-01-23"}
    page = page_of(cast.users["qian"], "/account-statements/issue", sent).content.decode()
    paper = AccountStatement.objects.get()
    for word in (paper.number, "Claw-back notice", "Paid back", "To whom it is owed", "¥30.00"):
        assert word in page, word
    html = rendering.render_html(paper.content)
    assert "追回通知" in html and notice.number in html and cast.office.name in html
    table = queries.document(cast.actor("he"), "account_statement", paper.pk, "csv").content.decode("utf-8-sig")
    assert [row[3] for row in csv.reader(io.StringIO(table))][1:3] == [notice.number] * 2
    issuing.render("account_statement", paper.pk, LATER)
    assert queries.document(cast.actor("he"), "account_statement", paper.pk, "pdf").content.startswith(b"%PDF")
    client = Client(headers={"Authorization": f"Bearer {tokens.issue(cast.actor('he'), 't', ['read', 'settle'], LATER)}"})
    asked = {"owner": cast.office.pk, "customer": notice.payee_id, "first_on": "2026-11-01", "last_on": "2027-01-23"}
    made = client.post("/api/v1/account-statements/", asked, content_type="application/json", headers={"Idempotency-Key": "k"})
    assert made.status_code == 201
    content = client.get(f"/api/v1/account-statements/{made.json()['id']}/").json()["content"]
    assert content["totals"]["total_fen"] == 3000 and [each["what"] for each in content["lines"]] == ["clawback", "repaid"]
