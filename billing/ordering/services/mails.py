"""News about quotations and commission sheets, told in the transaction of the change."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q
from django.urls import reverse

from billing.ordering.models import CommissionSheet, Quotation
from booking.rules.enquiries import Side
from booking.services.enquiry_mails import readers
from config.kernel.access import Role
from instruments.models import Membership
from instruments.services import notices, webhooks
from instruments.services.notices import News, holders

#: Told by the lab, these ask the customer for its signature.
_WANTS_SIGNATURE = frozenset({"issued", "signed"})


def tell_quotation(quotation: Quotation, event: str, by: Side | None, now: datetime) -> None:
    """Tell the side that did not do it (both, when time did) what became of a quotation."""
    page = reverse("quotation_detail", args=[quotation.pk])
    _tell(quotation, f"quotation.{event}", _sides(quotation, by), page, quotation.enquiry.lab_id, now)


def tell_sheet(sheet: CommissionSheet, event: str, by: Side, now: datetime) -> None:
    """Tell the other side (both, when the sheet is in force) what happened to a commission sheet: on the customer's also who accepted
    the quotation and, while its signature is wanted, those who can give it."""
    page = reverse("commission_detail", args=[sheet.pk])
    known_by = None if event == "in_force" else by
    people = _sides(sheet.quotation, known_by)
    if known_by is not Side.CUSTOMER:
        people |= _customers(sheet, event)
    _tell(sheet, f"commission.{event}", people, page, sheet.lab_id, now)


def _customers(sheet: CommissionSheet, event: str) -> Q:
    members = Membership.objects.filter(organisation_id=sheet.organisation_id, user_id=sheet.created_by_id)
    found = Q(pk__in=members.values("user_id"))
    return found | holders(Role.FIRM_ADMIN, sheet.organisation_id) if event in _WANTS_SIGNATURE else found


def _sides(quotation: Quotation, by: Side | None) -> Q:
    found = Q(pk__in=[])
    for side in Side:
        if by is None or side is by:
            found |= readers(quotation.enquiry, side)
    return found


def hear_of_sent(quotation: Quotation, now: datetime) -> None:
    """People hear of a quotation by the message in the thread that goes with it; webhooks by itself."""
    webhooks.queue("quotation.sent", _hearing(quotation, "quotation.sent"), now)


def _tell(document: Quotation | CommissionSheet, event: str, people: Q, page: str, lab_id: int, now: datetime) -> None:
    params = {
        "number": document.number or "",
        "title": document.title,
        "total_fen": document.total_fen,
        "reason": document.reason,
    }
    notices.tell(News(event, params, page, document, lab_id, webhooks=_hearing(document, event)), people, now)


def _hearing(document: Quotation | CommissionSheet, event: str) -> dict[int, dict[str, Any]]:
    """What the webhooks of both sides hear: nothing that one of them may not see, and no person."""
    kind, _dot, happened = event.partition(".")
    lab, customer = (
        (document.enquiry.lab, document.enquiry.organisation)
        if isinstance(document, Quotation)
        else (document.lab, document.organisation)
    )
    heard = {
        kind: document.pk,
        "number": document.number or "",
        "title": document.title,
        "happened": happened,
        "state": str(document.state),
        "lab": {"id": lab.pk, "name": lab.name},
        "customer": {"id": customer.pk, "name": customer.name},
        "total_fen": document.total_fen,
    }
    return dict.fromkeys((lab.pk, customer.pk), heard)
