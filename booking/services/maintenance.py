"""Time that the lab takes for itself."""

from __future__ import annotations

from datetime import datetime

from booking.models import Downtime, Occupancy, OccupancySource
from booking.rules.downtime import DowntimeKind, require_length
from booking.services import conflicts, downtime_rows, holds
from booking.services import context as booking_context
from config.kernel.access import Actor, Role
from config.kernel.errors import NotFound
from config.kernel.services import audit, transactions
from config.kernel.time_range import TimeRange
from instruments.rules.names import clean_name


def block(
    actor: Actor,
    instrument_id: int,
    during: TimeRange,
    note: str,
    now: datetime,
    kind: DowntimeKind = DowntimeKind.SERVICE,
) -> Downtime:
    """Keep ``during``, in which nothing may be booked, for planned work; the same constraint that keeps reservations apart refuses an
    overlap. (What takes time in which something is booked: ``services.downtimes``.)

    Raises NotFound, Forbidden, Refusal ``maintenance.too_long``, Conflict ``booking.just_taken`` when somebody has booked in it.
    """
    require_length(during.duration)
    note = clean_name(note, 200, field="note")

    def work() -> Downtime:
        context = booking_context.load(actor, instrument_id, lock=True)
        actor.require_in(context.instrument.organisation_id, Role.LAB_MANAGER)
        holds.clear(context.instrument.calendar_id, during, now)
        if booking_context.busy_ranges(context.instrument.calendar_id, during):
            raise conflicts.Taken
        return downtime_rows.insert(actor, context.instrument, kind, during, note, now)

    with conflicts.answered(actor, instrument_id, during, now):
        return transactions.run(work)


def unblock(actor: Actor, instrument_id: int, occupancy_id: int, now: datetime) -> Occupancy:
    """Give time that was kept before there were downtimes back; returns what it was. Raises NotFound, Forbidden."""

    def work() -> Occupancy:
        context = booking_context.load(actor, instrument_id, lock=True)
        actor.require_in(context.instrument.organisation_id, Role.LAB_MANAGER)
        rows = Occupancy.objects.filter(
            calendar_id=context.instrument.calendar_id, source=OccupancySource.MAINTENANCE, downtime=None
        )
        occupancy = rows.filter(pk=occupancy_id).first()
        if occupancy is None:
            raise NotFound.of("access.not_found", model="occupancy")
        during = occupancy.during
        before = {"starts_at": during.lower.isoformat(), "ends_at": during.upper.isoformat(), "note": occupancy.note}
        audit.record(actor, "maintenance.unblock", occupancy, now, before=before)
        rows.filter(pk=occupancy_id).delete()
        return occupancy

    return transactions.run(work)
