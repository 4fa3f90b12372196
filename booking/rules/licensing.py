"""Which licence a session needs: by how the customer uses the instrument, and when.

Who operates it, there or from elsewhere, needs the one to work alone where the lab says so; who is assisted the one for that, where it
says that too. In the times that are only for the licensed, whoever operates it or is at it needs the one for off-hours; who is assisted
only where nobody was named to assist, since no operator of the lab is there for sure then.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from booking.rules.assistance import ASSISTED
from booking.rules.policy import BookingPolicy
from booking.rules.training import Level
from booking.rules.week_time import parts_within
from config.kernel.errors import Reason
from config.kernel.time_range import TimeRange

#: The modes of service in which the customer operates the instrument; samples are sent in the one that is neither these nor assisted.
OPERATED = ("self_operated", "remote")
#: Those that may ask for a licence, what asks most before others.
ASKED = (*OPERATED, ASSISTED)


def licence_of_mode(policy: BookingPolicy, service_mode: str) -> Level | None:
    """The licence that the lab asks for in that mode at any time."""
    if service_mode in OPERATED:
        return Level.SELF if policy.licence_needed else None
    return Level.ASSISTED if service_mode == ASSISTED and policy.assisted_licence_needed else None


def may_need_off_hours(policy: BookingPolicy, service_mode: str) -> bool:
    """Whether there are times that need the one for off-hours in that mode; who is assisted may be attended."""
    return bool(policy.licensed_times) and service_mode in ASKED


def licences_needed(
    policy: BookingPolicy, service_mode: str, during: TimeRange, zone: ZoneInfo, *, attended: bool
) -> dict[Level, Reason]:
    """The licences that a session needs, each with the reason against who holds none. ``attended``: who is assisted has somebody of the
    lab beside them."""
    found: dict[Level, Reason] = {}
    of_mode = licence_of_mode(policy, service_mode)
    if of_mode is not None:
        found[of_mode] = Reason(_OF_MODE[of_mode], {}, "service_mode")
    assisted = service_mode == ASSISTED
    if may_need_off_hours(policy, service_mode) and not (assisted and attended):
        parts = parts_within(policy.licensed_times, during, zone)
        if parts:
            first = parts[0]
            params = {
                "from_at": first.starts_at.astimezone(zone).isoformat(),
                "until_at": first.ends_at.astimezone(zone).isoformat(),
            }
            code = "booking.off_hours_assisted" if assisted else "booking.off_hours_licence"
            found[Level.OFF_HOURS] = Reason(code, params, "starts_at")
    return found


_OF_MODE = {Level.SELF: "booking.licence_needed", Level.ASSISTED: "booking.assisted_licence_needed"}
#: The codes of reasons that a training or a licence mends.
OF_TRAINING = frozenset({*_OF_MODE.values(), "booking.off_hours_licence", "booking.off_hours_assisted"})
