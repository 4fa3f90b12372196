"""Addresses of organisations that hear of their events."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from procrastinate.contrib.django import app

from config.kernel.access import Actor, get_visible
from config.kernel.errors import Conflict, Forbidden, Refusal
from config.kernel.services import audit, outbound
from config.kernel.services.jobs import defer_once
from config.kernel.services.transactions import whole
from config.kernel.statements import planned_once
from instruments.access import administers
from instruments.models import Organisation, OrganisationStatus, Webhook, WebhookDelivery, WebhookState
from instruments.notice_events import public_events
from instruments.services.people import one_at_a_time
from instruments.services.settling import settle

TASK, QUEUE = "notices.webhook", "webhooks"
LOCK = "notices.webhook"
"""One address is called at a time, so that slow receivers never keep all workers from the mail."""
TEST_EVENT = "webhook.test"
MOST = 10
"""Of one organisation."""


@whole
def register_webhook(
    actor: Actor, organisation_id: int, address: str, events: Iterable[str], now: datetime
) -> tuple[Webhook, str]:
    """A new address and the secret of its signatures, which is shown this once.

    Raises NotFound, Forbidden, Refusal ``webhook.organisation_not_verified``, ``webhook.events_unknown``, ``webhook.too_many``,
    ``outbound.*``.
    """
    user_id = one_at_a_time(actor)
    organisation = _administered(actor, organisation_id)
    _require_verified(organisation)
    wanted, url = _checked_events(events), _checked_address(address)
    if Webhook.objects.filter(organisation=organisation, removed_at=None).count() >= MOST:
        raise Refusal.of("webhook.too_many", maximum=MOST)
    made = Webhook.objects.create(
        organisation=organisation,
        address=url,
        events=wanted,
        nonce=secrets.token_urlsafe(24),
        created_by_id=user_id,
        created_at=now,
    )
    audit.record(actor, "webhook.register", made, now, after={"host": host_of(made), "events": wanted})
    return made, secret_of(made)


@whole
def change_webhook(actor: Actor, webhook_id: int, events: Iterable[str], active: bool, now: datetime) -> Webhook:
    """Other events; on or off. Switching it on again forgets the failures.

    Raises NotFound, Refusal ``webhook.events_unknown``, to switch it on ``webhook.organisation_not_verified``.
    """
    found = _mine(actor, webhook_id)
    wanted = _checked_events(events)
    before = {"events": found.events, "active": found.active}
    if active and not found.active:
        _require_verified(found.organisation)
        found.dead_in_row = 0
        settle(found, ["webhook.switched_off"], now)
    found.events, found.active = wanted, active
    found.switched_off_why = "" if active else (found.switched_off_why or "manager")
    found.save(update_fields=["events", "active", "dead_in_row", "switched_off_why"])
    audit.record(actor, "webhook.change", found, now, before=before, after={"events": wanted, "active": active})
    return found


@whole
def renew_secret(actor: Actor, webhook_id: int, now: datetime) -> tuple[Webhook, str]:
    """Another secret; the old one is of no use from now on. Raises NotFound."""
    found = _mine(actor, webhook_id)
    found.nonce = secrets.token_urlsafe(24)
    found.save(update_fields=["nonce"])
    audit.record(actor, "webhook.renew_secret", found, now)
    return found, secret_of(found)


@whole
def remove_webhook(actor: Actor, webhook_id: int, now: datetime) -> None:
    """Nothing is sent there any more; its log goes with the time. Raises NotFound."""
    found = _mine(actor, webhook_id)
    found.active, found.removed_at = False, now
    found.save(update_fields=["active", "removed_at"])
    settle(found, ["webhook.switched_off"], now)
    audit.record(actor, "webhook.remove", found, now)


@whole
def send_test(actor: Actor, webhook_id: int, now: datetime) -> WebhookDelivery:
    """Queue a delivery that says nothing, to see whether it arrives.

    Raises NotFound, Refusal ``webhook.organisation_not_verified``, Conflict ``webhook.off``.
    """
    found = _mine(actor, webhook_id)
    _require_verified(found.organisation)
    if not found.active:
        raise Conflict.of("webhook.off")
    made = _delivery(found, TEST_EVENT, {"note": "This is a test."}, now)
    made.save()
    _defer([made])
    return made


@whole
def redeliver(actor: Actor, delivery_id: int, now: datetime) -> WebhookDelivery:
    """Try one that was given up (or arrived) again, under its old id.

    Raises NotFound, Refusal ``webhook.organisation_not_verified``, Conflict ``webhook.under_way``, ``webhook.off``.
    """
    rows = WebhookDelivery.objects.select_related("webhook__organisation").select_for_update(of=("self",), no_key=True)
    found = get_visible(rows, actor, pk=delivery_id)
    if found.state in (WebhookState.WAITING, WebhookState.SENDING):
        raise Conflict.of("webhook.under_way")
    _require_verified(found.webhook.organisation)
    if not found.webhook.active:
        raise Conflict.of("webhook.off")
    found.state, found.attempts, found.due_at, found.finished_at = WebhookState.WAITING, 0, now, None
    found.save(update_fields=["state", "attempts", "due_at", "finished_at"])
    audit.record(actor, "webhook.redeliver", found, now)
    _defer([found])
    return found


#: By hand, as almost every booking asks it: (id, organisation) of each webhook that hears of it, for ``asked_for``.
ASKED_FOR = """
SELECT h.id, h.organisation_id FROM instruments_webhook h JOIN instruments_organisation o ON o.id = h.organisation_id
 WHERE h.organisation_id = ANY(%(heard)s::bigint[]) AND o.status = %(verified)s AND h.active AND h.removed_at IS NULL
   AND h.events @> %(asked)s::jsonb ORDER BY h.id
"""


def asked_for(event: str, heard: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    """The values of ``ASKED_FOR``."""
    said = list(heard) if event in public_events() else []
    return {"heard": said, "verified": OrganisationStatus.VERIFIED.value, "asked": json.dumps([event])}


def find(event: str, heard: Mapping[int, Mapping[str, Any]]) -> list[tuple[int, int]]:
    """The webhooks that hear of it: one statement, and none where nobody could."""
    values = asked_for(event, heard)
    if not values["heard"]:
        return []
    with planned_once() as cursor:
        cursor.execute(ASKED_FOR, values)
        return [(int(pk), int(of)) for pk, of in cursor.fetchall()]


def queue(
    event: str, heard: Mapping[int, Mapping[str, Any]], now: datetime, found: Iterable[tuple[int, int]] | None = None
) -> int:
    """Write and queue what the organisations' webhooks asked for; part of the caller's transaction. ``found``: those webhooks (id,
    organisation), where they are known already."""
    if found is None:
        found = find(event, heard)
    made = [_delivery(Webhook(pk=pk, organisation_id=of), event, heard[of], now) for pk, of in found]
    if not made:
        return 0
    WebhookDelivery.objects.bulk_create(made)
    _defer(made)
    return len(made)


def secret_of(webhook: Webhook) -> str:
    """What signs the deliveries; made anew each time from what only this installation has."""
    key = hmac.new(settings.SECRET_KEY.encode(), f"webhook:{webhook.pk}:{webhook.nonce}".encode(), hashlib.sha256).digest()
    return "whsec_" + base64.urlsafe_b64encode(key).decode().rstrip("=")


def host_of(webhook: Webhook) -> str:
    """What may be logged of the address: paths and queries may hold keys of the receiver."""
    return outbound.host_in(webhook.address)


def may_send(webhook: Webhook) -> bool:
    """Whether it is on, and its organisation still one that is verified."""
    return webhook.active and webhook.organisation.status == OrganisationStatus.VERIFIED


def queue_once(delivery_id: int) -> bool:
    """Queue an attempt unless this has done so and it still waits."""
    return defer_once(TASK, f"{TASK}:{delivery_id}", queue=QUEUE, lock=LOCK, delivery_id=delivery_id)


def _defer(made: list[WebhookDelivery]) -> None:
    if made:
        app.configure_task(TASK, queue=QUEUE, lock=LOCK).batch_defer(*({"delivery_id": one.pk} for one in made))


def _delivery(webhook: Webhook, event: str, data: Mapping[str, Any], now: datetime) -> WebhookDelivery:
    uid = uuid.uuid4()
    payload = {
        "id": str(uid),
        "event": event,
        "created_at": now.isoformat(),
        "organisation": webhook.organisation_id,
        "data": dict(data),
    }
    return WebhookDelivery(webhook=webhook, uid=uid, event=event, payload=payload, created_at=now, due_at=now)


def _administered(actor: Actor, organisation_id: int) -> Organisation:
    organisation = get_visible(Organisation.objects.all(), actor, pk=organisation_id)
    if not administers(actor, organisation):
        raise Forbidden.of("access.role_needed", roles=["administrator"])
    return organisation


def _require_verified(organisation: Organisation) -> None:
    """Whoever claims to be a firm, or was suspended, sends nothing from this installation."""
    if organisation.status != OrganisationStatus.VERIFIED:
        raise Refusal.of("webhook.organisation_not_verified", organisation=organisation.name)


def _mine(actor: Actor, webhook_id: int) -> Webhook:
    return get_visible(Webhook.objects.select_for_update(no_key=True).filter(removed_at=None), actor, pk=webhook_id)


def _checked_events(events: Iterable[str]) -> list[str]:
    wanted = sorted(set(events))
    if not wanted or not set(wanted) <= set(public_events()):
        raise Refusal.of("webhook.events_unknown", "events", known=sorted(public_events()))
    return wanted


def _checked_address(address: str) -> str:
    """The address as typed."""
    outbound.receiver(address.strip())
    return address.strip()
