"""News about credit points and lists, told in the transaction of the change; the sentences are in ``booking.training_notices``."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.urls import reverse

from booking.models import AccessListEntry, CreditAppeal, CreditEvent
from config.kernel.access import Role
from instruments.services.notices import News, holders, person, settle, tell


def noted(event: CreditEvent, now: datetime) -> None:
    """To the person: what was noted and how to appeal."""
    news = News("credit.noted", _params(event), reverse("my_record"), event, event.organisation_id)
    tell(news, person(event.person_id), now)


def appealed(appeal: CreditAppeal, now: datetime) -> None:
    """To those of the lab who may decide: not who noted it."""
    event = appeal.event
    params = _params(event) | {"person": str(event.person), "text": appeal.text}
    deciders = holders(Role.LAB_MANAGER, event.organisation_id) & ~person(event.made_by_id)
    tell(News("credit.appealed", params, reverse("credit_lab"), appeal, event.organisation_id), deciders, now)


def decided(appeal: CreditAppeal, now: datetime) -> None:
    """To the person."""
    event = appeal.event
    settle(appeal, ["credit.appealed"], now)
    params = _params(event) | {"answer": appeal.answer}
    news = News(f"credit.appeal_{appeal.state}", params, reverse("my_record"), appeal, event.organisation_id)
    tell(news, person(event.person_id), now)


def taken_back(event: CreditEvent, now: datetime) -> None:
    """To the person: it has turned out otherwise. An appeal about it needs nobody any more."""
    for appeal in CreditAppeal.objects.filter(event=event):
        settle(appeal, ["credit.appealed"], now)
    params = _params(event) | {"reference": event.reservation.reference if event.reservation else ""}
    news = News("credit.taken_back", params, reverse("my_record"), event, event.organisation_id)
    tell(news, person(event.person_id), now)


def listed(entry: AccessListEntry, now: datetime) -> None:
    """To the person who may not book; a whole customer and an exemption are told nobody."""
    if entry.person_id is None or entry.verdict != "deny":
        return
    lab = entry.organisation
    params = {"lab": lab.name if lab else "", "lab_en": lab.name_en if lab else "", "reason": entry.reason}
    tell(News("credit.listed", params, reverse("my_record"), entry, entry.organisation_id), person(entry.person_id), now)


def _params(event: CreditEvent) -> dict[str, Any]:
    points = event.lab_points or event.platform_points
    lab = event.organisation
    return {"lab": lab.name, "lab_en": lab.name_en, "credit_event": event.kind, "points": f"{points:+d}", "note": event.note}
