"""An owner's instruments as a workbook to be filled in and handed back: typed cells, lists of words, nothing that computes."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from instruments.rules.sheet_cells import Cell, Kind

#: Hidden columns before the fields: which instrument, as of when, and a mark by which an untouched row is known.
KEYS = ("id", "revision", "mark")
_FIRST_ROW = 3
_WIDTHS = {Kind.LONG_TEXT: 48, Kind.TEXT: 24, Kind.LIST: 28, Kind.CHOICES: 28, Kind.DAY: 13, Kind.MONEY: 16, Kind.FUNDING: 16}


@dataclass(frozen=True, slots=True)
class Column:
    """``words`` are the values to choose from, if there are only so many."""

    field: str
    kind: Kind
    label: str
    words: tuple[str, ...] = ()


def workbook(title: str, columns: Sequence[Column], rows: Sequence[tuple[Mapping[str, str], Sequence[Cell]]]) -> bytes:
    """``rows`` are the hidden keys and the cells of each instrument, in the order of ``columns``."""
    book = Workbook()
    sheet: Worksheet = book.active
    sheet.title = title[:31]
    heads = [*KEYS, *(column.field for column in columns)]
    for place, head in enumerate(heads, start=1):
        _put(sheet, 1, place, head)
    for place, label in enumerate([*(None for _key in KEYS), *(column.label for column in columns)], start=1):
        _put(sheet, 2, place, label)
        sheet.cell(2, place).font = Font(bold=True)
        sheet.cell(2, place).fill = PatternFill("solid", fgColor="E1F0F4")
    for number, (keys, cells) in enumerate(rows, start=_FIRST_ROW):
        for place, value in enumerate([*(keys[key] for key in KEYS), *cells], start=1):
            _put(sheet, number, place, value)
    _shape(sheet, columns, len(rows))
    _validate(book, sheet, columns, len(rows))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def plain_workbook(title: str, headings: Sequence[str], rows: Sequence[Sequence[Cell]]) -> bytes:
    """One sheet with a row of headings; texts stay texts, whatever they begin with."""
    book = Workbook()
    sheet: Worksheet = book.active
    sheet.title = title[:31]
    for number, cells in enumerate([headings, *rows], start=1):
        for place, value in enumerate(cells, start=1):
            _put(sheet, number, place, value)
    for place in range(1, len(headings) + 1):
        sheet.cell(1, place).font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(place)].width = 20
    sheet.freeze_panes = "B2"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _put(sheet: Worksheet, row: int, column: int, value: Any) -> None:
    cell = sheet.cell(row, column)
    if isinstance(value, str):
        cell.value = ILLEGAL_CHARACTERS_RE.sub("", value)
        cell.data_type = "s"  # a text that begins with = stays a text
    elif value is not None:
        cell.value = value
        cell.number_format = "yyyy-mm-dd" if isinstance(value, date) else "#,##0.00" if isinstance(value, Decimal) else "General"


def _shape(sheet: Worksheet, columns: Sequence[Column], count: int) -> None:
    sheet.row_dimensions[1].hidden = True
    sheet.freeze_panes = sheet.cell(_FIRST_ROW, len(KEYS) + 2)
    for place in range(1, len(KEYS) + 1):
        sheet.column_dimensions[get_column_letter(place)].hidden = True
    for place, column in enumerate(columns, start=len(KEYS) + 1):
        sheet.column_dimensions[get_column_letter(place)].width = _WIDTHS.get(column.kind, 20)
        if column.kind in (Kind.LONG_TEXT, Kind.LIST):
            for row in range(_FIRST_ROW, _FIRST_ROW + count):
                sheet.cell(row, place).alignment = Alignment(wrap_text=True, vertical="top")


def _validate(book: Workbook, sheet: Worksheet, columns: Sequence[Column], count: int) -> None:
    """Lists of words in the cells; the words themselves stand on a hidden sheet, because a list in place may have 255 characters."""
    lists = book.create_sheet("lists")
    lists.sheet_state = "hidden"
    for place, column in enumerate(columns, start=len(KEYS) + 1):
        if not column.words or not count:
            continue
        for row, word in enumerate(column.words, start=1):
            _put(lists, row, place, word)
        letter = get_column_letter(place)
        listed = DataValidation("list", formula1=f"lists!${letter}$1:${letter}${len(column.words)}", allow_blank=True)
        listed.showErrorMessage = column.kind is not Kind.CHOICES  # several of them may stand in one cell
        sheet.add_data_validation(listed)
        listed.add(f"{letter}{_FIRST_ROW}:{letter}{_FIRST_ROW + count - 1}")
