"""What a group's leader has to agree to, and whether the answer still covers what it costs."""

from __future__ import annotations

from enum import StrEnum

LEADER_FIRST = "card.leader_first"
"""The code of the refusal where only the leader agrees to so much."""


class LeaderState(StrEnum):
    WAITING = "waiting"
    APPROVED = "approved"
    DECLINED = "declined"


class Wait(StrEnum):
    """Whether a booking waits for the leader: ENDED, that it did until now and does so no more without the leader's answer."""

    NONE = "none"
    ENDED = "ended"
    GOES_ON = "goes_on"


def wait_between(before: LeaderState | None, after: LeaderState | None) -> Wait:
    """What became of the wait when the booking was priced anew."""
    if after is LeaderState.WAITING:
        return Wait.GOES_ON
    return Wait.ENDED if before is LeaderState.WAITING else Wait.NONE


def after_pricing(
    state: LeaderState | None, asked_fen: int, amount_fen: int, *, asks: bool, settled_fen: int | None = None
) -> LeaderState | None:
    """Where the leader's answer stands once the booking costs ``amount_fen``; None: nobody has to be asked.

    ``asks``: the amount is one that the leader agrees to first. A yes covers everything up to what was asked. ``settled_fen``: what
    an approved booking has cost so far, which nobody is asked about again, whoever leads the group now and above whatever sum.
    """
    if not asks:
        return None
    if state is LeaderState.APPROVED and amount_fen <= asked_fen:
        return state
    if settled_fen is not None and amount_fen <= settled_fen:
        return None
    return LeaderState.WAITING
