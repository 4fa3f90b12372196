"""The lab's choices about use, as they are for one reservation."""

from __future__ import annotations

from booking.models import InstrumentPolicy, Reservation
from booking.rules.usage_policy import UsagePolicy
from booking.services.context import policy_of


def usage_policy_of(row: InstrumentPolicy | None) -> UsagePolicy:
    """The choices behind a policy row; without one the defaults."""
    policy = policy_of(row)
    return UsagePolicy(
        no_show_grace_minutes=policy.no_show_grace_minutes,
        late_may_use=policy.late_may_use,
        early_start_minutes=policy.early_start_minutes,
        billable_basis=policy.billable_basis,
        billable_round_up_minutes=policy.billable_round_up_minutes,
        agree_after_days=policy.agree_after_days,
    )


def usage_policy(reservation: Reservation) -> UsagePolicy:
    """The choices for a reservation whose instrument comes with its policy."""
    return usage_policy_of(getattr(reservation.instrument, "policy", None))
