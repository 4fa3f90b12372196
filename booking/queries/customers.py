"""Searching for whom a lab may enter a booking. Nobody is found by a part of anything whom the lab does not know, and of other firms'
people nothing is told."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from booking.customer_queries import by_address, known
from booking.queries.policies import Somebody, lab_of
from config.kernel.access import Actor
from config.kernel.errors import Refusal
from instruments.models import Membership, Organisation, OrganisationStatus, User

MOST_FOUND = 20
SHORTEST = 2
LONGEST = 254


@dataclass(frozen=True, slots=True)
class Found:
    """``people`` whom one may choose; ``more``: there are others, so that more has to be typed. ``organisation``: a verified one of exactly
    that name or code, of which the lab knows nobody yet: the exact address of the person is needed."""

    people: list[Somebody]
    more: bool = False
    organisation: str = ""


def find(actor: Actor, lab_id: int, text: str) -> Found:
    """By a part of the name, address or organisation those whom the lab knows; others by their exact address alone, by which they are
    called then. Raises NotFound, Forbidden, Refusal ``entry.search_short`` (``q``)."""
    lab_of(actor, lab_id)
    text = " ".join(text.split())[:LONGEST]
    if len(text) < SHORTEST:
        raise Refusal.of("entry.search_short", "q", least=SHORTEST)
    part = Q(user__full_name__icontains=text) | Q(user__email__icontains=text) | Q(organisation__name__icontains=text)
    part |= Q(organisation__name_en__icontains=text) | Q(organisation__identifiers__value=text)
    rows = _in_order(known(lab_id).filter(part), actor)
    people = [_somebody(one, by_address=False) for one in rows[: MOST_FOUND + 1]]
    if people:
        return Found(people[:MOST_FOUND], len(people) > MOST_FOUND)
    others = [_somebody(one, by_address=True) for one in _in_order(by_address(text), actor)]
    if others:
        return Found(others)
    exactly = Q(name=text) | Q(name_en=text) | Q(identifiers__value=text)
    named = Organisation.objects.filter(exactly, status=OrganisationStatus.VERIFIED).first()
    return Found([], organisation=named.name if named is not None else "")


def _in_order(rows: QuerySet[Membership], actor: Actor) -> QuerySet[Membership]:
    """Each person once for each organisation, by name; nobody enters anything for themselves."""
    once = (
        rows.exclude(user_id=actor.person_id).order_by("user_id", "organisation_id", "pk").distinct("user_id", "organisation_id")
    )
    found = Membership.objects.filter(pk__in=once.values("pk")).select_related("user", "organisation")
    return found.order_by("organisation__name_pinyin", "user__full_name", "pk")


def called(person: User, *, by_address: bool) -> str:
    """What somebody is called who was found: who was typed by address, by that alone."""
    return person.email if by_address else person.full_name or person.email


def _somebody(one: Membership, *, by_address: bool) -> Somebody:
    name = called(one.user, by_address=by_address)
    return Somebody(one.user_id, name, one.organisation_id, one.organisation.name, by_address)


def chosen(person_id: int, organisation_id: int) -> tuple[User | None, Organisation | None]:
    """Who was found before; whether they may be booked for is asked when it is entered. None who is gone, or cannot log in."""
    person = User.objects.filter(pk=person_id, is_active=True).first()
    return person, Organisation.objects.filter(pk=organisation_id).first()
