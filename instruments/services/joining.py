"""Asking to join an organisation that exists already."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from config.kernel.access import Actor, get_visible, visible_to
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from instruments.access import administers
from instruments.models import JoinRequest, Membership, Organisation, OrganisationIdentifier, OrganisationKind, OrganisationStatus
from instruments.rules.identifiers import normalise_uscc
from instruments.rules.names import clean_name
from instruments.rules.roles import ADMINISTRATORS
from instruments.services import mails, members
from instruments.services.organisations import locked, require_person

NOTE_MAX_LENGTH = 300


def organisations_with_code(code: str) -> QuerySet[Organisation]:
    """The organisations that have ``code`` as an identifier. Who knows the code may ask to join; offices are not joined so."""
    values = {code.strip(), normalise_uscc(code)} - {""}
    holders = OrganisationIdentifier.objects.filter(value__in=values).values("organisation_id")
    joinable = Organisation.objects.exclude(kind=OrganisationKind.GOVERNMENT).exclude(status=OrganisationStatus.SUSPENDED)
    return joinable.filter(pk__in=holders).order_by("pk")


@whole
def request_to_join(actor: Actor, organisation_id: int, code: str, note: str, now: datetime) -> JoinRequest:
    """Ask the administrators of an organisation that the actor sees or whose ``code`` the actor knows.

    Raises NotFound, Forbidden ``access.login_needed``, Conflict ``join.asked_already``, Refusal
    ``join.member_already``, ``join.office``, ``name.*`` (field ``note``).
    """
    user_id = require_person(actor)
    organisation = (
        organisations_with_code(code).filter(pk=organisation_id).first()
        or visible_to(Organisation.objects.all(), actor).filter(pk=organisation_id).first()
    )
    if organisation is None:
        raise NotFound.of("access.not_found", model="organisation")
    if organisation.kind == OrganisationKind.GOVERNMENT:
        raise Refusal.of("join.office")
    if Membership.objects.filter(organisation=organisation, user_id=user_id).exists():
        raise Refusal.of("join.member_already", name=organisation.name)
    text = clean_name(note, NOTE_MAX_LENGTH, "note") if note.strip() else ""
    try:
        with transaction.atomic():
            request = JoinRequest.objects.create(organisation=organisation, user_id=user_id, note=text, created_at=now)
    except IntegrityError:
        raise Conflict.of("join.asked_already", name=organisation.name) from None
    audit.record(actor, "join.request", request, now, after={"organisation_id": organisation.pk, "note": text})
    administrators = Membership.objects.filter(
        organisation=organisation, role__in=ADMINISTRATORS[organisation.kind], user__is_active=True
    )
    mails.join_requested(request, [membership.user for membership in administrators.select_related("user")], now)
    return request


@whole
def decide_join_request(actor: Actor, request_id: int, accept: bool, role: str, now: datetime, reason: str = "") -> JoinRequest:
    """Let the person in with ``role``, or not. ``role`` counts only when they are let in.

    Raises NotFound, Forbidden, Conflict ``join.decided_already``, Refusal ``members.role_unknown``.
    """
    found = get_visible(JoinRequest.objects.all(), actor, pk=request_id)
    organisation = locked(actor, found.organisation_id) if administers(actor, found.organisation) else None
    if organisation is None:
        raise Forbidden.of("access.role_needed", roles=sorted(ADMINISTRATORS[found.organisation.kind]))
    request = JoinRequest.objects.select_related("user").get(pk=found.pk)
    if request.decided_at is not None:
        raise Conflict.of("join.decided_already")
    if accept:
        members.add_role(organisation, request.user_id, members.checked_role(organisation, role), now)
    request.decided_at, request.decided_by_id, request.accepted = now, actor.user_id, accept
    request.save(update_fields=["decided_at", "decided_by", "accepted"])
    after = {"accepted": accept, "role": role if accept else "", "user_id": request.user_id}
    audit.record(actor, "join.decide", request, now, after=after, reason=reason)
    mails.join_decided(request, organisation, now)
    return request
