"""The content of a receipt and of a statement of account: everything that their PDF and XLSX show, assembled purely.

Amounts are ints of fen, days local ISO dates; codes stay codes. The content of an issued paper never changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from billing.ledger.rules.money import amount_in_capitals
from billing.ordering.rules.content import Party

FORMAT = 1
RECEIPT, ACCOUNT = "receipt", "account_statement"
Json = dict[str, Any]
#: The letters of a paper's number.
SERIES = {RECEIPT: "SJ", ACCOUNT: "DZ"}


@dataclass(frozen=True, slots=True)
class Heading:
    """Both sides as they are now (the owner with its bank), the day of issue and who made it."""

    owner: Party
    customer: Party
    made_on: date
    maker: str


@dataclass(frozen=True, slots=True)
class Received:
    """How and when money came in; ``payer`` and ``remark`` as the bank wrote them."""

    method: str
    received_on: date
    payer: str
    remark: str


@dataclass(frozen=True, slots=True)
class Line:
    """One movement. ``what`` is a code (bill, void, credit_note, payment, payment_undone; of an office clawback, set_off, repaid,
    repaid_undone, sent_back, sent_back_undone); ``number`` names the paper behind it. On a receipt ``credit_fen`` is what was paid; on a
    statement a debit is owed more, a credit owed less."""

    on: date
    what: str
    number: str
    debit_fen: int
    credit_fen: int


def receipt(heading: Heading, received: Received, lines: Sequence[Line]) -> Json:
    """What of one payment a customer paid, by bill; without its number."""
    total = sum(line.credit_fen - line.debit_fen for line in lines)
    return {
        **_frame(RECEIPT, heading),
        "received": {**asdict(received), "received_on": received.received_on.isoformat()},
        "lines": _numbered(lines, None),
        "totals": {"lines": len(lines), "total_fen": total, "capitals": amount_in_capitals(total, currency=True)},
    }


def account_statement(
    heading: Heading, first_on: date, last_on: date, opening_fen: int, lines: Sequence[Line], *, of_office: bool = False
) -> Json:
    """What a customer owed before a period, every movement in it, and what it owes after it; without its number. ``of_office``: to an
    office that asks a subsidy back."""
    debit, credit = sum(line.debit_fen for line in lines), sum(line.credit_fen for line in lines)
    closing = opening_fen + debit - credit
    return {
        **_frame(ACCOUNT, heading),
        **({"of_office": True} if of_office else {}),
        "period": {"first_day": first_on.isoformat(), "last_day": last_on.isoformat()},
        "lines": _numbered(lines, opening_fen),
        "totals": {
            "lines": len(lines),
            "opening_fen": opening_fen,
            "debit_fen": debit,
            "credit_fen": credit,
            "total_fen": closing,
            "capitals": amount_in_capitals(abs(closing), currency=True),
        },
    }


def _frame(kind: str, heading: Heading) -> Json:
    sides = {"owner": asdict(heading.owner), "customer": asdict(heading.customer)}
    return {"format": FORMAT, "kind": kind, "number": "", "made_on": heading.made_on.isoformat(), **sides, "maker": heading.maker}


def _numbered(lines: Sequence[Line], opening_fen: int | None) -> list[Json]:
    """The lines with their positions and, from an opening balance on, the balance after each."""
    found, balance = [], opening_fen or 0
    for position, line in enumerate(lines, start=1):
        balance += line.debit_fen - line.credit_fen
        row = {**asdict(line), "on": line.on.isoformat(), "position": position}
        found.append(row if opening_fen is None else {**row, "balance_fen": balance})
    return found


def document_number(kind: str, year: int, place: int) -> str:
    """``SJ-2026-000001``: the number at ``place`` (from 1) of an owner's year."""
    return f"{SERIES[kind]}-{year}-{place:06d}"


def series_key(kind: str, owner_id: int, year: int) -> str:
    """The series in which an owner's papers of a kind are numbered."""
    return f"{SERIES[kind]}/{owner_id}/{year}"
