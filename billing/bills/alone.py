"""What one person billed a customer by hand without anybody else (``billing/settlement/two_people.py`` says what that means)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime

from billing.bills.models import Bill
from billing.bills.proposal_models import BillProposal
from billing.bills.services.collecting import with_open
from billing.settlement.closed import of_open_months
from billing.settlement.rules.series import Series
from billing.settlement.two_people import alone_fen


def before_fen(person_id: int, owner_id: int, customer_id: int, now: datetime) -> int:
    """How much in the last days (fen): bills that are not void, and what waits for a second person. Two queries, and three
    where something waits."""
    return before_by_customer(person_id, owner_id, [customer_id], now).get(customer_id, 0)


def before_by_customer(person_id: int, owner_id: int, customers: Collection[int], now: datetime) -> dict[int, int]:
    """The same of several customers, by their ids."""
    sides = {"owner": owner_id, "customer__in": customers}
    bills = Bill.objects.filter(**sides, void__isnull=True)
    return alone_fen("customer", bills, BillProposal.objects.filter(**sides), person_id, now, open_of=open_of)


def open_of(rows: Iterable[BillProposal]) -> set[int]:
    """Those of some proposals (ids) of which anything can still be billed; one query, and two for each owner and last day."""
    rows = of_open_months(rows, lambda row: (Series(row.owner_id), row.until_on))
    asked: dict[tuple[int, date], set[int]] = {}
    for row in rows:
        asked.setdefault((row.owner_id, row.until_on), set()).add(row.customer_id)
    found = {key: with_open(key[0], customers, key[1]) for key, customers in asked.items()}
    return {row.pk for row in rows if row.customer_id in found[row.owner_id, row.until_on]}
