"""Time that the first firm gave back too late: of one booking others used a part, so that a part of its fee fell away."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from billing.models import BookingFee, FeeRelief
from billing.pricing import services as pricing
from booking.services import context as booking_context
from booking.services import transitions, usage_review
from config.demo import bookings
from config.demo.organisations import People
from config.demo.source import words
from config.kernel.access import Role
from config.kernel.time_range import TimeRange
from instruments.models import Instrument
from instruments.rules.wall_time import local_day

HOUR = timedelta(hours=1)
_FIRST, _LAST = 4, 30
_AGAIN_BEFORE = 240
"""How many minutes before its start the other firm books the time again."""


def give_back(people: People, stocked: list[Instrument], today: date, now: datetime) -> dict[str, int]:
    """Play it through the services on the first instrument of the first lab that takes fees and is free then; counts of both."""
    zone = ZoneInfo(settings.TIME_ZONE)
    own = [one for one in stocked if one.organisation_id == people.owners[0].pk and _takes_fees(one, today)]
    for days in range(_FIRST, _LAST):
        start = local_day(today - timedelta(days=days), zone).starts_at + 14 * HOUR
        during = TimeRange(start, start + 2 * HOUR)
        if any(_played(people, instrument, during, now) for instrument in own):
            break
    return {"fees": BookingFee.objects.count(), "fees that fell away": FeeRelief.objects.count()}


def _takes_fees(instrument: Instrument, today: date) -> bool:
    """Whether it does, and can be booked again on the day itself."""
    version_id = pricing.version_id_in_force(instrument.pk, today)
    soon = booking_context.load_unlocked(instrument.pk).policy.notice_minutes <= _AGAIN_BEFORE
    return version_id is not None and bool(pricing.schedule(version_id).fees) and soon


def _played(people: People, instrument: Instrument, during: TimeRange, now: datetime) -> bool:
    first, second = people.customers[:2]
    asks, uses = people.actor(first, Role.RESEARCHER), people.actor(second, Role.RESEARCHER)
    manager = people.actor(people.owners[0], Role.LAB_MANAGER)
    before = during.starts_at - timedelta(days=3)
    lost = bookings.approved(asks, manager, first.pk, instrument, during, before)
    if lost is None:
        return False
    transitions.cancel(asks, lost, during.starts_at - 5 * HOUR, words("people")["late_reason"])
    hour = TimeRange(during.starts_at, during.starts_at + HOUR)
    used = bookings.approved(uses, manager, second.pk, instrument, hour, during.starts_at - timedelta(minutes=_AGAIN_BEFORE))
    if used is None:
        return False
    transitions.check_in(manager, used, hour.starts_at)
    transitions.check_out(manager, used, hour.ends_at)
    return usage_review.agree(uses, used, min(now, hour.ends_at + HOUR))
