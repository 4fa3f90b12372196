"""From claimed to verified: an organisation hands in a licence scan, an operator decides."""

from __future__ import annotations

from datetime import datetime

from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Conflict, Forbidden, Refusal
from config.kernel.models import StoredFile
from config.kernel.services import audit, files
from config.kernel.services.transactions import whole
from instruments.models import Membership, Organisation, OrganisationStatus, VerificationRequest
from instruments.services import catalogue, mails
from instruments.services.organisations import locked, locked_for_administration, require_person
from instruments.services.settling import settle
from instruments.services.uploads import clean_document

REASON_MAX_LENGTH = 1000


@whole
def submit_verification(actor: Actor, organisation_id: int, content: bytes, now: datetime) -> VerificationRequest:
    """Hand in the licence scan (PDF, JPEG or PNG by content).

    Raises NotFound, Forbidden, Refusal ``verification.verified_already``, ``verification.suspended`` or as
    ``uploads.clean_document``, Conflict ``verification.open_already``.
    """
    organisation = locked_for_administration(actor, organisation_id)
    if organisation.status == OrganisationStatus.VERIFIED:
        raise Refusal.of("verification.verified_already")
    if organisation.status == OrganisationStatus.SUSPENDED:
        raise Refusal.of("verification.suspended")
    if organisation.verification_requests.filter(decided_at__isnull=True).exists():  # locked: nobody slips in between
        raise Conflict.of("verification.open_already")
    clean = clean_document(content)
    user_id = require_person(actor)
    licence = files.store(
        clean.content,
        file_name=f"licence-{organisation.pk}.{clean.extension}",
        media_type=clean.media_type,
        user_id=user_id,
        now=now,
    )
    request = VerificationRequest.objects.create(
        organisation=organisation, licence=licence, submitted_by_id=user_id, submitted_at=now
    )
    after = {"organisation_id": organisation.pk, "sha256": licence.sha256}
    audit.record(actor, "verification.submit", request, now, after=after)
    settle(organisation, ["organisation.not_verified"], now)
    return request


@whole
def decide_verification(actor: Actor, request_id: int, accept: bool, reason: str, now: datetime) -> VerificationRequest:
    """Accept or refuse (with a reason), once. Nobody decides about their own organisation or what they handed in.

    Raises NotFound, Forbidden (not an operator, ``verification.own_organisation``), Conflict
    ``verification.decided_already``, Refusal ``verification.suspended``, ``verification.reason_needed``,
    ``verification.reason_too_long``.
    """
    actor.require(Role.OPERATOR)
    found = get_visible(VerificationRequest.objects.all(), actor, pk=request_id)
    organisation = locked(actor, found.organisation_id)
    request = VerificationRequest.objects.select_for_update(no_key=True).get(pk=found.pk)
    own = Membership.objects.filter(organisation=organisation, user_id=require_person(actor)).exists()
    if own or request.submitted_by_id == actor.user_id:
        raise Forbidden.of("verification.own_organisation")
    if request.decided_at is not None:
        raise Conflict.of("verification.decided_already")
    if accept and organisation.status == OrganisationStatus.SUSPENDED:
        raise Refusal.of("verification.suspended")
    text = reason.strip()
    if not accept and not text:
        raise Refusal.of("verification.reason_needed", field="reason")
    if len(text) > REASON_MAX_LENGTH:
        raise Refusal.of("verification.reason_too_long", field="reason", maximum=REASON_MAX_LENGTH)
    before = {"status": organisation.status}
    request.decided_at, request.decided_by_id = now, actor.user_id
    request.accepted, request.reason = accept, text
    request.save(update_fields=["decided_at", "decided_by", "accepted", "reason"])
    if accept and organisation.status == OrganisationStatus.CLAIMED:
        organisation.status, organisation.verified_at = OrganisationStatus.VERIFIED, now
        organisation.save(update_fields=["status", "verified_at"])
        catalogue.refresh_owner(organisation.pk, now)
    after = {"accepted": accept, "status": organisation.status, "organisation_id": organisation.pk}
    audit.record(actor, "verification.decide", request, now, before=before, after=after, reason=text)
    mails.verification_decided(request, organisation, now)
    return request


@whole
def set_suspension(actor: Actor, organisation_id: int, suspended: bool, reason: str, now: datetime) -> Organisation:
    """Suspend an organisation (its people's roles stop counting) or lift that; afterwards it is *claimed* again.

    Raises NotFound, Forbidden, Refusal ``verification.reason_needed``.
    """
    actor.require(Role.OPERATOR)
    organisation = locked(actor, organisation_id)
    if Membership.objects.filter(organisation=organisation, user_id=require_person(actor)).exists():
        raise Forbidden.of("verification.own_organisation")
    if not reason.strip():
        raise Refusal.of("verification.reason_needed", field="reason")
    before = organisation.status
    if suspended == (before == OrganisationStatus.SUSPENDED):
        return organisation
    organisation.status = OrganisationStatus.SUSPENDED if suspended else OrganisationStatus.CLAIMED
    organisation.verified_at = None
    organisation.save(update_fields=["status", "verified_at"])
    catalogue.refresh_owner(organisation.pk, now)
    action = "organisation.suspend" if suspended else "organisation.reinstate"
    after = {"status": organisation.status}
    audit.record(
        actor, action, organisation, now, before={"status": before}, after=after, reason=reason.strip()[:REASON_MAX_LENGTH]
    )
    return organisation


def licence_for(actor: Actor, request_id: int) -> tuple[StoredFile, bytes]:
    """The licence scan with its bytes, for whoever may see the request. Raises NotFound, Refusal ``files.*``."""
    request = get_visible(VerificationRequest.objects.select_related("licence"), actor, pk=request_id)
    return request.licence, files.read(request.licence)
