"""Why services get nothing, in words: a fact that is missing is named, and results kept before still show."""

from __future__ import annotations

from django.utils import translation

from frontend.presenters.sandbox import condition_word


def word(code: str, language: str = "en") -> str:
    with translation.override(language):
        return condition_word(code)


def test_a_missing_fact_is_named_as_everywhere_else() -> None:
    assert word("subsidy.unmet.fact_missing:service.purpose") == "A fact is not known: what the service was for"
    assert word("subsidy.unmet.fact_missing:service.purpose", "zh-hans") != word("subsidy.unmet.fact_missing", "zh-hans")
    assert word("subsidy.unmet.fact_missing:other.petaflops").lower().endswith("petaflops")


def test_results_kept_before_facts_were_named_still_show() -> None:
    assert word("subsidy.unmet.fact_missing") == "A fact that is not known"
    assert word("subsidy.unmet.something_new") == "subsidy.unmet.something_new"
