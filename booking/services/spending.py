"""Paying from a fund card: who may, and what the group's leader agrees to first (``services.leader_answers`` has the answer).

Everything that judges runs behind the lock of the calendar; the card and its group are locked after it, the accounts last.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from booking import ports
from booking.models import LeaderApproval, Reservation
from booking.rules.spending import LeaderState, Wait, after_pricing, wait_between
from booking.rules.states import ReservationState
from booking.services import leader_news
from booking.services.context import BookingContext
from booking.services.leader_rows import ask, refuse_more
from config.kernel.access import Actor
from config.kernel.errors import Reason, Refusal
from config.kernel.time_range import TimeRange
from instruments.models import FundCard
from instruments.queries import spending as cards
from instruments.rules.spending import FIELD, asks_the_leader, card_faults, days_of, is_in_house
from instruments.services.spending import locked_card, locked_to_spend


def reasons_against(
    actor: Actor, context: BookingContext, customer_id: int, card_id: int | None, during: TimeRange, now: datetime
) -> list[Reason]:
    """Why a new booking cannot go on the card (None: on no card). Raises NotFound for a card that the actor may not spend from."""
    if card_id is None:
        in_house = is_in_house(customer_id, context.instrument.organisation_id)
        return [Reason("card.needed", {}, FIELD)] if in_house and cards.card_needed(customer_id) else []
    return _faults(locked_to_spend(actor, card_id, now), customer_id, during, context.zone)


def reasons_seen(
    actor: Actor, context: BookingContext, customer_id: int, card_id: int | None, times: Sequence[TimeRange], now: datetime
) -> list[list[Reason]]:
    """As ``reasons_against`` for each of ``times``, looked at without locks: one query or two, however many."""
    if card_id is None:
        return [reasons_against(actor, context, customer_id, None, during, now) for during in times[:1]] * len(times)
    card = cards.card_to_spend(actor, card_id, now)
    return [_faults(card, customer_id, during, context.zone) for during in times]


def _faults(card: FundCard, customer_id: int, during: TimeRange, zone: ZoneInfo) -> list[Reason]:
    return card_faults(cards.terms_of(card), customer_id, *days_of(during, zone))


def settled_fen(locked: Reservation) -> int | None:
    """What an approved or running reservation on a card costs, to be read before it is changed; None: nothing is settled yet."""
    if locked.fund_card_id is None or locked.state == ReservationState.REQUESTED:
        return None
    return ports.money().payable_now_fen(locked)


def judge(locked: Reservation, now: datetime, settled_fen: int | None = None) -> Wait:
    """Ask the leader about what the reservation costs now, where that is needed; whether an answer is waited for. ``settled_fen``:
    what it cost before the change on the same card, by the function of this name.

    Part of the caller's transaction, after money has followed. Raises Refusal ``card.leader_first`` where it is too late to ask:
    the reservation is approved or in use already.
    """
    if locked.fund_card_id is None:
        return Wait.NONE
    card = locked_card(locked.fund_card_id)
    amount_fen = ports.money().payable_now_fen(locked)
    own = locked.requested_by_id == card.group.leader_id
    row = LeaderApproval.objects.filter(reservation=locked).first()
    asks = asks_the_leader(amount_fen, card.asks_above_fen, own=own)
    before = LeaderState(row.state) if row else None
    after = after_pricing(before, row.asked_fen if row else 0, amount_fen, asks=asks, settled_fen=settled_fen)
    if after is LeaderState.WAITING and locked.state != ReservationState.REQUESTED:
        raise Refusal.of("card.leader_first", amount_fen=amount_fen, leader=str(card.group.leader))
    if after is None:
        _nobody_is_asked(row, locked, now)
    elif after is LeaderState.WAITING and (row is None or (before, row.asked_fen) != (after, amount_fen)):
        ask(row, amount_fen, now, reservation=locked)
        leader_news.asked(locked, card, amount_fen, now)
    return wait_between(before, after)


def _nobody_is_asked(row: LeaderApproval | None, locked: Reservation, now: datetime) -> None:
    if row is not None and row.state == LeaderState.WAITING:
        row.delete()
        leader_news.settled(locked, now)


def waiting_for_leaders(reservations: Sequence[Reservation]) -> list[LeaderApproval]:
    """What leaders have not answered yet about these, with card, group and reservation."""
    rows = LeaderApproval.objects.filter(reservation__in=reservations, state=LeaderState.WAITING)
    return list(
        rows.select_related(
            "reservation__fund_card__group",
            "reservation__instrument__site",
            "reservation__organisation",
            "reservation__requested_by",
        )
    )


def forget_answer(locked: Reservation, now: datetime) -> LeaderState | None:
    """What was asked and answered about another card counts no more; where it stood. Part of the caller's transaction."""
    row = LeaderApproval.objects.filter(reservation=locked).first()
    if row is None:
        return None
    state = LeaderState(row.state)
    row.delete()
    leader_news.settled(locked, now)
    return state


def require_leader(locked: Reservation, actor: Actor) -> None:
    """What the lab's approval asks of a card: it can still pay, and its leader is not waited for.

    Raises Refusal ``card.leader_waits``, ``card.closed``, ``card.group_closed``, ``card.not_valid_then``; ``card.cannot_pay`` in
    place of the last three for who may not see the card.
    """
    if locked.fund_card_id is None:
        return
    card = locked_card(locked.fund_card_id)
    _refuse_faults(card, locked, locked.during, actor)
    row = LeaderApproval.objects.filter(reservation=locked, state=LeaderState.WAITING).first()
    if row is not None:
        raise Refusal.of("card.leader_waits", amount_fen=row.asked_fen, leader=str(card.group.leader))


def refuse_other_days(locked: Reservation, during: TimeRange, actor: Actor) -> None:
    """The card of a reservation that moves has to be valid then too. Raises Refusal as ``require_leader``."""
    if locked.fund_card_id is not None:
        _refuse_faults(locked_card(locked.fund_card_id), locked, during, actor)


def refuse_extra(locked: Reservation, extra_fen: int, actor: Actor) -> None:
    """What a charge beside the time asks of a card: it can still pay, and the leader agrees where the whole asks for it.

    Raises Refusal as ``require_leader``, ``card.leader_first``.
    """
    if locked.fund_card_id is None:
        return
    refuse_other_days(locked, locked.during, actor)
    card, row = locked_card(locked.fund_card_id), LeaderApproval.objects.filter(reservation=locked).first()
    refuse_more(card, row, locked.requested_by_id, ports.money().payable_now_fen(locked) + extra_fen, actor)


def _refuse_faults(card: FundCard, locked: Reservation, during: TimeRange, actor: Actor) -> None:
    faults = _faults(card, locked.organisation_id, during, ZoneInfo(locked.instrument.site.time_zone))
    if faults and not cards.sees_card(actor, card.pk):
        raise Refusal.of("card.cannot_pay", FIELD)
    Refusal.raise_any(faults)
