"""The fast writer of JSON writes what the standard library does: fingerprints of what was frozen rest on it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.kernel.json_text import json_text

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


class Pair(NamedTuple):
    one: int
    other: str


@dataclass
class Record:
    one: int


def by_the_library(value: Any, *, sort_keys: bool) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=sort_keys, separators=(",", ":"))


@given(VALUES, st.booleans())
def test_any_value_gives_the_text_of_the_standard_library(value: Any, sort_keys: bool) -> None:
    assert json_text(value, sort_keys=sort_keys) == by_the_library(value, sort_keys=sort_keys)


@pytest.mark.parametrize(
    "value", [2**64, -(2**70), Pair(1, "a"), {"z": (1, Pair(2, "b"))}, {2: "two", 1: "one"}, "\ud800", "\x7f\u2028"]
)
def test_what_is_beyond_the_fast_writer_is_written_too(value: Any) -> None:
    assert json_text(value, sort_keys=True) == by_the_library(value, sort_keys=True)


@pytest.mark.parametrize("value", [Record(1), date(2026, 1, 1), {1, 2}, b"x", object()])
def test_what_is_no_json_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        json_text(value)
