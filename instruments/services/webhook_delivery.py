"""Sending what webhooks asked for. Runs in jobs, each attempt outside any transaction.

At least once: a worker that dies between the receiver's answer and our record sends again, under the same id, which is how a receiver
tells. Exactly once is recorded here.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.urls import reverse

from config.kernel.errors import Refusal
from config.kernel.services import outbound
from instruments.models import Webhook, WebhookDelivery, WebhookState
from instruments.rules.notice_times import WEBHOOK_DELAYS, retry_at
from instruments.rules.roles import ADMINISTRATORS
from instruments.rules.webhook_signature import signature
from instruments.services import notices, webhooks

LEASE = timedelta(minutes=2)
"""How long one attempt may take before another worker takes it for lost; longer than the outbound client's deadline."""
_OVERDUE = timedelta(minutes=10)
OFF_AFTER = 5
"""Deliveries given up in a row after which an address is switched off: it was away for more than a day."""


def deliver(delivery_id: int, now: datetime) -> str:
    """Make one attempt when one is due; returns the state that it came to. Safe to repeat."""
    claimed = claim(delivery_id, now)
    if claimed is None:
        return ""
    status, error = post(claimed, now)
    return record(claimed, status, error, now)


def queue_due(now: datetime) -> int:
    """Queue what is to be tried again now, what a dead worker left, and what lost its job. Returns how many. Safe to repeat.

    A job of the queue that waits for its hour would hold up all later ones behind the same lock, so attempts wait here.
    """
    again = Q(state=WebhookState.WAITING, attempts__gt=0, due_at__lte=now)
    lost = Q(state=WebhookState.WAITING, due_at__lt=now - _OVERDUE) | Q(state=WebhookState.SENDING, claimed_at__lte=now - LEASE)
    due = WebhookDelivery.objects.filter(again | lost).order_by("due_at", "pk").values_list("pk", flat=True)[:1000]
    return sum(webhooks.queue_once(pk) for pk in list(due))


def body_of(delivery: WebhookDelivery) -> bytes:
    """The bytes that are sent and signed, the same in every attempt."""
    return json.dumps(delivery.payload, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def claim(delivery_id: int, now: datetime) -> WebhookDelivery | None:
    """The delivery, noted as being sent; None when there is nothing to do, or another worker has it."""
    with transaction.atomic():
        rows = WebhookDelivery.objects.select_related("webhook__organisation").select_for_update(of=("self",), no_key=True)
        found = rows.filter(pk=delivery_id).first()
        if found is None or found.state not in (WebhookState.WAITING, WebhookState.SENDING) or found.due_at > now:
            return None
        if found.state == WebhookState.SENDING and found.claimed_at is not None and found.claimed_at + LEASE > now:
            return None
        if not webhooks.may_send(found.webhook):
            why = "webhook.organisation_not_verified" if found.webhook.active else "webhook.off"
            found.state, found.error, found.finished_at = WebhookState.FAILED, why, now
            found.save(update_fields=["state", "error", "finished_at"])
            return None
        found.state, found.claimed_at, found.attempts = WebhookState.SENDING, now, found.attempts + 1
        found.save(update_fields=["state", "claimed_at", "attempts"])
        return found


def post(delivery: WebhookDelivery, now: datetime) -> tuple[int | None, str]:
    """(status, code of what went wrong or nothing)."""
    body = body_of(delivery)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Jishi-Event": delivery.event,
        "Jishi-Delivery": str(delivery.uid),
        "Jishi-Signature": signature(webhooks.secret_of(delivery.webhook), int(now.timestamp()), body),
    }
    try:
        status = outbound.post(delivery.webhook.address, body, headers)
    except Refusal as refusal:
        return None, refusal.reasons[0].code
    if 200 <= status < 300:
        return status, ""
    return status, "webhook.redirect" if 300 <= status < 400 else "webhook.status"


def record(claimed: WebhookDelivery, status: int | None, error: str, now: datetime) -> str:
    """Write the outcome where the attempt is still ours, else nothing; returns the state."""
    again = retry_at(WEBHOOK_DELAYS, claimed.attempts, now) if error else None
    state = WebhookState.SENT if not error else (WebhookState.WAITING if again else WebhookState.FAILED)
    with transaction.atomic():
        mine = WebhookDelivery.objects.filter(pk=claimed.pk, state=WebhookState.SENDING, attempts=claimed.attempts)
        moved = mine.update(
            state=state,
            status=status,
            error=error,
            due_at=again or claimed.due_at,
            claimed_at=None,
            finished_at=None if again else now,
        )
        if moved != 1:  # taken for lost, and another worker has it now
            return ""
        if again is not None:
            return state.value
        if error:
            _count_dead(claimed.webhook, now)
        else:
            Webhook.objects.filter(pk=claimed.webhook_id).exclude(dead_in_row=0).update(dead_in_row=0)
    return state.value


def _count_dead(webhook: Webhook, now: datetime) -> None:
    Webhook.objects.filter(pk=webhook.pk).update(dead_in_row=F("dead_in_row") + 1)
    off = Webhook.objects.filter(pk=webhook.pk, active=True, dead_in_row__gte=OFF_AFTER)
    if off.update(active=False, switched_off_why="failures") != 1:
        return
    organisation = webhook.organisation
    administrators = notices.person()
    for role in sorted(ADMINISTRATORS[organisation.kind]):
        administrators |= notices.holders(role, organisation.pk)
    news = notices.News(
        "webhook.switched_off",
        {
            "organisation": organisation.name,
            "organisation_en": organisation.name_en,
            "host": webhooks.host_of(webhook),
            "failures": OFF_AFTER,
        },
        reverse("webhook_detail", args=[webhook.pk]),
        webhook,
    )
    notices.tell(news, administrators, now)
