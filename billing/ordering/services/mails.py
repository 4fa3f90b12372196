"""Mails about quotations and commission sheets, queued in the transaction of the change, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, override

from billing.ledger.rules.money import yuan
from billing.ordering.models import CommissionSheet, Quotation
from booking.rules.enquiries import Side
from booking.services.enquiry_mails import readers
from config.kernel.services.silence import is_silent
from config.kernel.tasks import send_mail
from instruments.models import User

_QUOTATION: dict[str, Promise | str] = {
    "accepted": gettext_lazy("Quotation %(number)s was accepted"),
    "declined": gettext_lazy("Quotation %(number)s was declined"),
    "withdrawn": gettext_lazy("Quotation %(number)s was withdrawn"),
    "expired": gettext_lazy("Quotation %(number)s has expired"),
}
_SHEET: dict[str, Promise | str] = {
    "issued": gettext_lazy("Commission sheet %(number)s waits for signatures"),
    "signed": gettext_lazy("Commission sheet %(number)s was signed by the other side"),
    "in_force": gettext_lazy("Commission sheet %(number)s is signed by both sides"),
    "finished": gettext_lazy("Commission %(number)s is done"),
    "cancelled": gettext_lazy("Commission %(title)s was cancelled"),
}


def tell_quotation(quotation: Quotation, event: str, by: Side | None) -> None:
    """Tell the side that did not do it (both, when time did) what became of a quotation."""
    page = reverse("quotation_detail", args=[quotation.pk])
    _tell(quotation, _sides(quotation, by), _QUOTATION[event], page)


def tell_sheet(sheet: CommissionSheet, event: str, by: Side) -> None:
    """Tell the other side (both, when the sheet is in force) what happened to a commission sheet."""
    page = reverse("commission_detail", args=[sheet.pk])
    _tell(sheet, _sides(sheet.quotation, None if event == "in_force" else by), _SHEET[event], page)


def _sides(quotation: Quotation, by: Side | None) -> Iterable[User]:
    found: dict[int, User] = {}
    for side in Side:
        if by is None or side is by:
            found |= {person.pk: person for person in readers(quotation.enquiry, side)}
    return found.values()


def _tell(document: Quotation | CommissionSheet, people: Iterable[User], subject: Promise | str, page: str) -> None:
    if is_silent():
        return
    for person in people:
        with override(person.language):
            names = {"number": document.number, "title": document.title}
            title = " ".join((str(subject) % names).split())
            parts = [title, f"{document.title}: ¥{yuan(document.total_fen)}"]
        parts += [document.reason, settings.PUBLIC_URL + page]
        send_mail.defer(subject=title, text="\n\n".join(part for part in parts if part), to=[person.email])
