"""A claw-back notice asks for nothing any more once its claim is rejected or withdrawn, or its line is left out: the check, the page, the
list and the API say so."""

from __future__ import annotations

import pytest
from django.test import Client

from billing.claims import clawback_queries
from billing.claims.pdf import render_html
from billing.claims.rules.repaying import NoticeState
from billing.claims.rules.totals import Standing
from billing.claims.services import clawbacks, reviewing
from billing.papers import checking
from billing.papers.codes import KEY
from billing.papers.rules.status import Status
from instruments.models import Notice
from tests.billing.claims.conftest import AFTER, PUBLIC_OVER, wrong

pytestmark = pytest.mark.django_db


@pytest.fixture
def disputed(cast, office):
    """A claim under review, and the notice of a dispute about its first line."""
    batch, (claim,) = office.filled()
    office.submit(claim, "he")
    office.close(batch)
    return claim, clawbacks.dispute(cast.actor("chen"), claim.pk, 1, 100, "The use was shorter.", AFTER)


def test_a_notice_from_before_the_approval_names_no_day_by_which_to_pay(cast, office, disputed):
    _claim, notice = disputed
    assert notice.due_on is None and notice.content["repay"]["due_on"] == ""
    paper = render_html(notice.content)
    assert "Nothing is to be paid while the claim is not approved" in paper and "Pay back by" not in paper
    shown = page(cast, f"/clawbacks/{notice.pk}/")
    assert "Pay back by" not in shown and "overdue" not in shown
    assert Notice.objects.filter(event="claim.clawback_later").exists()
    assert not Notice.objects.filter(event="claim.clawback").exists()


def test_a_notice_after_the_approval_names_the_day(cast, office):
    _batch, claim = office.approved()
    notice = clawbacks.dispute(cast.actor("chen"), claim.pk, 1, 100, "The use was shorter.", PUBLIC_OVER)
    assert notice.due_on is not None and notice.content["repay"]["due_on"] == notice.due_on.isoformat()
    assert "Pay back by" in render_html(notice.content)
    assert Notice.objects.filter(event="claim.clawback").exists()


def where(cast, notice):
    """State and open amount on the page, and what the public check says."""
    standing = clawback_queries.standing(clawback_queries.notice_for(cast.actor("he"), notice.pk))
    return standing.state, standing.open_fen, checking.by_code(notice.content[KEY]["code"]).facts.status


def page(cast, path):
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(cast.users["he"])
    return client.get(path).content.decode().split("<main")[1]


def test_the_notice_of_a_claim_that_was_rejected_asks_for_nothing(cast, disputed):
    claim, notice = disputed
    assert where(cast, notice) == (NoticeState.OPEN, 100, Status.VALID)
    assert notice.number in page(cast, "/clawbacks/")
    reviewing.reject(cast.actor("chen"), claim.pk, "no", AFTER)
    assert where(cast, notice) == (NoticeState.ENDED, 0, Status.ENDED)
    html = page(cast, f"/clawbacks/{notice.pk}/")
    assert "No longer asked back" in html and "nothing is paid back" in html and "Pay back by" not in html
    assert notice.number not in page(cast, "/clawbacks/") and notice.number in page(cast, "/clawbacks/?all=1")
    checked = Client(headers={"Accept-Language": "en"}).get(f"/verify/{notice.content[KEY]['code']}/").content.decode()
    assert "No longer open" in checked and wrong() == {}


def test_the_notice_about_a_line_asks_for_nothing_while_the_line_is_left_out(cast, disputed):
    claim, notice = disputed
    reviewing.set_line(cast.actor("chen"), claim.pk, 1, Standing.EXCLUDED, "not eligible", AFTER)
    assert where(cast, notice) == (NoticeState.ENDED, 0, Status.ENDED)
