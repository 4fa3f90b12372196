"""What every page of somebody who is logged in shows of them, in one query."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, Func, IntegerField, OuterRef, Value

from booking.models import InstrumentAssistant
from booking.queries.reservations import requests_waiting
from config.kernel.access import Actor, Role
from instruments.models import User
from instruments.queries.notices import unread


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """``unread``: notices, 100 at most; ``assists``: a lab named the person to assist in sessions; ``decides``: something waits for an
    administrator of an institution, who decides where a lab has no other manager (of managers, who always do, it is not asked)."""

    unread: int = 0
    assists: bool = False
    decides: bool = False


def facts_of(actor: Actor) -> PersonFacts:
    """The actor's own; nothing of nobody."""
    if actor.is_anonymous:
        return PersonFacts()
    waiting = Func(ArraySubquery(unread(actor).values("pk")), function="cardinality", output_field=IntegerField())
    named = Exists(InstrumentAssistant.objects.filter(assistant__person=OuterRef("pk")))
    heads = actor.has(Role.FIRM_ADMIN) and not actor.has(Role.LAB_MANAGER)
    decides = Exists(requests_waiting(actor)) if heads else Value(value=False)
    people = User.objects.filter(pk=actor.person_id).annotate(waiting=waiting, named=named, decides=decides)
    rows = people.values_list("waiting", "named", "decides")
    row = rows.first()
    return PersonFacts(*row) if row else PersonFacts()
