"""The log of what was sent, for staff: sending again what failed, and forgetting in time."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q

from config.kernel.access import Actor, get_visible
from config.kernel.errors import Conflict, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from instruments.models import Delivery, DeliveryState, Notice, WebhookDelivery
from instruments.services import notices
from instruments.services.notice_mail import message_id
from instruments.services.settling import is_settled

KEEP_READ, KEEP_NOTICES = timedelta(days=90), timedelta(days=365)
KEEP_DELIVERIES, KEEP_TEXTS, KEEP_WEBHOOKS = timedelta(days=180), timedelta(days=14), timedelta(days=30)


@whole
def resend(actor: Actor, delivery_id: int, now: datetime) -> Delivery:
    """Send again what failed, was dropped or was sent; eight more attempts.

    A failed one keeps its Message-ID, because it may have arrived; one that was sent gets another, so that it is shown again.
    Raises NotFound, Conflict ``delivery.under_way``, Refusal ``delivery.text_gone``, ``delivery.settled``.
    """
    found = get_visible(Delivery.objects.select_for_update(of=("self",), no_key=True), actor, pk=delivery_id)
    if found.state in (DeliveryState.WAITING, DeliveryState.SENDING):
        raise Conflict.of("delivery.under_way")
    if found.notice_id is None and found.content is None:
        raise Refusal.of("delivery.text_gone")
    if found.notice is not None and is_settled(found.notice):
        raise Refusal.of("delivery.settled")
    before = {"state": found.state}
    if found.state == DeliveryState.SENT or Delivery.objects.filter(message_id=found.message_id).exclude(pk=found.pk).exists():
        found.message_id = message_id(found.pk).replace("@", f".{int(now.timestamp())}@")
    found.state, found.attempts, found.due_at, found.digest, found.error = DeliveryState.WAITING, 0, now, False, ""
    found.save(update_fields=["state", "attempts", "due_at", "digest", "error", "message_id"])
    audit.record(actor, "delivery.resend", found, now, before=before)
    notices.defer_deliveries([(found.pk, now)], now)
    return found


def prune(now: datetime) -> dict[str, int]:
    """Forget notices (read ones after 90 days, all after a year), texts that could not be sent (14 days), logs (180 and 30 days).

    A notice stays as long as the log of its mails, which says with it what they were about and to whose lab they belong.
    """
    logged = Delivery.objects.filter(notice_id=OuterRef("pk"))
    over = (Q(read_at__lt=now - KEEP_READ) | Q(created_at__lt=now - KEEP_NOTICES)) & ~Exists(logged)
    ended = Delivery.objects.exclude(state__in=[DeliveryState.WAITING, DeliveryState.SENDING])
    texts = ended.filter(created_at__lt=now - KEEP_TEXTS, content__isnull=False).update(content=None)
    deliveries, _ = ended.filter(created_at__lt=now - KEEP_DELIVERIES).delete()
    webhooks, _ = WebhookDelivery.objects.filter(created_at__lt=now - KEEP_WEBHOOKS, finished_at__isnull=False).delete()
    _all, by_model = Notice.objects.filter(over).delete()
    return {
        "notices": by_model.get("instruments.Notice", 0), "texts": texts, "deliveries": deliveries, "webhooks": webhooks,
    }  # fmt: skip
