"""What waits for a group's leader, and what was answered."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from booking.models import LeaderApproval, Reservation, SampleJob
from booking.rules.samples import JobState
from booking.rules.spending import LeaderState
from booking.rules.states import ReservationState
from config.kernel.access import Actor, visible_to
from instruments.models import ResearchGroup


def leader_approvals(actor: Actor) -> QuerySet[LeaderApproval]:
    """What the leaders of groups were asked about bookings and sample jobs that the actor may see, the latest first."""
    rows = LeaderApproval.objects.select_related(
        "reservation__instrument__site",
        "reservation__organisation",
        "reservation__requested_by",
        "reservation__fund_card__group__leader",
        "sample_job__resource",
        "sample_job__requested_by",
        "sample_job__fund_card__group__leader",
        "decided_by",
    )
    return visible_to(rows, actor).order_by("-asked_at", "-pk")


def waiting_for(actor: Actor) -> QuerySet[LeaderApproval]:
    """What waits for the actor as a leader: bookings, what begins first before the rest, then sample jobs."""
    booked = Q(reservation__fund_card__group__leader_id=actor.user_id, reservation__state=ReservationState.REQUESTED)
    sent = Q(sample_job__fund_card__group__leader_id=actor.user_id, sample_job__state=JobState.ASKED)
    rows = leader_approvals(actor).filter(booked | sent, state=LeaderState.WAITING)
    return rows.order_by("reservation__starts_at", "sample_job__arrive_on", "pk")


def answered_by(actor: Actor) -> QuerySet[LeaderApproval]:
    """What the actor has answered, the latest first."""
    return leader_approvals(actor).filter(decided_by_id=actor.user_id).order_by("-decided_at", "-pk")


def leads_a_group(actor: Actor) -> bool:
    """Whether there can be anything for the actor to answer."""
    return actor.user_id is not None and visible_to(ResearchGroup.objects.filter(leader_id=actor.user_id), actor).exists()


def approval_of(actor: Actor, reservation: Reservation) -> LeaderApproval | None:
    """What the leader was asked about one reservation and answered; None: nobody was asked, or the question fell away."""
    return leader_approvals(actor).filter(reservation=reservation).first()


def approval_of_samples(actor: Actor, job: SampleJob) -> LeaderApproval | None:
    """As ``approval_of``, about a sample job."""
    return leader_approvals(actor).filter(sample_job=job).first()


def awaiting_leader(actor: Actor, reservations: Iterable[Reservation]) -> set[int]:
    """The ids of those of the reservations that wait for a group's leader; one query."""
    ids = [row.pk for row in reservations if row.fund_card_id is not None and row.state == ReservationState.REQUESTED]
    rows = visible_to(LeaderApproval.objects.filter(reservation_id__in=ids, state=LeaderState.WAITING), actor)
    return set(rows.values_list("reservation_id", flat=True)) if ids else set()
