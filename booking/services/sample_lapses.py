"""Sample jobs that nobody goes on with: what keeps a lab's days, or holds money, ends by itself, and both sides hear of it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet

from booking.models import Sample, SampleJob, SampleStepTaken
from booking.rules.samples import ANSWER_DAYS, NOT_HERE, REMIND_DAYS, UNSENT_DAYS, JobEvent, JobState, has_lapsed
from booking.sample_ports import sample_money
from booking.services import sample_days, sample_news
from booking.services.sample_jobs import local_day
from booking.services.sample_writing import lock_due, move, note_step
from config.kernel.access import NOBODY
from config.kernel.services.parking import each_parked

BATCH = 500
_REMIND = "remind"
_EARLIEST_ZONE = timedelta(hours=14)
"""No lab's local day is further ahead of UTC's."""


def end_due(now: datetime) -> int:
    """End jobs that a lab did not answer long after the samples should have come, and accepted ones of which none came by then;
    returns how many. Safe to repeat."""

    def work(pk: int) -> bool:
        job = lock_due(pk)
        if _any_here(job) or not has_lapsed(JobState(job.state), job.arrive_on, local_day(job.lab_id, now)):
            return False
        move(job, JobEvent.LAPSE, NOBODY, now)
        sample_days.free(job)
        sample_money().on_release(job, NOBODY, JobEvent.LAPSE.value, now)
        sample_news.tell_lab(job, "lapsed", now)
        sample_news.tell_customer(job, "lapsed", now)
        return True

    last_on = (now + _EARLIEST_ZONE).date()
    asked = SampleJob.objects.filter(state=JobState.ASKED, arrive_on__lt=last_on - timedelta(days=ANSWER_DAYS))
    unsent = _unsent().filter(arrive_on__lt=last_on - timedelta(days=UNSENT_DAYS))
    due = [*_first(asked), *_first(unsent)]
    return each_parked(due, work, "sample job")


def remind_due(now: datetime) -> int:
    """Remind customers, once, of accepted jobs of which no sample has come; returns of how many. Safe to repeat."""

    def work(pk: int) -> bool:
        job = lock_due(pk)
        late = local_day(job.lab_id, now) > job.arrive_on + timedelta(days=REMIND_DAYS)
        if job.state != JobState.ACCEPTED or not late or _any_here(job) or _reminders(job.pk).exists():
            return False
        note_step(job, None, _REMIND, job.state, job.state, NOBODY, now)
        ends_on = job.arrive_on + timedelta(days=UNSENT_DAYS + 1)
        sample_news.tell_customer(job, "unsent", now, ends_on=ends_on.isoformat())
        return True

    last_on = (now + _EARLIEST_ZONE).date() - timedelta(days=REMIND_DAYS)
    due = _unsent().filter(~Exists(_reminders(OuterRef("pk"))), arrive_on__lt=last_on)
    return each_parked(_first(due), work, "sample job")


def _unsent() -> QuerySet[SampleJob]:
    return SampleJob.objects.filter(~Exists(_here(OuterRef("pk"))), state=JobState.ACCEPTED)


def _here(job: OuterRef | int) -> QuerySet[Sample]:
    return Sample.objects.filter(job=job).exclude(state__in=NOT_HERE)


def _reminders(job: OuterRef | int) -> QuerySet[SampleStepTaken]:
    return SampleStepTaken.objects.filter(job=job, action=_REMIND)


def _any_here(job: SampleJob) -> bool:
    return _here(job.pk).exists()


def _first(rows: QuerySet[SampleJob]) -> list[int]:
    return list(rows.order_by("arrive_on", "pk").values_list("pk", flat=True)[:BATCH])
