"""The invariants of money, for tests that let something happen and look whether the books still agree."""

from __future__ import annotations

from collections.abc import Collection

from config.kernel import invariants

#: Everything that registers under billing; ``tests/billing/test_money_invariants.py`` finds a new beginning that is missing.
MONEY = (
    *("bills.", "books.", "cards.", "claims.", "counted.", "dunning.", "fees.", "invoices.", "ledger.", "month.", "openings."),
    *("ordering.", "papers.", "payments.", "prepaid.", "programmes.", "receipts.", "settlement.", "vouchers."),
)
#: What works every charge out again and reads every paper again: charges and papers never change, so one look at the end finds what is
#: wrong, and a look after each step would take most of the time.
AT_THE_END = ("books.charges_come_to_the_same", "papers.contents_and_codes_are_what_was_issued")


def wrong(but_for: Collection[str] = ()) -> dict[str, tuple[str, ...]]:
    """The invariants of money that do not hold, without those that are not asked now."""
    asked = {name: one for name, one in invariants.registered().items() if name.startswith(MONEY) and name not in but_for}
    found = {name: one().violations for name, one in asked.items()}
    return {name: violations for name, violations in found.items() if violations}
