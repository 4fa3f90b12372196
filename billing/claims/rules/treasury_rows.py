"""What a treasury says it did with the lines of a payment list, as rows of a CSV file. Pure: text in, rows or *every* fault out.

Cells are read as those of a bank's list (``bank_rows``).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from billing.payments.rules import bank_rows
from billing.payments.rules.bank_rows import Fault, Unreadable

MOST_ROWS = 2_000
_HEAD_WITHIN = 40
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "position": ("序号", "行号", "明细序号", "line", "no.", "no"),
    "account": ("收款账号", "收款人账号", "收款账户", "银行账号", "账号", "account", "account number"),
    "amount": ("实付金额", "支付金额", "拨付金额", "金额", "amount", "paid"),
    "day": ("支付日期", "实付日期", "拨付日期", "交易日期", "日期", "day", "date", "paid on"),
    "reference": ("支付凭证号", "凭证号", "流水号", "交易流水号", "reference"),
    "reason": ("失败原因", "退回原因", "原因", "备注", "reason", "remark"),
}
_NEEDED = ("amount", "day")
_LONGEST = {"reference": 100, "reason": 500}


@dataclass(frozen=True, slots=True)
class ListedLine:
    """A line of the list: its number and the account to which it is paid."""

    position: int
    account: str


@dataclass(frozen=True, slots=True)
class Answered:
    """What was paid on the line of that number, as a row of the file says (numbered as there, from 1)."""

    row: int
    position: int
    paid_fen: int
    paid_on: date
    reference: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Lines:
    """The lines by what a row names them."""

    by_position: Mapping[str, ListedLine]
    by_account: Mapping[str, Sequence[ListedLine]]

    @classmethod
    def of(cls, lines: Sequence[ListedLine]) -> _Lines:
        by_account: dict[str, list[ListedLine]] = {}
        for each in lines:
            by_account.setdefault(_account(each.account), []).append(each)
        return cls({str(each.position): each for each in lines}, by_account)


def read_answer(text: str, lines: Sequence[ListedLine]) -> list[Answered]:
    """The rows of a treasury's answer about these lines, each line once. A row names its line by number, by account, or by both, which
    have to agree. Raises Unreadable with every fault."""
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=bank_rows.delimiter_of(text)))
    except csv.Error as error:
        raise Unreadable([Fault(0, "file", "bank.file_unreadable")]) from error
    head_at, places = _headings(rows)
    below = [
        (number, row) for number, row in enumerate(rows[head_at + 1 :], start=head_at + 2) if any(cell.strip() for cell in row)
    ]
    if len(below) > MOST_ROWS:
        raise Unreadable([Fault(0, "file", "treasury.too_many_rows", str(MOST_ROWS))])
    known = _Lines.of(lines)
    faults: list[Fault] = []
    found: dict[int, Answered] = {}
    for number, row in below:
        cells = {field: bank_rows.cell_of(row, place) for field, place in places.items()}
        if _is_sum(cells):
            continue
        answered = _read(number, cells, known, faults)
        if answered is None:
            continue
        if answered.position in found:
            faults.append(Fault(number, "position", "treasury.line_twice", str(answered.position)))
        found[answered.position] = answered
    if not faults and not found:
        faults.append(Fault(0, "file", "treasury.no_rows"))
    if faults:
        raise Unreadable(faults)
    return list(found.values())


def _headings(rows: Sequence[Sequence[str]]) -> tuple[int, dict[str, int]]:
    """Where the row of headings stands, and in which column each field is."""
    for at, row in enumerate(rows[:_HEAD_WITHIN]):
        names = [bank_rows.heading(cell) for cell in row]
        places = {field: place for field, known in COLUMNS.items() if (place := _place(names, known)) is not None}
        if all(field in places for field in _NEEDED) and places.keys() & {"position", "account"}:
            return at, places
    raise Unreadable([Fault(0, "file", "treasury.no_headings")])


def _place(names: Sequence[str], known: Sequence[str]) -> int | None:
    return next((names.index(bank_rows.heading(each)) for each in known if bank_rows.heading(each) in names), None)


def _is_sum(cells: Mapping[str, str]) -> bool:
    """A row of sums below the lines, or one that says nothing of any line."""
    return any("计" in cells.get(field, "") for field in ("position", "account")) or not any(
        cells.get(field) for field in ("position", "account", "amount", "day")
    )


def _read(row: int, cells: Mapping[str, str], lines: _Lines, faults: list[Fault]) -> Answered | None:
    before = len(faults)
    position = _line(row, cells, lines, faults)
    if cells["amount"]:
        amount = bank_rows.fen_of(cells["amount"], row, "amount", faults)
    else:
        amount = None
        faults.append(Fault(row, "amount", "bank.not_an_amount", ""))
    day = bank_rows.day_of(cells["day"], row, faults)
    for field, most in _LONGEST.items():
        if len(cells.get(field, "")) > most:
            faults.append(Fault(row, field, "bank.text_too_long", cells[field][:40]))
    if len(faults) > before or position is None or amount is None or day is None:
        return None
    reference, reason = (bank_rows.printable(cells.get(field, "")) for field in ("reference", "reason"))
    return Answered(row, position, amount, day, reference, reason)


def _line(row: int, cells: Mapping[str, str], lines: _Lines, faults: list[Fault]) -> int | None:
    """The number of the line that a row means; a fault where there is none, several, or number and account do not agree."""
    number, account = cells.get("position", ""), _account(cells.get("account", ""))
    if number:
        line = lines.by_position.get(number.lstrip("0"))
        if line is None:
            faults.append(Fault(row, "position", "treasury.no_such_line", number[:40]))
        elif account and account != _account(line.account):
            faults.append(Fault(row, "account", "treasury.other_account", account[:60]))
        return line.position if line is not None else None
    mine = lines.by_account.get(account, []) if account else []
    if len(mine) == 1:
        return mine[0].position
    faults.append(Fault(row, "account", "treasury.account_of_several" if mine else "treasury.no_such_line", account[:60]))
    return None


def _account(text: str) -> str:
    return "".join(text.split())
