"""The divisions of the whole country without any list of the operator's: their names, their days, and the operator's list before them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from config.kernel.access import Actor, Grant, Role
from config.kernel.errors import Refusal
from config.kernel.messages import reason_sentence
from instruments.models import Code, ImportRun, PolicyZone, Site
from instruments.queries import codes, divisions
from instruments.rules.asking import parse_asking
from instruments.services import centres, import_runs, places, policy_zones
from instruments.services.import_runs import Asked
from instruments.services.places import Place
from instruments.services.policy_zones import ZoneFields
from instruments.services.registry import SiteFields

pytestmark = pytest.mark.django_db
OPERATOR = Actor(name="shell", grants=(Grant(0, Role.OPERATOR),))
DAY = date(2026, 11, 23)
OLD = date(2018, 6, 1)


@pytest.fixture(autouse=True)
def read_anew() -> Iterator[None]:
    codes.forget()
    yield
    codes.forget()


def test_every_division_of_the_country_is_found_by_its_names_from_the_widest_on() -> None:
    lost = []
    for entry in codes.entries_on("gbt2260", DAY):
        path = "/".join(name for name in codes.division_path(entry.code, DAY) if name)
        if codes.code_of("gbt2260", path, DAY) != entry.code:
            lost.append(path)
    assert lost == []


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("甘肃省/兰州市", "620100"),
        ("甘肃省/兰州市/城关区", "620102"),
        ("北京市/北京市/海淀区", "110108"),
        ("北京市/海淀区", "110108"),
        ("城关区", None),  # of several cities
        ("甘肃省/西宁市", None),
        ("甘肃省/Nowhere", None),
        ("629999", None),
    ],
)
def test_names_anywhere_in_the_country_stand_for_one_code_or_none(path: str, code: str | None) -> None:
    assert codes.code_of("gbt2260", path, DAY) == code


def test_a_division_that_ended_keeps_its_name_and_is_found_by_it() -> None:
    assert codes.name_of("gbt2260", "630122", OLD, "zh") == codes.name_of("gbt2260", "630122", DAY, "zh") == "湟中县"
    assert codes.name_of("gbt2260", "630121", date(1983, 5, 1), "zh") == "大通县"
    assert codes.code_of("gbt2260", "青海省/西宁市/湟中县", DAY) == "630122"
    assert codes.code_of("gbt2260", "青海省/西宁市/湟中区", DAY) == "630106"
    assert divisions.is_division("632321") and not divisions.is_division("630199")
    assert [entry.code for entry in codes.entries_on("gbt2260", DAY) if entry.code in ("630122", "630106")] == ["630106"]


def test_where_one_is_meant_that_holds_the_sentence_says_which_took_over_or_that_it_ended() -> None:
    said = {code: divisions.ended_reason(code) for code in ("630122", "110103", "630106", "639999", "")}
    assert said["630122"] is not None and said["110103"] is not None
    with override("en"):
        assert reason_sentence(said["630122"]) == (
            "Division 630122 (湟中县) ended in 2019, and 630106 (湟中区) took its place. Use that one."
        )
        assert reason_sentence(said["110103"]) == "Division 110103 (崇文区) ended in 2010. Use the one that holds there today."
    assert [said[code] for code in ("630106", "639999", "")] == [None, None, None]


def test_a_place_a_zone_and_a_centre_take_a_division_of_today_and_keep_one_that_ended_since(cast: Any) -> None:
    site = Site.objects.create(organisation=cast.lab, name="Huangzhong", time_zone="Asia/Shanghai", region_code="630122")

    def moved(code: str, name: str = "Huangzhong") -> Site:
        return places.update_site(cast.actor("wang"), site.pk, Place(SiteFields(name, region_code=code)), cast.now)

    assert moved("630122", "Renamed").region_code == "630122"
    assert moved("630106").region_code == "630106"
    zone = PolicyZone.objects.create(slug="old", name="Old", region_code="630122")
    policy_zones.update_zone(OPERATOR, zone.pk, ZoneFields("Renamed", region_code="630122"), cast.now)
    for write in (
        lambda: moved("630122"),
        lambda: policy_zones.create_zone(OPERATOR, "new", ZoneFields("New", region_code="630122"), cast.now),
        lambda: centres.create(
            cast.actor("wang"), cast.lab.pk, {"inner_id": "C9", "name": "Centre", "region_code": "630122"}, cast.now
        ),
    ):
        with pytest.raises(Refusal) as refused:
            write()
        assert [reason.code for reason in refused.value.reasons] == ["codes.division_replaced"]


def test_a_list_of_instruments_with_an_old_code_is_taken_and_says_which_took_over(cast: Any) -> None:

    def handed(line: bytes) -> tuple[str, list[str], list[str]]:
        content = b"inner_id,name,region_code,site_name\n" + line
        run = import_runs.start(cast.actor("wang"), Asked("instruments", "csv", cast.lab.pk), content, "x.csv", cast.now)
        import_runs.work(run.pk, cast.now)
        (row,) = ImportRun.objects.get(pk=run.pk).rows.all()
        return row.fate, [one["code"] for one in row.reasons], [one["code"] for one in row.notes]

    assert handed(b"A1,SEM,630122,Old place\n") == ("created", [], ["codes.division_replaced"])
    assert handed(b"A1,SEM,630106,Place\n") == ("created", [], [])
    assert handed(b"A2,TEM,629999,No place\n") == ("refused", ["codes.division_unknown"], [])


def test_the_operators_list_counts_before_what_is_shipped() -> None:
    Code.objects.create(scheme="gbt2260", code="620102", name="城关新区", parent_code="620100", level=3)
    assert codes.name_of("gbt2260", "620102", DAY, "zh") == "城关新区"
    assert codes.name_of("gbt2260", "620100", DAY, "zh") == "兰州市"  # of whose level the list says nothing
    assert not divisions.is_division("620103")  # which the list leaves out
    assert codes.name_of("gbt2260", "620103", DAY, "zh") == ""
    assert divisions.is_division("650102") and divisions.is_division("630104")
    assert codes.name_of("gbt2260", "622125", DAY, "zh")  # ended before, and has its name


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("XRD near 格尔木", "632800"),
        ("XRD 湟中附近", "630100"),  # ours, by its short name
        ("XRD 兰州附近", "620100"),
        ("在甘肃测XRD", "620000"),
        ("在广州市测XRD", "440100"),
        ("在盐湖区测XRD", "140802"),
        ("在盐湖测卤水", ""),  # salt lakes are no district of Yuncheng
        ("矿区附近的水样", ""),
        ("在朝阳区测XRD", ""),  # of which there are two, none of them the city of Chaoyang
        ("朝阳区附近 XRD", ""),
        ("朝阳附近 XRD", "211300"),
        ("西安附近 XRD", "610100"),
        ("在西安区测XRD", ""),
        ("在大同区测XRD", "230606"),
        ("在市辖区测XRD", ""),
    ],
)
def test_words_become_places_elsewhere_only_when_they_are_said_like_one(text: str, code: str) -> None:
    assert parse_asking(text, divisions.known_places()).region_code == code


def test_forms_offer_provinces_and_prefectures_elsewhere_and_nothing_that_only_gathers() -> None:
    offered = {entry.code: entry.zh for entry in divisions.selectable()}
    assert next(iter(offered)) == "630000" and offered["632857"]
    assert {"620000", "620100", "110000"} <= offered.keys()
    assert not {"620102", "110100", "419000", "630122", "630101"} & offered.keys()


def test_what_was_made_of_a_list_is_kept_until_the_list_changes(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    first = divisions.known_places()
    monkeypatch.setattr(codes, "KEPT_SECONDS", -1.0)  # each question asks the database anew
    with CaptureQueriesContext(connection) as queries:
        assert divisions.known_places() is first
    assert len(queries) == 1
    Code.objects.create(scheme="gbt2260", code="620100", name="金城", parent_code="620000", level=2)
    assert divisions.known_places() is not first
