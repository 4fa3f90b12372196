"""Cells of exchange files: kept as they are written, and made harmless where a spreadsheet opens them."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from instruments.rules.registry_values import clean_text


def as_written(value: str, length: int, field: str) -> str:
    """A cell in NFC without blanks around it, otherwise unchanged, so that it comes out as it went in.

    Raises Refusal ``name.*`` for what hides in a text and for one that is too long.
    """
    text = value.strip()
    if text.isascii() and text.isprintable() and len(text) <= length:
        return text  # most cells: nothing in them could hide
    text = unicodedata.normalize("NFC", text)
    clean_text(text, length, field, lines=True)
    return text


def csv_text(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A CSV file (RFC 4180) for machines: UTF-8 without a mark, cells exactly as they are."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(headers)
    writer.writerows(rows)
    return out.getvalue()


def table_csv(names: Sequence[str], records: Sequence[tuple[Mapping[str, str], Mapping[str, str]]]) -> str:
    """Records of (fields by standard name, further columns) as CSV: the standard's columns, then every other one that occurs."""
    others = list(dict.fromkeys(header for _fields, extra in records for header in extra if header not in names))
    rows = (
        [*(fields.get(name, "") for name in names), *(extra.get(header, "") for header in others)] for fields, extra in records
    )
    return csv_text([*names, *others], rows)
