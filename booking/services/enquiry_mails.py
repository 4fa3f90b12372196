"""News about questions, told in the transaction of the message: the other side hears of it."""

from __future__ import annotations

from django.db.models import Q
from django.urls import reverse
from django.utils.text import Truncator

from booking.models import Enquiry, EnquiryMessage
from booking.rules.enquiries import Side
from config.kernel.access import Role
from instruments.models import Membership
from instruments.services import notices
from instruments.services.answer_time import zone_of_owner
from instruments.services.notices import News, holders

_SHOWN = 600
_EVENTS = {Side.CUSTOMER: "enquiry.asked", Side.LAB: "enquiry.answered"}


def tell(message: EnquiryMessage) -> None:
    """Tell of a message that was just written; what the other side had to answer is settled with it."""
    enquiry, side = message.enquiry, Side(message.side)
    begins = not EnquiryMessage.objects.filter(enquiry=enquiry, pk__lt=message.pk).exists()
    event = "enquiry.asked_by_lab" if begins and side is Side.LAB else _EVENTS[side]
    due = enquiry.answer_due_at
    params = {
        "organisation": enquiry.organisation.name,
        "organisation_en": enquiry.organisation.name_en,
        "lab": enquiry.lab.name,
        "lab_en": enquiry.lab.name_en,
        "subject": enquiry.subject,
        "text": Truncator(message.text).chars(_SHOWN),
        "due_at": due.astimezone(zone_of_owner(enquiry.lab_id)).isoformat() if due is not None else "",
    }
    if side is Side.LAB:
        notices.settle(enquiry, ["enquiry.asked"], message.sent_at)
    news = News(event, params, reverse("enquiry_detail", args=[enquiry.pk]), enquiry, enquiry.lab_id)
    notices.tell(news, readers(enquiry, side), message.sent_at)


def readers(enquiry: Enquiry, written_by: Side) -> Q:
    """Who hears of what that side wrote: the lab's managers, or those on the customer's side who wrote in the thread, and who asked for the
    booking or the sample job that it is about, also in a colleague's name; its administrators where none of them is there any more."""
    if written_by is Side.CUSTOMER:
        return holders(Role.LAB_MANAGER, enquiry.lab_id)
    asking = Q(user_id__in=EnquiryMessage.objects.filter(enquiry=enquiry, side=Side.CUSTOMER).values("author_id"))
    about = enquiry.reservation or enquiry.sample_job
    if about is not None:
        asking |= Q(user_id__in=[about.requested_by_id, getattr(about, "booked_by_id", None)])
    members = Membership.objects.filter(asking, organisation_id=enquiry.organisation_id)
    return Q(pk__in=members.values("user_id")) if members.exists() else holders(Role.FIRM_ADMIN, enquiry.organisation_id)
