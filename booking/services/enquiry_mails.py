"""Mails about questions, queued in the transaction of the message, in the reader's language: the other side is written to."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy, override

from booking.models import Enquiry, EnquiryMessage
from booking.rules.enquiries import Side
from config.kernel.access import Role
from config.kernel.messages import local_time
from config.kernel.services.silence import is_silent
from config.kernel.tasks import send_mail
from instruments.models import User
from instruments.services.answer_time import zone_of_owner

_SUBJECTS: dict[Side, Promise | str] = {
    Side.CUSTOMER: gettext_lazy("%(organisation)s asks: %(subject)s"),
    Side.LAB: gettext_lazy("%(lab)s answers: %(subject)s"),
}
_PROMISE = gettext_lazy("Promised answer by %(due)s.")
_SHOWN = 600


def tell(message: EnquiryMessage) -> None:
    """Queue the mails about a message that was just written."""
    if is_silent():
        return
    enquiry = message.enquiry
    side = Side(message.side)
    for person in readers(enquiry, side):
        with override(person.language):
            names = {"organisation": enquiry.organisation.name, "lab": enquiry.lab.name, "subject": enquiry.subject}
            subject = " ".join((str(_SUBJECTS[side]) % names).split())
            parts = [Truncator(message.text).chars(_SHOWN)]
            if side is Side.CUSTOMER and enquiry.answer_due_at is not None:
                parts.append(str(_PROMISE) % {"due": local_time(enquiry.answer_due_at, zone_of_owner(enquiry.lab_id))})
            parts.append(settings.PUBLIC_URL + reverse("enquiry_detail", args=[enquiry.pk]))
        send_mail.defer(subject=subject[:200], text="\n\n".join(parts), to=[person.email])


def readers(enquiry: Enquiry, written_by: Side) -> Iterable[User]:
    """Who hears of what that side wrote: the lab's managers, or those on the customer's side who wrote in the thread."""
    if written_by is Side.CUSTOMER:
        managers = User.objects.filter(
            memberships__organisation_id=enquiry.lab_id, memberships__role=Role.LAB_MANAGER, is_active=True
        )
        return managers.order_by("pk")
    asking = EnquiryMessage.objects.filter(enquiry=enquiry, side=Side.CUSTOMER).values("author_id")
    members = User.objects.filter(pk__in=asking, is_active=True, memberships__organisation_id=enquiry.organisation_id)
    return members.order_by("pk").distinct()
