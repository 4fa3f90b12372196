"""The fund cards of a booking form: which may be chosen, what the chosen one has left, and whether its leader is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from billing.cards import queries as balances
from billing.cards.queries import NOTHING
from booking.services.context import BookingContext
from config.kernel.access import Actor
from config.kernel.errors import NotFound, Refusal
from config.kernel.time_range import TimeRange
from instruments.models import FundCard, Organisation
from instruments.queries import spending
from instruments.rules.spending import asks_the_leader, days_of, is_in_house


@dataclass(frozen=True, slots=True)
class CardChoice:
    """A card as an option. ``left_fen`` None: it has no limit."""

    pk: int
    number: str
    title: str
    left_fen: int | None


@dataclass(frozen=True, slots=True)
class CardPart:
    """``needed``: the owner asks its own people for a card. ``after_fen``: what the chosen card has left after this (None: no limit,
    or nothing chosen). ``leader``: who agrees first, or empty."""

    choices: Sequence[CardChoice] = ()
    chosen: CardChoice | None = None
    needed: bool = False
    after_fen: int | None = None
    leader: str = ""

    @property
    def shown(self) -> bool:
        return self.needed or bool(self.choices)


NO_CARDS = CardPart()


def chosen_card(actor: Actor, card_id: int | None, now: datetime) -> int | None:
    """The card that was chosen; None without one. Raises Refusal ``card.choose`` for one that the person does not spend from (any more)."""
    if card_id is None:
        return None
    try:
        return spending.card_to_spend(actor, card_id, now).pk
    except NotFound:
        raise Refusal.of("card.choose", field="fund_card") from None


def card_part(
    actor: Actor,
    context: BookingContext,
    customer: Organisation | None,
    typed: str,
    during: TimeRange | None,
    payable_fen: int | None,
    now: datetime,
    dearest_fen: int | None = None,
) -> CardPart:
    """What the form shows for a customer, a card as typed and a time (None: not chosen yet) that costs ``payable_fen``. Where that is
    for several bookings, ``dearest_fen`` is the dearest of them: the leader is asked about each."""
    if customer is None or actor.is_anonymous:
        return NO_CARDS
    days = days_of(during, context.zone) if during else (context.local_day(now),) * 2
    return cards_for(actor, context.instrument.organisation_id, customer, typed, days, payable_fen, now, dearest_fen)


def cards_of_several(
    actor: Actor,
    context: BookingContext,
    customer_id: str,
    organisations: Sequence[Organisation],
    typed: str,
    first: TimeRange | None,
    each_fen: Sequence[int],
    now: datetime,
) -> CardPart:
    """As ``card_part`` for several bookings that cost ``each_fen``: the cards are those of the ``first``, and what is left is after all."""
    customer = next((one for one in organisations if str(one.pk) == customer_id), None)
    total = sum(each_fen) if each_fen else None
    return card_part(actor, context, customer, typed, first, total, now, max(each_fen, default=None))


def cards_for(
    actor: Actor,
    owner_id: int,
    customer: Organisation,
    typed: str,
    days: tuple[date, date],
    payable_fen: int | None,
    now: datetime,
    dearest_fen: int | None = None,
) -> CardPart:
    """As ``card_part``, for anything of an owner's between two days (included)."""
    internal = is_in_house(customer.pk, owner_id)
    cards = spending.cards_to_choose(actor, customer.pk, now, *days)
    left = balances.balances(actor, cards) if cards else {}
    choices = [CardChoice(card.pk, card.number, card.title, left.get(card.pk, NOTHING).left_fen) for card in cards]
    needed = internal and spending.card_needed(customer.pk)
    chosen = next((one for one in choices if str(one.pk) == typed), None)
    if chosen is None and not typed and needed and len(choices) == 1:
        chosen = choices[0]
    card = next((one for one in cards if chosen and one.pk == chosen.pk), None)
    after = chosen.left_fen - payable_fen if chosen and chosen.left_fen is not None and payable_fen is not None else None
    return CardPart(choices, chosen, needed, after, _leader(actor, card, payable_fen if dearest_fen is None else dearest_fen))


def _leader(actor: Actor, card: FundCard | None, payable_fen: int | None) -> str:
    if card is None or payable_fen is None:
        return ""
    own = card.group.leader_id == actor.user_id
    return str(card.group.leader) if asks_the_leader(payable_fen, card.asks_above_fen, own=own) else ""
