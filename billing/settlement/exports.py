"""The frozen content of a document as data: its lines as CSV, all of it as JSON; and as HTML that looks and prints as the PDF. Made when
asked for, always the same bytes."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from billing.ledger.rules.documents import canonical_json
from billing.settlement.xlsx import Sheet, Value
from instruments.rules.names import without_direction
from instruments.rules.standards.tables import harmless

#: How a document may be had beside its stored PDF and XLSX.
DATA_KINDS = ("csv", "json", "html")
_FONT = re.compile(r"@font-face \{[^}]*\}\n?")
#: A file that somebody opens asks for nothing and runs nothing; on a screen it is as wide as the paper, and one
#: that is narrower scrolls.
_HEAD = """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<style>@media screen { body { width: %smm; margin: 8mm auto; padding: 0 8mm } }</style></head>"""
_UPRIGHT_MM, _ACROSS_MM = 180, 267


@dataclass(frozen=True, slots=True)
class DataFile:
    """What is known of a file that is not stored."""

    media_type: str
    file_name: str


def export(
    number: str,
    content: Mapping[str, Any],
    sheet: Callable[[Mapping[str, Any]], Sheet],
    page: Callable[[Mapping[str, Any]], str],
    kind: str,
) -> tuple[DataFile, bytes]:
    """A content as ``csv`` (UTF-8 with a byte order mark: the rows of its table), ``json`` or ``html`` (``page`` makes that of its PDF).

    The JSON is the canonical text of the content: its SHA-256 is the content hash that the paper prints.
    """
    if kind == "json":
        return DataFile("application/json", f"{number}.json"), canonical_json(content).encode()
    if kind == "html":
        return DataFile("text/html; charset=utf-8", f"{number}.html"), html_twin(page(content))
    return DataFile("text/csv", f"{number}.csv"), sheet_csv(sheet(content))


def html_twin(html: str) -> bytes:
    """The HTML of a PDF as a file of its own: it names no font of ours, asks for nothing and runs nothing."""
    width = _ACROSS_MM if "landscape" in html.partition("</head>")[0] else _UPRIGHT_MM
    return _FONT.sub("", without_direction(html)).replace("</head>", _HEAD % width, 1).encode()


def sheet_csv(sheet: Sheet) -> bytes:
    """The head, the rows and the total of a table; texts begin no formula, amounts have two places, times are local."""
    out = io.StringIO()
    writer = csv.writer(out)
    for row in (sheet.head, *sheet.rows, *([sheet.total] if sheet.total else [])):
        writer.writerow([_cell(value) for value in row])
    return out.getvalue().encode("utf-8-sig")


def plain_cell(text: str) -> str:
    """A text in a CSV: it begins no formula and turns the direction of nothing behind it."""
    return harmless(without_direction(text))


def _cell(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return plain_cell(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="minutes")
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
