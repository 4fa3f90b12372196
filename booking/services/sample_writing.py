"""How a sample job's state is written: behind its lock, by the table, with history and audit."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import QuerySet

from booking.models import Sample, SampleJob, SampleStepTaken
from booking.rules.samples import JobEvent, JobState, SampleState, next_state
from config.kernel.access import Actor, get_visible
from config.kernel.services import audit


def lock_job(actor: Actor, job_id: int) -> SampleJob:
    """The job, locked and re-read, for somebody who may see it. Raises NotFound."""
    return get_visible(_locked(), actor, pk=job_id)


def lock_due(job_id: int) -> SampleJob:
    """The job, locked and re-read, for what happens by itself."""
    return _locked().get(pk=job_id)


def _locked() -> QuerySet[SampleJob]:
    rows = SampleJob.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("resource", "lab", "organisation", "requested_by")


def move(
    job: SampleJob, event: JobEvent, actor: Actor, now: datetime, reason: str = "", samples: Iterable[SampleState] = ()
) -> None:
    """Take a locked job one step further; nothing is written where it stays where it is. Raises Refusal ``samples.illegal_step``."""
    before = JobState(job.state)
    after = next_state(before, event, samples)
    if event is JobEvent.FOLLOW and after is before:
        return
    job.state = after
    job.save()
    note_step(job, None, event.value, before.value, after.value, actor, now, reason)
    known, wanted = {"state": before.value}, {"state": after.value}
    audit.record(actor, f"sample_job.{event.value}", job, now, before=known, after=wanted, reason=reason)


def note_step(
    job: SampleJob, sample: Sample | None, action: str, before: str, after: str, actor: Actor, now: datetime, reason: str = ""
) -> None:
    """One line of the job's history."""
    SampleStepTaken.objects.create(
        job=job, sample=sample, action=action, from_state=before, to_state=after, actor_id=actor.user_id, at=now, reason=reason
    )
