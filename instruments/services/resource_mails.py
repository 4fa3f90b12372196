"""Mails about requests for resources, queued in the transaction of the change, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy, override

from config.kernel.access import Role
from config.kernel.services.silence import is_silent
from config.kernel.tasks import send_mail
from instruments.models import ResourceRequest, User

SUBJECTS: dict[str, Promise | str] = {
    "requested": gettext_lazy("%(organisation)s asks for %(resource)s"),
    "withdrawn": gettext_lazy("%(organisation)s no longer asks for %(resource)s"),
    "approved": gettext_lazy("Your request for %(resource)s is approved"),
    "refused": gettext_lazy("Your request for %(resource)s was refused"),
    "delivered": gettext_lazy("%(resource)s is delivered"),
    "closed": gettext_lazy("Feedback on %(resource)s: %(rating)s of 5"),
}
_TEXTS: dict[str, Promise | str] = {
    "requested": gettext_lazy("What for: %(purpose)s"),
    "withdrawn": gettext_lazy("There is nothing left to do."),
    "approved": gettext_lazy("The owner delivers it next and writes to you again."),
    "refused": gettext_lazy("Reason: %(reason)s"),
    "delivered": gettext_lazy("%(note)s\n\nPlease say afterwards how it was."),
    "closed": gettext_lazy("%(feedback)s"),
}
#: News for the owner's lab managers; everything else is for the person who asked.
_TO_OWNER = frozenset({"requested", "withdrawn", "closed"})


def tell(request: ResourceRequest) -> None:
    """Queue the mails about the state that the request came into."""
    if is_silent():
        return
    for person in _readers(request):
        with override(person.language):
            values = {
                "organisation": request.organisation.name,
                "resource": request.resource.name,
                "purpose": request.purpose,
                "reason": request.reason,
                "note": request.delivery_note or gettext("The file is waiting on the page of your request."),
                "rating": request.rating,
                "feedback": request.feedback,
            }
            subject = " ".join((str(SUBJECTS[request.state]) % values).split())
            link = settings.PUBLIC_URL + reverse("resource_request_detail", args=[request.pk])
            paragraphs = [subject, str(_TEXTS[request.state]) % values, link]
        send_mail.defer(subject=subject, text="\n\n".join(part for part in paragraphs if part), to=[person.email])


def _readers(request: ResourceRequest) -> Iterable[User]:
    if request.state not in _TO_OWNER:
        return [request.requested_by] if request.requested_by.is_active else []
    return User.objects.filter(
        memberships__organisation_id=request.resource.organisation_id, memberships__role=Role.LAB_MANAGER, is_active=True
    ).order_by("pk")
