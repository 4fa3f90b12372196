from __future__ import annotations

import pytest
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from billing.settlement.models import RenderState, Statement
from billing.settlement.services import rendering
from billing.subsidy.models import Programme
from instruments.models import Organisation
from tests.billing.settlement.conftest import DECEMBER


def query(cast, month):
    return f"?version={month['DEMO-QH-V'].pk}&payee={cast.lab.pk}&month=2026-11"


def form_of(page):
    """The fields of the form that issues."""
    import re

    html = page.content.decode()
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', html))


def issued(browser, cast, month):
    fields = form_of(browser.get(reverse("statement_issue") + query(cast, month)))
    return browser.post(reverse("statement_issue"), fields), fields


def test_the_month_lists_every_programme_and_payee_with_what_is_open(cast, month, browse):
    page = browse("qian").get(reverse("finance_period"))
    html = page.content.decode()
    assert page.status_code == 200
    assert "November 2026" in html or "Nov 2026" in html
    assert "Kunlun Institute" in html and "Lianhe Materials" in html
    assert html.count("Look and issue") == 2


def test_what_another_office_issues_is_not_offered(cast, month, browse):
    other = Organisation.objects.create(kind="government", name="Elsewhere", created_at=cast.now)
    Programme.objects.filter(code="DEMO-QH-V").update(issuer=other)
    assert browse("qian").get(reverse("finance_period")).content.decode().count("Look and issue") == 1
    assert browse("qian").get(reverse("statement_issue") + query(cast, month)).status_code == 404


def test_finance_looks_issues_and_lands_on_the_statement(cast, month, browse):
    browser = browse("qian")
    preview = browser.get(reverse("statement_issue") + query(cast, month))
    assert "R2026-" in preview.content.decode() and not Statement.objects.exists()
    answer, fields = issued(browser, cast, month)
    statement = Statement.objects.get()
    assert answer.status_code == 302 and answer.url == reverse("statement_detail", args=[statement.pk])
    assert (int(fields["lines"]), int(fields["total_fen"])) == (statement.line_count, statement.total_fen)
    page = browser.get(answer.url)
    assert statement.number in page.content.decode()
    assert "hx-trigger" in page.content.decode()


def test_two_clicks_make_one_statement(cast, month, browse):
    browser = browse("qian")
    first, fields = issued(browser, cast, month)
    second = browser.post(reverse("statement_issue"), fields)
    assert second.url == first.url
    assert Statement.objects.count() == 1


def test_without_the_same_key_a_second_click_finds_nothing_to_issue(cast, month, browse):
    browser = browse("qian")
    _, fields = issued(browser, cast, month)
    second = browser.post(reverse("statement_issue"), {**fields, "key": "another"})
    assert second.status_code == 422
    assert "nothing to issue" in second.content.decode()
    assert Statement.objects.count() == 1


def test_figures_that_changed_since_the_preview_are_shown_again(cast, month, browse):
    browser = browse("qian")
    fields = form_of(browser.get(reverse("statement_issue") + query(cast, month)))
    answer = browser.post(reverse("statement_issue"), {**fields, "total_fen": "1"})
    assert answer.status_code == 409
    assert "have changed since you looked" in answer.content.decode()
    assert form_of(answer)["total_fen"] == fields["total_fen"]
    assert not Statement.objects.exists()


@pytest.mark.parametrize("who", ["chen", "wu"])
def test_officers_and_inspectors_see_the_month_and_cannot_issue(cast, month, browse, who):
    browser = browse(who)
    page = browser.get(reverse("finance_period"))
    assert page.status_code == 200 and "Look and issue" not in page.content.decode()
    assert browser.get(reverse("statement_issue") + query(cast, month)).status_code == 403
    assert browser.post(reverse("statement_issue"), {"version": 1}).status_code == 403


@pytest.mark.parametrize("who", ["lin", "zhao", "wang", "li", "zhou"])
def test_others_do_not_see_the_month(month, browse, who):
    assert browse(who).get(reverse("finance_period")).status_code == 403


def test_visitors_are_led_to_log_in(client, db):
    for name in ("finance_period", "statement_issue", "statement_list"):
        assert client.get(reverse(name)).status_code == 302


def test_a_statement_is_read_by_its_payee_and_by_nobody_elses(cast, issue, browse):
    statement = issue()
    refund = issue("DEMO-QH-A", cast.other_firm)
    own = reverse("statement_detail", args=[statement.pk])
    assert browse("li").get(own).status_code == 200
    assert browse("he").get(reverse("statement_detail", args=[refund.pk])).status_code == 200
    for stranger in ("he", "zhao", "lin", "wang"):
        browser = browse(stranger)
        for name, args in (
            ("statement_detail", []), ("statement_progress", []), ("statement_download", ["pdf"]), ("statement_line", [1])
        ):  # fmt: skip
            assert browser.get(reverse(name, args=[statement.pk, *args])).status_code == 404, (stranger, name)
        assert browser.post(reverse("statement_retry", args=[statement.pk])).status_code in (403, 404)
    listed = browse("he").get(reverse("statement_list")).content.decode()
    assert refund.number in listed and statement.number not in listed


def test_a_download_is_the_stored_bytes_as_an_attachment(cast, issue, browse):
    statement = issue()
    rendering.render(statement.pk, DECEMBER)
    browser = browse("li")
    for kind in ("pdf", "xlsx"):
        answer = browser.get(reverse("statement_download", args=[statement.pk, kind]))
        assert answer.status_code == 200
        assert answer["Content-Disposition"] == f'attachment; filename="{statement.number}.{kind}"'
        assert answer["X-Content-Type-Options"] == "nosniff"
        again = browser.get(reverse("statement_download", args=[statement.pk, kind]))
        assert answer.content == again.content and len(answer.content) > 1000
    assert browser.get(reverse("statement_download", args=[statement.pk, "exe"])).status_code == 404


def test_a_document_that_is_not_ready_says_so(issue, browse):
    statement = issue()
    answer = browse("qian").get(reverse("statement_download", args=[statement.pk, "pdf"]))
    assert answer.status_code == 422 and "not ready yet" in answer.content.decode()


def test_progress_is_polled_until_the_documents_are_there(issue, browse):
    statement = issue()
    browser = browse("qian")
    address = reverse("statement_progress", args=[statement.pk])
    waiting = browser.get(address, headers={"hx-request": "true"}).content.decode()
    assert 'hx-trigger="every 3s"' in waiting and "Waiting for the worker" in waiting
    rendering.render(statement.pk, DECEMBER)
    ready = browser.get(address, headers={"hx-request": "true"}).content.decode()
    assert "hx-trigger" not in ready and reverse("statement_download", args=[statement.pk, "pdf"]) in ready
    assert browser.get(address).status_code == 302


def test_failed_documents_can_be_made_again_by_finance_only(issue, browse):
    statement = issue()
    ProcrastinateJob.objects.filter(args__statement_id=statement.pk)
    Statement.objects.update(render_state=RenderState.FAILED, render_error="statement.render_crashed")
    address = reverse("statement_detail", args=[statement.pk])
    assert "Try again</button>" not in browse("li").get(address).content.decode()
    browser = browse("qian")
    page = browser.get(address).content.decode()
    assert "The program that makes the PDF stopped" in page and "Try again</button>" in page
    assert browser.post(reverse("statement_retry", args=[statement.pk])).status_code == 302
    assert Statement.objects.get().render_state == RenderState.QUEUED
    assert browser.post(reverse("statement_retry", args=[statement.pk])).status_code == 422


def test_every_line_leads_to_its_working(issue, browse):
    statement = issue()
    browser = browse("li")
    address = reverse("statement_line", args=[statement.pk, 1])
    assert address in browser.get(reverse("statement_detail", args=[statement.pk])).content.decode()
    page = browser.get(address).content.decode()
    assert "40% of ¥1,200.00" in page and "Clause 5" in page
    assert browser.get(reverse("statement_line", args=[statement.pk, 99])).status_code == 404


@pytest.mark.parametrize(
    "bad",
    [
        "?month=2026-13",
        "?month=x",
        "?version=abc&payee=1&month=2026-11",
        "?version=9999999999999999999&month=2026-11",
        "?version=1&payee=1",
    ],
)
def test_addresses_made_up_by_hand_are_never_an_error_of_ours(month, browse, bad):
    browser = browse("qian")
    assert browser.get(reverse("statement_issue") + bad).status_code == 404
    assert browser.get(reverse("finance_period") + bad).status_code == 200
    assert browser.get(reverse("statement_list") + bad).status_code == 200


def test_the_month_costs_the_same_queries_however_much_happened(cast, month, issue, browse, django_assert_num_queries):
    from billing.settlement import queries

    actor = cast.actor("qian")
    queries.period_board(actor, DECEMBER.date().replace(month=11), DECEMBER)  # published documents are read once a process
    with django_assert_num_queries(2):
        queries.period_board(actor, DECEMBER.date().replace(month=11), DECEMBER)
    issue()
    with django_assert_num_queries(2):
        queries.period_board(actor, DECEMBER.date().replace(month=11), DECEMBER)


@pytest.mark.parametrize("month_text", ["0001-01", "9999-12", "9999-12-31", "1999-12", "0000-00", "2026-W01"])
def test_a_month_that_no_calendar_here_reaches_shows_the_usual_board_and_issues_nothing(cast, month, browse, month_text):
    browser = browse("qian")
    assert browser.get(reverse("finance_period"), {"month": month_text}).status_code == 200
    fields = {"version": month["DEMO-QH-V"].pk, "payee": cast.lab.pk, "month": month_text, "key": "k"}
    assert browser.get(reverse("statement_issue"), fields).status_code == 404
    assert browser.post(reverse("statement_issue"), fields).status_code == 404


@pytest.mark.parametrize("key", ["a\x00b", "\x00", "钥匙", "k" * 300, ""])
def test_a_form_whose_key_is_spoilt_is_refused_and_issues_nothing(cast, month, browse, key):
    browser = browse("qian")
    fields = form_of(browser.get(reverse("statement_issue") + query(cast, month)))
    assert browser.post(reverse("statement_issue"), fields | {"key": key}).status_code == 422
    assert not Statement.objects.exists()
