"""What a reservation or a sample job holds on its fund card and takes from it. Every function is part of the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from billing.cards.accounts import CARD, RESERVATION, SAMPLE_JOB, card_key, card_spec, income_spec
from billing.ledger import services as ledger
from billing.ledger.models import Account, TransferKind
from billing.ledger.services import AccountSpec, Held, Source
from billing.prepaid.services import holding as own_money
from billing.settlement.rules.slips import covered_fen
from booking.models import Reservation, SampleJob
from config.kernel.access import Actor
from config.kernel.errors import Conflict
from instruments.models import FundCard
from instruments.queries import spending as cards

Paying = Reservation | SampleJob
"""What is paid for: both say which card pays and who is paid."""


def specs(paying: Paying) -> list[AccountSpec]:
    """The card's account, to be locked together with the others of a move of money; none without a card."""
    return [card_spec(paying.fund_card_id)] if paying.fund_card_id is not None else []


def lock_with_holds(paying: Sequence[Paying], now: datetime, beside: Sequence[Account] = ()) -> dict[int, list[Held]]:
    """What is held for some bookings, or for some jobs, by id. The accounts of it, of their cards (a card that keeps nothing may pay all
    the same) and those ``beside`` are locked in one id order: whoever moves money of several waits for nobody who waits for them."""
    if not paying:
        return {}
    cards = ledger.open_accounts([spec for one in paying for spec in specs(one)], now)
    return ledger.open_holds_of(_kind(paying[0]), [one.pk for one in paying], [*cards.values(), *beside])


def hold(
    paying: Paying, amount_fen: int, reason: str, actor: Actor, now: datetime, beside: Sequence[Account] | None = None
) -> None:
    """Keep ``amount_fen`` on its card, in place of what it kept on a card before, and on the customer's own accounts ``beside`` it
    (prepaid money, spending limits; None: on those that keep it already).

    Raises Conflict ``card.not_enough_left`` (number, needed_fen, left_fen), ``card.cannot_pay`` for who may not see the card,
    ``prepaid.not_enough_left``, ``spending.over_limit``.
    """
    held = ledger.open_holds(_kind(paying), paying.pk)
    own_money.hold(paying, held, beside, amount_fen, _source(paying, reason, actor), now)
    _hold_on_card(paying, [one for one in held if one.debit.kind == CARD], amount_fen, reason, actor, now)


def _hold_on_card(paying: Paying, before: Sequence[Held], amount_fen: int, reason: str, actor: Actor, now: datetime) -> None:
    wanted = [(card_key(paying.fund_card_id), amount_fen)] if paying.fund_card_id is not None and amount_fen else []
    if [(one.debit.key, one.amount_fen) for one in before] == wanted:
        return
    source = _source(paying, reason, actor)
    ledger.end_holds(before, {}, source, now, TransferKind.VOID)
    if not wanted or paying.fund_card_id is None:
        return
    account = _locked_account(paying, now)
    if account.limited and amount_fen > account.left_fen:
        if not cards.sees_card(actor, paying.fund_card_id):
            raise Conflict.of("card.cannot_pay", field="fund_card")
        number = FundCard.objects.values_list("number", flat=True).get(pk=paying.fund_card_id)
        raise Conflict.of(
            "card.not_enough_left", field="fund_card", number=number, needed_fen=amount_fen, left_fen=account.left_fen
        )
    ledger.hold({account.pk: amount_fen}, _payee(paying, now), source, now)


def spend(paying: Paying, due_fen: int, reason: str, actor: Actor, now: datetime, *, only_held: bool = False) -> int:
    """Take what is due from the card and give the rest of the hold back; returns what the card paid.

    Use that ran over the booked end may cost more than what was held: the card pays what is left on it, and no more. ``only_held``: it
    pays nothing beyond what was held, to which the group's leader agreed.
    """
    if paying.fund_card_id is None:
        return 0
    account = _locked_account(paying, now)
    held = sum(one.amount_fen for one in _open(paying))
    left = 0 if only_held else account.left_fen if account.limited else None
    paid = covered_fen(due_fen, held, left)
    if paid > held:
        _hold_on_card(paying, _open(paying), paid, reason, actor, now)
    source = _source(paying, reason, actor)
    ledger.end_holds(_open(paying), {account.pk: paid}, source, now, TransferKind.VOID)
    return paid


def give_back(paying: Paying, card_id: int, amount_fen: int, reason: str, actor: Actor, now: datetime) -> None:
    """Put back on a card a part of what it paid for it."""
    spec = card_spec(card_id)
    opened = ledger.open_accounts([spec], now)
    account = ledger.lock(opened.values())[spec.key]
    source = _source(paying, reason, actor)
    ledger.give_back(account, _payee(paying, now), amount_fen, source, now)


def _open(paying: Paying) -> list[Held]:
    return [one for one in ledger.open_holds(_kind(paying), paying.pk) if one.debit.kind == CARD]


def _locked_account(paying: Paying, now: datetime) -> Account:
    opened = ledger.open_accounts(specs(paying), now)
    (account,) = ledger.lock(opened.values()).values()
    return account


def _payee(paying: Paying, now: datetime) -> Account:
    owner_id = paying.lab_id if isinstance(paying, SampleJob) else paying.instrument.organisation_id
    spec = income_spec(owner_id)
    return ledger.open_accounts([spec], now)[spec.key]


def _kind(paying: Paying) -> str:
    return SAMPLE_JOB if isinstance(paying, SampleJob) else RESERVATION


def _source(paying: Paying, reason: str, actor: Actor) -> Source:
    return Source(_kind(paying), paying.pk, reason, None, actor.user_id)
