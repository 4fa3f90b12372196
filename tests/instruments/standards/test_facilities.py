"""Large research facilities: the national sheet in and out, the kind in the catalogue, what is lacking, and who reads what."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from openpyxl import Workbook, load_workbook
from rest_framework.test import APIClient

from config.kernel.errors import NotFound, Refusal
from instruments.models import CatalogueEntry, CustomsRecord, FacilityRecord, Instrument, Organisation
from instruments.queries.catalogue import search_catalogue
from instruments.queries.completeness import completeness_of
from instruments.queries.national import facility_workbook, national_workbook
from instruments.queries.public_records import export_one
from instruments.rules.facility_values import FACILITY_FIELDS, clean_facility
from instruments.rules.registry_map import builtin_map
from instruments.rules.registry_values import INSTRUMENT_FIELDS
from instruments.rules.search_state import CatalogueSearch
from instruments.rules.standards import facility
from instruments.services import catalogue
from instruments.services.registry_import import ImportRequest, import_registry
from tests.instruments.registry.conftest import OPERATOR, make_owner

HEADS = facility.SHEET.head()
ROW = {
    "innerId": "F-1", "cname": "高原太阳能试验装置", "ename": "Plateau solar facility", "abbreviation": "PSF",
    "url": "https://psf.example.org/", "worth": "12345.67", "acceptedOn": "2021-06-30", "technical": "聚光比 800",
    "function": "高温材料试验", "subject": "物理学，化学", "serviceContent": "辐照试验", "requirement": "提前一周申请",
    "province": "青海省", "city": "西宁市", "county": "城西区", "street": "盐湖路 1 号", "supervisingDepartment": "省科技厅",
    "hostInstitution": "青海盐湖所", "approvingDepartment": "发展改革委", "construction": "2", "category": "2",
    "domesticUsers": "青海大学\n兰州大学", "achievement": "支撑重点研发计划", "contact": "王敏", "phone": "0971-1",
    "email": "w@example.org", "contactUnit": "设施部", "scientistName": "李院士", "scientistPhone": "0971-2",
    "scientistEmail": "li@example.org", "managerName": "赵工", "layout": "https://psf.example.org/a.pdf",
    "secondLayout": "https://psf.example.org/b.pdf",
}  # fmt: skip


def sheet(row: dict[str, str]) -> bytes:
    """The national sheet as its own template has it: groups, headings word for word, one row."""
    book = Workbook()
    page = book.active
    keys = [column["key"] for column in facility._data()["columns"]]
    for cells in (*HEADS, [row.get(key, "") for key in keys]):
        page.append(list(cells))
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def take(content: bytes, owner: int, now: Any, layout: str = "facility") -> Any:
    return import_registry(OPERATOR, ImportRequest(content, "sheet.xlsx", builtin_map(layout), owner), now)


def everything(one: Instrument) -> dict[str, Any]:
    values = {name: getattr(one, name) for name in INSTRUMENT_FIELDS} | {"site": (one.site.name, one.site.region_code)}
    record = FacilityRecord.objects.get(instrument=one)
    return values | {name: getattr(record, name) for name in FACILITY_FIELDS}


def test_the_headings_are_those_of_the_national_sheet_of_facilities_word_for_word(shared_data: Path) -> None:
    template = json.loads((shared_data / "standards" / "nrii-excel-template-headers.json").read_text())
    groups, heads = template[f"device:{facility.SHEET.title()}"]
    assert [list(row) for row in HEADS] == [groups, heads]
    words = json.loads((shared_data / "standards" / "nrii-enums.json").read_text())
    assert set(words["nrii_device.construction"]) == {"1", "2"} == set(facility._data()["values"]["construction"].values()) - {""}
    assert set(words["nrii_device.device_category"]) == set(facility._data()["values"]["category"].values()) - {""}


@pytest.mark.django_db
def test_a_facility_comes_in_is_found_as_one_and_goes_out_into_the_same_record(cast: Any, client: Any) -> None:
    report = take(sheet(ROW), cast.lab.pk, cast.now)
    assert (report.counts["created"], report.columns_not_read, report.rows[0].reasons) == (1, (), ())
    made = Instrument.objects.get(inner_id="F-1")
    assert made.original_value_fen == 12_345_670_000
    assert (made.facility.construction, made.facility.category) == ("built", "public")
    assert made.facility.second_layout_url == "https://psf.example.org/b.pdf"  # the sheet says this heading twice
    assert take(sheet(ROW), cast.lab.pk, cast.now).counts["unchanged"] == 1

    entry = CatalogueEntry.objects.get(instrument=made)
    assert (entry.kind, {"k:facility", "k:instrument"} <= set(entry.facets)) == ("facility", True)
    assert list(catalogue.differences()) == []
    for kind in ("facility", "instrument"):  # booked like an instrument, so found among them too
        found = search_catalogue(OPERATOR, CatalogueSearch(text="太阳能", kind=kind), cast.now)
        assert [one.instrument_id for one in found.items] == [made.pk]

    found = client.get(reverse("search"), {"kind": "facility"}, headers={"accept-language": "en"}).content.decode()
    assert ROW["ename"] in found and "Large facilities" in found and cast.xrd.name not in found
    page = client.get(reverse("instrument_detail", args=[made.pk]), headers={"accept-language": "en"}).content.decode()
    assert "Large research facility" in page
    assert "Public experiment facility" in page
    assert "李院士" not in page and "li@example.org" not in page

    # Out, and in again: here nothing changes, elsewhere the same record comes to be.
    Instrument.objects.filter(pk=made.pk).update(keywords=["sun", "heat"], original_value_fen=12_345_670_001, published=False)
    CustomsRecord.objects.create(instrument=made, hs_code="9022199090", may_share=True)
    made.fundings.create(source="central", amount_fen=5)
    out = facility_workbook(cast.actor("wang"), cast.lab.pk, cast.now)
    assert take(out, cast.lab.pk, cast.now).counts["unchanged"] == 1
    elsewhere = make_owner("Another Institute", cast.now)
    assert take(out, elsewhere.pk, cast.now).counts["created"] == 1
    copy = Instrument.objects.get(organisation=elsewhere)
    assert everything(copy) == everything(Instrument.objects.get(pk=made.pk))
    assert (copy.customs.hs_code, copy.customs.may_share, copy.fundings.get().amount_fen) == ("9022199090", True, 5)
    assert [row[2] for row in load_workbook(BytesIO(out)).worksheets[0].iter_rows(min_row=3, values_only=True)] == [ROW["cname"]]
    assert ROW["cname"] not in [
        row[2]
        for row in load_workbook(BytesIO(national_workbook(cast.actor("wang"), cast.lab.pk, cast.now))).worksheets[0].values
    ]

    record = json.loads(export_one(cast.actor("wang"), made.pk, "facility.json", cast.now).content)
    assert (record["instrument"], record["innerId"], record["construction"]) == (2, "F-1", "2")
    assert record["scientistName"] == "李院士"
    with pytest.raises(NotFound):
        export_one(cast.actor("wang"), cast.xrd.pk, "facility.json", cast.now)

    # What the national record still lacks is asked as that of a facility: no class, no manufacturer.
    lacking = completeness_of(cast.actor("wang"), cast.lab.pk, cast.now)
    assert lacking.facilities == 1
    gaps = next((one.gaps for one in lacking.instruments if one.id == made.pk), ())
    assert gaps == ()
    FacilityRecord.objects.filter(instrument=made).update(host_institution="")
    (gap,) = next(one.gaps for one in completeness_of(cast.actor("wang"), cast.lab.pk, cast.now).instruments if one.id == made.pk)
    assert gap.field == "facility.host_institution"


@pytest.mark.django_db
def test_an_instrument_becomes_a_facility_on_its_form_and_its_core_instruments_are_listed(cast: Any, client: Any) -> None:
    client.force_login(cast.users["wang"])
    address = reverse("instrument_edit", args=[cast.xrd.pk])
    plain = client.get(address).context["form"]
    assert "facility_construction" not in plain.fields
    form = client.get(address + "?kind=facility").context["form"]
    sent = {name: "" if value is None else value for name, value in form.initial.items() if name in form.fields}
    bad = sent | {"facility_website": "ftp://x", "facility_scientist_email": "no"}
    answer = client.post(address + "?kind=facility", bad)
    assert answer.status_code == 422
    assert {"facility_website", "facility_scientist_email"} <= set(answer.context["form"].errors)
    assert not FacilityRecord.objects.exists()
    answer = client.post(
        address + "?kind=facility", sent | {"facility_construction": "built", "facility_accepted_on": "2020-01-02"}
    )
    assert answer.status_code == 302
    assert FacilityRecord.objects.get().construction == "built"
    assert CatalogueEntry.objects.get(instrument=cast.xrd).kind == "facility"
    other = Instrument.objects.create(
        organisation=cast.lab, site=cast.site, calendar_id=cast.xrd.calendar_id, name="Beam line", affiliation="facility",
        affiliation_name=cast.xrd.name, created_at=cast.now, updated_at=cast.now,
    )  # fmt: skip
    assert other.name in client.get(reverse("instrument_detail", args=[cast.xrd.pk])).content.decode()


@pytest.mark.django_db
def test_a_facility_becomes_a_plain_instrument_again_and_its_history_keeps_the_sheet(cast: Any, client: Any) -> None:
    take(sheet(ROW), cast.lab.pk, cast.now)
    made = Instrument.objects.get(inner_id="F-1")
    client.force_login(cast.users["wang"])
    english = {"headers": {"accept-language": "en"}}
    page, form = (reverse(name, args=[made.pk]) for name in ("facility_ending", "instrument_edit"))
    assert page in client.get(form).content.decode()
    told = client.get(page, **english)
    for text in ("李院士", "2021", "省科技厅", "Public experiment facility"):  # all that would go, the persons too
        assert text in told.content.decode()
    assert client.post(page, {"seen": "nonsense"}).status_code == 409
    Instrument.objects.filter(pk=made.pk).update(updated_at=cast.now.replace(microsecond=7))
    stale = client.post(page, {"seen": told.context["seen"]}, **english)
    assert stale.status_code == 409 and "Look again" in stale.content.decode()
    assert FacilityRecord.objects.filter(instrument=made).exists()
    assert client.post(page, {"seen": stale.context["seen"]}).status_code == 302
    assert not FacilityRecord.objects.filter(instrument=made).exists()
    assert CatalogueEntry.objects.get(instrument=made).kind == "instrument" and list(catalogue.differences()) == []
    plain = Instrument.objects.get(pk=made.pk)
    assert (plain.original_value_fen, plain.technical_indicators) == (made.original_value_fen, made.technical_indicators)
    history = client.get(reverse("instrument_history", args=[made.pk]), **english).content.decode()
    assert "Made a plain instrument again" in history and "李院士" in history
    assert page not in client.get(form).content.decode()
    assert client.get(page).status_code == 302 and client.post(page, {"seen": "x"}).status_code == 302
    # Nothing that it was is lost: its sheet makes it the same facility again.
    assert take(sheet(ROW), cast.lab.pk, cast.now).counts["updated"] == 1
    assert FacilityRecord.objects.get(instrument=made).scientist_name == "李院士"


@pytest.mark.django_db
def test_a_facility_begins_and_ends_over_the_api(cast: Any) -> None:
    lab, address = APIClient(), f"/api/v1/instruments/{cast.xrd.pk}/facility/"
    lab.force_login(cast.users["wang"])
    assert lab.get(address).status_code == 404
    bad = lab.patch(address, {"website": "ftp://x", "scientist_email": "no"}, format="json")
    assert bad.status_code == 422 and {one["field"] for one in bad.json()["errors"]} == {"website", "scientist_email"}
    assert lab.patch(address, {"name": "x"}, format="json").status_code == 400
    assert lab.patch(address, {}, format="json").status_code == 400 and lab.get(address).status_code == 404
    begun = lab.patch(
        address, {"construction": "built", "accepted_on": "2020-01-02", "scientist_name": "Li"}, format="json"
    ).json()
    assert (begun["construction"], begun["accepted_on"], begun["manager_name"]) == ("built", "2020-01-02", "")

    def end(seen: str, key: str) -> Any:
        return lab.post(f"{address}end/", {"seen": seen}, format="json", headers={"Idempotency-Key": key})

    assert end("2020-01-01T00:00:00Z", "a").json()["code"] == "facility.changed_meanwhile"
    ended = end(begun["updated_at"], "b")
    assert ended.status_code == 200 and ended.json()["is_facility"] is False
    assert end(begun["updated_at"], "b").headers["Idempotent-Replayed"] == "true"
    assert end(ended.json()["updated_at"], "c").json()["code"] == "facility.none"
    lin = APIClient()
    lin.force_login(cast.users["lin"])
    assert lin.patch(address, {"construction": "built"}, format="json").status_code == 403
    assert not FacilityRecord.objects.exists()


def test_a_choice_that_is_none_is_refused_and_a_date_that_is_out_of_range_too() -> None:
    cleaned = clean_facility({"category": "huge", "website": "javascript:1", "abbreviation": " PSF "})
    assert [reason.code for reason in cleaned.reasons] == ["instrument.choice_unknown", "instrument.url_invalid"]
    assert cleaned.values == {"abbreviation": "PSF"}


@pytest.mark.django_db
def test_the_sheet_of_core_instruments_says_to_which_facility_they_belong(cast: Any, shared_data: Path) -> None:
    template = json.loads((shared_data / "standards" / "nrii-excel-template-headers.json").read_text())
    groups, heads = template["device:核心仪器设备清单"]
    known = {"所在单位仪器编号": "C-1", "仪器设备名称": "聚光镜", "所属科研设施内部编号": "F-1", "仪器分类编码": "990000",
             "所在单位内部门": "Optics"}  # fmt: skip
    book = Workbook()
    for cells in (groups, heads, [known.get(head, "") for head in heads]):
        book.active.append(cells)
    out = BytesIO()
    book.save(out)
    report = take(out.getvalue(), cast.lab.pk, cast.now, "core_instruments")
    assert (report.counts["created"], report.columns_not_read) == (1, ()), report.rows
    made = Instrument.objects.get(inner_id="C-1")
    assert (made.affiliation, made.affiliation_name, made.class_code) == ("facility", "F-1", "990000")
    assert (made.department, made.site.name) == ("Optics", "Optics")
    assert not FacilityRecord.objects.exists()


@pytest.mark.django_db
def test_a_sheet_does_not_lead_a_facility_past_the_review_but_its_persons_change(cast: Any) -> None:
    take(sheet(ROW), cast.lab.pk, cast.now)
    Instrument.objects.filter(inner_id="F-1").update(published=True)
    Organisation.objects.filter(pk=cast.lab.pk).update(reviews_needed=True)

    def handed_in(**changed: str) -> Any:
        request = ImportRequest(sheet(ROW | changed), "sheet.xlsx", builtin_map("facility"), cast.lab.pk)
        return import_registry(cast.actor("wang"), request, cast.now)

    with pytest.raises(Refusal, match=r"import\.review_needed"):
        handed_in(abbreviation="Other")
    assert FacilityRecord.objects.get().abbreviation == ROW["abbreviation"]
    assert handed_in(scientistName="Somebody").counts["updated"] == 1
    assert FacilityRecord.objects.get().scientist_name == "Somebody"
