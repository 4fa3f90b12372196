"""Promised results whose instrument is out of service: which they are, the day that could be promised instead, and moving them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from booking.models import SampleDay, SampleJob, SampleStepTaken
from booking.queries.promises import promises_at_risk
from booking.rules.downtime import DowntimeKind
from booking.rules.sample_days import works_again_on
from booking.services import downtimes, sample_promises
from booking.services.downtimes import Outage
from config.kernel.access import Role
from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.models import AuditEntry
from config.kernel.time_range import TimeRange
from instruments.models import Membership, Notice, Organisation, TestItem
from tests.booking.samples.conftest import Work, make_item
from tests.booking.samples.test_jobs import refused, violations
from tests.concurrency.world import add_instrument

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 30), date(2026, 12, 1), date(2026, 12, 2)


@pytest.fixture
def work(cast, programmes):
    """Ten samples a day, three workdays after they come, on the cast's instrument."""
    made = Work(cast, make_item(cast))
    TestItem.objects.get(pk=made.item.pk).instruments.add(cast.xrd)
    return made


def until(day: int, hour: int = 10, month: int = 11) -> TimeRange:
    """From Monday the 23rd at nine to then, in Shanghai."""
    return TimeRange(datetime(2026, 11, 23, 1, tzinfo=UTC), datetime(2026, month, day, hour - 8, tzinfo=UTC))


def at_risk(work: Work, during: TimeRange) -> list[tuple[Any, ...]]:
    found = promises_at_risk(work.cast.actor("wang"), work.cast.xrd, during, work.now)
    return [(one.job.pk, one.falls_due, one.samples_lost, one.suggested_on) for one in found.jobs]


def broken(work: Work, during: TimeRange, words: str = "Sorry!", words_en: str = "") -> int:
    outage = Outage(DowntimeKind.BREAKDOWN, during, "Tube", words, words_en)
    return downtimes.declare(work.cast.actor("wang"), work.cast.xrd.pk, outage, work.now, idempotency_key="outage").pk


def days_of(job: Any) -> list[tuple[date, int]]:
    return list(SampleDay.objects.filter(job=job).order_by("day").values_list("day", "samples"))


@pytest.mark.parametrize(("ends_at", "works_on"), [(until(30, 10).ends_at, TUESDAY), (until(30, 24).ends_at, TUESDAY)])
def test_on_the_day_on_which_it_ends_nothing_is_promised(ends_at, works_on):
    assert works_again_on(ends_at, ZoneInfo("Asia/Shanghai")) == works_on


def test_what_is_promised_or_measured_in_it_is_at_risk_and_nothing_else(cast, work):
    """Come on Wednesday, promised for Monday; fifteen more take Monday's rest and Tuesday, which the first one cannot have."""
    small, large = work.accept(work.ask(5)), work.accept(work.ask(15))
    assert (small.promised_on, large.promised_on) == (MONDAY, TUESDAY)
    later = work.accept(work.ask(2, arrive_on=date(2026, 12, 9)))
    assert at_risk(work, until(27)) == []
    assert at_risk(work, until(30)) == [(small.pk, True, 5, WEDNESDAY), (large.pk, False, 5, WEDNESDAY)]
    assert later.pk not in [pk for pk, *_said in at_risk(work, until(1, month=12))]
    assert [pk for pk, *_said in at_risk(work, until(14, month=12))] == [small.pk, large.pk, later.pk]


def test_a_request_is_shown_and_its_day_named_with_the_yes(work):
    asked = work.ask(5)
    assert at_risk(work, until(30)) == [(asked.pk, True, 5, None)]
    work.cast.lab.refresh_from_db()
    pk = broken(work, until(30))
    done = downtimes.move_promises(work.cast.actor("wang"), pk, {asked.pk: WEDNESDAY}, work.now)
    assert [reason.code for reason in done[asked.pk].reasons] == ["samples.promise_not_open"]


def test_what_is_tested_or_done_on_other_instruments_alone_is_not_at_risk(cast, work):
    done = work.accept(work.ask(5))
    work.come(done)
    work.step(done, "receive")
    work.step(done, "test")
    elsewhere = add_instrument(cast, "Twin")
    other = make_item(cast)
    TestItem.objects.get(pk=other.pk).instruments.add(elsewhere)
    job = work.ask(5, item=other)
    assert at_risk(work, until(30)) == []
    TestItem.objects.get(pk=other.pk).instruments.add(cast.xrd)
    found = promises_at_risk(cast.actor("wang"), cast.xrd, until(30), work.now).jobs
    assert [(one.job.pk, one.others) for one in found] == [(job.pk, (elsewhere,))]


def test_the_suggested_days_can_all_be_promised_one_after_the_other(work):
    """The control is the capacity: none is suggested a day that another one gets."""
    *jobs, _in_time = [work.accept(work.ask(count)) for count in (5, 10, 8, 4)]
    suggested = {pk: day for pk, _due, _lost, day in at_risk(work, until(1, month=12))}
    assert len(set(suggested.values())) > 1 and set(suggested) == {job.pk for job in jobs}
    pk = broken(work, until(1, month=12))
    done = downtimes.move_promises(work.cast.actor("wang"), pk, suggested, work.now)
    assert set(done.values()) == {None}
    assert {job.pk: work.again(job).promised_on for job in jobs} == suggested
    assert all(day > TUESDAY for job in jobs for day, _count in days_of(job))
    assert violations() == {}


def test_a_moved_promise_is_told_with_the_outages_words_and_stands_in_the_history(cast, work):
    job = work.accept(work.ask(5))
    cast.users["lin"].language = "en"
    cast.users["lin"].save()
    pk = broken(work, until(30), "抱歉", "We are sorry.")
    wang = cast.actor("wang")
    assert downtimes.move_promises(wang, pk, {job.pk: WEDNESDAY}, work.now) == {job.pk: None}
    assert downtimes.move_promises(wang, pk, {job.pk: WEDNESDAY}, work.now) == {}, "sent twice"
    told = Notice.objects.get(event="sample_job.promise_moved")
    assert told.user == cast.users["lin"]
    assert (told.params["promised_on"], told.params["before_on"]) == ("2026-12-02", "2026-11-30")
    assert "is out of service until" in told.params["reason"] and told.params["reason"].endswith("We are sorry.")
    step = SampleStepTaken.objects.get(job=job, action="promise")
    assert step.reason == told.params["reason"] and step.actor == cast.users["wang"]
    assert AuditEntry.objects.filter(action="sample_job.promise").count() == 1
    again = work.again(job)
    assert (again.promised_on, again.first_promised_on, days_of(job)) == (WEDNESDAY, MONDAY, [(TUESDAY, 5)])
    assert at_risk(work, until(30)) == [] and violations() == {}


def test_a_day_that_cannot_be_is_refused_and_the_others_are_moved(cast, work):
    small, large = work.accept(work.ask(5)), work.accept(work.ask(15))
    pk, wang = broken(work, until(30)), cast.actor("wang")
    done = downtimes.move_promises(wang, pk, {small.pk: MONDAY.replace(day=27), large.pk: WEDNESDAY}, work.now)
    assert [reason.code for reason in done[small.pk].reasons] == ["samples.promise_not_later"] and done[large.pk] is None
    crowded = downtimes.move_promises(wang, pk, {small.pk: TUESDAY}, work.now)[small.pk]
    assert [(one.code, one.params["earliest_on"]) for one in crowded.reasons] == [
        ("samples.promise_beyond_capacity", "2026-12-02")
    ]
    far = downtimes.move_promises(wang, pk, {small.pk: date(2099, 1, 1)}, work.now)[small.pk]
    assert [reason.code for reason in far.reasons] == ["samples.promise_too_far"]
    assert work.again(small).promised_on == MONDAY and violations() == {}


def test_work_that_has_begun_keeps_its_days(work):
    job = work.accept(work.ask(5))
    work.come(job)
    work.step(job, "receive")
    work.step(job, "prepare", [1])
    assert sample_promises.move(work.cast.actor("wang"), job.pk, WEDNESDAY, "Pump", work.now, works_on=TUESDAY)
    assert work.again(job).promised_on == WEDNESDAY and days_of(job) == [(MONDAY, 5)]


@pytest.mark.parametrize(("who", "error"), [("lin", Forbidden), ("he", NotFound)])
def test_only_the_lab_moves_its_promises(work, who, error):
    job = work.accept(work.ask(5))
    with pytest.raises(error):
        sample_promises.move(work.cast.actor(who), job.pk, WEDNESDAY, "Pump", work.now)
    with refused("samples.reason_missing"):
        sample_promises.move(work.cast.actor("wang"), job.pk, WEDNESDAY, " ", work.now)


def test_it_takes_as_many_statements_for_many_jobs_as_for_one(work):
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            at_risk(work, until(14, month=12))
        return len(captured)

    work.accept(work.ask(5))
    one = count()
    for _ in range(6):
        work.accept(work.ask(5))
    assert count() == one <= 8


def test_what_was_reported_is_promised_for_no_other_day(work):
    job = work.reported(3)
    with pytest.raises(Refusal, match="promise_not_open"):
        sample_promises.move(work.cast.actor("wang"), job.pk, date(2026, 12, 20), "Pump", work.now)


def test_an_outage_moves_no_promise_of_another_lab_of_the_same_manager(cast, work):
    job = work.accept(work.ask(5))
    pk = broken(work, until(30))
    elsewhere = Organisation.objects.create(name="Other", kind="owner", created_at=cast.now)
    SampleJob.objects.filter(pk=job.pk).update(lab=elsewhere)
    Membership.objects.create(user=cast.users["wang"], organisation=elsewhere, role=Role.LAB_MANAGER, created_at=cast.now)
    assert downtimes.move_promises(cast.actor("wang"), pk, {job.pk: WEDNESDAY}, work.now) == {}
    assert work.again(job).promised_on == MONDAY


def test_the_day_that_is_promised_already_is_not_counted_as_moved(work):
    job = work.accept(work.ask(5))
    pk = broken(work, until(30))
    assert downtimes.move_promises(work.cast.actor("wang"), pk, {job.pk: MONDAY}, work.now) == {}
    assert downtimes.move_promises(work.cast.actor("wang"), pk, {job.pk: WEDNESDAY}, work.now) == {job.pk: None}
    assert downtimes.move_promises(work.cast.actor("wang"), pk, {job.pk: WEDNESDAY}, work.now) == {}
