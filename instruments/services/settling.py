"""What is done waits for nobody."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Model, Value
from django.db.models.functions import Coalesce

from instruments.models import Notice
from instruments.notice_events import events


def settle(about: Model, codes: Iterable[str], now: datetime) -> int:
    """Somebody has dealt with it: notices of these events about it, read or not, need nobody any more. Returns how many did.

    Call it inside the transaction of the change. What was not mailed yet is not mailed (``is_settled``).
    """
    waiting = Notice.objects.filter(
        object_type=about._meta.label_lower, object_id=str(about.pk), event__in=list(codes), needs_action=True
    )
    return waiting.update(needs_action=False, read_at=Coalesce("read_at", Value(now)))


def is_settled(notice: Notice) -> bool:
    """Whether it asked something of its reader that has been dealt with."""
    event = events().get(notice.event)
    return event is not None and event.needs_action and not notice.needs_action
