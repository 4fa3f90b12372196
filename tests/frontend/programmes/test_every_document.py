"""Every shipped programme can be read on its page, in both languages."""

from __future__ import annotations

import json

import pytest
from django.conf import settings
from django.utils import translation

from frontend.presenters.condition_words import condition_words
from frontend.presenters.programme_parts import payer_rows, rate_sentences, side_title
from tests.frontend.acting import words
from tests.programmes import put_in_force

FOLDER = settings.BASE_DIR / "billing" / "subsidy" / "programmes"
CODES = sorted(path.stem for path in FOLDER.glob("*.json"))


@pytest.fixture
def publish(cast):
    def do(code: str) -> None:
        document = json.loads((FOLDER / f"{code}.json").read_text(encoding="utf-8"))
        put_in_force(cast.actor("chen"), cast.actor("sun"), document, cast.now)

    return do


@pytest.mark.parametrize("code", CODES)
def test_a_programme_of_any_parts_has_a_page_with_its_examples(as_, publish, code):
    publish(code)
    for language in ("en", "zh-hans"):
        with translation.override(language):
            found = as_().get(
                f"/programmes/{code}/?fee=30000&kind=firm&size=small&region=630100", headers={"accept-language": language}
            )
        assert found.status_code == 200
        assert "subsidy.step" not in words(found) and "subsidy.unmet" not in words(found) and "%(" not in words(found)


def test_the_sides_of_a_programme_are_told_one_by_one(as_, publish):
    publish("SD-QD-2014")
    text = words(as_().get("/programmes/SD-QD-2014/"))
    for part in ("The programme has several sides", "Subsidy of the user", "Reward of the owner", "Firm of the Qianfan plan",
                 "otherwise: 10% of it", "Paid by City: adds 100% of that", "income from external services"):  # fmt: skip
        assert part in text


def test_a_rate_of_another_kind_is_told_in_sentences(as_, publish):
    publish("DEMO-QH-B")
    text = words(as_().get("/programmes/DEMO-QH-B/"))
    for part in (
        "What counts: machine hours.",
        "up to 300 units: ¥120 each",
        "above that: ¥60 each",
        "changes nothing on your bill",
    ):
        assert part in text


def test_a_side_a_level_and_a_match_without_words_of_their_own_show_their_condition():
    when = {"fact": "applicant.staff", "below": 100}
    with translation.override("en"):
        assert side_title({"id": "small", "when": when}) == condition_words(when) != "Everybody"
        assert side_title({"id": "all"}) == "Everybody"
        level = {"payer": "province", "rate": "0.1", "when": when}
        assert rate_sentences({"type": "stacked", "levels": [level]}) == [f"Province: 10% (if: {condition_words(when)})"]
        match = {"payer": "province", "ratio": "1", "when": when}
        rows = payer_rows({"rule": "match", "lead": "county", "matches": [match]}, {})
        assert rows[1][1] == f"adds 100% of that (if: {condition_words(when)})"
