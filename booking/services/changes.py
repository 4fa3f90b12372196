"""Moving, shortening and lengthening what is booked, alone or with the other side's yes.

Every change locks the calendar, then the reservation, re-reads, asks the same rules as a new reservation (without counting itself), and
has money follow in the same transaction. Nothing gives up the old time before the new one is there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q
from psycopg.types.range import TimestamptzRange

from booking import ports
from booking.models import Occupancy, OccupancySource, Reservation, ReservationChange, SuggestedTime
from booking.ports import NOTHING_EXPECTED, ExpectedFigures
from booking.rules.changes import ChangeEvent, ChangeState, Side, counting, needs_the_other_side, next_change_state
from booking.rules.length import require_length
from booking.rules.spending import Wait
from booking.rules.standing import may_be_overridden
from booking.rules.states import Action, ReservationState, next_state
from booking.services import (
    acting,
    assisting,
    conflicts,
    deciders,
    entering,
    holds,
    inbox,
    notices,
    only_with_approval,
    other_instrument,
    spending,
    times,
    transitions,
)
from booking.services.context import BookingContext, busy_ranges
from booking.services.refusing import BOOKING_ROLES, outage_reasons, refusal_reasons
from config.kernel.access import NOBODY, Actor, Role, get_visible
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.services import idempotency, transactions
from config.kernel.services.parking import each_parked
from config.kernel.time_range import TimeRange, subtract
from instruments.models import Instrument
from instruments.rules.names import clean_name

ROUTE = "booking.change"
REASON_LENGTH = 500
MOST_TIMES = 3
"""Of which the customer may choose."""
BATCH = 500


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """``during`` is the new time without buffers. ``agreed``: the lab says that the customer has agreed already (then ``reason`` says
    how). ``expected`` are the figures that the customer saw for the new time. ``others`` are further times of which the customer may take
    one instead: for the lab alone. ``side`` is the one that the actor speaks for, where that has to be said (``side_of``).
    ``instrument_id``: another one of the lab, on which it shall be from then on."""

    reservation_id: int
    during: TimeRange
    reason: str = ""
    agreed: bool = False
    expected: ExpectedFigures = NOTHING_EXPECTED
    others: tuple[TimeRange, ...] = ()
    side: Side | None = None
    instrument_id: int | None = None

    def payload(self) -> dict[str, Any]:
        """What makes two calls the same for idempotency."""
        return {
            "reservation": self.reservation_id,
            "starts_at": self.during.starts_at.isoformat(),
            "ends_at": self.during.ends_at.isoformat(),
            "reason": self.reason,
            "agreed": self.agreed,
            **({"side": self.side.value} if self.side else {}),
            **({"instrument": self.instrument_id} if self.instrument_id else {}),
            **({"others": [[one.starts_at.isoformat(), one.ends_at.isoformat()] for one in self.others]} if self.others else {}),
        }


@dataclass(frozen=True, slots=True)
class Why:
    """Why a time is changed; ``passed_over``: the codes of the lab's own rules in spite of which it does so."""

    reason: str
    passed_over: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Changed:
    """``state`` is "made", or "open" where the other side has to answer."""

    change_id: int
    state: str
    replayed: bool = False


def change(actor: Actor, request: ChangeRequest, now: datetime, *, idempotency_key: str) -> Changed:
    """Move a reservation, or propose it to the other side.

    Raises NotFound, Forbidden, Refusal with every broken rule, ``change.instrument_of_lab``, ``change.same_time``, ``change.one_open``,
    ``change.begun``,
    ``change.start_first`` (it has begun, and the other side would have to be asked), ``consent.over`` (booked for a colleague, who lets
    the actor do so no longer),
    ``booking.illegal_transition``, Conflict ``booking.just_taken`` with alternatives and ``billing.figures_differ``, Busy.
    """
    reservation = _visible(actor, request.reservation_id)
    request = _cleaned(request, side_of(reservation, actor, request.side))
    other_id = other_instrument.chosen(actor, reservation, request.instrument_id)

    def effect() -> dict[str, Any]:
        row = change_one(actor, request, now)
        return {"id": row.pk, "state": row.state}

    place_id, mode = other_id or reservation.instrument_id, reservation.service_mode
    with conflicts.answered(actor, place_id, request.during, now, reservation.organisation_id, mode):
        result, replayed = transactions.run(
            lambda: idempotency.once(actor, ROUTE, idempotency_key, request.payload(), now, effect)
        )
    return Changed(result["id"], result["state"], replayed)


def side_of(reservation: Reservation, actor: Actor, named: Side | None = None) -> Side:
    """Whom the actor speaks for. The lab's own people booking for the lab are the customer; who may speak for both sides of a
    colleague's booking speaks for the lab where that is ``named``. Raises Forbidden."""
    leads = reservation.instrument.organisation_id in actor.organisations(Role.LAB_MANAGER)
    if named is Side.LAB and leads and not reservation.is_of(actor.user_id):
        return Side.LAB
    own = reservation.is_of(actor.user_id) or reservation.organisation_id in actor.organisations(Role.FIRM_ADMIN)
    if own and reservation.organisation_id in actor.organisations(*BOOKING_ROLES):
        return Side.CUSTOMER
    if leads:
        return Side.LAB
    raise Forbidden.of("booking.not_yours")


def change_one(actor: Actor, request: ChangeRequest, now: datetime) -> ReservationChange:
    """One change as part of the caller's transaction. Raises as ``change``, ``conflicts.Taken``."""
    reservation = _visible(actor, request.reservation_id)
    side = side_of(reservation, actor, request.side)
    other_id = other_instrument.chosen(actor, reservation, request.instrument_id)
    return _change(actor, reservation, replace(_cleaned(request, side), instrument_id=other_id), side, now)


def _cleaned(request: ChangeRequest, side: Side) -> ChangeRequest:
    reason = reason_of(request.reason, side)
    others = tuple(dict.fromkeys(one for one in request.others if one != request.during))
    if others and (side is Side.CUSTOMER or request.agreed):
        raise Refusal.of("change.one_time", field="others")
    if len(others) >= MOST_TIMES:
        raise Refusal.of("change.too_many_times", field="others", most=MOST_TIMES)
    if side is Side.CUSTOMER:
        return replace(request, reason=reason, agreed=False)
    # Figures are the customer's to accept: what the lab does alone may not become dearer, whatever the lab has seen.
    return replace(request, reason=reason, expected=NOTHING_EXPECTED, others=others)


def reason_of(text: str, side: Side) -> str:
    """The reason as it is kept. Raises Refusal ``booking.reason_missing`` where the lab gives none, and for what no text may hold."""
    reason = " ".join(text.split())
    if side is Side.LAB and not reason:
        raise Refusal.of("booking.reason_missing", field="reason")
    return clean_name(reason, REASON_LENGTH, field="reason") if reason else ""


def _change(actor: Actor, seen: Reservation, request: ChangeRequest, side: Side, now: datetime) -> ReservationChange:
    locked = other_instrument.locked_for(seen, request.instrument_id)
    elsewhere = request.instrument_id is not None
    if side is Side.CUSTOMER:
        acting.require_paying(locked, actor, now, lock=True)
    for during in (request.during, *request.others):
        require_length(during.duration)
        refuse_impossible(locked, during, now, elsewhere=elsewhere)
    refuse_open(locked)
    context = other_instrument.context_of(locked, request.instrument_id)
    context = only_with_approval.applied(context, locked.requested_by_id, locked.organisation_id, now)
    passed_over = refuse_by_rules(context, locked, request.during, side, now)
    for during in request.others:
        refuse_by_rules(context, locked, during, side, now)
    asks = needs_the_other_side(
        side,
        ReservationState(locked.state),
        locked.during,
        request.during,
        approval_required=context.policy.approval_required,
        agreed=request.agreed,
        elsewhere=elsewhere,
    )
    if asks and side is Side.CUSTOMER:
        own = (locked.instrument.organisation_id, locked.organisation_id)
        deciders.require_somebody(deciders.of_own([actor], *own))
    if asks and locked.starts_at <= now:
        raise Refusal.of("change.start_first", field="ends_at")
    state = ChangeState.OPEN if asks else ChangeState.MADE
    holder_id = holder_of(actor, side is Side.CUSTOMER)
    row = times.record(locked, request.during, side, state, actor, request.expected, now, request.reason, request.instrument_id)
    if asks:
        # In order of time: who proposes these times of another instrument at this moment waits for people in the same order.
        for during in sorted((request.during, *request.others)):
            _keep_new_time(locked, context, during, now, holder_id)
        SuggestedTime.objects.bulk_create(
            SuggestedTime(change=row, starts_at=during.starts_at, ends_at=during.ends_at) for during in request.others
        )
        notices.defer(locked, f"change_proposed_to_{side.other}", now, **_proposed(context, row))
    else:
        wished_at = now if side is Side.CUSTOMER else None
        why = Why(request.reason, tuple(passed_over))
        wait = _move(locked, context, request.during, actor, request.expected, now, why, holder_id, wished_at)
        transitions.go_on(locked, wait, now, elsewhere=elsewhere)
    return row


def holder_of(actor: Actor, is_customer: bool) -> int | None:
    """Whose holds do not keep the time from being taken: the customer's own, who moves; nobody's where the lab does."""
    return actor.user_id if is_customer else None


def _proposed(context: BookingContext, row: ReservationChange) -> dict[str, str]:
    """The new time, on the clock of where it would be, and why; another instrument by its name."""
    times = zip(("new", "second", "third"), sorted([row.during, *(one.during for one in row.others.all())]), strict=False)
    new = {f"{name}_{end}": getattr(during, end) for name, during in times for end in ("starts_at", "ends_at")}
    place = notices.named("new_instrument", context.instrument) if row.instrument_id else {}
    return {"reason": row.reason, **place, **{name: moment.astimezone(context.zone).isoformat() for name, moment in new.items()}}


def refuse_impossible(locked: Reservation, during: TimeRange, now: datetime, *, elsewhere: bool = False) -> None:
    """What no policy can allow: a step that the states do not know, no change at all, a past that would be rewritten. ``elsewhere``: on
    another instrument."""
    next_state(ReservationState(locked.state), Action.MOVE)
    if during == locked.during and not elsewhere:
        raise Refusal.of("change.same_time", field="starts_at")
    if locked.starts_at <= now and (elsewhere or during.starts_at != locked.starts_at or during.ends_at <= now):
        raise Refusal.of("change.begun", field="starts_at")


def refuse_open(locked: Reservation) -> None:
    """What waits for an answer is answered first. Raises Refusal ``change.one_open``, ``entry.waits_for_customer``."""
    entering.require_yes(locked)
    if locked.changes.filter(state=ChangeState.OPEN).exists():
        raise Refusal.of("change.one_open")


def refuse_by_rules(
    context: BookingContext,
    locked: Reservation,
    during: TimeRange,
    side: Side,
    now: datetime,
    before: TimeRange | None = None,
) -> list[str]:
    """The lab's rules for the new time; a start that stays is not judged again, and the lab may pass over its own rules, whose codes are
    given back. ``before`` is the old time where the row has the new one already."""
    reasons = refusal_reasons(
        context,
        locked.requested_by_id,
        locked.organisation,
        during,
        locked.service_mode,
        now,
        lock=True,
        without_id=locked.pk,
        assistance=False,
    )
    if context.instrument.pk == locked.instrument_id:  # on another instrument nothing is booked yet that could count
        reasons = counting(reasons, before or locked.during, during)
    passed_over = [one for one in reasons if may_be_overridden(one)] if side is Side.LAB else []
    Refusal.raise_any([one for one in reasons if one not in passed_over])
    return list(dict.fromkeys(one.code for one in passed_over))


def _keep_new_time(locked: Reservation, context: BookingContext, during: TimeRange, now: datetime, holder_id: int | None) -> None:
    """Keep what the new time needs beside the old one, until the proposal is answered: of the instrument, and of somebody who assists."""
    beside = subtract([context.policy.occupied(during)], _own_ranges(locked, context))
    _require_free(context, beside, now, holder_id)
    assisting.keep_proposed(locked, context.instrument, during, context.policy.occupied(during), context.zone, now)
    Occupancy.objects.bulk_create(
        Occupancy(
            calendar_id=context.instrument.calendar_id,
            during=TimestamptzRange(part.starts_at, part.ends_at),
            blocking=True,
            source=OccupancySource.CHANGE,
            reservation=locked,
        )
        for part in beside
    )


def _require_free(context: BookingContext, parts: Iterable[TimeRange], now: datetime, holder_id: int | None) -> None:
    """Raises ``conflicts.Taken``; holds that have expired, and those of ``holder_id``, keep nobody out."""
    calendar_id = context.instrument.calendar_id
    for part in parts:
        holds.clear(calendar_id, part, now, holder_id)
        if busy_ranges(calendar_id, part):
            raise conflicts.Taken


def _own_ranges(locked: Reservation, context: BookingContext) -> list[TimeRange]:
    """What it keeps of the context's calendar by itself."""
    kept = locked.occupancies.filter(blocking=True, calendar_id=context.instrument.calendar_id)
    rows = kept.values_list("during", flat=True)
    return [TimeRange(during.lower, during.upper) for during in rows]


def _move(
    locked: Reservation,
    context: BookingContext,
    during: TimeRange,
    actor: Actor,
    expected: ExpectedFigures,
    now: datetime,
    why: Why,
    holder_id: int | None,
    wished_at: datetime | None,
) -> Wait:
    """Time, occupancy, history and money, all at once; whether the leader of the group that pays is waited for now. ``wished_at``: when
    the customer's side asked for it (None: the lab did).

    Raises ``conflicts.Taken``, Conflict ``change.dearer``.
    """
    before, place = locked.during, locked.instrument
    take(locked, context, during, now, holder_id)
    return follow(locked, before, actor, expected, now, why, wished_at, place)


def take(locked: Reservation, context: BookingContext, during: TimeRange, now: datetime, holder_id: int | None) -> None:
    """Time and occupancy alone, as part of the caller's transaction, which lets the rest ``follow``; whoever assists goes along, or another
    does. Raises ``conflicts.Taken``."""
    occupied = context.policy.occupied(during)
    locked.occupancies.filter(source=OccupancySource.CHANGE).delete()
    _require_free(context, subtract([occupied], _own_ranges(locked, context)), now, holder_id)
    told = assisting.person_told(locked)
    helped_by = assisting.release(locked)
    times.set_time(locked, during, occupied, context.instrument)
    assisting.assign(locked, occupied, context.zone, now, helped_by)
    notices.relieve(locked, told, now)


def follow(
    locked: Reservation,
    before: TimeRange,
    actor: Actor,
    expected: ExpectedFigures,
    now: datetime,
    why: Why,
    wished_at: datetime | None,
    place: Instrument | None = None,
) -> Wait:
    """What follows from the time that was taken instead of ``before`` (on ``place``, where it was another instrument): history, money and
    news; the wait as ``_move`` gives it.

    Raises Conflict ``change.dearer``, Refusal ``card.*``.
    """
    spending.refuse_other_days(locked, locked.during, actor)
    old = None if place is None or place.pk == locked.instrument_id else place
    transitions.note_move(locked, before, actor, now, why.reason, old, why.passed_over)
    settled_fen = spending.settled_fen(locked)
    if ports.money().on_move(locked, actor, expected, now, wished_at) is not None:
        raise Conflict.of("change.dearer")
    wait = spending.judge(locked, now, settled_fen)
    notices.defer(locked, "moved", now, reason=why.reason, **(notices.named("old_instrument", old) if old else {}))
    return wait


def accept(
    actor: Actor, change_id: int, now: datetime, expected: ExpectedFigures = NOTHING_EXPECTED, other_id: int | None = None
) -> None:
    """The other side says yes: the reservation moves; a request that the lab moved is approved with it, and who else waits for its time
    declined where requests compete. ``other_id`` is one of the proposal's further times, taken instead of the first.

    What no lab can pass over is asked again of a time that the lab proposed.

    Raises NotFound, Forbidden, Refusal ``change.answered_already``, ``change.own``, ``booking.own_request`` (a colleague's wish for
    one's own booking), ``consent.over``, ``change.begun``, ``change.over`` (the proposed start has passed), what closes the new
    time, Conflict ``booking.just_taken``, ``billing.figures_differ`` (the customer saw other figures) and
    ``change.dearer`` (the customer has to see the figures first).
    """
    row = _answerable(actor, change_id)
    taken = _taken(row, other_id)

    def work() -> int | None:
        """Who proposed the time, where the request was approved with it."""
        locked, fresh = _locked_change(row)
        context = other_instrument.context_of(locked, fresh.instrument_id)
        if other_id is not None and fresh.state == ChangeState.OPEN:
            fresh.starts_at, fresh.ends_at = taken.starts_at, taken.ends_at
        during = fresh.during
        refuse_impossible(locked, during, now, elsewhere=fresh.instrument_id is not None)
        if fresh.side == Side.LAB:
            acting.require_paying(locked, actor, now, lock=True)
            passed_over = refuse_by_rules(context, locked, during, Side.LAB, now)
        else:
            passed_over = []
            reasons = outage_reasons(context, during)
            Refusal.raise_any(reasons if fresh.instrument_id is not None else counting(reasons, locked.during, during))
        if during.starts_at <= now and during.starts_at != locked.starts_at:
            raise Refusal.of("change.over", field="starts_at")
        Refusal.raise_any(context.closed_reasons(during))
        accepted = expected if fresh.side == Side.LAB else _expected_of(fresh)
        _answer(fresh, ChangeEvent.ACCEPT, actor, now)
        by_lab = fresh.side == Side.LAB
        wished_at = None if by_lab else fresh.proposed_at
        customer, holder_id = _customer(fresh, actor), holder_of(actor, by_lab)
        wait = _move(
            locked, context, during, customer, accepted, now, Why(fresh.reason, tuple(passed_over)), holder_id, wished_at
        )
        if fresh.side == Side.LAB and locked.state == ReservationState.REQUESTED:
            transitions.approve_as_proposed(locked, fresh.proposed_by_id, now)
            return fresh.proposed_by_id if locked.state == ReservationState.APPROVED else None
        transitions.go_on(locked, wait, now, elsewhere=fresh.instrument_id is not None)
        return None

    place_id = row.instrument_id or row.reservation.instrument_id
    mode = row.reservation.service_mode
    with conflicts.answered(actor, place_id, taken, now, row.reservation.organisation_id, mode):
        proposed = transactions.run(work)
    if proposed is not None:
        inbox.decline_rivals(proposed, row.reservation_id, now)


def _taken(row: ReservationChange, other_id: int | None) -> TimeRange:
    """The time that is accepted. Raises NotFound for one that was not proposed with it."""
    if other_id is None:
        return row.during
    other = row.others.filter(pk=other_id).first()
    if other is None:
        raise NotFound.of("access.not_found", model="suggestedtime")
    return other.during


def refuse(actor: Actor, change_id: int, now: datetime, reason: str) -> None:
    """The other side says no, with a reason; the old time stays. Raises as ``accept``, Refusal ``booking.reason_missing``."""
    text = " ".join(reason.split())
    if not text:
        raise Refusal.of("booking.reason_missing", field="reason")
    _end(actor, _answerable(actor, change_id), ChangeEvent.REFUSE, now, clean_name(text, REASON_LENGTH, field="reason"))


def withdraw(actor: Actor, change_id: int, now: datetime) -> None:
    """The side that proposed takes it back. Raises NotFound, Forbidden, Refusal ``change.answered_already``."""
    row = _visible_change(actor, change_id)
    if side_of(row.reservation, actor, Side(row.side)) != row.side:
        raise Forbidden.of("change.not_yours")
    _end(actor, row, ChangeEvent.WITHDRAW, now)


def end_overtaken(row: ReservationChange, event: ChangeEvent, actor: Actor, now: datetime, reason: str) -> None:
    """End an open proposal that the lab's instrument overtook, as refused or withdrawn by it; part of the caller's transaction, which has
    asked whether the actor may."""
    _end(actor, row, event, now, reason)


def lapse_due(now: datetime) -> int:
    """End every proposal whose old or new start has come without an answer; returns how many. Safe to repeat."""
    due = ReservationChange.objects.select_related("reservation").filter(state=ChangeState.OPEN)
    ahead = SuggestedTime.objects.filter(change_id=OuterRef("pk"), starts_at__gt=now)
    due = due.filter(Q(starts_at__lte=now) & ~Exists(ahead) | Q(from_starts_at__lte=now)).order_by("pk")[:BATCH]
    return each_parked(list(due), lambda row: _lapse(row, now), "proposal to move")


def _lapse(row: ReservationChange, now: datetime) -> bool:
    """Unless somebody has answered in between."""
    transitions.lock_row(row.reservation_id)
    if not ReservationChange.objects.filter(pk=row.pk, state=ChangeState.OPEN).exists():
        return False
    _end(NOBODY, row, ChangeEvent.LAPSE, now)
    return True


def _end(actor: Actor, row: ReservationChange, event: ChangeEvent, now: datetime, answer: str = "") -> None:
    def work() -> None:
        locked, fresh = _locked_change(row)
        _answer(fresh, event, actor, now, answer)
        locked.occupancies.filter(source=OccupancySource.CHANGE).delete()
        said = f"change_{event}_to_{Side(fresh.side)}" if event is not ChangeEvent.WITHDRAW else "change_withdrawn"
        notices.defer(locked, said, now, reason=answer)

    transactions.run(work)


def _answer(row: ReservationChange, event: ChangeEvent, actor: Actor, now: datetime, answer: str = "") -> None:
    row.state = next_change_state(ChangeState(row.state), event)
    row.answered_at, row.answered_by_id, row.answer = now, actor.user_id, answer
    row.save(update_fields=["state", "answered_at", "answered_by", "answer", "starts_at", "ends_at"])


def _answerable(actor: Actor, change_id: int) -> ReservationChange:
    """The proposal, when the actor speaks for the side that answers it and did not make it."""
    row = _visible_change(actor, change_id)
    reservation = row.reservation
    if row.side == Side.CUSTOMER:
        deciders.require(reservation, actor)
        if reservation.is_of(actor.user_id):
            raise Refusal.of("booking.own_request")
    elif side_of(reservation, actor) is not Side.CUSTOMER:
        raise Forbidden.of("change.not_yours")
    if row.proposed_by_id == actor.user_id:
        raise Refusal.of("change.own")
    return row


def _visible(actor: Actor, reservation_id: int) -> Reservation:
    rows = Reservation.objects.select_related("instrument", "organisation")
    return get_visible(rows, actor, pk=reservation_id)


def _visible_change(actor: Actor, change_id: int) -> ReservationChange:
    rows = ReservationChange.objects.select_related("reservation__instrument", "reservation__organisation")
    return get_visible(rows, actor, pk=change_id)


def _locked_change(row: ReservationChange) -> tuple[Reservation, ReservationChange]:
    """Reservation and change behind the calendar's lock, re-read."""
    locked = other_instrument.locked_for(row.reservation, row.instrument_id)
    return locked, ReservationChange.objects.select_for_update(no_key=True).get(pk=row.pk)


def _expected_of(row: ReservationChange) -> ExpectedFigures:
    return ExpectedFigures(row.expected_payable_now_fen, row.expected_final_cost_fen, exact=False)


def _customer(row: ReservationChange, actor: Actor) -> Actor:
    """Who accepted the figures: the customer's person, whichever side answered last."""
    return actor if row.side == Side.LAB else Actor(user_id=row.proposed_by_id)
