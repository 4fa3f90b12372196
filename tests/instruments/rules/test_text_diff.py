"""Differences of texts: nothing is lost, words are words, and long texts take no time."""

from __future__ import annotations

import time
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from instruments.rules.text_diff import Kind, differences, line_differences

TEXT = st.text(alphabet="ab 锂镁\n.,1", max_size=40)


def side(pieces, kind):
    return "".join(piece.text for piece in pieces if piece.kind in (Kind.SAME, kind))


@given(TEXT, TEXT)
def test_the_pieces_hold_both_texts_and_neighbours_differ_in_kind(before, after):
    pieces = differences(before, after)
    assert side(pieces, Kind.REMOVED) == before
    assert side(pieces, Kind.ADDED) == after
    assert all(piece.text for piece in pieces)
    assert all(one.kind is not other.kind for one, other in pairwise(pieces))


def test_sentences_change_line_by_line():
    said = [(piece.kind.value, piece.text) for piece in line_differences("Mon 09:00\nTue 10:00", "Mon 09:00\nTue 11:00")]
    assert said == [("same", "Mon 09:00\n"), ("removed", "Tue 10:00\n"), ("added", "Tue 11:00\n")]


def test_words_numbers_and_chinese_characters_change_as_a_whole():
    said = [(piece.kind.value, piece.text) for piece in differences("Resolution 1.0 nm 盐湖", "Resolution 0.8 nm 盐田")]
    assert said == [
        ("same", "Resolution "),
        ("removed", "1.0"),
        ("added", "0.8"),
        ("same", " nm 盐"),
        ("removed", "湖"),
        ("added", "田"),
    ]


def test_the_same_text_is_one_piece_and_nothing_is_none():
    assert [piece.text for piece in differences("as it was", "as it was")] == ["as it was"]
    assert differences("", "") == []


def test_two_long_texts_that_share_nothing_are_compared_in_no_time():
    began = time.perf_counter()
    pieces = differences("盐 " * 2000, "湖 " * 2000)
    assert time.perf_counter() - began < 2
    assert side(pieces, Kind.REMOVED) == "盐 " * 2000
