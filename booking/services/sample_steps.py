"""What happens to samples: received, prepared, tested, unfit, lost; what is left of them; parcels. The job follows its samples."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from booking.models import Sample, SampleJob, SampleParcel, SampleStepTaken
from booking.rules.enquiries import Side
from booking.rules.sample_codes import read
from booking.rules.samples import (
    CAN_COMPLETE,
    MOST_PARCELS,
    NEED_REASON,
    NOT_TESTED,
    WORKED_ON,
    WORKING,
    Direction,
    JobEvent,
    JobState,
    Remains,
    SampleState,
    SampleStep,
    next_sample_state,
    remains_taken_back,
    require_day_of_work,
    require_remains_step,
    where,
)
from booking.sample_ports import sample_money
from booking.services import sample_days, sample_news
from booking.services.enquiry_sides import require_on
from booking.services.sample_jobs import local_day, reason_of
from booking.services.sample_writing import lock_job, move, note_step
from config.kernel.access import Actor, get_visible
from config.kernel.errors import NotFound, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from instruments.models import TestItem
from instruments.rules.registry_values import clean_text

_COURIER_LENGTH = 100


def with_reasons(rows: QuerySet[Sample]) -> QuerySet[Sample]:
    """Samples with ``reason``: why one is unfit or lost, empty for the others; no query more."""
    said = SampleStepTaken.objects.filter(sample=OuterRef("pk"), to_state=OuterRef("state")).order_by("-pk").values("reason")[:1]
    return rows.annotate(reason=Coalesce(Subquery(said), Value("")))


def find(actor: Actor, code: str) -> Sample:
    """The sample behind a code, for its lab's and its customer's people. Raises NotFound ``samples.code_unknown``."""
    rows = with_reasons(Sample.objects.select_related("job__resource", "job__lab", "job__organisation"))
    try:
        return get_visible(rows, actor, code=read(code) or "")
    except NotFound:
        raise NotFound.of("samples.code_unknown") from None


def find_typed(actor: Actor, text: str) -> Sample:
    """As ``find``, for what somebody typed. Raises Refusal ``samples.code_unreadable`` for what cannot be a code."""
    if read(text) is None:
        raise Refusal.of("samples.code_unreadable", "code")
    return find(actor, text)


@whole
def take(
    actor: Actor,
    sample_ids: Sequence[int],
    step: SampleStep,
    now: datetime,
    reason: str = "",
    *,
    job_id: int | None = None,
    ends_job: bool = False,
) -> SampleJob:
    """Do ``step`` with samples of one job (``job_id``, where it is known); all of them or none. Returns the job.

    A step after which no sample can be tested ends the job for good, and needs ``ends_job``: who takes it was told so.

    Raises NotFound, Forbidden, Refusal ``samples.none_chosen``, ``samples.of_one_job``, ``samples.illegal_step``,
    ``samples.illegal_sample_step``, ``samples.too_early_to_test``, ``samples.nothing_left_to_test``, ``samples.reason_missing``,
    ``samples.ends_the_job``, ``name.*``.
    """
    job = _job_of(actor, sample_ids, job_id)
    item = sample_days.lock_item(job.resource_id) if step in CAN_COMPLETE else None
    job = lock_job(actor, job.pk)
    require_on(actor, Side.LAB, job.organisation_id, job.lab_id)
    if job.state not in WORKING:
        raise Refusal.of("samples.illegal_step", job_state=job.state, event=step.value)
    require_day_of_work(step, job.arrive_on, local_day(job.lab_id, now))
    words = reason_of(reason) if step in NEED_REASON else ""
    for sample in Sample.objects.select_for_update(no_key=True).filter(job=job, pk__in=sample_ids).order_by("position"):
        before = SampleState(sample.state)
        sample.state = next_sample_state(before, step)
        if step is SampleStep.TAKE_BACK:
            _take_remains_back(job, sample, actor, now)
        sample.save(update_fields=["state"])
        note_step(job, sample, step.value, before.value, sample.state, actor, now, words)
    after = {"samples": sorted(sample_ids), "step": step.value}
    audit.record(actor, f"sample.{step.value}", job, now, after=after, reason=words)
    _follow(job, item, actor, now, words, ends_job=ends_job)
    return job


def _take_remains_back(job: SampleJob, sample: Sample, actor: Actor, now: datetime) -> None:
    """What was put away of a sample that is worked on again is with the lab once more."""
    before = Remains(sample.remains)
    after = remains_taken_back(before)
    if after is before:
        return
    sample.remains, sample.kept_until = after, None
    sample.save(update_fields=["remains", "kept_until"])
    note_step(job, sample, "remains", before.value, after.value, actor, now)
    known, wanted = {"samples": [sample.pk], "remains": before.value}, {"samples": [sample.pk], "remains": after.value}
    audit.record(actor, "sample.remains", job, now, before=known, after=wanted)


@whole
def set_remains(
    actor: Actor,
    sample_ids: Sequence[int],
    remains: Remains,
    now: datetime,
    *,
    kept_until: date | None = None,
    job_id: int | None = None,
) -> SampleJob:
    """Say where what is left of samples of one job is. Raises NotFound, Forbidden, Refusal ``samples.none_chosen``,
    ``samples.of_one_job``, ``samples.still_worked_on``, ``samples.remains_*``, ``samples.kept_until_missing``."""
    job = lock_job(actor, _job_of(actor, sample_ids, job_id).pk)
    require_on(actor, Side.LAB, job.organisation_id, job.lab_id)
    if job.state in WORKING - {JobState.TESTED}:
        raise Refusal.of("samples.still_worked_on", "remains")
    today = local_day(job.lab_id, now)
    if remains is Remains.KEPT and (kept_until is None or kept_until < today):
        raise Refusal.of("samples.kept_until_missing", "kept_until")
    for sample in Sample.objects.select_for_update(no_key=True).filter(job=job, pk__in=sample_ids).order_by("position"):
        before = Remains(sample.remains)
        require_remains_step(before, remains, SampleState(sample.state))
        if remains is Remains.DISCARDED and sample.kept_until is not None and sample.kept_until >= today:
            raise Refusal.of("samples.remains_promised", "remains", kept_until=sample.kept_until.isoformat())
        sample.remains, sample.kept_until = remains, kept_until if remains is Remains.KEPT else None
        sample.save(update_fields=["remains", "kept_until"])
        note_step(job, sample, "remains", before.value, remains.value, actor, now)
    audit.record(actor, "sample.remains", job, now, after={"samples": sorted(sample_ids), "remains": remains.value})
    sample_news.tell_customer(job, "remains", now, remains=remains.value)
    return job


@whole
def note_parcel(actor: Actor, job_id: int, direction: Direction, carrier: str, number: str, now: datetime) -> SampleParcel:
    """Write down a courier's number: the customer's of what it sends, the lab's of what goes back.

    Raises NotFound, Forbidden, Refusal ``samples.carrier_missing``, ``samples.number_missing``, ``samples.parcel_known``,
    ``samples.too_many_parcels``, ``samples.no_parcel_now``, ``name.*``.
    """
    job = lock_job(actor, job_id)
    side = Side.CUSTOMER if direction is Direction.TO_LAB else Side.LAB
    require_on(actor, side, job.organisation_id, job.lab_id)
    asked_or_over = {JobState.ASKED, JobState.REFUSED}
    if job.state in asked_or_over or (direction is Direction.TO_LAB and job.state not in WORKING):
        raise Refusal.of("samples.no_parcel_now", "number")
    words = {
        "carrier": clean_text(carrier, _COURIER_LENGTH, "carrier"),
        "number": clean_text(number, _COURIER_LENGTH, "number").upper(),
    }
    for field, text in words.items():
        if not text:
            raise Refusal.of(f"samples.{field}_missing", field)
    known = SampleParcel.objects.filter(job=job)
    if known.filter(direction=direction, number=words["number"]).exists():
        raise Refusal.of("samples.parcel_known", "number", number=words["number"])
    if known.count() >= MOST_PARCELS:
        raise Refusal.of("samples.too_many_parcels", "number", most=MOST_PARCELS)
    parcel = SampleParcel.objects.create(job=job, direction=direction, noted_by_id=actor.person_id, noted_at=now, **words)
    audit.record(actor, "sample_job.parcel", job, now, after={"direction": direction.value, **words})
    told = sample_news.tell_lab if side is Side.CUSTOMER else sample_news.tell_customer
    told(job, "parcel", now, **words)
    return parcel


def _job_of(actor: Actor, sample_ids: Sequence[int], job_id: int | None) -> SampleJob:
    """The one job of these samples (``job_id``, where it is known), for its lab's managers.

    Raises NotFound, Forbidden, Refusal ``samples.none_chosen`` / ``samples.of_one_job``.
    """
    found = list(Sample.objects.filter(pk__in=sample_ids).values_list("job_id", flat=True))
    if job_id is None and not found:
        raise NotFound.of("access.not_found", model="sample")
    job = get_visible(SampleJob.objects.all(), actor, pk=job_id or found[0])
    require_on(actor, Side.LAB, job.organisation_id, job.lab_id)
    if not sample_ids:
        raise Refusal.of("samples.none_chosen", "samples")
    if set(found) - {job.pk}:
        raise Refusal.of("samples.of_one_job", "samples")
    if len(found) != len(set(sample_ids)):
        raise NotFound.of("access.not_found", model="sample")
    return job


def _follow(job: SampleJob, item: TestItem | None, actor: Actor, now: datetime, reason: str, *, ends_job: bool) -> None:
    """Take the job to where its samples are, and tell the customer of what changes for it. ``item`` is locked after a step of
    ``CAN_COMPLETE``."""
    states = [SampleState(state) for state in Sample.objects.filter(job=job).values_list("state", flat=True)]
    before, after = JobState(job.state), where(states)
    if after is JobState.FAILED:
        if not ends_job:
            raise Refusal.of("samples.ends_the_job", "ends_job")
        move(job, JobEvent.FAIL, actor, now, reason)
        sample_days.free(job)
        sample_money().on_release(job, actor, JobEvent.FAIL.value, now)
        sample_news.tell_customer(job, "failed", now, reason=reason)
        return
    begun = any(
        state in WORKED_ON for state in states
    )  # a straggler moves neither the day on which the others came nor their promise
    if after is JobState.ACCEPTED and not begun:
        job.received_at = None
    elif before is JobState.ACCEPTED and item is not None:
        job.received_at = job.received_at or now
        if not begun:
            _promise_anew(job, item, now)
    job.tested_at = now if after is JobState.TESTED else None
    move(job, JobEvent.FOLLOW, actor, now, "", states)
    if reason:
        unfit = sum(state in NOT_TESTED for state in states)
        sample_news.tell_customer(job, "unfit", now, reason=reason, samples=unfit)
    elif before is JobState.ACCEPTED and after is not before:
        sample_news.tell_customer(job, "received", now)


def _promise_anew(job: SampleJob, item: TestItem, now: datetime) -> None:
    """Samples that came later than expected are promised from the day they came, and the customer is told the new day."""
    today = local_day(job.lab_id, now)
    if today <= job.arrive_on or job.promised_on is None:
        return
    try:
        found = sample_days.at_receipt(job, item, today)
    except Refusal:  # the lab measures less by now than it did: what is there is received all the same, and the promise stays
        return
    if found is None:
        return
    sample_days.keep(job, item, found)
    if found.promised_on <= job.promised_on:
        return
    job.promised_on = found.promised_on
    sample_news.tell_customer(job, "later", now)
