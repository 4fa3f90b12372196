"""Moving a reservation to another time: who has to agree, and what becomes of the wish.

The old place is kept until the new one is sure. A change that one side may make alone happens at once; any other is a proposal, which
keeps the new time beside the old one until the other side answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from booking.rules.states import ReservationState
from config.kernel.errors import Reason, Refusal
from config.kernel.time_range import TimeRange


class Side(StrEnum):
    """Who proposes, and so who answers: the other one."""

    CUSTOMER = "customer"
    LAB = "lab"

    @property
    def other(self) -> Side:
        return Side.LAB if self is Side.CUSTOMER else Side.CUSTOMER


class ChangeState(StrEnum):
    OPEN = "open"
    MADE = "made"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


class ChangeEvent(StrEnum):
    ACCEPT = "accept"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    LAPSE = "lapse"


_AFTER = {
    ChangeEvent.ACCEPT: ChangeState.MADE,
    ChangeEvent.REFUSE: ChangeState.REFUSED,
    ChangeEvent.WITHDRAW: ChangeState.WITHDRAWN,
    ChangeEvent.LAPSE: ChangeState.LAPSED,
}


def next_change_state(state: ChangeState, event: ChangeEvent) -> ChangeState:
    """The state after ``event``. Raises Refusal ``change.answered_already`` for a change that is not open."""
    if state is not ChangeState.OPEN:
        raise Refusal.of("change.answered_already", state=state.value)
    return _AFTER[event]


def needs_the_other_side(
    side: Side,
    state: ReservationState,
    old: TimeRange,
    new: TimeRange,
    *,
    approval_required: bool,
    agreed: bool,
    elsewhere: bool = False,
) -> bool:
    """Whether the other side has to say yes first.

    The lab never moves a customer's time alone, unless it says that the customer has agreed. The customer may do so while the lab has
    not answered, where the lab asks for no approval, and when it only gives time back; ``elsewhere``, on another instrument, none is.
    """
    if agreed:
        return False
    if side is Side.LAB:
        return True
    return approval_required and state is not ReservationState.REQUESTED and (elsewhere or not old.contains(new))


_ABOUT_THE_START = frozenset({"booking.in_the_past", "booking.too_soon", "booking.beyond_horizon", "booking.off_grid"})


def counting(reasons: Iterable[Reason], old: TimeRange, new: TimeRange) -> list[Reason]:
    """Those of the reasons against ``new`` that count for what is booked as ``old`` already.

    When it may begin is not judged again for a start that stays, nor whether an end that stays lies on the grid of today, and neither
    a quota nor an outage keeps anybody from giving time back. Everything else counts as for a new booking: licences, measures, lengths,
    the state of the instrument, opening hours.
    """
    found = list(reasons)
    if new.starts_at == old.starts_at:
        found = [one for one in found if one.code not in _ABOUT_THE_START]
    if new.ends_at == old.ends_at:
        found = [one for one in found if one.code != "booking.end_off_grid"]
    if old.contains(new):
        found = [one for one in found if not one.code.startswith("quota.") and one.code != "downtime.in_the_way"]
    return found
