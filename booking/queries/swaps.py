"""With which other bookings one may change places."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from booking.models import Reservation, ReservationChange
from booking.queries.reservations import LAB_ROLES, reservations_visible
from booking.rules.changes import ChangeState, Side
from booking.rules.states import ReservationState
from booking.services.context import policy_for
from booking.services.refusing import BOOKING_ROLES
from config.kernel.access import Actor, Role
from config.kernel.time_range import TimeRange

MOST_OFFERED = 50


@dataclass(frozen=True, slots=True)
class Place:
    """Another booking, and what each of the two would get, without buffers."""

    other: Reservation
    gets: TimeRange
    other_gets: TimeRange


def swappable(actor: Actor, reservation: Reservation, side: Side, now: datetime) -> list[Place]:
    """The next bookings of the calendar that the actor may swap with ``reservation`` (with its instrument and policy) for the ``side``,
    soonest first: one query. Whether the lab's rules and what lies around allow it is asked by the swap itself."""
    policy = policy_for(reservation.instrument)
    states = [ReservationState.REQUESTED, ReservationState.APPROVED]
    if side is Side.CUSTOMER and policy.approval_required:
        states.remove(ReservationState.APPROVED)
    if reservation.state not in states or reservation.starts_at <= now:
        return []
    asked = ReservationChange.objects.filter(reservation_id=OuterRef("pk"), state=ChangeState.OPEN)
    rows = reservations_visible(actor).filter(_spoken_for(actor, side), ~Exists(asked), state__in=states, starts_at__gt=now)
    rows = rows.filter(instrument__calendar_id=reservation.instrument.calendar_id).exclude(starts_at=reservation.starts_at)
    rows = rows.exclude(pk=reservation.pk).select_related("instrument__policy").order_by("starts_at", "pk")
    places = [_place(reservation, other) for other in rows[:MOST_OFFERED]]
    return [
        one for one in places if not policy.occupied(one.gets).overlaps(policy_for(one.other.instrument).occupied(one.other_gets))
    ]


def _spoken_for(actor: Actor, side: Side) -> Q:
    own = Q(requested_by_id=actor.user_id) | Q(booked_by_id=actor.user_id)
    if side is Side.LAB:
        return Q(instrument__organisation_id__in=actor.organisations(*LAB_ROLES)) & ~own
    own |= Q(organisation_id__in=actor.organisations(Role.FIRM_ADMIN))
    return own & Q(organisation_id__in=actor.organisations(*BOOKING_ROLES))


def _place(reservation: Reservation, other: Reservation) -> Place:
    gets = TimeRange(other.starts_at, other.starts_at + reservation.during.duration)
    return Place(other, gets, TimeRange(reservation.starts_at, reservation.starts_at + other.during.duration))
