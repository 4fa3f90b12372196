"""Who does what in an organisation."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from config.kernel.access import Actor
from config.kernel.errors import NotFound, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from instruments.models import Membership, Organisation, OrganisationKind
from instruments.rules.roles import ADMINISTRATORS, ROLES
from instruments.services.organisations import locked, locked_for_administration
from instruments.services.research_groups import leave_groups


def checked_role(organisation: Organisation, role: str) -> str:
    """``role`` when there is such a one in this kind of organisation. Raises Refusal ``members.role_unknown``."""
    known = [found.value for found in ROLES[organisation.kind]]
    if role not in known:
        raise Refusal.of("members.role_unknown", field="role", known=known)
    return role


@whole
def change_roles(actor: Actor, organisation_id: int, user_id: int, roles: Iterable[str], now: datetime) -> list[str]:
    """Give a member exactly ``roles`` (at least one); returns them sorted.

    Raises NotFound (no such organisation or member), Forbidden, Refusal ``members.role_unknown``,
    ``members.role_needed``, ``members.own_official_role``, ``members.last_administrator``.
    """
    organisation = locked_for_administration(actor, organisation_id)
    wanted = sorted({checked_role(organisation, role) for role in roles})
    if not wanted:
        raise Refusal.of("members.role_needed", field="roles")
    if organisation.kind == OrganisationKind.GOVERNMENT and user_id == actor.user_id:
        raise Refusal.of("members.own_official_role", field="roles")
    held = _roles_of(organisation, user_id)
    _refuse_without_administrator(organisation, user_id, wanted)
    Membership.objects.filter(organisation=organisation, user_id=user_id).exclude(role__in=wanted).delete()
    for role in set(wanted) - set(held):
        Membership.objects.create(organisation=organisation, user_id=user_id, role=role, created_at=now)
    if wanted != held:
        after = {"user_id": user_id, "roles": wanted}
        audit.record(actor, "members.change", organisation, now, before={"user_id": user_id, "roles": held}, after=after)
    return wanted


@whole
def remove_member(actor: Actor, organisation_id: int, user_id: int, now: datetime, reason: str = "") -> None:
    """Take all roles from a member; anybody may leave by themselves.

    Raises NotFound, Forbidden, Refusal ``members.last_administrator``, ``group.leader_leaves``.
    """
    organisation = (
        locked(actor, organisation_id) if user_id == actor.user_id else locked_for_administration(actor, organisation_id)
    )
    held = _roles_of(organisation, user_id)
    _refuse_without_administrator(organisation, user_id, [])
    leave_groups(organisation, user_id, actor, now)
    Membership.objects.filter(organisation=organisation, user_id=user_id).delete()
    before = {"user_id": user_id, "roles": held}
    audit.record(
        actor, "members.remove", organisation, now, before=before, after={"user_id": user_id, "roles": []}, reason=reason
    )


def add_role(organisation: Organisation, user_id: int, role: str, now: datetime) -> None:
    """Give a person one role more; nothing happens when they have it."""
    Membership.objects.get_or_create(organisation=organisation, user_id=user_id, role=role, defaults={"created_at": now})


def _roles_of(organisation: Organisation, user_id: int) -> list[str]:
    held = sorted(Membership.objects.filter(organisation=organisation, user_id=user_id).values_list("role", flat=True))
    if not held:
        raise NotFound.of("access.not_found", model="membership")
    return held


def _refuse_without_administrator(organisation: Organisation, user_id: int, wanted: list[str]) -> None:
    """The organisation is locked, so two administrators cannot leave at the same moment."""
    administrators = ADMINISTRATORS[organisation.kind]
    if administrators & set(wanted):
        return
    holders = Membership.objects.filter(organisation=organisation, role__in=administrators, user__is_active=True)
    if holders.filter(user_id=user_id).exists() and not holders.exclude(user_id=user_id).exists():
        raise Refusal.of("members.last_administrator")
