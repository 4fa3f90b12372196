"""Every read about sample jobs that pages and API share; row-level permission is applied here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection
from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from booking.access import CUSTOMERS
from booking.models import (
    CloseOut,
    Sample,
    SampleExtra,
    SampleJob,
    SampleParcel,
    SampleReport,
    SampleStepTaken,
    SessionRating,
)
from booking.rules.enquiries import Side
from booking.rules.sample_service import GRADED, SampleService
from booking.rules.samples import (
    ENDED,
    HOLDING,
    MOST_OBJECTIONS,
    NOT_HERE,
    WORKING,
    ExtraKind,
    ExtraState,
    JobEvent,
    JobState,
    events_from,
)
from booking.rules.spending import LeaderState
from booking.services import sample_days, sample_steps
from booking.services.enquiry_sides import own_sides
from booking.services.sample_jobs import local_day
from config.kernel.access import Actor, Role, get_visible, visible_to
from config.kernel.errors import Refusal
from instruments.models import TestItem
from instruments.services.answer_time import zones_of_owners

LAB_READERS = (Role.LAB_MANAGER, Role.OWNER_FINANCE)
STATES = [state.value for state in JobState]
MOST_ON_BOARD = 200
"""More jobs than these are not shown in one part of the board; the list has them all."""


_WAITS_FOR_LEADER = Q(state=JobState.ASKED, leader_approval__state=LeaderState.WAITING)
"""The lab has nothing to answer yet."""


def unanswered() -> Q:
    """The jobs to which a lab owes its answer."""
    return Q(state=JobState.ASKED) & ~_WAITS_FOR_LEADER


@dataclass(frozen=True, slots=True)
class May:
    """What the actor may do with a job now."""

    accept: bool = False
    refuse: bool = False
    cancel: bool = False
    step: bool = False
    report: bool = False
    object: bool = False
    close: bool = False
    propose: bool = False
    send: bool = False
    send_back: bool = False
    keep_remains: bool = False
    grade: bool = False
    confirm: bool = False
    rate: bool = False


@dataclass(frozen=True, slots=True)
class Board:
    """A lab's jobs by what they need today (``today``: the lab's local day of each job): parts of (name, jobs), how many there are."""

    parts: Sequence[tuple[str, Sequence[SampleJob]]]
    counts: Mapping[str, int]


def jobs_visible(actor: Actor) -> QuerySet[SampleJob]:
    """The jobs that the actor may see, newest first."""
    rows = SampleJob.objects.select_related("resource", "lab", "organisation", "requested_by", "leader_approval")
    return visible_to(rows, actor).order_by("-asked_at", "-pk")


def my_jobs(actor: Actor) -> QuerySet[SampleJob]:
    """What the actor's organisations sent, newest first."""
    return jobs_visible(actor).filter(organisation_id__in=actor.organisations(*CUSTOMERS))


def lab_jobs(actor: Actor) -> QuerySet[SampleJob]:
    """What the actor's labs were sent, what is due first."""
    rows = jobs_visible(actor).filter(lab_id__in=actor.organisations(*LAB_READERS))
    return rows.order_by(F("promised_on").asc(nulls_last=True), "pk")


def job_for(actor: Actor, job_id: int) -> SampleJob:
    """One job with samples, extras, parcels, history, close-out and rating. Raises NotFound."""
    around = ("close_out__graded_by", "close_out__confirmed_by", "rating__rated_by")
    rows = (
        jobs_visible(actor)
        .select_related(*around)
        .prefetch_related(
            Prefetch("samples", sample_steps.with_reasons(Sample.objects.order_by("position"))),
            Prefetch(
                "extras", SampleExtra.objects.select_related("proposed_by", "answered_by", "by_order__sheet").order_by("pk")
            ),
            Prefetch("parcels", SampleParcel.objects.order_by("pk")),
            Prefetch("steps", SampleStepTaken.objects.filter(sample=None).select_related("actor").order_by("pk")),
        )
    )
    return get_visible(rows, actor, pk=job_id)


def extra_for(actor: Actor, extra_id: int) -> SampleExtra:
    """One charge beyond the price. Raises NotFound."""
    return get_visible(SampleExtra.objects.all(), actor, pk=extra_id)


def reports_of(actor: Actor, job_id: int) -> list[SampleReport]:
    """A job's reports for its two sides, the newest first."""
    rows = SampleReport.objects.filter(job_id=job_id).select_related("file", "uploaded_by")
    return list(visible_to(rows, actor).order_by("-position"))


def latest_reports() -> QuerySet[SampleReport]:
    """The report of each job that replaced all others."""
    later = SampleReport.objects.filter(job=OuterRef("job"), position__gt=OuterRef("position"))
    return SampleReport.objects.filter(~Exists(later))


def sides(actor: Actor, job: SampleJob) -> tuple[Side, ...]:
    """The sides on which the actor acts."""
    return own_sides(actor, job.organisation_id, job.lab_id)


def may(actor: Actor, job: SampleJob) -> May:
    """What the services would let the actor do (they look again behind the lock)."""
    own, state = sides(actor, job), JobState(job.state)
    events, lab, customer = events_from(state), Side.LAB in own, Side.CUSTOMER in own
    arrived = any(each.state not in NOT_HERE for each in job.samples.all())
    objections = sum(each.action == JobEvent.OBJECT for each in job.steps.all())
    return May(
        accept=lab and JobEvent.ACCEPT in events and job.requested_by_id != actor.user_id and not waits_for_leader(job),
        refuse=lab and JobEvent.REFUSE in events,
        cancel=JobEvent.CANCEL in events and (lab or (customer and not arrived)),
        step=lab and state in WORKING,
        report=lab and JobEvent.REPORT in events,
        object=customer and JobEvent.OBJECT in events and objections < MOST_OBJECTIONS,
        close=customer and JobEvent.CLOSE in events and not _reported_by(job, actor),
        propose=lab and state in HOLDING,
        send=customer and state in WORKING,
        send_back=lab and state not in (JobState.ASKED, JobState.REFUSED),
        keep_remains=lab and arrived and (state in ENDED or state in (JobState.TESTED, JobState.REPORTED)),
        grade=lab and state in GRADED,
        confirm=state in GRADED and state is not JobState.CLOSED and _may_confirm(actor, job),
        rate=customer and state is JobState.CLOSED and rating_of(job) is None,
    )


def _may_confirm(actor: Actor, job: SampleJob) -> bool:
    closed = close_out_of(job)
    owner = job.lab_id in actor.organisations(Role.LAB_MANAGER, Role.OWNER_FINANCE)
    given = closed is not None and bool(closed.grade) and closed.confirmed_at is None
    return bool(owner and given and closed and closed.graded_by_id != actor.user_id)


def close_out_of(job: SampleJob) -> CloseOut | None:
    """The grade and note of a job."""
    found: CloseOut | None = getattr(job, "close_out", None)
    return found


def rating_of(job: SampleJob) -> SessionRating | None:
    """What the customer thought of a job; whoever sees the job reads it, hidden or not."""
    found: SessionRating | None = getattr(job, "rating", None)
    return found


def service_of(job: SampleJob) -> SampleService:
    """How the service of a job (``job_for``) went."""
    first = next((step.at for step in job.steps.all() if step.action == JobEvent.REPORT), None)
    retests = sum(each.kind == ExtraKind.RETEST and each.state == ExtraState.AGREED for each in job.extras.all())
    return SampleService(job.promised_on, local_day(job.lab_id, first) if first is not None else None, retests)


def waits_for_leader(job: SampleJob) -> bool:
    """Whether the leader of the group that pays has not agreed yet; ``job`` comes with ``leader_approval``."""
    asked = getattr(job, "leader_approval", None)
    return asked is not None and asked.state == LeaderState.WAITING and job.state == JobState.ASKED


def _reported_by(job: SampleJob, actor: Actor) -> bool:
    return bool(SampleReport.objects.filter(job=job).latest("position").uploaded_by_id == actor.user_id)


def agreed_extra_fen(extras: Iterable[SampleExtra]) -> int:
    """What was agreed to be charged beyond the quote."""
    return sum(each.amount_fen for each in extras if each.state == ExtraState.AGREED)


def agreed_extras_of(actor: Actor, jobs: Iterable[SampleJob]) -> dict[int, int]:
    """What was agreed beyond the quotes of jobs, in fen by job, in one query."""
    rows = SampleExtra.objects.filter(job_id__in=[job.pk for job in jobs], state=ExtraState.AGREED)
    sums = visible_to(rows, actor).order_by().values_list("job_id").annotate(total=Sum("amount_fen"))
    return dict(sums)


def last_asked(actor: Actor) -> SampleJob | None:
    """The job that the person asked for last, to fill in the next."""
    if actor.user_id is None:
        return None
    return my_jobs(actor).filter(requested_by_id=actor.user_id).first()


def board(actor: Actor, now: datetime) -> Board:
    """What the actor's labs have to do, by day of each lab: unanswered, overdue, due today, received today, expected, later, to report."""
    labs = actor.organisations(*LAB_READERS)
    counted = Count("samples", filter=~Q(samples__state__in=NOT_HERE))
    rows = lab_jobs(actor).filter(state__in=[JobState.ASKED, *HOLDING]).exclude(_WAITS_FOR_LEADER).annotate(here=counted)
    zones = zones_of_owners(labs)
    found: dict[str, list[SampleJob]] = {name: [] for name in PARTS}
    counts = dict.fromkeys(PARTS, 0)
    for job in rows[: MOST_ON_BOARD * len(PARTS)]:
        name = _part(job, now.astimezone(zones[job.lab_id]).date(), now, zones[job.lab_id])
        counts[name] += 1
        if len(found[name]) < MOST_ON_BOARD:
            found[name].append(job)
    return Board(tuple(found.items()), counts)


PARTS = ("asked", "overdue", "due_today", "received_today", "in_work", "expected", "reported")


def _part(job: SampleJob, today: date, now: datetime, zone: object) -> str:
    if job.state == JobState.ASKED:
        return "asked"
    if job.state == JobState.REPORTED:
        return "reported"
    if job.promised_on is not None and job.promised_on < today:
        return "overdue"
    if job.promised_on == today:
        return "due_today"
    if job.state == JobState.ACCEPTED:
        return "expected"
    received = job.received_at is not None and job.received_at.astimezone(zone).date() == today  # type: ignore[arg-type]
    return "received_today" if received else "in_work"


def waiting_count(actor: Actor) -> int:
    """How many jobs wait for an answer of the actor's labs."""
    return _waiting(actor).count() if actor.has(Role.LAB_MANAGER) else 0


def how_many_wait(actor: Actor) -> Coalesce | Value:
    """As ``waiting_count``, to be read with something else."""
    if not actor.has(Role.LAB_MANAGER):
        return Value(0)
    counted = _waiting(actor).order_by().annotate(whole=Value(1)).values("whole").annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counted), 0)


def _waiting(actor: Actor) -> QuerySet[SampleJob]:
    return visible_to(SampleJob.objects.filter(unanswered(), lab_id__in=actor.organisations(Role.LAB_MANAGER)), actor)


def labels_of(actor: Actor, job_id: int) -> SampleJob:
    """One job with its samples, for printing. Raises NotFound."""
    rows = jobs_visible(actor).prefetch_related(Prefetch("samples", Sample.objects.order_by("position")))
    return get_visible(rows, actor, pk=job_id)


def promise_at_acceptance(job: SampleJob, now: datetime) -> date | None:
    """For which day the lab would promise a job that it accepts now; None where it has to name one."""
    item = TestItem.objects.get(pk=job.resource_id)
    try:
        anew = sample_days.at_acceptance(job, item, None, today_at(job, now))
    except Refusal:
        return job.promised_on
    return anew.promised_on if anew is not None else job.promised_on


def today_at(job: SampleJob, now: datetime) -> date:
    """The lab's local day."""
    return local_day(job.lab_id, now)


def median_accept_hours(resource_ids: Iterable[int]) -> dict[int, float]:
    """Hours from asking to the lab's yes or no, the median of each test item's fifteen latest answers; without those that have none.
    One query."""
    with connection.cursor() as cursor:
        cursor.execute(_ANSWERS, [list(resource_ids)])
        return {pk: float(hours) for pk, hours in cursor.fetchall()}


_ANSWERS = """
SELECT i.id, percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM j.at - j.asked_at) / 3600)
  FROM unnest(%s::bigint[]) AS i (id) CROSS JOIN LATERAL (
       SELECT o.asked_at, s.at FROM booking_samplejob o JOIN booking_samplesteptaken s ON s.job_id = o.id
        WHERE o.resource_id = i.id AND s.action IN ('accept', 'refuse') AND s.actor_id IS NOT NULL AND s.sample_id IS NULL
          AND NOT EXISTS (SELECT FROM booking_samplesteptaken t
                           WHERE t.job_id = s.job_id AND t.action = 'take_back' AND t.sample_id IS NULL AND t.id > s.id)
        ORDER BY s.at DESC LIMIT 15) j
 GROUP BY i.id
"""
