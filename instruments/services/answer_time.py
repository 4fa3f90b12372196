"""How soon an owner promises to answer questions."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from instruments.models import Organisation, OrganisationKind, Site
from instruments.rules.answer_time import MOST_WORKDAYS


def zone_of_owner(owner_id: int) -> ZoneInfo:
    """The zone in whose days an owner answers: that of its first site, else the platform's."""
    known = Site.objects.filter(organisation_id=owner_id).order_by("pk").values_list("time_zone", flat=True).first()
    return ZoneInfo(known or settings.TIME_ZONE)


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
