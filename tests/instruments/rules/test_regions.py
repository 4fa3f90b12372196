"""Divisions and instrument classes, against the shared lists they restate."""

import csv
import os
from pathlib import Path

import pytest

from instruments.rules.classification import instrument_classes
from instruments.rules.division_years import listed_divisions
from instruments.rules.regions import PROVINCES, division_prefix, provinces, region_contains, region_name, regions

DATA = Path(os.environ.get("JISHI_DATA_DIR", Path(__file__).parents[4] / "shared" / "data"))


def rows(name: str) -> list[dict[str, str]]:
    path = DATA / "codes" / name
    if not path.exists():
        pytest.skip(f"the shared list {path} is absent")
    with path.open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def test_prefectures_and_counties_are_those_of_the_shared_lists():
    listed = {row["code"] + "00": row["name_zh"] for row in rows("qinghai-prefectures-gbt2260.csv")}
    listed |= {row["code"]: row["name_zh"] for row in rows("qinghai-counties-gbt2260.csv")}
    ours = {code: region.zh for code, region in regions().items() if region.level != "province"}
    assert ours == listed


def test_the_classes_are_the_top_level_of_the_shared_list_in_its_order():
    listed = [(row["code"][:2], row["name_zh"]) for row in rows("nrii-instrument-classification.csv") if row["level"] == "1"]
    assert [(one.code, one.zh) for one in instrument_classes().values()] == listed
    assert len(listed) == 15
    assert all(one.en.isascii() and one.en for one in instrument_classes().values())


def test_every_division_lies_in_its_prefecture_and_in_the_province_and_in_no_other():
    prefectures = [code for code, region in regions().items() if region.level == "prefecture"]
    assert len(prefectures) == 8
    for code, region in regions().items():
        assert region_contains("630000", code)
        holders = [prefecture for prefecture in prefectures if region_contains(prefecture, code)]
        assert holders == ([] if region.level == "province" else [code[:4] + "00"])


def test_a_division_contains_itself_but_not_its_parent_or_sibling():
    assert region_contains("630102", "630102")
    assert not region_contains("630102", "630100")
    assert not region_contains("630102", "630103")
    assert not region_contains("630000", "310105")
    assert not region_contains("632500", "460000")


@pytest.mark.parametrize("code", ["", "6301", "6301020", "63010x", "063010"])
def test_codes_of_another_length_are_refused(code):
    with pytest.raises(ValueError, match="six-digit"):
        region_contains("630000", code)
    with pytest.raises(ValueError, match="six-digit"):
        region_contains(code, "630000")


def test_names_in_both_languages_tell_like_named_divisions_apart():
    assert region_name("632500", "en") == "Hainan Tibetan Autonomous Prefecture"
    assert region_name("632500", "zh") == regions()["632500"].zh
    assert len({region.zh for region in regions().values()}) == len({region.en for region in regions().values()})
    with pytest.raises(LookupError):
        region_name("460000", "zh")


def test_every_province_has_an_english_name_of_its_own_and_is_called_as_in_the_list_of_the_country():
    listed = {one.code: one.zh for one in listed_divisions() if one.code.endswith("0000") and one.valid_to is None}
    ours = {**provinces(), "630000": regions()["630000"]}
    assert {code: one.zh for code, one in ours.items()} == listed
    assert len({one.en for one in ours.values()}) == len(listed) == 34 == len(PROVINCES)


def test_the_statistical_unit_is_not_called_a_county():
    assert [code for code, region in regions().items() if region.level == "statistical"] == ["632857"]


@pytest.mark.parametrize(
    ("code", "prefix"), [("630000", "63"), ("630100", "6301"), ("630104", "630104"), ("6300", "63"), ("", "")]
)
def test_the_zeros_that_stand_for_all_of_a_division_are_no_part_of_its_prefix(code, prefix):
    assert division_prefix(code) == prefix
