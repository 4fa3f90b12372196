"""Inviting a colleague by e-mail."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from config.kernel.access import Actor, get_visible
from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.services import audit
from config.kernel.services.tokens import digest
from config.kernel.services.transactions import whole
from instruments.access import administers
from instruments.models import Invitation, Membership, Organisation, OrganisationKind, OrganisationStatus, User
from instruments.rules.roles import ADMINISTRATORS
from instruments.services import mails, members
from instruments.services.organisations import locked_for_administration, require_person

VALID_FOR = timedelta(days=14)
MAX_OPEN = 50
A_DAY = timedelta(days=1)
MAX_A_DAY, MAX_A_DAY_TO_ONE = 100, 5


@whole
def invite(actor: Actor, organisation_id: int, email: str, role: str, now: datetime) -> Invitation:
    """Invite ``email`` to ``role``; the mail carries the only copy of the link's token. An open one to them is replaced.

    Raises NotFound, Forbidden, Refusal ``invitation.email_invalid``, ``invitation.member_already``,
    ``invitation.too_many``, ``invitation.too_often``, ``members.role_unknown``, ``members.own_official_role``.
    """
    organisation = locked_for_administration(actor, organisation_id)
    members.checked_role(organisation, role)
    address = _checked_email(email)
    invitee = User.objects.filter(email=address).first()
    if invitee is not None and organisation.kind == OrganisationKind.GOVERNMENT and invitee.pk == actor.user_id:
        raise Refusal.of("members.own_official_role", field="email")
    if Membership.objects.filter(organisation=organisation, user=invitee, role=role).exists():
        raise Refusal.of("invitation.member_already", field="email", email=address)
    still_open = organisation.invitations.filter(accepted_at=None, withdrawn_at=None, expires_at__gt=now)
    _refuse_too_often(organisation, address, now)
    still_open.filter(email=address).update(withdrawn_at=now)
    if still_open.count() >= MAX_OPEN:
        raise Refusal.of("invitation.too_many", maximum=MAX_OPEN)
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        organisation=organisation,
        email=address,
        role=role,
        token_sha256=digest(token),
        invited_by_id=require_person(actor),
        created_at=now,
        expires_at=now + VALID_FOR,
    )
    audit.record(
        actor, "invitation.create", invitation, now, after={"organisation_id": organisation.pk, "email": address, "role": role}
    )
    mails.invitation(invitation, token, actor.name, invitee, now)
    return invitation


@whole
def withdraw_invitation(actor: Actor, invitation_id: int, now: datetime) -> Invitation:
    """Make the link useless. Raises NotFound, Forbidden, Refusal ``invitation.used``."""
    found = Invitation.objects.select_related("organisation").select_for_update(of=("self",))
    invitation = get_visible(found, actor, pk=invitation_id)
    if not administers(actor, invitation.organisation):
        raise Forbidden.of("access.role_needed", roles=sorted(ADMINISTRATORS[invitation.organisation.kind]))
    if invitation.accepted_at is not None:
        raise Refusal.of("invitation.used")
    if invitation.withdrawn_at is None:
        invitation.withdrawn_at = now
        invitation.save(update_fields=["withdrawn_at"])
        audit.record(actor, "invitation.withdraw", invitation, now)
    return invitation


@whole
def accept_invitation(actor: Actor, token: str, now: datetime) -> Invitation:
    """Join with the invited role; works once, in time, for the person with the invited address.

    Raises NotFound for an unknown token, Forbidden ``invitation.other_address`` or ``access.login_needed``, Refusal
    ``invitation.used``, ``invitation.withdrawn``, ``invitation.expired``, ``invitation.organisation_suspended``,
    ``members.own_official_role``.
    """
    user_id = require_person(actor)
    invitation = (
        Invitation.objects.select_related("organisation")
        .select_for_update(of=("self",))
        .filter(token_sha256=digest(token))
        .first()
    )
    if invitation is None:
        raise NotFound.of("access.not_found", model="invitation")
    if User.objects.get(pk=user_id).email.lower() != invitation.email.lower():
        raise Forbidden.of("invitation.other_address")
    if invitation.organisation.kind == OrganisationKind.GOVERNMENT and invitation.invited_by_id == user_id:
        raise Refusal.of("members.own_official_role")  # the address became the operator's own after the invitation
    refuse_unless_open(invitation, now)
    invitation.accepted_at = now
    invitation.save(update_fields=["accepted_at"])
    members.add_role(invitation.organisation, user_id, invitation.role, now)
    audit.record(
        actor,
        "invitation.accept",
        invitation,
        now,
        after={"organisation_id": invitation.organisation_id, "role": invitation.role},
    )
    return invitation


def refuse_unless_open(invitation: Invitation, now: datetime) -> None:
    """Raise Refusal when an invitation can no longer be accepted."""
    if invitation.accepted_at is not None:
        raise Refusal.of("invitation.used")
    if invitation.withdrawn_at is not None:
        raise Refusal.of("invitation.withdrawn")
    if invitation.expires_at <= now:
        raise Refusal.of("invitation.expired")
    if invitation.organisation.status == OrganisationStatus.SUSPENDED:
        raise Refusal.of("invitation.organisation_suspended")


def _refuse_too_often(organisation: Organisation, address: str, now: datetime) -> None:
    """Every invitation is a mail to somebody who has not asked for it; withdrawing one and sending another does not help."""
    of_today = organisation.invitations.filter(created_at__gt=now - A_DAY)
    for rows, maximum in ((of_today.filter(email=address), MAX_A_DAY_TO_ONE), (of_today, MAX_A_DAY)):
        if rows.count() >= maximum:
            raise Refusal.of("invitation.too_often", field="email", maximum=maximum)


def _checked_email(text: str) -> str:
    address = text.strip().lower()
    try:
        validate_email(address)
    except ValidationError:
        raise Refusal.of("invitation.email_invalid", field="email") from None
    if len(address) > 254:
        raise Refusal.of("invitation.email_invalid", field="email")
    return address
