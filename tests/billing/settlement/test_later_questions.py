"""A version that takes over by the day of the charge and asks more than the promised one: told, answered until then, or said why not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from billing.settlement import reservation_figures
from billing.settlement.models import Charge, Quote
from billing.settlement.services import later_questions
from billing.settlement.services.replaying import replay_charges
from booking.models import Reservation
from booking.rules.answers import answers_with, known_answers
from booking.services import service_facts, transitions, usage_review
from config.kernel.errors import Refusal
from config.kernel.time_range import TimeRange
from tests.billing.services.conftest import Life
from tests.billing.settlement.test_choices import document
from tests.billing.settlement.test_questions import LICENSED, POWER, YES, answered, asks, needs
from tests.billing.vouchers.conftest import published
from tests.booking.samples.conftest import Work, make_item
from tests.programmes import put_in_force

__all__ = ["published"]
ASKED_AT = datetime(2026, 12, 28, 1, tzinfo=UTC)
DURING = TimeRange(datetime(2026, 12, 30, 1, tzinfo=UTC), datetime(2026, 12, 30, 3, tzinfo=UTC))
CHARGED_AT = datetime(2027, 1, 5, 1, tzinfo=UTC)


def of_year(year: int, basis: str = "invoice", **more: Any) -> dict[str, Any]:
    """40 % of the fee in the version of one year."""
    found = document(date_basis=basis, version=f"{year}.1", **more)
    days = {"first_day": f"{year}-01-01", "last_day": f"{year}-12-31"}
    return found | {"validity": found["validity"] | days}


def asking(year: int, basis: str = "invoice") -> dict[str, Any]:
    return of_year(year, basis, gates=[needs("other.licensed", **{"is": True})], asks=[asks("other.licensed")])


@pytest.fixture
def life(cast: Any, published: Any) -> Life:
    """Booked and approved under the version of 2026; that of 2027 asks for a licence."""
    published(of_year(2026))
    put_in_force(cast.actor("chen"), cast.actor("sun"), asking(2027), cast.now)
    cast.now = ASKED_AT
    return Life(cast)


def used(life: Life, row: Reservation) -> Reservation:
    transitions.check_in(life.cast.actor("wang"), row.pk, row.starts_at)
    transitions.check_out(life.cast.actor("wang"), row.pk, row.ends_at + timedelta(minutes=3))
    return Reservation.objects.get(pk=row.pk)


def charged(life: Life, row: Reservation) -> Charge:
    assert usage_review.agree(life.cast.actor("lin"), row.pk, CHARGED_AT)
    return Charge.objects.get(reservation=row)


def say(life: Life, row: Reservation, answers: str, who: str = "lin", at: datetime = CHARGED_AT) -> bool:
    before = Reservation.objects.get(pk=row.pk).service_facts
    return service_facts.correct(life.cast.actor(who), row.pk, replace(before, answers=answers), at)


def page(life: Life, row: Reservation, who: str = "lin") -> str:
    client = Client(headers={"accept-language": "en"})
    client.force_login(life.cast.users[who])
    return client.get(reverse("reservation_detail", args=[row.pk])).content.decode()


def test_what_a_later_version_asks_is_answered_after_the_promise_and_counts_with_the_charge(life: Life) -> None:
    row = used(life, life.approve(life.ask(DURING)))
    held = life.quote(row)
    assert say(life, row, YES.answers)
    assert life.quote(row).pk == held.pk  # nothing that is promised changes by it
    charge = charged(life, row)
    facts = charge.inputs["candidates"][0]["facts"]
    assert (charge.deducted_fen, facts["other"]) == (320_00, {"licensed": True})
    assert life.quote(row).revision == held.revision + 1
    assert {(each.differences, each.problem) for each in replay_charges()} == {((), "")}


def test_without_the_answer_nothing_is_given_and_the_booking_says_which_question_it_was(life: Life) -> None:
    row = used(life, life.approve(life.ask(DURING)))
    charge = charged(life, row)
    assert charge.deducted_fen == 0
    (lost,) = reservation_figures.money_of(life.cast.actor("lin"), row).lost
    assert [(each["code"], each["params"]["asks"]) for each in lost.reasons] == [("subsidy.unmet.fact_missing", LICENSED)]
    shown = page(life, row)
    assert LICENSED["en"] in shown and "another version of it counts" not in shown


def test_an_answer_of_the_old_version_stays_as_it_was_promised(cast: Any, published: Any) -> None:
    published(asking(2026))
    more = [needs("other.licensed", **{"is": True}), needs("other.power", at_least=300)]
    both = of_year(2027, gates=more, asks=[asks("other.licensed"), asks("other.power", "number", POWER)])
    put_in_force(cast.actor("chen"), cast.actor("sun"), both, cast.now)
    cast.now = ASKED_AT
    life = Life(cast)
    row = used(life, life.approve(life.ask(DURING, said=YES)))
    for changed in (answered(other__licensed=False), answered(other__licensed=False, other__power=300)):
        with pytest.raises(Refusal, match=r"facts\.money_held"):
            say(life, row, changed.answers)
    with pytest.raises(Refusal, match=r"answer_unfit\.number"):
        say(life, row, answered(other__licensed=True, other__power="lots").answers)
    with pytest.raises(Refusal, match=r"facts\.money_held"):
        say(life, row, answered(other__licensed=True, other__unasked=True).answers)
    assert say(life, row, answered(other__licensed=True, other__power=300).answers)
    Reservation.objects.filter(pk=row.pk).update(answers=answered(other__licensed=False, other__power=300).answers)
    charge = charged(life, row)
    facts = charge.inputs["candidates"][0]["facts"]["other"]
    assert (charge.deducted_fen, facts) == (320_00, {"licensed": True, "power": 300})


def test_the_page_says_to_both_sides_what_is_missing_and_lets_it_be_answered_until_the_use_is_agreed(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: CHARGED_AT)
    row = used(life, life.approve(life.ask(DURING)))
    sentence = "From Tue 5 Jan 2027 on another version of it counts, which also asks: Has the provider a licence?"
    for who in ("lin", "wang"):
        shown = page(life, row, who)
        assert shown.count(sentence) == 2  # with the booking, and where the use is agreed
        assert 'id="later-answer-other-licensed"' in shown and 'href="#facts"' in shown and 'id="facts" open' in shown
    client = Client(headers={"accept-language": "en"})
    client.force_login(life.cast.users["lin"])
    sent = {"purpose": "", "seen_answers": "", "answer-other.licensed": "yes"}
    assert client.post(reverse("reservation_facts", args=[row.pk]), sent).status_code == 302
    assert known_answers(Reservation.objects.get(pk=row.pk).answers) == {"other.licensed": "yes"}
    shown = page(life, row)
    assert sentence not in shown and "Has the provider a licence?: not answered → Yes" in shown
    assert "<dt>Has the provider a licence?</dt><dd>Yes</dd>" in shown
    assert charged(life, row).deducted_fen == 320_00
    with pytest.raises(Refusal, match=r"facts\.no_more"):
        say(life, row, "")


def test_nothing_is_asked_where_the_service_counts_or_the_version_begins_much_later_or_gave_nothing(
    cast: Any, published: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(of_year(2026, "service"))
    put_in_force(cast.actor("chen"), cast.actor("sun"), asking(2027, "service"), cast.now)
    far = {"code": "ZZ-1"}
    put_in_force(cast.actor("chen"), cast.actor("sun"), of_year(2026) | far, cast.now)
    put_in_force(cast.actor("chen"), cast.actor("sun"), asking(2027) | far, cast.now)
    never = needs("applicant.staff", at_least=10**6)
    put_in_force(cast.actor("chen"), cast.actor("sun"), of_year(2026, gates=[never]) | {"code": "ZZ-2"}, cast.now)
    put_in_force(cast.actor("chen"), cast.actor("sun"), asking(2027) | {"code": "ZZ-2"}, cast.now)
    life = Life(cast)
    early = life.approve(life.ask(TimeRange(cast.now + timedelta(days=1), cast.now + timedelta(days=1, hours=1))))
    quote = Quote.objects.filter(reservation=early).latest("revision")
    found = later_questions.coming(quote, datetime(2026, 12, 29, tzinfo=UTC))
    assert [each.programme.code for each in found] == ["ZZ-1"]
    monkeypatch.setattr(later_questions, "_SOON", timedelta(days=30))
    assert later_questions.coming(quote, cast.now) == ()


def test_a_request_is_told_what_the_version_of_the_approval_will_ask(cast: Any, published: Any) -> None:
    published(of_year(2026, "approval"))
    put_in_force(cast.actor("chen"), cast.actor("sun"), asking(2027, "approval"), cast.now)
    cast.now = ASKED_AT
    life = Life(cast)
    later = TimeRange(datetime(2027, 1, 20, 1, tzinfo=UTC), datetime(2027, 1, 20, 3, tzinfo=UTC))
    row = life.ask(later)
    (found,) = later_questions.coming(life.quote(row), cast.now)
    assert [each.question.fact for each in found.asked] == ["other.licensed"]
    assert say(life, row, YES.answers, at=cast.now)
    cast.now = datetime(2027, 1, 6, 1, tzinfo=UTC)
    life.approve(Reservation.objects.get(pk=row.pk))
    assert life.quote(row).deducted_fen == 320_00
    assert later_questions.coming(life.quote(row), cast.now) == ()


def test_of_a_test_too_what_was_answered_with_it_is_told_to_the_version_that_takes_over(cast: Any, published: Any) -> None:
    published(of_year(2026))
    put_in_force(cast.actor("chen"), cast.actor("sun"), asking(2027), cast.now)
    cast.now = ASKED_AT
    item = make_item(cast)
    work = Work(cast, item)
    job = work.accept(work.ask(3, answers=YES.answers, arrive_on=date(2026, 12, 30)))
    assert job.quotes.latest("revision").inputs["candidates"][0]["facts"].get("other") is None
    work.now = CHARGED_AT
    work.come(job)
    for step in ("receive", "test"):
        job = work.step(job, step)
    charge = Charge.objects.get(sample_job=work.close(work.report(job)))
    assert (charge.inputs["candidates"][0]["facts"]["other"], charge.deducted_fen) == ({"licensed": True}, 96_00)


def test_the_interface_names_what_is_asked_later_and_takes_the_answer(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: CHARGED_AT)
    row = used(life, life.approve(life.ask(DURING)))
    client = Client()
    client.force_login(life.cast.users["lin"])
    address = f"/api/v1/reservations/{row.pk}"
    (told,) = client.get(f"{address}/quote/").json()["asked_later"]
    assert (told["version"], told["date_basis"], told["from_on"]) == ("2027.1", "invoice", "2027-01-05")
    assert [(each["fact"], each["says"]) for each in told["questions"]] == [("other.licensed", [LICENSED])]
    sent = {"answers": {"other.licensed": True}}
    done = client.post(f"{address}/facts/", sent, content_type="application/json", headers={"Idempotency-Key": "a"})
    assert done.status_code == 200, done.content
    assert charged(life, row).deducted_fen == 320_00
    assert client.get(f"{address}/quote/").json()["asked_later"] == []
    stranger = Client()
    stranger.force_login(life.cast.users["he"])
    assert stranger.get(f"{address}/quote/").status_code == 404


def test_a_forms_boxes_take_the_place_of_what_was_said_of_the_same_and_leave_the_rest() -> None:
    before = '{"other.a":"yes","other.b":"3"}'
    assert (
        answers_with(before, {"answer-other.b": "", "answer-other.c": "no", "purpose": "x"}) == '{"other.a":"yes","other.c":"no"}'
    )
