"""What stands against a time that somebody would book: asked by whoever books, holds, waits, moves, or only looks."""

from __future__ import annotations

from datetime import datetime

from booking.rules.downtime import outage_reason
from booking.rules.policy import broken_rules
from booking.services import assisting, downtime_rows, standing
from booking.services.context import BookingContext
from config.kernel.access import Role
from config.kernel.errors import Reason
from config.kernel.time_range import TimeRange
from instruments.models import Organisation

BOOKING_ROLES = (Role.RESEARCHER, Role.FIRM_ADMIN, Role.LAB_MANAGER)


def refusal_reasons(
    context: BookingContext,
    person_id: int | None,
    customer: Organisation | None,
    during: TimeRange,
    service_mode: str,
    now: datetime,
    *,
    lock: bool = False,
    without_id: int = 0,
    assistance: bool = True,
    holder_id: int | None = None,
    licensed_id: int | None = None,
) -> list[Reason]:
    """Every reason against ``during`` except that others have taken it; without a customer, what does not depend on one.

    ``person_id`` is who asks. With ``lock`` quotas hold until the transaction ends; ``without_id`` is the reservation that would
    move there. ``assistance`` False: who writes finds out by itself whether somebody can assist. What ``holder_id`` holds of the instrument
    keeps nobody of those who assist from it. ``licensed_id``: whose licence is asked for (None: that of ``person_id``).
    """
    reasons = time_reasons(context, during, service_mode, now)
    if not any(one.code == "booking.instrument_unavailable" for one in reasons):
        reasons += outage_reasons(context, during)
    if customer is not None:
        context = context.for_customer(customer)
        whose_standing = (context, person_id, customer.pk, during, service_mode, now)
        reasons += standing.reasons(*whose_standing, lock=lock, without_id=without_id, licensed_id=licensed_id)
    reasons += context.closed_reasons(during)
    if assistance and context.has_assistants:
        whose = (context.instrument, during, context.policy, context.zone)
        reasons += assisting.reasons(*whose, service_mode, now, without_id, holder_id)
    return reasons


def time_reasons(context: BookingContext, during: TimeRange, service_mode: str, now: datetime) -> list[Reason]:
    """What stands against ``during`` whoever asks; opening hours, outages and others' bookings left aside."""
    instrument = context.instrument
    reasons = broken_rules(context.policy, during, context.zone, now)
    if not context.runs_at(during.starts_at):
        reasons.insert(0, Reason("booking.instrument_unavailable", {"status": instrument.status}, ""))
    if service_mode not in (instrument.service_modes or [service_mode]):
        reasons.append(Reason("booking.service_mode_unknown", {"known": instrument.service_modes}, "service_mode"))
    return reasons


def outage_reasons(context: BookingContext, during: TimeRange) -> list[Reason]:
    """The outage, now or planned, in which somebody kept ``during`` and gave it up: nobody else books it. What the outage has taken itself
    is taken, as by a booking."""
    if not context.has_outages:
        return []
    found = downtime_rows.kept_in(context.instrument.calendar_id, context.policy.occupied(during))
    return [outage_reason(found, context.zone)] if found else []
