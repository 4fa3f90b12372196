"""Instrument centres: kept by who manages the owner, their sheet out and in again, its own real headings, bad rows with their reasons."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from openpyxl import Workbook, load_workbook

from config.kernel.access import NOBODY
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.models import AuditEntry
from instruments.models import ImportRun, Instrument, InstrumentCentre
from instruments.queries.centres import centre_for, centre_workbook, centres_of
from instruments.rules.standards import centre as standard
from instruments.services import centre_import, centres
from instruments.services.import_kinds import Order
from tests.instruments.registry.conftest import OPERATOR, make_owner

pytestmark = pytest.mark.django_db
WHOLE: dict[str, Any] = {
    "inner_id": "ZX-01", "name": "Analysis centre", "website": "https://centre.example/", "founded_on": date(2016, 1, 1),
    "subject_codes": ["150", "430"], "accredited": True, "floor_area_m2": "1,250.5", "introduction": "Salts and alloys",
    "region_code": "630104", "contact_name": "Wang", "contact_phone": "0971", "contact_email": "c@example.org",
    "contact_address": "2 Salt Road", "contact_postal_code": "810000",
}  # fmt: skip


def order(content: bytes, owner_id: int | None, **more: Any) -> Order:
    usual: dict[str, Any] = {
        "file_name": "centres.xlsx", "layout": "national_centre", "document": None, "dry_run": False, "expected_digest": "",
        "progress": lambda done, total: None,
    }  # fmt: skip
    return Order(content=content, owner_id=owner_id, **(usual | more))


def take(content: bytes, owner: Any, now: Any, **more: Any) -> Any:
    return centre_import.run(OPERATOR, order(content, owner.pk, **more), now)


def sheet_of(*rows: dict[str, str]) -> bytes:
    """A workbook with the national headings and rows by key."""
    book = Workbook()
    book.active.append(list(standard.sheet_head()[0]))
    book.active.append(list(standard.sheet_head()[1]))
    for row in rows:
        book.active.append([row.get(column["key"], "") for column in standard._data()["columns"]])
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def stored(owner: Any) -> list[dict[str, Any]]:
    return list(InstrumentCentre.objects.filter(organisation=owner).order_by("inner_id").values(*WHOLE))


def codes(refused: Any) -> set[tuple[str, str]]:
    return {(reason.code, reason.field) for reason in refused.value.reasons}


def test_a_centre_is_kept_by_who_manages_the_owner_and_counts_its_instruments(cast: Any, now: Any) -> None:
    for who in ("lin", "li"):
        with pytest.raises(Forbidden):
            centres.create(cast.actor(who), cast.lab.pk, WHOLE, now)
    made = centres.create(cast.actor("wang"), cast.lab.pk, WHOLE, now)
    assert (made.floor_area_m2, made.accredited) == (Decimal("1250.5"), True)
    Instrument.objects.filter(pk=cast.xrd.pk).update(
        affiliation="centre", affiliation_name="ZX-01", original_value_fen=60_000_000
    )
    (row,) = centres_of(cast.actor("wang"), cast.lab.pk)
    assert (row.instruments, row.worth_fen, row.lacks) == (1, 60_000_000, [])
    Instrument.objects.filter(pk=cast.xrd.pk).update(affiliation_name="Analysis centre")
    assert centres_of(cast.actor("wang"), cast.lab.pk)[0].instruments == 1
    for change in ({"affiliation": "facility"}, {"affiliation": "centre", "status": "retired"}):
        Instrument.objects.filter(pk=cast.xrd.pk).update(**change)
        assert centres_of(cast.actor("wang"), cast.lab.pk)[0].instruments == 0
    with pytest.raises(Conflict) as taken:
        centres.create(cast.actor("wang"), cast.lab.pk, {"inner_id": "ZX-01", "name": "Other"}, now)
    assert codes(taken) == {("centre.number_taken", "inner_id")}
    for who in (NOBODY, cast.actor("lin")):
        with pytest.raises(NotFound):
            centre_for(who, made.pk)
    centres.update(cast.actor("wang"), made.pk, {"name": "New name"}, now)
    centres.update(cast.actor("wang"), made.pk, {"name": "New name"}, now)  # says nothing new
    centres.update(cast.actor("wang"), made.pk, {"accredited": None, "subject_codes": [], "introduction": ""}, now)
    assert centres_of(cast.actor("wang"), cast.lab.pk)[0].lacks == ["subject_codes", "accredited", "introduction"]
    centres.update(cast.actor("wang"), made.pk, {"accredited": False}, now)
    assert centres_of(cast.actor("wang"), cast.lab.pk)[0].lacks == ["subject_codes", "introduction"]
    centres.remove(cast.actor("wang"), made.pk, now)
    trail = list(AuditEntry.objects.filter(action__startswith="centre.").order_by("pk").values_list("action", flat=True))
    assert trail == ["centre.create", *["centre.update"] * 3, "centre.remove"] and not InstrumentCentre.objects.exists()


def test_every_fault_of_a_centre_is_told_at_its_field(cast: Any, now: Any) -> None:
    wrong = {
        "inner_id": " ", "name": "", "website": "centre", "founded_on": date(1066, 1, 1), "subject_codes": ["150", "x", "1", "2", "3"],
        "floor_area_m2": "-1", "introduction": "x" * 201, "region_code": "999999", "contact_email": "nobody",
    }  # fmt: skip
    with pytest.raises(Refusal) as refused:
        centres.create(cast.actor("wang"), cast.lab.pk, wrong, now)
    assert {field for _code, field in codes(refused)} == set(wrong)
    with pytest.raises(Refusal) as refused:
        centres.create(cast.actor("wang"), cast.lab.pk, {"inner_id": "1", "name": "X", "subject_codes": ["no such"]}, now)
    assert codes(refused) == {("import.name_unknown", "subject_codes")}
    with pytest.raises(Refusal) as refused:
        centres.create(OPERATOR, cast.firm.pk, {"inner_id": "1", "name": "X"}, now)
    assert codes(refused) == {("instrument.owner_unknown", "organisation_id")}


def test_the_sheet_goes_out_with_the_national_headings_and_makes_the_same_centres_elsewhere(
    cast: Any, now: Any, shared_data: Path
) -> None:
    headings = json.loads((shared_data / "standards" / "nrii-excel-template-headers.json").read_text(encoding="utf-8"))
    assert [list(row) for row in standard.sheet_head()] == headings["center:" + standard.sheet_title()]
    centres.create(cast.actor("wang"), cast.lab.pk, WHOLE, now)
    centres.create(cast.actor("wang"), cast.lab.pk, {"inner_id": "ZX-02", "name": "=Bare"}, now)
    with pytest.raises(Forbidden):
        centre_workbook(cast.actor("lin"), cast.lab.pk, now)
    content = centre_workbook(cast.actor("wang"), cast.lab.pk, now)
    cells = [[cell.value for cell in row] for row in load_workbook(BytesIO(content)).active.iter_rows()]
    assert cells[2][1:5] == ["ZX-01", "Analysis centre", "0", "0.00"] and cells[3][2] == "=Bare"
    assert load_workbook(BytesIO(content)).active["C4"].data_type == "s"
    elsewhere = make_owner("Another Institute", now)
    report = take(content, elsewhere, now)
    assert (report.counts["created"], report.columns_not_read) == (2, ())
    assert stored(elsewhere) == stored(cast.lab)
    trail = AuditEntry.objects.count()
    again = take(content, elsewhere, now)
    assert (again.counts["unchanged"], again.counts["created"], AuditEntry.objects.count()) == (2, 0, trail)


def test_what_differs_is_told_and_a_dry_run_writes_nothing(cast: Any, now: Any) -> None:
    centres.create(cast.actor("wang"), cast.lab.pk, WHOLE, now)
    content = sheet_of({"innerId": "ZX-01", "cname": "Renamed", "accredited": "\u5426", "subject": "\u5316\u5b66\uff0c430"})
    before = stored(cast.lab)
    seen = take(content, cast.lab, now, dry_run=True)
    assert stored(cast.lab) == before and not seen.written
    told = {reason.field: (reason.params["was"], reason.params["becomes"]) for reason in seen.rows[0].reasons}
    assert told["name"] == ("Analysis centre", "Renamed") and told["accredited"] == ("True", "False")
    assert "subject_codes" not in told and told["website"] == ("https://centre.example/", "")
    with pytest.raises(Conflict):
        take(content, cast.lab, now, expected_digest="another")
    assert take(content, cast.lab, now, expected_digest=seen.digest).written
    assert stored(cast.lab)[0]["name"] == "Renamed"


def test_one_bad_row_refuses_the_sheet_with_every_reason(cast: Any, now: Any) -> None:
    content = sheet_of(
        {"innerId": "A", "cname": "Good"},
        {
            "innerId": "",
            "cname": "No number",
            "beginDate": "yesterday",
            "accredited": "perhaps",
            "subject": "Alchemy",
            "area": "big",
        },
        {"innerId": "B", "cname": "Nowhere", "province": "\u706b\u661f"},
    )
    report = take(content, cast.lab, now)
    assert not report.written and not InstrumentCentre.objects.exists()
    refused = {row.name: {reason.field for reason in row.reasons} for row in report.rows}
    assert refused == {
        "No number": {"inner_id", "founded_on", "accredited", "subject_codes", "floor_area_m2"},
        "Nowhere": {"region_code"},
    }
    twice = take(sheet_of({"innerId": "A", "cname": "One"}, {"innerId": "A", "cname": "Two"}), cast.lab, now)
    assert [row.fate for row in twice.rows] == ["created", "repeated"] and stored(cast.lab)[0]["name"] == "One"
    with pytest.raises(Refusal) as missing:
        take(b"number,colour\n1,red\n", cast.lab, now)
    assert {code for code, _field in codes(missing)} == {"import.column_missing"}
    with pytest.raises(Refusal) as nobody:
        centre_import.run(OPERATOR, order(content, None), now)
    assert codes(nobody) == {("import.owner_needed", "owner")}
    with pytest.raises(Forbidden):
        centre_import.run(cast.actor("lin"), order(content, cast.lab.pk), now)


def test_on_the_pages_a_centre_is_added_changed_exported_and_taken_away(cast: Any) -> None:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(cast.users["wang"])
    url = f"/organisations/{cast.lab.pk}/centres/"
    assert "No centres yet" in client.get(url).content.decode()
    typed = {
        "inner_id": "ZX-9",
        "name": "Centre <nine>",
        "subject_codes": "Chemistry\n430",
        "accredited": "no",
        "floor_area_m2": "much",
    }
    refused = client.post(f"{url}new/", typed)
    assert (
        refused.status_code == 422 and "much is no area" in refused.content.decode() and "Chemistry" in refused.content.decode()
    )
    assert client.post(f"{url}new/", typed | {"floor_area_m2": "10"}).status_code == 302
    made = InstrumentCentre.objects.get()
    assert (made.subject_codes, made.accredited) == (["150", "430"], False)
    assert "Centre &lt;nine&gt;" in client.get(url).content.decode()
    page = client.get(f"/centres/{made.pk}/").content.decode()
    assert 'value="ZX-9"' in page and "150" in page
    assert client.post(f"/centres/{made.pk}/", typed | {"floor_area_m2": "", "accredited": ""}).status_code == 302
    made.refresh_from_db()
    assert (made.floor_area_m2, made.accredited) == (None, None)
    exported = client.get(f"/organisations/{cast.lab.pk}/centre-record.xlsx")
    assert exported.content.startswith(b"PK")
    assert client.post(f"/centres/{made.pk}/remove/").status_code == 302
    assert not InstrumentCentre.objects.exists() and not ImportRun.objects.exists()
