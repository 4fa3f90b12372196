"""Two bookings of one calendar exchange their starts, each with its own length: both move, or neither.

What a move asks is asked of each (``services.changes``), behind the calendar's lock. The rules of the lab are judged once both lie at their
new times, so that a quota counts the other one where it will be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from django.db import IntegrityError

from booking.models import Reservation, ReservationChange
from booking.ports import NOTHING_EXPECTED
from booking.rules.changes import ChangeState, Side, needs_the_other_side
from booking.rules.policy import BookingPolicy
from booking.rules.spending import Wait
from booking.rules.states import Action, ReservationState
from booking.services import acting, changes, conflicts, only_with_approval, times, transitions
from booking.services.context import BookingContext, of_reservation
from booking.services.state_writing import lock_row, seen_by
from config.kernel.access import Actor
from config.kernel.errors import Conflict, Refusal
from config.kernel.services import idempotency, transactions
from config.kernel.time_range import TimeRange
from instruments.services.spending import locked_card

ROUTE = "booking.swap"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Swap:
    """``agreed``: the lab says that the customers have agreed already (then ``reason`` says how). ``seen``: the starts that were shown for
    the one and the other, where they were."""

    one_id: int
    other_id: int
    reason: str = ""
    agreed: bool = False
    seen: tuple[datetime | None, datetime | None] = (None, None)

    def payload(self) -> dict[str, Any]:
        """What makes two calls the same for idempotency."""
        return {"one": self.one_id, "other": self.other_id, "reason": self.reason, "agreed": self.agreed}


@dataclass(frozen=True, slots=True)
class Swapped:
    """The change of the one and that of the other, both made."""

    change_ids: tuple[int, int]
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """One of the two: the locked row, its time before and the one that it gets, both without buffers."""

    locked: Reservation
    context: BookingContext
    before: TimeRange
    during: TimeRange

    @property
    def occupied(self) -> TimeRange:
        return self.context.policy.occupied(self.during)


def swap(actor: Actor, asked: Swap, now: datetime, *, idempotency_key: str) -> Swapped:
    """Give each of two bookings the other's start; nothing changes when one of them cannot move.

    The customer may do so with two own bookings where moving them needs nobody's yes and none can only be given back late. The lab gives
    a reason and says that both customers have agreed.

    Every refusal of one of the two names it. Raises NotFound, Forbidden, Refusal ``swap.*`` and what ``changes.change`` raises for a move
    that nobody is asked about, Conflict ``booking.changed_meanwhile`` (another start was shown), ``booking.just_taken`` with alternatives
    for the one that has no room, ``change.dearer``, Busy.
    """
    one = seen_by(actor, asked.one_id)
    changes.side_of(one, actor)
    other = seen_by(actor, asked.other_id)
    if one.pk == other.pk:
        raise Refusal.of("swap.same", field="other")
    _require_one_calendar(one, other)
    side = side_of_both(one, other, actor)
    asked = replace(asked, reason=changes.reason_of(asked.reason, side), agreed=asked.agreed and side is Side.LAB)
    tried: list[tuple[Reservation, TimeRange]] = [(one, one.during)]

    def effect() -> dict[str, Any]:
        return {"changes": [row.pk for row in _swap(actor, asked, side, now, tried)]}

    try:
        result, replayed = transactions.run(lambda: idempotency.once(actor, ROUTE, idempotency_key, asked.payload(), now, effect))
    except (conflicts.Taken, IntegrityError):
        booked, during = tried[-1]
        with _about(booked), conflicts.answered(actor, booked.instrument_id, during, now, booked.organisation_id):
            raise
    first_id, second_id = result["changes"]
    return Swapped((first_id, second_id), replayed)


def look(actor: Actor, asked: Swap, read: Callable[[], T], now: datetime) -> T:
    """What ``read`` finds once both have swapped; nothing is changed. The lab is taken to have everybody's yes.

    Raises as ``swap``, but for what it asks of a reason; Conflict ``booking.just_taken`` without alternatives.
    """
    one = seen_by(actor, asked.one_id)
    changes.side_of(one, actor)
    other = seen_by(actor, asked.other_id)
    if one.pk == other.pk:
        raise Refusal.of("swap.same", field="other")
    _require_one_calendar(one, other)
    side = side_of_both(one, other, actor)
    tried: list[tuple[Reservation, TimeRange]] = [(one, one.during)]

    def work() -> T:
        _swap(actor, replace(asked, agreed=side is Side.LAB), side, now, tried)
        return read()

    try:
        return transactions.trial(work)
    except (conflicts.Taken, IntegrityError):
        taken = Conflict.of("swap.no_room")
        taken.name(tried[-1][0].reference)
        raise taken from None


def side_of_both(one: Reservation, other: Reservation, actor: Actor) -> Side:
    """Whom the actor speaks for in both. Raises Forbidden, Refusal ``swap.two_sides``: nobody gives a customer's time to an own booking."""
    for named in (None, Side.LAB):
        sides = {changes.side_of(booked, actor, named) for booked in (one, other)}
        if len(sides) == 1:
            return sides.pop()
    raise Refusal.of("swap.two_sides", field="other")


def _swap(
    actor: Actor, asked: Swap, side: Side, now: datetime, tried: list[tuple[Reservation, TimeRange]]
) -> list[ReservationChange]:
    """Part of the caller's transaction; ``tried`` gets the times that were tried to be taken. Raises as ``swap``, ``conflicts.Taken``."""
    locked = {pk: lock_row(pk) for pk in sorted((asked.one_id, asked.other_id))}
    one, other = locked[asked.one_id], locked[asked.other_id]
    _require_one_calendar(one, other)
    if any(seen not in (None, booked.starts_at) for seen, booked in zip(asked.seen, (one, other), strict=True)):
        raise Conflict.of("booking.changed_meanwhile")
    turns = [turn_of(one, other, now), turn_of(other, one, now)]
    for turn in turns:
        with _about(turn.locked):
            _refuse_one(turn, side, actor, asked.agreed, now)
    if turns[0].occupied.overlaps(turns[1].occupied):
        raise Refusal.of("swap.overlap", field="other")
    for card_id in sorted({turn.locked.fund_card_id for turn in turns if turn.locked.fund_card_id is not None}):
        locked_card(card_id)  # both cards before the accounts of either
    rows = [
        times.record(turn.locked, turn.during, side, ChangeState.MADE, actor, NOTHING_EXPECTED, now, asked.reason)
        for turn in turns
    ]
    _take(turns, now, changes.holder_of(actor, side is Side.CUSTOMER), tried)
    reasons = []
    for turn in turns:
        with _about(turn.locked):
            passed_over = changes.refuse_by_rules(turn.context, turn.locked, turn.during, side, now, turn.before)
        reasons.append(changes.Why(asked.reason, tuple(passed_over)))
    waits = [_follow(turn, actor, why, now) for turn, why in zip(turns, reasons, strict=True)]
    for turn, wait in zip(turns, waits, strict=True):
        transitions.go_on(turn.locked, wait, now)
    return rows


def _refuse_one(turn: Turn, side: Side, actor: Actor, agreed: bool, now: datetime) -> None:
    """What stands against moving one of the two, whatever the other is. Raises as ``swap``."""
    if side is Side.CUSTOMER:
        acting.require_paying(turn.locked, actor, now, lock=True)
    changes.refuse_impossible(turn.locked, turn.during, now)
    changes.refuse_open(turn.locked)
    if needs_a_yes(turn.locked, turn.during, turn.context.policy, side, agreed=agreed):
        lacks = ("swap.agreed_first", "agreed") if side is Side.LAB else ("swap.lab_decides", "other")
        raise Refusal.of(*lacks)
    if side is Side.CUSTOMER and transitions.fault_in(turn.locked, Action.CANCEL, actor, now):
        raise Refusal.of("swap.too_late", field="other")


def _follow(turn: Turn, actor: Actor, why: changes.Why, now: datetime) -> Wait:
    """Nothing here is late, so nobody's wish keeps an old fee; and no fee of the new time may be dearer than what was accepted."""
    with _about(turn.locked):
        return changes.follow(turn.locked, turn.before, actor, NOTHING_EXPECTED, now, why, None)


@contextmanager
def _about(booked: Reservation) -> Iterator[None]:
    """A refusal says which of the two bookings it is about."""
    try:
        yield
    except Refusal as refusal:
        refusal.name(booked.reference)
        raise


def turn_of(booked: Reservation, other: Reservation, now: datetime) -> Turn:
    """What ``booked`` gets: the start of ``other`` and its own length; both come with instrument, policy, site and customer."""
    during = TimeRange(other.starts_at, other.starts_at + booked.during.duration)
    context = only_with_approval.applied(of_reservation(booked), booked.requested_by_id, booked.organisation_id, now)
    return Turn(booked, context, booked.during, during)


def _require_one_calendar(one: Reservation, other: Reservation) -> None:
    """Before the locks, which of two calendars might wait for each other, and behind them. Raises Refusal ``swap.other_calendar``."""
    if one.instrument.calendar_id != other.instrument.calendar_id:
        raise Refusal.of("swap.other_calendar", field="other")


def needs_a_yes(booked: Reservation, gets: TimeRange, policy: BookingPolicy, side: Side, *, agreed: bool) -> bool:
    """Whether the other side would have to say yes to moving ``booked`` to what it gets."""
    state = ReservationState(booked.state)
    return needs_the_other_side(side, state, booked.during, gets, approval_required=policy.approval_required, agreed=agreed)


def _take(turns: Sequence[Turn], now: datetime, holder_id: int | None, tried: list[tuple[Reservation, TimeRange]]) -> None:
    """The first leaves its place, the second takes it, then the first takes what the second had. Raises ``conflicts.Taken``."""
    first, second = turns
    blocking = times.leave_place(first.locked)
    for turn in (second, first):
        tried.append((turn.locked, turn.during))
        changes.take(turn.locked, turn.context, turn.during, now, holder_id)
    times.keep_place(first.locked, blocking)
