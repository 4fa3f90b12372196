"""Who pays which part, in words: fractions stay fractions, and whole steps are said."""

from __future__ import annotations

import pytest
from django.utils import translation

from frontend.presenters.programme_pieces import payers_words

THIRDS = [{"payer": "province", "share": "1/3"}, {"payer": "city", "share": "2/3"}]


@pytest.mark.parametrize(
    ("step", "language", "words"),
    [
        ("yuan", "en", "Province 1/3, City 2/3, each rounded to whole yuan. What rounding leaves goes to: City."),
        ("100", "en", "Province 1/3, City 2/3, each rounded to ¥100. What rounding leaves goes to: City."),
        ("fen", "en", "Province 1/3, City 2/3. What rounding leaves goes to: City."),
        ("yuan", "zh-hans", "省级 1/3、市级 2/3，各取整到元。取整余额归：市级。"),
    ],
)
def test_a_split_says_its_fractions_and_its_steps(step: str, language: str, words: str) -> None:
    piece = {"rule": "named_rest", "shares": THIRDS, "rest": "city", "rounding": "down", "step": step}
    with translation.override(language):
        assert payers_words(piece, {}).endswith(words)
