"""What a session would typically cost: the engine's own figures for a customer who is described and does not exist."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from billing.settlement.services import assessing
from billing.settlement.services.assessing import Prepared
from billing.subsidy.rules.assess import Assessment
from booking.services.context import BookingContext
from config.kernel.errors import Refusal
from config.kernel.time_range import TimeRange
from instruments.models import Organisation, OrganisationKind, OrganisationStatus
from instruments.rules.wall_time import local_day, start_instant

TUESDAY = 1
HOURS = 3
#: A typical customer: a verified small firm in Xining that has used nothing of any programme yet.
REGION = "630104"
STAFF = 60
REVENUE_FEN = 20_000_000_00
_PREFERRED = time(9)
_WEEKS_AHEAD = 8


@dataclass(frozen=True, slots=True)
class Example:
    """A session of ``during`` for the typical customer. ``is_open``: it lies in the opening hours of a coming Tuesday."""

    during: TimeRange
    is_open: bool
    prepared: Prepared
    assessment: Assessment


def worked_example(context: BookingContext, now: datetime) -> Example | None:
    """The example for an instrument, at today's balances of the programmes; None where it has no price then. Writes nothing."""
    during, is_open = _session(context, now)
    try:
        prepared = assessing.prepare(context.instrument, _customer(), during, now)
    except Refusal:
        return None
    return Example(during, is_open, prepared, prepared.inputs.assess())


def _customer() -> Organisation:
    return Organisation(
        pk=0,
        kind=OrganisationKind.FIRM,
        status=OrganisationStatus.VERIFIED,
        region_code=REGION,
        policy_zones=[],
        staff_count=STAFF,
        annual_revenue_fen=REVENUE_FEN,
    )


def _session(context: BookingContext, now: datetime) -> tuple[TimeRange, bool]:
    """Three hours (or what the lab's rules allow) on a coming Tuesday: at nine where it is open then, else as soon as it opens."""
    policy = context.policy
    minutes = min(max(HOURS * 60, policy.shortest_on_grid_minutes), policy.max_minutes)
    length = timedelta(minutes=minutes)
    today = context.local_day(now)
    tuesday = today + timedelta(days=(TUESDAY - today.weekday() - 1) % 7 + 1)
    usual: TimeRange | None = None
    for weeks in range(_WEEKS_AHEAD):
        on = tuesday + timedelta(weeks=weeks)
        nine = start_instant(datetime.combine(on, _PREFERRED), context.zone)
        at_nine, day = TimeRange(nine, nine + length), local_day(on, context.zone)
        usual = usual or at_nine
        opened = [one for one in context.opening(day) if one.duration >= length]
        if any(one.contains(at_nine) for one in opened):
            return at_nine, True
        if opened:
            return TimeRange(opened[0].starts_at, opened[0].starts_at + length), True
    assert usual is not None
    return usual, False
