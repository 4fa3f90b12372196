"""The lab's choices about use, as they are for one reservation."""

from __future__ import annotations

from booking.models import InstrumentPolicy, Reservation
from booking.rules.usage_policy import UsagePolicy
from booking.services.context import no_show_grace_minutes


def usage_policy_of(row: InstrumentPolicy | None) -> UsagePolicy:
    """The choices behind a policy row; without one the defaults."""
    return UsagePolicy(no_show_grace_minutes=no_show_grace_minutes(row))


def usage_policy(reservation: Reservation) -> UsagePolicy:
    """The choices for a reservation whose instrument comes with its policy."""
    return usage_policy_of(getattr(reservation.instrument, "policy", None))
