"""What every page of somebody who is logged in shows of them, in one query."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, Func, IntegerField, OuterRef

from booking.models import InstrumentAssistant
from config.kernel.access import Actor
from instruments.models import User
from instruments.queries.notices import unread


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """``unread``: notices, 100 at most; ``assists``: a lab named the person to assist in sessions."""

    unread: int = 0
    assists: bool = False


def facts_of(actor: Actor) -> PersonFacts:
    """The actor's own; nothing of nobody."""
    if actor.is_anonymous:
        return PersonFacts()
    waiting = Func(ArraySubquery(unread(actor).values("pk")), function="cardinality", output_field=IntegerField())
    named = Exists(InstrumentAssistant.objects.filter(assistant__person=OuterRef("pk")))
    rows = User.objects.filter(pk=actor.person_id).annotate(waiting=waiting, named=named).values_list("waiting", "named")
    row = rows.first()
    return PersonFacts(*row) if row else PersonFacts()
