"""Giving back or moving one time of a series, that and those after it, or all: looked at as a whole first, then all or nothing.

Each reservation goes the way of a single one (``services.transitions``, ``services.changes``): the same rights, rules, fees, history and
money. The report is the change itself, undone again, so that it cannot say anything else than what would happen; it takes as many queries
as the change, which grow with the number of reservations (``booking.rules.series.MOST`` at most).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from booking.models import Reservation, ReservationSeries
from booking.ports import NOTHING_EXPECTED, ExpectedFigures
from booking.rules.changes import ChangeState, Side
from booking.rules.series import Clock, Scope
from booking.rules.series_shift import Shift
from booking.rules.states import ReservationState
from booking.services import changes, conflicts, deciders, leader_news, notices, spending, transitions
from booking.services import context as booking_context
from booking.services.changes import ChangeRequest
from config.kernel.access import Actor, get_visible, visible_to
from config.kernel.errors import Conflict, NotFound, Reason, Refusal
from config.kernel.services import audit, idempotency, transactions
from config.kernel.services.silence import silence
from config.kernel.time_range import TimeRange
from instruments.services.notices import person

ROUTE = "booking.series_change"
OPEN = (ReservationState.REQUESTED, ReservationState.APPROVED)
#: (reservation, its new time) -> what the customer would pay then; money knows, booking only passes it on.
Price = Callable[[Reservation, TimeRange], ExpectedFigures]


class Step(StrEnum):
    CANCEL = "cancel"
    MOVE = "move"


class Outcome(StrEnum):
    """What becomes of one reservation: given back (in time, or late), moved, proposed to the other side; or nothing, and why."""

    CANCELLED = "cancelled"
    CANCELLED_LATE = "cancelled_late"
    MOVED = "moved"
    ASKED = "asked"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the report said of a reservation that is to be changed."""

    outcome: str
    expected: ExpectedFigures = NOTHING_EXPECTED


@dataclass(frozen=True, slots=True)
class SeriesChange:
    """``step`` for the ``anchor``-th time and what ``scope`` adds to it. To move: ``starts`` and ``ends`` are the anchor's new wall times.

    ``only``: of those, the ordinals that are wanted (None: all). The lab says why (``reason``).
    """

    series_id: int
    step: Step
    scope: Scope
    anchor: int
    starts: datetime | None = None
    ends: datetime | None = None
    reason: str = ""
    only: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One reservation of the report as it is now. ``outcome`` is None for one that is not wanted; ``new`` is its new time."""

    reservation: Reservation
    before: TimeRange
    outcome: Outcome | None
    new: TimeRange | None = None
    clock: Clock = Clock.PLAIN
    reasons: tuple[Reason, ...] = ()
    alternatives: tuple[tuple[str, str], ...] = ()
    expected: ExpectedFigures = NOTHING_EXPECTED

    @property
    def is_possible(self) -> bool:
        return self.outcome is not None and self.outcome is not Outcome.REFUSED


@dataclass(frozen=True, slots=True)
class Changed:
    """How many reservations were changed, by outcome."""

    counts: Mapping[str, int] = field(default_factory=dict)
    replayed: bool = False


def report(actor: Actor, change: SeriesChange, now: datetime, price: Price) -> list[ChangeRow]:
    """What the change would do to each reservation that it is about and that can still be changed, in order; nothing is kept of it.

    Raises NotFound, Forbidden, Refusal ``series.nothing_left``, ``series.time_missing``, ``change.same_time``, ``booking.range_invalid``.
    """

    def work() -> list[ChangeRow]:
        walk = _Walk(actor, change, now)
        return sorted((_tried(walk, one, price) for one in walk.rows), key=lambda row: row.reservation.ordinal or 0)

    with silence():
        return transactions.trial(work)


def _tried(walk: _Walk, reservation: Reservation, price: Price) -> ChangeRow:
    """One step of the report: done behind a savepoint, or why it is not."""
    before = reservation.during
    if not walk.wants(reservation):
        return ChangeRow(reservation, before, None)
    new, clock = walk.new_time(reservation)
    try:
        expected = price(reservation, new) if new is not None else NOTHING_EXPECTED
        with conflicts.answered(walk.actor, reservation.instrument_id, new or before, walk.now, reservation.organisation_id):
            outcome, expected = transactions.run(lambda: walk.step(reservation, new, expected))
    except NotFound:
        raise
    except Refusal as refusal:
        pairs = refusal.extra.get("alternatives", []) if isinstance(refusal, Conflict) else []
        others = tuple((starts_at, ends_at) for starts_at, ends_at in pairs)
        return ChangeRow(reservation, before, Outcome.REFUSED, new, clock, refusal.reasons, others)
    return ChangeRow(reservation, before, outcome, new, clock, expected=expected)


def change(actor: Actor, asked: SeriesChange, seen: Mapping[int, Seen], now: datetime, *, idempotency_key: str) -> Changed:
    """Do to the reservations of ``seen`` (by ordinal) what the report said, all or nothing.

    Raises as ``report``, Refusal ``series.nothing_picked``, Conflict ``series.not_all`` when one cannot be changed, or would be in
    another way than was seen (look at a fresh report), Busy.
    """
    if not seen:
        raise Refusal.of("series.nothing_picked", "picks")

    def effect() -> dict[str, Any]:
        return {"counts": _change(actor, asked, seen, now)}

    payload = {
        **{name: str(getattr(asked, name)) for name in ("series_id", "step", "scope", "anchor", "starts", "ends", "reason")},
        "seen": {str(ordinal): one.outcome for ordinal, one in sorted(seen.items())},
    }
    result, replayed = transactions.run(lambda: idempotency.once(actor, ROUTE, idempotency_key, payload, now, effect))
    return Changed(result["counts"], replayed)


def _change(actor: Actor, asked: SeriesChange, seen: Mapping[int, Seen], now: datetime) -> dict[str, int]:
    walk = _Walk(actor, asked, now)
    rows = [one for one in walk.rows if one.ordinal in seen]
    if len(rows) != len(seen):
        raise Conflict.of("series.changed_meanwhile")
    done: dict[Outcome, list[Reservation]] = {}
    with notices.told_together():
        for reservation in rows:
            outcome = _done(walk, reservation, seen[reservation.ordinal or 0])
            done.setdefault(outcome, []).append(reservation)
    counts = {str(outcome): len(some) for outcome, some in done.items()}
    after = {"scope": str(asked.scope), "anchor": asked.anchor, "ordinals": sorted(seen), **counts}
    audit.record(actor, f"series.{asked.step}", walk.series, now, after=after, reason=asked.reason)
    _tell(walk, done)
    return counts


def _done(walk: _Walk, reservation: Reservation, seen: Seen) -> Outcome:
    new, _clock = walk.new_time(reservation)
    zone = ZoneInfo(reservation.instrument.site.time_zone)
    starts_at = reservation.starts_at.astimezone(zone).isoformat()
    with conflicts.undoing_all(Reason("series.not_all", {"starts_at": starts_at}, "picks"), ordinal=reservation.ordinal):
        outcome, _figures = walk.step(reservation, new, seen.expected)
        if outcome != seen.outcome:
            raise Refusal.of("series.changed_meanwhile")
        return outcome


def says_why(reservation: Reservation, actor: Actor, step: Step) -> bool:
    """Whether a reason is needed: from the lab, and so from its managers for giving back what its people booked for themselves."""
    gives_back = step is Step.CANCEL and transitions.for_the_lab(reservation, actor)
    return gives_back or changes.side_of(reservation, actor) is Side.LAB


class _Walk:
    """The reservations that a change is about, behind their calendar's lock, in the order in which they are changed."""

    def __init__(self, actor: Actor, asked: SeriesChange, now: datetime) -> None:
        self.actor, self.asked, self.now = actor, asked, now
        self.fees_fen = 0
        self.series = get_visible(ReservationSeries.objects.all(), actor, pk=asked.series_id)
        booking_context.load_locked(self.series.instrument_id)
        rows = visible_to(Reservation.objects.filter(series=self.series), actor).order_by("ordinal")
        rows = rows.select_related("instrument__policy", "instrument__site", "instrument__organisation", "organisation")
        self._zone = ZoneInfo(self.series.zone)
        found = {one.ordinal: one for one in rows}
        anchor = found.get(asked.anchor)
        if anchor is None:
            raise Refusal.of("series.pick_unknown", "anchor")
        self._shift = self._shift_from(anchor)
        self.side = changes.side_of(anchor, actor)
        if says_why(anchor, actor, asked.step) and not asked.reason.strip():
            raise Refusal.of("booking.reason_missing", "reason")
        meant = (one for ordinal, one in found.items() if asked.scope.covers(ordinal or 0, asked.anchor))
        open_ones = [one for one in meant if one.state in OPEN and one.starts_at > now]
        open_ones.sort(key=lambda one: one.starts_at)  # one that moved by itself has another place than its ordinal says
        if not open_ones:
            raise Refusal.of("series.nothing_left")
        self.rows = open_ones[::-1] if self._shift is not None and self._shift.last_first else open_ones

    def _shift_from(self, anchor: Reservation) -> Shift | None:
        if self.asked.step is Step.CANCEL:
            return None
        if self.asked.starts is None or self.asked.ends is None:
            raise Refusal.of("series.time_missing", "starts_at")
        return Shift.between(anchor.during, self.asked.starts, self.asked.ends, self._zone)

    def wants(self, reservation: Reservation) -> bool:
        return self.asked.only is None or reservation.ordinal in self.asked.only

    def new_time(self, reservation: Reservation) -> tuple[TimeRange | None, Clock]:
        """Where it would move; None when it does not move, or clocks jump over the time."""
        return self._shift.applied(reservation.during, self._zone) if self._shift is not None else (None, Clock.PLAIN)

    def step(self, reservation: Reservation, new: TimeRange | None, expected: ExpectedFigures) -> tuple[Outcome, ExpectedFigures]:
        """Change one reservation; with what the customer pays then (of one that is given back: the fee). Raises as its service, Refusal
        ``booking.time_not_local``."""
        if self.asked.step is Step.CANCEL:
            given = transitions.cancel(self.actor, reservation.pk, self.now, self.asked.reason, expected.payable_now_fen)
            self.fees_fen += given.fee_fen
            outcome = Outcome.CANCELLED if given.fault is None else Outcome.CANCELLED_LATE
            return outcome, ExpectedFigures(given.fee_fen, given.fee_fen)
        if new is None:
            raise Refusal.of("booking.time_not_local", "starts_at", zone=self._zone.key)
        request = ChangeRequest(reservation.pk, new, self.asked.reason, expected=expected)
        row = changes.change_one(self.actor, request, self.now)
        return Outcome.ASKED if row.state == ChangeState.OPEN else Outcome.MOVED, expected


def _tell(walk: _Walk, done: Mapping[Outcome, Sequence[Reservation]]) -> None:
    """The customer and the lab, once for each thing that happened to some of them; of a proposal only the side that is asked."""
    series, lab = walk.series, next(iter(done.values()))[0].instrument.organisation_id
    customer, managers = person(series.requested_by_id), notices.told_managers(lab, walk.now)
    cancelled = [one for outcome in (Outcome.CANCELLED, Outcome.CANCELLED_LATE) for one in done.get(outcome, [])]
    for what, some in (("cancelled", cancelled), ("moved", _as_now(done.get(Outcome.MOVED, [])))):
        if some:
            events = {f"series.{what}": customer, f"series.lab.{what}": managers}
            fees_fen = walk.fees_fen if what == "cancelled" else 0
            notices.tell_of_series(series, some, events, walk.now, walk.asked.reason, fees_fen)
    anew = [row for row in spending.waiting_for_leaders(done.get(Outcome.MOVED, [])) if row.asked_at == walk.now]
    if anew:
        leader_news.asked_of_series(series, anew, walk.now)
    asked = done.get(Outcome.ASKED, [])
    if asked:
        lab_side = {"series.lab.move_asked": managers | deciders.told_heads(asked[0])}
        event = lab_side if walk.side is Side.CUSTOMER else {"series.move_asked": customer}
        notices.tell_of_series(series, asked, event, walk.now, walk.asked.reason)


def _as_now(moved: Sequence[Reservation]) -> list[Reservation]:
    """The same reservations with the time that they have by now."""
    rows = Reservation.objects.filter(pk__in=[one.pk for one in moved]).select_related("instrument__site", "organisation")
    return list(rows) if moved else []
