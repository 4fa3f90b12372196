"""The leader's answer to what a group's member wants to spend; and putting a booking on another card."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from booking import ports
from booking.models import LeaderApproval, Reservation
from booking.rules.deciding import MOST_TOGETHER
from booking.rules.spending import LeaderState, Wait, wait_between
from booking.rules.states import Action, ReservationState
from booking.services import conflicts, entering, leader_news, sample_spending, spending, transitions
from booking.services.context import of_reservation
from booking.services.leader_rows import decide, require_leader_of
from booking.services.state_writing import lock_row, move, seen_by
from config.kernel.access import Actor, get_visible
from config.kernel.errors import Forbidden, Refusal
from config.kernel.services import audit, transactions
from instruments.rules.names import clean_name
from instruments.services.spending import locked_card

REASON_LENGTH = 300
_BEFORE_USE = frozenset({ReservationState.REQUESTED, ReservationState.APPROVED})


def agree(actor: Actor, approval_id: int, now: datetime) -> str:
    """The leader agrees; where the lab asks for no approval of its own, the reservation is approved with it. Returns the state of
    the reservation or the sample job.

    Raises NotFound, Forbidden ``card.not_the_leader``, Refusal ``card.answered_already``, ``card.closed``, ``card.group_closed``,
    ``card.not_valid_then``, Conflict ``booking.just_taken``.
    """
    asked = _asked(actor, approval_id)
    reservation, job_id = asked.reservation, asked.sample_job_id
    if reservation is None:
        return transactions.run(lambda: sample_spending.agree(actor, approval_id, job_id or 0, now))

    def work() -> str:
        locked, row = _waiting(actor, approval_id, reservation.pk)
        decide(row, LeaderState.APPROVED, actor, now)
        spending.require_leader(locked, actor)
        leader_news.settled(locked, now)
        if not transitions.approve_without_look(locked, now):
            leader_news.agreed(locked, now)
        return str(locked.state)

    with conflicts.answered(actor, reservation.instrument_id, reservation.during, now, reservation.organisation_id):
        return transactions.run(work)


def decline(actor: Actor, approval_id: int, now: datetime, reason: str) -> None:
    """The leader does not agree, with a reason that the requester reads: the request is over and its money free.

    Raises NotFound, Forbidden ``card.not_the_leader``, Refusal ``card.answered_already``, ``booking.reason_missing``.
    """
    text = " ".join(reason.split())
    if not text:
        raise Refusal.of("booking.reason_missing", field="reason")
    text = clean_name(text, REASON_LENGTH, field="reason")
    asked = _asked(actor, approval_id)
    reservation, job_id = asked.reservation, asked.sample_job_id
    if reservation is None:
        return transactions.run(lambda: sample_spending.decline(actor, approval_id, job_id or 0, text, now))

    def work() -> None:
        locked, row = _waiting(actor, approval_id, reservation.pk)
        decide(row, LeaderState.DECLINED, actor, now, text)
        move(locked, Action.REJECT, actor, now, text)
        ports.money().on_release(locked, actor, Action.REJECT.value, now)
        leader_news.declined(locked, text, now)

    return transactions.run(work)


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of one question; ``refusal`` says why nothing did."""

    approval_id: int
    refusal: Refusal | None = None


def answer_all(actor: Actor, approval_ids: Iterable[int], agrees: bool, now: datetime, reason: str = "") -> list[Answered]:
    """Answer several questions, such as the times of a series, each by itself: what cannot be answered says why, the others are.

    Raises Refusal ``decision.none_chosen``, ``decision.too_many``, ``booking.reason_missing`` before anything is answered.
    """
    chosen = list(dict.fromkeys(approval_ids))
    if not chosen:
        raise Refusal.of("decision.none_chosen", field="approvals")
    if len(chosen) > MOST_TOGETHER:
        raise Refusal.of("decision.too_many", field="approvals", most=MOST_TOGETHER)
    if not agrees and not reason.strip():
        raise Refusal.of("booking.reason_missing", field="reason")
    return [_answered(actor, pk, agrees, now, reason) for pk in chosen]


def _answered(actor: Actor, approval_id: int, agrees: bool, now: datetime, reason: str) -> Answered:
    try:
        if agrees:
            agree(actor, approval_id, now)
        else:
            decline(actor, approval_id, now, reason)
    except Refusal as refusal:
        return Answered(approval_id, refusal)
    return Answered(approval_id)


def choose_card(actor: Actor, reservation_id: int, card_id: int, now: datetime) -> None:
    """Put a booking on another card, until its use begins; its leader is asked where that is needed.

    Raises NotFound (booking, card), Forbidden ``booking.not_yours``, Refusal ``card.too_late`` / ``card.none_on_it`` /
    ``card.same`` / ``card.*`` as for a new booking / ``card.leader_first``, Conflict ``card.not_enough_left``,
    ``booking.just_taken`` where it would be approved with it, Refusal ``entry.waits_for_customer``.
    """
    found = seen_by(actor, reservation_id)
    if found.requested_by_id != actor.user_id:
        raise Forbidden.of("booking.not_yours")

    def work() -> None:
        locked = lock_row(reservation_id)
        if ReservationState(locked.state) not in _BEFORE_USE:
            raise Refusal.of("card.too_late", field="fund_card")
        if locked.fund_card_id is None:
            raise Refusal.of("card.none_on_it", field="fund_card")
        if locked.fund_card_id == card_id:
            raise Refusal.of("card.same", field="fund_card")
        entering.require_yes(locked)
        context = of_reservation(locked)
        Refusal.raise_any(spending.reasons_against(actor, context, locked.organisation_id, card_id, locked.during, now))
        before = {"fund_card": locked.fund_card_id}
        locked.fund_card_id = card_id
        locked.save(update_fields=["fund_card"])
        asked_before = spending.forget_answer(locked, now)
        audit.record(actor, "reservation.card", locked, now, before=before, after={"fund_card": card_id})
        ports.money().on_card_changed(locked, actor, now)
        wait = spending.judge(locked, now)
        if wait is Wait.NONE:
            wait = wait_between(asked_before, None)
        transitions.go_on(locked, wait, now)

    with conflicts.answered(actor, found.instrument_id, found.during, now, found.organisation_id):
        transactions.run(work)


def _asked(actor: Actor, approval_id: int) -> LeaderApproval:
    """What waits, when the actor may see it; not locked. Raises NotFound, Forbidden ``card.not_the_leader``."""
    rows = LeaderApproval.objects.select_related("reservation__fund_card__group__leader", "sample_job__fund_card__group__leader")
    row = get_visible(rows, actor, pk=approval_id)
    require_leader_of(actor, row.card)
    return row


def _waiting(actor: Actor, approval_id: int, reservation_id: int) -> tuple[Reservation, LeaderApproval]:
    """Reservation and question behind their locks: who leads the group, and what waits, may have changed meanwhile."""
    locked = lock_row(reservation_id)
    row = LeaderApproval.objects.filter(pk=approval_id, state=LeaderState.WAITING).first()
    if row is None or locked.state != ReservationState.REQUESTED or locked.fund_card_id is None:
        raise Refusal.of("card.answered_already")
    require_leader_of(actor, locked_card(locked.fund_card_id))
    return locked, row
