"""A session that happened without a reservation, written down afterwards: flagged, with evidence and a reason.

Nobody was asked before, so nothing of it is agreed by time alone: the customer has to say yes, or somebody decides a dispute.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from psycopg.types.range import TimestamptzRange

from booking.models import Occupancy, OccupancySource, Reservation
from booking.rules.states import ReservationState
from booking.services import conflicts, holds, written_down
from booking.services import context as booking_context
from booking.services.sides import CUSTOMER_ROLES
from config.kernel.access import Actor, Role
from config.kernel.errors import Conflict, Reason, Refusal
from config.kernel.services import audit, transactions
from config.kernel.time_range import TimeRange
from instruments.models import Instrument, Membership
from instruments.rules.registry_values import clean_text

LONGEST_AGO = timedelta(days=60)
LONGEST = timedelta(days=2)
EVIDENCE_LENGTH = 1000
REASON_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Entry:
    """``during``: when it was used. ``organisation_id`` and ``person_id``: the customer and who of it came."""

    instrument_id: int
    organisation_id: int
    person_id: int
    during: TimeRange
    service_mode: str
    evidence: str
    reason: str


def enter(actor: Actor, entry: Entry, now: datetime) -> Reservation:
    """Write a past session down; it waits for the customer's yes.

    Raises NotFound, Forbidden, Refusal ``usage.entry_not_past`` / ``usage.entry_too_long_ago`` / ``usage.entry_too_long``
    (``starts_at``), ``usage.entry_customer`` (``customer``), ``usage.evidence_missing``, ``usage.reason_missing``,
    ``booking.service_mode_unknown``, ``price.none``, ``name.*``, Conflict ``usage.entry_taken`` (the time is somebody's).
    """
    evidence = clean_text(entry.evidence, EVIDENCE_LENGTH, "evidence", lines=True)
    reason = clean_text(entry.reason, REASON_LENGTH, "reason")

    def work() -> Reservation:
        context = booking_context.load(actor, entry.instrument_id, lock=True)
        instrument = context.instrument
        actor.require_in(instrument.organisation_id, Role.LAB_MANAGER)
        Refusal.raise_any(_faults(entry, evidence, reason, instrument.service_modes, now))
        holds.clear(instrument.calendar_id, entry.during, now)
        _require_free(instrument, entry.during, context.zone)
        reservation = _reservation(entry, instrument, now)
        written_down.store(actor, reservation, "reservation.request", reason, now)
        locked = written_down.approve(actor, reservation.pk, reason, now)
        session = written_down.write_use(actor, locked, evidence, reason, now)
        audit.record(actor, "usage.enter_late", session, now, after={"evidence": evidence}, reason=reason)
        return locked

    with conflicts.answered(actor, entry.instrument_id, entry.during, now):
        return transactions.run(work)


def _faults(entry: Entry, evidence: str, reason: str, modes: list[str], now: datetime) -> list[Reason]:
    faults = []
    if entry.during.ends_at > now:
        faults.append(Reason("usage.entry_not_past", {}, "ends_at"))
    if entry.during.starts_at < now - LONGEST_AGO:
        faults.append(Reason("usage.entry_too_long_ago", {"days": LONGEST_AGO.days}, "starts_at"))
    if entry.during.duration > LONGEST:
        faults.append(Reason("usage.entry_too_long", {"hours": 48}, "ends_at"))
    if not evidence:
        faults.append(Reason("usage.evidence_missing", {}, "evidence"))
    if not reason:
        faults.append(Reason("usage.reason_missing", {}, "reason"))
    if entry.service_mode not in (modes or [entry.service_mode]):
        faults.append(Reason("booking.service_mode_unknown", {"known": modes}, "service_mode"))
    belongs = Membership.objects.filter(
        user_id=entry.person_id, organisation_id=entry.organisation_id, role__in=[*CUSTOMER_ROLES, Role.LAB_MANAGER]
    )
    if not belongs.exists():
        faults.append(Reason("usage.entry_customer", {}, "customer"))
    return faults


def _require_free(instrument: Instrument, during: TimeRange, zone: ZoneInfo) -> None:
    """On its calendar, and beside its own bookings of the time when it was on another one: what is over stays there."""
    rows = Occupancy.objects.filter(blocking=True, during__overlap=TimestamptzRange(during.starts_at, during.ends_at))
    own = rows.filter(reservation__instrument=instrument, source=OccupancySource.RESERVATION)
    taken = rows.filter(calendar_id=instrument.calendar_id).order_by("during").first() or own.order_by("during").first()
    if taken is not None:
        span_of = {"taken_from_at": taken.during.lower, "taken_until_at": taken.during.upper}
        params = {name: moment.astimezone(zone).isoformat() for name, moment in span_of.items()}
        raise Conflict(Reason("usage.entry_taken", params, "starts_at"))


def _reservation(entry: Entry, instrument: Instrument, now: datetime) -> Reservation:
    return Reservation(
        instrument=instrument,
        organisation_id=entry.organisation_id,
        requested_by_id=entry.person_id,
        starts_at=entry.during.starts_at,
        ends_at=entry.during.ends_at,
        state=ReservationState.REQUESTED,
        service_mode=entry.service_mode,
        created_at=now,
    )
