"""What a reservation holds on its fund card and takes from it. Every function is part of the caller's transaction."""

from __future__ import annotations

from datetime import datetime

from billing.cards.accounts import CARD, RESERVATION, card_key, card_spec, income_spec
from billing.ledger import services as ledger
from billing.ledger.models import Account, Transfer, TransferKind
from billing.ledger.services import AccountSpec, Source
from billing.settlement.rules.slips import covered_fen
from booking.models import Reservation
from config.kernel.access import Actor
from config.kernel.errors import Conflict
from instruments.models import FundCard
from instruments.queries import spending as cards


def specs(reservation: Reservation) -> list[AccountSpec]:
    """The card's account, to be locked together with the others of a move of money; none without a card."""
    return [card_spec(reservation.fund_card_id)] if reservation.fund_card_id is not None else []


def hold(reservation: Reservation, amount_fen: int, reason: str, actor: Actor, now: datetime) -> None:
    """Keep ``amount_fen`` on the reservation's card, in place of what it kept on a card before.

    Raises Conflict ``card.not_enough_left`` (number, needed_fen, left_fen), ``card.cannot_pay`` for who may not see the card.
    """
    before = _open(reservation)
    wanted = [(card_key(reservation.fund_card_id), amount_fen)] if reservation.fund_card_id is not None and amount_fen else []
    if [(one.debit.key, one.amount_fen) for one in before] == wanted:
        return
    source = Source(RESERVATION, reservation.pk, reason, None, actor.user_id)
    ledger.end_holds(before, {}, source, now, TransferKind.VOID)
    if not wanted or reservation.fund_card_id is None:
        return
    account = _locked_account(reservation, now)
    if account.limited and amount_fen > account.left_fen:
        if not cards.sees_card(actor, reservation.fund_card_id):
            raise Conflict.of("card.cannot_pay", field="fund_card")
        number = FundCard.objects.values_list("number", flat=True).get(pk=reservation.fund_card_id)
        raise Conflict.of(
            "card.not_enough_left", field="fund_card", number=number, needed_fen=amount_fen, left_fen=account.left_fen
        )
    ledger.hold({account.pk: amount_fen}, _payee(reservation, now), source, now)


def spend(reservation: Reservation, due_fen: int, reason: str, actor: Actor, now: datetime, *, only_held: bool = False) -> int:
    """Take what is due from the card and give the rest of the hold back; returns what the card paid.

    Use that ran over the booked end may cost more than what was held: the card pays what is left on it, and no more. ``only_held``: it
    pays nothing beyond what was held, to which the group's leader agreed.
    """
    if reservation.fund_card_id is None:
        return 0
    account = _locked_account(reservation, now)
    held = sum(one.amount_fen for one in _open(reservation))
    left = 0 if only_held else account.left_fen if account.limited else None
    paid = covered_fen(due_fen, held, left)
    if paid > held:
        hold(reservation, paid, reason, actor, now)
    source = Source(RESERVATION, reservation.pk, reason, None, actor.user_id)
    ledger.end_holds(_open(reservation), {account.pk: paid}, source, now, TransferKind.VOID)
    return paid


def give_back(reservation: Reservation, card_id: int, amount_fen: int, reason: str, actor: Actor, now: datetime) -> None:
    """Put back on a card a part of what it paid for the reservation."""
    spec = card_spec(card_id)
    opened = ledger.open_accounts([spec], now)
    account = ledger.lock(opened.values())[spec.key]
    source = Source(RESERVATION, reservation.pk, reason, None, actor.user_id)
    ledger.give_back(account, _payee(reservation, now), amount_fen, source, now)


def _open(reservation: Reservation) -> list[Transfer]:
    return [one for one in ledger.open_holds(RESERVATION, reservation.pk) if one.debit.kind == CARD]


def _locked_account(reservation: Reservation, now: datetime) -> Account:
    opened = ledger.open_accounts(specs(reservation), now)
    (account,) = ledger.lock(opened.values()).values()
    return account


def _payee(reservation: Reservation, now: datetime) -> Account:
    spec = income_spec(reservation.instrument.organisation_id)
    return ledger.open_accounts([spec], now)[spec.key]
