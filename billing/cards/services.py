"""Fund cards: opening one for a group with what is on it, changing both together, closing it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from billing.cards.accounts import CARD, card_key
from billing.ledger import services as ledger
from billing.ledger.models import Account
from billing.ledger.services import AccountSpec, Source
from config.kernel.access import Actor, get_visible
from config.kernel.errors import Forbidden, Reason, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from instruments.access import keeps_groups
from instruments.models import FundCard
from instruments.rules.names import clean_name
from instruments.services.organisations import lock_organisation
from instruments.services.research_groups import MOST_FEN, locked_group, threshold_faults

NUMBER_LENGTH, TITLE_LENGTH = 40, 200


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What a card is. ``budget_fen`` None: no limit. ``threshold_fen`` None: that of the group. Days are included."""

    number: str
    title: str
    valid_from: date
    valid_until: date
    budget_fen: int | None = None
    threshold_fen: int | None = None


@whole
def open_card(actor: Actor, group_id: int, terms: CardFacts, now: datetime) -> FundCard:
    """A new card of an open group, with its account.

    Raises NotFound (group), Forbidden ``group.not_yours``, Refusal ``name.*`` (``number``, ``title``), ``card.number_taken``,
    ``card.days_in_order`` (``valid_until``), ``card.budget_out_of_range`` (``budget_fen``), ``group.threshold_out_of_range``,
    ``card.group_of_another``.
    """
    group = locked_group(actor, group_id)
    if not keeps_groups(actor, group.organisation):
        raise Forbidden.of("group.not_yours")
    if group.closed_at is not None:
        raise Refusal.of("card.group_of_another", field="group")
    number, title = _checked(terms, group.organisation_id)
    card = FundCard.objects.create(
        organisation=group.organisation,
        group=group,
        number=number,
        title=title,
        valid_from=terms.valid_from,
        valid_until=terms.valid_until,
        threshold_fen=terms.threshold_fen,
        created_at=now,
    )
    ledger.open_accounts([AccountSpec(card_key(card.pk), CARD, terms.budget_fen)], now)
    audit.record(actor, "card.open", card, now, after=_facts(card, terms.budget_fen))
    return card


@whole
def change_card(actor: Actor, card_id: int, terms: CardFacts, now: datetime) -> FundCard:
    """Number, title, days, threshold and budget; what was spent or is kept for bookings stays. Raises as ``open_card``,
    Refusal ``card.budget_spent`` (``budget_fen``)."""
    card = _locked(actor, card_id)
    number, title = _checked(terms, card.organisation_id, card)
    account = ledger.lock(ledger.known([card_key(card.pk)]).values())[card_key(card.pk)]
    used = account.held_fen + account.posted_fen
    if terms.budget_fen is not None and terms.budget_fen < used:
        raise Refusal.of("card.budget_spent", field="budget_fen", used_fen=used)
    before = _facts(card, limit_of(account))
    card.number, card.title, card.valid_from, card.valid_until = number, title, terms.valid_from, terms.valid_until
    card.threshold_fen = terms.threshold_fen
    card.save(update_fields=["number", "title", "valid_from", "valid_until", "threshold_fen"])
    if limit_of(account) != terms.budget_fen:
        ledger.set_limit(account, terms.budget_fen, Source(CARD, card.pk, "budget", None, actor.user_id), now)
    audit.record(actor, "card.change", card, now, before=before, after=_facts(card, terms.budget_fen))
    return card


@whole
def set_card_closed(actor: Actor, card_id: int, closed: bool, now: datetime) -> FundCard:
    """Close a card, or open it again: a closed one pays what is approved and takes nothing new. Raises NotFound, Forbidden."""
    card = _locked(actor, card_id)
    if (card.closed_at is not None) != closed:
        card.closed_at = now if closed else None
        card.save(update_fields=["closed_at"])
        audit.record(actor, "card.close" if closed else "card.reopen", card, now, after={"closed": closed})
    return card


def limit_of(account: Account) -> int | None:
    """The budget on an account in fen; None: no limit."""
    return account.granted_fen if account.limited else None


def _locked(actor: Actor, card_id: int) -> FundCard:
    """The card behind its organisation's lock: its number stands once there."""
    lock_organisation(get_visible(FundCard.objects.all(), actor, pk=card_id).organisation_id)
    rows = FundCard.objects.select_related("organisation", "group").select_for_update(of=("self",), no_key=True)
    card = get_visible(rows, actor, pk=card_id)
    if not keeps_groups(actor, card.organisation):
        raise Forbidden.of("group.not_yours")
    return card


def _checked(terms: CardFacts, organisation_id: int, card: FundCard | None = None) -> tuple[str, str]:
    """Number and title as they are kept. Raises Refusal with everything that is wrong."""
    reasons: list[Reason] = []
    texts = []
    for text, length, field in ((terms.number, NUMBER_LENGTH, "number"), (terms.title, TITLE_LENGTH, "title")):
        try:
            texts.append(clean_name(text, length, field=field))
        except Refusal as refusal:
            reasons += refusal.reasons
            texts.append("")
    number, title = texts
    if terms.valid_until < terms.valid_from:
        reasons.append(Reason("card.days_in_order", {}, "valid_until"))
    if terms.budget_fen is not None and not 0 < terms.budget_fen <= MOST_FEN:
        reasons.append(Reason("card.budget_out_of_range", {}, "budget_fen"))
    reasons += threshold_faults(terms.threshold_fen)
    others = FundCard.objects.filter(organisation_id=organisation_id, number=number)
    if number and (others.exclude(pk=card.pk) if card else others).exists():
        reasons.append(Reason("card.number_taken", {"number": number}, "number"))
    Refusal.raise_any(reasons)
    return number, title


def _facts(card: FundCard, budget_fen: int | None) -> dict[str, Any]:
    return {
        "number": card.number,
        "title": card.title,
        "valid_from": card.valid_from.isoformat(),
        "valid_until": card.valid_until.isoformat(),
        "threshold_fen": card.threshold_fen,
        "budget_fen": budget_fen,
    }
