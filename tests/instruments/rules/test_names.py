"""Names in all scripts, and what hides in text. Samples are in ``names.json``."""

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.kernel.errors import Refusal
from instruments.rules.names import clean_name, name_key

SAMPLES = json.loads(Path(__file__).with_name("names.json").read_text(encoding="utf-8"))


def refused(text: str, max_length: int = 100) -> list[str]:
    with pytest.raises(Refusal) as caught:
        clean_name(text, max_length, "title")
    assert {reason.field for reason in caught.value.reasons} == {"title"}
    return [reason.code for reason in caught.value.reasons]


@pytest.mark.parametrize("name", SAMPLES["kept"].values(), ids=SAMPLES["kept"].keys())
def test_names_of_all_scripts_are_kept_as_written(name):
    assert clean_name(f"\u3000{name} ", 100) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "name.empty"),
        (" \u3000\t", "name.empty"),
        ("\u0301", "name.empty"),
        ("a\x00b", "name.control_character"),
        ("a\nb", "name.control_character"),
        ("a\x85b", "name.control_character"),
        ("a\u2028b", "name.control_character"),
        ("abc\u202etxt", "name.direction_control"),
        ("a\u2067b", "name.direction_control"),
        ("a\u200fb", "name.direction_control"),
        ("a\u200bb", "name.invisible_character"),
        ("\ufeffab", "name.invisible_character"),
        ("a\u00adb", "name.invisible_character"),
        ("a\u2060b", "name.invisible_character"),
        ("a\u200db", "name.invisible_character"),
        ("a\u200cb", "name.invisible_character"),
        ("\u0646\u0627\u0645\u200c", "name.invisible_character"),
        ("a\u180eb", "name.invisible_character"),
        ("a\u3164b", "name.invisible_character"),
        ("a\u2800b", "name.invisible_character"),
        ("a\ufe0fb", "name.invisible_character"),
        ("\ufe0fa", "name.invisible_character"),
        ("a\ufe00", "name.invisible_character"),
        ("a\U000e0100", "name.invisible_character"),
        ("a\U000e01ef", "name.invisible_character"),
        ("\U0001f469\u200da", "name.invisible_character"),
        ("a\u200d\U0001f469", "name.invisible_character"),
        ("a\U000e0041", "name.invisible_character"),
        ("a\ue000", "name.unassigned_character"),
        ("a\ufdd0", "name.unassigned_character"),
        ("a\U0002ffff", "name.unassigned_character"),
        ("a\ud800", "name.unassigned_character"),
    ],
)
def test_what_cannot_be_seen_is_refused(text, code):
    assert refused(text) == [code]


def test_every_reason_is_given_with_the_characters_meant():
    with pytest.raises(Refusal) as caught:
        clean_name("a\u202e\u200b\u2060\x07bcd", 3)
    assert [(reason.code, reason.params) for reason in caught.value.reasons] == [
        ("name.too_long", {"max_length": 3, "length": 8}),
        ("name.direction_control", {"code_points": ["U+202E"]}),
        ("name.invisible_character", {"code_points": ["U+200B", "U+2060"]}),
        ("name.control_character", {"code_points": ["U+0007"]}),
    ]


def test_a_name_may_be_exactly_as_long_as_allowed():
    assert clean_name("x" * 30, 30) == "x" * 30
    assert refused("x" * 31, 30) == ["name.too_long"]


@given(st.text(max_size=12))
def test_a_clean_name_stays_as_it_is_when_cleaned_again(text):
    try:
        name = clean_name(text, 100)
    except Refusal:
        return
    assert clean_name(name, 100) == name
    assert not any(unicodedata.category(character) == "Cc" for character in name)


@pytest.mark.parametrize(("one", "other"), SAMPLES["look_alike"])
def test_look_alike_names_have_one_key(one, other):
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(("one", "other"), SAMPLES["different"])
def test_different_names_have_different_keys(one, other):
    assert name_key(one) != name_key(other)


@given(st.text(max_size=12))
def test_a_key_is_its_own_key(text):
    assert name_key(name_key(text)) == name_key(text)
