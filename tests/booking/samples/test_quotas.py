"""A lab's quotas of samples and sample jobs hold for people and organisations, as those of hours do; and the project counts."""

from __future__ import annotations

from datetime import date

import pytest
from django.utils import translation

from billing.settlement.models import Quote
from booking.rules.quota import Counted, Measure, Period, Quota, Subject
from booking.services import policies, sample_jobs
from booking.services.policies import Scope
from config.kernel.errors import Refusal
from config.kernel.messages import reason_sentence
from tests.booking.services.test_reservation_flow import ask as book

QUOTAS = [
    {"subject": "organisation", "measure": "samples", "period": "week", "most": 5},
    {"subject": "person", "measure": "jobs", "period": "ahead", "most": 2},
    {"subject": "person", "measure": "minutes", "period": "week", "most": 600},
]


def test_samples_and_jobs_are_counted_where_they_are_expected_and_what_was_called_off_is_not(work, cast, slot):
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"quotas": QUOTAS}, cast.now)
    book(cast, slot(9, 11))  # bookings and samples are counted apart
    first = work.ask(4)
    with pytest.raises(Refusal) as refused:
        work.ask(2, who="zhao")
    (reason,) = refused.value.reasons
    assert (reason.code, reason.field) == ("quota.samples", "samples")
    assert (reason.params["used_count"], reason.params["left_count"], reason.params["again_on"]) == (4, 1, "2026-11-30")
    with translation.override("en"):
        said = reason_sentence(reason)
    assert "at most 5 samples of one organisation" in said and "1 are left" in said
    work.ask(5, who="zhao", arrive_on=date(2026, 12, 1))  # another week
    work.ask(5, who="he", firm=cast.other_firm)  # another organisation
    work.ask(1)
    with pytest.raises(Refusal) as refused:
        work.ask(1, arrive_on=date(2026, 12, 8))
    assert [one.code for one in refused.value.reasons] == ["quota.jobs_ahead"]
    with pytest.raises(Refusal) as refused:  # no period can be counted around the last day of all
        work.ask(1, arrive_on=date(9999, 12, 31))
    assert [one.code for one in refused.value.reasons] == ["samples.arrival_out_of_range"]
    sample_jobs.cancel(cast.actor("lin"), first.pk, "", work.now)
    assert work.ask(4).state == "asked"


def test_such_a_quota_is_of_the_whole_lab_at_any_hour(work, cast):
    for scope, quota in (
        (Scope(cast.lab.pk, "01"), QUOTAS[0]),
        (Scope(cast.lab.pk), {**QUOTAS[0], "peak_only": True}),
    ):
        with pytest.raises(Refusal) as refused:
            policies.say(cast.actor("wang"), scope, {"quotas": [quota]}, cast.now)
        assert [(one.code, one.field) for one in refused.value.reasons] == [("quota.samples_of_lab", "quotas")]
    with pytest.raises(Refusal):
        Quota(Subject.PERSON, Measure.JOBS, Period.DAY, 1, counted=Counted(7))


def test_programmes_know_the_research_project_of_a_sample_job(work, cast):
    job = work.ask(3, research_project=" 2026-ZJ-701 ")
    (candidate, *_others) = Quote.objects.get(sample_job=job).inputs["candidates"]
    assert candidate["facts"]["service"]["project"] == "2026-ZJ-701"
    work.accept(job)
    held = Quote.objects.filter(sample_job=job, held_at__isnull=False).get()
    assert held.inputs["candidates"][0]["facts"]["service"]["project"] == "2026-ZJ-701"
