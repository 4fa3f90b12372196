"""Workbooks at the door: values come in, bombs, macros and entities stay out, quickly."""

from __future__ import annotations

import io
import time
import zipfile
from datetime import datetime

import pytest
from openpyxl import Workbook

from config.kernel.errors import Refusal
from instruments.services.xlsx_reading import XlsxLimits, read_xlsx


def book(*rows, title="Sheet"):
    made = Workbook()
    made.active.title = title
    for row in rows:
        made.active.append(row)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def with_part(content, name, body, compression=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", compression) as new:
        for entry in old.infolist():
            if entry.filename != name:
                new.writestr(entry.filename, old.read(entry.filename))
        new.writestr(name, body)
    return out.getvalue()


def test_values_come_in_with_their_types_and_rows_end_with_what_is_filled():
    content = book(["a", 1, None, 2.5, True, datetime(2026, 11, 23)], [], ["b", None])
    (sheet,) = read_xlsx(content)
    assert sheet.rows == [("a", 1, None, 2.5, True, datetime(2026, 11, 23)), (), ("b",)]


def test_a_formula_is_named_and_not_computed():
    (sheet,) = read_xlsx(book(["x", "=1+1"], ["=cmd|' /C calc'!A0"]))
    assert sheet.rows == [("x", None), (None,)]
    assert sheet.formulas == {(0, 1), (1, 0)}


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x03\x04", b"not a workbook", b"\x00" * 1000, b"%PDF-1.4", book(["x"])[:-40], book(["x"])[:200]],
    ids=["empty", "cut-zip", "text", "nuls", "pdf", "cut-end", "cut-start"],
)
def test_what_is_no_workbook_is_told_so(content):
    with pytest.raises(Refusal, match=r"sheet\.not_a_workbook"):
        read_xlsx(content)


def test_a_zip_without_a_workbook_is_none():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("readme.txt", "hello")
    with pytest.raises(Refusal, match=r"sheet\.not_a_workbook"):
        read_xlsx(out.getvalue())


def test_a_bomb_is_refused_before_it_is_unpacked():
    bomb = with_part(book(["x"]), "xl/media/bomb.bin", b"0" * 60_000_000)
    began = time.perf_counter()
    with pytest.raises(Refusal, match=r"sheet\.unpacks_too_big"):
        read_xlsx(bomb)
    assert time.perf_counter() - began < 5


def test_too_many_parts_are_refused():
    content = book(["x"])
    for number in range(210):
        if number % 70 == 0:
            parts = {f"xl/media/{number + each}.bin": b"x" for each in range(70)}
            out = io.BytesIO(content)
            with zipfile.ZipFile(out, "a") as packed:
                for name, body in parts.items():
                    packed.writestr(name, body)
            content = out.getvalue()
    with pytest.raises(Refusal, match=r"sheet\.unpacks_too_big"):
        read_xlsx(content)


@pytest.mark.parametrize(
    ("name", "body", "what"),
    [
        ("xl/vbaProject.bin", b"macro", "macros"),
        ("xl/externalLinks/externalLink1.xml", b"<x/>", "links to other files"),
        ("xl/embeddings/oleObject1.bin", b"x", "objects"),
        ("xl/sharedStrings.xml", b'<!DOCTYPE x [<!ENTITY a "b">]><sst>&a;</sst>', "DOCTYPE"),
        ("xl/sharedStrings.xml", '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x><sst/>'.encode("utf-16"), "DOCTYPE"),
    ],
)
def test_what_makes_a_workbook_more_than_a_table_is_refused(name, body, what):
    with pytest.raises(Refusal) as refused:
        read_xlsx(with_part(book(["x"]), name, body))
    assert [(reason.code, reason.params["what"]) for reason in refused.value.reasons] == [("sheet.forbidden_content", what)]


def test_a_sheet_that_claims_a_million_columns_is_not_believed():
    claimed = with_part(
        book(["x"]),
        "xl/worksheets/sheet1.xml",
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><dimension ref="A1:XFD1048576"/>'
        b'<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>x</t></is></c></row></sheetData></worksheet>',
    )
    began = time.perf_counter()
    assert read_xlsx(claimed)[0].rows == [("x",)]
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize(
    ("cell", "code"),
    [("XFD1", "too_many_columns"), ("GS1", "too_many_columns"), ("A1048576", "too_many_rows"), ("A5001", "too_many_rows")],
)
def test_a_cell_far_away_is_refused_and_not_left_out(cell, code):
    row = int("".join(filter(str.isdigit, cell)))
    far = with_part(
        book(["x"]),
        "xl/worksheets/sheet1.xml",
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        b'<row r="%d"><c r="%s" t="inlineStr"><is><t>x</t></is></c></row></sheetData></worksheet>' % (row, cell.encode()),
    )
    began = time.perf_counter()
    with pytest.raises(Refusal, match=rf"sheet\.{code}"):
        read_xlsx(far)
    assert time.perf_counter() - began < 10


def test_many_empty_cells_far_out_are_refused_before_they_take_long():
    body = b"".join(b'<row r="%d"><c r="XFD%d"/></row>' % (row, row) for row in range(1, 2000))
    wide = with_part(
        book(["x"]),
        "xl/worksheets/sheet1.xml",
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        + body
        + b"</sheetData></worksheet>",
    )
    began = time.perf_counter()
    with pytest.raises(Refusal, match=r"sheet\.too_many_columns"):
        read_xlsx(wide)
    assert time.perf_counter() - began < 10


def test_rows_columns_sheets_and_cells_have_their_limits():
    with pytest.raises(Refusal, match=r"sheet\.too_many_rows"):
        read_xlsx(book(*(["x"] for _ in range(6))), XlsxLimits(max_rows=5))
    with pytest.raises(Refusal, match=r"sheet\.too_many_columns"):
        read_xlsx(book(["x"] * 6), XlsxLimits(max_columns=5))
    with pytest.raises(Refusal, match=r"sheet\.cell_too_long"):
        read_xlsx(book(["x" * 11]), XlsxLimits(max_cell_length=10))
    with pytest.raises(Refusal, match=r"sheet\.too_big"):
        read_xlsx(b"x" * 101, XlsxLimits(max_bytes=100))
    many = Workbook()
    for number in range(3):
        many.create_sheet(str(number))
    out = io.BytesIO()
    many.save(out)
    with pytest.raises(Refusal, match=r"sheet\.too_many_sheets"):
        read_xlsx(out.getvalue(), XlsxLimits(max_sheets=3))


def test_a_row_that_says_it_is_the_billionth_is_not_counted_up_to():
    sheet = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        b'<row r="9999999999"><c r="A1"><v>1</v></c></row></sheetData></worksheet>'
    )
    began = time.perf_counter()
    with pytest.raises(Refusal, match=r"sheet\.too_many_(rows|columns)"):
        read_xlsx(with_part(book(["x"]), "xl/worksheets/sheet1.xml", sheet))
    assert time.perf_counter() - began < 10
