"""One month of a lab closed by two people of its finance, in the browser and by the worker: from use that is not agreed to a closed
month, with every number drilled to its sessions in two clicks."""

from __future__ import annotations

import io
import re
import zipfile

import pytest
from django.urls import reverse

from billing.bills.models import Bill
from billing.models import DraftLine, DraftRun, MonthExport
from billing.month.services import exporting, releasing
from booking.models import Reservation
from booking.services import reservations, transitions, usage_review
from booking.services.reservations import ReservationRequest
from tests.agreeing import customer_of
from tests.billing.bills.conftest import wrong
from tests.billing.month.conftest import DECEMBER, begins_with_month, bills, cheap_paper, month, two
from tests.conftest import slot_of
from tests.frontend.finance.conftest import browse, december

__all__ = ["begins_with_month", "bills", "browse", "cheap_paper", "december", "month", "two"]

pytestmark = pytest.mark.django_db
BOARD = reverse("month_board")


def hidden(page):
    """The fields of the last form of a page."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.content.decode()))


def leads_to(page, words):
    """The address behind the link with these words."""
    found = re.search(rf'<a href="([^"]+)"[^>]*>{words}</a>', page.content.decode())
    assert found, words
    return found[1].replace("&amp;", "&")


def left_unagreed(cast):
    """A session that ended in November and whose customer has not agreed yet."""
    during = slot_of(16, 18, 4)
    request = ReservationRequest(cast.xrd.pk, cast.firm.pk, during, "self_operated", "late")
    pk = reservations.reserve(cast.actor("lin"), request, cast.now, idempotency_key="late").reservation_id
    transitions.approve(cast.actor("wang"), pk, cast.now)
    transitions.check_in(cast.actor("wang"), pk, during.starts_at)
    transitions.check_out(cast.actor("wang"), pk, during.ends_at, "")
    return pk


def test_two_people_close_a_month_and_what_is_agreed_later_goes_to_the_next(
    cast, two, browse, bills, django_assert_max_num_queries
):
    late = left_unagreed(cast)
    li, mei = browse("li"), browse("mei")
    page = li.get(BOARD + "?month=2026-11")
    # Use that is not agreed: one click to the session.
    waiting = li.get(leads_to(page, "Use that is not agreed"))
    assert reverse("reservation_detail", args=[late]) in waiting.content.decode()
    # The dry run writes nothing; making it leads to the grid, whose drafts lead to their sessions.
    query = f"?series={bills.key}&month=2026-11"
    look = li.get(reverse("month_prepare") + query)
    assert not DraftRun.objects.exists() and "holds" in look.content.decode()
    made = li.post(reverse("month_prepare"), hidden(look))
    run = DraftRun.objects.get()
    assert made.url == reverse("month_run", args=[run.pk])
    grid = li.get(leads_to(li.get(BOARD + "?month=2026-11"), "Drafts under review"))
    draft = li.get(leads_to(grid, "Gaoyuan Lithium"))
    line = DraftLine.objects.filter(draft__party=cast.firm).first()
    assert reverse("reservation_detail", args=[line.charge.reservation_id]) in draft.content.decode()
    # A line is left out without a reason: no; with one: yes, and undone.
    hold = reverse("month_line", args=[line.pk])
    assert "Write why" in li.post(hold, {"how": "postpone", "reason": " "}, follow=True).content.decode()
    assert "postponed to" in li.post(hold, {"how": "postpone", "reason": "asked to"}, follow=True).content.decode()
    assert "Take in again" not in li.post(hold, {"how": "take_in"}, follow=True).content.decode()
    # Li hands over and cannot release; Mei sends it back, gets it again and releases.
    move = reverse("month_run_move", args=[run.pk])
    for who, what, says in (
        (li, {"move": "hand_over"}, "somebody else has to release"),
        (li, {"move": "release"}, "somebody else has to release"),
        (mei, {"move": "send_back", "reason": "look again"}, "Sent back"),
        (li, {"move": "hand_over"}, "Handed over"),
        (mei, {"move": "release"}, "Released"),
    ):
        assert says in who.post(move, what, follow=True).content.decode()
    releasing.work(run.pk, DECEMBER)
    done = mei.get(reverse("month_run", args=[run.pk]) + "?show=issued").content.decode()
    assert "2 issued, 0 still to issue" in done and all(bill.number in done for bill in Bill.objects.all())
    board = mei.get(BOARD + "?month=2026-11")
    assert Bill.objects.first().number in mei.get(leads_to(board, "Issued")).content.decode()
    # Exported: asked for, left, done by the worker, downloaded.
    asked = mei.post(reverse("month_export_start"), {"series": bills.key, "month": "2026-11"})
    export = MonthExport.objects.get()
    assert asked.url == reverse("month_export", args=[export.pk]) and "0 of 2 documents" in mei.get(asked.url).content.decode()
    exporting.work(export.pk, DECEMBER)
    assert "2 of 2 documents" in li.get(asked.url).content.decode()
    archive = li.get(reverse("month_export_file", args=[export.pk]))
    assert len(zipfile.ZipFile(io.BytesIO(archive.content)).namelist()) == 5
    assert li.get(reverse("bill_evidence", args=[Bill.objects.first().pk])).status_code == 200
    # Constant queries, whatever is in the month.
    for address, most in ((BOARD + "?month=2026-11", 30), (reverse("month_run", args=[run.pk]), 14)):
        with django_assert_max_num_queries(most):
            assert li.get(address).status_code == 200
    # Closed by one of them. What is agreed afterwards is in December's drafts, as of a prior period.
    closed = mei.post(reverse("month_close"), {"series": bills.key, "month": "2026-11"}, follow=True).content.decode()
    assert "The month is closed with 2 documents." in closed
    assert (
        "closed already"
        in li.post(reverse("month_close"), {"series": bills.key, "month": "2026-11"}, follow=True).content.decode()
    )
    assert "closed already" in li.get(reverse("month_prepare") + query, follow=True).content.decode()
    assert usage_review.agree(customer_of(late), late, DECEMBER)
    assert Reservation.objects.get(pk=late).state == "agreed"
    again = li.get(reverse("bill_issue") + f"?owner={cast.lab.pk}&customer={cast.firm.pk}&until=2026-12-01").content.decode()
    assert "prior period" in again
    assert wrong() == {}


def test_who_is_not_finance_sees_no_month_and_nobody_another_labs(cast, two, browse, bills):
    run_page = reverse("month_prepare") + f"?series={bills.key}&month=2026-11"
    assert browse("zhao").get(BOARD).status_code == 403
    assert browse("qian").get(run_page).status_code == 403
    assert browse("qian").get(BOARD + f"?series={bills.key}").status_code == 404
    assert browse("qian").get(BOARD).status_code == 200 and browse("wu").get(BOARD).status_code == 200
    unread = browse("li").get(BOARD + "?month=abc").content.decode()
    assert "cannot be read" in unread and "from use to money" in unread
    assert browse("li").post(reverse("month_close"), {"series": bills.key, "month": "abc"}).status_code == 422
    for bad in ("bills:x", "bills:99999", "orders"):
        assert browse("li").get(BOARD + f"?series={bad}").status_code == 404
