"""Broken and hostile files are refused with the place where it shows, and never half read."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.kernel.errors import Refusal
from instruments.rules.registry_file import Limits, check_bytes, read_table

SMALL = Limits(file_bytes=1000, rows=3, columns=4, field_characters=50)


def codes(text: str, limits: Limits = SMALL, delimiter: str = ",") -> list[str]:
    with pytest.raises(Refusal) as refused:
        read_table(text, delimiter, limits)
    return [reason.code for reason in refused.value.reasons]


def byte_code(content: bytes, limits: Limits = SMALL) -> str:
    with pytest.raises(Refusal) as refused:
        check_bytes(content, limits)
    return refused.value.reasons[0].code


def test_a_plain_table_is_read_with_the_lines_of_its_rows() -> None:
    table = read_table('name,model\nSEM,"two\nlines"\n\n,\nXRD,D8\n', ",", SMALL)
    assert table.headers == ("name", "model")
    assert [(row.line, row.cells["name"], row.cells["model"]) for row in table.rows] == [
        (3, "SEM", "two\nlines"),
        (6, "XRD", "D8"),
    ]


cells = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\0\r\ufeff"), max_size=30)


@given(rows=st.lists(st.tuples(cells, cells), min_size=1, max_size=3))
def test_what_a_spreadsheet_writes_is_read_as_it_was(rows: list[tuple[str, str]]) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([("a", "b"), *rows])
    kept = [row for row in rows if any(cell.strip() for cell in row)]
    if not kept:
        assert codes(out.getvalue()) == ["import.no_rows"]
        return
    table = read_table(out.getvalue(), ",", SMALL)
    assert [tuple(row.cells.values()) for row in table.rows] == kept


def test_an_empty_file_is_refused() -> None:
    assert byte_code(b"") == byte_code(b" \r\n\n") == "import.file_empty"


def test_a_file_that_is_too_big_is_refused_before_it_is_read() -> None:
    assert byte_code(b"a" * 1001) == "import.file_too_big"
    check_bytes(b"a" * 1000, SMALL)


def test_packed_and_binary_files_are_refused() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "0" * 10_000_000)
    limits = Limits()
    assert byte_code(packed.getvalue(), limits) == "import.file_packed"
    assert byte_code(gzip.compress(b"name\nSEM\n"), limits) == "import.file_packed"
    assert byte_code(b"name\nS\0EM\n", limits) == "import.file_binary"
    assert byte_code(bytes(range(256)) * 4, limits) == "import.file_binary"
    check_bytes(b"name\nS\x16EM" + b" microscope" * 10, limits)


def test_a_nul_in_the_decoded_text_is_refused_with_its_place() -> None:
    assert codes("name,model\nS\0EM,x\n") == ["import.file_binary"]
    assert codes("na\0me,model\nSEM,x\n") == ["import.file_binary"]


def test_a_quote_that_is_never_closed_is_refused_with_its_line() -> None:
    with pytest.raises(Refusal) as refused:
        read_table('name,model\nSEM,A\n"XRD,D8\n', ",", SMALL)
    assert (refused.value.reasons[0].code, refused.value.reasons[0].params["line"]) == ("import.broken_quotes", 3)


def test_a_row_that_is_cut_off_is_refused_with_every_other_such_row() -> None:
    with pytest.raises(Refusal) as refused:
        read_table("name,model,value\nSEM,A,1\nXRD,D8\nNMR,A,1,2\n", ",", SMALL)
    assert [(reason.params["line"], reason.params["found"]) for reason in refused.value.reasons] == [(3, 2), (4, 4)]


def test_headers_must_be_there_and_differ() -> None:
    assert codes("name, NAME\nSEM,x\n") == ["import.header_twice"]
    assert codes("name,,\nSEM,x,y\n") == ["import.header_empty", "import.header_empty"]
    assert codes("name,model\n") == ["import.no_rows"]


def test_another_separator_is_named() -> None:
    assert codes("name;model\nSEM;A\n") == ["import.one_column"]
    assert read_table("name;model\nSEM;A\n", ";", SMALL).rows[0].cells["model"] == "A"


def test_rows_columns_and_fields_are_bounded() -> None:
    assert codes("a\n" + "1\n" * 4) == ["import.too_many_rows"]
    assert codes(",".join("abcde") + "\n1,2,3,4,5\n") == ["import.too_many_columns"]
    assert codes("a\n" + "x" * 51 + "\n") == ["import.field_too_long"]
    assert codes(",".join(map(str, range(100_000))) + "\n", Limits()) == ["import.too_many_columns"]


def test_many_rows_of_many_columns_are_refused_whatever_stands_in_them() -> None:
    header = ",".join(f"c{place}" for place in range(500)) + "\n"
    sparse = "x" + "," * 499 + "\n"
    assert codes(header + sparse * 13_000, Limits()) == ["import.too_many_cells"]
    assert len(read_table("a,b\n" + "1,2\n" * 3, ",", replace(SMALL, cells=6)).rows) == 3
    assert codes("a,b\n" + "1,2\n" * 3, replace(SMALL, cells=5)) == ["import.too_many_cells"]


def test_the_limit_of_a_field_is_put_back_for_other_readers() -> None:
    before = csv.field_size_limit()
    read_table("a\nb\n", ",", SMALL)
    assert csv.field_size_limit() == before
