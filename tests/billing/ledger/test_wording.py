"""The words of movements: one reason is called by what moved the money."""

from __future__ import annotations

from django.utils import translation

from billing.ledger.wording import reason_word


def test_the_close_of_samples_is_not_the_close_of_an_account() -> None:
    with translation.override("en"):
        assert str(reason_word("close", "sample_job")) == "Samples done and charged"
        assert str(reason_word("close", "account")) == "Account closed"
        assert str(reason_word("a_code_without_a_word", "account")) == "a_code_without_a_word"
