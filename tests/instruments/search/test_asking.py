"""What people type is taken apart into words, samples, time and place; what is not understood stays a word."""

from __future__ import annotations

import time
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instruments.rules.asking import Lexicon, Place, days_meant, known_places, lexicon_of, parse_asking, without_light_words

BRINE_ZH = "\u5364\u6c34"
SAMPLES_ZH = "12\u4e2a\u6837\u54c1"
LI_AND_MG_ZH = "\u9502\u548c\u9541"
GOLMUD_NEARBY_ZH = "\u683c\u5c14\u6728\u9644\u8fd1"
THREE_HOURS_ZH = "\u4e09\u5c0f\u65f6"
NEXT_WEEK_ZH = "\u4e0b\u5468"


def test_a_sample_question_is_words_and_a_number() -> None:
    asked = parse_asking("brine, Li and Mg, 12 samples")
    assert (asked.words, asked.samples) == ("brine Li Mg", 12)
    assert [(hint.name, hint.rest) for hint in asked.hints] == [("samples", "brine, Li and Mg")]


def test_technique_time_and_place_are_told_apart() -> None:
    asked = parse_asking("XRD, 3 hours, next week, near Golmud")
    assert (asked.words, asked.duration_minutes, asked.when) == ("XRD", 180, "next_week")
    assert (asked.region_code, asked.near) == ("632800", True)
    assert {hint.name for hint in asked.hints} == {"duration", "when", "region"}


def test_the_same_in_chinese() -> None:
    asked = parse_asking(f"{GOLMUD_NEARBY_ZH} XRD {THREE_HOURS_ZH} {NEXT_WEEK_ZH}")
    assert (asked.words, asked.duration_minutes, asked.when, asked.region_code) == ("XRD", 180, "next_week", "632800")
    asked = parse_asking(f"{BRINE_ZH}\uff0c{LI_AND_MG_ZH}\uff0c{SAMPLES_ZH}")
    assert (asked.words, asked.samples) == (f"{BRINE_ZH} \u9502 \u9541", 12)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("90 min", 90),
        ("1.5h", 90),
        ("2 days", 2880),
        ("\u534a\u5c0f\u65f6", 30),
        ("\u5341\u4e8c\u5c0f\u65f6", 720),
        ("99999999 hours", None),
    ],
)
def test_lengths_of_time_are_minutes(text: str, minutes: int | None) -> None:
    assert parse_asking(f"SEM {text}").duration_minutes == minutes


@pytest.mark.parametrize(
    "text",
    ["JSM-7800F", "12C", "Li2CO3", "0 samples", "1.5 samples", "sample holder", "\u5171\u632f\u548c\u6210\u50cf", "Golmud"],
)
def test_what_only_looks_like_a_quantity_or_a_place_stays_a_word(text: str) -> None:
    asked = parse_asking(text)
    assert asked.hints == ()
    assert asked.words


def test_in_a_county_is_the_county_and_near_it_the_prefecture() -> None:
    assert parse_asking("SEM in Golmud").region_code == "632801"
    assert parse_asking("SEM near Golmud City").region_code == "632800"


def test_a_place_that_nobody_knows_is_named_and_not_searched_for() -> None:
    asked = parse_asking("XRD near Atlantis")
    assert (asked.words, asked.unknown_place, asked.region_code) == ("XRD", "Atlantis", "")


def test_other_places_can_be_given() -> None:
    assert parse_asking("XRD near Lhasa", Lexicon({"lhasa": "540102"})).region_code == "540100"
    assert "golmud" in known_places().places


def test_a_place_that_counts_in_full_is_meant_by_its_whole_name_alone() -> None:
    lexicon = lexicon_of([Place("140800", ("运城市",)), Place("140802", ("盐湖区",), in_full=True), Place("620400", ("白银市",))])
    assert parse_asking("XRD 盐湖区附近", lexicon).region_code == "140800"
    assert parse_asking("XRD 盐湖附近", lexicon).region_code == ""
    assert parse_asking("在运城测XRD", lexicon).region_code == "140800"
    assert parse_asking("在白银市测XRD", lexicon).region_code == "620400"
    assert parse_asking("在白银中测铜", lexicon).region_code == ""  # silver


def test_of_two_places_before_a_word_the_longer_name_is_meant_and_its_ending_goes_with_it() -> None:
    lexicon = Lexicon({"海南": "460000", "海南藏族": "632500", "南": "630000"})
    asked = parse_asking("XRD 海南藏族自治州附近", lexicon)
    assert (asked.words, asked.region_code) == ("XRD", "632500")
    assert parse_asking("2海南附近", lexicon).region_code == "630000"  # not within a number


@pytest.mark.parametrize(
    "text", ["XRD \u897f\u5b81", "\u897f\u5b81\u7684XRD", "\u897f\u5b81XRD", "XRD Xining", "xining city, XRD"]
)
def test_a_place_by_itself_is_one_where_that_is_wanted(text: str) -> None:
    asked = parse_asking(text, places_alone=True)
    assert (asked.words, asked.region_code, asked.near) == ("XRD", "630100", False)
    assert parse_asking(text).region_code == ""


@pytest.mark.parametrize("text", ["\u9752\u6d77\u5927\u5b66", "Xiningite", "\u6d4b\u897f\u5b81"])
def test_a_part_of_a_word_is_no_place_by_itself(text: str) -> None:
    assert parse_asking(text, places_alone=True).region_code == ""


@pytest.mark.parametrize(
    ("text", "minutes", "samples"),
    [("SEM two hours", 120, None), ("a one-hour SEM", 60, None), ("Ten samples, SEM", None, 10), ("bone hours SEM", None, None)],
)
def test_numbers_may_be_words(text: str, minutes: int | None, samples: int | None) -> None:
    asked = parse_asking(text)
    assert (asked.duration_minutes, asked.samples) == (minutes, samples)


@pytest.mark.parametrize(
    ("text", "words", "elements"),
    [
        ("brine, Li and Mg, 12 samples", "brine Li Mg", 2),
        ("lithium in brine", "lithium brine", 1),
        ("\u5364\u6c34\u4e2d\u9502\u9541", "\u5364\u6c34\u4e2d\u9502\u9541", 2),
        ("Mg2+ and Ca\u00b2\u207a", "Mg2+ Ca2+", 2),
        ("where can I do XRD", "XRD", 1),
        ("Can I measure Li", "Li", 1),
        ("I, Br and Cl", "I Br Cl", 3),
    ],
)
def test_elements_are_counted_and_who_asks_is_no_iodine(text: str, words: str, elements: int) -> None:
    asked = parse_asking(text)
    assert (asked.words, asked.elements) == (words, elements)


@pytest.mark.parametrize(
    "text", ["\u60f3\u8981" * 26 + "x\u9502", "\u5e2e\u6211" * 26 + "\u6c5e\u8ba1", "\u6d4b\u8bd5" * 26 + "\u4eea"]
)
def test_a_wish_that_is_said_again_and_again_is_read_at_once(text: str) -> None:
    started = time.perf_counter()
    assert without_light_words(text) != []
    assert time.perf_counter() - started < 0.5


def test_a_question_of_filler_alone_keeps_its_words() -> None:
    assert parse_asking("how much").words == "how much"
    assert parse_asking("I need to measure Li in brine").words == "Li brine"


@given(text=st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_anything_can_be_typed_and_hints_are_parts_of_it(text: str) -> None:
    asked = parse_asking(text)
    assert len({hint.name for hint in asked.hints}) == len(asked.hints)
    assert asked.samples is None or 0 < asked.samples <= 100_000


def test_a_long_text_takes_no_long_time() -> None:
    began = time.perf_counter()
    for text in ("near " * 4000, "1" * 20_000, "\u548c" * 20_000, "12 " * 7000, "a" * 20_000):
        parse_asking(text[:20_000])
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize(
    ("when", "first", "after"),
    [
        ("today", "2026-11-26", "2026-11-27"),
        ("tomorrow", "2026-11-27", "2026-11-28"),
        ("this_week", "2026-11-26", "2026-11-30"),
        ("next_week", "2026-11-30", "2026-12-07"),
        ("this_month", "2026-11-26", "2026-12-01"),
        ("next_month", "2026-12-01", "2027-01-01"),
    ],
)
def test_words_of_time_mean_days(when: str, first: str, after: str) -> None:
    thursday = date(2026, 11, 26)
    assert days_meant(when, thursday) == tuple((date.fromisoformat(day) - thursday).days for day in (first, after))
    assert days_meant("", thursday) is None
