"""Requests for resources that are not booked: the one writer of their state."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Forbidden, NotFound, Reason, Refusal
from config.kernel.models import StoredFile
from config.kernel.services import audit, files
from config.kernel.services.transactions import whole
from instruments.models import DeliveryMode, Resource, ResourceKind, ResourceRequest, ResourceRequestState
from instruments.rules.registry_values import clean_text
from instruments.rules.resource_requests import OF_THE_ASKING, RequestAction, RequestState, next_state
from instruments.services import resource_mails, uploads

PURPOSE_LENGTH = 500
QUANTITY_LENGTH = 100
REASON_LENGTH = 500
NOTE_LENGTH = 500
FEEDBACK_LENGTH = 1000
_WITH_MEANING = frozenset('\\/:*?"<>|%')
_OPEN = (ResourceRequestState.REQUESTED, ResourceRequestState.APPROVED)


@dataclass(frozen=True, slots=True)
class Application:
    """What somebody asks for, on behalf of which organisation (0: none was chosen).

    ``terms_seen`` is the fingerprint of the terms that stood on the page (``terms_fingerprint``).
    """

    resource_id: int
    organisation_id: int
    purpose: str
    quantity: str = ""
    terms_accepted: bool = False
    terms_seen: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How something was handed over: ``mode`` is file, visit or sample; a file comes with its content and name."""

    mode: str
    note: str = ""
    content: bytes | None = None
    file_name: str = ""


MOST_OPEN = 20
"""So many requests of one organisation for one resource may be open."""


def terms_fingerprint(resource: Resource) -> str:
    """A short fingerprint of the access terms, so that nobody accepts a text that they did not see."""
    return hashlib.sha256(resource.access_terms.encode()).hexdigest()[:16]


@whole
def apply(actor: Actor, application: Application, now: datetime) -> ResourceRequest:
    """Ask for a published resource on behalf of one of the actor's organisations; its lab managers are written to. The same request
    that waits already is given back.

    Raises NotFound, Forbidden (not logged in, or of another organisation), Refusal ``resource_request.*`` / ``name.*`` with every reason.
    """
    person = actor.person_id
    rows = Resource.objects.select_for_update(of=("self",), no_key=True).select_related("organisation")
    resource = get_visible(rows, actor, pk=application.resource_id)
    if application.organisation_id and application.organisation_id not in actor.organisations():
        raise Forbidden.of("resource_request.organisation_needed", field="organisation")
    reasons = _reasons_against(actor, resource, application)
    purpose = _text(application.purpose, PURPOSE_LENGTH, "purpose", reasons)
    quantity = _text(application.quantity, QUANTITY_LENGTH, "quantity", reasons)
    if not purpose and not any(reason.field == "purpose" for reason in reasons):
        reasons.append(Reason("resource_request.purpose_missing", {}, "purpose"))
    Refusal.raise_any(reasons)
    waiting = ResourceRequest.objects.filter(resource=resource, organisation_id=application.organisation_id, state__in=_OPEN)
    same = waiting.filter(
        requested_by_id=person, purpose=purpose, quantity=quantity, state=ResourceRequestState.REQUESTED
    ).first()
    if same is not None:  # sent twice
        return same
    if waiting.count() >= MOST_OPEN:
        raise Refusal.of("resource_request.too_many_open", maximum=MOST_OPEN)
    request = ResourceRequest.objects.create(
        resource=resource,
        organisation_id=application.organisation_id,
        requested_by_id=person,
        state=ResourceRequestState.REQUESTED,
        purpose=purpose,
        quantity=quantity,
        terms=resource.access_terms,
        terms_accepted_at=now,
        requested_at=now,
    )
    after = {"resource": resource.pk, "organisation": application.organisation_id, "purpose": purpose, "quantity": quantity}
    audit.record(actor, "resource_request.requested", request, now, after=after)
    resource_mails.tell(request, now)
    return request


def approve(actor: Actor, request_id: int, now: datetime) -> ResourceRequest:
    """The owner will deliver it. Raises NotFound, Forbidden, Refusal ``resource_request.illegal_transition``."""
    return _move(actor, request_id, RequestAction.APPROVE, {"decided_by_id": actor.user_id, "decided_at": now}, now)


def refuse(actor: Actor, request_id: int, reason: str, now: datetime) -> ResourceRequest:
    """The owner says no, and why; after an approval too. Raises also Refusal ``resource_request.reason_missing``."""
    reasons: list[Reason] = []
    text = _text(reason, REASON_LENGTH, "reason", reasons)
    if not text and not reasons:
        reasons.append(Reason("resource_request.reason_missing", {}, "reason"))
    changes = {"decided_by_id": actor.user_id, "decided_at": now, "reason": text}
    return _move(actor, request_id, RequestAction.REFUSE, changes, now, reasons)


def withdraw(actor: Actor, request_id: int, now: datetime) -> ResourceRequest:
    """The asking side no longer wants it. Raises NotFound, Forbidden, Refusal ``resource_request.illegal_transition``."""
    return _move(actor, request_id, RequestAction.WITHDRAW, {"closed_at": now}, now)


def deliver(actor: Actor, request_id: int, delivery: Delivery, now: datetime) -> ResourceRequest:
    """Hand it over: a file (kept as it is), a visit, or a sample that is sent.

    Raises NotFound, Forbidden, Refusal ``resource_request.*``, ``upload.*`` with every reason.
    """
    reasons: list[Reason] = []
    note = _text(delivery.note, NOTE_LENGTH, "note", reasons)
    reasons += _delivery_reasons(delivery, note)
    changes: dict[str, Any] = {"delivery_mode": delivery.mode, "delivery_note": note, "delivered_at": now}
    return _move(actor, request_id, RequestAction.DELIVER, changes, now, reasons, delivery)


def give_feedback(actor: Actor, request_id: int, rating: int, feedback: str, now: datetime) -> ResourceRequest:
    """The asking side says how it was, from 1 to 5; the request is closed with it.

    Raises NotFound, Forbidden, Refusal ``resource_request.rating_out_of_range``, ``resource_request.illegal_transition``.
    """
    reasons: list[Reason] = []
    text = _text(feedback, FEEDBACK_LENGTH, "feedback", reasons, lines=True)
    if not 1 <= rating <= 5:
        reasons.append(Reason("resource_request.rating_out_of_range", {}, "rating"))
    changes = {"rating": rating, "feedback": text, "closed_at": now}
    return _move(actor, request_id, RequestAction.GIVE_FEEDBACK, changes, now, reasons)


def delivered_file(actor: Actor, request_id: int) -> tuple[StoredFile, bytes]:
    """The file that was delivered. Raises NotFound ``resource_request.no_file``."""
    request = get_visible(ResourceRequest.objects.select_related("delivered_file"), actor, pk=request_id)
    if request.delivered_file is None:
        raise NotFound.of("resource_request.no_file")
    return request.delivered_file, files.read(request.delivered_file)


@whole
def _move(
    actor: Actor,
    request_id: int,
    action: RequestAction,
    changes: dict[str, Any],
    now: datetime,
    reasons: list[Reason] | None = None,
    delivery: Delivery | None = None,
) -> ResourceRequest:
    """Take the request one step further; the row is locked, so that of two answers the second finds the first."""
    rows = ResourceRequest.objects.select_for_update(of=("self",), no_key=True)
    request = get_visible(rows.select_related("resource", "organisation", "requested_by"), actor, pk=request_id)
    _require_side(actor, request, action)
    state = next_state(RequestState(request.state), action)
    Refusal.raise_any(reasons or [])
    if delivery is not None and delivery.content is not None:
        name = file_name(delivery.file_name)
        stored = files.store(
            delivery.content, file_name=name, media_type="application/octet-stream", user_id=actor.user_id, now=now
        )
        changes = changes | {"delivered_file_id": stored.pk}
    before = {"state": request.state}
    for name, value in changes.items():
        setattr(request, name, value)
    request.state = ResourceRequestState(state.value)
    request.save()
    after = {"state": request.state, **{name: value for name, value in changes.items() if not isinstance(value, datetime)}}
    audit.record(actor, f"resource_request.{state.value}", request, now, before=before, after=after, reason=request.reason)
    resource_mails.tell(request, now)
    return request


def _require_side(actor: Actor, request: ResourceRequest, action: RequestAction) -> None:
    """Those who asked withdraw and say how it was; the owner's lab managers do the rest. Raises Forbidden."""
    if action in OF_THE_ASKING:
        if request.organisation_id not in actor.organisations():
            raise Forbidden.of("access.role_needed", roles=[Role.RESEARCHER.value])
    else:
        actor.require_in(request.resource.organisation_id, Role.LAB_MANAGER)


def _reasons_against(actor: Actor, resource: Resource, application: Application) -> list[Reason]:
    reasons = []
    if not resource.published:
        reasons.append(Reason("resource_request.not_available", {}, ""))
    if not application.organisation_id:
        reasons.append(Reason("resource_request.organisation_needed", {}, "organisation"))
    elif application.organisation_id == resource.organisation_id:
        reasons.append(Reason("resource_request.own_resource", {}, "organisation"))
    elif resource.kind != ResourceKind.TEST_ITEM and _is_open(resource, application.organisation_id):
        reasons.append(Reason("resource_request.open_already", {}, ""))
    if not application.terms_accepted:
        reasons.append(Reason("resource_request.terms_not_accepted", {}, "terms_accepted"))
    elif application.terms_seen != terms_fingerprint(resource):
        reasons.append(Reason("resource_request.terms_changed", {}, "terms_accepted"))
    return reasons


def _is_open(resource: Resource, organisation_id: int) -> bool:
    return ResourceRequest.objects.filter(resource=resource, organisation_id=organisation_id, state__in=_OPEN).exists()


def _delivery_reasons(delivery: Delivery, note: str) -> list[Reason]:
    if delivery.mode not in DeliveryMode.values:
        return [Reason("resource_request.mode_unknown", {"known": list(DeliveryMode.values)}, "mode")]
    if delivery.mode != DeliveryMode.FILE:
        reasons = [Reason("resource_request.file_not_wanted", {}, "file")] if delivery.content is not None else []
        return reasons if note else [*reasons, Reason("resource_request.note_missing", {}, "note")]
    if delivery.content is None:
        return [Reason("resource_request.file_missing", {}, "file")]
    try:
        uploads.check_delivery(delivery.content)
    except Refusal as refusal:
        return list(refusal.reasons)
    return []


def file_name(name: str) -> str:
    """A name under which a file can be saved anywhere: without folders and signs that systems give a meaning."""
    own = name.replace("\\", "/").split("/")[-1]
    kept = "".join(character if character.isprintable() and character not in _WITH_MEANING else "_" for character in own)
    return kept.strip(" .")[-150:] or "data"


def _text(value: str, length: int, field: str, reasons: list[Reason], *, lines: bool = False) -> str:
    try:
        return clean_text(value, length, field, lines=lines)
    except Refusal as refusal:
        reasons += refusal.reasons
        return ""
