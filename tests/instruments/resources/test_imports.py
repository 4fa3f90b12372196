"""Imports of resources: every row's fate, all or nothing, only what the file speaks of, and the guards against bad files."""

from __future__ import annotations

from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from openpyxl import Workbook

from billing.pricing import sample_prices
from billing.pricing.models import TestItemPrice
from billing.pricing.rules.samples import UNITS
from config.kernel.access import Actor
from config.kernel.errors import Forbidden, Refusal
from config.kernel.models import AuditEntry
from instruments.models import CatalogueEntry, Resource, TestItem
from instruments.queries import resources as queries
from instruments.rules import test_item_rows
from instruments.rules.registry_file import Limits
from instruments.rules.resource_rows import row_hash
from instruments.rules.test_item_cells import (
    analytes_as_first_read,
    analytes_cell,
    analytes_fingerprint,
    qualifications_cell,
    read_analytes,
    read_qualifications,
)
from instruments.services import resource_exports, resources
from instruments.services.germplasm_import import import_germplasm
from instruments.services.resource_import import ResourceImportRequest
from instruments.services.test_item_import import import_test_items
from tests.instruments.resources.conftest import OPERATOR, taken_in

pytestmark = pytest.mark.django_db
HEAD = "test_item,condition,unit_price,test_code\n"


def test_a_price_changes_only_where_it_differs_and_the_row_says_what_it_was(owner: Any, now: Any) -> None:
    first = taken_in(import_test_items, HEAD + "XRD,powder,120.00,A\nSEM,,400,B\n", owner, now)
    assert first.counts["created"] == 2
    later = now + timedelta(days=30)
    second = taken_in(import_test_items, HEAD + "XRD,powder,150.00,A\nSEM,,400.00,B\n", owner, later)
    assert [(row.fate, [(r.field, r.params["was"]) for r in row.reasons]) for row in second.rows] == [
        ("updated", [("price", "120.00")]),
        ("unchanged", []),
    ]
    assert TestItemPrice.objects.count() == 3
    xrd = Resource.objects.get(inner_id="A")
    found = sample_prices.in_force([xrd.pk], later.date())[xrd.pk].price
    assert found is not None and found.amount_fen == 15_000
    assert CatalogueEntry.objects.get(resource=xrd).price_from_fen == 15_000
    third = taken_in(import_test_items, HEAD + "XRD,powder,0,A\nSEM,,400,B\n", owner, later, confirmed_lines=frozenset({2}))
    assert [row.fate for row in third.rows] == ["updated", "unchanged"]
    assert sample_prices.in_force([xrd.pk], later.date())[xrd.pk].price is None  # on request from now on
    assert CatalogueEntry.objects.get(resource=xrd).price_from_fen is None


def test_a_price_that_changes_by_much_is_written_only_after_a_yes_to_its_line(owner: Any, now: Any) -> None:
    taken_in(import_test_items, HEAD + "XRD,,100,A\nSEM,,100,B\nTEM,,100,C\nEDX,,100,D\nAFM,,,E\nNMR,,100,F\n", owner, now)
    later = now + timedelta(days=1)
    changed = HEAD + "XRD,,200,A\nSEM,,200.01,B\nTEM,,49.99,C\nEDX,,,D\nAFM,,900,E\nNMR,,50,F\n"
    looked = taken_in(import_test_items, changed, owner, later, dry_run=True)
    jumps = {row.line for row in looked.rows if any(note.code == "import.price_jump" for note in row.notes)}
    assert jumps == {3, 4, 5}, "twice and half are not much, a first price neither"
    refused = taken_in(import_test_items, changed, owner, later, confirmed_lines=frozenset({3, 5}))
    assert not refused.written
    assert [(row.line, row.reasons[0].code, row.reasons[0].params["becomes"]) for row in refused.rows] == [
        (4, "import.price_jump_not_confirmed", "49.99")
    ]
    assert TestItemPrice.objects.count() == 5
    assert taken_in(import_test_items, changed, owner, later, confirmed_lines=frozenset(jumps)).written
    assert TestItemPrice.objects.count() == 11


def test_another_unit_is_another_price_and_asked_about(owner: Any, now: Any) -> None:
    head = "test_item,unit_price,price_unit\n"
    taken_in(import_test_items, head + "XRD,100,sample\n", owner, now)
    refused = taken_in(import_test_items, head + "XRD,100,hour\n", owner, now + timedelta(days=1))
    assert [row.reasons[0].params["becomes_unit"] for row in refused.rows] == ["hour"]


def test_a_list_of_an_old_spreadsheet_with_every_unit_of_a_price_is_taken_in(owner: Any, now: Any) -> None:
    """Lines that end with CR alone; and what the platform writes out itself comes back."""
    rows = "".join(f"Test {unit},100,{unit}\r" for unit in UNITS)
    assert taken_in(import_test_items, "test_item,unit_price,price_unit\r" + rows, owner, now).written
    assert sorted(TestItemPrice.objects.values_list("unit", flat=True)) == sorted(UNITS)


def test_zero_prices_blanks_and_repeated_numbers_are_told(owner: Any, now: Any) -> None:
    report = taken_in(import_test_items, HEAD + "XRD,,0,A\nSEM,,,B\nTEM,a,100,C\nTEM,b,100,C\n", owner, now, dry_run=True)
    assert [(row.line, [note.code for note in row.notes]) for row in report.rows] == [
        (2, ["import.price_zero"]),
        (3, ["import.price_on_request"]),
        (4, ["import.number_repeated"]),
        (5, ["import.number_repeated"]),
    ]


def test_one_refused_row_keeps_everything_out_and_each_reason_stands_at_its_line(owner: Any, now: Any) -> None:
    report = taken_in(import_test_items, HEAD + "XRD,,120,A\n,,80,B\nSEM,,a lot,C\nTEM,,-5,D\n", owner, now)
    assert not report.written and not Resource.objects.exists()
    assert [(row.line, {(r.code, r.field) for r in row.reasons}) for row in report.rows] == [
        (3, {("name.empty", "name")}),
        (4, {("instrument.value_not_a_number", "price")}),
        (5, {("instrument.value_negative", "price")}),
    ]


def test_a_dry_run_says_everything_and_writes_nothing(owner: Any, now: Any) -> None:
    report = taken_in(import_test_items, HEAD + "XRD,,120,A\n", owner, now, dry_run=True)
    assert report.counts["created"] == 1 and not report.written and report.rows[0].resource_id is None
    assert not (Resource.objects.exists() or TestItemPrice.objects.exists() or CatalogueEntry.objects.exists())


def test_what_the_file_does_not_speak_of_stays(owner: Any, manager: Actor, now: Any) -> None:
    taken_in(import_test_items, HEAD + "XRD,powder,120,A\n", owner, now)
    xrd = Resource.objects.get()
    resources.update_resource(manager, xrd.pk, {"description": "Ours"}, {"method": "Rietveld", "turnaround_days": 5}, now)
    report = taken_in(import_test_items, HEAD + "XRD,thin film,120,A\n", owner, now)
    assert [(row.fate, [r.field for r in row.reasons]) for row in report.rows] == [("updated", ["condition"])]
    shown = queries.resource_for(OPERATOR, xrd.pk)
    assert (shown.description, shown.test_item.method, shown.test_item.condition) == ("Ours", "Rietveld", "thin film")
    assert AuditEntry.objects.filter(action="resource.import", object_id=str(xrd.pk)).count() == 2


def test_what_was_entered_by_hand_is_known_by_its_number(owner: Any, manager: Actor, now: Any) -> None:
    by_hand = resources.create_resource(manager, owner.pk, "test_item", {"name": "XRD", "inner_id": "A"}, {}, now)
    report = taken_in(import_test_items, HEAD + "XRD,,120,A\n", owner, now)
    assert [(row.fate, row.resource_id) for row in report.rows] == [("updated", by_hand.pk)]
    assert Resource.objects.get().import_key == "no:A"


def test_a_descriptor_without_a_column_stays_and_one_that_is_blank_goes(owner: Any, now: Any) -> None:
    taken_in(import_germplasm, "ACCENUMB,GENUS,CROPNAME,box\n1,Hordeum,Barley,7\n", owner, now)
    report = taken_in(import_germplasm, "ACCENUMB,GENUS,ORIGCTY\n1,Hordeum,CHN\n", owner, now)
    assert report.counts["updated"] == 1
    row = queries.germplasm_of(OPERATOR, owner.pk)[0]
    assert row.germplasm.descriptors == {"ACCENUMB": "1", "GENUS": "Hordeum", "CROPNAME": "Barley", "ORIGCTY": "CHN"}
    assert row.attributes == {"box": "7"}
    taken_in(import_germplasm, "ACCENUMB,GENUS,CROPNAME\n1,Hordeum,\n", owner, now)
    assert "CROPNAME" not in queries.germplasm_of(OPERATOR, owner.pk)[0].germplasm.descriptors


def test_the_same_accession_twice_is_told_with_what_differs(owner: Any, now: Any) -> None:
    report = taken_in(import_germplasm, "ACCENUMB,GENUS,REMARKS\n1,Hordeum,a\n1,Hordeum,b\n1,Hordeum,a\n", owner, now)
    assert [row.fate for row in report.rows] == ["created", "repeated", "repeated"]
    assert [(r.code, r.params["counting_line"], r.params["fields"]) for row in report.rows[1:] for r in row.reasons] == [
        ("import.repeated_differs", 2, ["REMARKS"]),
        ("import.repeated_same", 2, []),
    ]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "import.file_empty"),
        (b"PK\x03\x04zip", "import.workbook_broken"),
        (b"\x1f\x8b\x08" + b"x" * 50, "import.file_packed"),
        (("test_item,unit_price\n中文,1\n".encode("gb18030")) + b"\x00\x00", "import.file_binary"),
        (b"name\nXRD\n", "import.column_missing"),
        (b"test_item,unit_price\n", "import.no_rows"),
        ((",".join(f"c{n}" for n in range(600)) + "\n").encode(), "import.too_many_columns"),
        (b'test_item,unit_price\n"XRD,1\n', "import.broken_quotes"),
        (b"test_item,unit_price\nXRD\n", "import.row_length"),
    ],
)
def test_a_file_that_is_no_price_list_gets_a_clear_answer(owner: Any, now: Any, content: bytes, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        taken_in(import_test_items, content, owner, now)
    assert refused.value.reasons[0].code == code


def test_limits_hold_and_foreign_owners_are_refused(owner: Any, manager: Actor, now: Any) -> None:
    with pytest.raises(Refusal, match="too_many_rows"):
        taken_in(import_germplasm, "ACCENUMB\n1\n2\n3\n", owner, now, limits=Limits(rows=2))
    with pytest.raises(Refusal, match="number_column_missing"):
        taken_in(import_germplasm, "name\nx\n", owner, now)
    with pytest.raises(Forbidden):
        taken_in(import_germplasm, "ACCENUMB\n1\n", owner, now, actor=Actor(name="nobody"))
    with pytest.raises(Refusal, match="constant_unknown"):
        taken_in(import_germplasm, "ACCENUMB\n1\n", owner, now, constants={"genus": "x"})


def test_the_commands_take_files_in_and_tell_each_fate(owner: Any, tmp_path: Path, capsys: Any) -> None:
    prices, report = tmp_path / "prices.csv", tmp_path / "report.csv"
    prices.write_bytes("检测项目,单价,备注\n卤水锂,40,夏季\n-,0,\n".encode("gb18030"))
    call_command("import_test_items", str(prices), owner=owner.pk, report=report, set=["turnaround_days=5"])
    said = capsys.readouterr().out
    assert "created 1" in said and "skipped 1" in said and "Written" in said and "gb18030" in said
    assert "No price" not in report.read_text() and "left out" in report.read_text()
    row = queries.resource_for(OPERATOR, Resource.objects.get().pk)
    assert (row.test_item.turnaround_days, row.attributes) == (5, {"备注": "夏季"})
    seeds = tmp_path / "seeds.csv"
    seeds.write_text("ACCENUMB;GENUS\n1;Hordeum\n")
    call_command("import_germplasm", str(seeds), owner=owner.pk, delimiter="semicolon", dry_run=True)
    assert "Dry run" in capsys.readouterr().out
    with pytest.raises(CommandError, match="NAME=VALUE"):
        call_command("import_germplasm", str(seeds), owner=owner.pk, delimiter="semicolon", set=["GENUS"])


def workbook(*rows: list[Any]) -> bytes:
    made = Workbook()
    for row in rows:
        made.active.append(row)
    out = BytesIO()
    made.save(out)
    return out.getvalue()


def test_a_price_list_comes_as_a_workbook_too_whatever_stands_above_its_header(owner: Any, now: Any) -> None:
    head = HEAD.strip().split(",")
    listed = workbook(["Prices of 2026", "", "in yuan"], head, ["XRD", "powder", 120, "A"], ["ICP", "", "80.50", "B"])
    report = taken_in(import_test_items, listed, owner, now)
    assert (report.counts["created"], report.encoding) == (2, "xlsx")
    assert {(row.resource.name, row.resource.inner_id) for row in TestItem.objects.all()} == {("XRD", "A"), ("ICP", "B")}
    assert sorted(TestItemPrice.objects.values_list("amount_fen", flat=True)) == [8050, 12000]
    assert taken_in(import_test_items, listed, owner, now).counts["unchanged"] == 2


def test_accessions_come_as_a_workbook_too(owner: Any, now: Any) -> None:
    listed = workbook(["ACCENUMB", "GENUS", "ELEVATION"], ["QH-1", "Hordeum", 2295])
    assert taken_in(import_germplasm, listed, owner, now).counts["created"] == 1
    row = queries.germplasm_of(OPERATOR, owner.pk)[0]
    assert row.germplasm.descriptors == {"ACCENUMB": "QH-1", "GENUS": "Hordeum", "ELEVATION": "2295"}


def test_the_separator_of_a_list_is_found(owner: Any, now: Any) -> None:
    report = taken_in(import_test_items, HEAD.replace(",", ";") + "XRD;;120;A\n", owner, now)
    assert report.counts["created"] == 1


@pytest.mark.parametrize(
    ("typed", "days"),
    [
        ("5", 5),
        ("5-7\u4e2a\u5de5\u4f5c\u65e5", 7),
        ("2\u5468", 10),
        ("3 days", 3),
        ("1\u81f32\u5468", 10),
        ("10\u5929", 10),
        ("", None),
    ],
)
def test_a_turnaround_is_read_as_the_lab_means_it(owner: Any, now: Any, typed: str, days: int | None) -> None:
    taken_in(import_test_items, f"{HEAD.strip()},turnaround_days\nXRD,,120,A,{typed}\n", owner, now)
    assert TestItem.objects.get().turnaround_days == days


@pytest.mark.parametrize("typed", ["soon", "1\u4e2a\u6708", "3\u5929\uff08\u52a0\u60251\u5929\uff09", "-5"])
def test_a_turnaround_that_is_not_understood_is_refused_and_not_guessed(owner: Any, now: Any, typed: str) -> None:
    report = taken_in(import_test_items, f"{HEAD.strip()},turnaround_days\nXRD,,120,A,{typed}\n", owner, now)
    assert [reason.field for row in report.rows for reason in row.reasons] == ["turnaround_days"]
    assert not Resource.objects.exists()


def test_what_is_measured_and_qualifications_come_with_a_price_list_and_go_out_with_it(owner: Any, now: Any) -> None:
    head = "test_item,unit_price,test_code,analytes,qualifications\n"
    content = head + 'ICP,100,A,"Li, Mg\n2,4-D; 0.01; mg/L","CMA/CNAS\nCMA; 24-1; 2024-01-01; 2029-12-31"\nXRD,50,B,,/\n'
    assert taken_in(import_test_items, content, owner, now).counts["created"] == 2
    item = TestItem.objects.get(resource__inner_id="A")
    assert item.analytes == [
        {"name": "Li", "limit": "", "unit": ""},
        {"name": "Mg", "limit": "", "unit": ""},
        {"name": "2,4-D", "limit": "0.01", "unit": "mg/L"},
    ]
    kept = list(item.qualifications.order_by("pk").values_list("scheme", "certificate_number", "valid_to"))
    assert kept == [("CMA", "", None), ("CNAS", "", None), ("CMA", "24-1", date(2029, 12, 31))]
    out, _format = resource_exports.export(list(Resource.objects.order_by("pk")), "price-list", now.date(), single=False)
    request = ResourceImportRequest(out, "prices.xlsx", owner.pk)
    assert import_test_items(OPERATOR, request, now).counts["unchanged"] == 2
    changed = taken_in(import_test_items, content.replace("CNAS", "CMAF").replace("0.01", "0.02"), owner, now)
    assert {reason.field for reason in changed.rows[0].reasons} == {"analytes", "qualifications"}
    assert set(item.qualifications.values_list("scheme", flat=True)) == {"CMA", "CMAF"}
    silent = taken_in(import_test_items, "test_item,unit_price,test_code\nICP,100,A\n", owner, now)
    assert silent.counts["unchanged"] == 1  # a list without the columns says nothing about them
    numberless = 'test_item,unit_price,analytes\nGC,80,"PCB 28, PCB 153"\nGC,90,Cd  0.5 mg/kg\n'
    assert taken_in(import_test_items, numberless, owner, now).counts["created"] == 2
    out, _format = resource_exports.export(list(Resource.objects.order_by("pk")), "price-list", now.date(), single=False)
    again = import_test_items(OPERATOR, ResourceImportRequest(out, "prices.xlsx", owner.pk), now)
    assert again.counts["unchanged"] == 4  # our own list brings nothing twice
    refused = taken_in(import_test_items, head + "ICP,100,A,;0.1;mg/L,CMA; ; tomorrow\n", owner, now)
    assert {(one.field, one.code) for one in refused.rows[0].reasons} == {
        ("analytes", "resource.analyte_without_name"), ("qualifications", "instrument.date_not_understood"),
    }  # fmt: skip


def test_a_row_without_a_number_is_known_by_its_own_text_however_it_is_read_and_under_its_former_keys(
    owner: Any, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = 'test_item,unit_price,analytes\nAir,80,"PM 2.5, PM 10"\nAir,90,PM 2.5\nSoil,50,Cd  0.5 mg/kg\nSoil,60,\n'
    assert taken_in(import_test_items, content, owner, now).counts["created"] == 4

    def fates(report: Any) -> tuple[dict[str, int], int]:
        return {fate: count for fate, count in report.counts.items() if count}, report.absent

    rows = list(Resource.objects.order_by("pk"))

    # Read otherwise, they are the same rows: what is read is mended, nothing comes twice.
    with monkeypatch.context() as reading:
        reading.setattr(test_item_rows, "read_analytes", analytes_as_first_read)
        otherwise = taken_in(import_test_items, content, owner, now)
    assert fates(otherwise) == ({"updated": 2, "unchanged": 2}, 0)
    assert TestItem.objects.get(resource=rows[1]).analytes == [{"name": "PM", "limit": "2.5", "unit": ""}]
    assert fates(taken_in(import_test_items, content, owner, now)) == ({"updated": 2, "unchanged": 2}, 0)
    assert TestItem.objects.get(resource=rows[1]).analytes == [{"name": "PM 2.5", "limit": "", "unit": ""}]

    # Both kinds of keys of earlier releases are found: as the cell stood there, and as it was first read.
    before = dict(Resource.objects.values_list("pk", "import_key"))
    measured = ["PM 2.5, PM 10", "PM 2.5", "Cd 0.5 mg/kg", ""]
    names = ["Air", "Air", "Soil", "Soil"]
    for text_of in (lambda cell: cell, lambda cell: analytes_cell(analytes_as_first_read(cell))):
        for row, name, cell in zip(rows, names, measured, strict=True):
            cells = [
                f"name={name}",
                *(f"{field}=" for field in ("condition", "inner_id", "standard", "method", "group", "matrix")),
            ]
            digest = row_hash(cells + ([f"analytes={text_of(cell)}"] if cell else []))
            Resource.objects.filter(pk=row.pk).update(import_key=f"row:{digest}:1")
        kept = dict(Resource.objects.values_list("pk", "import_key"))
        assert len(set(kept.values()) & set(before.values())) == 1  # the one in which nothing is measured
        assert fates(taken_in(import_test_items, content, owner, now)) == ({"unchanged": 4}, 0)
        assert dict(Resource.objects.values_list("pk", "import_key")) == kept
    Resource.objects.filter(pk=rows[0].pk).update(import_key="row:other:1")  # the control: an unknown key is another row
    assert taken_in(import_test_items, content, owner, now).counts["created"] == 1


def test_cells_about_several_things_are_read_as_they_were_written() -> None:
    measured = [{"name": "phenol, total", "limit": "", "unit": ""}, {"name": "C 18", "limit": "", "unit": ""}]
    assert read_analytes(analytes_cell(measured)) == measured
    assert [one["name"] for one in read_analytes("Li,Mg,K,Na\u3001N,N-dimethylformamide")] == [
        "Li", "Mg", "K", "Na", "N,N-dimethylformamide",
    ]  # fmt: skip
    limits = {"PCB 28": ("PCB 28", "", ""), "C 18:1": ("C 18:1", "", ""), "Li 0.01": ("Li", "0.01", ""), "Pb <5": ("Pb", "<5", ""),
              "Cd 5ug/kg": ("Cd", "5", "ug/kg"), "Ash 1 %": ("Ash", "1", "%")}  # fmt: skip
    numbered = {"PM 2.5": ("PM 2.5", "", ""), "PM 2.5 ug/m3": ("PM 2.5", "", "ug/m3"), "PM 2.5 0.5 ug/m3": ("PM 2.5", "0.5", "ug/m3"),
                "Air, PM 10 ug/m3": ("Air", "", ""), "PM10": ("PM10", "", ""), "PM10 1 ug/m3": ("PM10", "1", "ug/m3"),
                "Co-60": ("Co-60", "", ""), "U-235 0.1 Bq/L": ("U-235", "0.1", "Bq/L"), "Cs 137 Bq/kg": ("Cs 137", "", "Bq/kg"),
                "Cs 0.5 Bq/kg": ("Cs", "0.5", "Bq/kg"), "Pb 210 ug/kg": ("Pb", "210", "ug/kg"), "pH 7": ("pH 7", "", ""),
                "pH 7.0": ("pH 7.0", "", ""), "pH 0.01": ("pH", "0.01", ""), "PA 6.6": ("PA 6.6", "", ""),
                "PA 0.5 mg/kg": ("PA", "0.5", "mg/kg"), "UV 254 nm": ("UV 254 nm", "", ""), "C18": ("C18", "", ""),
                "\u7ec6\u9897\u7c92\u7269 PM 2.5": ("\u7ec6\u9897\u7c92\u7269 PM 2.5", "", "")}  # fmt: skip
    for cell, parts in (limits | numbered).items():
        found = read_analytes(cell)
        assert tuple(found[0].values()) == parts, cell
        assert read_analytes(analytes_cell(found)) == found, cell
        assert analytes_fingerprint(analytes_cell(found)) == analytes_fingerprint(cell), cell
    for one, other in (("N, O", "NO"), ("C,N", "CN"), ("1,2-DCB", "12-DCB"), ("Li, Mg", "LiMg")):
        assert analytes_fingerprint(one) != analytes_fingerprint(other)
    qualified = [{"scheme": "A/B", "certificate_number": "", "valid_from": None, "valid_to": date(2030, 1, 1)}]
    assert read_qualifications(qualifications_cell(qualified), "q") == qualified
