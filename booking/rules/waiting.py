"""The waiting list: what may follow what, and how long an offer stands."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from config.kernel.errors import Refusal

OFFER_STANDS = timedelta(minutes=60)
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
