"""A table of instruments on its way out and back: identical when untouched, every difference seen, all or nothing."""

from __future__ import annotations

import io
from datetime import date, timedelta

import pytest
from django.utils.translation import override
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from instruments.models import Instrument, InstrumentChange, InstrumentSheet, Organisation
from instruments.rules.registry_values import clean_fields
from instruments.services import instrument_details, instrument_edits, registry, sheet_plan, sheets
from instruments.services.instrument_edits import Edit
from instruments.services.registry import InstrumentFields
from instruments.services.xlsx_reading import XlsxLimits

pytestmark = pytest.mark.django_db

FULL = {
    "name": "=cmd|' /C calc'!A0",
    "name_en": "+1 Diffractometer",
    "inner_id": "0012",
    "class_code": "010301",
    "functions": "Phases\nof salts",
    "keywords": ["salt; lithium", "盐湖"],
    "service_modes": ["self_operated", "remote"],
    "status": "occasionally_faulty",
    "original_value_fen": 123_456_789_01,
    "commissioned_on": date(2020, 2, 29),
    "imported": True,
    "customs_supervised": False,
    "training_needed": True,
    "affiliation": "state_key_lab",
    "nation_code": "DE",
    "service_url": "https://lab.example.org/xrd",
}


@pytest.fixture
def furnace(cast, wang, now):
    registry.update_instrument(wang, cast.xrd.pk, FULL, now)
    return registry.create_instrument(wang, cast.site.pk, InstrumentFields("Furnace"), now)


class Table:
    """A downloaded table in the hands of somebody who fills it in."""

    def __init__(self, content):
        self.book = load_workbook(io.BytesIO(content))
        self.sheet = self.book.worksheets[0]

    def place(self, name):
        return next(cell.column for cell in self.sheet[1] if cell.value == name)

    def row(self, instrument):
        return next(row for row in range(3, self.sheet.max_row + 1) if self.sheet.cell(row, 1).value == str(instrument.pk))

    def cell(self, instrument, name):
        return self.sheet.cell(self.row(instrument), self.place(name))

    def content(self):
        out = io.BytesIO()
        self.book.save(out)
        return out.getvalue()


@pytest.fixture
def table(cast, wang, furnace):
    return Table(sheets.download(wang, cast.lab.pk, sheets.COLUMNS))


@pytest.fixture
def planned(cast, wang, now):
    """``planned(table)``: the sheet that was handed in and what it would change."""

    def hand_in(table):
        sheet = sheets.hand_in(wang, cast.lab.pk, table.content(), now)
        return sheet, sheets.plan(wang, sheet)

    return hand_in


def said(plan):
    return [(one.row, one.column, one.reason.code) for one in plan.problems]


@pytest.mark.parametrize(("out_language", "in_language"), [("en", "zh-hans"), ("zh-hans", "en")])
def test_an_untouched_table_changes_nothing_in_whatever_language(cast, wang, furnace, now, out_language, in_language):
    with override(out_language):
        content = sheets.download(wang, cast.lab.pk, sheets.COLUMNS)
    with override(in_language):
        sheet = sheets.hand_in(wang, cast.lab.pk, content, now)
        plan = sheets.plan(wang, sheet)
        assert (plan.rows, plan.problems, plan.untouched) == ([], [], 2)
        with pytest.raises(Refusal, match=r"sheet\.nothing_to_do"):
            sheets.apply(wang, sheet.pk, now)


def test_every_cell_written_again_is_read_as_what_is_stored(cast, wang, furnace, table, planned):
    """Without the mark every row is compared cell by cell: the round trip itself loses nothing."""
    for instrument in (cast.xrd, furnace):
        table.sheet.cell(table.row(instrument), table.place("mark")).value = "touched"
    _sheet, plan = planned(table)
    assert (plan.rows, plan.problems, plan.untouched) == ([], [], 2)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    functions=st.text(max_size=60),
    model=st.text(max_size=40),
    fen=st.one_of(st.none(), st.integers(0, 10**13)),
    words=st.lists(st.text(min_size=1, max_size=10), max_size=4),
)
def test_hostile_and_odd_texts_make_the_round_trip(cast, wang, now, functions, model, fen, words):
    given_values = {"functions": functions, "model": model, "original_value_fen": fen, "keywords": words}
    clean = {name: value for name, value in given_values.items() if not clean_fields({name: value}).reasons}
    clean = clean_fields(clean).values
    Instrument.objects.filter(pk=cast.xrd.pk).update(**clean)
    stored = Instrument.objects.get(pk=cast.xrd.pk)
    table = Table(sheets.download(wang, cast.lab.pk, sheets.COLUMNS))
    table.sheet.cell(table.row(cast.xrd), table.place("mark")).value = "touched"
    plan = sheets.plan(wang, sheets.hand_in(wang, cast.lab.pk, table.content(), now))
    assert plan.problems == []
    assert [change.field for row in plan.rows for change in row.changes] == []
    assert stored.functions == Instrument.objects.get(pk=cast.xrd.pk).functions


def test_texts_are_texts_and_no_cell_computes(cast, table):
    for row in table.sheet.iter_rows(min_row=1):
        assert all(cell.data_type != "f" for cell in row)
    assert table.cell(cast.xrd, "name").value == FULL["name"]
    assert table.cell(cast.xrd, "commissioned_on").value.date() == FULL["commissioned_on"]
    assert float(table.cell(cast.xrd, "original_value_fen").value) == 123_456_789.01
    assert table.sheet.row_dimensions[1].hidden
    assert all(table.sheet.column_dimensions[letter].hidden for letter in "ABC")


def test_every_difference_is_shown_and_all_of_it_saved(cast, wang, furnace, table, planned, now):
    table.cell(cast.xrd, "functions").value = "Phases of salts and minerals"
    table.cell(cast.xrd, "original_value_fen").value = 99.5
    table.cell(furnace, "service_modes").value = "Send samples; remote"
    table.cell(furnace, "imported").value = "no"
    sheet, plan = planned(table)
    changed = {row.subject.pk: {change.field: change.after for change in row.changes} for row in plan.rows}
    assert changed == {
        cast.xrd.pk: {"functions": "Phases of salts and minerals", "original_value_fen": 9950},
        furnace.pk: {"service_modes": ["commissioned", "remote"], "imported": False},
    }
    later = now + timedelta(minutes=5)
    sheets.apply(wang, sheet.pk, later)
    assert Instrument.objects.get(pk=cast.xrd.pk).original_value_fen == 9950
    assert Instrument.objects.get(pk=furnace.pk).imported is False
    with pytest.raises(Conflict, match=r"sheet\.applied_already"):
        sheets.apply(wang, sheet.pk, later)


def test_one_bad_cell_is_named_by_row_and_column_and_stops_everything(cast, wang, furnace, table, planned, now):
    table.cell(cast.xrd, "functions").value = "Good"
    table.cell(furnace, "status").value = "exploded"
    table.cell(furnace, "original_value_fen").value = "=1+1"
    sheet, plan = planned(table)
    row = table.row(furnace)
    letters = {name: table.cell(furnace, name).column_letter for name in ("status", "original_value_fen")}
    assert sorted(said(plan)) == sorted(
        [(row, letters["status"], "sheet.word_unknown"), (row, letters["original_value_fen"], "sheet.formula")]
    )
    assert not plan.may_apply
    with pytest.raises(Conflict, match=r"sheet\.not_applied"):
        sheets.apply(wang, sheet.pk, now)
    assert Instrument.objects.get(pk=cast.xrd.pk).functions == FULL["functions"]
    assert InstrumentSheet.objects.get().applied_at is None


def test_a_text_that_does_not_fit_is_refused_at_its_cell(cast, table, planned):
    table.cell(cast.xrd, "functions").value = "x" * 901
    table.cell(cast.xrd, "name").value = None
    _sheet, plan = planned(table)
    assert {code for _row, _column, code in said(plan)} == {"name.too_long", "name.empty"}


def test_a_row_that_changed_since_the_download_is_refused_and_an_untouched_one_is_not(cast, wang, furnace, table, planned, now):
    later = now + timedelta(minutes=1)
    registry.update_instrument(wang, cast.xrd.pk, {"functions": "Somebody else"}, later)
    registry.update_instrument(wang, furnace.pk, {"functions": "Somebody else"}, later)
    table.cell(cast.xrd, "keywords").value = "mine"
    _sheet, plan = planned(table)
    assert said(plan) == [(table.row(cast.xrd), "", "sheet.changed_meanwhile")]
    assert plan.untouched == 1


def test_a_change_between_looking_and_saving_saves_nothing(cast, wang, furnace, table, planned, now):
    table.cell(cast.xrd, "functions").value = "Mine"
    table.cell(furnace, "functions").value = "Mine"
    sheet, plan = planned(table)
    assert plan.may_apply
    instrument_edits.save(wang, furnace.pk, Edit({"model": "M2"}), now + timedelta(minutes=1))
    with pytest.raises(Conflict, match=r"sheet\.not_applied"):
        sheets.apply(wang, sheet.pk, now + timedelta(minutes=2))
    assert Instrument.objects.get(pk=cast.xrd.pk).functions == FULL["functions"]


def test_rows_without_an_instrument_twice_or_of_others_are_refused(cast, wang, furnace, table, planned):
    sheet = table.sheet
    copy = [cell.value for cell in sheet[table.row(furnace)]]
    sheet.append(copy)
    sheet.append([None, None, None, "A new one"])
    sheet.append(["999999", "x", "x", "Foreign"])
    _sheet, plan = planned(table)
    assert [code for _row, _column, code in said(plan)] == ["sheet.row_twice", "sheet.new_row", "sheet.instrument_unknown"]


def test_parts_hold_all_rows_once_up_to_the_limit_and_beyond():
    most = sheet_plan.PART_ROWS
    for count, wanted in (
        (0, [(1, 1, 0)]), (1, [(1, 1, 1)]), (most, [(1, 1, most)]), (most + 1, [(1, 1, most), (2, most + 1, most + 1)]),
    ):  # fmt: skip
        assert [(one.number, one.first, one.last) for one in sheet_plan.parts_of(count)] == wanted
    assert sheet_plan.LIMITS.max_rows >= most + 2, "what goes out comes in"


def test_a_part_of_the_instruments_comes_back(cast, wang, furnace, planned, monkeypatch):
    monkeypatch.setattr(sheet_plan, "PART_ROWS", 1)
    assert [one.number for one in sheets.parts(wang, cast.lab.pk)] == [1, 2]
    names = []
    for number in (1, 2):
        table = Table(sheets.download(wang, cast.lab.pk, ["functions"], number))
        names.append(table.sheet.cell(3, table.place("name")).value)
        _sheet, plan = planned(table)
        assert (plan.rows, plan.problems, plan.untouched) == ([], [], 1)
    assert sorted(names) == sorted(Instrument.objects.values_list("name", flat=True))
    with pytest.raises(NotFound):
        sheets.download(wang, cast.lab.pk, [], 3)


def test_the_hidden_list_of_words_may_be_longer_than_a_table(table):
    lists = table.book["lists"]
    for row in range(1, 12):
        lists.cell(row, 1).value = "word"
    found = sheet_plan.read_table(table.content(), sheets.COLUMNS, XlsxLimits(max_rows=5))
    assert len(found.rows) == 2
    for _row in range(4):
        table.sheet.append(["1"])
    with pytest.raises(Refusal, match=r"sheet\.too_many_rows"):
        sheet_plan.read_table(table.content(), sheets.COLUMNS, XlsxLimits(max_rows=5))


def test_a_cell_may_hold_what_a_spreadsheet_can(table):
    table.sheet.cell(3, table.place("functions")).value = "x" * 32_767
    assert len(sheet_plan.read_table(table.content(), sheets.COLUMNS).rows) == 2


def test_columns_may_move_or_go_and_strange_ones_are_named(cast, wang, furnace, table, now):
    table.sheet.move_range(f"D1:D{table.sheet.max_row}", cols=50)
    assert sheets.plan(wang, sheets.hand_in(wang, cast.lab.pk, table.content(), now)).problems == []
    table.sheet.cell(1, 4).value = "secret_field"
    with pytest.raises(Refusal, match=r"sheet\.column_unknown"):
        sheets.hand_in(wang, cast.lab.pk, table.content(), now)
    table.sheet.cell(1, 4).value = "functions"
    with pytest.raises(Refusal, match=r"sheet\.column_twice"):
        sheets.hand_in(wang, cast.lab.pk, table.content(), now)
    table.sheet.delete_rows(1)
    with pytest.raises(Refusal, match=r"sheet\.key_row_missing"):
        sheets.hand_in(wang, cast.lab.pk, table.content(), now)


def test_where_the_operator_looks_first_the_table_becomes_changes_that_are_handed_in(cast, wang, furnace, table, planned, now):
    Organisation.objects.filter(pk=cast.lab.pk).update(reviews_needed=True)
    Instrument.objects.filter(pk=furnace.pk).update(published=True)
    table.cell(cast.xrd, "functions").value = "Mine"
    table.cell(furnace, "status").value = "retired"
    sheet, plan = planned(table)
    assert plan.review
    sheets.apply(wang, sheet.pk, now + timedelta(minutes=1))
    change = InstrumentChange.objects.get()
    assert (change.state, change.values) == ("submitted", {"functions": "Mine"})
    assert Instrument.objects.get(pk=cast.xrd.pk).functions == FULL["functions"]
    assert Instrument.objects.get(pk=furnace.pk).status == "retired"


def test_tables_are_for_who_keeps_the_instruments(cast, wang, table, planned, now):
    sheet, _plan = planned(table)
    for person in ("lin", "li", "he", "wu"):
        actor = cast.actor(person)
        with pytest.raises(Forbidden):
            sheets.download(actor, cast.lab.pk, [])
        with pytest.raises(Forbidden):
            sheets.hand_in(actor, cast.lab.pk, table.content(), now)
        with pytest.raises(NotFound):
            sheets.apply(actor, sheet.pk, now)


def test_funding_and_customs_are_columns_too_and_apply_at_once(furnace, wang, cast, now, planned):
    instrument_details.set_customs(wang, furnace.pk, {"item_number": "03", "may_share": True}, now)
    instrument_details.set_fundings(wang, furnace.pk, [("central", 100_00), ("own", None)], now)
    content = sheets.download(wang, cast.lab.pk, ["funding_central", "funding_own", "customs_item_number", "customs_may_share"])
    assert sheets.plan(wang, sheets.hand_in(wang, cast.lab.pk, content, now)).rows == []
    table = Table(content)
    row = table.row(furnace)
    assert [table.sheet.cell(row, table.place(name)).value for name in ("funding_central", "funding_own")] == [100, "-"]
    for name, value in {
        "funding_central": "250.50",
        "funding_own": None,
        "customs_may_share": "no",
        "customs_item_number": "x",
    }.items():
        table.sheet.cell(row, table.place(name)).value = value
    _sheet, refused = planned(table)
    assert [(one.field, one.reason.code) for one in refused.problems] == [
        ("customs_item_number", "instrument.customs_code_invalid")
    ]
    table.sheet.cell(row, table.place("customs_item_number")).value = "04"
    sheet, plan = planned(table)
    changed = {one.field: (one.before, one.after) for one in plan.rows[0].changes}
    assert changed["funding_own"] == ("known", None)
    assert changed["funding_central"] == (100_00, 250_50)
    sheets.apply(wang, sheet.pk, now)
    assert (furnace.customs.item_number, furnace.customs.may_share) == ("04", False)
    assert dict(furnace.fundings.values_list("source", "amount_fen")) == {"central": 250_50}
