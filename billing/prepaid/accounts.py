"""The accounts behind prepaid money and spending limits: limited ones of the ledger, whose CHECK refuses to overspend them."""

from __future__ import annotations

from billing.ledger.services import AccountSpec
from billing.prepaid.rules.standing import LIMIT, PREPAID

#: The customer's own accounts that keep the price of a booking beside its fund card.
KINDS = (PREPAID, LIMIT)
#: What a hold on prepaid money is for once the use is charged: it waits for the bill.
CHARGE = "charge"


def prepaid(owner_id: int, customer_id: int) -> AccountSpec:
    """What a customer has paid an owner before it was billed. It is opened with nothing on it."""
    return AccountSpec(f"{PREPAID}:{owner_id}:{customer_id}", PREPAID, 0, organisation_id=customer_id)


def prepaid_due(owner_id: int) -> AccountSpec:
    """Prepaid money that is promised to, or was taken for, an owner's bills."""
    return AccountSpec(f"prepaid_due:{owner_id}", "prepaid_due", None, organisation_id=owner_id)


def limit_key(limit_id: int) -> str:
    """The key of the account that counts a spending limit."""
    return f"{LIMIT}:{limit_id}"


def limit_spec(limit_id: int, limit_fen: int, organisation_id: int) -> AccountSpec:
    """A spending limit; it is opened with the limit granted."""
    return AccountSpec(limit_key(limit_id), LIMIT, limit_fen, organisation_id=organisation_id)


def limits() -> AccountSpec:
    """Where spending limits come from, and to which they are promised: they are permission, no money."""
    return AccountSpec(f"limits:{LIMIT}", "limits", None)
