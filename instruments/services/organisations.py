"""Founding an organisation and keeping its profile."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Model

from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Conflict, Forbidden, Reason, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from instruments.access import administers, keeps_profile
from instruments.models import (
    FormerIdentifier,
    Membership,
    Organisation,
    OrganisationIdentifier,
    OrganisationKind,
    OrganisationStatus,
)
from instruments.rules.names import name_key
from instruments.rules.roles import ADMINISTRATORS, FOUNDERS
from instruments.services import catalogue
from instruments.services.organisation_facts import VERIFIED_FACTS, OrganisationFacts, changes, checked, facts_of, write

MAX_CLAIMED_PER_PERSON = 10


def require_person(actor: Actor) -> int:
    """The actor's user id. Raises Forbidden ``access.login_needed`` for nobody."""
    if actor.user_id is None:
        raise Forbidden.of("access.login_needed")
    return actor.user_id


def locked(actor: Actor, organisation_id: int) -> Organisation:
    """The organisation, locked until the transaction ends. Raises NotFound when the actor may not see it."""
    return get_visible(Organisation.objects.select_for_update(no_key=True), actor, pk=organisation_id)


def lock_organisation(organisation_id: int) -> None:
    """Lock the organisation of something that the actor may see, until the transaction ends; before what belongs to it is locked."""
    Organisation.objects.select_for_update(no_key=True).only("pk").get(pk=organisation_id)


def locked_for_administration(actor: Actor, organisation_id: int) -> Organisation:
    """The organisation, locked. Raises NotFound, or Forbidden when the actor does not administer it."""
    organisation = locked(actor, organisation_id)
    if not administers(actor, organisation):
        raise Forbidden.of("access.role_needed", roles=sorted(ADMINISTRATORS[organisation.kind]))
    return organisation


def look_alikes(name: str, except_id: int = 0) -> list[str]:
    """Names of organisations that look the same (their names, not their profiles, are open to everybody)."""
    found = Organisation.objects.filter(name_key=name_key(name)[:400]).exclude(pk=except_id)
    return list(found.order_by("pk").values_list("name", flat=True)[:5])


@whole
def create_organisation(
    actor: Actor, kind: str, facts: OrganisationFacts, now: datetime, *, accept_look_alike: bool = False
) -> Organisation:
    """Found an organisation that is *claimed* until an operator verifies it; its creator gets the founder's roles.

    A government office is opened by an operator only and is verified at once. Raises Refusal with every reason of
    ``organisation_facts.checked``, ``organisation.kind_unknown``, ``organisation.too_many_claimed``,
    ``organisation.looks_alike`` (unless ``accept_look_alike``); Conflict ``organisation.code_taken`` (extra:
    ``organisation_id``, ``name``: ask to join it); Forbidden.
    """
    user_id = require_person(actor)
    if kind not in OrganisationKind.values:
        raise Refusal.of("organisation.kind_unknown", field="kind")
    if kind == OrganisationKind.GOVERNMENT:
        actor.require(Role.OPERATOR)
    normal = checked(kind, facts)
    _refuse_too_many(user_id)
    _refuse_taken_codes(normal.identifiers)
    _refuse_look_alike(normal.name, 0, accept_look_alike)
    official = kind == OrganisationKind.GOVERNMENT
    organisation = Organisation(kind=kind, created_at=now)
    if official:
        organisation.status, organisation.verified_at = OrganisationStatus.VERIFIED, now
    write(organisation, normal)
    organisation.save()
    _write_identifiers(organisation, normal.identifiers)
    for role in FOUNDERS[kind]:
        Membership.objects.create(user_id=user_id, organisation=organisation, role=role, created_at=now)
    after = {"kind": kind, "status": organisation.status, "founder_roles": list(FOUNDERS[kind]), **asdict(normal)}
    audit.record(actor, "organisation.create", organisation, now, after=after)
    return organisation


@whole
def update_profile(
    actor: Actor, organisation_id: int, facts: OrganisationFacts, now: datetime, *, accept_look_alike: bool = False
) -> Organisation:
    """Replace the profile. A verified firm, team or owner whose name, code, region, size, class or zones change is *claimed* again.

    The dated history is the audit trail; what a subsidy was computed from is frozen with its charge. Raises as
    ``create_organisation`` does, and Refusal ``organisation.change_while_verifying``.
    """
    organisation = locked(actor, organisation_id)
    if not keeps_profile(actor, organisation):
        raise Forbidden.of("access.role_needed", roles=sorted(ADMINISTRATORS[organisation.kind]))
    normal = checked(organisation.kind, facts)
    before, after = changes(facts_of(organisation), normal)
    was_verified = organisation.status == OrganisationStatus.VERIFIED
    if not after:
        return organisation
    if "identifiers" in after:
        _refuse_taken_codes(normal.identifiers, organisation.pk)
    if "name" in after:
        _refuse_look_alike(normal.name, organisation.pk, accept_look_alike)
    if VERIFIED_FACTS & set(after):
        _claim_again(organisation, before, after)
    write(organisation, normal)
    organisation.save()
    if organisation.kind == OrganisationKind.OWNER:
        catalogue.refresh_owner(organisation.pk, now)
    if "identifiers" in after:
        _keep_what_was_left(organisation, was_verified, normal.identifiers, now)
        organisation.identifiers.all().delete()
        _write_identifiers(organisation, normal.identifiers)
    audit.record(actor, "organisation.update", organisation, now, before=before, after=after)
    return organisation


def _claim_again(organisation: Organisation, before: dict[str, object], after: dict[str, object]) -> None:
    if organisation.verification_requests.filter(decided_at__isnull=True).exists():
        raise Refusal.of("organisation.change_while_verifying")
    if organisation.status == OrganisationStatus.VERIFIED and organisation.kind != OrganisationKind.GOVERNMENT:
        before["status"], after["status"] = organisation.status, OrganisationStatus.CLAIMED.value
        organisation.status, organisation.verified_at = OrganisationStatus.CLAIMED, None


def _keep_what_was_left(organisation: Organisation, was_verified: bool, identifiers: dict[str, str], now: datetime) -> None:
    """Remember the codes of an organisation that was ever verified when it leaves them; one that nobody verified may be another one's.

    Ever: a change of another fact makes a verified organisation a claimed one again, and its code is no less its own.
    """
    if not was_verified and not organisation.verification_requests.filter(accepted=True).exists():
        return
    for had in organisation.identifiers.order_by("scheme"):
        if identifiers.get(had.scheme) != had.value:
            FormerIdentifier.objects.get_or_create(
                organisation=organisation, scheme=had.scheme, value=had.value, defaults={"left_at": now}
            )


def _write_identifiers(organisation: Organisation, identifiers: dict[str, str]) -> None:
    rows = [OrganisationIdentifier(organisation=organisation, scheme=s, value=v) for s, v in identifiers.items()]
    try:
        with transaction.atomic():
            OrganisationIdentifier.objects.bulk_create(rows)
    except IntegrityError:  # somebody claimed the code between our look and our write
        _refuse_taken_codes(identifiers, organisation.pk)
        raise


def _refuse_taken_codes(identifiers: dict[str, str], except_id: int = 0) -> None:
    for scheme, value in identifiers.items():
        held: tuple[type[Model], ...] = (OrganisationIdentifier, FormerIdentifier)
        rows = (model._default_manager.filter(scheme=scheme, value=value).exclude(organisation_id=except_id) for model in held)
        taken: Any = next((found for each in rows if (found := each.select_related("organisation").first())), None)
        if taken is not None:
            name = taken.organisation.name
            raise Conflict(
                Reason("organisation.code_taken", {"name": name, "scheme": scheme}, "identifier"),
                extra={"organisation_id": taken.organisation_id, "name": name},
            )


def _refuse_look_alike(name: str, except_id: int, accepted: bool) -> None:
    similar = [] if accepted else look_alikes(name, except_id)
    if similar:
        raise Refusal.of("organisation.looks_alike", field="name", names=similar)


def _refuse_too_many(user_id: int) -> None:
    claimed = Membership.objects.filter(user_id=user_id, organisation__status=OrganisationStatus.CLAIMED)
    if claimed.values("organisation_id").distinct().count() >= MAX_CLAIMED_PER_PERSON:
        raise Refusal.of("organisation.too_many_claimed", maximum=MAX_CLAIMED_PER_PERSON)
