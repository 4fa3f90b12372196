"""The accounts of what customers owe and pay, and the postings of bills. Debit and credit as an accountant knows them."""

from __future__ import annotations

from datetime import datetime

from billing.ledger import services as ledger
from billing.ledger.services import AccountSpec, Source


def receivable(owner_id: int, customer_id: int) -> AccountSpec:
    """What one customer owes one owner."""
    return AccountSpec(f"receivable:{owner_id}:{customer_id}", "receivable", None, organisation_id=customer_id)


def revenue(owner_id: int) -> AccountSpec:
    """What an owner has billed."""
    return AccountSpec(f"revenue:{owner_id}", "revenue", None, organisation_id=owner_id)


def cash(owner_id: int, method: str) -> AccountSpec:
    """What came in at an owner's bank account, or at a payment provider for it."""
    return AccountSpec(f"cash:{owner_id}:{method}", "cash", None, organisation_id=owner_id)


def written_off(owner_id: int) -> AccountSpec:
    """What an owner lost of what customers owe it."""
    return AccountSpec(f"write_off:{owner_id}", "write_off", None, organisation_id=owner_id)


def allowance(owner_id: int) -> AccountSpec:
    """What stands against the claims of an owner because it was given up: they are owed in full, and worth so much less."""
    return AccountSpec(f"allowance:{owner_id}", "allowance", None, organisation_id=owner_id)


def unassigned(owner_id: int) -> AccountSpec:
    """What came in and is given to no bill: not claimed yet, or paid beyond what was due."""
    return AccountSpec(f"unassigned:{owner_id}", "unassigned", None, organisation_id=owner_id)


def post_bill(owner_id: int, customer_id: int, amount_fen: int, source: Source, now: datetime) -> None:
    """The customer owes more."""
    ledger.move(receivable(owner_id, customer_id), revenue(owner_id), amount_fen, source, now)


def post_credit(owner_id: int, customer_id: int, amount_fen: int, source: Source, now: datetime) -> None:
    """The customer owes less: a credit note, or a void bill."""
    ledger.move(revenue(owner_id), receivable(owner_id, customer_id), amount_fen, source, now)


def post_write_off(owner_id: int, amount_fen: int, source: Source, now: datetime) -> None:
    """The owner gives up something; below zero: takes it back. What customers owe stays as it is."""
    lost, against = written_off(owner_id), allowance(owner_id)
    if amount_fen > 0:
        ledger.move(lost, against, amount_fen, source, now)
    else:
        ledger.move(against, lost, -amount_fen, source, now)
