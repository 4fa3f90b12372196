"""The one door to openpyxl: tables of plain values to a workbook. Texts stay texts, amounts are numbers, the bytes are always the same.

Rows are written one after the other as they come; no cell is kept.
"""

from __future__ import annotations

import io
import re
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell, WriteOnlyCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet
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
_TEXT = "text"
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
    book = Workbook(write_only=True)
    for sheet in sheets:
        _write(book.create_sheet(_sheet_title(sheet.title)), sheet)
    book.properties.title = _clean(title)
    book.properties.creator = _clean(creator)
    book.properties.created = made_at.replace(tzinfo=None)
    raw = io.BytesIO()
    book.save(raw)
    return _frozen(raw, made_at)


def _write(page: WriteOnlyWorksheet, sheet: Sheet) -> None:
    _lay_out(page, sheet)
    pen = _Pen(page)
    for place, values in enumerate(sheet.above):
        page.append(pen.cells(values, bold=place == 0))
    page.append(pen.cells(sheet.head, bold=True))
    for values in sheet.rows:
        page.append(pen.cells(values))
    if sheet.total:
        page.append(pen.cells(sheet.total, bold=True))


def _lay_out(page: WriteOnlyWorksheet, sheet: Sheet) -> None:
    """What stands in the file before the first row."""
    head = len(sheet.above) + 1
    page.freeze_panes = f"A{head + 1}"
    page.print_title_rows = f"{head}:{head}"
    for place, width in enumerate(sheet.widths, start=1):
        page.column_dimensions[get_column_letter(place)].width = width
    page.page_setup.orientation = "landscape"
    page.page_setup.paperSize = Worksheet.PAPERSIZE_A4
    page.page_setup.fitToWidth, page.page_setup.fitToHeight = 1, 0
    page.sheet_properties.pageSetUpPr.fitToPage = True


class _Pen:
    """Writes the cells of a page. How a kind of value looks is worked out once: openpyxl would look every cell's up among all others'."""

    def __init__(self, page: WriteOnlyWorksheet) -> None:
        self._page = page
        self._looks: dict[tuple[str, bool, bool], Any] = {}

    def cells(self, values: Sequence[Value], *, bold: bool = False) -> Iterator[Cell | None]:
        """The cells of a row, each good until the next one is asked for; None: an empty one."""
        for value in values:
            yield None if value is None or value == "" else self._cell(value, bold)

    def _cell(self, value: str | int | Decimal | date | datetime, bold: bool) -> Cell:
        cell = WriteOnlyCell(self._page)
        if isinstance(value, str):
            text = _clean(value)
            self._dress(cell, _TEXT, bold, text.startswith(_RISKY))
            cell.value = text
            cell.data_type = "s"  # never "f": a text that begins with "=" is a text
        else:
            self._dress(cell, _format_of(value), bold, risky=False)
            cell.value = value
        return cell

    def _dress(self, cell: Cell, number_format: str, bold: bool, risky: bool) -> None:
        look = (number_format, bold, risky)
        if look in self._looks:
            cell._style = self._looks[look]
            return
        if number_format == _TEXT:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            cell.quotePrefix = risky
        elif number_format:
            cell.number_format = number_format
        if bold:
            cell.font = Font(bold=True)
        self._looks[look] = cell._style


def _format_of(value: int | Decimal | date | datetime) -> str:
    return next((number_format for kind, number_format in _FORMATS if isinstance(value, kind)), "")


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
            info = zipfile.ZipInfo(entry.filename, _ZIP_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            if entry.filename == "docProps/core.xml":
                target.writestr(info, _MODIFIED.sub(rb"\g<1>" + stamp + rb"\g<2>", source.read(entry)))
                continue
            with source.open(entry) as body, target.open(info, "w") as kept:
                shutil.copyfileobj(body, kept)
    return out.getvalue()
