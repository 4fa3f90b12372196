"""What became of settlement statements: issued, taken back, paid and failed are four sums, on their pages, the list, the table, the API and
the board."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from billing.claims.services import clawbacks, paying
from billing.month.board import board
from billing.month.paid_out import came_of
from billing.month.rules.came_of import CameOf, ClaimSums
from billing.month.rules.came_of import came_of as amounts
from billing.settlement.models import Statement
from billing.settlement.rules.series import Series
from billing.settlement.services import statements
from tests.billing.claims.conftest import DECEMBER, PUBLIC_OVER, office
from tests.billing.settlement.conftest import NOVEMBER, begins_with_month, month

__all__ = ["begins_with_month", "month", "office"]


def test_what_a_claim_was_paid_is_shared_between_its_statements_each_fen_once():
    found = amounts({1: 100, 2: 200, 3: 50}, {3: 50}, [ClaimSums({1: 100, 2: 200, 0: 1}, 200, 101), ClaimSums({9: 5}, 5, 0)])
    assert found == {1: CameOf(100, 0, 66, 34), 2: CameOf(200, 0, 133, 67), 3: CameOf(50, 50)}


@pytest.fixture
def stated(cast, office):
    """The statement of a refund, on a claim that is listed: one payer paid, the other's transfer did not arrive."""
    version = office.versions["DEMO-QH-A"]
    made = statements.issue(cast.actor("qian"), version.pk, cast.other_firm.pk, NOVEMBER, DECEMBER)
    batch, claim = office.approved()
    province, prefecture = office.listed(batch)
    office.pay(province.lines.get())
    office.pay(prefecture.lines.get(), 0, "account closed")
    return made, batch, claim, province.total_fen, prefecture.total_fen


def sums(made: Statement) -> CameOf:
    return came_of(Statement.objects.filter(pk=made.pk))[made.pk]


def test_paid_failed_and_taken_back_stand_apart(cast, office, stated):
    made, batch, claim, province, prefecture = stated
    assert province + prefecture == made.total_fen
    assert sums(made) == CameOf(made.total_fen, 0, province, prefecture)
    (again,) = paying.make(cast.actor("qian"), batch.pk, PUBLIC_OVER)
    assert sums(made) == CameOf(made.total_fen, 0, province, 0)  # it waits for the treasury again
    for who in ("chen", "sun"):
        paying.sign(cast.actor(who), again.pk, PUBLIC_OVER)
    office.pay_all([again])
    assert sums(made) == CameOf(made.total_fen, 0, made.total_fen, 0)
    clawbacks.recheck(cast.actor("chen"), claim.pk, {1: 12_34}, "counted twice", PUBLIC_OVER)
    assert sums(made) == CameOf(made.total_fen, 12_34, made.total_fen, 0)


def test_page_list_table_api_and_board_say_the_same_four_sums(cast, stated):
    made, _batch, _claim, province, prefecture = stated
    browser = Client(headers={"Accept-Language": "en"})
    browser.force_login(cast.users["qian"])
    page = browser.get(reverse("statement_detail", args=[made.pk])).content.decode()
    listed = browser.get(reverse("statement_list")).content.decode()
    table = browser.get(reverse("statement_list") + "?format=csv").content.decode("utf-8-sig")
    assert "What became of it" in page and "Payment failed" in listed
    yuan = [f"{fen / 100:.2f}" for fen in (made.total_fen, 0, province, prefecture)]
    assert table.splitlines()[1].split(",")[4:] == yuan
    said = browser.get(f"/api/v1/statements/{made.pk}/").json()
    assert said["came_of"] == {"taken_back_fen": 0, "paid_fen": province, "failed_fen": prefecture}
    assert browser.get("/api/v1/statements/").json()["results"][0]["came_of"] == said["came_of"]
    issuer = made.programme_version.programme.issuer_id
    stages = {each.code: each for each in board(cast.actor("qian"), Series(office_id=issuer), NOVEMBER, PUBLIC_OVER).stages}
    assert (stages["paid"].count, stages["paid"].fen) == (0, province)
    assert (stages["payment_failed"].count, stages["payment_failed"].fen) == (1, prefecture)
    assert "taken_back" not in stages
