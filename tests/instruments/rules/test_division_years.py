"""Divisions with the years in which they held, and which one took another's place."""

from __future__ import annotations

from datetime import date

import pytest

from instruments.rules.division_years import (
    ListedDivision,
    ended_in,
    is_gathering,
    is_like_a_word,
    listed_divisions,
    read_divisions,
    successor,
)
from instruments.rules.regions import regions

LINES = [
    '63 province="青海省"',
    '  0100 county="西宁市"',
    '  0121 county="[-1984]大通县,[1985-]大通回族土族自治县"',
    '  0122 county="[1999-2019]湟中县"',
]


def test_a_year_is_from_its_first_to_its_last_day() -> None:
    assert list(read_divisions(LINES)) == [
        ListedDivision("630100", "西宁市"),
        ListedDivision("630121", "大通县", None, date(1985, 1, 1)),
        ListedDivision("630121", "大通回族土族自治县", date(1985, 1, 1), None),
        ListedDivision("630122", "湟中县", date(1999, 1, 1), date(2020, 1, 1)),
    ]
    assert [ended_in(one) for one in read_divisions(LINES)] == [None, 1984, None, 2019]


def test_the_country_has_its_provinces_and_our_names_are_those_of_its_list() -> None:
    holding = {one.code: one.zh for one in listed_divisions() if one.valid_to is None}
    assert sum(code.endswith("0000") for code in holding) == 34
    assert len(holding) > 3000
    ours = {code: region.zh for code, region in regions().items() if region.level != "statistical"}
    assert {code: holding.get(code) for code in ours} == ours


@pytest.mark.parametrize(
    ("code", "became"),
    [
        ("630122", "630106"),  # a county that became a district
        ("632124", "630106"),  # and before that one of another prefecture
        ("632321", "632301"),
        ("632100", "630200"),
        ("110221", "110114"),
        ("110103", None),  # it went into another district
        ("652201", None),  # a city of a prefecture does not become the prefecture
    ],
)
def test_the_division_that_took_over_is_known_where_there_is_only_one(code: str, became: str | None) -> None:
    listed = listed_divisions()
    found = successor([one for one in listed if one.code == code][-1], listed)
    assert (found and found.code) == became


def test_two_that_could_have_taken_over_are_none() -> None:
    ended = ListedDivision("630122", "湟中县", None, date(2020, 1, 1))
    new = [ListedDivision(code, "湟中区", date(2019, 1, 1)) for code in ("630106", "630107")]
    assert successor(ended, [ended, *new[:1]]) == new[0]
    assert successor(ended, [ended, *new]) is None


def test_what_only_gathers_others_or_is_an_ordinary_word_is_told_apart() -> None:
    assert all(is_gathering(name) for name in ("市辖区", "县", "省直辖县级行政单位", "自治区直辖县级行政单位"))
    assert not any(is_gathering(name) for name in ("易县", "城东区", "北京市"))
    assert is_like_a_word("矿区") and not is_like_a_word("易县") and not is_like_a_word("湟中区")
