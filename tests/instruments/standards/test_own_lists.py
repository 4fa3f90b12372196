"""Our own UNIQUIP list and our open data, taken in again by the owner of their instruments: nothing changes, however often."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from instruments.models import FacilityRecord, Instrument, Organisation, Site
from instruments.queries.public_records import open_data_stream
from instruments.rules.own_numbers import is_own_number, own_number
from instruments.rules.registry_map import builtin_map
from instruments.services.registry_import import ImportReport, ImportRequest, import_registry
from tests.instruments.registry.conftest import OPERATOR, make_owner

pytestmark = pytest.mark.django_db
LISTS = {"uniquip.csv": "uniquip", "csv": "csv"}


def out(layout: str, now: datetime) -> bytes:
    return b"".join(open_data_stream(layout, now))


def records(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def again(rows: list[dict[str, str]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def take(content: bytes, layout: str, owner: Organisation, now: datetime, **constants: str) -> ImportReport:
    plan = builtin_map(LISTS[layout])
    report = import_registry(OPERATOR, ImportRequest(content, layout, plan, owner.pk, constants=constants), now)
    assert report.written, report.rows
    return report


def everything(owner: Organisation) -> list[dict[str, Any]]:
    return list(Instrument.objects.filter(organisation=owner).order_by("pk").values())


@pytest.fixture
def many(known: Instrument, cast: Any) -> dict[str, Instrument]:
    """An owner's instruments of every sort: without a number, a facility, renumbered since they came, with little said."""
    hall = Site.objects.create(organisation=cast.lab, name="Main hall, east", address="=1 Road, Gate 2", region_code="630104")

    def make(name: str, **fields: Any) -> Instrument:
        fields = {"organisation": cast.lab, "site": hall, "calendar_id": known.calendar_id, "name": name} | fields
        return Instrument.objects.create(created_at=cast.now, updated_at=cast.now, **fields)

    made = {
        "unnumbered": make("Balance", functions="Weighs", technique_codes=["PaNET01216", "jishi:icp-ms"], keywords=["a|b", "c"]),
        "twin": make("Balance", functions="Weighs", contact_name="Wang Min", service_url="https://example.org/book"),
        "facility": make("Synchrotron", service_content="Beams\nof light", inner_id="F-1", import_key="row:abc:1"),
        "one": make("'=One", inner_id="1", import_key="no:2", attributes={"Location": "https://example.org/hall"}),
        "two": make("Two", inner_id="2", import_key="no:1", site=cast.site, status="retired", technique="-20 \u00b0C"),
        "ours": make("Numbered as ours", inner_id="JS-1-abcdef"),
    }
    FacilityRecord.objects.create(instrument=made["facility"], abbreviation="SYN")
    return made


@pytest.mark.parametrize("layout", LISTS)
def test_the_owners_own_list_changes_nothing_and_comes_out_the_same(
    many: dict[str, Instrument], cast: Any, now: datetime, layout: str
) -> None:
    before, first = everything(cast.lab), out(layout, now)
    sites = Site.objects.count()
    for days in (1, 2):
        report = take(first, layout, cast.lab, now + timedelta(days=days))
        assert (report.counts["unchanged"], len(report.rows)) == (7, 7), [row for row in report.rows if row.fate != "unchanged"]
        assert out(layout, now + timedelta(days=days)) == first
        assert Site.objects.count() == sites
    apart = {"import_key", "name_pinyin"}  # the fixture leaves the latter out
    assert [{name: one[name] for name in one if name not in apart} for one in everything(cast.lab)] == [
        {name: one[name] for name in one if name not in apart} for one in before
    ]


@pytest.mark.parametrize("layout", LISTS)
def test_another_owner_gets_the_instruments_once_and_its_own_list_changes_nothing_either(
    many: dict[str, Instrument], cast: Any, now: datetime, layout: str
) -> None:
    content, other = out(layout, now), make_owner("Another Institute", now)
    assert take(content, layout, other, now).counts["created"] == 7
    assert take(content, layout, other, now).counts["unchanged"] == 7
    names = [sorted(one["name"] for one in everything(owner)) for owner in (cast.lab, other)]
    assert names[0] == names[1] and "'=One" in names[1]
    Instrument.objects.filter(organisation=cast.lab).update(published=False)
    theirs = out(layout, now)
    for _time in range(2):
        assert take(theirs, layout, other, now).counts["unchanged"] == 7
        assert out(layout, now) == theirs
    places = ("Department", "Building", "Site Location") if layout == "uniquip.csv" else ("site_name", "site_address")
    assert [[row[name] for name in places] for row in records(theirs)] == [
        [row[name] for name in places] for row in records(content)
    ]


def test_a_uniquip_list_says_what_is_a_facility_and_numbers_what_has_no_number(
    many: dict[str, Instrument], now: datetime
) -> None:
    rows = {row["Name"]: row for row in records(out("uniquip.csv", now))}
    assert (rows["Synchrotron"]["Type"], rows["Two"]["Type"]) == ("facility", "equipment")
    unnumbered = many["twin"]
    assert rows["Balance"]["ID"] == own_number(unnumbered.pk, unnumbered.created_at)
    assert (rows["Two"]["ID"], is_own_number(rows["Numbered as ours"]["ID"])) == ("2", True)


def test_a_bare_number_in_a_uniquip_list_is_the_owners_own(many: dict[str, Instrument], cast: Any, now: datetime) -> None:
    """The id of an unnumbered instrument may be the number of another one."""
    unnumbered = many["unnumbered"]
    Instrument.objects.filter(pk=many["two"].pk).update(inner_id=str(unnumbered.pk))
    content = f"Name,ID\nTwo renamed,{unnumbered.pk}\n".encode()
    assert take(content, "uniquip.csv", cast.lab, now).counts["updated"] == 1
    assert Instrument.objects.get(pk=many["two"].pk).name == "Two renamed"
    assert Instrument.objects.get(pk=unnumbered.pk).name == "Balance"


def test_what_somebody_changed_in_our_list_is_taken_and_nothing_else(
    many: dict[str, Instrument], cast: Any, now: datetime
) -> None:
    rows = records(out("uniquip.csv", now))
    changes = {"Balance": {"Description": "Weighs well", "Building": "2 Road", "Service Level": "Supported"}}
    (first,) = [row for row in rows if row["ID"] == own_number(many["unnumbered"].pk, many["unnumbered"].created_at)]
    first.update(changes["Balance"])
    report = take(again(rows), "uniquip.csv", cast.lab, now)
    assert (report.counts["updated"], report.counts["unchanged"]) == (1, 6)
    changed = Instrument.objects.select_related("site").get(pk=many["unnumbered"].pk)
    assert (changed.description, changed.technique, changed.attributes) == ("Weighs well", "", {"Service Level": "Supported"})
    assert changed.site.name.startswith("Main hall, east, 2 Road, ")


def test_a_value_for_every_row_counts_where_our_list_says_nothing(many: dict[str, Instrument], cast: Any, now: datetime) -> None:
    assert take(out("uniquip.csv", now), "uniquip.csv", cast.lab, now, technique="Weighing").counts["updated"] > 0
    assert Instrument.objects.get(pk=many["twin"].pk).technique == "Weighing"
    assert Instrument.objects.get(pk=many["two"].pk).technique == "-20 \u00b0C"


FOREIGN = """Type,Name,Description,Department,Building,Site Location,Web Address,ID
facility,NMR hall,Magnets,Chemistry,"Block 7, wing B",St Andrews,https://example.org/nmr,N-1
equipment,Balance,,Chemistry,,St Andrews,,N-2
equipment,Oven,,,,St Andrews,,N-3
"""


def test_a_list_of_others_comes_out_with_the_words_with_which_it_came(now: datetime) -> None:
    owner = make_owner("Another Institute", now)
    take(FOREIGN.encode(), "uniquip.csv", owner, now, published="true")
    assert take(FOREIGN.encode(), "uniquip.csv", owner, now).counts["unchanged"] == 3
    wanted = records(FOREIGN.encode())
    names = ("Type", "Name", "Department", "Building", "Site Location", "ID")
    assert [[row[name] for name in names] for row in records(out("uniquip.csv", now))] == [
        [row[name] for name in names] for row in wanted
    ]
    assert "https://example.org/nmr" in records(out("uniquip.csv", now))[0]["Description"]
    listed = out("uniquip.csv", now)
    assert take(listed, "uniquip.csv", owner, now).counts["unchanged"] == 3
    assert out("uniquip.csv", now) == listed


def test_a_real_list_comes_out_as_it_came_and_comes_in_again_without_a_change(shared_data: Path, now: datetime) -> None:
    owner = make_owner("University of St Andrews", now)
    content = (shared_data / "registries" / "uk-st-andrews-equipment.uniquip.csv").read_bytes()
    encoding = take(content, "uniquip.csv", owner, now, published="true").encoding
    listed = out("uniquip.csv", now)
    assert take(listed, "uniquip.csv", owner, now).counts["unchanged"] == 623
    assert out("uniquip.csv", now) == listed
    names = ("Department", "Site Location", "Location", "Service Level")
    assert [[row[name] for name in names] for row in records(listed)] == [
        [row[name].strip() for name in names] for row in records(content.decode(encoding).encode())
    ]


def test_a_row_under_an_old_number_does_not_take_the_key_of_what_was_renumbered(
    many: dict[str, Instrument], cast: Any, now: datetime
) -> None:
    Instrument.objects.filter(pk=many["two"].pk).update(inner_id="3")  # it came as number 1
    content = b"inner_id,name\n3,Two\n1,'=One\n7,Seven\n"
    Instrument.objects.filter(pk=many["one"].pk).update(inner_id="")
    report = take(content, "csv", cast.lab, now)
    assert (report.counts["unchanged"], report.counts["created"]) == (1, 2)
    assert take(content, "csv", cast.lab, now).counts["unchanged"] == 3
    many["two"].refresh_from_db()
    assert (many["two"].name, many["two"].inner_id, many["two"].import_key) == ("Two", "3", "no:1")


def test_what_only_becomes_known_under_a_key_keeps_the_time_of_its_last_change(cast: Any, now: datetime) -> None:
    Instrument.objects.filter(pk=cast.xrd.pk).update(inner_id="X-1")
    before = Instrument.objects.get(pk=cast.xrd.pk)
    content = f"inner_id,name\nX-1,{before.name}\n".encode()
    take(content, "csv", cast.lab, now + timedelta(days=1))
    after = Instrument.objects.get(pk=cast.xrd.pk)
    assert (after.import_key, after.updated_at) == ("no:X-1", before.updated_at)
    take(content.replace(b"X-1,", b"X-1,Old "), "csv", cast.lab, now + timedelta(days=1))
    assert Instrument.objects.get(pk=cast.xrd.pk).updated_at == now + timedelta(days=1)


def test_the_facts_of_our_list_are_asked_for_a_few_hundred_at_a_time(
    many: dict[str, Instrument], cast: Any, now: datetime, django_assert_max_num_queries: Any
) -> None:
    content = out("uniquip.csv", now)
    with django_assert_max_num_queries(45):
        take(content, "uniquip.csv", cast.lab, now)
