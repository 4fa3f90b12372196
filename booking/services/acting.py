"""Who acts for the customer of a reservation: starts, extends and ends its session, and says yes to what it costs.

Everybody of the customer may see it (``booking.access``). To act is for the person it is for, for who booked it in their name while they
agree, and for an administrator of the customer; to spend from a fund card also takes somebody who spends for its group.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from booking.models import Reservation
from booking.services import consents
from booking.services.sides import Sides, sides_of
from config.kernel.access import Actor, Role
from config.kernel.errors import Forbidden
from instruments.models import FundCard
from instruments.queries import actor_for
from instruments.queries import spending as cards


def answers_for(reservation: Reservation, actor: Actor) -> bool:
    """Whether the actor asked for it, or administers its customer."""
    return reservation.is_of(actor.user_id) or _administers(reservation, actor)


def acts(reservation: Reservation, actor: Actor, now: datetime, *, lock: bool = False) -> bool:
    """Whether the actor starts and ends its session as the customer. ``lock``: a consent stays so until the transaction ends."""
    return answers_for(reservation, actor) and consents.acts_for(reservation, actor, now, lock=lock)


def acted_for(actor: Actor, now: datetime) -> Q:
    """The reservations of which ``acts`` says so."""
    agreed = consents.open_ones(now).filter(
        organisation_id=OuterRef("organisation_id"), giver_id=OuterRef("requested_by_id"), taker_id=actor.user_id
    )
    administered = Q(organisation_id__in=actor.organisations(Role.FIRM_ADMIN))
    return Q(requested_by_id=actor.user_id) | administered | Q(Exists(agreed), booked_by_id=actor.user_id)


def pays(reservation: Reservation, actor: Actor, now: datetime, *, lock: bool = False) -> bool:
    """Whether the actor says yes for the customer to what it costs. On a fund card that is its group's leader, an administrator of the
    customer, and who acts for it as long as they spend for the group."""
    card_id = reservation.fund_card_id
    if card_id is None:
        return acts(reservation, actor, now, lock=lock)
    if _leader_id(card_id) == actor.user_id is not None:
        return reservation.organisation_id in actor.organisations()
    return acts(reservation, actor, now, lock=lock) and _spends(reservation, actor, card_id, now)


def may_object(reservation: Reservation, actor: Actor, now: datetime, *, lock: bool = False) -> bool:
    """Whether the actor says no for the customer: to times, or to what is charged beside them. It costs nothing, so the card is not
    asked about."""
    return acts(reservation, actor, now, lock=lock) or pays(reservation, actor, now, lock=lock)


def paying_sides(reservation: Reservation, actor: Actor, now: datetime, *, lock: bool = False) -> Sides:
    """For which sides the actor says yes to what is charged. ``reservation`` comes with its instrument. Raises as ``require_paying``
    where it is none."""
    lab = sides_of(reservation, actor).lab
    if not lab:
        require_paying(reservation, actor, now, lock=lock)
    return Sides(customer=not lab or pays(reservation, actor, now, lock=lock), lab=lab)


def require_acting(reservation: Reservation, actor: Actor, now: datetime, *, lock: bool = False) -> None:
    """Raises Forbidden ``booking.not_your_time`` (``person``), Refusal ``consent.over``."""
    if not answers_for(reservation, actor):
        raise Forbidden.of("booking.not_your_time", person=str(reservation.requested_by))
    consents.require_open(reservation, actor, now, lock=lock)


def require_paying(reservation: Reservation, actor: Actor, now: datetime, *, lock: bool = False) -> None:
    """Raises Forbidden ``booking.not_yours`` / ``card.not_your_spending`` (``leader``), Refusal ``consent.over``."""
    if pays(reservation, actor, now, lock=lock):
        return
    if not answers_for(reservation, actor):
        raise Forbidden.of("booking.not_yours")
    consents.require_open(reservation, actor, now, lock=lock)
    raise Forbidden.of("card.not_your_spending", leader=str(reservation.fund_card.group.leader) if reservation.fund_card else "")


def require_person_paying(reservation: Reservation, now: datetime) -> None:
    """What the lab does for the customer costs what whom it is booked for could say yes to.

    Raises Forbidden ``booking.person_does_not_spend`` (``person``, ``leader``).
    """
    card = reservation.fund_card
    if card is not None and not pays(reservation, actor_for(reservation.requested_by), now):
        raise Forbidden.of("booking.person_does_not_spend", person=str(reservation.requested_by), leader=str(card.group.leader))


def require_objecting(reservation: Reservation, actor: Actor, now: datetime) -> None:
    """Raises Forbidden ``booking.not_yours``, Refusal ``consent.over``."""
    if may_object(reservation, actor, now):
        return
    if not answers_for(reservation, actor):
        raise Forbidden.of("booking.not_yours")
    consents.require_open(reservation, actor, now)


def _administers(reservation: Reservation, actor: Actor) -> bool:
    return reservation.organisation_id in actor.organisations(Role.FIRM_ADMIN)


def _leader_id(card_id: int) -> int:
    return FundCard.objects.values_list("group__leader_id", flat=True).get(pk=card_id)


def _spends(reservation: Reservation, actor: Actor, card_id: int, now: datetime) -> bool:
    if _administers(reservation, actor):
        return True
    spent = cards.spent_by(actor.person_id, cards.today(now)).filter(pk=card_id)
    return reservation.organisation_id in actor.organisations() and spent.exists()
