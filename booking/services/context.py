"""Everything a booking decision needs, read behind the calendar's lock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from psycopg.types.range import TimestamptzRange

from booking.models import InstrumentPolicy
from booking.rules.policy import BookingPolicy
from booking.rules.slots import free_ranges, nearest_alternatives
from config.kernel.access import Actor, visible_to
from config.kernel.errors import NotFound
from config.kernel.time_range import TimeRange
from instruments.models import Instrument
from instruments.rules.opening import CalendarEntry, open_ranges
from instruments.services import schedule_store

ALTERNATIVES_WITHIN = timedelta(days=14)


def policy_of(row: InstrumentPolicy | None) -> BookingPolicy:
    """The lab's policy; an instrument without a row of its own has the model's defaults."""
    row = row or InstrumentPolicy()
    return BookingPolicy(
        granularity_minutes=row.granularity_minutes,
        min_minutes=row.min_minutes,
        max_minutes=row.max_minutes,
        notice_minutes=row.notice_minutes,
        horizon_days=row.horizon_days,
        buffer_before_minutes=row.buffer_before_minutes,
        buffer_after_minutes=row.buffer_after_minutes,
        approval_required=row.approval_required,
        pending_blocks=row.pending_blocks,
        cancel_notice_minutes=row.cancel_notice_minutes,
    )


def no_show_grace_minutes(row: InstrumentPolicy | None) -> int:
    """How long after the start the lab waits for somebody who does not come."""
    return (row or InstrumentPolicy()).no_show_grace_minutes


@dataclass(frozen=True, slots=True)
class BookingContext:
    """An instrument with its zone, policy and calendar entries."""

    instrument: Instrument
    zone: ZoneInfo
    policy: BookingPolicy
    entries: list[CalendarEntry]

    def opening(self, window: TimeRange) -> list[TimeRange]:
        return open_ranges(self.entries, self.zone, window)

    def local_day(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()


def load(actor: Actor, instrument_id: int, *, lock: bool) -> BookingContext:
    """The context of an instrument the actor may see; with ``lock`` its calendar row is locked until the transaction ends.

    Raises NotFound.
    """
    rows = visible_to(Instrument.objects.all(), actor).select_related("site", "policy", "organisation").filter(pk=instrument_id)
    if lock:
        rows = rows.select_related("site", "policy", "organisation", "calendar").select_for_update(of=("calendar",), no_key=True)
    instrument = rows.first()
    if instrument is None:
        raise NotFound.of("access.not_found", model="instrument")
    return BookingContext(
        instrument=instrument,
        zone=ZoneInfo(instrument.site.time_zone),
        policy=policy_of(getattr(instrument, "policy", None)),
        entries=schedule_store.entries_by_calendar([instrument.calendar_id]).get(instrument.calendar_id, []),
    )


#: The guard's own index answers it: calendar and time together, however long the history of a calendar is.
OVERLAPPING = """
blocking AND int8range(calendar_id, calendar_id, '[]') && int8range(%(calendar)s, %(calendar)s, '[]') AND during && %(during)s
"""
_BUSY = f"SELECT during FROM booking_occupancy WHERE {OVERLAPPING}"  # noqa: S608  (constants only)


def busy_ranges(calendar_id: int, window: TimeRange) -> list[TimeRange]:
    """The blocking occupancies (buffers included) of a calendar that touch ``window``."""
    values: dict[str, Any] = {"calendar": calendar_id, "during": TimestamptzRange(window.starts_at, window.ends_at)}
    with connection.cursor() as cursor:
        cursor.execute(_BUSY, values)
        return [TimeRange(during.lower, during.upper) for (during,) in cursor.fetchall()]


def alternatives(context: BookingContext, requested: TimeRange, now: datetime, count: int = 3) -> list[TimeRange]:
    """The nearest free ranges of the same length within two weeks on either side, never before now."""
    window = TimeRange(max(requested.starts_at - ALTERNATIVES_WITHIN, now), max(requested.ends_at, now) + ALTERNATIVES_WITHIN)
    free = free_ranges(context.opening(window), busy_ranges(context.instrument.calendar_id, window), context.policy, now)
    return nearest_alternatives(requested, free, context.policy, context.zone, now, count)
