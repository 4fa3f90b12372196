"""Mails about credit points and lists, queued in the transaction of the change, in the reader's language."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext, override

from booking.models import AccessListEntry, CreditAppeal, CreditEvent
from booking.services.training_mails import managers_of
from booking.training_wording import event_name
from config.kernel.services.silence import is_silent
from config.kernel.tasks import send_mail
from instruments.models import User


def noted(event: CreditEvent) -> None:
    """To the person: what was noted and how to appeal."""
    with override(event.person.language):
        values = _values(event)
        subject = gettext("Noted: %(event)s (%(points)s points)") % values
        text = gettext("%(lab)s: %(event)s, %(points)s points.\n%(note)s\n\nIs this not right? You can appeal once: %(link)s")
        _send(subject, text % values, event.person)


def appealed(appeal: CreditAppeal) -> None:
    """To those of the lab who may decide: not who noted it."""
    event = appeal.event
    for manager in managers_of(event.organisation_id):
        if manager.pk == event.made_by_id:
            continue
        with override(manager.language):
            values = _values(event) | {"person": str(event.person), "text": appeal.text, "link": _link("credit_lab")}
            subject = gettext("%(person)s appeals: %(event)s") % values
            _send(subject, gettext("%(text)s\n\nDecide here: %(link)s") % values, manager)


def decided(appeal: CreditAppeal) -> None:
    """To the person."""
    event = appeal.event
    with override(event.person.language):
        values = _values(event) | {"answer": appeal.answer}
        if appeal.state == "granted":
            subject = gettext("Your appeal was granted: %(event)s") % values
        else:
            subject = gettext("Your appeal was not granted: %(event)s") % values
        _send(subject, gettext("%(answer)s\n\n%(link)s") % values, event.person)


def listed(entry: AccessListEntry) -> None:
    """To the person who may not book; a whole customer and an exemption are told nobody by mail."""
    if entry.person is None or entry.verdict != "deny":
        return
    with override(entry.person.language):
        lab = entry.organisation.name if entry.organisation else gettext("the platform")
        values = {"lab": lab, "reason": entry.reason, "link": _link("my_record")}
        subject = gettext("You cannot book at %(lab)s for now") % values
        _send(subject, gettext("Reason: %(reason)s\n\n%(link)s") % values, entry.person)


def _values(event: CreditEvent) -> dict[str, object]:
    points = event.lab_points or event.platform_points
    return {
        "lab": event.organisation.name,
        "event": event_name(event.kind),
        "points": f"{points:+d}",
        "note": event.note,
        "link": _link("my_record"),
    }


def _link(name: str) -> str:
    return settings.PUBLIC_URL + reverse(name)


def _send(subject: str, text: str, person: User) -> None:
    if person.is_active and not is_silent():
        send_mail.defer(subject=" ".join(subject.split()), text=text, to=[person.email])
