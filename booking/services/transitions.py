"""What people and time do with a reservation.

Every move (``services.state_writing``) locks the calendar row, then the reservation, re-reads the state, asks the transition table,
changes the state only when it is still the one that was read, writes history and audit, sets whether the time stays blocked, and
calls the money port: all in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from booking import ports
from booking.models import Reservation, ReservationTransition
from booking.rules.attendance import arrival_faults, grace_ends_at, is_due_expired, is_due_missed
from booking.rules.credit import EventKind
from booking.rules.deciding import Verdict
from booking.rules.leaving import Fault, Release, fault_of, possible_fault
from booking.rules.spending import Wait
from booking.rules.states import Action, ReservationState, actions_from, next_state
from booking.services import (
    acting,
    assistants,
    assisting,
    auto_approval,
    conflicts,
    consents,
    credit,
    deciders,
    decisions,
    downtime_rows,
    entering,
    holds,
    notices,
    only_with_approval,
    running,
    sessions,
    spending,
)
from booking.services.context import of_reservation, policy_for
from booking.services.decision_rows import AT_ONCE, How
from booking.services.state_writing import lock_row, seen_by
from booking.services.state_writing import move as _move
from config.kernel.access import NOBODY, Actor, Role
from config.kernel.errors import Conflict, Forbidden, Reason, Refusal
from config.kernel.services import audit, transactions
from config.kernel.services.parking import each_parked
from config.kernel.time_range import TimeRange
from instruments.models import Instrument, InstrumentStatus, OrganisationStatus

DUE_BATCH = 500
NO_APPROVAL, NO_LOOK = "policy: no approval needed", "policy: such requests need no look"
ENTERED = "policy: the lab entered it, and the customer has said yes"

Permission = Callable[[Reservation, Actor], None]
Said = Callable[[Reservation], None]
_NEWS = {Action.CANCEL: "cancelled", Action.MARK_NO_SHOW: "no_show"}


@dataclass(frozen=True, slots=True)
class GivenBack:
    """What was found when a time was given back: the customer's fault in it, if any, and the fee that was taken, in fen (0: none)."""

    fault: Fault | None
    fee_fen: int


def approve(
    actor: Actor,
    reservation_id: int,
    now: datetime,
    how: How = AT_ONCE,
    *,
    seen: TimeRange | None = None,
    assistant_id: int | None = None,
) -> Reservation:
    """Approve a request and hold its money; ``how`` says when that is told. ``seen`` is the time that was looked at: another one is not
    approved unseen. ``assistant_id``: who shall assist; None: who was chosen by itself. Returns it as it was approved, with the policy of
    its instrument.

    Raises NotFound, Forbidden, Refusal ``booking.illegal_transition`` / ``booking.own_request`` / ``booking.too_late_to_approve`` (its
    start has come) / ``booking.customer_suspended`` / ``booking.instrument_retired`` / ``booking.closed_meanwhile`` (with what closes it)
    / ``card.leader_waits`` and what else stands against its fund card / ``entry.waits_for_customer`` (the lab entered it and has no yes),
    Conflict ``booking.changed_meanwhile`` (the customer moved it), ``booking.just_taken`` or ``booking.figures_changed`` (the customer has
    been asked again, nothing is approved), and what ``assistants.give`` raises.
    """
    reservation = seen_by(actor, reservation_id)
    deciders.require(reservation, actor)
    if reservation.is_of(actor.user_id):
        raise Refusal.of("booking.own_request")

    def work() -> Reservation | None:
        """None where the figures are others than the customer saw."""
        locked = lock_row(reservation_id)
        next_state(ReservationState(locked.state), Action.APPROVE)
        if seen not in (None, locked.during):
            raise Conflict.of("booking.changed_meanwhile")
        if is_due_expired(locked.during, now):
            raise Refusal.of("booking.too_late_to_approve")
        Refusal.raise_any(_ended_reasons(locked))
        _still_open(locked)
        spending.require_leader(locked, actor)
        holds.clear_for(locked, now)
        if assistant_id is not None:
            assistants.give(actor, locked, assistant_id, now)
        if ports.money().on_approve(locked, actor, now) is not None:
            entering.require_yes(locked)
            notices.defer(locked, "figures_changed", now)
            return None
        if assistant_id is None:
            assisting.anew_where_needed(locked, ZoneInfo(locked.instrument.site.time_zone), now)
        _move(locked, Action.APPROVE, actor, now)
        decisions.note(locked, Verdict.APPROVE, actor, how, now)
        return locked

    mode = reservation.service_mode
    with conflicts.answered(actor, reservation.instrument_id, reservation.during, now, reservation.organisation_id, mode):
        approved = transactions.run(work)
    if approved is None:
        raise Conflict.of("booking.figures_changed")
    return approved


def _ended_reasons(locked: Reservation) -> list[Reason]:
    """Why there is nothing to approve any more: for a suspended organisation nobody books, and a retired instrument runs never again."""
    reasons = []
    if locked.organisation.status == OrganisationStatus.SUSPENDED:
        reasons.append(Reason("booking.customer_suspended"))
    if locked.instrument.status == InstrumentStatus.RETIRED:
        reasons.append(Reason("booking.instrument_retired"))
    return reasons


def _still_open(locked: Reservation) -> None:
    """The calendar may have changed since it was asked for: what is closed now is not approved unseen."""
    context = of_reservation(locked)
    closed = context.closed_reasons(locked.during)
    if closed:
        raise Refusal(Reason("booking.closed_meanwhile"), *closed)


def approve_at_once(reservation: Reservation, now: datetime, why: str = NO_APPROVAL) -> None:
    """Approve a just written request that its lab need not look at, ``why`` goes into its history; part of the caller's transaction."""
    if ports.money().on_approve(reservation, NOBODY, now) is not None:
        raise Conflict.of("booking.figures_changed")
    _move(reservation, Action.APPROVE, NOBODY, now, why)
    notices.defer(reservation, "approved", now)


def approve_as_entered(reservation: Reservation, actor: Actor, now: datetime) -> None:
    """Approve what its lab has just entered for a customer that said yes; part of the caller's transaction."""
    if ports.money().on_approve(reservation, actor, now) is not None:
        raise Conflict.of("booking.figures_changed")
    _move(reservation, Action.APPROVE, actor, now)
    notices.defer(reservation, "approved", now)


def approve_without_look(locked: Reservation, now: datetime) -> bool:
    """Approve a request that its lab need not look at, once nobody else is waited for; part of the caller's transaction.

    False where the lab has to look after all: its rules say so, it has begun or is closed now, or the customer has been asked about new
    figures.
    """
    why = _why_without_look(locked, now)
    if not why or is_due_expired(locked.during, now) or _ended_reasons(locked):
        return False
    if of_reservation(locked).closed_reasons(locked.during):
        return False
    holds.clear_for(locked, now)
    if ports.money().on_approve(locked, NOBODY, now) is not None:
        notices.defer(locked, "figures_changed", now)
        return False
    assisting.anew_where_needed(locked, ZoneInfo(locked.instrument.site.time_zone), now)
    _move(locked, Action.APPROVE, NOBODY, now, why)
    notices.defer(locked, "approved", now)
    return True


def _why_without_look(locked: Reservation, now: datetime) -> str:
    """For the history; empty where the lab looks. It looks itself at what its own people overrode when they asked, and at what it
    entered once that has another time or a rival."""
    if entering.is_as_agreed(locked) and not auto_approval.has_rival(locked):
        return ENTERED
    context = only_with_approval.applied(of_reservation(locked), locked.requested_by_id, locked.organisation_id, now)
    if not context.policy.approval_required:
        return NO_APPROVAL
    asked = ReservationTransition.objects.filter(reservation=locked, action="request")
    if not auto_approval.lets(locked, context, now) or asked.exclude(reason="").exists():
        return ""
    return NO_LOOK


def go_on(locked: Reservation, wait: Wait, now: datetime, *, elsewhere: bool = False) -> None:
    """A request on a fund card that waits for no leader any more, that went to another instrument (``elsewhere``), or that the lab entered
    and the customer has said yes to, and that its lab need not look at, is approved. Where the lab has to look after all it hears of the
    request now, if it was not told while the leader or the customer was waited for."""
    if locked.state != ReservationState.REQUESTED or wait is Wait.GOES_ON:
        return
    if locked.fund_card_id is None and not elsewhere and not entering.is_agreed(locked):
        return
    if approve_without_look(locked, now):
        return
    if wait is Wait.ENDED or entering.is_agreed(locked):
        notices.defer(locked, "requested", now)


def approve_as_proposed(reservation: Reservation, manager_id: int | None, now: datetime) -> None:
    """Approve a request at the time that the lab proposed and the customer took; part of the caller's transaction.

    What its group's leader has to agree to first stays a request, at the new time.
    """
    if spending.judge(reservation, now) is Wait.GOES_ON:
        return
    Refusal.raise_any(_ended_reasons(reservation))
    spending.require_leader(reservation, Actor(user_id=manager_id))
    if ports.money().on_approve(reservation, NOBODY, now) is not None:
        raise Conflict.of("booking.figures_changed")
    _move(reservation, Action.APPROVE, Actor(user_id=manager_id), now)
    notices.defer(reservation, "approved", now)


def note_move(
    reservation: Reservation,
    before: TimeRange,
    actor: Actor,
    now: datetime,
    reason: str,
    place: Instrument | None = None,
    passed_over: Sequence[str] = (),
) -> None:
    """Write that the reservation's time was changed, or its ``place``, the instrument that it was on; the state stays. ``passed_over``: the
    codes of the rules in spite of which the lab did so. Part of the transaction of ``services.changes``."""
    ReservationTransition.objects.create(
        reservation=reservation,
        action=Action.MOVE,
        from_state=reservation.state,
        to_state=next_state(ReservationState(reservation.state), Action.MOVE),
        actor_id=actor.user_id,
        at=now,
        reason=reason,
        passed_over=list(passed_over) or None,
    )
    old, new = (
        {"starts_at": during.starts_at.isoformat(), "ends_at": during.ends_at.isoformat()}
        for during in (before, reservation.during)
    )
    if place is not None:
        old["instrument"], new["instrument"] = str(place.pk), str(reservation.instrument_id)
    audit.record(actor, "reservation.move", reservation, now, before=old, after=new, reason=reason)


def reject(
    actor: Actor, reservation_id: int, now: datetime, reason: str, how: How = AT_ONCE, *, seen: TimeRange | None = None
) -> None:
    """Refuse a request with a reason that its requester reads; ``how`` says when. ``seen`` is the time that was looked at.

    Raises Refusal ``booking.reason_missing``, Conflict ``booking.changed_meanwhile`` (it is at another time by now).
    """
    text = reason.strip()
    if not text:
        raise Refusal.of("booking.reason_missing", field="reason")

    def may_reject(locked: Reservation, actor: Actor) -> None:
        deciders.require(locked, actor)
        if seen not in (None, locked.during):
            raise Conflict.of("booking.changed_meanwhile")

    def said(locked: Reservation) -> None:
        decisions.note(locked, Verdict.REJECT, actor, how, now, text)

    _release(actor, reservation_id, Action.REJECT, now, text, may_reject, said)


def cancel(
    actor: Actor,
    reservation_id: int,
    now: datetime,
    reason: str = "",
    seen_fee_fen: int | None = None,
    *,
    not_to: Collection[str] = (),
) -> GivenBack:
    """Give the time back before it starts; the lab may do so too, with a reason.

    ``seen_fee_fen``: the fee that the customer saw; ``not_to``: codes of news whose readers know already. Raises NotFound, Forbidden,
    Refusal ``booking.reason_missing``, ``booking.too_late_to_cancel``, ``booking.illegal_transition``, ``consent.over`` (a fee
    for a colleague in whose name the actor books no longer), Conflict ``billing.fee_differs`` when it is more than was seen.
    """

    def require(reservation: Reservation, actor: Actor) -> None:
        if for_the_lab(reservation, actor):
            if not reason.strip():
                raise Refusal.of("booking.reason_missing", field="reason")
            return
        _customer_only(reservation, actor)
        if now >= reservation.starts_at:
            raise Refusal.of("booking.too_late_to_cancel")

    asked = (now, reason.strip(), require)
    return _release(actor, reservation_id, Action.CANCEL, *asked, seen_fee_fen=seen_fee_fen, not_to=not_to)


def may_cancel(reservation: Reservation, actor: Actor, now: datetime) -> bool:
    """Whether ``cancel`` lets the actor give it back now, with a reason where it asks for one; for a fee it asks ``consents.acts_for``
    too."""
    if Action.CANCEL not in actions_from(ReservationState(reservation.state)):
        return False
    return for_the_lab(reservation, actor) or (acting.answers_for(reservation, actor) and now < reservation.starts_at)


def cancel_by_time(locked: Reservation, now: datetime, reason: str) -> None:
    """Give the time back on the lab's side because it has come and the instrument does not run; nobody is blamed. Part of the caller's
    transaction."""
    _move(locked, Action.CANCEL, NOBODY, now, reason)
    ports.money().on_release(locked, NOBODY, Action.CANCEL.value, now)
    notices.defer(locked, "cancelled", now, reason=reason)


def mark_no_show(actor: Actor, reservation_id: int, now: datetime) -> None:
    """The lab says that nobody came; possible once the grace after the start is over."""

    def may_mark(reservation: Reservation, actor: Actor) -> None:
        _lab_only(reservation, actor)
        grace_minutes = policy_for(reservation.instrument).no_show_grace_minutes
        if now < grace_ends_at(reservation.during, grace_minutes):
            raise Refusal.of("booking.too_early_for_no_show", grace_minutes=grace_minutes)
        if downtime_rows.covers(reservation, now):
            raise Refusal.of("downtime.nobody_to_blame")
        if now < reservation.ends_at and _is_kept_out(reservation, now, now):
            raise Refusal.of("booking.kept_out")

    _release(actor, reservation_id, Action.MARK_NO_SHOW, now, "", may_mark)


def check_in(actor: Actor, reservation_id: int, now: datetime, override_reason: str = "") -> None:
    """The lab starts the session: from the lab's early start until the booked end, also for somebody who comes after the grace
    while nobody took the time. ``override_reason``: why somebody works alone without the licence that it needs.

    Raises NotFound, Forbidden, Refusal ``booking.too_early_to_check_in`` / ``booking.too_late_to_check_in`` /
    ``booking.illegal_transition`` / ``licence.check_in_refused``, Conflict ``booking.just_taken`` / ``booking.late_figures``.
    """
    reservation = seen_by(actor, reservation_id)
    _lab_only(reservation, actor)

    def work() -> None:
        locked = lock_row(reservation_id)
        early_minutes = policy_for(locked.instrument).early_start_minutes
        zone = ZoneInfo(locked.instrument.site.time_zone)
        Refusal.raise_any(arrival_faults(locked.during, now, early_minutes, zone))
        sessions.start(locked, actor, now, sessions.Beginning(now, override_reason=override_reason))

    with conflicts.answered(actor, reservation.instrument_id, reservation.during, now, reservation.organisation_id):
        transactions.run(work)


def check_out(actor: Actor, reservation_id: int, now: datetime, note: str = "") -> None:
    """The lab ends the session: actual time is measured, billable time derived, and the customer may look at it before it is
    agreed and charged (``services.usage_review``)."""
    reservation = seen_by(actor, reservation_id)
    _lab_only(reservation, actor)
    transactions.run(lambda: sessions.finish(lock_row(reservation_id), actor, now, sessions.Ending(now, note=note)))


def expire_due(now: datetime) -> int:
    """Lapse every request whose start has come without an answer; returns how many. Safe to repeat."""
    due = Reservation.objects.filter(state=ReservationState.REQUESTED, starts_at__lte=now)
    return _handle_due(due, lambda locked: is_due_expired(locked.during, now), Action.EXPIRE, now, "expired")


def mark_no_shows_due(now: datetime) -> int:
    """Close approved reservations whose grace has passed without a check-in, so that others can have the time; returns how many.

    Safe to repeat. Who comes later may still start while nobody took the time (``sessions.start``).
    """
    due = Reservation.objects.filter(state=ReservationState.APPROVED, starts_at__lte=now)

    def is_due(locked: Reservation) -> bool:
        due_now = is_due_missed(locked.during, policy_for(locked.instrument).no_show_grace_minutes, now)
        if not due_now or downtime_rows.covers(locked, now):
            return False
        return now >= locked.ends_at or not _is_kept_out(locked, now, now)

    return _handle_due(due, is_due, Action.MARK_NO_SHOW, now, "no_show")


def _handle_due(
    due: QuerySet[Reservation], still_due: Callable[[Reservation], bool], action: Action, now: datetime, event: str
) -> int:
    def work(pk: int) -> bool:
        locked = lock_row(pk)
        wanted = ReservationState.REQUESTED if action is Action.EXPIRE else ReservationState.APPROVED
        if locked.state != wanted or not still_due(locked):
            return False
        leaving = _left(locked, action, NOBODY, now)
        _move(locked, action, NOBODY, now, fault=leaving.fault)
        _note_fault(locked, leaving.fault, NOBODY, now)
        fee_fen = ports.money().on_release(locked, NOBODY, action.value, now, leaving)
        notices.defer(locked, event, now, fee_fen=fee_fen or None)
        return True

    return each_parked(list(due.order_by("starts_at").values_list("pk", flat=True)[:DUE_BATCH]), work, "reservation")


def _release(
    actor: Actor,
    reservation_id: int,
    action: Action,
    now: datetime,
    reason: str,
    permission: Permission,
    said: Said | None = None,
    seen_fee_fen: int | None = None,
    not_to: Collection[str] = (),
) -> GivenBack:
    """``said`` tells of it where that is more than the news of the action, which goes to nobody of ``not_to``."""
    seen_by(actor, reservation_id)

    def work() -> GivenBack:
        locked = lock_row(reservation_id)
        permission(locked, actor)  # it looks at time and grace, which may have changed while the lock was waited for
        leaving = _left(locked, action, actor, now, seen_fee_fen)
        _move(locked, action, actor, now, reason, leaving.fault)
        _note_fault(locked, leaving.fault, actor, now)
        fee_fen = ports.money().on_release(locked, actor, action.value, now, leaving)
        if fee_fen and action is Action.CANCEL:
            consents.require_open(locked, actor, now)
        if said is not None:
            said(locked)
        else:
            notices.defer(locked, _NEWS[action], now, not_to, reason=reason, fee_fen=fee_fen or None)
        return GivenBack(leaving.fault, fee_fen)

    return transactions.run(work)


def fault_in(reservation: Reservation, action: Action, actor: Actor, now: datetime) -> Fault | None:
    """What the customer would do wrong if the actor did this now; ``reservation`` comes with its instrument, site and customer.

    Nothing where the time could not be used: the instrument does not run then, or its calendar was closed meanwhile; nor where it is
    given back ``for_the_lab``.
    """
    before, by_customer = ReservationState(reservation.state), not for_the_lab(reservation, actor)
    release = Release(action, before, by_customer, imported=reservation.imported)
    if possible_fault(release) is Fault.LATE_CANCEL:
        release = replace(release, free_until=ports.money().free_until(reservation))
    fault = fault_of(release, policy_for(reservation.instrument), reservation.during, now)
    return fault if fault is not None and _could_be_used(reservation, now) else None


def _could_be_used(reservation: Reservation, now: datetime) -> bool:
    if not downtime_rows.could_be_used(reservation) or of_reservation(reservation).closed_reasons(reservation.during):
        return False
    return now < reservation.starts_at or not _is_kept_out(reservation, reservation.ends_at, now)


def _is_kept_out(reservation: Reservation, by: datetime, now: datetime) -> bool:
    """Whether somebody else's session went on so far into the reservation's time that the grace to come was not over ``by`` then."""
    until = running.kept_out_until(reservation, now)
    if until is None:
        return False
    grace_minutes = policy_for(reservation.instrument).no_show_grace_minutes
    return by < grace_ends_at(TimeRange(until, until + reservation.during.duration), grace_minutes)


def _left(locked: Reservation, action: Action, actor: Actor, now: datetime, seen_fee_fen: int | None = None) -> ports.Leaving:
    return ports.Leaving(fault_in(locked, action, actor, now), seen_fee_fen)


def _note_fault(reservation: Reservation, fault: Fault | None, actor: Actor, now: datetime) -> None:
    if fault is not None:
        credit.note_violation(reservation, EventKind(fault.value), actor, now)


def is_lab(reservation: Reservation, actor: Actor) -> bool:
    """Whether the actor manages the instrument's lab."""
    return reservation.instrument.organisation_id in actor.organisations(Role.LAB_MANAGER)


def for_the_lab(reservation: Reservation, actor: Actor) -> bool:
    """Whether the actor gives the time back for the lab, with a reason that both sides read: who manages it, but not a booking that
    they asked for, which is theirs to answer for as anybody's."""
    return is_lab(reservation, actor) and not reservation.is_of(actor.user_id)


def _lab_only(reservation: Reservation, actor: Actor) -> None:
    actor.require_in(reservation.instrument.organisation_id, Role.LAB_MANAGER)


def _customer_only(reservation: Reservation, actor: Actor) -> None:
    if not acting.answers_for(reservation, actor):
        raise Forbidden.of("booking.not_yours")
