"""The public self-test asks for what the programmes look at, and does not call a refusal what it cannot know."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from billing.firms.rules.self_test import QUESTIONS, Answers, depends_on, questions, tried
from billing.subsidy.rules.outcome import Award
from billing.subsidy.rules.programme import Programme, parse_programme
from tests.billing.rules.builders import load, programme_document

ANSWERS = Answers("firm", "small", None, None, "630104", frozenset(), (), "instrument_use", 1000_00, date(2025, 6, 10))
SAYS = {"zh": "条件", "en": "condition"}
RESEARCH = {"fact": "service.purpose", "is": "research"}
KIND = {"type": "applicant_kind", "any_of": ["team"], "clause": "1"}


def gate(when: dict[str, Any]) -> dict[str, Any]:
    return {"type": "condition", "clause": "1", "says": SAYS, "when": when}


def programme(*gates: dict[str, Any], **changes: Any) -> Programme:
    return parse_programme(programme_document(gates=list(gates), **changes))


def given(of: Programme, answers: Answers) -> int:
    (outcome,) = tried([of], answers)
    return getattr(outcome, "total_fen", 0)


def test_nothing_is_asked_that_no_programme_looks_at() -> None:
    assert questions([programme()]) == frozenset()
    assert questions([parse_programme(load("DEMO-QH-V"))]) == frozenset()
    assert questions([parse_programme(load("DEMO-QH-B"))]) == {"hours", "owner_class"}
    assert questions(
        [programme({"type": "region", "subject": "instrument", "any_of": [{"code_prefix": "63"}], "clause": "1"})]
    ) == {"provider_region"}


@pytest.mark.parametrize(
    ("when", "question", "answer"),
    [
        (RESEARCH, "purpose", {"purpose": "research"}),
        ({"fact": "service.way", "is": "assisted"}, "way", {"way": "assisted"}),
        ({"fact": "quantities.minutes", "at_least": 90}, "hours", {"minutes": 90}),
        ({"fact": "quantities.samples", "at_least": 2}, "samples", {"samples": 2}),
        ({"fact": "instrument.original_value", "at_least": 500000}, "value_yuan", {"value_fen": 500000_00}),
        ({"fact": "provider.owner_class", "is": "university"}, "owner_class", {"owner_class": "university"}),
        ({"fact": "applicant.founded_on", "at_least": "2024-01-01"}, "founded_on", {"founded_on": date(2024, 1, 1)}),
    ],
)
def test_what_a_programme_looks_at_is_asked_and_its_answer_decides(
    when: dict[str, Any], question: str, answer: dict[str, Any]
) -> None:
    of = programme(gate(when))
    assert questions([of]) == {question}
    assert given(of, ANSWERS) == 0 and depends_on(of, ANSWERS) == (when["fact"],)
    assert QUESTIONS[question] == {when["fact"]}
    told = replace(ANSWERS, **answer)
    assert given(of, told) == 500_00 and depends_on(of, told) == ()


def test_a_refusal_that_no_answer_would_change_stays_one() -> None:
    assert depends_on(programme(gate(RESEARCH), KIND), ANSWERS) == ()
    assert depends_on(programme(gate(RESEARCH)), replace(ANSWERS, purpose="teaching")) == ()


def test_alternatives_depend_on_those_that_nothing_else_refuses() -> None:
    one_of = {
        "type": "any_of",
        "clause": "1",
        "alternatives": [[gate(RESEARCH)], [KIND, gate({"fact": "service.way", "is": "remote"})]],
    }
    assert depends_on(programme(one_of), ANSWERS) == ("service.purpose",)
    one_of["alternatives"] = [[KIND], [KIND, gate(RESEARCH)]]
    assert depends_on(programme(one_of), ANSWERS) == ()


def test_who_asks_is_the_user_so_that_the_owners_side_leaves_nothing_open() -> None:
    of = parse_programme(load("SD-QD-2014"))
    answers = replace(ANSWERS, service_on=of.validity.first_day, region_code="370202")
    assert depends_on(of, answers) == ("instrument.original_value",)
    (found,) = tried([of], replace(answers, value_fen=85_000_000))
    assert isinstance(found, Award) and found.sides is not None and [side.side for side in found.sides] == ["user"]
