"""Telling a lab that a calendar which it follows cannot be read, and that it can be read again."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse

from booking.models import CalendarSubscription
from config.kernel.access import Role
from instruments.services.notices import News, holders, settle, tell

TOLD_AFTER = 3
"""Attempts in a row that fail, an hour and a half: a server that starts anew is nobody's news."""
_FAILS, _READ_AGAIN = "lab.calendar_fails", "lab.calendar_read_again"


def failed(subscription: CalendarSubscription, failures: int, now: datetime) -> None:
    """To the managers of its lab, once in a row of ``failures``. Part of the caller's transaction."""
    if failures == TOLD_AFTER:
        _tell(_FAILS, subscription, now)


def works(subscription: CalendarSubscription, failures: int, now: datetime) -> None:
    """To the same, if they were told in the row of ``failures`` that ends now. Part of the caller's transaction."""
    if failures >= TOLD_AFTER and settle(subscription, (_FAILS,), now):
        _tell(_READ_AGAIN, subscription, now)


def forget(subscription: CalendarSubscription, now: datetime) -> None:
    """Nobody waits for it any more. Part of the caller's transaction."""
    settle(subscription, (_FAILS,), now)


def _tell(event: str, subscription: CalendarSubscription, now: datetime) -> None:
    instrument = subscription.instrument
    params = {"instrument": instrument.name, "instrument_en": instrument.name_en, "title": subscription.title}
    path = reverse("instrument_calendars", args=[instrument.pk])
    lab = instrument.organisation_id
    tell(News(event, params, path, subscription, lab), holders(Role.LAB_MANAGER, lab), now)
