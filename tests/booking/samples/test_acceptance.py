"""What holds at the moment a lab accepts: its capacity today, the figures that were seen, and that two people say yes."""

from __future__ import annotations

from datetime import date

import pytest
from django.db.models import Sum

from billing.settlement import sample_figures
from billing.settlement.models import Award, Quote
from billing.settlement.services import sample_money, sample_quotes
from booking.models import SampleDay
from booking.ports import ExpectedFigures
from booking.queries import samples as queries
from booking.rules.sample_days import LATEST_ARRIVAL, require_arrival
from booking.services import sample_jobs
from config.kernel.access import Role
from config.kernel.errors import Conflict, Refusal
from instruments.models import Membership, Notice, TestItem
from tests.booking.samples.test_jobs import WEDNESDAY, news, refused, violations
from tests.price_publishing import publish_confirmed


def days_of(job):
    return list(SampleDay.objects.filter(job=job).order_by("day").values_list("day", "samples"))


@pytest.mark.parametrize(
    "day", [date(2026, 11, 22), date(2026, 11, 23) + LATEST_ARRIVAL + (WEDNESDAY - date(2026, 11, 24)), date.max]
)
def test_a_day_on_which_no_lab_expects_samples_is_refused(day):
    with refused("samples.arrival_out_of_range"):
        require_arrival(day, date(2026, 11, 23))


def test_the_last_day_there_is_is_refused_by_the_quote_too(work):
    lin = work.cast.actor("lin")
    with refused("samples.arrival_out_of_range"):
        sample_quotes.preview(lin, work.item.pk, work.cast.firm.pk, 1, 1, work.now, arrive_on=date.max)


def test_a_late_acceptance_promises_days_that_are_still_to_come(work):
    job = work.ask(10)
    work.later(days=9)  # Wednesday in the week after that of the arrival
    other = work.ask(10, arrive_on=date(2026, 12, 2))
    assert queries.promise_at_acceptance(job, work.now) == date(2026, 12, 8)
    with pytest.raises(Refusal) as caught:
        work.accept(work.ask(10, arrive_on=date(2026, 12, 2)), promised_on=date(2026, 12, 1))
    assert {reason.code for reason in caught.value.reasons} == {"samples.promise_too_early"}
    accepted = work.accept(job)
    assert accepted.promised_on == date(2026, 12, 9) and days_of(job) == [(date(2026, 12, 9), 10)]
    assert days_of(other) == [(date(2026, 12, 7), 10)] and violations() == {}


def test_a_sooner_day_is_promised_as_far_as_the_capacity_goes(work):
    first, second = work.ask(10), work.ask(10)
    assert work.accept(first, promised_on=WEDNESDAY).promised_on == WEDNESDAY
    assert days_of(first) == [(WEDNESDAY, 10)]
    with refused("samples.promise_beyond_capacity"):
        work.accept(second, promised_on=WEDNESDAY)
    assert days_of(second) == [(date(2026, 12, 1), 10)]
    assert max(SampleDay.objects.values("day").annotate(n=Sum("samples")).values_list("n", flat=True)) == 10
    assert violations() == {}


def test_a_lab_that_withdrew_its_turnaround_still_promises_no_sooner_than_it_can_measure(work):
    first, second = work.ask(10), work.ask(10)
    work.accept(first, promised_on=WEDNESDAY)
    TestItem.objects.update(turnaround_days=None)
    with refused("samples.promise_beyond_capacity"):
        work.accept(second, promised_on=WEDNESDAY)
    assert days_of(work.accept(second, promised_on=date(2026, 11, 26))) == [(date(2026, 11, 26), 10)] and violations() == {}


def test_a_quote_for_a_day_refuses_what_asking_would_and_one_without_a_day_only_says_the_price(work):
    lin, now = work.cast.actor("lin"), work.now

    def quoted(samples, **day):
        return sample_quotes.preview(lin, work.item.pk, work.cast.firm.pk, samples, 1, now, **day)

    assert quoted(3, arrive_on=WEDNESDAY).promised_on == date(2026, 11, 30) and quoted(4_000).promised_on is None
    with refused("samples.no_capacity"):
        quoted(4_000, arrive_on=WEDNESDAY)
    on = date(2026, 11, 23)
    publish_confirmed(work.cast.actor("wang"), work.item, "hour", 8_000, {}, on, now, on)
    assert quoted(3).assessment.gross_fen == 24_000
    with refused("samples.priced_by_time"):
        quoted(3, arrive_on=WEDNESDAY)


def test_samples_that_come_late_have_no_days_in_the_past_even_where_the_promise_stays(work):
    job = work.accept(work.ask(10), promised_on=date(2026, 12, 18))
    work.later(days=9)
    job = work.step(job, "receive")
    assert job.promised_on == date(2026, 12, 18) and days_of(job) == [(date(2026, 12, 7), 10)]


def test_what_counts_for_the_subsidy_is_the_day_on_which_the_samples_come(work):
    job = work.reported()
    work.close(job)
    quoted = set(Quote.objects.filter(sample_job=job).values_list("inputs__local_on", flat=True))
    assert quoted == {WEDNESDAY.isoformat()}
    assert set(Award.objects.values_list("service_on", flat=True)) == {WEDNESDAY}


# --- Figures are accepted as they were seen -----------------------------------------------------------------------------
def test_new_figures_are_accepted_as_they_were_seen_and_the_lab_hears_of_it(work):
    job, lin = work.ask(), work.cast.actor("lin")
    work.cast.firm.status = "claimed"
    work.cast.firm.save()
    with pytest.raises(Conflict, match="figures_changed"):
        work.accept(job)
    waiting = Quote.objects.filter(sample_job=job).latest("revision")
    with pytest.raises(Conflict, match="figures_differ"):
        sample_money.accept_quote(lin, job.pk, work.now, ExpectedFigures(1, 1))
    seen = ExpectedFigures(waiting.payable_now_fen, waiting.final_cost_fen)
    sample_money.accept_quote(lin, job.pk, work.now, seen)
    assert news("wang", job)[-1] == "figures_accepted"
    assert not Notice.objects.filter(event="sample_job.figures_changed", needs_action=True).exists()
    with pytest.raises(Conflict, match="figures_differ"):
        work.accept(job, expected=ExpectedFigures(1, 1))
    assert work.accept(job, expected=seen).state == "accepted"


def test_figures_wait_for_a_yes_only_while_the_lab_has_not_answered(work):
    job, lin = work.ask(), work.cast.actor("lin")
    work.cast.firm.status = "claimed"
    work.cast.firm.save()
    with pytest.raises(Conflict, match="figures_changed"):
        work.accept(job)
    assert sample_figures.figures_of(lin, [work.again(job)])[job.pk].waits
    sample_jobs.refuse(work.cast.actor("wang"), job.pk, "Too many.", work.now)
    assert not sample_figures.figures_of(lin, [work.again(job)])[job.pk].waits


def test_one_person_does_not_say_yes_for_both_sides(work):
    Membership.objects.create(
        user=work.cast.users["wang"], organisation=work.cast.firm, role=Role.RESEARCHER, created_at=work.now
    )
    job = work.ask()
    Quote.objects.filter(sample_job=job).update(accepted_by=work.cast.users["wang"])
    with refused("samples.own_figures"):
        work.accept(job)
    job = work.reported()
    assert not queries.may(work.cast.actor("wang"), job).close and queries.may(work.cast.actor("lin"), job).close
    with refused("samples.own_report"):
        work.close(job, who="wang")
    assert work.close(job).state == "closed"
