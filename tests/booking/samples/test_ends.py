"""How a sample job comes to an end: nothing keeps days or money for ever, nothing is objected to for ever."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from booking.models import SampleDay, SampleStepTaken
from booking.queries import samples as queries
from booking.rules.samples import JobState, Remains, has_lapsed
from booking.services import sample_jobs, sample_lapses, sample_reports, sample_steps
from tests.booking.samples.test_jobs import WEDNESDAY, held_fen, news, refused, violations


@pytest.mark.parametrize(
    ("state", "days", "over"),
    [("asked", 7, False), ("asked", 8, True), ("accepted", 14, False), ("accepted", 15, True), ("received", 99, False)],
)
def test_a_job_lapses_the_day_after_its_last_one(state, days, over):
    assert has_lapsed(JobState(state), WEDNESDAY, WEDNESDAY + timedelta(days=days)) is over


def test_what_nobody_answers_or_sends_ends_by_itself_after_a_word(work):
    asked, unsent, here = work.ask(), work.accept(work.ask()), work.step(work.accept(work.ask()), "receive", [1])
    assert sample_lapses.end_due(work.now) == sample_lapses.remind_due(work.now) == 0
    work.later(days=9)  # a week after the samples should have come a slow lab could still accept
    assert (
        sample_lapses.end_due(work.now) == 0
        and queries.may(work.cast.actor("wang"), queries.job_for(work.cast.actor("wang"), asked.pk)).accept
    )
    work.later(days=1)
    assert [sample_lapses.end_due(work.now) for _ in range(2)] == [1, 0]
    assert work.again(asked).state == "cancelled" and not SampleDay.objects.filter(job=asked).exists()
    assert news("lin", asked)[-1] == "lapsed_to_customer" and news("wang", asked)[-1] == "lapsed_to_lab"
    assert [sample_lapses.remind_due(work.now) for _ in range(2)] == [1, 0]
    assert news("lin", unsent)[-1] == "unsent" and "unsent" not in news("lin", here)
    before = held_fen()
    work.later(days=7)
    assert sample_lapses.end_due(work.now) == 1 and 0 < held_fen() < before
    assert (work.again(unsent).state, work.again(here).state) == ("cancelled", "accepted")
    assert violations() == {}


def test_unanswered_samples_of_a_customer_keep_only_so_many_days(work):
    work.ask(300)
    with refused("samples.too_many_waiting"):
        work.ask(201)
    assert work.ask(200).state == "asked"


def test_objections_are_heard_twice_and_then_the_job_closes_when_it_is_due(work):
    job, lin = work.reported(), work.cast.actor("lin")
    for _ in range(2):
        assert queries.may(lin, job).object
        sample_reports.object_to(lin, job.pk, "Sample 2 is missing.", work.now)
        job = work.report(job)
    assert not queries.may(lin, job).object
    with refused("samples.too_many_objections"):
        sample_reports.object_to(lin, job.pk, "Still.", work.now)
    work.later(days=8)
    assert sample_reports.close_due(work.now) == 1


def test_an_objection_stays_with_the_lab_until_it_reports(work):
    from instruments.models import Notice

    job = work.reported()
    sample_reports.object_to(work.cast.actor("lin"), job.pk, "Sample 2 is missing.", work.now)
    open_to = Notice.objects.filter(event="sample_job.objected", needs_action=True)
    work.step(job, "take_back", [1])
    work.propose(job)
    assert open_to.exists()
    work.step(job, "test", [1])
    work.report(job)
    assert not open_to.exists()


def test_one_sample_at_the_lab_is_enough_to_ask_what_becomes_of_it(work):
    job = work.step(work.accept(work.ask()), "receive", [1])
    lin, wang = work.cast.actor("lin"), work.cast.actor("wang")
    assert not queries.may(lin, job).cancel and queries.may(wang, job).cancel
    sample_jobs.cancel(wang, job.pk, "The instrument broke.", work.now)
    job = work.again(job)
    assert queries.may(wang, job).keep_remains
    sample = job.samples.get(position=1)
    sample_steps.set_remains(wang, [sample.pk], Remains.KEPT, work.now, kept_until=date(2026, 12, 31))
    assert job.samples.get(position=1).remains == "kept"


def test_why_a_sample_is_unfit_is_read_with_it_and_gone_when_taken_back(work, django_assert_num_queries):
    job = work.step(work.accept(work.ask()), "receive")
    work.step(job, "find_unfit", [1], "Dried out.")
    lin = work.cast.actor("lin")
    with django_assert_num_queries(5):
        shown = [(each.position, each.reason) for each in queries.job_for(lin, job.pk).samples.all()]
    assert shown == [(1, "Dried out."), (2, ""), (3, "")]
    work.step(job, "take_back", [1])
    assert [each.reason for each in queries.job_for(lin, job.pk).samples.all()] == ["", "", ""]
    assert SampleStepTaken.objects.filter(reason="Dried out.").count() == 1
