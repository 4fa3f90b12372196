"""Instruments are found by Chinese words of two characters, pinyin, its initials, Latin words and numbers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from config.kernel.access import NOBODY, Actor, Grant, Role
from instruments.models import Instrument, Organisation
from instruments.queries import SearchResult, search_catalogue
from instruments.rules.search_state import CatalogueSearch
from instruments.services import catalogue, registry, search_tokens
from instruments.services.organisation_facts import facts_of
from instruments.services.organisations import update_profile
from instruments.services.registry import InstrumentFields, SiteFields
from tests.conftest import NOW
from tests.instruments.registry.conftest import OPERATOR, make_owner

pytestmark = pytest.mark.django_db

ELECTRON = "\u573a\u53d1\u5c04\u626b\u63cf\u7535\u5b50\u663e\u5fae\u955c"  # field emission scanning electron microscope
MASS = "\u6c14\u76f8\u8272\u8c31\u8d28\u8c31\u8054\u7528\u4eea"  # gas chromatograph with mass spectrometer
TIBETAN = "\u0f56\u0f7c\u0f51\u0f0b\u0f61\u0f72\u0f42"


@pytest.fixture
def stock(owner: Organisation, now: datetime) -> list[Instrument]:
    other = make_owner("Salt Lake University", now)
    xining = registry.create_site(OPERATOR, owner.pk, SiteFields("Xining", region_code="630104"), now)
    golmud = registry.create_site(OPERATOR, other.pk, SiteFields("Golmud", region_code="632801"), now)
    rows = [
        (
            xining,
            InstrumentFields(
                ELECTRON, "Scanning electron microscope", model="JSM-7800F", class_code="0101", service_modes=("assisted",)
            ),
        ),
        (
            xining,
            InstrumentFields(
                MASS, manufacturer="Agilent", class_code="0105", status="under_repair", commissioned_on=date(2020, 1, 1)
            ),
        ),
        (golmud, InstrumentFields(f"XRD {TIBETAN}", inner_id="QH-0042", class_code="02", service_modes=("assisted", "remote"))),
        (golmud, InstrumentFields("Old furnace", class_code="12", status="retired")),
        (golmud, InstrumentFields("Draft lathe", class_code="12", published=False)),
    ]
    return [registry.create_instrument(OPERATOR, site.pk, fields, now) for site, fields in rows]


def names(result: SearchResult) -> list[str]:
    return [item.name for item in result.items]


def find(text: str = "", actor: Actor = NOBODY, **filters: Any) -> SearchResult:
    return search_catalogue(actor, CatalogueSearch(text=text, kind="instrument", **filters), NOW)


@pytest.mark.parametrize(
    "text",
    [
        "\u7535\u5b50",
        "\u955c",
        "\u663e\u5fae\u955c",
        "dianzi",
        "xianweijing",
        "smdz",
        "xwj",
        "scanning",
        "micro",
        "jsm-7800f",
        "JSM7800",
        "\uff2a\uff33\uff2d",
        "7800",
    ],
)
def test_a_part_of_what_it_is_called_finds_it(stock: list[Instrument], text: str) -> None:
    assert names(find(text)) == [ELECTRON]


@pytest.mark.parametrize("text", ["\u955c\u7535", "dianzhi", "JSM 7900", "microscope agilent", "\u7535\u5b50 \u8d28\u8c31"])
def test_words_that_are_not_all_there_find_what_has_some_of_them_and_that_is_said(stock: list[Instrument], text: str) -> None:
    result = find(text)
    assert result.any_word == bool(result.total)


@pytest.mark.parametrize(
    ("text", "found"),
    [("agilent", MASS), ("qh-0042", f"XRD {TIBETAN}"), (TIBETAN, f"XRD {TIBETAN}"), ("salt lake", f"XRD {TIBETAN}")],
)
def test_maker_number_owner_and_other_scripts_are_found(stock: list[Instrument], text: str, found: str) -> None:
    assert names(find(text)) == [found]


@pytest.mark.parametrize("text", ["'", "\\", "& | ! ( ) :*", "';--", "a'b", "\0", "\U0001f52c", " " * 300, "<->", "%s"])
def test_signs_without_words_find_nothing_and_break_nothing(stock: list[Instrument], text: str) -> None:
    result = find(text)
    assert result.any_word or result.total in {0, 3}


@given(text=st.text(max_size=60))
@example("GCS")
@example("electron microscopes")
@example("gas chromatograph\u0301")
@example("gc\U00010428")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_typed_or_stored_is_a_valid_query_and_vector(text: str) -> None:
    clean = text.replace("\0", "").encode("utf-8", "ignore").decode()
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::tsvector @@ %s::tsquery", [search_tokens.vector([clean], []), search_tokens.query(clean)])
        (matches,) = cursor.fetchone()
    assert matches or not search_tokens.query(clean)


def test_drafts_and_retired_ones_are_left_out_for_the_public(stock: list[Instrument]) -> None:
    assert find().total == 3
    assert names(find(status="retired")) == ["Old furnace"]
    lab = Actor(grants=(Grant(stock[4].organisation_id, Role.LAB_MANAGER),))
    assert "Draft lathe" in names(find(actor=lab))


def test_each_filter_narrows_and_its_facet_counts_what_choosing_would_give(stock: list[Instrument]) -> None:
    assert names(find(region_code="632800")) == [f"XRD {TIBETAN}"]
    assert find(region_code="630000").total == 3
    assert names(find(service_mode="remote")) == [f"XRD {TIBETAN}"]
    assert names(find(owner=str(stock[0].organisation_id), status="under_repair")) == [MASS]
    result = find(class_code="01")
    assert result.total == 2
    facets = {name: {one.value: one.count for one in values} for name, values in result.facets.items()}
    assert facets["class_code"] == {"01": 2, "02": 1}
    assert facets["region_code"] == {"630100": 2}
    assert facets["status"] == {"normal": 1, "under_repair": 1}
    for value, count in facets["class_code"].items():
        assert find(class_code=value).total == count


def test_bookable_means_running_and_with_opening_hours(stock: list[Instrument]) -> None:
    assert find(bookable="yes").total == 0
    for instrument in stock[:2]:
        windows = [registry.WeeklyWindow(0, time(9), time(17))]
        registry.set_weekly_hours(OPERATOR, instrument.pk, windows, NOW.date(), NOW)
    assert names(find(bookable="yes")) == [ELECTRON]


def test_when_nothing_is_found_the_filters_that_stand_in_the_way_are_named(stock: list[Instrument]) -> None:
    result = find("\u7535\u5b50", class_code="02")
    assert [(one.without, one.count) for one in result.relaxations] == [("class_code", 1), ("text", 1)]
    both = find("\u7535\u5b50", class_code="02", status="under_repair")
    assert [(one.without, one.count) for one in both.relaxations] == [("filters", 1)]
    assert find().relaxations == []


def test_names_are_sorted_by_pinyin_and_pages_do_not_overlap(stock: list[Instrument]) -> None:
    pages = [search_catalogue(NOBODY, CatalogueSearch(), NOW, page, page_size=1) for page in (1, 2, 3)]
    assert [names(page) for page in pages] == [[ELECTRON], [MASS], [f"XRD {TIBETAN}"]]  # changfashe, qixiang, xrd
    assert search_catalogue(NOBODY, CatalogueSearch(), NOW, 99, page_size=1).page == 3


def test_the_number_of_queries_does_not_grow(stock: list[Instrument], owner: Organisation, now: datetime) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            for item in search_catalogue(NOBODY, CatalogueSearch(text="electron"), NOW, page_size=200).items:
                assert item.organisation.name
                assert item.instrument is not None
                assert item.instrument.site.name
        return len(captured)

    queries()  # names of codes are read once
    few = queries()
    for number in range(30):
        registry.create_instrument(OPERATOR, stock[0].site_id, InstrumentFields(f"Electron gun {number}"), now)
    assert queries() == few <= 6


def test_a_renamed_owner_is_found_by_its_new_name(stock: list[Instrument], owner: Organisation, now: datetime) -> None:
    assert find("plateau").total == 0
    facts = replace(facts_of(owner), name="Plateau Institute", name_en="Gaoyuan")
    update_profile(Actor(grants=(Grant(owner.pk, Role.LAB_MANAGER),)), owner.pk, facts, now)
    assert find("plateau").total == find("gaoyuan").total == 2
    assert catalogue.rebuild(NOW) == 0
