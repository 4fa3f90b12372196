"""The requests for the test of samples that wait for a lab, with what about each deserves a second look: a fixed number of statements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, OuterRef, QuerySet, Window
from django.db.models.functions import Greatest

from booking.models import Enquiry, SampleJob
from booking.queries.inbox import History, Inbox, page_of
from booking.queries.reservations import books_still, requests_waiting
from booking.queries.samples import jobs_visible, unanswered
from booking.rules.deciding import SampleRisk
from booking.rules.enquiries import EnquiryState, Side
from booking.rules.samples import DONE, JobState
from config.kernel.access import Actor, Role, visible_to
from instruments.models import OrganisationStatus
from instruments.rules.answer_time import due_at
from instruments.services.answer_time import zones_of_owners


@dataclass(frozen=True, slots=True)
class PendingJob:
    """A request that waits since ``since`` and is to be answered by ``due_at``. ``own``: the actor asked for it, and a colleague has to
    accept; ``questioned``: its customer was asked something and has not answered."""

    job: SampleJob
    since: datetime
    due_at: datetime
    overdue: bool
    risks: tuple[SampleRisk, ...]
    own: bool
    questioned: bool


def waiting(actor: Actor) -> QuerySet[SampleJob]:
    """The requests that wait for an answer of the actor's labs, those whose samples come soonest first."""
    rows = jobs_visible(actor).filter(unanswered(), lab_id__in=actor.organisations(Role.LAB_MANAGER))
    return rows.order_by("arrive_on", "pk")


def inbox(actor: Actor, now: datetime, page: int = 1) -> Inbox[PendingJob]:
    """A page of what waits; a page that is not there is the last."""
    of_all = waiting(actor)
    rows = of_all.order_by("arrive_on", "pk").annotate(total=Window(Count("pk"))).values_list("pk", "total")
    found, page = page_of(rows, page, lambda: of_all.order_by().count())
    shown = _with_facts(actor).filter(pk__in=[pk for pk, _total in found]) if found else ()
    total, beside = found[0][1] if found else 0, requests_waiting(actor).count()
    return Inbox(_pending_of(actor, list(shown), now), total, page, beside)


def history(actor: Actor, job: SampleJob) -> History:
    """What the customer sent to the lab before, without this job."""
    rows = visible_to(SampleJob.objects.filter(lab_id=job.lab_id, organisation_id=job.organisation_id), actor).exclude(pk=job.pk)
    states = dict(rows.order_by().values_list("state").annotate(count=Count("pk")))
    return History(sum(states.get(each, 0) for each in DONE), 0, 0, states.get(JobState.REFUSED, 0))


def _with_facts(actor: Actor) -> QuerySet[SampleJob]:
    before = SampleJob.objects.filter(organisation_id=OuterRef("organisation_id"), lab_id=OuterRef("lab_id"), state__in=DONE)
    asked = Enquiry.objects.filter(sample_job_id=OuterRef("pk"), state=EnquiryState.ANSWERED).exclude(
        messages__side=Side.CUSTOMER
    )
    return waiting(actor).annotate(
        since=Greatest("asked_at", "leader_approval__decided_at"),
        is_first=~Exists(before),
        questioned=Exists(asked),
        has_left=~Exists(books_still()),
    )


def _pending_of(actor: Actor, rows: Sequence[SampleJob], now: datetime) -> list[PendingJob]:
    zones = zones_of_owners({row.lab_id for row in rows})
    return [_pending(actor, row, now.astimezone(zones[row.lab_id]), zones[row.lab_id]) for row in rows]


def _pending(actor: Actor, row: SampleJob, now: datetime, zone: ZoneInfo) -> PendingJob:
    since = row.since  # type: ignore[attr-defined]  # annotated by _with_facts, as the others
    due = due_at(since, row.lab.answer_workdays, zone)
    own = row.requested_by_id == actor.user_id
    questioned = row.questioned  # type: ignore[attr-defined]
    return PendingJob(row, since, due, due <= now, tuple(_risks(row, now)), own, questioned)


def _risks(row: SampleJob, now: datetime) -> Iterable[SampleRisk]:
    """``now``: in the lab's zone."""
    status = row.organisation.status
    found = {
        SampleRisk.SUSPENDED: status == OrganisationStatus.SUSPENDED,
        SampleRisk.LEFT: row.has_left,  # type: ignore[attr-defined]
        SampleRisk.HAZARDS: bool(row.hazards),
        SampleRisk.DAY_PASSED: row.arrive_on < now.date(),
        SampleRisk.UNVERIFIED: status not in (OrganisationStatus.VERIFIED, OrganisationStatus.SUSPENDED),
        SampleRisk.FIRST_TIME: row.is_first,  # type: ignore[attr-defined]
    }
    return (risk for risk, holds in found.items() if holds)
