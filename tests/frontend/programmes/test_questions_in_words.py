"""What a document asks of whoever books, read back, compared, edited and on the programme's page."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from frontend.presenters.programme_form import parts
from frontend.presenters.programme_text import changes, sentences
from tests.billing.rules.builders import load
from tests.frontend.acting import words
from tests.programmes import put_in_force

pytestmark = pytest.mark.django_db
COMPUTE = load("BJ-2026-COMPUTE")


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Whoever books is asked: “How many PFLOPS does the provider have?” (A whole number)."),
        ("zh-hans", "预约时须回答：“服务机构的算力是多少PFLOPS？”（整数）。"),
    ],
)
def test_a_question_is_read_back_with_the_way_in_which_it_is_answered(language: str, said: str) -> None:
    with translation.override(language):
        found = [each for each in sentences(COMPUTE) if each.part == "asks"]
    assert said in [each.text for each in found] and len(found) == 4
    assert [each.clause for each in found] == ["1", "5", "5", "5"]


def test_a_half_written_question_is_read_back_field_by_field_and_a_new_one_is_a_change() -> None:
    fewer = COMPUTE | {"asks": COMPUTE["asks"][:3]}
    with translation.override("en"):
        [change] = changes(fewer, COMPUTE)
        half = sentences(COMPUTE | {"asks": [{"fact": "other.x", "kind": "choice"}]})
    assert (change.before, len(change.now)) == ((), 1) and "mainly sell computing" in change.now[0]
    assert any(each.part == "asks" and "other.x" in each.text for each in half)


def test_the_editor_has_a_part_for_questions() -> None:
    with translation.override("zh-hans"):
        assert str(parts()["asks"][0]) == "向预约人提问"


def test_the_page_of_a_programme_says_what_it_asks(as_: Any, cast: Any) -> None:
    put_in_force(cast.actor("chen"), cast.actor("sun"), COMPUTE | {"template": False}, cast.now)
    text = words(as_().get("/programmes/BJ-2026-COMPUTE/"))
    assert "What whoever books is asked" in text and "Does the provider mainly sell computing?" in text


@pytest.mark.parametrize(
    ("per", "said"),
    [
        (
            "claim",
            "The amount of each service is rounded once, to whole yuan: Down. A claim of several services is the sum of them.",
        ),
        ("line", "Each line is rounded by itself, to whole yuan: Down."),
    ],
)
def test_rounding_is_read_back_as_what_it_does(per: str, said: str) -> None:
    with translation.override("en"):
        found = [
            each.text for each in sentences(COMPUTE | {"rounding": {"step": "yuan", "mode": "down", "per": per, "clause": "1"}})
        ]
    assert said in found
