"""Closing the service of a sample job: its quality grade, with a second pair of eyes where money depends on it."""

from __future__ import annotations

from datetime import datetime

from booking.models import CloseOut, SampleJob
from booking.rules.sample_service import GRADED
from booking.rules.samples import JobState
from booking.sample_ports import sample_money
from booking.services import close_out
from booking.services.sample_writing import lock_job
from config.kernel.access import Actor, Role
from config.kernel.errors import Reason, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole


@whole
def close(actor: Actor, job_id: int, grade: str, note: str, now: datetime) -> CloseOut:
    """Write how good the service was, from the last test on; the grade only until the job closes, because the charge rests on it.

    Raises NotFound, Forbidden, Refusal ``close_out.not_tested``, ``close_out.grade_fixed``, ``close_out.grade_unknown`` (``grade``),
    ``name.*`` (``note``).
    """
    job = lock_job(actor, job_id)
    actor.require_in(job.lab_id, Role.LAB_MANAGER)
    if JobState(job.state) not in GRADED:
        raise Refusal.of("close_out.not_tested")
    found = CloseOut.objects.filter(sample_job=job).first()
    known = found or CloseOut(sample_job=job)
    Refusal.raise_any(close_out.grade_faults(grade, known, fixed=job.state == JobState.CLOSED))
    before = {"grade": known.grade, "note": known.note} if found else {}
    close_out.write(known, grade, note, actor, now)
    audit.record(actor, "close_out.write", known, now, before=before, after={"grade": known.grade, "note": known.note})
    return known


@whole
def confirm_grade(actor: Actor, job_id: int, now: datetime) -> CloseOut:
    """A second person of the owner confirms the grade.

    Raises NotFound, Forbidden, Refusal ``close_out.no_grade``, ``close_out.second_person``, ``close_out.grade_fixed``.
    """
    job = lock_job(actor, job_id)
    actor.require_in(job.lab_id, Role.LAB_MANAGER, Role.OWNER_FINANCE)
    known = CloseOut.objects.filter(sample_job=job).first()
    return close_out.confirm(known, actor, now, fixed=job.state == JobState.CLOSED)


def reasons_against_charge(job: SampleJob) -> list[Reason]:
    """``close_out.confirm_first`` while a grade on which money depends waits for a second person."""
    graded = CloseOut.objects.filter(sample_job=job, confirmed_at=None).exclude(grade="").exists()
    return [Reason("close_out.confirm_first")] if graded and sample_money().quality_counts(job) else []
