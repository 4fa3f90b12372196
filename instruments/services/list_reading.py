"""The one door through which lists come in: text files and workbooks alike become a table."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass

from instruments.rules.registry_file import DELIMITERS, Limits, Table, check_bytes, read_table
from instruments.services.registry_encoding import Decoded, decode
from instruments.services.registry_workbook import is_workbook, read_workbook


@dataclass(frozen=True, slots=True)
class ListRead:
    """A list's table, how it was decoded, and what separates its cells (a comma for a workbook)."""

    table: Table
    decoded: Decoded
    delimiter: str


def read_list(
    content: bytes,
    limits: Limits,
    wanted: frozenset[str] = frozenset(),
    *,
    encoding: str = "",
    delimiter: str = "",
    numbered: frozenset[str] = frozenset(),
) -> ListRead:
    """Read a list; ``wanted`` and ``numbered`` (header keys) as in ``read_workbook``. Without ``delimiter`` the likely one counts.

    Raises Refusal ``import.*``.
    """
    if is_workbook(content):
        return ListRead(read_workbook(content, wanted, numbered, limits), Decoded("", "xlsx", "certain"), ",")
    check_bytes(content, limits)
    decoded = decode(content, encoding)
    mark = delimiter or _likely_delimiter(decoded.text, limits)
    return ListRead(read_table(decoded.text, mark, limits), decoded, mark)


def _likely_delimiter(text: str, limits: Limits) -> str:
    """The separator that gives the first line the most columns."""
    first = re.split(r"[\r\n]", text[: limits.field_characters], maxsplit=1)[0]
    counts = {mark: len(next(csv.reader(io.StringIO(first), delimiter=mark), [])) for mark in DELIMITERS}
    return max(counts, key=lambda mark: counts[mark])
