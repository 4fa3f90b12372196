"""Tables that are handed in: what is no table is a refusal at the file, never a crash."""

from __future__ import annotations

import pytest

from billing.ledger.rules.table import Column, day, read_table
from config.kernel.errors import Refusal

COLUMNS = (Column("on", ("on",), day), Column("name", ("name",), str))


def code_of(content: bytes) -> str:
    with pytest.raises(Refusal) as refused:
        read_table(content, COLUMNS)
    [reason] = refused.value.reasons
    assert reason.field == "file"
    return reason.code


def test_a_good_table_is_read_with_any_line_ends() -> None:
    for end in (b"\n", b"\r\n", b"\r"):
        rows = read_table(b"on,name" + end + b"2026-01-31,a" + end + end + b"2026-02-01,b" + end, COLUMNS)
        assert [(number, row["name"]) for number, row in rows] == [(2, "a"), (4, "b")], (
            "blank rows count as a spreadsheet counts them"
        )


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b'on,name\n2026-01-31,"' + b"a" * 131_073 + b'"\n', "table.broken"),
        (b"on,name\n2026-01-31,a\x00b\n", "table.unreadable"),
        (b"on,name\n99999999999-1-1,a\n", "table.cell_invalid"),
    ],
)
def test_what_cannot_be_read_is_refused_at_the_file(content: bytes, code: str) -> None:
    assert code_of(content) == code
