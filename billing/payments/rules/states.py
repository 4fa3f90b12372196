"""The states of what a payment provider knows about: they only move forward, whatever order the news come in."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class CheckoutState(StrEnum):
    """``asked``: written down, the provider not asked yet or its answer lost. ``quarantined``: what the provider says is not what was
    asked for; a person looks."""

    ASKED = "asked"
    OPEN = "open"
    PAID = "paid"
    EXPIRED = "expired"
    FAILED = "failed"
    QUARANTINED = "quarantined"


#: Which states may follow each. A session that was thought to be over can turn out to be paid; nothing undoes that.
CHECKOUT_NEXT: Mapping[str, frozenset[str]] = {
    CheckoutState.ASKED: frozenset({"open", "paid", "expired", "failed", "quarantined"}),
    CheckoutState.OPEN: frozenset({"paid", "expired", "failed", "quarantined"}),
    CheckoutState.EXPIRED: frozenset({"paid", "quarantined"}),
    CheckoutState.FAILED: frozenset({"paid", "quarantined"}),
    CheckoutState.QUARANTINED: frozenset({"paid"}),
    CheckoutState.PAID: frozenset(),
}
LIVE = (CheckoutState.ASKED, CheckoutState.OPEN)


class RefundState(StrEnum):
    """A refund that was asked for at the provider."""

    ASKED = "asked"
    DONE = "done"
    FAILED = "failed"


REFUND_NEXT: Mapping[str, frozenset[str]] = {
    RefundState.ASKED: frozenset({"done", "failed"}),
    RefundState.FAILED: frozenset({"done"}),
    RefundState.DONE: frozenset(),
}


class DisputeState(StrEnum):
    """A customer's bank asks for its money back; ``lost``: it got it."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


DISPUTE_NEXT: Mapping[str, frozenset[str]] = {
    DisputeState.OPEN: frozenset({"won", "lost"}),
    DisputeState.WON: frozenset({"lost"}),
    DisputeState.LOST: frozenset(),
}


class EventState(StrEnum):
    """``waiting`` until the worker has looked at its object; ``ignored``: about nothing of ours; ``dead``: given up after many tries."""

    WAITING = "waiting"
    DONE = "done"
    IGNORED = "ignored"
    QUARANTINED = "quarantined"
    DEAD = "dead"


EVENT_NEXT: Mapping[str, frozenset[str]] = {
    EventState.WAITING: frozenset({"done", "ignored", "quarantined", "dead"}),
    EventState.QUARANTINED: frozenset({"waiting", "done"}),
    EventState.DEAD: frozenset({"waiting", "done"}),
    EventState.IGNORED: frozenset(),
    EventState.DONE: frozenset(),
}


class DifferenceState(StrEnum):
    """Where the provider and our books disagree: ``settled`` by looking again, or ``resolved`` by a person."""

    OPEN = "open"
    SETTLED = "settled"
    RESOLVED = "resolved"


DIFFERENCE_NEXT: Mapping[str, frozenset[str]] = {
    DifferenceState.OPEN: frozenset({"settled", "resolved"}),
    DifferenceState.SETTLED: frozenset(),
    DifferenceState.RESOLVED: frozenset(),
}


def may_follow(successors: Mapping[str, frozenset[str]], before: str, after: str) -> bool:
    """Whether a state moves forward; staying where it is is no move."""
    return after in successors[before]
