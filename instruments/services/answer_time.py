"""How soon an owner promises to answer questions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from instruments.models import Organisation, OrganisationKind, Site
from instruments.rules.answer_time import MOST_WORKDAYS


def zones_of_owners(owner_ids: Iterable[int]) -> dict[int, ZoneInfo]:
    """The zones in whose days owners answer, by id: that of the first site of each, else the platform's. One query."""
    wanted = set(owner_ids)
    sites = Site.objects.filter(organisation_id__in=wanted).order_by("organisation_id", "pk").distinct("organisation_id")
    known = dict(sites.values_list("organisation_id", "time_zone"))
    return {pk: ZoneInfo(known.get(pk) or settings.TIME_ZONE) for pk in wanted}


def zone_of_owner(owner_id: int) -> ZoneInfo:
    """As ``zones_of_owners``, of one."""
    return zones_of_owners([owner_id])[owner_id]


@whole
def set_answer_workdays(actor: Actor, organisation_id: int, workdays: int, now: datetime) -> Organisation:
    """Promise an answer within so many working days; what is asked already keeps the promise that was shown.

    Raises NotFound, Forbidden, Refusal ``enquiry.workdays_out_of_range``.
    """
    rows = Organisation.objects.select_for_update(no_key=True).filter(kind=OrganisationKind.OWNER)
    owner = get_visible(rows, actor, pk=organisation_id)
    actor.require_in(owner.pk, Role.LAB_MANAGER)
    if not 1 <= workdays <= MOST_WORKDAYS:
        raise Refusal.of("enquiry.workdays_out_of_range", "workdays", most=MOST_WORKDAYS)
    before = owner.answer_workdays
    if before != workdays:
        owner.answer_workdays = workdays
        owner.save(update_fields=["answer_workdays"])
        known, wanted = {"answer_workdays": before}, {"answer_workdays": workdays}
        audit.record(actor, "organisation.answer_workdays", owner, now, before=known, after=wanted)
    return owner
