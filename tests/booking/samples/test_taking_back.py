"""A lab's answer to a request for the test of samples can be taken back for ten seconds, and is told after them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from billing.ledger.models import Transfer
from billing.ordering.services import sample_links
from booking.models import RequestDecision, SampleDay
from booking.queries import sample_inbox as inbox_queries
from booking.rules.deciding import UNDO, SampleRisk, Verdict
from booking.rules.sample_days import FURTHEST
from booking.services import decisions, sample_decisions, sample_inbox, sample_jobs, sample_promises
from booking.services.reject_reasons import Why
from booking.services.sample_inbox import Seen
from config.kernel.access import Role
from config.kernel.errors import Conflict, Forbidden, Refusal
from instruments.models import Membership, Organisation
from instruments.models import TestItem as ItemRow
from tests.booking.samples.conftest import commissioned
from tests.booking.usage.conftest import wrong
from tests.mailbox import mails

SECOND = timedelta(seconds=1)
NO_ROOM = Why("no_capacity")


@pytest.fixture
def subjects():
    """The subjects of the mails that wait for somebody, by address."""
    return lambda to: [one["subject"] for one in mails() if one["to"] == [to]]


def held() -> int:
    return Transfer.objects.filter(kind="hold", ends__isnull=True).count()


def days(job) -> list[tuple[date, int]]:
    return list(SampleDay.objects.filter(job=job).order_by("day").values_list("day", "samples"))


def answer(work, job, verdict) -> None:
    if verdict is Verdict.APPROVE:
        sample_inbox.accept(work.cast.actor("wang"), job.pk, work.now)
    else:
        sample_inbox.refuse(work.cast.actor("wang"), job.pk, NO_ROOM, work.now)


@pytest.mark.parametrize(("verdict", "words"), [(Verdict.APPROVE, "is accepted"), (Verdict.REJECT, "is not accepted")])
def test_the_customer_hears_of_an_answer_when_it_cannot_be_taken_back_any_more(work, subjects, verdict, words):
    job = work.ask()
    answer(work, job, verdict)
    decision = RequestDecision.objects.get()
    assert decision.sample_job_id == job.pk and decision.reservation_id is None
    assert not decisions.tell(decision.pk, work.now + UNDO - SECOND) and not subjects("lin@example.org")
    assert decisions.tell_due(work.now + UNDO) == 1 and decisions.tell_due(work.now + UNDO) == 0
    (told,) = subjects("lin@example.org")
    assert words in told


@pytest.mark.parametrize("verdict", list(Verdict))
def test_what_is_taken_back_waits_again_with_its_days_holds_nothing_and_was_never_told(work, subjects, verdict):
    job = work.ask(12)
    kept = days(job), job.promised_on
    answer(work, job, verdict)
    assert (held() > 0) is (verdict is Verdict.APPROVE)
    sample_decisions.take_back(work.cast.actor("wang"), job.pk, work.now + UNDO - SECOND)
    job = work.again(job)
    assert (job.state, days(job), job.promised_on) == ("asked", *kept) and held() == 0 and wrong() == {}
    assert decisions.tell_due(work.now + timedelta(hours=1)) == 0 and not subjects("lin@example.org")
    job = work.accept(job)
    assert job.state == "accepted" and held() > 0 and wrong() == {}
    assert subjects("lin@example.org")


def test_a_day_that_the_lab_named_goes_with_its_yes(work):
    job = work.ask()
    later = job.promised_on + timedelta(days=7)
    sample_inbox.accept(work.cast.actor("wang"), job.pk, work.now, Seen(later))
    assert work.again(job).promised_on == later
    sample_decisions.take_back(work.cast.actor("wang"), job.pk, work.now)
    assert work.again(job).promised_on == job.promised_on


def test_samples_that_came_too_late_wait_again_for_the_day_that_they_had(work):
    job = work.ask(12)
    kept = days(job)
    work.later(days=5)
    answer(work, job, Verdict.APPROVE)
    assert days(job) != kept
    sample_decisions.take_back(work.cast.actor("wang"), job.pk, work.now)
    assert days(job) == kept and work.again(job).promised_on == job.promised_on and wrong() == {}


def test_it_is_too_late_after_ten_seconds_and_only_who_answered_takes_back(work):
    job = work.ask()
    lab, wu = work.cast.lab, work.cast.users["wu"]
    Membership.objects.create(user=wu, organisation=lab, role=Role.LAB_MANAGER, created_at=work.now)
    answer(work, job, Verdict.APPROVE)
    with pytest.raises(Forbidden, match=r"decision\.not_yours"):
        sample_decisions.take_back(work.cast.actor("wu"), job.pk, work.now)
    with pytest.raises(Refusal, match=r"decision\.told"):
        sample_decisions.take_back(work.cast.actor("wang"), job.pk, work.now + UNDO)
    assert work.again(job).state == "accepted"


def test_days_that_others_were_promised_meanwhile_are_not_taken_from_them(work):
    job = work.ask(10)
    before = days(job)
    answer(work, job, Verdict.REJECT)
    other = work.ask(10)
    assert days(other) == before
    with pytest.raises(Conflict, match=r"samples\.days_given"):
        sample_decisions.take_back(work.cast.actor("wang"), job.pk, work.now)
    assert work.again(job).state == "refused" and wrong() == {}


def test_what_the_customer_built_on_is_not_taken_back(work):
    job = work.ask()
    answer(work, job, Verdict.APPROVE)
    work.propose(job)
    with pytest.raises(Refusal, match=r"samples\.gone_on"):
        sample_decisions.take_back(work.cast.actor("wang"), job.pk, work.now)
    received = work.ask()
    answer(work, received, Verdict.APPROVE)
    work.step(received, "receive", [1])
    with pytest.raises(Refusal, match=r"samples\.gone_on"):
        sample_decisions.take_back(work.cast.actor("wang"), received.pk, work.now)


def test_who_calls_an_accepted_job_off_at_once_is_told_of_that_alone(work, subjects):
    job = work.ask()
    answer(work, job, Verdict.APPROVE)
    sample_jobs.cancel(work.cast.actor("lin"), job.pk, "", work.now)
    assert decisions.tell_due(work.now + UNDO) == 1
    assert not [told for told in subjects("lin@example.org") if "is accepted" in told]
    with pytest.raises(Refusal):
        sample_decisions.take_back(work.cast.actor("wang"), job.pk, work.now)


def test_a_refusal_under_an_order_is_told_at_once(cast, work, subjects):
    sheet = commissioned(cast, work.item, 5_000)
    job = work.ask()
    sample_links.link(cast.actor("lin"), sheet, job.pk, work.now)
    sample_inbox.refuse(cast.actor("wang"), job.pk, NO_ROOM, work.now)
    assert not RequestDecision.objects.exists() and any("is not accepted" in told for told in subjects("lin@example.org"))
    with pytest.raises(Refusal, match=r"decision\.told"):
        sample_decisions.take_back(cast.actor("wang"), job.pk, work.now)


def test_many_are_answered_each_by_itself_and_what_cannot_be_says_why(work):
    first, gone, last = work.ask(), work.ask(), work.ask()
    sample_jobs.cancel(work.cast.actor("lin"), gone.pk, "", work.now)
    seen = {last.pk: Seen(last.promised_on + timedelta(days=1))}
    found = sample_inbox.decide_all(
        work.cast.actor("wang"), [first.pk, gone.pk, last.pk, first.pk], Verdict.APPROVE, Why(), work.now, seen=seen
    )
    assert [(one.pk, one.refusal is None) for one in found] == [(first.pk, True), (gone.pk, False), (last.pk, True)]
    assert found[1].refusal is not None and found[1].refusal.reasons[0].code == "samples.illegal_step"
    assert work.again(last).promised_on == last.promised_on + timedelta(days=1)
    back = sample_inbox.take_back_all(work.cast.actor("wang"), [first.pk, last.pk], work.now)
    assert not any(one.refusal for one in back) and work.again(first).state == work.again(last).state == "asked"


def test_many_are_not_refused_without_a_reason(work):
    job = work.ask()
    with pytest.raises(Refusal, match=r"booking\.reason_missing"):
        sample_inbox.decide_all(work.cast.actor("wang"), [job.pk], Verdict.REJECT, Why(), work.now, seen={})
    with pytest.raises(Refusal, match=r"decision\.none_chosen"):
        sample_inbox.decide_all(work.cast.actor("wang"), [], Verdict.APPROVE, Why(), work.now, seen={})
    assert work.again(job).state == "asked"


def test_the_inbox_says_what_deserves_a_second_look_in_the_order_of_arrival(work, django_assert_num_queries):
    later, soon = work.ask(arrive_on=date(2026, 11, 27), hazards="HF"), work.ask(arrive_on=date(2026, 11, 25))
    wang = work.cast.actor("wang")
    with django_assert_num_queries(4):
        found = inbox_queries.inbox(wang, work.now)
    assert [one.job.pk for one in found.rows] == [soon.pk, later.pk] and found.total == 2
    assert SampleRisk.FIRST_TIME in found.rows[0].risks and SampleRisk.HAZARDS in found.rows[1].risks
    assert not found.rows[0].overdue
    work.later(days=20)
    (first, _second) = inbox_queries.inbox(wang, work.now).rows
    assert first.overdue and SampleRisk.DAY_PASSED in first.risks
    answer(work, soon, Verdict.REJECT)
    assert [one.job.pk for one in inbox_queries.inbox(wang, work.now, page=9).rows] == [later.pk]
    assert not inbox_queries.inbox(work.cast.actor("lin"), work.now).rows


def test_a_lab_that_measures_less_by_now_takes_its_answer_back_all_the_same(work):
    job = work.ask(10)
    answer(work, job, Verdict.REJECT)
    ItemRow.objects.filter(pk=work.item.pk).update(daily_capacity=5)
    sample_decisions.take_back(work.cast.actor("wang"), job.pk, work.now)
    assert work.again(job).state == "asked"


def test_a_yes_whose_day_the_customer_was_told_to_be_another_is_not_taken_back(work, subjects):
    job = work.ask()
    answer(work, job, Verdict.APPROVE)
    sample_promises.move(work.cast.actor("wang"), job.pk, job.promised_on + timedelta(days=7), "Pump", work.now)
    assert any("later day" in told for told in subjects("lin@example.org"))
    with pytest.raises(Refusal, match=r"samples\.gone_on"):
        sample_decisions.take_back(work.cast.actor("wang"), job.pk, work.now)
    assert work.again(job).state == "accepted"


def test_a_day_that_must_be_a_slip_is_not_promised(work):
    job = work.ask()
    last = job.arrive_on + FURTHEST
    with pytest.raises(Refusal, match=r"samples\.promise_too_far"):
        sample_inbox.accept(work.cast.actor("wang"), job.pk, work.now, Seen(last + timedelta(days=1)))
    assert work.again(job).state == "asked"
    sample_inbox.accept(work.cast.actor("wang"), job.pk, work.now, Seen(last))
    assert work.again(job).promised_on == last


def test_a_job_of_a_suspended_organisation_is_not_accepted_and_can_be_refused(work):
    job = work.ask()
    Organisation.objects.filter(pk=work.cast.firm.pk).update(status="suspended")
    with pytest.raises(Refusal, match=r"booking\.customer_suspended"):
        sample_inbox.accept(work.cast.actor("wang"), job.pk, work.now)
    assert work.again(job).state == "asked" and held() == 0
    answer(work, job, Verdict.REJECT)
    assert work.again(job).state == "refused"
