"""The national record and its sheet: out, and in again without losing anything."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from config.kernel.access import Actor, Grant, Role
from config.kernel.errors import Forbidden
from config.kernel.models import AuditEntry
from instruments.models import CustomsRecord, Instrument, InstrumentFunding, Organisation
from instruments.queries.national import managed_instruments, national_facts, national_workbook
from instruments.rules.details_values import CUSTOMS_FIELDS
from instruments.rules.registry_details import merged_fundings, ten_thousand_yuan
from instruments.rules.registry_file import Row
from instruments.rules.registry_map import builtin_map, read_row
from instruments.rules.registry_values import INSTRUMENT_FIELDS, clean_fields, field_defaults
from instruments.rules.standards import national
from instruments.rules.standards.national import NationalFacts
from instruments.services.registry_import import ImportReport, ImportRequest, import_registry
from tests.agreeing import check_out_agreed
from tests.instruments.registry.conftest import OPERATOR, make_owner
from tests.instruments.standards.conftest import CUSTOMS, EVERYTHING, FUNDINGS

ONLY_SHEET = "\u5927\u578b\u79d1\u7814\u4eea\u5668"


def take_sheet(content: bytes, owner: int, now: datetime, **options: Any) -> ImportReport:
    return import_registry(OPERATOR, ImportRequest(content, "sheet.xlsx", builtin_map("national"), owner, **options), now)


def test_the_headings_are_those_of_the_national_sheet_word_for_word(shared_data: Path) -> None:
    template = json.loads((shared_data / "standards" / "nrii-excel-template-headers.json").read_text())
    _groups, heads = template[f"equipment:{ONLY_SHEET}"]
    assert list(national.sheet_head()[1]) == heads
    assert national.sheet_title() == ONLY_SHEET


def test_the_words_are_those_of_the_national_lists(shared_data: Path) -> None:
    enums = json.loads((shared_data / "standards" / "nrii-enums.json").read_text())
    data = json.loads(national._FILE.read_text())["values"]
    pairs = {
        "instrBelongsType": "affiliate_type", "instrSource": "eq_source", "type": "type_status", "status": "status",
        "shareMode": "share_status", "funds": "funds",
    }  # fmt: skip
    for ours, theirs in pairs.items():
        assert {word for word in data[ours].values() if word} <= set(enums[f"nrii_equipment.{theirs}"].values())


@pytest.mark.django_db
def test_the_record_has_the_national_keys_units_and_words(known: Instrument, cast: Any) -> None:
    cast.lab.identifiers.create(scheme="uscc", value="12630000000000123E")
    (facts,) = national_facts(managed_instruments(cast.actor("wang"), cast.lab.pk), cast.now)
    record = national.national_record(facts)
    assert list(record)[:3] == ["insCode", "innerId", "cname"]
    assert record["insCode"] == "12630000000000123E"
    assert record["worth"] == Decimal("12345.68")
    assert record["instrCategory"] == "010300"
    assert record["beginDate"] == "2019-05-07"
    assert record["serviceUrl"] == f"http://127.0.0.1:8000/instruments/{known.pk}/"
    assert "\u00a5300.00" in str(record["fee"])
    assert (record["longitude"], record["latitude"]) == (Decimal("101.778000"), Decimal("36.617000"))
    assert record["county"] == "\u57ce\u897f\u533a"
    assert record["runMachine"] is None


@pytest.mark.django_db
def test_a_session_counts_as_machine_hours_of_its_year(known: Instrument, cast: Any, slot: Any) -> None:
    from billing.settlement.services.instrument_use import InstrumentUse
    from booking.services import reservations, transitions
    from booking.services.reservations import ReservationRequest

    during = slot(10, 12.5)
    request = ReservationRequest(known.pk, cast.firm.pk, during, "self_operated", "p", "q")
    Instrument.objects.filter(pk=known.pk).update(status="normal")
    pk = reservations.reserve(cast.actor("lin"), request, cast.now, idempotency_key="k").reservation_id
    transitions.approve(cast.actor("wang"), pk, cast.now)
    transitions.check_in(cast.actor("wang"), pk, during.starts_at)
    check_out_agreed(cast.actor("wang"), pk, during.ends_at, "")
    facts = InstrumentUse().facts_of([known.pk], date(2026, 11, 23), 2026)[known.pk]
    assert (facts.run_hours, facts.service_hours) == (Decimal("2.5"), Decimal("2.5"))
    assert facts.service_income_fen == 100_000
    assert InstrumentUse().facts_of([known.pk], date(2026, 11, 23), 2025)[known.pk].run_hours is None


def everything(organisation: Organisation) -> list[dict[str, Any]]:
    """Every instrument of an owner with its details, in values that can be compared across owners."""
    found = []
    for one in Instrument.objects.filter(organisation=organisation).order_by("inner_id", "name"):
        values = {name: getattr(one, name) for name in INSTRUMENT_FIELDS}
        values["site"] = (one.site.name, one.site.region_code, one.site.address)
        customs = CustomsRecord.objects.filter(instrument=one).values(*CUSTOMS_FIELDS).first()
        fundings = dict(InstrumentFunding.objects.filter(instrument=one).values_list("source", "amount_fen"))
        found.append(values | {"customs": customs, "fundings": fundings})
    return found


@pytest.mark.django_db
def test_an_exported_sheet_taken_in_again_changes_nothing(known: Instrument, cast: Any) -> None:
    Instrument.objects.create(
        organisation=cast.lab, site=cast.site, calendar_id=known.calendar_id, name="Without a number", created_at=cast.now,
        updated_at=cast.now, class_code="99", published=False,
    )  # fmt: skip
    content = national_workbook(cast.actor("wang"), cast.lab.pk, cast.now)
    before, trail = everything(cast.lab), AuditEntry.objects.count()
    assert before[1]["customs"] == CUSTOMS
    assert before[1]["fundings"] == FUNDINGS
    first = take_sheet(content, cast.lab.pk, cast.now)
    assert first.counts == {"created": 0, "updated": 0, "unchanged": 2, "repeated": 0, "refused": 0}
    assert everything(cast.lab) == before
    again = take_sheet(content, cast.lab.pk, cast.now)
    assert again.counts["unchanged"] == 2
    assert AuditEntry.objects.count() == trail + 1  # the key of the one with a number, the first time
    assert national_workbook_rows(national_workbook(cast.actor("wang"), cast.lab.pk, cast.now)) == national_workbook_rows(content)


def national_workbook_rows(content: bytes) -> list[list[Any]]:
    return [list(row) for sheet in load_workbook(BytesIO(content)) for row in sheet.iter_rows(values_only=True)]


@pytest.mark.django_db
def test_an_exported_sheet_makes_the_same_records_where_there_are_none(known: Instrument, cast: Any, now: datetime) -> None:
    content = national_workbook(cast.actor("wang"), cast.lab.pk, cast.now)
    elsewhere = make_owner("Another Institute", now)
    report = take_sheet(content, elsewhere.pk, now)
    assert report.counts["created"] == 1
    assert report.columns_not_read == ()
    assert everything(elsewhere) == everything(cast.lab)
    assert take_sheet(content, elsewhere.pk, now).counts["unchanged"] == 1


@pytest.mark.django_db
def test_what_is_changed_in_a_cell_counts_and_the_exact_value_behind_it_no_more(known: Instrument, cast: Any) -> None:
    content = national_workbook(cast.actor("wang"), cast.lab.pk, cast.now)
    book = load_workbook(BytesIO(content))
    sheet = book[ONLY_SHEET]
    places = {cell.value: cell.column for cell in sheet[2]}
    heads = dict(zip([column["key"] for column in national._data()["columns"]], national.sheet_head()[1], strict=True))
    for key, value in (
        ("worth", 200), ("instrCategory", "010301"), ("fee", "Ask us"), ("funds", "\u5176\u4ed6"), ("street", "3 New Road"),
        ("itemNumber", ""), ("nation", "Japan"),
    ):  # fmt: skip
        cell = sheet.cell(3, places[heads[key]])
        cell.value = value
    out = BytesIO()
    book.save(out)
    report = take_sheet(out.getvalue(), cast.lab.pk, cast.now)
    changed = {reason.field: (reason.params["was"], reason.params["becomes"]) for reason in report.rows[0].reasons}
    assert changed["original_value_fen"] == ("12345678901", "200000000")
    assert changed["class_code"] == ("0103", "010301")
    assert changed["fee_note"] == ("", "Ask us")
    assert changed["fundings"] == ("central 10000000001, district, loan 700, own", "loan 700"), (
        "a loan is what the list calls other"
    )
    assert changed["nation_code"] == ("DE", "JP")
    assert changed["customs.item_number"] == ("03", "")
    assert set(changed) == {
        "original_value_fen", "class_code", "fee_note", "fundings", "nation_code", "customs.item_number", "site_id"
    }  # fmt: skip
    stored = Instrument.objects.select_related("site").get(pk=known.pk)
    assert stored.site.address == "3 New Road"
    assert stored.site.region_code == "630104"
    assert CustomsRecord.objects.get(instrument=known).hs_code == CUSTOMS["hs_code"]


@pytest.mark.django_db
def test_without_our_second_sheet_amounts_keep_their_fen(known: Instrument, cast: Any) -> None:
    book = load_workbook(BytesIO(national_workbook(cast.actor("wang"), cast.lab.pk, cast.now)))
    del book["jishi"]
    out = BytesIO()
    book.save(out)
    report = take_sheet(out.getvalue(), cast.lab.pk, cast.now)
    changed = {reason.field for reason in report.rows[0].reasons}
    assert changed == {"fee_note", "service_url", "site_id"}  # what the sheet says for them is all that is known
    stored = Instrument.objects.get(pk=known.pk)
    assert (stored.original_value_fen, stored.class_code) == (EVERYTHING["original_value_fen"], EVERYTHING["class_code"])
    assert dict(InstrumentFunding.objects.filter(instrument=known).values_list("source", "amount_fen")) == FUNDINGS


@pytest.mark.django_db
def test_the_national_list_counts_a_district_as_local_and_a_loan_as_other(known: Instrument, cast: Any) -> None:
    (facts,) = national_facts(managed_instruments(cast.actor("wang"), cast.lab.pk), cast.now)
    words = str(national.national_record(facts)["funds"]).split("\uff0c")
    assert words == ["中央财政资金", "地方财政资金", "单位自有资金", "其他资金"]


@pytest.mark.django_db
def test_a_list_says_what_older_tables_ask_for_in_chinese_or_by_our_names(cast: Any) -> None:
    heads = "inner_id,name,\u56fa\u5b9a\u8d44\u4ea7\u7f16\u7801,\u8ba4\u8bc1\u60c5\u51b5,\u77e5\u540d\u7528\u6237,funds,fundings.loan_fen"
    row = "A1,SEM,GD-7,\u5df2\u8ba4\u8bc1,Salt works,\u533a\u53bf\u8d22\u653f\u8d44\u91d1;\u8d37\u6b3e,700"
    for text, fate in ((f"{heads}\n{row}\n", "created"), (f"{heads}\n{row}\n", "unchanged")):
        asked = ImportRequest(text.encode(), "list.csv", builtin_map("csv"), cast.lab.pk)
        assert [one.fate for one in import_registry(OPERATOR, asked, cast.now).rows] == [fate]
    made = Instrument.objects.get(inner_id="A1")
    assert (made.fixed_asset_code, made.certification, made.known_users) == ("GD-7", "certified", "Salt works")
    assert dict(made.fundings.values_list("source", "amount_fen")) == {"district": None, "loan": 700}


@pytest.mark.parametrize(
    ("stored", "given", "becomes"),
    [
        ({"district": 5}, {"local": None}, {"district": 5}),
        ({"local": 3, "district": 5}, {"local": None}, {"local": 3, "district": 5}),
        ({"district": 5}, {"local": 7}, {"local": 7}),
        ({"loan": 5}, {"other": None, "own": 1}, {"loan": 5, "own": 1}),
        ({"other": 2}, {"other": None}, {"other": 2}),
        ({"loan": 5}, {"own": None}, {"own": None}),
        ({"district": 5}, {"local": None, "district": 6}, {"district": 6}),
        ({}, {"local": None}, {"local": None}),
    ],
)
def test_a_source_that_says_more_exactly_what_a_list_says_stays(stored: Any, given: Any, becomes: Any) -> None:
    assert merged_fundings(stored, given) == becomes


@pytest.mark.django_db
def test_a_division_country_or_subject_that_does_not_exist_is_refused_in_words(known: Instrument, cast: Any) -> None:
    book = load_workbook(BytesIO(national_workbook(cast.actor("wang"), cast.lab.pk, cast.now)))
    heads = dict(zip([column["key"] for column in national._data()["columns"]], range(1, 41), strict=True))
    for key in ("county", "nation", "subject"):
        book[ONLY_SHEET].cell(3, heads[key]).value = "Atlantis"
    out = BytesIO()
    book.save(out)
    report = take_sheet(out.getvalue(), cast.lab.pk, cast.now)
    assert not report.written
    assert sorted((reason.field, reason.code) for reason in report.rows[0].reasons) == [
        ("nation_code", "import.name_unknown"),
        ("site.region_code", "codes.division_unknown"),
        ("subject_codes", "import.name_unknown"),
    ]


@pytest.mark.django_db
def test_only_who_manages_the_owner_gets_its_sheet(cast: Any) -> None:
    for who in ("lin", "li", "wu"):
        with pytest.raises(Forbidden):
            national_workbook(cast.actor(who), cast.lab.pk, cast.now)
    assert national_workbook(Actor(name="o", grants=(Grant(0, Role.OPERATOR),)), cast.lab.pk, cast.now)


@given(st.integers(min_value=0, max_value=10**15))
def test_ten_thousand_yuan_is_rounded_half_up_to_two_decimals(fen: int) -> None:
    assert Decimal(ten_thousand_yuan(fen)) == (Decimal(fen) / 1_000_000).quantize(Decimal("0.01"), "ROUND_HALF_UP")


texts = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), max_size=40)


@given(
    st.fixed_dictionaries(
        {
            "name": texts,
            "inner_id": texts,
            "department": texts,
            "fixed_asset_code": texts,
            "certification": st.sampled_from(["", "none", "applied", "certified", "expired"]),
            "known_users": st.text("ab \n,;=", max_size=30),
            "description": st.text("ab \n,;=", max_size=30),
            "original_value_fen": st.none() | st.integers(0, 10**15),
            "keywords": st.lists(texts, max_size=4),
            "class_code": st.sampled_from(["", "01", "0103", "010300", "99", "990000"]),
            "customs_supervised": st.sampled_from([None, True, False]),
        }
    )
)
def test_whatever_an_instrument_says_is_read_back_from_its_two_rows(values: dict[str, Any]) -> None:
    cleaned = clean_fields(values)
    if cleaned.reasons:
        return
    facts = NationalFacts("JS-1-abc", field_defaults() | cleaned.values)
    headings = [heading.split("\uff08")[0] for heading in national.sheet_head()[1]]
    cells = {head: "" if cell is None else str(cell) for head, cell in zip(headings, national.sheet_row(facts), strict=True)}
    cells |= dict(zip(national.helper_head()[1:], national.helper_row(facts)[1:], strict=True))
    row = read_row(builtin_map("national"), Row(3, cells))
    assert row.reasons == ()
    assert {name: row.fields[name] for name in cleaned.values} == cleaned.values
