"""An import takes all rows or none, tells the fate of each, and does nothing twice."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from config.kernel.access import NOBODY, Actor, Grant, Role
from config.kernel.errors import Forbidden, Refusal
from config.kernel.models import AuditEntry
from instruments.models import Instrument, Organisation, Site
from instruments.services import registry_report
from tests.instruments.registry.conftest import Take, make_owner

pytestmark = pytest.mark.django_db
LIST = "inner_id,name,model,status,site_name\nA1,SEM,S4800,normal,North\nA2,XRD,D8,under_repair,North\n,Bench,,normal,\n,Bench,,normal,\n"


def test_a_list_becomes_instruments_with_calendars_places_and_an_audit_trail(take: Take, owner: Organisation) -> None:
    report = take(LIST, zone_name="Asia/Tokyo")
    assert report.counts == {"created": 4, "updated": 0, "unchanged": 0, "repeated": 0, "refused": 0}
    assert [row.line for row in report.rows] == [2, 3, 4, 5]
    rows = Instrument.objects.filter(organisation=owner).order_by("pk")
    assert [(row.name, row.inner_id, row.status) for row in rows] == [
        ("SEM", "A1", "normal"),
        ("XRD", "A2", "under_repair"),
        ("Bench", "", "normal"),
        ("Bench", "", "normal"),
    ]
    assert len({row.calendar_id for row in rows}) == 4
    assert dict(Site.objects.filter(organisation=owner).values_list("name", "time_zone")) == {
        "North": "Asia/Tokyo",
        owner.name: "Asia/Tokyo",
    }
    entries = AuditEntry.objects.filter(action="instrument.import")
    assert entries.count() == 4
    assert entries.first().after["line"] == 2  # type: ignore[union-attr]


def test_new_places_keep_the_time_of_the_owners_other_places(take: Take, owner: Organisation, now: datetime) -> None:
    Site.objects.create(organisation=owner, name="South", time_zone="Asia/Urumqi", region_code="650100")
    take(LIST)
    assert set(Site.objects.filter(organisation=owner).values_list("time_zone", flat=True)) == {"Asia/Urumqi"}
    Site.objects.create(organisation=owner, name="East", time_zone="Asia/Tokyo", region_code="")
    take(LIST.replace("North", "West"))
    assert Site.objects.get(organisation=owner, name="West").time_zone == "Asia/Shanghai"


def test_the_same_file_again_changes_nothing(take: Take, django_assert_num_queries: Any) -> None:
    take(LIST)
    before = list(Instrument.objects.order_by("pk").values())
    trail = AuditEntry.objects.count()
    report = take(LIST)
    assert report.counts["unchanged"] == 4
    assert list(Instrument.objects.order_by("pk").values()) == before
    assert AuditEntry.objects.count() == trail


def test_only_what_differs_is_changed_and_only_in_columns_that_are_read(take: Take, owner: Organisation) -> None:
    take(LIST)
    Instrument.objects.filter(inner_id="A1").update(description="By hand")
    report = take("inner_id,name,status\nA1,SEM two,normal\nA2,XRD,under_repair\n")
    assert report.counts == {"created": 0, "updated": 1, "unchanged": 1, "repeated": 0, "refused": 0}
    assert [(reason.field, reason.params["was"]) for reason in report.rows[0].reasons] == [("name", "SEM")]
    changed = Instrument.objects.get(inner_id="A1")
    assert (changed.name, changed.model, changed.description) == ("SEM two", "S4800", "By hand")
    assert report.absent == 2
    entry = AuditEntry.objects.filter(object_id=str(changed.pk)).latest("pk")
    assert (entry.before["name"], entry.after["name"]) == ("SEM", "SEM two")


def test_an_instrument_entered_by_hand_is_recognised_by_its_number(take: Take, owner: Organisation, now: datetime) -> None:
    take("inner_id,name\nA1,SEM\n")
    Instrument.objects.update(import_key="")
    assert take("inner_id,name\nA1,SEM\n").counts["unchanged"] == 1
    assert Instrument.objects.get().import_key == "no:A1"


def test_no_place_is_made_where_nobody_speaks_of_places(take: Take, owner: Organisation) -> None:
    take("inner_id,name,site_name\nA1,SEM,North\n")
    report = take("inner_id,name\nA1,SEM two\n")
    assert (report.counts["updated"], report.sites_created) == (1, 0)
    assert list(Site.objects.values_list("name", flat=True)) == ["North"]


def test_one_bad_row_and_nothing_is_written_and_every_bad_row_is_told(take: Take) -> None:
    text = "inner_id,name,worth,class_code\nA1,SEM,1,0103\nA2,,2,\nA3,XRD,-3,0199\nA4,NMR,,7701\n"
    report = take(text)
    assert not report.written
    assert [(row.line, row.fate, row.inner_id) for row in report.rows] == [
        (3, "refused", "A2"),
        (4, "refused", "A3"),
        (5, "refused", "A4"),
    ]
    assert [(reason.field, reason.code) for row in report.rows for reason in row.reasons] == [
        ("name", "name.empty"),
        ("original_value_fen", "instrument.value_negative"),
        ("class_code", "instrument.class_code_unknown"),
    ]
    assert not Instrument.objects.exists()
    assert not Site.objects.exists()


def test_a_dry_run_says_what_would_happen_and_leaves_nothing(take: Take) -> None:
    report = take(LIST, dry_run=True)
    assert (report.counts["created"], report.written) == (4, False)
    assert not Instrument.objects.exists()
    assert not AuditEntry.objects.exists()


REPEATED = {
    "fields": {"inner_id": "id", "name": "name", "model": "model"},
    "repeated_numbers": "first",
}


@pytest.mark.parametrize(("which", "kept"), [("first", "A"), ("last", "C")])
def test_a_number_that_comes_again_is_the_same_instrument(take: Take, which: str, kept: str) -> None:
    text = "id,name,model\n7,SEM,A\n7,SEM,B\n7,SEM,C\n7,SEM,C\n8,XRD,A\n"
    for _time in ("first", "again"):
        report = take(text, REPEATED | {"repeated_numbers": which})
        assert report.counts["repeated"] == 3
        assert Instrument.objects.get(inner_id="7").model == kept
    fates = {row.line: (row.fate, row.reasons[0].params.get("fields") if row.reasons else None) for row in report.rows}
    if which == "first":
        assert fates == {
            2: ("unchanged", None),
            3: ("repeated", ["model"]),
            4: ("repeated", ["model"]),
            5: ("repeated", ["model"]),
            6: ("unchanged", None),
        }
    assert len({row.instrument_id for row in report.rows}) == 2


def test_a_number_that_comes_again_can_be_refused(take: Take) -> None:
    report = take("id,name,model\n7,SEM,A\n7,SEM,A\n", REPEATED | {"repeated_numbers": "refuse"})
    assert [(row.line, row.reasons[0].code) for row in report.rows] == [(3, "import.number_twice")]
    assert not Instrument.objects.exists()


OWNERS: dict[str, Any] = {
    "organisations": "create",
    "fields": {"inner_id": "id", "name": "name", "organisation.name": {"column": "org", "before": " "}},
}


def test_owners_named_by_the_rows_are_created_once_as_claimed(take: Take) -> None:
    text = "id,name,org\n1,SEM,Demo_One lab\n1,XRD,Demo_Two lab\n2,NMR,DEMO_ONE other\n"
    for _time in ("first", "again"):
        report = take(text, OWNERS, owner_id=None)
    assert report.organisations_created == ()
    created = Organisation.objects.filter(kind="owner", status="claimed")
    assert sorted(created.values_list("name", flat=True)) == ["Demo_One", "Demo_Two"]
    assert Instrument.objects.filter(organisation__name="Demo_One").count() == 2


def test_owners_that_do_not_exist_are_refused_unless_the_map_says_create(take: Take) -> None:
    with pytest.raises(Refusal) as refused:
        take("id,name,org\n1,SEM,Nobody\n", OWNERS | {"organisations": "existing"}, owner_id=None)
    assert refused.value.reasons[0].code == "import.organisation_unknown"
    report = take("id,name,org\n1,SEM,\n", OWNERS, owner_id=None)
    assert report.rows[0].reasons[0].code == "import.organisation_missing"
    assert not Instrument.objects.exists()


def test_two_owners_of_one_name_are_not_guessed_between(take: Take, now: datetime) -> None:
    for _number in range(2):
        make_owner("Twin", now, name_key="tw1n")
    with pytest.raises(Refusal) as refused:
        take("id,name,org\n1,SEM,Twin\n", OWNERS, owner_id=None)
    assert refused.value.reasons[0].code == "import.organisation_ambiguous"


def test_owners_are_found_by_their_code_whatever_they_are_called(take: Take, owner: Organisation) -> None:
    owner.identifiers.create(scheme="uscc", value="91630100MA00000151")
    document = {
        "organisation_scheme": "uscc",
        "fields": {"name": "name", "organisation.identifier": "code", "organisation.name": "org"},
    }
    take("name,code,org\nSEM,91630100ma00000151,Another spelling\n", document, owner_id=None)
    assert Instrument.objects.get().organisation == owner
    report = take("name,code,org\nSEM,91630100MA00000150,X\n", document, owner_id=None)
    assert report.rows[0].reasons[0].code == "identifier.invalid"


def test_a_code_is_never_given_to_a_second_organisation(take: Take, owner: Organisation, now: datetime) -> None:
    document = OWNERS | {
        "organisation_scheme": "uscc", "fields": OWNERS["fields"] | {"organisation.identifier": "code"},
    }  # fmt: skip
    text = "id,name,org,code\n1,SEM,Somebody,91630100MA00000151\n"
    code = owner.identifiers.create(scheme="uscc", value="91630100MA00000151")
    owner.former_identifiers.create(scheme="uscc", value=code.value, left_at=now)
    code.delete()
    take(text, document, owner_id=None)
    assert Instrument.objects.get().organisation == owner  # it had the code while it was verified
    firm = make_owner("A firm", now, kind="firm")
    firm.identifiers.create(scheme="uscc", value="12630000000000123E")
    with pytest.raises(Refusal) as refused:
        take(text.replace(code.value, "12630000000000123E"), document, owner_id=None)
    assert refused.value.reasons[0].code == "import.organisation_no_owner"


def test_only_who_manages_the_owner_may_import_for_it(take: Take, owner: Organisation, manager: Actor, now: datetime) -> None:
    other = make_owner("Another Institute", now)
    take(LIST, actor=manager)
    for options in ({"owner_id": other.pk}, {"owner_id": None}):
        with pytest.raises(Forbidden):
            take("id,name,org\n1,SEM,Kunlun Institute\n", OWNERS, actor=manager, **options)
    researcher = Actor(user_id=None, grants=(Grant(owner.pk, Role.RESEARCHER),))
    for nobody in (NOBODY, researcher):
        with pytest.raises(Forbidden):
            take(LIST, actor=nobody)


def test_an_owner_is_needed_and_must_be_an_owner(take: Take, now: datetime) -> None:
    with pytest.raises(Refusal) as refused:
        take(LIST, owner_id=None)
    assert refused.value.reasons[0].code == "import.owner_needed"
    firm = make_owner("Gaoyuan", now, kind="firm")
    with pytest.raises(Refusal) as no_owner:
        take(LIST, owner_id=firm.pk)
    assert no_owner.value.reasons[0].code == "instrument.owner_unknown"


def test_names_that_look_like_formulas_or_are_in_any_script_come_through_as_text(take: Take) -> None:
    names = ["=cmd()|'/C calc'!A0", "\u626b\u63cf\u7535\u955c \U0001f52c", "\u0f56\u0f7c\u0f51\u0f0b\u0f61\u0f72\u0f42"]
    report = take("name\n" + "\n".join(names) + "\n")
    assert sorted(Instrument.objects.values_list("name", flat=True)) == sorted(names)
    assert "\n2,created,Kunlun Institute,,'=cmd()" in registry_report.as_csv(report).replace("\r", "")


def test_the_report_as_json_has_every_row_with_words(take: Take) -> None:
    with translation.override("en"):
        document = json.loads(registry_report.as_json(take("inner_id,name\nA1,SEM\nA1,SEM\n")))
    assert document["counts"]["repeated"] == 1
    assert document["rows"][1]["reasons"][0]["message"].count("line 2") == 1


# --- The command ------------------------------------------------------------------------------------------------------
BROKEN = {
    "empty": b"",
    "binary": b"\x89PNG\r\n\x1a\n\0\0\0",
    "packed": b"PK\x03\x04....",
    "header only": b"name,model\n",
    "header twice": b"name,Name\nSEM,x\n",
    "no name column": b"model\nS4800\n",
    "quote open": b'name,model\n"SEM,A\nXRD,B\n',
    "cut off": b"name,model,value\nSEM,A,1\nXRD,B",
    "wrong encoding": b"name\nSEM\n\xff\xff\xff\n",
    "negative": b"name,worth\nSEM,-1\n",
    "long name": b"name\n" + b"N" * 1000 + b"\n",
    "huge field": b"name\n" + b"N" * 30_000 + b"\n",
    "100,000 columns": b",".join(b"c%d" % i for i in range(100_000)) + b"\n",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_every_broken_file_ends_with_an_error_in_words_and_nothing_written(
    kind: str, owner: Organisation, tmp_path: Path
) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(BROKEN[kind])
    options = {"encoding": "utf-8"} if kind == "wrong encoding" else {}
    with pytest.raises(CommandError) as error:
        call_command("import_registry", path, format="csv", owner=owner.pk, verbosity=0, **options)
    assert "Nothing was imported" in str(error.value)
    assert "import." not in str(error.value)
    assert not Instrument.objects.exists()


def test_the_command_says_what_it_did_and_writes_the_report(owner: Organisation, tmp_path: Path, capsys: Any) -> None:
    path, report = tmp_path / "list.csv", tmp_path / "report.json"
    path.write_text(LIST)
    call_command("import_registry", path, format="csv", owner=owner.pk, report=report)
    said = capsys.readouterr().out
    assert "Encoding: utf-8 (certain)" in said
    assert "created 4, updated 0, unchanged 0, repeated 0, refused 0 of 4 rows" in said
    assert len(json.loads(report.read_text())["rows"]) == 4


def test_a_map_or_file_that_cannot_be_read_is_an_error_in_words(owner: Organisation, tmp_path: Path) -> None:
    (tmp_path / "map.json").write_text("{")
    (tmp_path / "list.csv").write_text(LIST)
    for options in ({"map": tmp_path / "map.json"}, {"map": tmp_path / "absent.json"}):
        with pytest.raises(CommandError, match="Nothing was imported"):
            call_command("import_registry", tmp_path / "list.csv", format="csv", owner=owner.pk, **options)
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_registry", tmp_path / "absent.csv", format="csv", owner=owner.pk)
