"""Notices and deliveries as rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import pgettext_lazy

from instruments.models import Delivery, Notice
from instruments.notice_events import Words, event_name, events, words_of
from instruments.services import channels
from instruments.services.notices import EMAIL

_EMAIL_NAME = pgettext_lazy("channel", "E-mail")


@dataclass(frozen=True, slots=True)
class NoticeRow:
    notice: Notice
    words: Words
    icon: str


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A line of the mail log. ``what`` is the kind of news and never its text."""

    delivery: Delivery
    what: str
    reference: str
    to: str
    name: str
    channel: str
    when: datetime


def row_of(notice: Notice) -> NoticeRow:
    """In the active language."""
    known = events().get(notice.event)
    return NoticeRow(notice, words_of(notice.event, notice.params), known.icon if known else "bell")


def delivery_row(one: Delivery) -> DeliveryRow:
    """In the active language."""
    adapter = channels.channels().get(one.channel)
    channel = str(_EMAIL_NAME) if one.channel == EMAIL else str(adapter.label) if adapter else one.channel
    return DeliveryRow(
        one,
        event_name(one.event),
        str(one.notice.params.get("reference", "")) if one.notice is not None else "",
        one.address or (one.user.email if one.user is not None and one.channel == EMAIL else ""),
        one.user.full_name if one.user is not None else "",
        channel,
        one.sent_at or one.due_at,
    )
