"""A firm, a team or an owner declares, the operator verifies: two people, each declaration once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection
from django.utils import timezone

from billing.firms import loading
from billing.firms.models import DeclarationKind, FirmDeclaration
from billing.firms.rules.declarations import DECLARES, LABELS_OF, Declared, checked
from billing.firms.rules.group import Tie, circle
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Conflict, Forbidden, Refusal
from config.kernel.models import StoredFile
from config.kernel.services import audit, files
from config.kernel.services.transactions import constraint_name, whole
from instruments.models import FormerIdentifier, Membership, OrganisationIdentifier
from instruments.services.organisations import locked_for_administration, require_person
from instruments.services.uploads import clean_document

REASON_LENGTH = 1000
MOST_WAITING = 20
NO_CIRCLE = "firm_no_circle"


@dataclass(frozen=True, slots=True)
class Declaration:
    """What is declared: ``content`` as ``billing.firms.rules.declarations`` names it, with ``valid_from`` and ``valid_to`` among it;
    ``evidence`` the bytes of the scan."""

    kind: str
    content: Mapping[str, Any]
    evidence: bytes


@whole
def declare(actor: Actor, organisation_id: int, given: Declaration, now: datetime) -> FirmDeclaration:
    """Keep a declaration of a firm, a team or an owner until the operator decides.

    Raises NotFound, Forbidden, Refusal as ``declarations.checked`` and ``uploads.clean_document``, ``firm.only_firms``,
    ``firm.not_of_owners`` (``kind``), ``firm.itself``, ``firm.circle``, ``firm.many_waiting``.
    """
    organisation = locked_for_administration(actor, organisation_id)
    if organisation.kind not in DECLARES:
        raise Refusal.of("firm.only_firms")
    if given.kind in DeclarationKind.values and given.kind not in DECLARES[organisation.kind]:
        raise Refusal.of("firm.not_of_owners", field="kind")
    declared = checked(given.kind, given.content, timezone.localdate(now))
    if given.kind == DeclarationKind.LABEL and declared.content["label"] not in LABELS_OF[organisation.kind]:
        raise Refusal.of("firm.label_unknown", field="label", known=list(LABELS_OF[organisation.kind]))
    declared = replace(declared, party_key=_party(declared.party_key))
    key = loading.key_of(organisation.pk)
    _refuse_circle(given.kind, key, declared)
    if FirmDeclaration.objects.filter(organisation=organisation, decided_at__isnull=True).count() >= MOST_WAITING:
        raise Refusal.of("firm.many_waiting", maximum=MOST_WAITING)
    clean = clean_document(given.evidence)
    user_id = require_person(actor)
    stored = files.store(
        clean.content,
        file_name=f"{given.kind}-{organisation.pk}.{clean.extension}",
        media_type=clean.media_type,
        user_id=user_id,
        now=now,
    )
    made = FirmDeclaration.objects.create(
        organisation=organisation,
        kind=given.kind,
        valid_from=declared.valid_from,
        valid_to=declared.valid_to,
        content=declared.content,
        firm_key=key,
        party_key=declared.party_key,
        evidence=stored,
        declared_by_id=user_id,
        declared_at=now,
    )
    after = {"organisation_id": organisation.pk, "kind": given.kind, "content": declared.content, "sha256": stored.sha256}
    audit.record(actor, "firm.declare", made, now, after=after)
    return made


@whole
def decide(actor: Actor, declaration_id: int, accept: bool, reason: str, now: datetime) -> FirmDeclaration:
    """Accept or refuse (with a reason), once; nobody decides about their own organisation.

    Raises NotFound, Forbidden (not an operator, ``firm.own_organisation``), Conflict ``firm.decided_already``, Refusal
    ``firm.reason_needed``, ``firm.reason_too_long``, ``firm.circle``.
    """
    actor.require(Role.OPERATOR)
    found = get_visible(FirmDeclaration.objects.all(), actor, pk=declaration_id)
    row = FirmDeclaration.objects.select_for_update(no_key=True).get(pk=found.pk)
    own = Membership.objects.filter(organisation_id=row.organisation_id, user_id=require_person(actor)).exists()
    if own or row.declared_by_id == actor.user_id:
        raise Forbidden.of("firm.own_organisation")
    if row.decided_at is not None:
        raise Conflict.of("firm.decided_already")
    why = reason.strip()
    if not accept and not why:
        raise Refusal.of("firm.reason_needed", field="reason")
    if len(why) > REASON_LENGTH:
        raise Refusal.of("firm.reason_too_long", field="reason", maximum=REASON_LENGTH)
    row.decided_at, row.decided_by_id, row.accepted, row.reason = now, actor.user_id, accept, why
    try:
        row.save(update_fields=["decided_at", "decided_by", "accepted", "reason"])
    except IntegrityError as error:
        if constraint_name(error) != NO_CIRCLE:
            raise
        raise Refusal.of("firm.circle_now") from error
    audit.record(actor, "firm.decide", row, now, after={"accepted": accept, "organisation_id": row.organisation_id}, reason=why)
    return row


def evidence_for(actor: Actor, declaration_id: int) -> tuple[StoredFile, bytes]:
    """The scan with its bytes, for whoever may see the declaration. Raises NotFound, Refusal ``files.*``."""
    row = get_visible(FirmDeclaration.objects.select_related("evidence"), actor, pk=declaration_id)
    return row.evidence, files.read(row.evidence)


def _party(key: str) -> str:
    """The key of who is named in a declaration, where it is an organisation here that had another code before."""
    if not key.startswith("uscc:"):
        return key
    for model in (OrganisationIdentifier, FormerIdentifier):
        held = model._default_manager.filter(scheme="uscc", value=key.removeprefix("uscc:"))
        organisation_id = held.values_list("organisation_id", flat=True).first()
        if organisation_id is not None:
            return loading.key_of(organisation_id)
    return key


_CHAIN = """
WITH RECURSIVE above (key) AS (
    SELECT %s::varchar
    UNION
    SELECT d.party_key FROM above JOIN billing_firmdeclaration d ON d.firm_key = above.key AND d.kind = 'controller' AND d.accepted)
SELECT d.firm_key, d.party_key, d.valid_from, d.valid_to, d.id FROM billing_firmdeclaration d JOIN above ON d.firm_key = above.key
 WHERE d.kind = 'controller' AND d.accepted
"""


def _refuse_circle(kind: str, key: str, declared: Declared) -> None:
    if declared.party_key == key:
        raise Refusal.of("firm.itself", field="uscc")
    if kind != DeclarationKind.CONTROLLER:
        return
    with connection.cursor() as cursor:
        cursor.execute(_CHAIN, [declared.party_key])
        ties = [Tie(*row) for row in cursor.fetchall()]
    order = max((tie.order for tie in ties), default=0) + 1
    chain = circle(ties, Tie(key, declared.party_key, declared.valid_from, declared.valid_to, order))
    if chain:
        raise Refusal.of("firm.circle", field="uscc", chain=[one.partition(":")[2] for one in chain])
