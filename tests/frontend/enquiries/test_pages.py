"""Pages of questions, quotations and commission sheets: for both sides, without JavaScript, and what was typed stays when it is refused."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from billing.ordering.models import CommissionSheet, Quotation
from booking.models import Enquiry, EnquiryAttachment, EnquiryMessage, Need
from booking.services import enquiries, reservations
from booking.services.enquiries import Question
from booking.services.reservations import ReservationRequest
from config.kernel.access import Role
from instruments.models import Membership

pytestmark = pytest.mark.django_db


def text(response: Any) -> str:
    return response.content.decode()


def key_of(response: Any) -> str:
    """The key in the page's form."""
    found = re.search(r'name="key" value="([0-9a-f-]{36})"', text(response))
    assert found
    return found[1]


@pytest.fixture
def thread(cast: Any) -> int:
    question = Question(cast.firm.pk, "Wet salts", "Can it measure wet salts?", cast.xrd.pk)
    return enquiries.ask(cast.actor("lin"), question, (), cast.now, idempotency_key=str(uuid4())).pk


def quotation_form(cast: Any, **changes: str) -> dict[str, str]:
    return {
        "key": str(uuid4()),
        "rows": "3",
        "title": "Phase analysis",
        "valid_until": "2026-12-20",
        "tax_note": "",
        "terms": "",
        "what-0": f"i:{cast.xrd.pk}",
        "quantity-0": "2",
        "what-2": "o:",
        "description-2": "Report",
        "quantity-2": "1",
        "unit-2": "piece",
        "price-2": "1,200.50",
    } | changes


def test_the_instruments_page_leads_to_the_lab_and_says_how_soon_it_answers(as_, cast):
    lin = as_("lin")
    assert f"/enquiries/new/?instrument={cast.xrd.pk}" in text(lin.get(f"/instruments/{cast.xrd.pk}/"))
    assert f"?instrument={cast.xrd.pk}" not in text(as_("wang").get(f"/instruments/{cast.xrd.pk}/"))
    page = lin.get(f"/enquiries/new/?instrument={cast.xrd.pk}")
    assert "Kunlun Institute answers within 1 working day." in text(page)
    assert as_().get(f"/enquiries/new/?instrument={cast.xrd.pk}").status_code == 302
    assert lin.get("/enquiries/new/").status_code == 404
    assert lin.get("/enquiries/new/?instrument=999999").status_code == 404


def test_a_question_with_a_file_is_asked_once_and_bad_input_is_kept(as_, cast):
    lin, url = as_("lin"), f"/enquiries/new/?instrument={cast.xrd.pk}"
    key = key_of(lin.get(url))
    typed = {"key": key, "organisation": cast.firm.pk, "subject": "Wet salts", "text": "Can it & how?"}
    refused = lin.post(url, typed | {"subject": "  "})
    assert refused.status_code == 422 and "Can it &amp; how?" in text(refused) and key in text(refused)
    bad = lin.post(url, typed | {"attachments": SimpleUploadedFile("a.exe", b"MZ")})
    assert bad.status_code == 422 and "a.exe is of a kind that is not taken" in text(bad)
    files = [SimpleUploadedFile("a.pdf", b"%PDF-1.4 a"), SimpleUploadedFile("b.csv", b"a,b\n")]
    first = lin.post(url, typed | {"attachments": files})
    assert first.status_code == 302 and EnquiryAttachment.objects.count() == 2
    files = [SimpleUploadedFile("a.pdf", b"%PDF-1.4 a"), SimpleUploadedFile("b.csv", b"a,b\n")]
    assert lin.post(url, typed | {"attachments": files})["Location"] == first["Location"]
    assert Enquiry.objects.count() == 1


def test_who_accounts_for_the_lab_finds_the_inbox_reads_a_thread_and_comes_back(as_, cast, thread):
    li = as_("li")
    inbox = text(li.get("/enquiries/inbox/"))
    assert f"/enquiries/{thread}/" in inbox and 'aria-current="page"' in inbox and "Promised answer time" not in inbox
    page = text(li.get(f"/enquiries/{thread}/"))
    assert "Questions to the lab" in page and "Send to the lab" not in page and 'name="text"' not in page
    assert "Promised answer time" in text(as_("wang").get("/enquiries/inbox/"))


def test_both_sides_see_the_thread_and_new_messages_are_marked_until_read(as_, cast, thread):
    wang, lin, he = as_("wang"), as_("lin"), as_("he")
    inbox = text(wang.get("/enquiries/inbox/"))
    assert "Wet salts" in inbox and ">New<" in inbox and "less than an hour" in inbox
    assert "Can it measure wet salts?" in text(wang.get(f"/enquiries/{thread}/"))
    assert ">New<" not in text(wang.get("/enquiries/inbox/"))
    key = key_of(wang.get(f"/enquiries/{thread}/"))
    empty = wang.post(f"/enquiries/{thread}/write/", {"key": key, "text": " "})
    assert empty.status_code == 422 and "Write something: the other side reads it." in text(empty)
    assert wang.post(f"/enquiries/{thread}/write/", {"key": key, "text": "Yes <b>it</b> can."}).status_code == 302
    assert ">New<" in text(lin.get("/enquiries/"))
    assert "Yes &lt;b&gt;it&lt;/b&gt; can." in text(lin.get(f"/enquiries/{thread}/"))
    assert he.get(f"/enquiries/{thread}/").status_code == 404
    assert "Wet salts" not in text(he.get("/enquiries/"))
    assert EnquiryMessage.objects.count() == 2


def test_what_is_overdue_says_so_to_the_lab(as_, cast, clock, thread):
    clock.now = cast.now + timedelta(days=1, hours=2)
    assert "Overdue: waits 1 working day 2 h" in text(as_("wang").get("/enquiries/inbox/"))


def test_a_closed_thread_takes_no_answer_and_the_customer_may_ask_on(as_, cast, thread):
    wang, lin = as_("wang"), as_("lin")
    assert wang.post(f"/enquiries/{thread}/close/").status_code == 302
    assert "This question is closed." in text(wang.get(f"/enquiries/{thread}/"))
    late = wang.post(f"/enquiries/{thread}/write/", {"key": str(uuid4()), "text": "x"})
    assert late.status_code == 422 and "cannot be done with the question any more" in text(late)
    assert lin.post(f"/enquiries/{thread}/write/", {"key": str(uuid4()), "text": "One more"}).status_code == 302


def test_the_lab_sets_its_promise(as_, cast):
    wang = as_("wang")
    assert "within 3 working days" in text(wang.post(f"/enquiries/answer-time/{cast.lab.pk}/", {"workdays": "3"}, follow=True))
    assert "Promise an answer within 1 to 30" in text(
        wang.post(f"/enquiries/answer-time/{cast.lab.pk}/", {"workdays": "x"}, follow=True)
    )


def test_a_need_is_put_to_labs_of_the_search_and_seen_together(as_, cast):
    lin = as_("lin")
    assert "/needs/new/?q=diffractometer" in text(lin.get("/search/?q=diffractometer"))
    page = lin.get("/needs/new/?q=diffractometer")
    assert "Kunlun Institute" in text(page) and 'value="diffractometer"' in text(page)
    typed = {"key": key_of(page), "organisation": cast.firm.pk, "subject": "XRD at 5 K", "text": "Who can?"}
    refused = lin.post("/needs/new/?q=diffractometer", typed)
    assert refused.status_code == 422 and "Choose at least one lab to ask." in text(refused)
    done = lin.post("/needs/new/?q=diffractometer", typed | {"labs": [cast.lab.pk]}, follow=True)
    assert "1 lab is asked." in text(done) and "Kunlun Institute" in text(done)
    need = Need.objects.get()
    assert as_("wang").get(f"/needs/{need.pk}/").status_code == 404
    assert as_("wang").get(f"/enquiries/{Enquiry.objects.get().pk}/").status_code == 200


def test_a_quotation_is_typed_in_rows_and_faults_stand_at_their_row(as_, cast, thread):
    wang, url = as_("wang"), f"/enquiries/{thread}/quotation/"
    page = text(wang.get(url))
    assert f'value="i:{cast.xrd.pk}" selected' in page
    refused = wang.post(url, quotation_form(cast, **{"quantity-2": "much", "price-2": "dear"}))
    assert refused.status_code == 422 and "Type an amount in yuan" in text(refused) and 'id="id_price-2_problem"' in text(refused)
    refused = wang.post(url, quotation_form(cast, **{"quantity-2": "much"}))
    assert 'id="id_quantity-2_problem"' in text(refused) and 'value="much"' in text(refused)
    more = wang.post(url, quotation_form(cast, more="1"))
    assert more.status_code == 200 and "what-5" in text(more) and "Report" in text(more) and not Quotation.objects.exists()
    assert wang.post(url, quotation_form(cast)).status_code == 302
    quotation = Quotation.objects.get()
    assert quotation.total_fen == 2 * 40_000 + 120_050
    assert as_("lin").get(f"/quotations/{quotation.pk}/").status_code == 404
    assert as_("lin").get(url).status_code == 403


def test_from_the_draft_to_a_sheet_that_both_sides_signed(as_, cast, thread):
    wang, lin, zhao = as_("wang"), as_("lin"), as_("zhao")
    wang.post(f"/enquiries/{thread}/quotation/", quotation_form(cast))
    pk = Quotation.objects.get().pk
    assert "Change the draft" in text(wang.get(f"/quotations/{pk}/"))
    assert wang.post(f"/quotations/{pk}/edit/", quotation_form(cast, **{"title": "Better"})).status_code == 302
    assert wang.post(f"/quotations/{pk}/send/", {"note": "Please look."}).status_code == 302
    page = lin.get(f"/quotations/{pk}/")
    assert "Accept for ¥2,000.50" in text(page) and "Better" in text(page)
    stale = lin.post(f"/quotations/{pk}/accept/", {"key": key_of(page), "total_fen": "1"})
    assert stale.status_code == 409 and "not what you looked at" in text(stale)
    accept = {"key": key_of(page), "total_fen": "200050"}
    sheet_url = lin.post(f"/quotations/{pk}/accept/", accept)["Location"]
    assert lin.post(f"/quotations/{pk}/accept/", accept)["Location"] == sheet_url
    again = zhao.post(f"/quotations/{pk}/accept/", {"key": str(uuid4()), "total_fen": "200050"})
    assert again.status_code == 422 and "cannot be done with the quotation any more" in text(again)
    sheet = CommissionSheet.objects.get()
    agreed = {"confidentiality": "results", "report_form": "paper", "sample_handling": "dispose", "terms": "Mind the acid."}
    assert lin.post(f"{sheet_url}edit/", agreed | {"report_form": "stone"}).status_code == 422
    assert lin.post(f"{sheet_url}edit/", agreed).status_code == 302
    assert "Issue for signing" not in text(lin.get(sheet_url))
    assert wang.post(f"{sheet_url}issue/").status_code == 302
    sheet.refresh_from_db()
    assert "An administrator of the firm signs" in text(lin.get(sheet_url))
    assert lin.post(f"{sheet_url}sign/", {"sha256": sheet.content_sha256}).status_code == 403
    assert zhao.post(f"{sheet_url}sign/", {"sha256": sheet.content_sha256}).status_code == 302
    empty = wang.post(f"{sheet_url}scan/")
    assert empty.status_code == 422
    scan = SimpleUploadedFile("sealed.pdf", b"%PDF-1.4 sealed")
    assert wang.post(f"{sheet_url}scan/", {"file": scan}).status_code == 302
    sheet.refresh_from_db()
    assert sheet.state == "in_force"
    assert wang.get(f"{sheet_url}scan/lab/").content == b"%PDF-1.4 sealed"
    assert "Signed by both sides" in text(as_("wu").get(sheet_url))
    for place in ("", "scan/lab/", "pdf/signed/"):
        assert as_("he").get(sheet_url + place).status_code == 404
    assert wang.post(f"{sheet_url}finish/").status_code == 302


def test_who_acts_on_both_sides_may_do_what_is_the_labs(as_, cast, thread):
    member = {"user": cast.users["wang"], "organisation": cast.firm, "role": Role.RESEARCHER, "created_at": cast.now}
    Membership.objects.create(**member)
    wang, lin = as_("wang"), as_("lin")
    wang.post(f"/enquiries/{thread}/quotation/", quotation_form(cast))
    pk = Quotation.objects.get().pk
    wang.post(f"/quotations/{pk}/send/")
    page = lin.get(f"/quotations/{pk}/")
    sheet_url = lin.post(f"/quotations/{pk}/accept/", {"key": key_of(page), "total_fen": "200050"})["Location"]
    assert "Issue for signing" in text(wang.get(sheet_url)) and "Issue for signing" not in text(lin.get(sheet_url))
    assert wang.post(f"{sheet_url}issue/").status_code == 302
    CommissionSheet.objects.update(state="in_force", in_force_at=cast.now)
    assert "Everything is done" in text(wang.get(sheet_url)) and "Everything is done" not in text(lin.get(sheet_url))


def test_a_pdf_that_nobody_makes_any_more_is_asked_for_again_on_the_page(as_, cast, thread):
    wang = as_("wang")
    wang.post(f"/enquiries/{thread}/quotation/", quotation_form(cast))
    pk = Quotation.objects.get().pk
    wang.post(f"/quotations/{pk}/send/")
    assert "Look again" in text(wang.get(f"/quotations/{pk}/"))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'failed' WHERE queueing_lock = %s", [f"quotation:{pk}"])
    page = text(wang.get(f"/quotations/{pk}/"))
    assert "Try again</button>" in page and 'hx-trigger="every' not in page
    assert wang.post(f"/quotations/{pk}/retry/").status_code == 302
    assert "Look again" in text(wang.get(f"/quotations/{pk}/"))


def test_a_refused_decline_keeps_the_page_and_a_reason_ends_it(as_, cast, thread):
    wang, lin = as_("wang"), as_("lin")
    wang.post(f"/enquiries/{thread}/quotation/", quotation_form(cast))
    pk = Quotation.objects.get().pk
    wang.post(f"/quotations/{pk}/send/")
    refused = lin.post(f"/quotations/{pk}/decline/", {"reason": ""})
    assert refused.status_code == 422 and "Give a reason: the lab reads it." in text(refused)
    assert "Declined" in text(lin.post(f"/quotations/{pk}/decline/", {"reason": "Too dear"}, follow=True))
    assert "Too dear" in text(wang.get(f"/quotations/{pk}/"))


@pytest.mark.parametrize(
    ("who", "path"), [("lin", "/enquiries/"), ("wang", "/enquiries/inbox/"), ("zhao", "/commissions/"), ("li", "/commissions/")]
)
def test_an_empty_list_says_what_will_stand_there(as_, cast, who, path):
    page = as_(who).get(path)
    assert page.status_code == 200 and 'class="empty"' in text(page)


def test_either_side_asks_about_a_booking_from_its_page(as_, cast, programmes, slot):
    asked = ReservationRequest(cast.xrd.pk, cast.firm.pk, slot(9, 11), "self_operated")
    pk = reservations.reserve(cast.actor("lin"), asked, cast.now, idempotency_key="booked").reservation_id
    address = f"/enquiries/new/?reservation={pk}"
    for who, words in (("lin", "Ask about this booking"), ("wang", "Ask the customer")):
        page = text(as_(who).get(f"/bookings/{pk}/"))
        assert words in page and f"?reservation={pk}" in page
    assert "Ask the customer" in text(as_("wang").get(f"/approvals/?selected={pk}"))
    for who in ("he", "li", "zhou"):
        assert as_(who).get(address).status_code == 404
    page = as_("wang").get(address)
    given = {"key": key_of(page), "organisation": cast.firm.pk, "subject": "Powder?", "text": "Is it dry?"}
    assert 'type="hidden" name="organisation"' in text(page) and cast.firm.name in text(page)
    kept = as_("wang").post(address, given | {"text": ""})
    assert kept.status_code == 422 and 'value="Powder?"' in text(kept)
    assert as_("wang").post(address, given).status_code == 302
    thread = Enquiry.objects.get()
    assert (thread.reservation_id, thread.state) == (pk, "answered")
    assert "Powder?" in text(as_("lin").get(f"/bookings/{pk}/"))
    shown = text(as_("lin").get(f"/enquiries/{thread.pk}/"))
    assert f'href="/bookings/{pk}/"' in shown and "Send to the lab" in shown
