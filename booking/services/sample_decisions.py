"""A lab's answer to a request for the test of samples: taken back for the same seconds as one about a time, and told after them."""

from __future__ import annotations

from datetime import datetime

from booking.models import RequestDecision, Sample, SampleExtra, SampleJob, SampleParcel, SampleStepTaken
from booking.rules.deciding import Verdict
from booking.rules.enquiries import Side
from booking.rules.samples import ENDED, PROMISE_MOVED, JobEvent, JobState, SampleState
from booking.sample_ports import sample_money
from booking.services import decision_rows, sample_days, sample_news
from booking.services.decision_rows import About, Decided, How
from booking.services.enquiry_sides import require_on
from booking.services.sample_writing import lock_due, lock_job, move
from config.kernel.access import Actor, get_visible
from config.kernel.errors import Refusal
from config.kernel.services import transactions

_SAID = {Verdict.APPROVE: "accepted", Verdict.REJECT: "refused"}


def note(job: SampleJob, said: Decided, actor: Actor, how: How, now: datetime) -> None:
    """Tell of the answer, now or when it cannot be taken back any more; part of its transaction."""
    decision_rows.note(_about(job), said, actor, how, now)
    if not how.undo:
        _tell(job, said.verdict, said.reason, now)


@transactions.whole
def take_back(actor: Actor, job_id: int, now: datetime) -> None:
    """The job waits again with the days and the money that it kept before.

    Raises NotFound, Forbidden (``decision.not_yours``), Refusal ``decision.told``, ``samples.illegal_step``, ``samples.gone_on``, Conflict
    ``samples.days_given`` when somebody has the days that it had by now, ``card.*`` / ``prepaid.*`` / ``spending.*`` when its money.
    """
    seen = get_visible(SampleJob.objects.all(), actor, pk=job_id)
    require_on(actor, Side.LAB, seen.organisation_id, seen.lab_id)
    item = sample_days.lock_item(seen.resource_id)
    job = lock_job(actor, job_id)
    row = decision_rows.to_take_back(_about(job), actor, now)
    if _has_gone_on(job):
        raise Refusal.of("samples.gone_on")
    sample_days.put_back(job, item, row.before or {})
    move(job, JobEvent.TAKE_BACK, actor, now)
    sample_money().on_release(job, actor, JobEvent.TAKE_BACK.value, now)
    decision_rows.taken_back(row, now)


def tell(decision: RequestDecision, now: datetime) -> bool:
    """Tell of one answer that cannot be taken back any more; whether this did so. Safe to repeat."""

    def work() -> bool:
        job = lock_due(decision.sample_job_id or 0)
        row = decision_rows.to_tell(decision.pk, now)
        if row is None:
            return False
        verdict = Verdict(row.action)
        if _still_stands(job, verdict):
            _tell(job, verdict, row.reason, now)
        return True

    return transactions.run(work)


def _about(job: SampleJob) -> About:
    return About(job.lab_id, sample_job_id=job.pk)


def _tell(job: SampleJob, verdict: Verdict, reason: str, now: datetime) -> None:
    more = {"reason": reason} if verdict is Verdict.REJECT else {}
    sample_news.tell_customer(job, _SAID[verdict], now, **more)


def _still_stands(job: SampleJob, verdict: Verdict) -> bool:
    """Who calls a job off within its first seconds is told of that alone."""
    if verdict is Verdict.REJECT:
        return job.state == JobState.REFUSED
    return job.state not in ENDED


def _has_gone_on(job: SampleJob) -> bool:
    """Whether either side has built on the lab's yes: samples came, a charge was asked for, a parcel is on its way, the customer was told
    another day."""
    moved = Sample.objects.filter(job=job).exclude(state=SampleState.EXPECTED)
    told = SampleStepTaken.objects.filter(job=job, action=PROMISE_MOVED)
    return any(rows.exists() for rows in (moved, told, SampleExtra.objects.filter(job=job), SampleParcel.objects.filter(job=job)))
