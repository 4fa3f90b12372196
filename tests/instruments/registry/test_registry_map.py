"""A map says what a column means; what it cannot mean is refused with its place."""

from __future__ import annotations

from typing import Any

import pytest

from config.kernel.errors import Refusal
from instruments.rules.registry_file import Row
from instruments.rules.registry_map import RowValues, builtin_map, fitted, parse_map, read_row


def read(fields: dict[str, Any], cells: dict[str, str], **others: Any) -> RowValues:
    return read_row(parse_map({"fields": {"name": "Name", **fields}, **others}), Row(2, {"Name": "SEM", **cells}))


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ([], "import.map_shape"),
        ({"fields": {}}, "import.map_needs"),
        ({"fields": {"name": "a", "colour": "b"}}, "import.map_unknown_key"),
        ({"fields": {"name": {"column": "a", "constant": "b"}}}, "import.map_source"),
        ({"fields": {"name": {"join": []}}}, "import.map_source"),
        ({"fields": {"name": {"column": "a", "cut": "x"}}}, "import.map_source"),
        ({"fields": {"name": {"column": "a", "typo": 1}}}, "import.map_unknown_key"),
        ({"fields": {"name": "a"}, "delimiter": "--"}, "import.map_choice"),
        ({"fields": {"name": "a"}, "time_zone": "Mars/Olympus"}, "import.time_zone_unknown"),
        ({"fields": {"name": "a", "organisation.identifier": "b"}}, "import.map_needs"),
        ({"fields": {"name": "a"}, "identity": 5}, "import.map_source"),
        ({"fields": {"name": "a"}, "ignored": [5]}, "import.map_source"),
        ({"fields": {"name": "a"}, "encoding": "idna"}, "import.encoding_unknown"),
        ({"fields": {"name": "a"}, "encoding": "\ud800"}, "import.encoding_unknown"),
        (
            {"fields": {"name": "a"}, "hours_per_day": {"column": "b", "windows": {"1": "08:00-09:00"}, "weekdays": [1.5]}},
            "import.map_hours",
        ),
    ],
)
def test_a_map_that_cannot_be_meant_is_refused(document: Any, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_map(document)
    assert refused.value.reasons[0].code == code


def test_both_built_in_maps_are_valid() -> None:
    assert {"name", "site.name"} <= set(builtin_map("uniquip").fields) & set(builtin_map("csv").fields)


def test_every_missing_column_is_named() -> None:
    plan = parse_map({"fields": {"name": "Name", "model": "Model", "technique": {"join": ["Name", "Method"]}}})
    with pytest.raises(Refusal) as refused:
        fitted(plan, ["NAME "])
    assert [(reason.field, reason.params["columns"]) for reason in refused.value.reasons] == [
        ("model", ["model"]),
        ("technique", ["method"]),
    ]
    with pytest.raises(Refusal):
        fitted(builtin_map("uniquip"), ["Location"])
    read = set(fitted(builtin_map("uniquip"), ["Description", "ID"]).fields)
    assert read == {"name", "description", "inner_id", "own_number"}


def test_values_are_joined_cut_split_and_translated() -> None:
    row = read(
        {
            "technique": {"join": ["A", "B", "C"], "separator": " / "},
            "site.name": {"column": "Org", "after": " "},
            "organisation.name": {"column": "Org", "before": " "},
            "status": {"column": "State", "values": {"broken": "under_repair"}, "other": "normal"},
            "model": {"column": "Long", "cut": 3},
            "manufacturer": {"constant": "Demo"},
            "contact_name": {"first_of": ["A", "B"], "default": "nobody"},
        },
        {"A": "", "B": "b", "C": "c", "Org": "Kunlun  Institute  of X", "State": " Broken", "Long": "abcdef"},
    )
    assert row.reasons == ()
    assert row.fields == {
        "name": "SEM",
        "technique": "b / c",
        "status": "under_repair",
        "model": "abc",
        "manufacturer": "Demo",
        "contact_name": "b",
    }
    assert (row.organisation_name, row.site_name) == ("Kunlun", "Institute of X")
    assert [(note.code, note.field) for note in row.notes] == [("import.cut", "model")]


@pytest.mark.parametrize(
    ("field", "source", "cell", "code"),
    [
        ("original_value_fen", "X", "-1", "instrument.value_negative"),
        ("original_value_fen", "X", "12,5 EUR", "instrument.value_not_a_number"),
        ("original_value_fen", {"column": "X", "unit": "10k_yuan"}, "9" * 20, "instrument.value_too_big"),
        ("commissioned_on", "X", "2023-02-30", "instrument.date_not_understood"),
        ("commissioned_on", "X", "0001-01-01", "instrument.date_out_of_range"),
        ("contact_email", "X", "not an address", "instrument.email_invalid"),
        ("status", {"column": "X", "values": {"ok": "normal"}}, "?", "import.value_unknown"),
        ("service_modes", "X", "assisted, telepathy", "instrument.service_mode_unknown"),
        ("class_code", "X", "1", "instrument.class_code_invalid"),
        ("site.region_code", "X", "Xining", "instrument.region_code_invalid"),
        ("name_en", "X", "a" * 301, "name.too_long"),
        ("name", "X", "N" * 1000, "name.too_long"),
        ("name", "X", "", "name.empty"),
    ],
)
def test_a_cell_that_cannot_be_meant_is_refused_at_its_field(field: str, source: Any, cell: str, code: str) -> None:
    row = read({field: source}, {"X": cell})
    assert [(reason.field, reason.code) for reason in row.reasons] == [(field, code)]


@pytest.mark.parametrize(
    ("unit", "text", "fen"),
    [
        ("yuan", "1,234.50", 123450),
        ("10k_yuan", "56.78", 56780000),
        ("fen", "7", 7),
        ("yuan", "\uff11\uff12", 1200),
        ("yuan", "", None),
    ],
)
def test_an_amount_is_read_in_its_unit(unit: str, text: str, fen: int | None) -> None:
    assert read({"original_value_fen": {"column": "X", "unit": unit}}, {"X": text}).fields["original_value_fen"] == fen


@pytest.mark.parametrize(
    "name",
    ["=cmd()|' /C calc'!A0", "\u626b\u63cf\u7535\u955c \U0001f52c", "\u0f56\u0f7c\u0f51\u0f0b\u0f61\u0f72\u0f42", "+1 @SUM(A1)"],
)
def test_a_name_is_kept_as_text_whatever_it_looks_like(name: str) -> None:
    assert read({"name": "X"}, {"X": name}).fields["name"] == name


def test_characters_that_nobody_sees_are_taken_out_and_told() -> None:
    row = read({}, {"Name": "S\u200bE\x16M\u202e"})
    assert row.fields["name"] == "SEM"
    assert row.notes[0].params["code_points"] == ["U+0016", "U+200B", "U+202E"]


def test_text_that_was_encoded_twice_is_set_right_and_told() -> None:
    twice = "\u30ad\u30fc\u30ef\u30fc\u30c9".encode().decode("latin-1")
    row = read({}, {"Name": twice})
    assert row.fields["name"] == "\u30ad\u30fc\u30ef\u30fc\u30c9"
    assert [note.code for note in row.notes] == ["import.mended_double_encoding"]


def test_the_identity_of_a_row_does_not_depend_on_the_order_of_columns_or_on_others() -> None:
    plan = parse_map({"fields": {"name": "Name", "model": "Model"}})
    one = read_row(plan, Row(2, {"Name": "SEM", "Model": "A", "Crawled": "1"}))
    two = read_row(plan, Row(9, {"Model": "A ", "Crawled": "2", "Name": "SEM"}))
    other = read_row(plan, Row(9, {"Name": "SEM", "Model": "B"}))
    assert one.identity == two.identity != other.identity
