"""The waiting list: what may follow what, and how long an offer stands."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from booking.rules.policy import BookingPolicy
from config.kernel.errors import Reason, Refusal
from config.kernel.time_range import TimeRange
from instruments.rules.wall_time import local_day, to_wall

OFFER_STANDS = timedelta(minutes=60)
LEAST_TO_ANSWER = timedelta(minutes=10)
"""What begins sooner is not offered: whoever is asked has to be able to answer before it begins."""
MOST_OFFERS = 5
"""Who lets so many offers pass does not want one; then the entry ends."""
REST = timedelta(hours=12)
"""Who let an offer pass is not asked again for so long."""


class WaitState(StrEnum):
    WAITING = "waiting"
    OFFERED = "offered"
    TAKEN = "taken"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


class WaitEvent(StrEnum):
    OFFER = "offer"
    ACCEPT = "accept"
    PASS = "pass"  # noqa: S105  (an offer that is declined, or that nobody answered)
    WITHDRAW = "withdraw"
    LAPSE = "lapse"


_TRANSITIONS: dict[WaitState, dict[WaitEvent, WaitState]] = {
    WaitState.WAITING: {
        WaitEvent.OFFER: WaitState.OFFERED,
        WaitEvent.WITHDRAW: WaitState.WITHDRAWN,
        WaitEvent.LAPSE: WaitState.LAPSED,
    },
    WaitState.OFFERED: {
        WaitEvent.ACCEPT: WaitState.TAKEN,
        WaitEvent.PASS: WaitState.WAITING,
        WaitEvent.WITHDRAW: WaitState.WITHDRAWN,
        WaitEvent.LAPSE: WaitState.LAPSED,
    },
    WaitState.TAKEN: {},
    WaitState.WITHDRAWN: {},
    WaitState.LAPSED: {},
}


def next_wait_state(state: WaitState, event: WaitEvent) -> WaitState:
    """The state after ``event``. Raises Refusal ``wait.not_now`` when the table has no such step."""
    try:
        return _TRANSITIONS[state][event]
    except KeyError:
        raise Refusal.of("wait.not_now", state=state.value) from None


def offer_expires(now: datetime, starts_at: datetime) -> datetime:
    """When an offer made ``now`` ends: after an hour, and never after the offered time begins."""
    return min(now + OFFER_STANDS, starts_at)


def most_within(window: TimeRange, policy: BookingPolicy) -> int:
    """The longest session (minutes, on the grid) that the lab's limits allow within ``window``; all of it where they allow that, and the
    shortest one where it is too short."""
    step = policy.granularity_minutes
    return max(min(window.seconds // 60, policy.max_minutes) // step * step, policy.shortest_on_grid_minutes)


#: Reasons that no later time mends: they are about the person, the organisation or the instrument.
_WHENEVER = frozenset(
    {
        "booking.instrument_unavailable",
        "booking.service_mode_unknown",
        "booking.licence_needed",
        "booking.assisted_licence_needed",
        "booking.beyond_horizon",
    }
)


def look_on_from(reasons: Iterable[Reason], during: TimeRange, policy: BookingPolicy, zone: ZoneInfo) -> datetime | None:
    """From when on a time may be found that none of ``reasons`` (there is one at least) stands against, after ``during`` was refused;
    None where no later time would do. It skips nothing that the person may book.
    """
    latest: datetime | None = None
    for reason in reasons:
        moment = _satisfied_from(reason, during, policy, zone)
        if moment is None:
            return None
        latest = moment if latest is None else max(latest, moment)
    return latest


def _satisfied_from(reason: Reason, during: TimeRange, policy: BookingPolicy, zone: ZoneInfo) -> datetime | None:
    code, params = reason.code, reason.params
    if code in _WHENEVER or code.startswith("measure."):
        return None
    if code in ("booking.off_hours_licence", "booking.off_hours_assisted"):
        return _next_edge(during, policy, zone)
    if code != "booking.cool_off" and not code.startswith("quota."):
        return _next_day(during, zone)
    known = params.get("from_at") or params.get("again_at")
    later = datetime.fromisoformat(known) if known else None
    if not policy.unlimited and not params.get("quota_period", ["", False])[1]:
        return later
    edge = _next_edge(during, policy, zone)  # some hours of the day are not counted
    return edge if later is None else min(edge, later)


def _next_day(during: TimeRange, zone: ZoneInfo) -> datetime:
    return local_day(to_wall(during.starts_at, zone).date(), zone).ends_at


def _next_edge(during: TimeRange, policy: BookingPolicy, zone: ZoneInfo) -> datetime:
    """The next moment of the local day at which other rules begin to hold, or the next day."""
    rest = TimeRange(during.starts_at, _next_day(during, zone))
    times = (*policy.licensed_times, *policy.peak, *policy.unlimited)
    edges = [edge for one in times for part in one.within(rest, zone) for edge in (part.starts_at, part.ends_at)]
    return min((edge for edge in edges if edge > during.starts_at), default=rest.ends_at)
