"""What became of a statement after its issue: what was taken back and by which paper, where it is claimed, its days of publicity."""

from __future__ import annotations

import copy
import io
from datetime import date

import pytest
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from billing.claims import pdf as claim_pdf
from billing.claims import sheets as claim_sheets
from billing.claims.services import clawbacks, publishing
from billing.papers import checking
from billing.papers.rules.status import Status
from billing.settlement import pdf, sheets, taken_back
from billing.settlement.services import statements
from tests.billing.claims.conftest import AFTER, DECEMBER, PUBLIC_OVER, at
from tests.billing.settlement.conftest import run_session
from tests.billing.settlement.test_documents import text_of
from tests.conftest import slot_of

pytestmark = pytest.mark.django_db
NOVEMBER = date(2026, 11, 1)


def stated(cast, office, now=DECEMBER):
    return statements.issue(cast.actor("qian"), office.versions["DEMO-QH-A"].pk, cast.other_firm.pk, NOVEMBER, now)


def page_of(cast, statement, who="qian"):
    browser = Client(headers={"accept-language": "en"})
    browser.cookies["django_language"] = "en"
    browser.force_login(cast.users[who])
    return browser.get(reverse("statement_detail", args=[statement.pk])).content.decode()


def test_what_is_taken_back_is_told_on_the_page_at_the_check_and_once_on_the_next_statement(cast, office, tmp_path):
    first = stated(cast, office)
    _batch, (claim,) = office.filled()
    office.submit(claim, "he")
    notice = clawbacks.dispute(cast.actor("chen"), claim.pk, 1, 5000, "half of it was not used", at(2))
    facts = checking.by_code(first.content["verify"]["code"]).facts
    assert (facts.status, facts.credited_fen, facts.credited_by) == (Status.CREDITED_IN_PART, 5000, (notice.number,))
    assert notice.number in Client().get(f"/verify/{first.content['verify']['code']}/").content.decode()
    for who in ("qian", "he"):
        page = page_of(cast, first, who)
        assert "Taken back since" in page and notice.number in page and "Dispute" in page and "¥50.00" in page
    run_session(cast, slot_of(9, 12, 3), "he", cast.other_firm)
    second = stated(cast, office, at(3))
    (told,) = second.content["taken_back"]
    assert (told["statement"], told["position"], told["papers"], told["amount_fen"]) == (first.number, 1, [notice.number], 5000)
    assert told["on"] == "2026-12-02" and second.total_fen == sum(line["awarded_fen"] for line in second.content["lines"])
    text = text_of(pdf.render_pdf(second.content), tmp_path, "-layout")
    assert first.number in text and notice.number in text and "2026-12-02" in text
    book = load_workbook(io.BytesIO(sheets.render_xlsx(second.content)))
    rows = [row for name in book.sheetnames for row in book[name].values]
    assert any(row[0] == f"{first.number} / 1" and row[4:6] == (notice.number, 50) for row in rows if len(row) > 5)
    page = page_of(cast, second)
    assert "Taken back of earlier statements" in page and "Taken back since" not in page
    # What stands on a statement is not told again; what comes back later is.
    later = clawbacks.dispute(cast.actor("chen"), claim.pk, 2, 100, "one yuan", at(4))
    run_session(cast, slot_of(9, 12, 4), "he", cast.other_firm)
    assert [each["papers"] for each in stated(cast, office, at(5)).content["taken_back"]] == [[later.number]]
    assert taken_back.untold(office.versions["DEMO-QH-V"].programme_id, cast.other_firm.pk, "refunded_later") == []


def test_a_statement_to_which_nothing_happened_says_nothing_of_it(cast, office):
    statement = stated(cast, office)
    assert "taken_back" not in statement.content
    facts = checking.by_code(statement.content["verify"]["code"]).facts
    assert (facts.status, facts.credited_by) == (Status.VALID, ())
    page = page_of(cast, statement)
    assert "Taken back" not in page and "2 lines stand on no claim." in page


def test_its_page_says_where_it_is_claimed_and_what_came_of_the_days_of_publicity(cast, office):
    statement = stated(cast, office)
    batch, (claim,) = office.filled()
    office.submit(claim, "he")
    page = page_of(cast, statement)
    assert batch.number in page and claim.number in page and "not public yet" in page and "no claim." not in page
    office.close(batch)
    office.passed(claim)
    publicity = office.publicise(batch)
    said = publishing.object_to(publicity.pk, claim.pk, "Zhang San", "139 0000", "This was never measured", AFTER)
    assert "not over" in page_of(cast, statement)
    publishing.answer(cast.actor("chen"), said.pk, False, "The log shows the use", AFTER)
    office.approve(claim, now=PUBLIC_OVER)
    for who in ("qian", "he"):
        page = page_of(cast, statement, who)
        assert "1 objection, 0 upheld" in page and "Zhang San" not in page


def test_a_payment_list_says_when_its_claims_were_public_and_what_came_of_it(cast, office, tmp_path):
    batch, _claim = office.approved()
    made = office.listed(batch)[0]
    assert made.content["batch"]["number"] == batch.number
    (line,) = made.content["lines"]
    public = line["publicity"]
    assert public["from_on"] == "2026-12-08" and public["over"] and (public["objections"], public["upheld"]) == (0, 0)
    text = "".join(text_of(claim_pdf.render_pdf_apart(made.content), tmp_path, "-raw").split())
    assert batch.number in text and "2026-12-08" in text and "无异议" in text
    book = load_workbook(io.BytesIO(claim_sheets.render_xlsx(made.content)))
    assert any("无异议" in str(cell) for row in book[book.sheetnames[0]].values for cell in row)
    old = copy.deepcopy(made.content)
    del old["lines"][0]["publicity"]
    assert "无异议" not in claim_pdf.render_html(old)  # a list of before is made as it was frozen


def test_the_printed_twin_and_the_claims_page_say_what_came_of_the_publicity(cast, office):
    made = stated(cast, office)
    browser = Client(headers={"accept-language": "en"})
    browser.cookies["django_language"] = "en"
    browser.force_login(cast.users["he"])

    def twin(address=f"/statements/{made.pk}/files/html"):
        return browser.get(address).content.decode()

    batch, (claim,) = office.filled()
    assert "Publicity since the issue" not in twin()
    office.submit(claim, "he")
    office.close(batch)
    office.passed(claim)
    publicity = office.publicise(batch)
    assert "Publicity since the issue" in twin() and claim.number in twin(f"/api/v1/statements/{made.pk}/html/")
    objection = publishing.object_to(publicity.pk, claim.pk, "Somebody", "139 0000", "This was never measured", AFTER)
    publishing.answer(cast.actor("chen"), objection.pk, False, "The log shows the use", AFTER)
    publishing.end_due(PUBLIC_OVER)
    since = twin().split("Publicity since the issue")[1]
    assert claim.number in since and "no part of the paper" in since and publicity.until_on.isoformat() in since
    assert "Publicity since the issue" not in pdf.render_html(made.content)
    assert "1 objection, 0 upheld" in browser.get(f"/claims/{claim.pk}/").content.decode()
