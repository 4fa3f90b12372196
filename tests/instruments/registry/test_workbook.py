"""Workbooks: read as people see them, refused when hostile, within bounded time and memory."""

from __future__ import annotations

import resource
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from config.kernel.errors import Refusal
from instruments.rules.registry_file import Limits, Table, check_bytes, read_table
from instruments.rules.registry_map import builtin_map, fitted, read_row
from instruments.services.registry_encoding import decode
from instruments.services.registry_workbook import read_workbook

SECONDS, MEGABYTES = 20, 400


def book(*rows: Any, **sheets: Any) -> bytes:
    made = Workbook()
    for row in rows:
        made.active.append(list(row))
    for title, lines in sheets.items():
        more = made.create_sheet(title)
        for line in lines:
            more.append(list(line))
    return saved(made)


def saved(made: Workbook) -> bytes:
    out = BytesIO()
    made.save(out)
    return out.getvalue()


def read(content: bytes, wanted: frozenset[str] = frozenset(), limits: Limits | None = None) -> Table:
    return read_workbook(content, wanted, frozenset(), limits or Limits())


def code_of(work: Callable[[], Any]) -> str:
    with pytest.raises(Refusal) as refused:
        work()
    return refused.value.reasons[0].code


def bounded(work: Callable[[], Any]) -> Any:
    """Run it within the bounds of time and memory (of the whole process) that a hostile file may take."""
    before, started = _peak_megabytes(), perf_counter()
    try:
        return work()
    finally:
        seconds, more = perf_counter() - started, _peak_megabytes() - before
        print(f"{seconds:.2f} s, {more} MB more")
        assert seconds < SECONDS
        assert more < MEGABYTES


def _peak_megabytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def test_cells_read_as_a_person_would_type_them() -> None:
    row = ("A1", 7, 12.5, 3.0, 1e-7, True, date(2019, 5, 7), datetime(2019, 5, 7, 8, 30), None, " x ")
    content = book([f"c{place}" for place in range(10)], row, [], ["B"])
    table = read(content)
    assert list(table.rows[0].cells.values()) == [
        "A1", "7", "12.5", "3", "0.0000001", "true", "2019-05-07", "2019-05-07 08:30:00", "", "x",
    ]  # fmt: skip
    assert [record.line for record in table.rows] == [2, 4]
    assert table.rows[1].cells["c9"] == ""


def test_the_sheet_and_the_row_with_the_headers_that_are_wanted_are_found() -> None:
    content = book(
        ["Notes"], ["nothing here"],
        Second=[["A big title"], [None], ["Name (as it is called)", "Serial"], ["SEM", "1"]],
    )  # fmt: skip
    table = read(content, frozenset({"name", "serial"}))
    assert table.headers == ("Name", "Serial")
    assert [(record.line, record.cells["Name"]) for record in table.rows] == [(4, "SEM")]


def test_of_sheets_that_fit_equally_the_one_with_the_most_headers_counts_and_a_name_in_brackets_is_not_told_twice() -> None:
    content = book(["Name", "Start"], ["a", "b"], More=[["Name", "Start", "Start (old)"], ["c", "d", "e"]])
    assert read(content).headers == read(content, frozenset({"name", "start"})).headers == ("Name", "Start", "Start (old)")


def test_the_uniquip_template_is_read_by_its_headers(shared_data: Path) -> None:
    content = (shared_data / "standards" / "UniquipTemplate.xlsx").read_bytes()
    made = load_workbook(BytesIO(content))
    sheet = made.worksheets[0]
    head = {str(cell.value).strip(): cell.column for row in sheet.iter_rows(max_row=5) for cell in row if cell.value}
    place = sheet.max_row + 1
    sheet.cell(place, head["Name"]).value = "Mass spectrometer"
    sheet.cell(place, head["ID"]).value = "E-1"
    plan = builtin_map("uniquip")
    table = read(saved(made), plan.columns)
    found = [read_row(fitted(plan, table.headers), record).fields for record in table.rows]
    assert ("Mass spectrometer", "E-1") in {(row["name"], row["inner_id"]) for row in found if "name" in row}


def repacked(content: bytes, **members: bytes) -> bytes:
    """The workbook with members added or replaced."""
    out = BytesIO()
    names = {name.replace("__", "/").replace("_xml", ".xml").replace("_bin", ".bin"): data for name, data in members.items()}
    with zipfile.ZipFile(BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in names:
                new.writestr(name, old.read(name))
        for name, data in names.items():
            new.writestr(name, data)
    return out.getvalue()


PLAIN = book(["name", "model"], ["SEM", "S4800"])


def test_formulas_and_errors_are_refused_with_the_cell() -> None:
    assert code_of(lambda: read(book(["name", "worth"], ["SEM", "=1+1"]))) == "import.workbook_formula"
    with pytest.raises(Refusal) as refused:
        read(book(["name", "worth"], ["SEM", "#REF!"], ["XRD", "=A2"]))
    assert [(reason.code, reason.params["cell"]) for reason in refused.value.reasons] == [
        ("import.workbook_error_cell", "B2"),
        ("import.workbook_formula", "B3"),
    ]


def test_macros_are_refused_and_links_to_other_files_are_not_followed() -> None:
    assert code_of(lambda: read(repacked(PLAIN, xl__vbaProject_bin=b"\0" * 10))) == "import.workbook_macros"
    link = b'<?xml version="1.0"?><externalLink xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"/>'
    table = read(repacked(PLAIN, xl__externalLinks__externalLink1_xml=link))
    assert table.rows[0].cells == {"name": "SEM", "model": "S4800"}


def test_entities_are_refused_before_anything_is_parsed() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><worksheet>&b;</worksheet>'
    assert code_of(lambda: read(repacked(PLAIN, xl__worksheets__sheet1_xml=bomb))) == "import.workbook_entities"


def test_a_zip_bomb_is_refused_while_it_unpacks() -> None:
    huge = BytesIO(repacked(PLAIN))
    with zipfile.ZipFile(huge, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/worksheets/sheet2.xml", "w") as member:
        for _megabyte in range(500):
            member.write(b" " * 1024**2)
    assert len(huge.getvalue()) < 1_000_000
    assert bounded(lambda: code_of(lambda: read(huge.getvalue()))) == "import.workbook_bomb"


def test_many_members_and_a_zip_in_a_zip_are_refused_or_left_alone() -> None:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(3000):
            archive.writestr(f"xl/{number}.xml", b"")
    assert code_of(lambda: read(out.getvalue())) == "import.workbook_bomb"
    nested = BytesIO()
    with zipfile.ZipFile(nested, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.zip", PLAIN)
    assert code_of(lambda: read(nested.getvalue())) == "import.workbook_broken"
    assert read(repacked(PLAIN, xl__embeddings__inner_bin=nested.getvalue())).rows  # never opened


@pytest.mark.parametrize(
    "content", [b"PK\x03\x04", b"PK" + b"\0" * 500, PLAIN[: len(PLAIN) // 2], repacked(PLAIN, xl__workbook_xml=b"<x>")]
)
def test_a_damaged_workbook_is_refused_in_words(content: bytes) -> None:
    assert code_of(lambda: read(content)) == "import.workbook_broken"


def test_a_sheet_that_is_far_too_wide_long_or_full_of_holes_is_bounded() -> None:
    assert bounded(lambda: code_of(lambda: read(book([f"c{place}" for place in range(600)], ["x"])))) == "import.too_many_columns"
    head = (
        b'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        b'<row r="1"><c r="A1" t="inlineStr"><is><t>name</t></is></c></row>'
        b'<row r="2"><c r="A2" t="inlineStr"><is><t>SEM</t></is></c></row>'
    )
    for far, code in (("B90000", "import.row_length"), ("XFD90000", "import.too_many_columns"), ("A99999999999", "")):
        row = far.lstrip("ABXFD")
        cell = f'<row r="{row}"><c r="{far}" t="inlineStr"><is><t>x</t></is></c></row></sheetData></worksheet>'.encode()
        holes = repacked(PLAIN, xl__worksheets__sheet1_xml=head + cell)
        if code:
            assert bounded(lambda content=holes: code_of(lambda: read(content))) == code
        else:
            assert len(bounded(lambda content=holes: read(content)).rows) == 1
    assert code_of(lambda: read(book(["name"], *[["x"]] * 30), limits=Limits(rows=20))) == "import.too_many_rows"
    assert code_of(lambda: read(book(["name"], ["x" * 30_000]))) == "import.field_too_long"


# --- Text files -------------------------------------------------------------------------------------------------------
def as_text(content: bytes) -> Table:
    check_bytes(content, Limits())
    return read_table(decode(content).text, ",", Limits())


def test_a_million_columns_are_refused_in_bounded_time_and_memory() -> None:
    million = b",".join(b"c" for _ in range(1_000_000)) + b"\n1\n"
    assert bounded(lambda: code_of(lambda: as_text(million))) == "import.too_many_columns"
    below_a_good_header = b"name\n" + b"," * 40_000_000 + b"\n"
    assert bounded(lambda: code_of(lambda: as_text(below_a_good_header))) == "import.too_many_columns"


def test_gbk_with_zero_bytes_is_refused_with_the_place() -> None:
    content = "name\n\u626b\u63cf\u7535\u955c\n".encode("gbk") + b"\0\0\n"
    with pytest.raises(Refusal) as refused:
        bounded(lambda: as_text(content))
    assert refused.value.reasons[0].code == "import.file_binary"
    assert refused.value.reasons[0].params == {"position": 14}


def test_a_big_file_in_no_encoding_is_judged_without_keeping_every_guess() -> None:
    content = b"name\n" + "\u626b\u63cf\u7535\u955c,\u80fd\u8c31\n".replace(",", " ").encode("gb18030") * 50_000
    assert len(bounded(lambda: decode(content)).text) > 300_000


def test_rows_that_lie_far_apart_are_not_counted_up_to() -> None:
    far = "".join(
        f'<row r="{number}"><c r="A{number}" t="inlineStr"><is><t>x</t></is></c></row>' for number in range(90_000, 10**6, 90_000)
    )
    head = '<row r="1"><c r="A1" t="inlineStr"><is><t>name</t></is></c></row>'
    sheet = f'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{head}{far}</sheetData></worksheet>'
    made = repacked(book(["name"]), **{"xl/worksheets/sheet1.xml": sheet.encode()})
    assert bounded(lambda: code_of(lambda: read(made))) == "import.too_many_rows"
