"""What of receipts still holds. A receipt says what a payment pays of each bill, so it is counted bill by bill. Pure; ints of fen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from billing.receipts.rules.content import Json

#: What a paper or a payment says of each bill, by the bill's number.
ByBill = Mapping[str, int]


def printed(content: Json) -> dict[str, int]:
    """What a receipt says of each bill."""
    found: dict[str, int] = {}
    for line in content["lines"]:
        found[line["number"]] = found.get(line["number"], 0) + line["credit_fen"] - line["debit_fen"]
    return found


def unsaid(paid: ByBill, receipts: Sequence[ByBill]) -> dict[str, int]:
    """What a payment pays of each bill that stands on no receipt yet; bills with nothing new are left out."""
    left = {number: amount - sum(each.get(number, 0) for each in receipts) for number, amount in paid.items()}
    return {number: amount for number, amount in left.items() if amount > 0}


def taken_back(paid: ByBill, receipts: Sequence[ByBill], place: int) -> int:
    """What of the receipt at ``place`` is paid no longer. What still is belongs to the first receipt of the bill that said it."""
    back = 0
    for number, amount in receipts[place].items():
        before = sum(each.get(number, 0) for each in receipts[:place])
        back += amount - min(amount, max(0, paid.get(number, 0) - before))
    return back
