"""The one door to openpyxl: tables of plain values to a workbook. Texts stay texts, amounts are numbers, the bytes are always the same."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from instruments.rules.names import without_direction

Value = str | int | Decimal | date | datetime | None
_FORMATS: tuple[tuple[type, str], ...] = (
    (datetime, "yyyy-mm-dd hh:mm"),
    (date, "yyyy-mm-dd"),
    (Decimal, "#,##0.00"),
)
#: What a spreadsheet programme could take for the beginning of a formula or a command, full-width forms included.
_RISKY = tuple("=+-@|%\t\r\n\uff1d\uff0b\uff0d\uff20\uff5c\uff05")
_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*(</dcterms:modified>)")
_LONGEST_TEXT = 32_767
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Sheet:
    """``rows`` below a ``head`` that stays in view; ``widths`` in characters; ``total`` is a last row in bold.

    ``above`` are rows before the head (title, parties). Datetimes are local and naive.
    """

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[Value]]
    widths: Sequence[int]
    total: Sequence[Value] = ()
    above: Sequence[Sequence[Value]] = field(default=())


def workbook(sheets: Sequence[Sheet], *, title: str, creator: str, made_at: datetime) -> bytes:
    """An .xlsx file. The same arguments give the same bytes."""
    book = Workbook()
    book.remove(book.active)
    for sheet in sheets:
        _write(book.create_sheet(_sheet_title(sheet.title)), sheet)
    book.properties.title = _clean(title)
    book.properties.creator = _clean(creator)
    book.properties.created = made_at.replace(tzinfo=None)
    raw = io.BytesIO()
    book.save(raw)
    return _frozen(raw, made_at)


def _write(page: Worksheet, sheet: Sheet) -> None:
    row = 1
    for values in sheet.above:
        _write_row(page, row, values, bold=row == 1)
        row += 1
    _write_row(page, row, sheet.head, bold=True)
    page.freeze_panes = page.cell(row + 1, 1)
    page.print_title_rows = f"{row}:{row}"
    for values in sheet.rows:
        row += 1
        _write_row(page, row, values)
    if sheet.total:
        _write_row(page, row + 1, sheet.total, bold=True)
    for place, width in enumerate(sheet.widths, start=1):
        page.column_dimensions[get_column_letter(place)].width = width
    page.page_setup.orientation = "landscape"
    page.page_setup.paperSize = page.PAPERSIZE_A4
    page.page_setup.fitToWidth, page.page_setup.fitToHeight = 1, 0
    page.sheet_properties.pageSetUpPr.fitToPage = True


def _write_row(page: Worksheet, row: int, values: Sequence[Value], *, bold: bool = False) -> None:
    for column, value in enumerate(values, start=1):
        if value is None or value == "":
            continue
        cell = page.cell(row, column)
        _set(cell, value)
        if bold:
            cell.font = Font(bold=True)


def _set(cell: Cell, value: Value) -> None:
    if isinstance(value, str):
        text = _clean(value)
        cell.value = text
        cell.data_type = "s"  # never "f": a text that begins with "=" is a text
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        if text.startswith(_RISKY):
            cell.quotePrefix = True
        return
    cell.value = value
    for kind, number_format in _FORMATS:
        if isinstance(value, kind):
            cell.number_format = number_format
            break


def _clean(text: str) -> str:
    """Without the control characters that a workbook cannot hold or that turn the direction of what follows, and not longer than a
    cell."""
    return ILLEGAL_CHARACTERS_RE.sub("", without_direction(text))[:_LONGEST_TEXT]


def _sheet_title(text: str) -> str:
    return re.sub(r"[\\*?:/\[\]]", " ", _clean(text))[:31] or "1"


def _frozen(raw: io.BytesIO, made_at: datetime) -> bytes:
    """The archive again without the moment of saving."""
    stamp = f"{made_at.replace(tzinfo=None):%Y-%m-%dT%H:%M:%SZ}".encode()
    out = io.BytesIO()
    with zipfile.ZipFile(raw) as source, zipfile.ZipFile(out, "w") as target:
        for entry in source.infolist():
            body = source.read(entry)
            if entry.filename == "docProps/core.xml":
                body = _MODIFIED.sub(rb"\g<1>" + stamp + rb"\g<2>", body)
            info = zipfile.ZipInfo(entry.filename, _ZIP_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            target.writestr(info, body)
    return out.getvalue()
