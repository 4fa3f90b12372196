"""What a lab promised about samples and did not keep is told, each once: an answer to a request, and a result on its day."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Greatest

from booking.models import LeaderApproval, SampleJob, SampleStepTaken
from booking.rules.samples import ALL_HERE, JobState
from booking.rules.spending import LeaderState
from booking.services import sample_news
from booking.services.sample_jobs import local_day
from booking.services.sample_writing import lock_due, note_step
from config.kernel.access import NOBODY
from config.kernel.services.parking import each_parked
from instruments.rules.answer_time import due_at
from instruments.services.answer_time import zones_of_owners

BATCH = 500
_OVERDUE, _LATE = "overdue", "late"
_SHORTEST = timedelta(hours=20)
"""No promise is over sooner: it is of a working day at least."""
_EARLIEST_ZONE = timedelta(hours=14)
"""No lab's local day is further ahead of UTC's."""


def escalate_due(now: datetime) -> int:
    """Tell of every request that waits longer than its lab promises to answer (``answer_workdays``) and that nobody was told of yet;
    returns how many. Safe to repeat."""
    rows = _untold(_OVERDUE).filter(state=JobState.ASKED, asked_at__lte=now - _SHORTEST)
    waiting = rows.exclude(leader_approval__state=LeaderState.WAITING).annotate(
        since=Greatest("asked_at", "leader_approval__decided_at")
    )
    found = list(waiting.order_by("asked_at", "pk").values_list("pk", "since", "lab_id", "lab__answer_workdays"))
    zones = zones_of_owners({lab_id for _pk, _since, lab_id, _workdays in found})
    due = [pk for pk, since, lab_id, workdays in found if due_at(since, workdays, zones[lab_id]) <= now]
    return each_parked(due[:BATCH], lambda pk: _escalate(pk, now), "sample job")


def tell_late(now: datetime) -> int:
    """Tell both sides of every job of which all samples are at the lab, whose promised day has passed without a report, and of which they
    were not told yet; returns of how many. Safe to repeat."""
    last_on = (now + _EARLIEST_ZONE).date()
    rows = _untold(_LATE).filter(state__in=ALL_HERE, reported_at=None, promised_on__lt=last_on)
    due = list(rows.order_by("promised_on", "pk").values_list("pk", flat=True)[:BATCH])
    return each_parked(due, lambda pk: _tell_late(pk, now), "sample job")


def _escalate(job_id: int, now: datetime) -> bool:
    """Unless somebody has answered in between."""
    job = lock_due(job_id)
    asked = LeaderApproval.objects.filter(sample_job=job).first()
    waits_for_leader = asked is not None and asked.state == LeaderState.WAITING
    if job.state != JobState.ASKED or waits_for_leader or _was_told(job, _OVERDUE):
        return False
    note_step(job, None, _OVERDUE, job.state, job.state, NOBODY, now)
    sample_news.tell_overdue(job, now)
    return True


def _tell_late(job_id: int, now: datetime) -> bool:
    """Unless the lab has reported, or promised another day, in between."""
    job = lock_due(job_id)
    passed = job.promised_on is not None and job.promised_on < local_day(job.lab_id, now)
    if JobState(job.state) not in ALL_HERE or job.reported_at is not None or not passed or _was_told(job, _LATE):
        return False
    note_step(job, None, _LATE, job.state, job.state, NOBODY, now)
    sample_news.tell_lab(job, "late", now)
    sample_news.tell_customer(job, "late", now)
    return True


def _untold(action: str) -> QuerySet[SampleJob]:
    told = SampleStepTaken.objects.filter(job=OuterRef("pk"), action=action)
    return SampleJob.objects.filter(~Exists(told))


def _was_told(job: SampleJob, action: str) -> bool:
    return SampleStepTaken.objects.filter(job=job, action=action).exists()
