"""What is done waits for nobody."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Model
from django.db.models.functions import Coalesce

from config.kernel.statements import planned_once
from instruments.models import Notice
from instruments.notice_events import events


def settle(about: Model, codes: Iterable[str], now: datetime) -> int:
    """Somebody has dealt with it: notices of these events about it, read or not, need nobody any more. Returns how many did.

    Call it inside the transaction of the change. What was not mailed yet is not mailed (``is_settled``).
    """
    with planned_once() as cursor:
        cursor.execute(
            "UPDATE instruments_notice SET needs_action = false, read_at = coalesce(read_at, %s)"
            " WHERE object_type = %s AND object_id = %s AND event = ANY(%s) AND needs_action",
            [now, about._meta.label_lower, str(about.pk), list(codes)],
        )
        return int(cursor.rowcount)


def settle_these(notice_ids: Iterable[int], now: datetime) -> int:
    """The same of some notices, where others of the event about the same still wait. Returns how many did."""
    rows = Notice.objects.filter(pk__in=list(notice_ids), needs_action=True)
    return rows.update(needs_action=False, read_at=Coalesce("read_at", now))


def is_settled(notice: Notice) -> bool:
    """Whether it asked something of its reader that has been dealt with."""
    event = events().get(notice.event)
    return event is not None and event.needs_action and not notice.needs_action
