"""The accounts of what public money owes payees: debit and credit as an accountant knows them."""

from __future__ import annotations

from datetime import datetime

from billing.ledger import services as ledger
from billing.ledger.services import AccountSpec, Source


def due(programme_id: int, payee_id: int) -> AccountSpec:
    """What a programme owes a payee: approved and not paid."""
    return AccountSpec(f"subsidy_due:{programme_id}:{payee_id}", "subsidy_due", None, programme_id, payee_id)


def granted(programme_id: int) -> AccountSpec:
    """What was approved of a programme's claims."""
    return AccountSpec(f"subsidy_granted:{programme_id}", "subsidy_granted", None, programme_id)


def paid(programme_id: int, payer: str) -> AccountSpec:
    """What a treasury paid for a programme; without ``payer`` what lists of all payers paid."""
    key = f"subsidy_paid:{programme_id}:{payer}" if payer else f"subsidy_paid:{programme_id}"
    return AccountSpec(key, "subsidy_paid", None, programme_id)


def post_approved(programme_id: int, payee_id: int, amount_fen: int, source: Source, now: datetime) -> None:
    """A claim was approved: its payee is owed the money."""
    ledger.move(granted(programme_id), due(programme_id, payee_id), amount_fen, source, now)


def post_repaid(programme_id: int, payer: str, payee_id: int, amount_fen: int, source: Source, now: datetime) -> None:
    """A payee gave back to the treasury of ``payer`` what it had been paid: the treasury paid less, and less was granted, as where it is
    taken off a claim."""
    ledger.move(paid(programme_id, payer), due(programme_id, payee_id), amount_fen, source, now)
    ledger.move(due(programme_id, payee_id), granted(programme_id), amount_fen, source, now)


def post_not_repaid(programme_id: int, payer: str, payee_id: int, amount_fen: int, source: Source, now: datetime) -> None:
    """The reverse: what was taken for given back did not come."""
    ledger.move(granted(programme_id), due(programme_id, payee_id), amount_fen, source, now)
    ledger.move(due(programme_id, payee_id), paid(programme_id, payer), amount_fen, source, now)


def post_paid(programme_id: int, payer: str, payee_id: int, amount_fen: int, source: Source, now: datetime) -> None:
    """The treasury of ``payer`` paid."""
    ledger.move(due(programme_id, payee_id), paid(programme_id, payer), amount_fen, source, now)


def surplus_held(programme_id: int) -> AccountSpec:
    """Money of payees that the office has and nothing asks for."""
    return AccountSpec(f"surplus_held:{programme_id}", "surplus_held", None, programme_id)


def surplus_owed(programme_id: int, payee_id: int) -> AccountSpec:
    """What a payee sent too much and gets back."""
    return AccountSpec(f"surplus_owed:{programme_id}:{payee_id}", "surplus_owed", None, programme_id, payee_id)


def post_surplus(programme_id: int, payee_id: int, amount_fen: int, source: Source, now: datetime) -> None:
    """A payee sent more than was open: the office has it, and owes it."""
    ledger.move(surplus_held(programme_id), surplus_owed(programme_id, payee_id), amount_fen, source, now)


def post_surplus_gone(programme_id: int, payee_id: int, amount_fen: int, source: Source, now: datetime) -> None:
    """It was sent back, or taken for what is owed: the office neither has nor owes it any more."""
    ledger.move(surplus_owed(programme_id, payee_id), surplus_held(programme_id), amount_fen, source, now)
