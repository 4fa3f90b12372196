"""A paper names who made it and who released it: the two people of a run or of a proposal, not the second one as both."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from billing.bills import pdf as bill_pdf
from billing.bills import sheets as bill_sheets
from billing.bills.models import Bill
from billing.bills.services import issuing, proposing
from billing.bills.services.issuing import BillRequest
from billing.month.models import Draft
from billing.month.services import releasing, running
from billing.month.services.running import RunRequest
from billing.settlement import pdf, sheets
from billing.settlement.models import Statement
from billing.settlement.rules.series import Series
from billing.settlement.rules.statement import SIGNATURES
from billing.settlement.services import proposing as statement_proposals
from billing.settlement.services import statements
from billing.settlement.services.proposing import Asked
from config.kernel.access import Role
from instruments.models import Membership, User
from tests.billing.bills.conftest import NOVEMBER_30
from tests.billing.month.conftest import DECEMBER, NOVEMBER

pytestmark = pytest.mark.django_db


@pytest.fixture
def rui(cast):
    """Rui pays at the cast's office too."""
    user = User.objects.create(email="rui@example.org", full_name="Rui", password="!", language="en")
    Membership.objects.create(user=user, organisation=cast.office, role=Role.FINANCE, created_at=cast.now)
    cast.users["rui"] = user
    return cast.actor("rui")


def about(workbook: bytes) -> set[object]:
    """What stands on the last sheet of a workbook."""
    sheet = load_workbook(io.BytesIO(workbook)).worksheets[-1]
    return {row[1] for row in sheet.iter_rows(values_only=True)}


def signed(statement: Statement) -> tuple[str, ...]:
    return tuple(statement.content["signatures"][role] for role in SIGNATURES)


def released(maker, second, series):
    run, _ = running.make(maker, RunRequest(series, NOVEMBER), DECEMBER)
    releasing.hand_over(maker, run.pk, DECEMBER)
    releasing.release(second, run.pk, DECEMBER)
    releasing.work(run.pk, DECEMBER)
    return run


def test_a_bill_of_a_run_names_who_made_the_run_and_who_released_it(cast, two, bills):
    run = released(cast.actor("li"), cast.actor("mei"), bills)
    found = list(Bill.objects.all())
    assert found and {(bill.content["maker"], bill.content["reviewer"]) for bill in found} == {("Li", "Mei")}
    assert {bill.issued_by for bill in found} == {cast.users["mei"]} != {run.made_by}
    html = bill_pdf.render_html(found[0].content)
    assert html.index(">Li</span>") < html.index("复核人") < html.index(">Mei</span>")
    assert {"Li", "Mei"} <= about(bill_sheets.render_xlsx(found[0].content))


def test_a_statement_of_a_run_names_who_made_the_run_and_who_released_it(cast, two, rui):
    released(cast.actor("qian"), rui, Series())
    found = list(Statement.objects.all())
    assert found and {signed(each) for each in found} == {("Qian", "Rui", "", "", "")}
    html = pdf.render_html(found[0].content)
    assert html.index(">Qian</span>") < html.index("复核人") < html.index(">Rui</span>") < html.index("Approved by")
    assert {"Qian", "Rui"} <= about(sheets.render_xlsx(found[0].content))
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(cast.users["qian"])
    assert "Made by Qian, released by Rui." in client.get(f"/statements/{found[0].pk}/").content.decode()


def test_a_draft_that_the_second_person_looks_at_names_its_maker_and_no_reviewer_yet(cast, two, bills):
    run, _ = running.make(cast.actor("li"), RunRequest(bills, NOVEMBER), DECEMBER)
    client = Client()
    client.force_login(cast.users["mei"])
    for draft in Draft.objects.filter(run=run):
        html = client.get(reverse("month_draft_paper", args=[draft.pk])).content.decode()
        assert ">Li</span>" in html and "Mei" not in html and "复核人" not in html


def test_what_was_proposed_names_who_proposed_it_and_who_issued_it(cast, two, rui):
    asked = BillRequest(cast.lab.pk, cast.firm.pk, NOVEMBER_30)
    proposed = proposing.propose(cast.actor("li"), asked, DECEMBER)
    bill = proposing.issue(cast.actor("mei"), proposed.pk, DECEMBER)
    assert (bill.content["maker"], bill.content["reviewer"]) == ("Li", "Mei")
    whose = (two["DEMO-QH-V"].pk, cast.lab.pk, NOVEMBER)
    waiting = statement_proposals.propose(cast.actor("qian"), Asked(*whose), DECEMBER)
    statement = statement_proposals.issue(rui, waiting.pk, DECEMBER)
    assert signed(statement) == ("Qian", "Rui", "", "", "")


def test_who_issues_alone_is_the_maker_and_leaves_the_reviewer_to_the_paper(cast, two, settings):
    settings.SECOND_PERSON_FROM_FEN = 10**9
    bill = issuing.issue(cast.actor("li"), BillRequest(cast.lab.pk, cast.firm.pk, NOVEMBER_30), DECEMBER)
    assert bill.content["maker"] == "Li" and "reviewer" not in bill.content
    assert "复核人" not in bill_pdf.render_html(bill.content)
    statement = statements.issue(cast.actor("qian"), two["DEMO-QH-V"].pk, cast.lab.pk, NOVEMBER, DECEMBER + timedelta(hours=1))
    assert signed(statement) == ("Qian", "", "", "", "")


def test_two_people_of_one_name_are_two(cast, two, bills):
    User.objects.filter(pk=cast.users["mei"].pk).update(full_name="Li")
    released(cast.actor("li"), cast.actor("mei"), bills)
    assert {(bill.content["maker"], bill.content["reviewer"]) for bill in Bill.objects.all()} == {("Li", "Li")}
