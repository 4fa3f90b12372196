"""The account behind a fund card: a limited one of the ledger, whose CHECK refuses to overspend it."""

from __future__ import annotations

from billing.ledger.services import AccountSpec

CARD = "fund_card"
INCOME = "card_income"
#: What the movements on accounts are for, in the ledger's words.
RESERVATION = "reservation"
SAMPLE_JOB = "sample_job"
#: Why money goes back to a card: a bill was corrected.
CREDIT_NOTE = "credit_note"


def card_key(card_id: int) -> str:
    """The key of the account that counts a card."""
    return f"{CARD}:{card_id}"


def card_spec(card_id: int) -> AccountSpec:
    """The card's account. It is opened with the card; one that is missing has nothing on it, so that nothing is spent unseen."""
    return AccountSpec(card_key(card_id), CARD, 0)


def income_spec(owner_id: int) -> AccountSpec:
    """What an owner was paid from fund cards, of its own people and of others."""
    return AccountSpec(f"{INCOME}:{owner_id}", INCOME, None)
