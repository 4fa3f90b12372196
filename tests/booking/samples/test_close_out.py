"""The close-out of a sample job: report and retests by what happened, the grade with a second pair of eyes, the customer's rating."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from billing.settlement.models import Charge
from billing.settlement.services import sample_money
from billing.subsidy.rules.codec import assessment_to_json, differences
from booking import record_queries
from booking.models import CloseOut, SessionRating
from booking.queries import samples as queries
from booking.services import ratings, sample_close_out, sample_reports
from config.kernel.access import NOBODY
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from instruments.models import Membership, Organisation, User
from tests.booking.samples.test_jobs import violations

MANY = 10
"""Above the programme's minimum spend."""


@pytest.fixture
def second(cast):
    """Another manager of the cast's lab."""
    cast.users["ma"] = User.objects.create(email="ma@example.org", full_name="Ma", password="!", language="en")
    Membership.objects.create(user=cast.users["ma"], organisation=cast.lab, role="lab_manager", created_at=cast.now)
    return cast.actor("ma")


@pytest.fixture
def refunded(cast, work):
    """The firm as one that gets the later refund, which depends on the grade."""
    Organisation.objects.filter(pk=cast.firm.pk).update(staff_count=400, annual_revenue_fen=90_000_000_00)
    cast.firm.refresh_from_db()
    return work


def refused(code):
    return pytest.raises(Refusal, match=code.replace(".", r"\."))


def grade(work, job, given, note="", who="wang"):
    return sample_close_out.close(work.cast.actor(who), job.pk, given, note, work.now)


def confirmed(work, job, second, given):
    grade(work, job, given)
    sample_close_out.confirm_grade(second, job.pk, work.now)


def service(work, job):
    return queries.service_of(queries.job_for(work.cast.actor("wang"), job.pk))


def test_a_grade_on_which_money_depends_is_confirmed_by_a_second_person_before_the_charge(refunded, second):
    work, job = refunded, refunded.reported(MANY)
    grade(work, job, "C")
    assert queries.may(second, queries.job_for(second, job.pk)).confirm
    assert not queries.may(work.cast.actor("wang"), queries.job_for(work.cast.actor("wang"), job.pk)).confirm
    with refused("close_out.confirm_first"):
        work.close(job)
    assert sample_reports.close_due(work.now + timedelta(days=8)) == 0, "time waits for the second pair of eyes too"
    assert work.again(job).state == "reported"
    with refused("close_out.second_person"):
        sample_close_out.confirm_grade(work.cast.actor("wang"), job.pk, work.now)
    sample_close_out.confirm_grade(second, job.pk, work.now)
    assert work.close(job).state == "closed"
    charge = Charge.objects.get()
    assert {each["facts"]["quality"]["grade"] for each in charge.inputs["candidates"]} == {"C"}
    assert violations() == {}
    with refused("close_out.grade_fixed"):
        grade(work, job, "A")
    assert grade(work, job, "C", "A late note").note == "A late note"


def test_jobs_whose_grade_waits_do_not_keep_others_from_closing(refunded, second, monkeypatch):
    work = refunded
    waiting, beside = work.reported(MANY), work.reported(MANY)
    grade(work, waiting, "C")
    monkeypatch.setattr(sample_reports, "DUE_BATCH", 1)
    assert sample_reports.close_due(work.now + timedelta(days=8)) == 1
    assert (work.again(waiting).state, work.again(beside).state) == ("reported", "closed")


def test_the_grade_lowers_what_was_held_and_the_charge_can_be_computed_again(refunded, second):
    work = refunded
    work.close(work.reported(MANY))  # the bonus for a first use is gone
    job, beside = work.reported(MANY), work.reported(MANY)
    confirmed(work, job, second, "D")
    lowered = Charge.objects.get(sample_job=work.close(job))
    usual = Charge.objects.get(sample_job=work.close(beside))
    assert "D" not in {each["facts"].get("quality", {}).get("grade") for each in usual.inputs["candidates"]}, (
        "a job without a grade"
    )
    assert lowered.refunded_fen < usual.refunded_fen and lowered.gross_fen == usual.gross_fen
    for charge in (lowered, usual):
        again = assessment_to_json(sample_money.thaw(charge.inputs).assess())
        assert not list(differences(charge.result, again))


def test_a_better_grade_than_was_held_by_gives_no_more(refunded, second):
    work = refunded
    Organisation.objects.filter(pk=work.cast.lab.pk).update(quality_grade="C")
    work.close(work.reported(MANY))
    held, job = work.reported(MANY), work.reported(MANY)
    confirmed(work, job, second, "A")
    by_owner, better = (Charge.objects.get(sample_job=work.close(each)) for each in (held, job))
    assert better.refunded_fen == by_owner.refunded_fen > 0
    assert violations() == {}


def test_a_grade_that_nobody_confirmed_and_on_which_no_money_depends_holds_nothing_up(work, monkeypatch):
    monkeypatch.setattr(sample_money.SampleMoney, "quality_counts", lambda self, job: False)
    job = work.reported()
    grade(work, job, "D")
    assert work.close(job).state == "closed"
    assert "D" not in str([each["facts"] for each in Charge.objects.get().inputs["candidates"]])


def test_a_changed_grade_is_confirmed_anew_and_a_changed_note_is_not(work, second):
    job = work.reported()
    confirmed(work, job, second, "B")
    assert grade(work, job, "B", "tidy").confirmed_at is not None
    assert grade(work, job, "A").confirmed_at is None


def test_only_the_lab_grades_and_only_from_the_last_test_on(work):
    job = work.accept(work.ask())
    with refused("close_out.not_tested"):
        grade(work, job, "A")
    with refused("close_out.no_grade"):
        sample_close_out.confirm_grade(work.cast.actor("wang"), job.pk, work.now)
    work.come(job)
    work.step(job, "receive")
    work.step(job, "test")
    for who, error in (("lin", Forbidden), ("li", Forbidden), ("qian", Forbidden), ("he", NotFound)):
        with pytest.raises(error):
            grade(work, job, "A", who=who)
    for who, error in (("lin", Forbidden), ("qian", Forbidden), ("he", NotFound)):
        with pytest.raises(error):
            sample_close_out.confirm_grade(work.cast.actor(who), job.pk, work.now)
    with refused("close_out.grade_unknown"):
        grade(work, job, "E")
    assert not CloseOut.objects.exists()
    assert grade(work, job, "A").grade == "A"


def test_report_and_retests_follow_from_what_happened(work):
    job = work.accept(work.ask())
    work.come(job)
    work.step(job, "receive")
    work.step(job, "test")
    assert (service(work, job).on_time, service(work, job).retests) == (None, 0)
    work.answer(work.propose(job), "agree")
    work.answer(work.propose(job), "decline")
    work.report(job)
    first = service(work, job)
    assert (first.due_on, first.on_time, first.retests) == (job.promised_on, True, 1)
    work.later(days=30)
    work.report(job)
    assert service(work, job).reported_on == first.reported_on, "a mended report is not the first"


def test_the_first_report_after_the_promised_day_is_late(work):
    job = work.accept(work.ask())
    work.come(job)
    work.step(job, "receive")
    work.step(job, "test")
    work.later(days=10)
    work.report(job)
    assert service(work, job).on_time is False


def test_a_job_is_rated_once_it_is_closed_once_by_the_customer(work):
    job, lin = work.reported(), work.cast.actor("lin")
    with refused("rating.not_closed"):
        ratings.rate_samples(lin, job.pk, 4, "", work.now)
    work.close(job)
    assert queries.may(lin, queries.job_for(lin, job.pk)).rate
    for who, error in (("wang", Forbidden), ("li", Forbidden), ("he", NotFound)):
        with pytest.raises(error):
            ratings.rate_samples(work.cast.actor(who), job.pk, 5, "", work.now)
    with refused("rating.stars"):
        ratings.rate_samples(lin, job.pk, 6, "", work.now)
    rating = ratings.rate_samples(lin, job.pk, 4, " Clear. ", work.now)
    assert (rating.stars, rating.comment, rating.instrument_id) == (4, "Clear.", None)
    assert not queries.may(lin, queries.job_for(lin, job.pk)).rate
    with pytest.raises(Conflict, match=r"rating\.rated_already"):
        ratings.rate_samples(lin, job.pk, 5, "", work.now)


def test_the_rating_of_a_job_stands_at_its_test_until_the_operator_hides_it(work):
    job = work.close(work.reported())
    rating = ratings.rate_samples(work.cast.actor("lin"), job.pk, 2, "Slow", work.now)
    with pytest.raises(Forbidden):
        ratings.answer(work.cast.actor("lin"), rating.pk, "Sorry", work.now)
    assert ratings.answer(work.cast.actor("wang"), rating.pk, "Sorry", work.now).answer == "Sorry"
    public = record_queries.ratings_of_test(NOBODY, work.item)
    assert (public.count, public.average) == (1, 2.0)
    ratings.hide(work.cast.actor("zhou"), rating.pk, "Names a person.", work.now)
    assert record_queries.ratings_of_test(NOBODY, work.item).newest == []
    assert len(record_queries.ratings_of_test(work.cast.actor("lin"), work.item).newest) == 1
    assert len(record_queries.ratings_of_test(work.cast.actor("he"), work.item).newest) == 0
    assert record_queries.ratings_of(NOBODY, work.cast.xrd).count == 0


def test_ratings_of_a_test_that_is_not_published_are_not_public(work):
    rating = ratings.rate_samples(work.cast.actor("lin"), work.close(work.reported()).pk, 2, "Slow", work.now)
    work.item.published = False
    work.item.save()
    assert record_queries.ratings_of_test(NOBODY, work.item).count == 0
    with pytest.raises(NotFound):
        ratings.stands_at(NOBODY, rating.pk)


def test_the_database_knows_of_which_service_a_close_out_and_a_rating_are(work, second):
    job = work.close(work.reported())
    written = grade(work, job, "")
    rating = ratings.rate_samples(work.cast.actor("lin"), job.pk, 3, "", work.now)
    for rows, change in (
        (CloseOut.objects.filter(pk=written.pk), {"sample_job": None}),
        (CloseOut.objects.filter(pk=written.pk), {"retests": 1}),
        (SessionRating.objects.filter(pk=rating.pk), {"sample_job": None}),
        (SessionRating.objects.filter(pk=rating.pk), {"instrument": work.cast.xrd}),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**change)
