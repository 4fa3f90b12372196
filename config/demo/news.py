"""What the people of the demo were told of late, and a webhook with a log, so that bell, log and webhooks have something to show."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import F, Q

from booking.models import ReservationTransition
from booking.services import notices as booking_notices
from config.demo.organisations import People
from config.kernel.access import Role
from instruments.models import Delivery, Notice, Webhook, WebhookDelivery
from instruments.services import notices, webhooks
from instruments.services.notices import News, person

_EVENTS = {
    "requested": "requested", "approved": "approved", "rejected": "rejected", "cancelled": "cancelled", "agreed": "charged",
    "no_show": "no_show", "expired": "expired",
}  # fmt: skip
MOST = 60
_DAY = timedelta(days=1)


def tell(people: People, now: datetime) -> int:
    """Tell of the last reservations of the first lab and the first firm, each at its time; what is old was read and sent."""
    lab, firm = people.owners[0], people.customers[0]
    manager = people.actor(lab, Role.LAB_MANAGER)
    notices.tell(
        News("organisation.verified", {"organisation": lab.name}, f"/organisations/{lab.pk}/", lab),
        person(manager.user_id, people.actor(firm, Role.FIRM_ADMIN).user_id),
        now - 30 * _DAY,
    )
    rows = ReservationTransition.objects.filter(
        Q(reservation__instrument__organisation=lab) | Q(reservation__organisation=firm), to_state__in=list(_EVENTS), at__lte=now
    ).select_related("reservation__instrument__site", "reservation__organisation")
    for step in reversed(rows.order_by("-at", "-pk")[:MOST]):
        booking_notices.defer(step.reservation, _EVENTS[step.to_state], step.at, reason=step.reason)
    Notice.objects.filter(created_at__lt=now - 2 * _DAY).update(read_at=F("created_at") + timedelta(hours=2))
    before = Delivery.objects.filter(created_at__lt=now, user__isnull=False)
    before.update(state="sent", sent_at=F("created_at"), attempts=1, content=None)
    failed = list(before.filter(notice__lab=lab).order_by("-pk").values_list("pk", flat=True)[3:5])
    Delivery.objects.filter(pk__in=failed).update(state="failed", sent_at=None, error="SMTP 550")
    _webhook(people, now)
    return Notice.objects.count()


def _webhook(people: People, now: datetime) -> None:
    """One that was switched off, so that the demo calls nobody."""
    lab = people.owners[0]
    actor, address = people.actor(lab, Role.LAB_MANAGER), "https://lims.kunlun.example/hooks/jishi"
    events = ["reservation.approved", "reservation.cancelled", "reservation.requested"]
    hook, _secret = webhooks.register_webhook(actor, lab.pk, address, events, now - 20 * _DAY)
    told = Notice.objects.filter(lab=lab, event="reservation.requested").order_by("-pk")[:4]
    for place, notice in enumerate(told):
        payload = {"id": "", "event": notice.event, "organisation": lab.pk, "data": {"reference": notice.params["reference"]}}
        made = WebhookDelivery.objects.create(
            webhook=hook, event=notice.event, payload=payload, created_at=notice.created_at, due_at=notice.created_at,
            state="sent" if place else "failed", status=204 if place else 503, attempts=1 if place else 10,
            error="" if place else "webhook.status", finished_at=notice.created_at,
        )  # fmt: skip
        made.payload["id"] = str(made.uid)
        made.save(update_fields=["payload"])
    Webhook.objects.filter(pk=hook.pk).update(active=False, switched_off_why="failures", dead_in_row=5)
