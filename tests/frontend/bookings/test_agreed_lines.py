"""What a signed commission says besides time and tests, on the pages of its sessions, of its sample jobs and of the sheet itself."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from billing.ordering.models import CommissionSheet
from billing.ordering.rules.lines import LineInput
from billing.ordering.services import quotations, sample_links, sheets
from billing.ordering.services.quotations import QuotationInput
from billing.settlement.extra_models import SessionExtra
from booking.models import SampleExtra
from booking.services import enquiries, transitions
from booking.services.enquiries import Question
from tests.billing.services.conftest import Life
from tests.booking.samples.conftest import Work, make_item
from tests.conftest import slot_of

pytestmark = pytest.mark.django_db


def text(response: Any) -> str:
    return response.content.decode()


def signed(cast: Any, *lines: LineInput) -> CommissionSheet:
    lin, wang, now = cast.actor("lin"), cast.actor("wang"), cast.now
    question = Question(cast.firm.pk, "Salts", "How much?", cast.xrd.pk)
    thread = enquiries.ask(lin, question, (), now, idempotency_key=str(uuid4())).pk
    offer = QuotationInput("Salts", slot_of(9, 11).starts_at.date(), lines)
    quotation = quotations.draft(wang, thread, offer, now, idempotency_key=str(uuid4())).pk
    quotations.send(wang, quotation, "", now)
    pk = quotations.accept(lin, quotation, None, now, idempotency_key=str(uuid4())).pk
    sheet = sheets.issue(wang, pk, now)
    sheets.sign(wang, pk, sheet.content_sha256, now)
    return sheets.sign(cast.actor("zhao"), pk, sheet.content_sha256, now)


TRANSLATION = LineInput("other", "1", None, "Report translation", "piece", 300_00)
ARGON = LineInput("other", "6", None, "Argon", "piece", 20_00)


def test_the_lab_charges_with_one_press_what_both_signed_for_and_the_sheet_says_where(
    as_: Any, cast: Any, programmes: Any
) -> None:
    sheet, life = signed(cast, TRANSLATION, ARGON), Life(cast)
    booked = life.approve(life.ask(slot_of(9, 11)))
    sheets.link(cast.actor("wang"), sheet.pk, booked.pk, cast.now)
    page = f"/bookings/{booked.pk}/"
    assert "Charge as agreed" not in text(as_("wang").get(page)), "it has not begun"
    transitions.check_in(cast.actor("wang"), booked.pk, booked.starts_at)
    shown = text(as_("wang").get(page))
    assert shown.count("Charge as agreed") == 2 and sheet.number in shown
    assert "Charge as agreed" not in text(as_("lin").get(page))
    place = f"/commissions/{sheet.pk}/charge/"
    form = {"reservation": booked.pk, "line": 1, "quantity": "1"}
    answer = as_("wang").post(place, form, follow=True)
    assert answer.redirect_chain[0][0].startswith(page) and "Charged as agreed." in text(answer)
    assert text(answer).count("Charge as agreed") == 1
    extra = SessionExtra.objects.get()
    assert (extra.words, extra.amount_fen, extra.state) == ("Report translation", 300_00, "agreed")
    customer = text(as_("lin").get(page))
    assert f'as agreed in <a href="/commissions/{sheet.pk}/">{sheet.number}</a>' in customer
    assert "signed for by Zhao" in customer and f"/bookings/extras/{extra.pk}/" not in customer

    beyond = as_("wang").post(place, form | {"line": 2, "quantity": "7"})
    assert beyond.status_code == 422 and "6 of it is left" in text(beyond)
    for kept in ("x", ""):
        assert as_("wang").post(place, form | {"line": kept}).status_code == 422
    assert as_("wang").post(place, form | {"reservation": "x"}).status_code == 404
    as_("wang").post(place, form | {"line": 2, "quantity": "2"})

    both = text(as_("lin").get(f"/commissions/{sheet.pk}/"))
    assert (
        "1 of 1 × piece charged" in both
        and "2 of 6 × piece charged" in both
        and "2 for ¥40.00" in both
        and "4 not charged" in both
    )
    assert f'href="{page}#extras">{booked.reference}</a>' in both
    mine = text(as_("wang").get(f"/commissions/{sheet.pk}/"))
    assert "One line for other things is not charged yet" in mine
    taken_back = as_("wang").post(f"/bookings/extras/{extra.pk}/withdraw", follow=True)
    assert text(taken_back).count("Charge as agreed") == 2
    as_("wang").post(f"/commissions/{sheet.pk}/finish/")
    assert "is not charged any more" in text(as_("lin").get(f"/commissions/{sheet.pk}/"))
    assert "Charge as agreed" not in text(as_("wang").get(page))


def test_a_sheet_that_was_called_off_says_that_none_of_it_is_charged(as_: Any, cast: Any, programmes: Any) -> None:
    lin, wang, now = cast.actor("lin"), cast.actor("wang"), cast.now
    thread = enquiries.ask(lin, Question(cast.firm.pk, "Salts", "?", cast.xrd.pk), (), now, idempotency_key="t").pk
    offer = QuotationInput("Salts", slot_of(9, 11).starts_at.date(), (TRANSLATION,))
    quotation = quotations.draft(wang, thread, offer, now, idempotency_key="q").pk
    quotations.send(wang, quotation, "", now)
    pk = quotations.accept(lin, quotation, None, now, idempotency_key="a").pk
    place = f"/commissions/{pk}/"
    assert 'id="others"' not in text(as_("lin").get(place))
    sheets.cancel(lin, pk, "No time", now)
    assert "called off: none of this is charged" in text(as_("lin").get(place))


def test_a_sample_jobs_page_offers_the_same(as_: Any, cast: Any, programmes: Any) -> None:
    item = make_item(cast)
    work = Work(cast, item)
    sheet = signed(cast, LineInput("test", "9", item.pk, "", "sample", 70_00), TRANSLATION)
    job = work.ask()
    sample_links.link(cast.actor("lin"), sheet.pk, job.pk, cast.now)
    work.accept(job)
    page = f"/samples/{job.pk}/"
    assert "Charge as agreed" in text(as_("wang").get(page)) and "Charge as agreed" not in text(as_("lin").get(page))
    form = {"sample_job": job.pk, "line": 2, "quantity": "1"}
    answer = as_("wang").post(f"/commissions/{sheet.pk}/charge/", form, follow=True)
    assert answer.redirect_chain[0][0].startswith(page) and "Charged as agreed." in text(answer)
    assert "Charge as agreed" not in text(answer)
    extra = SampleExtra.objects.get()
    assert (extra.words, extra.state) == ("Report translation", "agreed")
    assert f'as agreed in <a href="/commissions/{sheet.pk}/">' in text(as_("lin").get(page))
    refused = as_("wang").post(f"/commissions/{sheet.pk}/charge/", form)
    assert refused.status_code == 422 and "0 of it is left" in text(refused)
    as_("wang").post(f"/samples/extras/{extra.pk}/withdraw/")
    assert "Charge as agreed" in text(as_("wang").get(page))
