"""The table that goes to the tax platform and the one that comes back, as rows of texts. One row is one invoice for one bill."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from billing.invoices.rules.checks import Fault, Given, plain
from billing.ledger.rules.money import parse_yuan

MOST_ROWS, MOST_FAULTS = 2000, 100
#: Columns of the file that comes back, with the headings that are understood for each; those of ``NEEDED`` have to be there.
BACK: Mapping[str, tuple[str, ...]] = {
    "bill": ("账单号", "业务单号", "订单号", "单据编号", "bill"),
    "number": ("数电发票号码", "数电票号码", "发票号码", "number"),
    "code": ("发票代码", "code"),
    "issued_on": ("开票日期", "issued_on", "date"),
    "buyer_code": ("购买方识别号", "购方识别号", "购买方纳税人识别号", "buyer_code"),
    "seller_code": ("销售方识别号", "销方识别号", "销售方纳税人识别号", "seller_code"),
    "net": ("金额", "合计金额", "net"),
    "tax": ("税额", "合计税额", "tax"),
    "total": ("价税合计", "total"),
    "reverses": ("对应蓝字发票号码", "蓝字发票号码", "蓝字数电发票号码", "takes back invoice", "reverses"),
}
OPTIONAL = frozenset({"code", "reverses"})
NEEDED = tuple(name for name in BACK if name not in OPTIONAL)
_DATE = re.compile(r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?(?:[ T].*)?")


@dataclass(frozen=True, slots=True)
class Row:
    """A row that could be read: the number of its bill, and the invoice. ``reverses``: of a red-letter one the number of the invoice that
    it takes back (of old paper after its code); its bill need not be named."""

    row: int
    bill: str
    given: Given
    reverses: str = ""


@dataclass(frozen=True, slots=True)
class RowFault:
    """A fault in a row, numbered as in the file from 1; 0: the whole file."""

    row: int
    fault: Fault


class Unreadable(ValueError):
    """Raised with every fault of a file; nothing is taken in then."""

    def __init__(self, faults: Sequence[RowFault]) -> None:
        self.faults = tuple(faults[:MOST_FAULTS])
        super().__init__("; ".join(f"{each.row}: {each.fault.code}" for each in self.faults))


def read_rows(text: str) -> list[Row]:
    """The invoices of a table with headings in its first row; cells separated by comma, tab or semicolon. Raises Unreadable."""
    head, _, _ = text.partition("\n")
    separator = max(",\t;", key=head.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise Unreadable([_whole("invoice.file_unreadable")]) from error
    if not rows:
        raise Unreadable([_whole("invoice.file_unreadable")])
    places = _places(rows[0])
    missing = [name for name in NEEDED if name not in places]
    if missing:
        raise Unreadable([_whole("invoice.file_columns", names=", ".join(BACK[name][0] for name in missing))])
    below = [(place, row) for place, row in enumerate(rows[1:], start=2) if any(cell.strip() for cell in row)]
    if not 0 < len(below) <= MOST_ROWS:
        raise Unreadable([_whole("invoice.file_rows", most=MOST_ROWS)])
    return _read(below, places)


def _read(below: Sequence[tuple[int, list[str]]], places: Mapping[str, int]) -> list[Row]:
    found, wrong = [], []
    seen: dict[str, int] = {}
    for number, row in below:
        cells = {name: row[place].strip().lstrip("'") if place < len(row) else "" for name, place in places.items()}
        try:
            given = given_of(cells)
        except Unread as error:
            wrong.append(RowFault(number, error.fault))
            continue
        if given.key in seen:
            wrong.append(RowFault(number, Fault("invoice.twice_in_file", "number", {"other_row": seen[given.key]})))
        seen[given.key] = number
        found.append(Row(number, plain_bill(cells["bill"]), given, plain(cells.get("reverses", ""))))
    if wrong:
        raise Unreadable(wrong)
    return found


def plain_bill(text: str) -> str:
    """The number of a bill as we write it."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).upper()


class Unread(ValueError):
    """Raised for a cell that cannot be read."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(fault.code)


def given_of(cells: Mapping[str, str]) -> Given:
    """An invoice from texts by the names of ``BACK``; amounts in yuan. Raises Unread with the first cell that cannot be read."""
    return Given(
        number=plain(cells["number"]),
        code=plain(cells.get("code", "")),
        issued_on=_day(cells["issued_on"]),
        buyer_code=plain(cells["buyer_code"]),
        seller_code=plain(cells["seller_code"]),
        net_fen=_fen(cells["net"], "net"),
        tax_fen=_fen(cells["tax"], "tax"),
        total_fen=_fen(cells["total"], "total"),
    )


def _day(text: str) -> date:
    match = _DATE.fullmatch(unicodedata.normalize("NFKC", text).strip())
    try:
        if match is None:
            raise ValueError(text)
        return date(*map(int, match.groups()))
    except ValueError:
        raise Unread(Fault("invoice.day", "issued_on", {"text": text[:40]})) from None


def _fen(text: str, field: str) -> int:
    cleaned = re.sub(r"[,\s¥￥元]", "", unicodedata.normalize("NFKC", text))
    try:
        return -parse_yuan(cleaned[1:]) if cleaned.startswith("-") else parse_yuan(cleaned)
    except (TypeError, ValueError):
        raise Unread(Fault("invoice.yuan", field, {"text": text[:40]})) from None


def _places(head: Sequence[str]) -> dict[str, int]:
    names = [re.sub(r"\s", "", unicodedata.normalize("NFKC", cell)).lower().lstrip("\ufeff") for cell in head]
    found = {}
    for column, headings in BACK.items():
        place = next((names.index(heading) for heading in headings if heading in names), None)
        if place is not None:
            found[column] = place
    return found


def _whole(code: str, **params: object) -> RowFault:
    return RowFault(0, Fault(code, "file", dict(params)))
