"""What a lab promised about samples and did not keep is told once: an answer within its working days, a result on its day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from booking.models import SampleStepTaken
from booking.services import sample_jobs, sample_overdue, sample_reports
from config.kernel.access import Role
from instruments.models import Membership, Notice, Organisation, User
from instruments.rules.answer_time import due_at
from instruments.services.answer_time import zone_of_owner
from tests.booking.samples.conftest import REPORT
from tests.booking.samples.test_jobs import violations


def told(event):
    return set(Notice.objects.filter(event=f"sample_job.{event}").values_list("user__email", flat=True))


def still_needs(event):
    return Notice.objects.filter(event=f"sample_job.{event}", needs_action=True).exists()


@pytest.fixture
def head(cast):
    """The head of the lab's institution, who manages nothing."""
    person = User.objects.create(email="head@example.org", full_name="Head", password="!", language="en")
    Membership.objects.create(user=person, organisation=cast.lab, role=Role.FIRM_ADMIN, created_at=cast.now)
    return person


def promised(work, workdays=2):
    Organisation.objects.filter(pk=work.cast.lab.pk).update(answer_workdays=workdays)
    return due_at(work.now, workdays, zone_of_owner(work.cast.lab.pk))


def test_a_request_that_waits_longer_than_promised_is_told_once_to_all_who_can_do_something(work, head):
    due, job = promised(work), work.ask(arrive_on=date(2026, 12, 2))
    assert sample_overdue.escalate_due(due - timedelta(seconds=1)) == 0 and told("overdue") == set()
    assert (sample_overdue.escalate_due(due), sample_overdue.escalate_due(due + timedelta(days=1))) == (1, 0)
    assert (told("overdue"), told("overdue_for_heads")) == ({"wang@example.org"}, {"head@example.org"})
    assert Notice.objects.get(event="sample_job.overdue_for_heads").path == ""
    assert SampleStepTaken.objects.filter(job=job, action="overdue").count() == 1
    assert still_needs("overdue")
    work.accept(job)
    assert not still_needs("overdue") and violations() == {}


@pytest.mark.parametrize("answer", ["accept", "refuse", "cancel"])
def test_what_was_answered_or_cancelled_is_not_told(work, answer):
    due, job = promised(work), work.ask(arrive_on=date(2026, 12, 2))
    if answer == "accept":
        work.accept(job)
    elif answer == "refuse":
        sample_jobs.refuse(work.cast.actor("wang"), job.pk, "Full.", work.now)
    else:
        sample_jobs.cancel(work.cast.actor("lin"), job.pk, "", work.now)
    assert sample_overdue.escalate_due(due + timedelta(days=1)) == 0


def test_a_lab_with_a_longer_promise_is_not_told_earlier(work):
    long = promised(work, 5)
    work.ask(arrive_on=date(2026, 12, 2))
    assert sample_overdue.escalate_due(long - timedelta(seconds=1)) == 0
    assert sample_overdue.escalate_due(long) == 1


def in_lab(work, *steps):
    job = work.accept(work.ask())
    work.come(job)
    for step in steps:
        work.step(job, step)
    return work.again(job)


def after(job):
    """Noon in Shanghai on the day after the promised one."""
    return datetime.combine(job.promised_on + timedelta(days=1), time(4), UTC)


def test_a_promised_day_that_passed_without_a_report_is_told_once_to_both_sides(work):
    job = in_lab(work, "receive", "test")
    assert sample_overdue.tell_late(after(job) - timedelta(days=1)) == 0, "the day itself is not over"
    assert (sample_overdue.tell_late(after(job)), sample_overdue.tell_late(after(job))) == (1, 0)
    assert (told("late_to_lab"), told("late_to_customer")) == ({"wang@example.org"}, {"lin@example.org"})
    assert still_needs("late_to_lab")
    work.now = after(job)
    sample_reports.report(work.cast.actor("wang"), job.pk, REPORT, "", work.now)
    assert not still_needs("late_to_lab")


def test_who_reported_in_time_is_not_told_nor_again_after_an_objection(work):
    job = in_lab(work, "receive", "test")
    work.report(job)
    assert sample_overdue.tell_late(after(job)) == 0
    sample_reports.object_to(work.cast.actor("lin"), job.pk, "A page is missing.", work.now)
    assert sample_overdue.tell_late(after(job)) == 0


def test_samples_that_never_came_are_not_the_labs_delay(work):
    job = in_lab(work)
    assert sample_overdue.tell_late(after(job)) == 0
    work.step(job, "receive", places=[1])
    assert sample_overdue.tell_late(after(job)) == 0, "two of three are missing"
