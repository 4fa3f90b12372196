"""What people read about their reservations, in their own language. Run by the worker, never inside a transaction."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db.models import Q
from django.urls import reverse
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from booking.models import Reservation
from config.kernel.access import Role
from config.kernel.messages import local_time
from instruments.models import User

SUBJECTS: dict[str, Promise | str] = {
    "requested": gettext_lazy("%(instrument)s: request %(reference)s is waiting for approval"),
    "approved": gettext_lazy("%(instrument)s: reservation %(reference)s is approved"),
    "rejected": gettext_lazy("%(instrument)s: request %(reference)s was refused"),
    "cancelled": gettext_lazy("%(instrument)s: reservation %(reference)s was cancelled"),
    "expired": gettext_lazy("%(instrument)s: request %(reference)s was not answered in time"),
    "no_show": gettext_lazy("%(instrument)s: reservation %(reference)s was missed"),
    "figures_changed": gettext_lazy("%(instrument)s: please look at the new figures of %(reference)s"),
    "moved": gettext_lazy("%(instrument)s: reservation %(reference)s has a new time"),
    "change_proposed_to_lab": gettext_lazy("%(instrument)s: a new time is asked for %(reference)s"),
    "change_proposed_to_customer": gettext_lazy("%(instrument)s: the lab proposes a new time for %(reference)s"),
    "change_refuse_to_lab": gettext_lazy("%(instrument)s: the new time for %(reference)s was refused"),
    "change_refuse_to_customer": gettext_lazy("%(instrument)s: the new time for %(reference)s was refused"),
    "change_lapse_to_lab": gettext_lazy("%(instrument)s: nobody answered about a new time for %(reference)s"),
    "change_lapse_to_customer": gettext_lazy("%(instrument)s: nobody answered about a new time for %(reference)s"),
    "change_withdrawn": gettext_lazy("%(instrument)s: the new time for %(reference)s was taken back"),
    "charged": gettext_lazy("%(instrument)s: session %(reference)s is complete and charged"),
}
TO_LAB = {"requested", "cancelled", "moved", "change_withdrawn"} | {event for event in SUBJECTS if event.endswith("_to_lab")}
TO_CUSTOMER = {event for event in SUBJECTS if event != "requested" and not event.endswith("_to_lab")}


def send(reservation_id: int, event: str) -> int:
    """Send the mails about ``event``; returns how many people were written to."""
    reservation = Reservation.objects.select_related("instrument__site", "requested_by", "organisation").get(pk=reservation_id)
    people = _recipients(reservation, event)
    messages = [_message(reservation, event, person) for person in people]
    return get_connection().send_messages(messages) or 0


def _recipients(reservation: Reservation, event: str) -> list[User]:
    people: dict[int, User] = {}
    if event in TO_CUSTOMER:
        people[reservation.requested_by_id] = reservation.requested_by
    if event in TO_LAB:
        managers = User.objects.filter(
            Q(memberships__organisation_id=reservation.instrument.organisation_id, memberships__role=Role.LAB_MANAGER),
            is_active=True,
        )
        people |= {manager.pk: manager for manager in managers}
    return [person for person in people.values() if person.is_active]


def _message(reservation: Reservation, event: str, person: User) -> EmailMessage:
    with translation.override(person.language):
        zone = ZoneInfo(reservation.instrument.site.time_zone)
        values = {
            "instrument": reservation.instrument.name,
            "reference": reservation.reference,
            "organisation": reservation.organisation.name,
            "starts": local_time(reservation.starts_at, zone),
            "ends": local_time(reservation.ends_at, zone),
            "zone": zone.key,
            "url": settings.PUBLIC_URL + reverse("reservation_detail", kwargs={"pk": reservation.pk}),
        }
        lines = [
            str(SUBJECTS[event]) % values,
            _("For: %(organisation)s") % values,
            _("Time: %(starts)s to %(ends)s (%(zone)s)") % values,
        ]
        reason = reservation.transitions.exclude(reason="").order_by("-pk").values_list("reason", flat=True).first()
        if reason and event in {"rejected", "cancelled"}:
            lines.append(_("Reason: %(reason)s") % {"reason": reason})
        lines.append(values["url"])
        subject = " ".join((str(SUBJECTS[event]) % values).split())
        return EmailMessage(subject=subject, body="\n\n".join(lines), to=[person.email])
