"""What one person billed a customer by hand without anybody else (``billing/settlement/two_people.py`` says what that means)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from billing.bills.models import Bill
from billing.bills.proposal_models import BillProposal
from billing.bills.services.collecting import has_open
from billing.settlement.closed import is_closed
from billing.settlement.rules.series import Series
from billing.settlement.two_people import alone_fen


def before_fen(person_id: int, owner_id: int, customer_id: int, now: datetime) -> int:
    """How much in the last days (fen): bills that are not void, and what waits for a second person. Two queries, and two where
    something waits."""
    return before_by_customer(person_id, owner_id, [customer_id], now).get(customer_id, 0)


def before_by_customer(person_id: int, owner_id: int, customers: Collection[int], now: datetime) -> dict[int, int]:
    """The same of several customers, by their ids."""
    sides = {"owner": owner_id, "customer__in": customers}
    bills = Bill.objects.filter(**sides, void__isnull=True)
    return alone_fen("customer", bills, BillProposal.objects.filter(**sides), person_id, now, is_open=is_open)


def is_open(row: BillProposal) -> bool:
    """Whether anything that a proposal is of can still be billed."""
    return not is_closed(Series(row.owner_id), row.until_on) and has_open(row.owner_id, row.customer_id, row.until_on)
