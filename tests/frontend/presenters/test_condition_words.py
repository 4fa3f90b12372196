"""A fact in words: the platform's own by its name, one of an author's own by the name that the author gave it."""

from __future__ import annotations

import pytest
from django.utils import translation

from billing.subsidy.rules.fact_fields import FIELDS
from frontend.presenters.condition_words import condition_words, fact_word
from frontend.programme_labels import LABELS


@pytest.mark.parametrize("name", ["contract", "rate", "class", "days", "green_lab"])
@pytest.mark.parametrize(("group", "word"), [("other", "Other facts"), ("other_amounts", "Other amounts")])
def test_a_fact_of_an_authors_own_is_called_by_its_own_name(group: str, word: str, name: str) -> None:
    """Whatever a field of programmes with the same name is called."""
    with translation.override("en"):
        assert fact_word(f"{group}.{name}") == f"{word}: {name.replace('_', ' ')}"


def test_its_condition_does_not_speak_of_another_field() -> None:
    with translation.override("en"):
        assert "contract" in LABELS and str(LABELS["contract"]) not in condition_words({"fact": "other.contract", "is": True})


def test_every_fact_of_the_platform_has_a_word_that_is_not_its_path() -> None:
    with translation.override("en"):
        assert [path for path in FIELDS if fact_word(path) == path] == []
