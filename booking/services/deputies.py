"""While a manager is away a colleague answers in their place: who that is, who is told instead, and in whose name it was decided.

A deputy is a manager of the same lab: nobody may do more because somebody else is away.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL

from booking.models import Delegation
from config.kernel.access import Actor, Role, get_visible, visible_to
from config.kernel.errors import Forbidden, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from config.kernel.statements import planned_once
from config.kernel.time_range import TimeRange
from instruments.models import Membership, Organisation, User
from instruments.rules.wall_time import local_day
from instruments.services.answer_time import zone_of_owner
from instruments.services.notices import ID, News, person, tell

LONGEST_DAYS = 366
NAMED, ENDED = "lab.deputy_named", "lab.deputy_ended"


@dataclass(frozen=True, slots=True)
class Absence:
    """From the first to the last local day of the lab, both included. ``also_manager``: who is away goes on being told."""

    first_on: date
    last_on: date
    also_manager: bool = True


@whole
def name(actor: Actor, organisation_id: int, deputy_id: int, absence: Absence, now: datetime) -> Delegation:
    """A colleague answers in the actor's place for some days.

    Raises NotFound, Forbidden, Refusal ``deputy.days``, ``deputy.not_a_manager``, ``deputy.yourself``, ``deputy.away``,
    ``deputy.overlaps``.
    """
    lab = get_visible(Organisation.objects.select_for_update(no_key=True), actor, pk=organisation_id)
    actor.require_in(lab.pk, Role.LAB_MANAGER)
    during = _days(lab, absence, now)
    if deputy_id == actor.person_id:
        raise Refusal.of("deputy.yourself", "deputy")
    deputy = colleagues(actor, lab.pk).filter(pk=deputy_id).first()
    if deputy is None:
        raise Refusal.of("deputy.not_a_manager", "deputy")
    if _running(lab.pk, during).filter(manager_id=deputy_id).exists():
        raise Refusal.of("deputy.away", "deputy", deputy=str(deputy))
    if _running(lab.pk, during).filter(manager_id=actor.person_id).exists():
        raise Refusal.of("deputy.overlaps", "first_on")
    row = Delegation.objects.create(
        organisation=lab,
        manager_id=actor.person_id,
        deputy=deputy,
        starts_at=during.starts_at,
        ends_at=during.ends_at,
        also_manager=absence.also_manager,
        created_at=now,
    )
    audit.record(actor, "organisation.deputy_named", lab, now, before={}, after=_said(row))
    tell(News(NAMED, _params(row, str(actor.name), lab), "/approvals/", lab_id=lab.pk), person(deputy.pk), now)
    return row


@whole
def end(actor: Actor, delegation_id: int, now: datetime) -> None:
    """The manager is back, or the deputy cannot. Raises NotFound, Forbidden, Refusal ``deputy.ended``."""
    rows = Delegation.objects.select_related("organisation").select_for_update(of=("self",), no_key=True)
    row = get_visible(rows, actor, pk=delegation_id)
    if actor.user_id not in (row.manager_id, row.deputy_id):
        raise Forbidden.of("deputy.not_yours")
    if row.ended_at is not None or row.ends_at <= now:
        raise Refusal.of("deputy.ended")
    before = _said(row)
    row.ended_at = now
    row.save(update_fields=["ended_at"])
    audit.record(actor, "organisation.deputy_ended", row.organisation, now, before=before, after={"ended_at": now.isoformat()})
    other = row.deputy_id if actor.user_id == row.manager_id else row.manager_id
    tell(
        News(ENDED, _params(row, str(actor.name), row.organisation), "/approvals/", lab_id=row.organisation_id),
        person(other),
        now,
    )


def _days(lab: Organisation, absence: Absence, now: datetime) -> TimeRange:
    zone = zone_of_owner(lab.pk)
    first, last = local_day(absence.first_on, zone), local_day(absence.last_on, zone)
    length = absence.last_on - absence.first_on
    if not timedelta() <= length < timedelta(days=LONGEST_DAYS) or last.ends_at <= now:
        raise Refusal.of("deputy.days", "last_on", days=LONGEST_DAYS)
    return TimeRange(first.starts_at, last.ends_at)


def _running(organisation_id: int, during: TimeRange) -> QuerySet[Delegation]:
    return Delegation.objects.filter(
        organisation_id=organisation_id, ended_at=None, starts_at__lt=during.ends_at, ends_at__gt=during.starts_at
    )


def _said(row: Delegation) -> dict[str, object]:
    return {
        "manager": row.manager_id,
        "deputy": row.deputy_id,
        "starts_at": row.starts_at.isoformat(),
        "ends_at": row.ends_at.isoformat(),
        "also_manager": row.also_manager,
    }


def _params(row: Delegation, who: str, lab: Organisation) -> dict[str, str]:
    zone = zone_of_owner(lab.pk)
    return {
        "who": who,
        "lab": lab.name,
        "lab_en": lab.name_en,
        "starts_at": row.starts_at.astimezone(zone).isoformat(),
        "ends_at": row.ends_at.astimezone(zone).isoformat(),
    }


def colleagues(actor: Actor, organisation_id: int) -> QuerySet[User]:
    """The other managers of a lab of the actor's, by name."""
    actor.require_in(organisation_id, Role.LAB_MANAGER)
    managers = Membership.objects.filter(organisation_id=organisation_id, role=Role.LAB_MANAGER)
    return (
        User.objects.filter(pk__in=managers.values("user_id"), is_active=True)
        .exclude(pk=actor.person_id)
        .order_by("full_name", "pk")
    )


def coming(actor: Actor, now: datetime) -> list[Delegation]:
    """Who stands in for whom, now or later, at the labs of the actor, or where the actor is the deputy."""
    rows = visible_to(Delegation.objects.filter(ended_at=None, ends_at__gt=now), actor)
    return list(rows.select_related("manager", "deputy", "organisation").order_by("starts_at", "pk"))


_STANDS_FOR = """
SELECT manager_id FROM booking_delegation
 WHERE organisation_id = %s AND deputy_id = %s AND ended_at IS NULL AND starts_at <= %s AND ends_at > %s
 ORDER BY starts_at, id LIMIT 1
"""


def stands_for(actor: Actor, organisation_id: int, now: datetime) -> int | None:
    """The manager in whose place the actor decides there now; None: in their own name."""
    with planned_once() as cursor:
        cursor.execute(_STANDS_FOR, [organisation_id, actor.user_id, now, now])
        found = cursor.fetchone()
    return int(found[0]) if found else None


# By hand, as every request to a lab asks it.
_NOT_TOLD = """
SELECT d.manager_id FROM booking_delegation d
 WHERE d.organisation_id = %s AND NOT d.also_manager AND d.ended_at IS NULL AND d.starts_at <= %s AND d.ends_at > %s
   AND EXISTS (SELECT FROM instruments_membership m JOIN instruments_user u ON u.id = m.user_id
                WHERE m.organisation_id = d.organisation_id AND m.user_id = d.deputy_id AND m.role = %s AND u.is_active)
"""


def not_told(organisation_id: int, now: datetime) -> Q:
    """The managers who are away and want to hear nothing, as long as their deputy is still a manager who can be told."""
    values = [organisation_id, now, now, Role.LAB_MANAGER]
    return Q(pk__in=RawSQL(_NOT_TOLD, values, ID))  # noqa: S611  (constants only; values are bound)
