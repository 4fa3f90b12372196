"""Which bills a payment is probably for: by the reference on it, the amount and who paid. A person decides; this only proposes."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from billing.bills.rules.numbers import references_in

MOST = 5
_NOT_A_NAME = re.compile(r"[\W_]+")


class Confidence(StrEnum):
    """``certain``: the reference and what is open agree. ``likely``: two of reference, amount and payer do. ``possible``: one does."""

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"


class Ground(StrEnum):
    """Why a bill is proposed."""

    REFERENCE = "reference"
    NUMBER = "number"
    AMOUNT = "amount"
    PAYER = "payer"
    ALL_OPEN = "all_open"


@dataclass(frozen=True, slots=True)
class Money:
    """What came in: ``free_fen`` of it is given to no bill yet."""

    free_fen: int
    payer_name: str
    payer_account: str
    remark: str


@dataclass(frozen=True, slots=True)
class OpenBill:
    """A bill of ``owner_id`` of which something is to pay. ``customer_id`` groups the bills of one customer."""

    bill_id: int
    owner_id: int
    reference: str
    number: str
    customer_id: int
    customer_name: str
    customer_account: str
    open_fen: int
    customer_name_en: str = ""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Give ``amount_fen`` to a bill, and why."""

    bill_id: int
    amount_fen: int
    confidence: Confidence
    grounds: tuple[Ground, ...]


def plain_name(name: str) -> str:
    """A name without what people and banks write differently: width, case, brackets, blanks."""
    return _NOT_A_NAME.sub("", unicodedata.normalize("NFKC", name).casefold())


def suggest(money: Money, bills: Sequence[OpenBill]) -> tuple[Suggestion, ...]:
    """The bills that the money is probably for, the surest first, then the one whose open amount is nearest; at most ``MOST``."""
    references = references_in(money.remark)
    sums: dict[int, int] = {}
    for bill in bills:
        sums[bill.customer_id] = sums.get(bill.customer_id, 0) + bill.open_fen
    same_amount = [bill.bill_id for bill in bills if bill.open_fen == money.free_fen]
    found = []
    for bill in bills:
        grounds = _grounds(money, bill, references, sums[bill.customer_id])
        confidence = _confidence(grounds, alone=same_amount == [bill.bill_id])
        if confidence is not None:
            amount = min(money.free_fen, bill.open_fen)
            distance = abs(money.free_fen - bill.open_fen)
            found.append(
                (
                    list(Confidence).index(confidence),
                    distance,
                    bill.bill_id,
                    Suggestion(bill.bill_id, amount, confidence, grounds),
                )
            )
    return tuple(each for *_, each in sorted(found, key=lambda one: one[:3])[:MOST])


def certain(moneys: Mapping[int, Money], bills: Sequence[OpenBill]) -> dict[int, OpenBill]:
    """The bill that each money (by an id) pays beyond doubt: its remark names one reference and no other, of a bill of which exactly that
    much is open, and no other money here names the same bill. The rest is left to a person."""
    by_reference = {bill.reference: bill for bill in bills}
    found, named = {}, Counter[str]()
    for pk, money in moneys.items():
        references = references_in(money.remark)
        named.update(references)
        bill = by_reference.get(references[0]) if len(references) == 1 else None
        if bill is not None and bill.open_fen == money.free_fen > 0:
            found[pk] = bill
    return {pk: bill for pk, bill in found.items() if named[bill.reference] == 1}


def _grounds(money: Money, bill: OpenBill, references: Sequence[str], customer_open_fen: int) -> tuple[Ground, ...]:
    remark = unicodedata.normalize("NFKC", money.remark).upper()
    payer = plain_name(money.payer_name)
    by_name = bool(payer) and payer == plain_name(bill.customer_name)
    by_account = bool(money.payer_account) and money.payer_account == re.sub(r"\s", "", bill.customer_account)
    held = {
        Ground.REFERENCE: bill.reference in references,
        Ground.NUMBER: bill.number.upper() in remark and not references,
        Ground.AMOUNT: bill.open_fen == money.free_fen,
        Ground.PAYER: by_name or by_account,
        Ground.ALL_OPEN: customer_open_fen == money.free_fen and customer_open_fen > bill.open_fen,
    }
    return tuple(ground for ground, holds in held.items() if holds)


def _confidence(grounds: Sequence[Ground], *, alone: bool) -> Confidence | None:
    """``alone``: no other bill has this open amount."""
    known = set(grounds)
    if {Ground.REFERENCE, Ground.AMOUNT} <= known:
        return Confidence.CERTAIN
    if Ground.REFERENCE in known or (Ground.NUMBER in known and known & {Ground.PAYER, Ground.AMOUNT}):
        return Confidence.LIKELY
    if Ground.PAYER in known and known & {Ground.AMOUNT, Ground.ALL_OPEN}:
        return Confidence.LIKELY
    if Ground.PAYER in known or Ground.NUMBER in known or (Ground.AMOUNT in known and alone):
        return Confidence.POSSIBLE
    return None
