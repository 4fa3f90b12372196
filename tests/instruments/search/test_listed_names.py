"""The operator's lists of techniques and classes widen what is found: by the names of what they add and of what lies around it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from config.kernel.access import NOBODY
from config.kernel.errors import Refusal
from frontend.presenters import times as times_presenter
from frontend.time_form import TimeForm
from instruments.models import Code
from instruments.queries import codes, search_catalogue, suggest
from instruments.queries.techniques import technique_name
from instruments.rules.search_state import CatalogueSearch
from instruments.services import code_list_undo, registry, vocabulary
from instruments.services.catalogue_jobs import TASK
from instruments.services.code_lists import load_codes
from instruments.tasks import rebuild_catalogue
from tests.conftest import NOW
from tests.instruments.registry.conftest import OPERATOR
from tests.instruments.search.conftest import Stock

pytestmark = pytest.mark.django_db
ARPES, SPIN_ARPES, PHOTOEMISSION = "PaNET01089", "PaNET01222", "PaNET01269"
CLASSES = "code,parent,name_zh\n010000,,Analysis\n010300,010000,Roentgen\n010301,010300,Goniometers\n"
BALANCES = b"code,parent,name_zh\n020000,,Physics\n020100,020000,Balances\n"
SINCE = date(2026, 11, 1)


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    yield
    codes.forget()


@pytest.fixture
def techniques_listed(stock: Stock, shared_data: Path, now: datetime) -> Stock:
    """The real table, and an instrument of a technique that the short list does not have; the job that follows is done."""
    registry.update_instrument(OPERATOR, stock.furnace.pk, {"technique_codes": [SPIN_ARPES]}, now)
    load_codes(OPERATOR, "panet", (shared_data / "codes" / "panet-techniques.csv").read_bytes(), SINCE, now)
    codes.forget()
    rebuild_catalogue()
    vocabulary.rebuild_vocabulary()
    return stock


def found(text: str = "", **filters: str) -> list[str]:
    result = search_catalogue(NOBODY, CatalogueSearch(text=text, **filters), NOW)
    return [] if result.any_word else sorted(entry.name_en or entry.name for entry in result.items)


@pytest.mark.parametrize("text", ["spin and angle resolved photoemission", "ARPES", "photoemission"])
def test_what_only_the_list_knows_is_found_by_its_name_and_by_those_of_wider_techniques(
    techniques_listed: Stock, text: str
) -> None:
    assert found(text) == ["Muffle furnace"]


def test_before_the_list_nobody_knows_the_name(stock: Stock, now: datetime) -> None:
    registry.update_instrument(OPERATOR, stock.furnace.pk, {"technique_codes": [SPIN_ARPES]}, now)
    assert found("ARPES") == []


@pytest.mark.parametrize("code", [SPIN_ARPES, ARPES, PHOTOEMISSION])
def test_a_technique_of_the_list_narrows_also_by_what_it_is_under(techniques_listed: Stock, code: str) -> None:
    assert found(technique=code) == ["Muffle furnace"]


def test_the_facet_and_the_suggestions_name_it(techniques_listed: Stock) -> None:
    result = search_catalogue(NOBODY, CatalogueSearch(), NOW)
    labels = {one.value: one.label_en for one in result.facets["technique"]}
    assert labels[ARPES] == "angle resolved photoemission spectroscopy"
    terms = {(kind, one.term) for kind, group in suggest("ARPES").groups.items() for one in group}
    assert ("technique", "angle resolved photoemission spectroscopy") in terms


def test_a_technique_of_both_lists_keeps_our_chinese_name_and_gets_their_wider_ones(techniques_listed: Stock) -> None:
    assert technique_name("PaNET01216", "en") == "X-ray diffraction"
    assert found("x-ray probe", technique="PaNET01216") == found(technique="PaNET01216") == ["X-ray diffractometer"]
    assert found(technique="PaNET01012") == ["X-ray diffractometer"]  # x-ray probe, which only the table says


def test_find_a_time_offers_techniques_of_the_list_and_refuses_what_nobody_knows(techniques_listed: Stock) -> None:
    assert TimeForm(technique=ARPES).search(SINCE).technique == ARPES
    common, listed = times_presenter.technique_choices("")
    assert "PaNET01216" in dict(common)
    assert ARPES in dict(listed) and ARPES not in dict(common)
    with pytest.raises(Refusal) as refused:
        TimeForm(technique="PaNET09999").search(SINCE)
    assert [(reason.code, reason.field) for reason in refused.value.reasons] == [("time_search.technique_unknown", "technique")]


def test_a_class_is_found_by_the_names_of_all_its_levels(stock: Stock, now: datetime) -> None:
    registry.update_instrument(OPERATOR, stock.furnace.pk, {"class_code": "010301"}, now)
    assert found("goniometers") == found("roentgen") == []
    load_codes(OPERATOR, "nrii", CLASSES.encode(), SINCE, now)
    codes.forget()
    rebuild_catalogue()
    assert found("goniometers") == ["Muffle furnace"]
    assert "Muffle furnace" in found("roentgen")


def test_find_a_time_opens_the_classes_below_the_chosen_one(stock: Stock, now: datetime) -> None:
    load_codes(OPERATOR, "nrii", CLASSES.encode(), SINCE, now)
    codes.forget()
    assert "0103" not in dict(times_presenter.class_choices(""))
    assert [code for code, _ in times_presenter.class_choices("0103")][:4] == ["01", "0103", "010301", "02"]
    assert ("0199", "\u20030199") in times_presenter.class_choices("0199")  # what no list has stays chosen


def test_a_list_that_changes_what_is_found_has_the_catalogue_made_anew_and_so_has_taking_it_back(
    stock: Stock, now: datetime
) -> None:
    def waiting() -> int:
        return ProcrastinateJob.objects.filter(task_name=TASK).count()

    load_codes(OPERATOR, "gbt13745", b"code,name_zh\n150,Chemistry\n", SINCE, now)
    assert waiting() == 0
    load_codes(OPERATOR, "nrii", BALANCES, SINCE, now)
    assert waiting() == 1
    load_codes(OPERATOR, "nrii", BALANCES, SINCE, now)
    assert waiting() == 1  # the same list changes nothing
    code_list_undo.take_back(OPERATOR, codes.newest_loads(OPERATOR)["nrii"].pk, "the wrong year", now)
    assert waiting() == 2


def test_wider_techniques_are_kept_with_a_list_and_come_back_when_a_newer_one_is_taken_back(
    stock: Stock, shared_data: Path, now: datetime
) -> None:
    table = (shared_data / "codes" / "panet-techniques.csv").read_bytes()
    load_codes(OPERATOR, "panet", table, SINCE, now)
    before = Code.objects.get(scheme="panet", code=SPIN_ARPES)
    assert (before.parent_code, before.more_parents) == (ARPES, ["PaNET01060"])
    less = table.decode().replace(",angle resolved photoemission spectroscopy,versus emitted polarization,", ",,,")
    assert less != table.decode()
    load_codes(OPERATOR, "panet", less.encode(), date(2026, 11, 20), now)
    changed = Code.objects.get(scheme="panet", code=SPIN_ARPES, valid_to=None)
    assert (changed.parent_code, changed.more_parents) == ("", [])
    code_list_undo.take_back(OPERATOR, codes.newest_loads(OPERATOR)["panet"].pk, "the wrong table", now)
    restored = Code.objects.get(scheme="panet", code=SPIN_ARPES, valid_to=None)
    assert (restored.parent_code, restored.more_parents) == (ARPES, ["PaNET01060"])
