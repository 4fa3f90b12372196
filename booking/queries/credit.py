"""Credit points and lists: the records of both sides. What holds against a person is ``booking.credit_queries``."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, QuerySet

from booking.credit_queries import in_use, measures_against, rules_of, rules_of_owner
from booking.models import AccessListEntry, CreditAppeal, CreditEvent, CreditRules
from booking.rules.credit import PastEvent, Scope, Standing, policy_from, standing_of
from config.kernel.access import Actor, Role, get_visible, visible_to
from instruments.models import Organisation

__all__ = ["in_use", "measures_against", "rules_of"]


# --- Records ----------------------------------------------------------------------------------------------------------
def events_visible(actor: Actor) -> QuerySet[CreditEvent]:
    """With what a list shows, the latest first."""
    rows = visible_to(CreditEvent.objects.all(), actor)
    return rows.select_related(
        "person", "organisation", "instrument", "reservation", "made_by", "appeal__decided_by", "reversal", "reverses"
    ).order_by("-at", "-pk")


def my_events(actor: Actor) -> QuerySet[CreditEvent]:
    """The person's own."""
    return events_visible(actor).filter(person_id=actor.person_id)


def lab_events(actor: Actor) -> QuerySet[CreditEvent]:
    """Those at the labs that the actor manages; the operator's are all."""
    rows = events_visible(actor)
    return rows if actor.has(Role.OPERATOR) else rows.filter(organisation_id__in=actor.organisations(Role.LAB_MANAGER))


def keeps_points(owner_ids: Iterable[int]) -> bool:
    """Whether points count anywhere at these labs: by rules of theirs or by the platform's."""
    return CreditRules.objects.filter(Q(organisation=None) | Q(organisation_id__in=owner_ids)).exists()


def open_appeals(actor: Actor) -> QuerySet[CreditAppeal]:
    """Appeals that wait for the actor's labs (the operator's: all), the oldest first; not about what was given back meanwhile."""
    rows = visible_to(CreditAppeal.objects.filter(state="open", event__reversal=None), actor)
    if not actor.has(Role.OPERATOR):
        rows = rows.filter(event__organisation_id__in=actor.organisations(Role.LAB_MANAGER))
    return rows.select_related("event__person", "event__organisation", "event__reservation").order_by("made_at", "pk")


def appeal_for(actor: Actor, appeal_id: int) -> CreditAppeal:
    """Raises NotFound."""
    rows = CreditAppeal.objects.select_related("event__person", "event__organisation", "event__reservation", "event__made_by")
    return get_visible(rows, actor, pk=appeal_id)


def list_entries(actor: Actor, now: datetime) -> QuerySet[AccessListEntry]:
    """Entries in force that the actor may see, the latest first."""
    rows = visible_to(AccessListEntry.objects.filter(ended_at=None), actor).filter(Q(until=None) | Q(until__gt=now))
    return rows.select_related("organisation", "instrument", "person", "customer", "created_by").order_by("-created_at", "-pk")


def stored_rules(actor: Actor, owner_id: int | None) -> CreditRules | None:
    """The rules of a lab, or the platform's, as they are stored. Raises NotFound for a lab that the actor does not see."""
    if owner_id is not None:
        get_visible(Organisation.objects.all(), actor, pk=owner_id)
    return visible_to(rules_of_owner(owner_id), actor).select_related("changed_by").first()


def my_standings(actor: Actor, now: datetime) -> list[tuple[CreditRules, Standing]]:
    """The person's score under the platform's rules and under those of every lab where something happened, with what follows."""
    noted = list(my_events(actor).filter(reverses=None))
    events = [one for one in noted if not hasattr(one, "reversal")]
    owners = {one.organisation_id for one in noted}
    rules = visible_to(CreditRules.objects.filter(Q(organisation_id__in=owners) | Q(organisation=None)), actor)
    found = []
    for row in rules.select_related("organisation").order_by("organisation__name_pinyin", "pk"):
        scope = Scope.PLATFORM if row.organisation_id is None else Scope.LAB
        if scope is Scope.PLATFORM:
            counted = [PastEvent(one.at, one.platform_points, one.instrument_id, one.kind) for one in events]
        else:
            own = [one for one in events if one.organisation_id == row.organisation_id]
            counted = [PastEvent(one.at, one.lab_points, one.instrument_id, one.kind) for one in own]
        found.append((row, standing_of(policy_from(row.document, scope), scope, counted, now)))
    return found
