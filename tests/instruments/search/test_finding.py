"""Anything is found by any of its names; facets say what each choice would give; nothing breaks the search."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from config.kernel.access import NOBODY, Actor, Grant, Role
from instruments import catalogue_ports
from instruments.models import CatalogueCount, Site
from instruments.queries import SearchResult, codes, compared, search_catalogue
from instruments.queries import catalogue as finding
from instruments.rules.search_state import CatalogueSearch, read_search
from instruments.services import catalogue, registry, search_tokens, vocabulary
from instruments.services.code_lists import load_codes
from instruments.services.registry import InstrumentFields
from tests.conftest import NOW
from tests.instruments.registry.conftest import OPERATOR
from tests.instruments.search.conftest import BRINE_ZH, Stock, entry_of, make_test_item

pytestmark = pytest.mark.django_db
ITEM = "Lithium and magnesium in brine"
XRD_ZH = "X\u5c04\u7ebf\u884d\u5c04"
LI_MG_ZH = "\u9502\u548c\u9541"


def find(text: str = "", actor: Actor = NOBODY, **filters: str) -> SearchResult:
    return search_catalogue(actor, CatalogueSearch(text=text, **filters), NOW)


def names(result: SearchResult) -> list[str]:
    return sorted(entry.name_en or entry.name for entry in result.items)


@pytest.mark.parametrize(
    "text", ["brine, Li and Mg, 12 samples", f"{BRINE_ZH} {LI_MG_ZH}", "lithium brine", "Li Mg", "brines magnesium Li+"]
)
def test_what_is_measured_finds_the_test_item_and_the_instrument_behind_it(stock: Stock, text: str) -> None:
    result = find(text)
    assert names(result) == ["ICP mass spectrometer", ITEM]
    assert not result.any_word


@pytest.mark.parametrize(
    "text",
    [
        f"\u6211\u60f3\u6d4b{BRINE_ZH}\u4e2d\u7684{LI_MG_ZH}\uff0c12\u4e2a\u6837\u54c1",  # I want to measure lithium and magnesium in brine
        f"\u6d4b{BRINE_ZH}\u91cc\u7684\u9502",
        f"{BRINE_ZH}\u4e2d\u9502\u9541\u542b\u91cf",  # the content of lithium and magnesium in brine
        "Mg2+",
        "Mg\u00b2\u207a Li+",
        "where can I get lithium in brine",
    ],
)
def test_a_sentence_finds_what_it_is_about(stock: Stock, text: str) -> None:
    result = find(text)
    assert names(result) == ["ICP mass spectrometer", ITEM]
    assert not result.any_word


def test_a_word_of_a_sentence_that_is_all_there_is_stays_a_word() -> None:
    assert search_tokens.units("\u5206\u6790") == ["('\u5206\u6790')"]
    assert search_tokens.units("\u80fd\u8c31\u4eea") != []  # does not begin with "can"


def test_a_long_chinese_word_that_nothing_has_finds_what_has_a_part_of_it(stock: Stock) -> None:
    result = find("\u8026\u5408\u7b49\u79bb\u5b50\u68c0\u6d4b\u4e2d\u5fc3")
    assert (result.any_word, names(result)) == (True, ["ICP mass spectrometer"])


@pytest.mark.parametrize("text", ["XRD Golmud", "\u683c\u5c14\u6728XRD", "\u683c\u5c14\u6728\u7684XRD"])
def test_the_name_of_a_place_among_the_words_means_what_lies_in_it(stock: Stock, text: str) -> None:
    Site.objects.filter(pk=stock.xrd.site_id).update(name="Campus")
    catalogue.refresh_instruments([stock.xrd.pk], NOW)
    result = find(text)
    assert (names(result), result.search.region_code, result.any_word) == (["X-ray diffractometer"], "632801", False)
    assert find(text, region_code="630100").search.region_code == "630100"
    assert finding.new_since(CatalogueSearch(text=text), NOW - timedelta(days=1), NOW) == [entry_of(stock.xrd).pk]


def test_near_a_place_where_nothing_has_all_words_shows_what_has_some_elsewhere(stock: Stock) -> None:
    result = find("XRD goniometer near Xining")
    assert (result.any_word, result.elsewhere, names(result)) == (True, True, ["X-ray diffractometer"])


@pytest.mark.parametrize("text", ["XRD", XRD_ZH, "X-ray diffraction", "diffractometer", "diffraction"])
def test_a_technique_is_found_by_any_name(stock: Stock, text: str) -> None:
    assert names(find(text)) == ["X-ray diffractometer"]


@pytest.mark.parametrize("text", ["NexION-2000", "nexion2000", "NEXION 2000", "dgoh", "dianganouhe", "ICPMS"])
def test_models_pinyin_and_initials_find_it(stock: Stock, text: str) -> None:
    assert "ICP mass spectrometer" in names(find(text))


def test_a_place_in_the_words_narrows_like_the_filter(stock: Stock) -> None:
    near = find("XRD, 3 hours, near Golmud")
    assert (names(near), near.search.region_code) == (["X-ray diffractometer"], "632800")
    assert find("XRD near Golmud", region_code="630100").total == 0  # a filter that is set counts more than words
    assert not near.elsewhere and not find("XRD near Golmud", region_code="630100").elsewhere
    unknown = find("XRD near Atlantis")
    assert (unknown.total, unknown.asked.unknown_place) == (1, "Atlantis")


def test_what_is_nowhere_near_a_place_is_found_farther_away_and_said_to_be_so(stock: Stock) -> None:
    found = find("ICP near Golmud")
    assert (found.elsewhere, found.search.region_code, found.asked.region_code) == (True, "", "632800")
    assert "ICP mass spectrometer" in names(found)
    assert found.total == find("ICP").total
    assert not find("ICP in Golmud").total  # in it means in it
    assert not find("nothingofthekind near Golmud").elsewhere


def test_kinds_techniques_training_and_zones_are_counted(stock: Stock) -> None:
    facets = {name: {one.value: one.count for one in values} for name, values in find().facets.items()}
    assert facets["kind"] == {"instrument": 3, "test_item": 1}
    assert facets["training"] == {"no": 2, "yes": 1}
    assert facets["technique"]["PaNET01216"] == facets["technique"]["PaNET01022"] == 1
    assert facets["region_code"] == {"630100": 3, "632800": 1}
    assert facets["owner"] == {str(stock.lab.pk): 3, str(stock.university.pk): 1}
    labels = {one.value: one.label for one in find().facets["owner"]}
    assert labels[str(stock.lab.pk)] == "Kunlun Institute"


@pytest.mark.parametrize("name", ["kind", "class_code", "owner", "training", "service_mode", "region_code"])
def test_each_count_is_what_choosing_the_value_finds(stock: Stock, name: str) -> None:
    chosen = {"kind": "instrument"} if name != "kind" else {"training": "no"}
    for value in find(**chosen).facets[name]:
        assert find(**chosen | {name: value.value}).total == value.count, value


def test_a_choice_beside_the_chosen_one_counts_what_has_both(stock: Stock, now: datetime) -> None:
    registry.update_instrument(OPERATOR, stock.xrd.pk, {"service_modes": ["assisted", "commissioned"]}, now)
    for value in find(service_mode="assisted").facets["service_mode"]:
        assert find(service_mode=value.value).total == value.count, value


CLASSES = """code,parent,name_zh
010000,,\u5206\u6790\u4eea\u5668
010300,010000,X-ray
010301,010300,Diffractometers
010302,010300,Spectrometers
010400,010000,Mass spectrometers
120000,,Process
"""


@pytest.fixture
def classes(stock: Stock, now: datetime) -> None:
    """A list of three levels; the diffractometer is in a bottom class, the mass spectrometer in a middle one, in six digits."""
    load_codes(OPERATOR, "nrii", CLASSES.encode(), date(2026, 11, 1), now)
    registry.update_instrument(OPERATOR, stock.xrd.pk, {"class_code": "010301"}, now)
    registry.update_instrument(OPERATOR, stock.icp.pk, {"class_code": "010400"}, now)
    codes.forget()


def class_counts(**filters: str) -> dict[str, int | None]:
    return {one.value: one.count for one in find(**filters).facets["class_code"]}


@pytest.mark.usefixtures("classes")
def test_a_class_that_is_chosen_shows_the_finer_ones_and_those_around_it() -> None:
    assert class_counts() == {"01": 2, "12": 1}
    assert class_counts(class_code="01") == {"01": 2, "0103": 1, "0104": 1}
    assert class_counts(class_code="0103") == {"01": 2, "0103": 1, "010301": 1}
    assert class_counts(class_code="010301") == {"01": 2, "0103": 1, "010301": 1}
    assert class_counts(class_code="12") == {"01": 2, "12": 1}  # nothing finer: another one can be chosen
    assert names(find(class_code="0104")) == ["ICP mass spectrometer"]
    labels = {one.value: (one.label, one.label_en) for one in find(class_code="01").facets["class_code"]}
    assert labels["0103"] == ("X-ray", "")
    assert labels["01"][1] == "Analytical instruments"


@pytest.mark.usefixtures("classes")
@pytest.mark.parametrize("chosen", ["01", "0103", "010301", "12"])
@pytest.mark.parametrize("beside", [{}, {"kind": "instrument"}, {"region_code": "630000", "service_mode": "assisted"}])
def test_each_class_around_and_below_counts_what_choosing_it_finds(chosen: str, beside: dict[str, str]) -> None:
    for code, count in class_counts(class_code=chosen, **beside).items():
        assert find(class_code=code, **beside).total == count, code


def test_a_finer_class_that_no_list_has_is_no_choice(stock: Stock) -> None:
    assert class_counts(class_code="01") == {"01": 2, "12": 1}
    assert find(class_code="0103").total == 2  # an address may still say it


def test_a_region_that_is_chosen_shows_what_lies_in_it(stock: Stock) -> None:
    values = {one.value: one.count for one in find(region_code="630000").facets["region_code"]}
    assert values == {"630000": 4, "630100": 3, "632800": 1}
    assert find(region_code="999999").total == 0


def test_nothing_with_all_words_shows_what_has_some(stock: Stock) -> None:
    result = find("diffractometer furnace")
    assert (result.any_word, names(result)) == (True, ["Muffle furnace", "X-ray diffractometer"])
    with_filter = find("diffractometer", class_code="12")
    assert (with_filter.any_word, with_filter.total) == (False, 0)
    assert with_filter.relaxations[0].without == "class_code"


@pytest.mark.parametrize(
    "text",
    [
        "'",
        "\\",
        "& | ! ( ) :*",
        "%",
        "_",
        "%_%",
        "'; DROP TABLE x; --",
        "\u3002\uff0c\uff1b\uff01",
        "\u300a\u4eea\u5668\u300b",
        "\0",
        "<->",
        "a" * 100_000,
        "\u4eea" * 100_000,
        "1 " * 50_000,
        "near " * 20_000,
    ],
)
def test_hostile_words_get_an_answer_in_bounded_time(stock: Stock, text: str) -> None:
    began = time.perf_counter()
    result = search_catalogue(NOBODY, read_search({"q": text}), NOW)
    assert result.total <= 4
    assert time.perf_counter() - began < 3


def test_drafts_are_seen_by_their_lab_only(stock: Stock, now: datetime) -> None:
    registry.set_published(OPERATOR, stock.furnace.pk, False, now)
    assert find("furnace").total == 0
    assert find("furnace", Actor(grants=(Grant(stock.lab.pk, Role.LAB_MANAGER),))).total == 1
    assert find("furnace", Actor(grants=(Grant(stock.university.pk, Role.LAB_MANAGER),))).total == 0


def test_more_than_are_looked_at_is_said_and_pages_stay_right(stock: Stock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "BOUND", 2)
    result = search_catalogue(NOBODY, CatalogueSearch(), NOW, page_size=2)
    assert (result.total, result.more, result.first_only) == (2, True, True)
    by_name = [entry.name_pinyin for entry in result.items]
    assert by_name == sorted(by_name)
    vocabulary.rebuild_vocabulary()
    browsed = search_catalogue(NOBODY, CatalogueSearch(), NOW, page_size=2)
    assert (browsed.total, browsed.more, browsed.first_only) == (4, True, False)
    assert {one.value: one.count for one in browsed.facets["kind"]} == {"instrument": 3, "test_item": 1}
    assert CatalogueCount.objects.get(pk="instrument|*").count == 3
    one_class = search_catalogue(NOBODY, CatalogueSearch(class_code="12"), NOW)
    assert {one.value: one.count for one in one_class.facets["class_code"]} == {"01": 2, "12": 1}


def test_the_number_of_statements_does_not_grow(stock: Stock, now: datetime) -> None:
    def statements(**asked: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            for entry in search_catalogue(NOBODY, CatalogueSearch(**asked), NOW, page_size=200).items:
                assert entry.organisation.name
                assert entry.instrument is None or entry.instrument.site.name
                assert entry.resource is None or entry.resource.test_item.method
        return len(captured)

    asked: dict[str, Any] = {"text": "electron", "kind": "instrument", "region_code": "630100"}
    registry.create_instrument(OPERATOR, stock.icp.site_id, InstrumentFields("Electron gun"), now)
    statements(**asked), statements()  # names of codes are read once
    few = statements(**asked), statements()
    for number in range(25):
        registry.create_instrument(OPERATOR, stock.icp.site_id, InstrumentFields(f"Electron gun {number}"), now)
        make_test_item(stock.lab, now, f"Electron {number}", matrix="water", analytes=["K"], behind=[stock.icp])
    assert (statements(**asked), statements()) == few
    assert max(few) <= 7


@pytest.fixture
def free_instruments(stock: Stock) -> Iterator[None]:
    """Day availability that says: the diffractometer is free within three days, the furnace within a week."""
    days = {1: [], 3: [stock.xrd.pk], 7: [stock.xrd.pk, stock.furnace.pk]}
    before = list(catalogue_ports._next_free)
    catalogue_ports.register_next_free(lambda within, now, minutes=60, *, after_days=0: Q(instrument__in=days[within]))
    yield
    catalogue_ports._next_free[:] = before


def test_next_free_is_a_filter_once_somebody_keeps_the_days(stock: Stock, free_instruments: None) -> None:
    assert {one.value: one.count for one in find().facets["next_free"]} == {"1": 0, "3": 1, "7": 2}
    assert names(find(next_free="3")) == ["X-ray diffractometer"]
    assert find("furnace this week").total == 1  # a Monday: seven days
    assert find("furnace today").total == 0
    assert {entry.kind for entry in find("today").items} == {"test_item"}  # what is not booked by time stays
    nothing = find("furnace", next_free="1")
    assert [(one.without, one.count) for one in nothing.relaxations] == [("next_free", 1), ("text", 0)][:1]
    free = {
        one.entry.instrument_id: one.free_within
        for one in compared(NOBODY, [entry_of(stock.xrd).pk, entry_of(stock.icp).pk], NOW)
    }
    assert free == {stock.xrd.pk: 3, stock.icp.pk: None}


def test_things_are_compared_in_the_order_asked_with_what_is_measured(stock: Stock) -> None:
    ids = [entry_of(stock.xrd).pk, entry_of(stock.icp).pk, 10**9]
    found = compared(NOBODY, ids, NOW)
    assert [one.entry.instrument_id for one in found] == [stock.xrd.pk, stock.icp.pk]
    assert [[item.name for item in one.test_items] for one in found] == [[], [ITEM]]
