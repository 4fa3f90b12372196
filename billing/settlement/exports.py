"""The frozen content of a document as data: its lines as CSV, all of it as JSON. Made when asked for, always the same bytes."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from billing.ledger.rules.documents import canonical_json
from billing.settlement.xlsx import Sheet, Value
from instruments.rules.standards.tables import harmless

#: How a document may be had beside its stored PDF and XLSX.
DATA_KINDS = ("csv", "json")


@dataclass(frozen=True, slots=True)
class DataFile:
    """What is known of a file that is not stored."""

    media_type: str
    file_name: str


def export(
    number: str, content: Mapping[str, Any], sheet: Callable[[Mapping[str, Any]], Sheet], kind: str
) -> tuple[DataFile, bytes]:
    """A content as ``csv`` (UTF-8 with a byte order mark: the rows of its table) or ``json``.

    The JSON is the canonical text of the content: its SHA-256 is the content hash that the paper prints.
    """
    if kind == "json":
        return DataFile("application/json", f"{number}.json"), canonical_json(content).encode()
    return DataFile("text/csv", f"{number}.csv"), sheet_csv(sheet(content))


def sheet_csv(sheet: Sheet) -> bytes:
    """The head, the rows and the total of a table; texts begin no formula, amounts have two places, times are local."""
    out = io.StringIO()
    writer = csv.writer(out)
    for row in (sheet.head, *sheet.rows, *([sheet.total] if sheet.total else [])):
        writer.writerow([_cell(value) for value in row])
    return out.getvalue().encode("utf-8-sig")


def _cell(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="minutes")
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
