"""An import's report as a file: JSON with everything, or CSV with one line per row."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict
from typing import Any

from config.kernel.errors import Reason
from config.kernel.messages import reason_sentence
from instruments.rules.standards.tables import harmless
from instruments.services.registry_import import ImportReport, RowFate

_CSV_COLUMNS = ("line", "fate", "owner", "inner_id", "name", "instrument_id", "resource_id", "field", "code", "message")


def as_json(report: ImportReport) -> str:
    """The whole report; rows carry field, code, parameters and sentence of each reason and note."""
    document = asdict(report) | {"counts": report.counts, "rows": [_row(row) for row in report.rows]}
    return json.dumps(document, ensure_ascii=False, indent=1)


def as_csv(report: ImportReport) -> str:
    """One line per row and reason, with a byte order mark for spreadsheets; a cell never starts a formula."""
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out)
    writer.writerow(_CSV_COLUMNS)
    for row in report.rows:
        head = [row.line, row.fate, row.owner, row.inner_id, row.name, row.instrument_id or "", row.resource_id or ""]
        told = [[reason.field, reason.code, reason_sentence(reason)] for reason in (*row.reasons, *row.notes)]
        for tail in told or [["", "", ""]]:
            writer.writerow([harmless(cell) if isinstance(cell, str) else cell for cell in [*head, *tail]])
    return out.getvalue()


def _row(row: RowFate) -> dict[str, Any]:
    return {
        "line": row.line,
        "fate": row.fate,
        "owner": row.owner,
        "inner_id": row.inner_id,
        "name": row.name,
        "instrument_id": row.instrument_id,
        "resource_id": row.resource_id,
        "reasons": [_reason(reason) for reason in row.reasons],
        "notes": [_reason(reason) for reason in row.notes],
    }


def _reason(reason: Reason) -> dict[str, Any]:
    return {"field": reason.field, "code": reason.code, "params": reason.params, "message": reason_sentence(reason)}
