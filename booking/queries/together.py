"""What is asked for together, and which instruments go together."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q

from booking.models import Reservation, ReservationGroup
from config.kernel.access import Actor, get_visible, visible_to
from instruments.models import BOOKABLE_STATUSES, Instrument

OFFERED = 100
FOUND, MOST_WORDS = 20, 5


@dataclass(frozen=True, slots=True)
class GroupDetail:
    """A group and those of its reservations that the actor may see, by start."""

    group: ReservationGroup
    reservations: list[Reservation]


def group_detail(actor: Actor, group_id: int) -> GroupDetail:
    """Raises NotFound."""
    group = get_visible(ReservationGroup.objects.all(), actor, pk=group_id)
    rows = visible_to(Reservation.objects.filter(group=group), actor).select_related("instrument__site", "organisation")
    return GroupDetail(group, list(rows.order_by("starts_at", "pk")))


def asked_with(actor: Actor, reservation: Reservation) -> list[Reservation]:
    """The others of the reservation's group that the actor may see."""
    if reservation.group_id is None:
        return []
    rows = visible_to(Reservation.objects.filter(group_id=reservation.group_id).exclude(pk=reservation.pk), actor)
    return list(rows.select_related("instrument__site").order_by("starts_at", "pk"))


def goes_with(actor: Actor, chosen: Collection[int]) -> list[Instrument]:
    """What may be added to the chosen instruments: the others of their labs that can be booked, by name; two queries."""
    labs = visible_to(Instrument.objects.filter(pk__in=chosen), actor).values("organisation_id")
    rows = visible_to(Instrument.objects.filter(organisation_id__in=labs, status__in=BOOKABLE_STATUSES, published=True), actor)
    return list(rows.exclude(pk__in=chosen).order_by("name_pinyin", "pk")[:OFFERED])


def found_for(actor: Actor, text: str, chosen: Collection[int]) -> list[Instrument]:
    """Instruments of any lab that can be booked and have ``text`` in their name or model, by name; none for an empty text."""
    words = text.split()[:MOST_WORDS]
    if not words:
        return []
    rows = visible_to(Instrument.objects.filter(status__in=BOOKABLE_STATUSES, published=True), actor)
    for word in words:
        rows = rows.filter(Q(name__icontains=word) | Q(name_en__icontains=word) | Q(model__icontains=word))
    return list(rows.exclude(pk__in=chosen).select_related("organisation").order_by("name_pinyin", "pk")[:FOUND])
