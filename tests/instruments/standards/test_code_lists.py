"""Code lists: taken in once, ended and never deleted, named in both languages."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from config.kernel.access import NOBODY, Actor, Grant, Role
from config.kernel.errors import Forbidden, Refusal
from config.kernel.models import AuditEntry
from instruments.models import Code, PolicyZone
from instruments.queries import codes
from instruments.rules.nations import nation_by_name, nation_codes, nation_name
from instruments.services import policy_zones
from instruments.services.code_lists import LoadReport, load_codes
from instruments.services.policy_zones import ZoneFields

OPERATOR = Actor(name="shell", grants=(Grant(0, Role.OPERATOR),))
DAY, LATER = date(2026, 1, 1), date(2026, 11, 23)


def load(scheme: str, text: str | bytes, now: datetime, day: date = DAY) -> LoadReport:
    found = load_codes(OPERATOR, scheme, text if isinstance(text, bytes) else text.encode(), day, now)
    codes.forget()
    return found


def figures(report: LoadReport) -> tuple[int, int, int, int]:
    changes = report.changes
    return len(changes.begin), len(changes.end), len(changes.correct), changes.unchanged


REAL = {
    "nrii": ("nrii-instrument-classification.csv", 739, 11, 0),
    "gbt13745": ("gbt13745-level1-subjects.csv", 62, 0, 0),
    "iso3166": ("nrii-nations.csv", 237, 0, 3),
    "panet": ("panet-techniques.csv", 0, 0, 0),
    "gbt2260": ("qinghai-counties-gbt2260.csv", 45, 0, 0),
}


@pytest.mark.django_db
@pytest.mark.parametrize("scheme", REAL)
def test_the_real_lists_are_taken_in_and_a_second_time_changes_nothing(scheme: str, shared_data: Path, now: datetime) -> None:
    name, count, repeated, left_over = REAL[scheme]
    content = (shared_data / "codes" / name).read_bytes()
    first = load(scheme, content, now)
    begun = len(first.changes.begin)
    assert begun == (count or begun) > 40
    assert (len(first.listed.repeated), len(first.listed.left_over)) == (repeated, left_over) or scheme == "panet"
    trail = AuditEntry.objects.count()
    again = load(scheme, content, now, LATER)
    assert figures(again) == (0, 0, 0, begun)
    assert AuditEntry.objects.count() == trail
    assert Code.objects.filter(scheme=scheme, valid_to=None).count() == begun


@pytest.mark.django_db
def test_the_rows_of_the_real_lists_that_give_no_country_are_named(shared_data: Path, now: datetime) -> None:
    content = (shared_data / "codes" / "nrii-nations.csv").read_bytes()
    assert [text for _line, text in load("iso3166", content, now).listed.left_over] == [
        "\u8377\u5c5e\u5b89\u7684\u5217\u65af",
        "\u5357\u65af\u62c9\u592b",
        "\u5176\u4ed6",
    ]


LIST = "code,parent,name_zh\n010000,,Analysis\n010100,010000,Electron\n010101,010100,Microscope\n"


@pytest.mark.django_db
def test_a_code_that_a_newer_list_lacks_ends_and_keeps_its_name_for_old_records(now: datetime) -> None:
    load("nrii", LIST, now)
    newer = LIST.replace("010101,010100,Microscope", "010102,010100,Scanner")
    assert figures(load("nrii", newer, now, LATER)) == (1, 1, 0, 2)
    gone = Code.objects.get(code="010101")
    assert (gone.valid_from, gone.valid_to) == (None, LATER)
    assert Code.objects.get(code="010102").valid_from == LATER
    assert codes.name_of("nrii", "010101", LATER, "en") == "Microscope"
    assert [entry.code for entry in codes.children_of("nrii", "010100", LATER)] == ["010102"]
    assert [entry.code for entry in codes.children_of("nrii", "010100", DAY)] == ["010101"]


@pytest.mark.django_db
def test_a_new_name_begins_on_the_day_of_the_list_and_corrects_on_the_same_day(now: datetime) -> None:
    load("nrii", LIST, now)
    renamed = LIST.replace("Microscope", "Electron microscope")
    assert figures(load("nrii", renamed, now, LATER)) == (1, 1, 0, 2)
    assert codes.name_of("nrii", "010101", DAY, "en") == "Microscope"
    assert codes.name_of("nrii", "010101", LATER, "en") == "Electron microscope"
    assert figures(load("nrii", renamed.replace("Electron microscope", "TEM"), now, LATER)) == (0, 0, 1, 2)
    assert codes.name_of("nrii", "010101", LATER, "en") == "TEM"
    with pytest.raises(Refusal) as refused:
        load("nrii", LIST, now, DAY)
    assert refused.value.reasons[0].code == "codes.older_list"


@pytest.mark.django_db
def test_a_list_of_counties_ends_no_prefecture_and_no_county_elsewhere(now: datetime) -> None:
    load("gbt2260", "code,name_zh\n6301,Xining\n6501,Urumqi\n650102,Tianshan\n", now)
    report = load("gbt2260", "code,name_zh\n630102,Chengdong\n", now, LATER)
    assert figures(report) == (1, 0, 0, 0)
    assert Code.objects.get(code="630102").valid_from is None  # nobody had said anything about counties of that province
    assert codes.division_path("650102", LATER) == ("新疆维吾尔自治区", "Urumqi", "Tianshan")


@pytest.mark.django_db
def test_names_are_there_without_any_list() -> None:
    assert codes.name_of("nrii", "010101", DAY, "en") == "Analytical instruments"
    assert codes.name_of("iso3166", "JP", DAY, "en") == "Japan"
    assert codes.name_of("panet", "jishi:icp-ms", DAY, "en").startswith("Inductively")
    assert codes.name_of("gbt2260", "630102", DAY, "en") == "Chengdong District"
    assert codes.name_of("gbt13745", "150", DAY, "en") == codes.name_of("gbt13745", "15025", DAY, "en") == "Chemistry"
    assert codes.code_of("gbt13745", "chemistry", DAY) == "150"
    assert codes.name_of("nrii", "", DAY, "en") == codes.name_of("nrii", "770101", DAY, "en") == ""


@pytest.mark.django_db
def test_a_division_is_found_by_its_names_only_together_with_the_wider_ones(now: datetime) -> None:
    path = "\u9752\u6d77\u7701/\u897f\u5b81\u5e02/\u57ce\u4e1c\u533a"
    assert codes.code_of("gbt2260", path, DAY) == "630102"
    assert codes.code_of("gbt2260", "630102", DAY) == "630102"
    assert codes.code_of("gbt2260", path.replace("\u57ce\u4e1c\u533a", "Nowhere"), DAY) is None
    load("gbt2260", "code,name_zh\n6501,Urumqi\n650102,\u57ce\u4e1c\u533a\n", now)
    assert codes.code_of("gbt2260", "\u57ce\u4e1c\u533a", DAY) is None  # two of that name
    assert codes.code_of("gbt2260", path, DAY) == "630102"


def test_every_country_has_both_names_and_is_found_by_them() -> None:
    assert len(nation_codes()) == 250
    for code in nation_codes():
        for lang in ("zh", "en"):
            assert nation_by_name(nation_name(code, lang)) == code  # type: ignore[arg-type]
    assert nation_by_name("usa") == "US"
    assert nation_by_name("Atlantis") is None


@pytest.mark.django_db
def test_only_the_operator_takes_in_lists_and_a_wrong_file_is_refused_in_words(tmp_path: Path, now: datetime) -> None:
    with pytest.raises(Forbidden):
        load_codes(NOBODY, "nrii", LIST.encode(), DAY, now)
    for content, words in ((b"a,b\n1,2\n", "must name the columns"), (b"code,parent,name_zh\nx,,y\n", "gives a code")):
        path = tmp_path / "list.csv"
        path.write_bytes(content)
        with pytest.raises(CommandError, match=words):
            call_command("load_codes", "nrii", path)
    with pytest.raises(CommandError, match="is not a day"):
        call_command("load_codes", "nrii", path, valid_from="soon")
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("load_codes", "nrii", tmp_path / "absent.csv")


@pytest.mark.django_db
def test_the_command_says_what_the_list_changed(tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "list.csv"
    path.write_text(LIST + "010101,010100,Again\nxx,,heading\n")
    call_command("load_codes", "nrii", path, valid_from="2026-11-23")
    said = capsys.readouterr().out
    assert "3 begin, 0 end, 0 corrected, 0 unchanged" in said
    assert "line 5 repeats a code: 010101 Again" in said
    assert "line 6 gives no code" in said


@pytest.mark.django_db
def test_zones_are_kept_by_the_operator_and_end_instead_of_going(now: datetime) -> None:
    fields = ZoneFields("High-tech Zone", region_code="630105", valid_from=DAY)
    zone = policy_zones.create_zone(OPERATOR, "high-tech", fields, now)
    assert [one.slug for one in codes.zones_on(DAY)] == ["high-tech"]
    ended = ZoneFields("High-tech Zone", region_code="630105", valid_from=DAY, valid_to=LATER)
    policy_zones.update_zone(OPERATOR, zone.pk, ended, now)
    policy_zones.update_zone(OPERATOR, zone.pk, ended, now)
    assert codes.zones_on(LATER) == []
    assert AuditEntry.objects.filter(action="zone.update").count() == 1
    with pytest.raises(Forbidden):
        policy_zones.create_zone(NOBODY, "other", fields, now)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("slug", "fields", "codes_found"),
    [
        ("High Tech", ZoneFields("Zone"), {"zone.slug_invalid"}),
        ("taken", ZoneFields("Zone"), {"zone.slug_taken"}),
        ("zone", ZoneFields(" "), {"zone.name_needed"}),
        ("zone", ZoneFields("Zone", region_code="999999"), {"codes.division_unknown"}),
        ("zone", ZoneFields("", valid_from=LATER, valid_to=DAY), {"zone.name_needed", "zone.ends_before_it_begins"}),
    ],
)
def test_a_zone_that_makes_no_sense_is_refused(slug: str, fields: ZoneFields, codes_found: set[str], now: datetime) -> None:
    PolicyZone.objects.create(slug="taken", name="Taken")
    with pytest.raises(Refusal) as refused:
        policy_zones.create_zone(OPERATOR, slug, fields, now)
    assert {reason.code for reason in refused.value.reasons} == codes_found
