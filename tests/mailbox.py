"""The mails that wait to be sent, as their readers would get them."""

from __future__ import annotations

from django.core import mail
from django.core.mail import EmailMultiAlternatives

from instruments.models import Delivery
from instruments.services import notice_delivery


def mails() -> list[dict[str, object]]:
    """(to, subject, text) of every waiting mail, in the order in which they were queued. Nothing is sent."""
    return [{"to": each.to, "subject": each.subject, "text": str(each.body)} for each in waiting_mails()]


def waiting_mails() -> list[EmailMultiAlternatives]:
    """The same as whole messages."""
    found: list[EmailMultiAlternatives] = []
    rows = Delivery.objects.filter(channel="email", state="waiting").select_related("notice", "user__notice_settings")
    for one in rows.order_by("pk"):
        one.address = notice_delivery.address_of(one)
        before = len(mail.outbox)
        notice_delivery.send(notice_delivery.Batch((one,), f"<{one.pk}@test>"))
        found += mail.outbox[before:]
        del mail.outbox[before:]
    return found
