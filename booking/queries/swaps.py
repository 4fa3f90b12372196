"""With which other bookings one may change places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from booking.models import Reservation, ReservationChange
from booking.queries.reservations import LAB_ROLES, reservations_visible
from booking.rules.changes import ChangeState, Side
from booking.rules.policy import BookingPolicy
from booking.rules.states import ReservationState
from booking.services import only_with_approval, swaps
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
    soonest first: three queries at most. Whether the lab's rules and what lies around allow it is asked by the swap itself."""
    states = [ReservationState.REQUESTED, ReservationState.APPROVED]
    open_ones = ReservationChange.objects.filter(state=ChangeState.OPEN)
    if reservation.state not in states or reservation.starts_at <= now or open_ones.filter(reservation=reservation).exists():
        return []
    asked = open_ones.filter(reservation_id=OuterRef("pk"))
    rows = reservations_visible(actor).filter(_spoken_for(actor, side), ~Exists(asked), state__in=states, starts_at__gt=now)
    rows = rows.filter(instrument__calendar_id=reservation.instrument.calendar_id).exclude(starts_at=reservation.starts_at)
    rows = rows.exclude(pk=reservation.pk).select_related("instrument__policy").order_by("starts_at", "pk")
    places = [_place(reservation, other) for other in rows[:MOST_OFFERED]]
    policies = only_with_approval.policies_of([reservation, *(place.other for place in places)], now) if places else {}
    return [place for place in places if _is_possible(reservation, place, side, policies)]


def _is_possible(reservation: Reservation, place: Place, side: Side, policies: Mapping[int, BookingPolicy]) -> bool:
    """They would not overlap, and the customer needs no yes of the lab's; that both customers agreed is the lab's to say."""
    turns = [(reservation, place.gets, policies[reservation.pk]), (place.other, place.other_gets, policies[place.other.pk])]
    if any(swaps.needs_a_yes(*turn, side, agreed=side is Side.LAB) for turn in turns):
        return False
    (_one, gets, policy), (_other, other_gets, other_policy) = turns
    return not policy.occupied(gets).overlaps(other_policy.occupied(other_gets))


def _spoken_for(actor: Actor, side: Side) -> Q:
    own = Q(requested_by_id=actor.user_id) | Q(booked_by_id=actor.user_id)
    if side is Side.LAB:
        return Q(instrument__organisation_id__in=actor.organisations(*LAB_ROLES)) & ~own
    own |= Q(organisation_id__in=actor.organisations(Role.FIRM_ADMIN))
    return own & Q(organisation_id__in=actor.organisations(*BOOKING_ROLES))


def _place(reservation: Reservation, other: Reservation) -> Place:
    gets = TimeRange(other.starts_at, other.starts_at + reservation.during.duration)
    return Place(other, gets, TimeRange(reservation.starts_at, reservation.starts_at + other.during.duration))
