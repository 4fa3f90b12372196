"""From the last test to the end of a sample job: the report, the customer's yes or objection, and the charge."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef

from booking.models import CloseOut, Sample, SampleExtra, SampleJob, SampleReport, SampleStepTaken
from booking.rules.enquiries import Side
from booking.rules.samples import (
    MOST_OBJECTIONS,
    MOST_REPORTS,
    REVIEW_DAYS,
    WORDS_LENGTH,
    ExtraState,
    JobEvent,
    JobState,
    SampleState,
    next_state,
)
from booking.sample_ports import sample_money
from booking.services import enquiry_files, sample_close_out, sample_news
from booking.services.enquiry_files import Attachment
from booking.services.enquiry_sides import require_on
from booking.services.sample_jobs import reason_of
from booking.services.sample_writing import lock_due, lock_job, move
from config.kernel.access import NOBODY, Actor, get_visible
from config.kernel.errors import Refusal
from config.kernel.models import StoredFile
from config.kernel.services import audit, files, transactions
from config.kernel.services.parking import each_parked
from config.kernel.services.transactions import whole
from instruments.rules.registry_values import clean_text

DUE_BATCH = 500


def report(actor: Actor, job_id: int, handed_in: Attachment, note: str, now: datetime) -> SampleReport:
    """The lab hands in the report (again, where it mends one); from now on the job closes by itself unless the customer objects.

    Raises NotFound, Forbidden, Refusal ``samples.illegal_step``, ``samples.too_many_reports``, ``enquiry.file_type`` / ``upload.*``
    (``report``), ``name.*``.
    """
    get_visible(SampleJob.objects.all(), actor, pk=job_id)
    try:
        [clean] = enquiry_files.checked([handed_in])
    except Refusal as refusal:
        raise Refusal(*(replace(reason, field="report") for reason in refusal.reasons)) from None

    def work() -> SampleReport:
        job = lock_job(actor, job_id)
        require_on(actor, Side.LAB, job.organisation_id, job.lab_id)
        next_state(JobState(job.state), JobEvent.REPORT)
        words = clean_text(note, WORDS_LENGTH, "note")
        before = SampleReport.objects.filter(job=job).count()
        if job.state == JobState.REPORTED and before >= MOST_REPORTS:  # after an objection there is always room for an answer
            raise Refusal.of("samples.too_many_reports", "report", most=MOST_REPORTS)
        stored = files.store(clean.content, file_name=clean.name, media_type=clean.media_type, user_id=actor.user_id, now=now)
        made = SampleReport.objects.create(
            job=job, position=before + 1, file=stored, note=words, uploaded_by_id=actor.person_id, uploaded_at=now
        )
        job.reported_at, job.close_due_at = now, now + timedelta(days=REVIEW_DAYS)
        move(job, JobEvent.REPORT, actor, now, words)
        audit.record(actor, "sample_report.upload", made, now, after={"sha256": stored.sha256, "position": made.position})
        sample_news.tell_customer(job, "reported", now)
        return made

    return transactions.run(work)


@whole
def object_to(actor: Actor, job_id: int, reason: str, now: datetime) -> None:
    """The customer does not take the report: the lab has to report again, and nothing closes meanwhile.

    Raises NotFound, Forbidden, Refusal ``samples.illegal_step``, ``samples.too_many_objections``, ``samples.reason_missing``, ``name.*``.
    """
    job = lock_job(actor, job_id)
    require_on(actor, Side.CUSTOMER, job.organisation_id, job.lab_id)
    next_state(JobState(job.state), JobEvent.OBJECT)
    if SampleStepTaken.objects.filter(job=job, action=JobEvent.OBJECT).count() >= MOST_OBJECTIONS:
        raise Refusal.of("samples.too_many_objections", most=MOST_OBJECTIONS)
    words = reason_of(reason)
    job.close_due_at = None
    move(job, JobEvent.OBJECT, actor, now, words)
    sample_news.tell_lab(job, "objected", now, reason=words)


@whole
def close(actor: Actor, job_id: int, now: datetime) -> None:
    """The customer takes the report; the job is charged and closed. Raises NotFound, Forbidden, Refusal ``samples.illegal_step``,
    ``samples.own_report``, ``samples.extra_open`` (a proposed charge waits for an answer), ``close_out.confirm_first``."""
    job = lock_job(actor, job_id)
    require_on(actor, Side.CUSTOMER, job.organisation_id, job.lab_id)
    next_state(JobState(job.state), JobEvent.CLOSE)
    if SampleReport.objects.filter(job=job).latest("position").uploaded_by_id == actor.user_id:
        raise Refusal.of("samples.own_report")
    if SampleExtra.objects.filter(job=job, state=ExtraState.PROPOSED).exists():
        raise Refusal.of("samples.extra_open")
    _close(job, actor, now)


def close_due(now: datetime) -> int:
    """Close what nobody objected to within the days after the report; returns how many. Safe to repeat.

    What was proposed and never answered is not charged. A job whose grade waits for a second pair of eyes goes on waiting, and stands
    behind the others, so that those that wait never keep them out.
    """
    waits = Exists(CloseOut.objects.filter(sample_job=OuterRef("pk"), confirmed_at=None).exclude(grade=""))
    due = SampleJob.objects.filter(state=JobState.REPORTED, close_due_at__lte=now).order_by(waits, "close_due_at", "pk")

    def work(pk: int) -> bool:
        job = lock_due(pk)
        if job.state != JobState.REPORTED or job.close_due_at is None or job.close_due_at > now:
            return False
        if sample_close_out.reasons_against_charge(job):
            return False
        _close(job, NOBODY, now)
        return True

    return each_parked(list(due.values_list("pk", flat=True)[:DUE_BATCH]), work, "sample job")


def report_file(actor: Actor, report_id: int) -> tuple[StoredFile, bytes]:
    """A report's file for somebody who may see its job. Raises NotFound, Refusal ``files.*``."""
    found = get_visible(SampleReport.objects.select_related("file"), actor, pk=report_id)
    return found.file, files.read(found.file)


def _close(job: SampleJob, actor: Actor, now: datetime) -> None:
    Refusal.raise_any(sample_close_out.reasons_against_charge(job))
    job.close_due_at, job.closed_at = None, now
    move(job, JobEvent.CLOSE, actor, now)
    tested = Sample.objects.filter(job=job, state=SampleState.TESTED).count()
    agreed = list(SampleExtra.objects.filter(job=job, state=ExtraState.AGREED).order_by("pk"))
    sample_money().on_close(job, tested, agreed, actor, now)
    sample_news.tell_lab(job, "closed", now)
    sample_news.tell_customer(job, "closed", now)
