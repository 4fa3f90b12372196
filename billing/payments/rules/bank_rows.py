"""A bank's list of movements as rows of money that came in. Banks name and arrange their columns differently; a layout says how, as data.

Pure: text in, rows or *every* fault out. Amounts are read exactly; nothing is guessed.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from billing.ledger.rules.money import parse_yuan

MOST_BYTES = 5 * 1024 * 1024
MOST_ROWS = 20_000
MOST_FAULTS = 50
_HEAD_WITHIN = 40
_DATES = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y.%m.%d", "%Y年%m月%d日")
#: A year out of these is a typing fault of whoever made the file.
_FIRST_YEAR, _LAST_YEAR = 2000, 2100
_DATE = re.compile(r"\d{4}(?:[-/.]\d{1,2}[-/.]\d{1,2}|年\d{1,2}月\d{1,2}日|\d{4})")
_TEXTS = {"payer_name": 200, "payer_account": 60, "remark": 500, "serial": 100}
_IN, _OUT = (
    frozenset({"贷", "贷方", "收", "收入", "转入", "来账", "C", "CR", "CREDIT", "IN"}),
    frozenset({"借", "借方", "支", "付", "支出", "转出", "往账", "D", "DR", "DEBIT", "OUT"}),
)
_LONGEST_AMOUNT = 24


@dataclass(frozen=True, slots=True)
class Layout:
    """Which headings (any of several, as banks write them) stand for which field. ``needs`` are the fields without which it is not this
    layout. ``amount_in``: a column of what came in alone. ``amount``: one column, whose sign or ``direction`` says which way."""

    code: str
    columns: Mapping[str, tuple[str, ...]]
    needs: tuple[str, ...]


_USUAL: Mapping[str, tuple[str, ...]] = {
    "date": ("交易日期", "记账日期", "日期", "交易时间", "入账日期", "date", "booking date"),
    "payer_name": ("对方户名", "对方名称", "付款人名称", "对方账户名称", "交易对方", "户名", "payer", "counterparty"),
    "payer_account": ("对方账号", "对方账户", "付款人账号", "对方帐号", "payer account", "counterparty account"),
    "remark": ("摘要", "用途", "附言", "备注", "交易附言", "remark", "purpose", "details"),
    "serial": ("流水号", "交易流水号", "业务流水号", "凭证号", "serial", "reference"),
}
SIGNED = "signed"
LAYOUTS: tuple[Layout, ...] = (
    Layout(
        "two_columns",
        {
            **_USUAL,
            "amount_in": ("贷方发生额", "收入金额", "收入", "贷方金额", "贷方", "存入金额", "credit", "money in"),
            "amount_out": ("借方发生额", "支出金额", "支出", "借方金额", "借方", "支取金额", "debit", "money out"),
        },
        ("date", "amount_in", "amount_out"),
    ),
    Layout(
        "direction",
        {
            **_USUAL,
            "amount": ("交易金额", "发生额", "金额", "amount"),
            "direction": (
                *(f"{what}{sign}" for what in ("借贷", "收支", "收付") for sign in ("标志", "标识", "方向", "")),
                *("收/支", "借/贷", "收/付", "交易方向", "direction", "dr/cr"),
            ),
        },
        ("date", "amount", "direction"),
    ),
    Layout(SIGNED, {**_USUAL, "amount": ("交易金额", "发生额", "金额", "amount")}, ("date", "amount")),
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in a row (numbered as in the file, from 1; 0: the whole file) and a field of it."""

    row: int
    field: str
    code: str
    value: str = ""


class Unreadable(ValueError):
    """Raised with every fault found, at most ``MOST_FAULTS``; nothing is taken in then."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults[:MOST_FAULTS])
        super().__init__("; ".join(f"{fault.row} {fault.field}: {fault.code}" for fault in self.faults))


@dataclass(frozen=True, slots=True)
class Incoming:
    """Money that came in, from one row of the file. ``fingerprint``: of what it says, of several remarks of the first, so that a row that
    was taken in before is known again; of rows of a file that say the same (``said``) it is the ``copy``-th, from 1."""

    row: int
    booked_on: date
    amount_fen: int
    payer_name: str
    payer_account: str
    remark: str
    serial: str
    fingerprint: str
    said: str = ""
    copy: int = 1


@dataclass(frozen=True, slots=True)
class Read:
    """The rows of a file: what came in, how many rows there are and how many of them went out."""

    layout: str
    row_count: int
    outgoing: int
    incoming: tuple[Incoming, ...]


def decoded(content: bytes) -> str:
    """A file's text: UTF-8 or GBK (GB 18030). Raises Unreadable."""
    if len(content) > MOST_BYTES:
        raise Unreadable([Fault(0, "file", "bank.file_too_large")])
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise Unreadable([Fault(0, "file", "bank.file_unreadable")])


def read_rows(text: str, layout_code: str = "") -> Read:
    """The rows of a statement under the layout of that code, or under the first that fits. Raises Unreadable with every fault."""
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text)))
    except csv.Error as error:
        raise Unreadable([Fault(0, "file", "bank.file_unreadable")]) from error
    layout, head_at, places = _layout_of(rows, layout_code)
    below = [
        (number, row) for number, row in enumerate(rows[head_at + 1 :], start=head_at + 2) if any(cell.strip() for cell in row)
    ]
    if len(below) > MOST_ROWS:
        raise Unreadable([Fault(0, "file", "bank.too_many_rows", str(len(below)))])
    faults: list[Fault] = []
    found: list[Incoming] = []
    counted = outgoing = 0
    if layout.code == SIGNED and not layout_code and not _has_minus(below, places["amount"][0]):
        # Without any minus the sign says nothing: which way is in a column that we do not know.
        raise Unreadable([Fault(0, "layout", "bank.no_layout_fits")])
    seen: dict[str, int] = {}
    for number, row in below:
        cells = {field: cell_of(row, found_at[0]) for field, found_at in places.items()}
        if _is_footer(cells):
            continue
        counted += 1
        amount = _amount(cells, number, faults)
        booked_on = day_of(cells["date"], number, faults)
        known_by = printable(cells.get("remark", ""))
        cells["remark"] = _joined(row, places.get("remark", ()))
        texts = {field: _text(cells.get(field, ""), field, number, faults) for field in _TEXTS}
        if amount is None or booked_on is None:
            continue
        if amount <= 0:
            outgoing += 1
            continue
        account = re.sub(r"\s", "", texts["payer_account"])
        said = "\x1f".join((booked_on.isoformat(), str(amount), texts["payer_name"], account, known_by, texts["serial"]))
        seen[said] = seen.get(said, 0) + 1
        names = (texts["payer_name"], account, texts["remark"], texts["serial"])
        found.append(Incoming(number, booked_on, amount, *names, fingerprint(said, seen[said]), said, seen[said]))
    if faults:
        raise Unreadable(faults)
    if not counted:
        raise Unreadable([Fault(0, "file", "bank.no_rows")])
    return Read(layout.code, counted, outgoing, tuple(found))


def fingerprint(said: str, copy: int) -> str:
    """Of the ``copy``-th row, from 1, that says just this."""
    return hashlib.sha256(f"{said}\x1f{copy}".encode()).hexdigest()


def delimiter_of(text: str) -> str:
    """What separates the cells: the commonest of three in the first lines."""
    sample = text[:20_000]
    return max(",\t;", key=sample.count)


def _layout_of(rows: Sequence[Sequence[str]], code: str) -> tuple[Layout, int, dict[str, list[int]]]:
    """The layout, where its heading row stands, and in which columns each field is."""
    for layout in LAYOUTS:
        if code and layout.code != code:
            continue
        for at, row in enumerate(rows[:_HEAD_WITHIN]):
            places = _places(layout, row)
            if all(field in places for field in layout.needs):
                return layout, at, places
    raise Unreadable([Fault(0, "layout", "bank.no_layout_fits")])


def _has_minus(below: Sequence[tuple[int, Sequence[str]]], place: int) -> bool:
    """Whether some amount of a column is below zero, or there are no rows to look at."""
    return not below or any(re.search(r"-\D*\d", cell_of(row, place)) for _, row in below)


def _places(layout: Layout, row: Sequence[str]) -> dict[str, list[int]]:
    """The columns of each field that is there, by the order of its headings; all but the remark are read from the first alone."""
    names = [heading(cell) for cell in row]
    found = {
        field: [at for known in headings for at, name in enumerate(names) if name == heading(known)]
        for field, headings in layout.columns.items()
    }
    return {field: places for field, places in found.items() if places}


def _joined(row: Sequence[str], places: Sequence[int]) -> str:
    """What several columns say, each thing once: the reference may stand in the purpose and the kind of movement in the summary."""
    cells = dict.fromkeys(cell_of(row, place) for place in places)
    return " ".join(cell for cell in cells if cell)


def heading(cell: str) -> str:
    """A heading without width, case, blanks and what stands in brackets."""
    plain = unicodedata.normalize("NFKC", cell).strip().casefold()
    return re.sub(r"\(.*?\)|\s+", "", plain)


def cell_of(row: Sequence[str], place: int) -> str:
    """A cell without the blanks and the tab or apostrophe with which banks keep long numbers from becoming figures."""
    return unicodedata.normalize("NFKC", row[place]).strip().strip("\t'`").strip() if place < len(row) else ""


def _is_footer(cells: Mapping[str, str]) -> bool:
    """A row of sums or remarks below the movements: the word for a sum and no figure where the date stands, or neither date nor amount.
    A movement whose date is missing is none."""
    if not cells["date"]:
        return not any(cells.get(field) for field in ("amount", "amount_in", "amount_out"))
    return "计" in cells["date"] and not any(letter.isdigit() for letter in cells["date"])


def day_of(cell: str, row: int, faults: list[Fault]) -> date | None:
    """A day as banks write it, with or without an hour behind it; None, and a fault, for anything else."""
    matched = _DATE.match(cell)
    text = matched[0] if matched else ""
    for pattern in _DATES if text else ():
        try:
            found = datetime.strptime(text, pattern).date()  # noqa: DTZ007  (a day has no zone)
        except ValueError:
            continue
        if _FIRST_YEAR <= found.year < _LAST_YEAR:
            return found
    faults.append(Fault(row, "date", "bank.not_a_date", cell[:40]))
    return None


def _amount(cells: Mapping[str, str], row: int, faults: list[Fault]) -> int | None:
    """Fen above zero for what came in, below for what went out: also under a minus, and a minus on the side of what came in (a bank taking
    an entry back)."""
    if "amount_in" in cells:
        came, went = (fen_of(cells[name], row, name, faults) for name in ("amount_in", "amount_out"))
        if came is None or went is None:
            return None
        if bool(came) == bool(went):
            faults.append(Fault(row, "amount", "bank.in_or_out"))
            return None
        return came - abs(went)
    amount = fen_of(cells["amount"], row, "amount", faults)
    if amount is None:
        return None
    if amount == 0:
        faults.append(Fault(row, "amount", "bank.not_an_amount", cells["amount"][:40]))
        return None
    if "direction" not in cells:
        return amount
    word = cells["direction"].upper()
    if word not in _IN | _OUT:
        faults.append(Fault(row, "direction", "bank.which_way", cells["direction"][:40]))
        return None
    return amount if word in _IN else -abs(amount)


def fen_of(cell: str, row: int, field: str, faults: list[Fault]) -> int | None:
    """An amount of yuan as banks write it: thousands separated, a currency sign before, nothing for zero."""
    plain = re.sub(r"[,\s¥+]|CNY|RMB", "", cell)
    if plain in {"", "-", "--"}:
        return 0
    try:
        if len(plain) > _LONGEST_AMOUNT:
            raise ValueError(plain)
        return parse_yuan(plain)
    except ValueError:
        faults.append(Fault(row, field, "bank.not_an_amount", cell[:40]))
        return None


def _text(cell: str, field: str, row: int, faults: list[Fault]) -> str:
    if len(cell) > _TEXTS[field]:
        faults.append(Fault(row, field, "bank.text_too_long", cell[:40]))
    return printable(cell)


def printable(cell: str) -> str:
    """A text without control characters."""
    return "".join(letter for letter in cell if letter.isprintable())
