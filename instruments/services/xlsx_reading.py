"""The one door through which workbooks come in: bounded before anything is unpacked, values only, nothing is computed or fetched."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from openpyxl import load_workbook

from config.kernel.errors import Refusal

_DOCTYPE = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
_CHUNK = 65536
_FORMATTED_ROWS = 10_000
#: What makes a workbook more than a table.
_FORBIDDEN = (
    ("vbaProject", "macros"),
    ("externalLinks/", "links to other files"),
    ("activeX/", "controls"),
    ("embeddings/", "objects"),
)


@dataclass(frozen=True, slots=True)
class XlsxLimits:
    """``max_bytes`` of the file, ``max_unpacked`` of what really comes out of it; ``max_ratio`` of the two for one part."""

    max_bytes: int = 10 * 1024 * 1024
    max_entries: int = 200
    max_unpacked: int = 50 * 1024 * 1024
    max_ratio: int = 100
    max_sheets: int = 10
    max_rows: int = 5000
    max_columns: int = 200
    max_cell_length: int = 10_000


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet. Cells are None, str, bool, int, float, or naive date and time values; rows end with their last filled cell.

    ``formulas`` are the (row, column) of cells that hold one, counted from 0; such a cell is None.
    """

    name: str
    rows: list[tuple[Any, ...]]
    formulas: frozenset[tuple[int, int]] = frozenset()


def read_xlsx(content: bytes, limits: XlsxLimits = XlsxLimits(), *, first_alone: bool = False) -> list[Sheet]:
    """The sheets of a workbook, hidden ones too; with ``first_alone`` nothing but the first is read.

    Raises Refusal ``sheet.not_a_workbook``, ``sheet.too_big``, ``sheet.unpacks_too_big``, ``sheet.forbidden_content``,
    ``sheet.too_many_sheets``, ``sheet.too_many_rows``, ``sheet.too_many_columns``, ``sheet.cell_too_long``, all at ``file``.
    """
    if len(content) > limits.max_bytes:
        raise Refusal.of("sheet.too_big", "file", maximum_mb=limits.max_bytes // 1024**2)
    _guard(content, limits)
    try:
        book = load_workbook(BytesIO(content), read_only=True, data_only=False, keep_links=False)
        if len(book.worksheets) > limits.max_sheets:
            raise Refusal.of("sheet.too_many_sheets", "file", maximum=limits.max_sheets)
        return [_sheet(sheet, limits) for sheet in book.worksheets[: 1 if first_alone else None]]
    except Refusal:
        raise
    except Exception:  # openpyxl meets damaged parts with KeyError, ValueError, TypeError, ParseError and others of its parser
        raise Refusal.of("sheet.not_a_workbook", "file") from None


def _guard(content: bytes, limits: XlsxLimits) -> None:
    """Unpack everything once, counting real bytes, before a parser sees any of it."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as packed:
            entries = packed.infolist()
            if len(entries) > limits.max_entries:
                raise Refusal.of("sheet.unpacks_too_big", "file")
            for entry in entries:
                for part, what in _FORBIDDEN:
                    if part in entry.filename:
                        raise Refusal.of("sheet.forbidden_content", "file", what=what)
            left = limits.max_unpacked
            for entry in entries:
                left = _count(packed, entry, left, limits)
    except Refusal:
        raise
    except Exception:  # a damaged archive ends in BadZipFile, but in zlib.error, EOFError, NotImplementedError, RuntimeError too
        raise Refusal.of("sheet.not_a_workbook", "file") from None


def _count(packed: zipfile.ZipFile, entry: zipfile.ZipInfo, left: int, limits: XlsxLimits) -> int:
    """How many bytes may still come out after this part."""
    unpacked, before = 0, b""
    with packed.open(entry) as part:
        while chunk := part.read(_CHUNK):
            unpacked += len(chunk)
            too_dense = unpacked > limits.max_ratio * max(entry.compress_size, 1) and unpacked > 1024 * 1024
            if unpacked > left or too_dense:
                raise Refusal.of("sheet.unpacks_too_big", "file")
            is_text = entry.filename.endswith((".xml", ".rels", ".vml"))
            if is_text and (b"\0" in chunk or _DOCTYPE.search(before[-16:] + chunk)):  # NULs: UTF-16 would hide the word
                raise Refusal.of("sheet.forbidden_content", "file", what="DOCTYPE")
            before = chunk
    return left - unpacked


def _sheet(sheet: Any, limits: XlsxLimits) -> Sheet:
    sheet.reset_dimensions()  # what the file says about its size is not believed
    rows: list[tuple[Any, ...]] = []
    formulas: set[tuple[int, int]] = set()
    left = limits.max_rows * limits.max_columns
    for number, cells in enumerate(sheet.iter_rows()):
        left -= max(1, len(cells))
        if left < 0:  # cells and rows that hold nothing cost time too
            raise Refusal.of("sheet.too_many_columns", "file", maximum=limits.max_columns)
        if number >= limits.max_rows + _FORMATTED_ROWS:  # a row number can be anything, and every row before it is counted out
            raise Refusal.of("sheet.too_many_rows", "file", maximum=limits.max_rows)
        row = _row(number, cells, formulas, limits)
        if row and number >= limits.max_rows:
            raise Refusal.of("sheet.too_many_rows", "file", maximum=limits.max_rows)
        if number < limits.max_rows:
            rows.append(tuple(row))
    while rows and not rows[-1]:
        rows.pop()
    return Sheet(sheet.title, rows, frozenset(formulas))


def _row(number: int, cells: Any, formulas: set[tuple[int, int]], limits: XlsxLimits) -> list[Any]:
    """The values of a row up to the last cell that holds anything; places of formulas are added to ``formulas``."""
    row: list[Any] = []
    filled = 0
    for place, cell in enumerate(cells):
        value = cell.value
        if cell.data_type == "f":
            formulas.add((number, place))
            value, filled = None, place + 1
        elif value is not None:
            filled = place + 1
        if isinstance(value, str) and len(value) > limits.max_cell_length:
            raise Refusal.of("sheet.cell_too_long", "file", row=number + 1, maximum=limits.max_cell_length)
        row.append(value)
    if filled > limits.max_columns:
        raise Refusal.of("sheet.too_many_columns", "file", maximum=limits.max_columns)
    return row[:filled]
