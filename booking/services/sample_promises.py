"""A promised day that the lab cannot keep is moved to a later one, and the customer told why."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from booking.models import Sample, SampleDay, SampleJob
from booking.rules.enquiries import Side
from booking.rules.sample_days import Promise, require_near
from booking.rules.samples import PROMISE_MOVED, WORKED_ON, WORKING
from booking.services import sample_days, sample_news
from booking.services.enquiry_sides import require_on
from booking.services.sample_jobs import local_day, reason_of
from booking.services.sample_writing import lock_job, note_step
from config.kernel.access import Actor, get_visible
from config.kernel.errors import Refusal
from config.kernel.services import audit, transactions
from instruments.models import TestItem


def move(actor: Actor, job_id: int, promised_on: date, reason: str, now: datetime, *, works_on: date | None = None) -> bool:
    """The lab promises the result for a later day; the customer reads the reason. ``works_on``: the first day on which the lab measures
    again: what of the job's days lies before it is promised anew, as far as the capacity goes. Returns False where the result is
    promised for that day already.

    Raises NotFound, Forbidden, Refusal ``samples.promise_not_open`` (nothing is promised, or the report is there),
    ``samples.promise_not_later``, ``samples.promise_too_far``, ``samples.promise_beyond_capacity``, ``samples.no_capacity``,
    ``samples.reason_missing``.
    """
    words = reason_of(reason)

    def work() -> bool:
        seen = get_visible(SampleJob.objects.all(), actor, pk=job_id)
        require_on(actor, Side.LAB, seen.organisation_id, seen.lab_id)
        item = sample_days.lock_item(seen.resource_id)
        job = lock_job(actor, job_id)
        if job.state not in WORKING or job.reported_at is not None or job.promised_on is None:
            raise Refusal.of("samples.promise_not_open", "promised_on")
        before, today = job.promised_on, local_day(job.lab_id, now)
        if promised_on == before:
            return False
        _require_later(promised_on, before, max(job.arrive_on, today), today)
        anew = _days_anew(job, item, max(works_on, today)) if works_on is not None else None
        if anew is not None:
            if promised_on < anew.promised_on:
                raise Refusal.of("samples.promise_beyond_capacity", "promised_on", earliest_on=anew.promised_on.isoformat())
            sample_days.keep(job, item, anew)
        job.promised_on = promised_on
        job.save(update_fields=["promised_on"])
        note_step(job, None, PROMISE_MOVED, job.state, job.state, actor, now, words)
        known, wanted = ({"promised_on": day.isoformat()} for day in (before, promised_on))
        audit.record(actor, f"sample_job.{PROMISE_MOVED}", job, now, before=known, after=wanted, reason=words)
        sample_news.tell_customer(job, "promise_moved", now, reason=words, before_on=before.isoformat())
        return True

    return transactions.run(work)


def _require_later(promised_on: date, before: date, starts: date, today: date) -> None:
    earliest_on = max(before + timedelta(days=1), today)
    if promised_on < earliest_on:
        raise Refusal.of("samples.promise_not_later", "promised_on", earliest_on=earliest_on.isoformat())
    require_near(promised_on, starts)


def _days_anew(job: SampleJob, item: TestItem, works_on: date) -> Promise | None:
    """None where none of the job's days is lost, or where work on it has begun: then they stay."""
    lost = SampleDay.objects.filter(job=job, day__lt=works_on)
    if not lost.exists() or Sample.objects.filter(job=job, state__in=WORKED_ON).exists():
        return None
    return sample_days.work_out(item, job.lab_id, job.sample_count, max(job.arrive_on, works_on), but_for=job.pk, at_once=True)
