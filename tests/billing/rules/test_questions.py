"""What a programme asks of whoever books: who is told, what is wrong with a question, and what is said without an answer."""

from __future__ import annotations

from typing import Any

import pytest

from billing.subsidy.rules import Facts, parse_facts, parse_programme
from billing.subsidy.rules.checking import check
from billing.subsidy.rules.evaluate import evaluate
from billing.subsidy.rules.facts import facts_document
from billing.subsidy.rules.outcome import Award, Refused
from billing.subsidy.rules.programme_faults import document_faults
from billing.subsidy.rules.questions import Kind, Question, answered, only_asked, questions_of, told, told_instead, unfit
from tests.billing.rules.builders import facts_of, programme_document

WORDS = {"zh": "问题", "en": "A question?"}


def asks(fact: str, kind: str = "yes_no", **more: Any) -> dict[str, Any]:
    return {"fact": fact, "kind": kind, "says": WORDS, "clause": "1", **more}


def where(**test: Any) -> dict[str, Any]:
    return {"type": "condition", "clause": "1", "when": test, "says": {"zh": "条件", "en": "Condition"}}


def choosing(*values: str) -> list[dict[str, Any]]:
    return [{"value": value, "says": {"zh": value, "en": value}} for value in values]


LICENSED = where(fact="other.licensed", **{"is": True})


def question(kind: Kind, fact: str = "other.x", *values: str) -> Question:
    return Question(fact, kind, WORDS, "1", {}, tuple((value, WORDS) for value in values))


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Kind.YES_NO, "yes", True),
        (Kind.YES_NO, "no", False),
        (Kind.YES_NO, "perhaps", None),
        (Kind.CHOICE, "b", "b"),
        (Kind.CHOICE, "c", None),
        (Kind.NUMBER, "300", 300),
        (Kind.NUMBER, "0300", 300),
        (Kind.NUMBER, "-1", None),
        (Kind.NUMBER, "1e3", None),
        (Kind.NUMBER, "²", None),
        (Kind.NUMBER, "9999999999", None),
        (Kind.AMOUNT, "499.99", 49_999),
        (Kind.AMOUNT, "-1", None),
        (Kind.AMOUNT, "0", 0),
        (Kind.NUMBER, "999999999", 999_999_999),
        (Kind.NUMBER, "1000000000", None),
        (Kind.NUMBER, "000000000042", 42),
        (Kind.NUMBER, "0000000000042", None),
        (Kind.AMOUNT, "999999999999.99", 99_999_999_999_999),
        (Kind.AMOUNT, "1000000000000", None),
        (Kind.AMOUNT, "much", None),
    ],
)
def test_an_answer_is_read_as_its_question_wants_it(kind: Kind, text: str, value: object) -> None:
    assert question(kind, "other.x", "a", "b").value(text) == value


def test_a_programme_is_told_only_what_it_asks_and_what_fits_its_question() -> None:
    own = [question(Kind.YES_NO, "other.a"), question(Kind.NUMBER, "other.b"), question(Kind.YES_NO, "service.listed")]
    own += [question(Kind.NUMBER, "quantities.persons"), question(Kind.AMOUNT, "other_amounts.deposit")]
    said = {"other.a": "yes", "other.b": "many", "other.c": "yes", "service.listed": "no", "quantities.persons": "3"}
    found = told(parse_facts(facts_of(100)), own, {**said, "other_amounts.deposit": "12.50"})
    assert dict(found.more.other) == {"a": True} and found.service.paper.listed is False
    assert found.quantities.counts.persons == 3 and dict(found.more.other_amounts) == {"deposit": 1250}
    assert [(each.fact, text) for each, text in answered(own, facts_document(found))] == [
        ("other.a", "yes"),
        ("service.listed", "no"),
        ("quantities.persons", "3"),
        ("other_amounts.deposit", "12.50"),
    ]
    assert told(Facts(), [], said) == Facts()


def test_an_amount_is_told_too_where_it_is_the_only_answer() -> None:
    found = told(Facts(), [question(Kind.AMOUNT, "other_amounts.deposit")], {"other_amounts.deposit": "12.50"})
    assert dict(found.more.other_amounts) == {"deposit": 1250}


def test_an_answer_is_refused_only_where_it_fits_no_programme_that_asks_for_it_and_then_once() -> None:
    yes_no, number, other = question(Kind.YES_NO, "other.a"), question(Kind.NUMBER, "other.a"), question(Kind.NUMBER, "other.b")
    asked = [yes_no, number, other]
    assert unfit(asked, {"other.a": "many", "other.b": "5"}) == [yes_no]
    assert unfit(asked, {"other.a": "5", "other.b": "many"}) == [other]
    assert unfit(asked, {"other.a": "yes"}) == unfit(asked, {"other.c": "many"}) == []


def test_another_version_is_told_the_same_answers_where_they_fit_its_own_questions() -> None:
    before = [question(Kind.YES_NO, "other.a"), question(Kind.NUMBER, "other.b"), question(Kind.YES_NO, "service.listed")]
    facts = told(parse_facts(facts_of(100)), before, {"other.a": "yes", "other.b": "7", "service.listed": "yes"})
    after = [question(Kind.NUMBER, "other.a"), question(Kind.NUMBER, "other.b"), question(Kind.NUMBER, "other.c")]
    found = told_instead(facts, before, after)
    assert dict(found.more.other) == {"b": 7} and found.service.paper.listed is None
    assert told_instead(facts, [], after) is facts


def test_of_what_was_answered_a_version_is_left_what_it_asks_itself() -> None:
    asked_for = [
        question(Kind.YES_NO, "other.a"),
        question(Kind.NUMBER, "other.b"),
        question(Kind.AMOUNT, "other_amounts.deposit"),
    ]
    plain = parse_facts(facts_of(100))
    assert only_asked(plain, asked_for) is plain
    own = parse_facts(facts_of(100, other={"a": True, "b": True, "c": 5}))
    assert dict(only_asked(own, asked_for).more.other) == {"a": True} and dict(only_asked(own, []).more.other) == {}
    amounts = parse_facts(facts_of(100, other_amounts={"deposit": "12.50", "rent": "3"}))
    assert dict(only_asked(amounts, asked_for).more.other_amounts) == {"deposit": 1250}
    assert dict(only_asked(amounts, []).more.other_amounts) == {}


def test_without_an_answer_the_gate_refuses_in_the_words_of_the_question_and_with_it_something_is_given() -> None:
    programme = parse_programme(programme_document(gates=[LICENSED], asks=[asks("other.licensed")]))
    facts = parse_facts(facts_of(100))
    refused = evaluate(programme, facts, {})
    assert isinstance(refused, Refused)
    assert [(each.code, dict(each.params)) for each in refused.reasons] == [
        ("subsidy.unmet.fact_missing", {"fact": "other.licensed", "asks": WORDS})
    ]
    given = evaluate(programme, told(facts, programme.asks, {"other.licensed": "yes"}), {})
    assert isinstance(given, Award) and given.total_fen == 5000
    no = evaluate(programme, told(facts, programme.asks, {"other.licensed": "no"}), {})
    assert isinstance(no, Refused) and [each.code for each in no.reasons] == ["subsidy.unmet.condition"]


def test_the_sides_of_a_programme_say_it_in_the_words_of_the_question_too() -> None:
    sides = [{"id": "a", "gates": [LICENSED]}, {"id": "b", "gates": [LICENSED]}]
    found = evaluate(
        parse_programme(programme_document(sides=sides, asks=[asks("other.licensed")])), parse_facts(facts_of(100)), {}
    )
    assert isinstance(found, Refused) and all(each.params["asks"] == WORDS for each in found.reasons)


@pytest.mark.parametrize(
    ("changes", "path", "says"),
    [
        ({"asks": [asks("applicant.staff", "number")]}, "$.asks[0].fact", "cannot be asked"),
        ({"asks": [asks("request.side", "choice", choices=choosing("a", "b"))]}, "$.asks[0].fact", "cannot be asked"),
        ({"asks": [asks("other.licensed", "amount")]}, "$.asks[0].kind", "answered by yes_no or choice or number"),
        ({"asks": [asks("service.listed", "number")]}, "$.asks[0].kind", "answered by yes_no"),
        ({"asks": [asks("other.licensed"), asks("other.licensed")]}, "$.asks[1].fact", "asked already"),
        ({"asks": [asks("other.licensed", clause="9")]}, "$.asks[0].clause", "there is no clause"),
        ({"asks": [asks("other.licensed", choices=choosing("a", "b"))]}, "$.asks[0].choices", "only a choice has them"),
        ({"asks": [asks("other.kind", "choice")], "gates": []}, "$.asks[0].choices", "say what can be chosen"),
        (
            {"asks": [asks("other.kind", "choice", choices=choosing("a", "a"))], "gates": []},
            "$.asks[0].choices[1].value",
            "is taken",
        ),
        ({"asks": [asks("other.licensed", "number")]}, "$.gates[0].when.is", "True is never answered; write a whole number"),
        (
            {"asks": [asks("other.n")], "gates": [where(fact="other.n", at_least=3)]},
            "$.gates[0].when.at_least",
            "needs a number",
        ),
        (
            {"asks": [asks("other.n")], "gates": [where(**{"not": {"fact": "other.n", "is": 1}})]},
            "$.gates[0].when.not.is",
            "1 is never answered; write true or false",
        ),
        (
            {
                "asks": [asks("other.k", "choice", choices=choosing("a", "b"))],
                "gates": [where(fact="other.k", any_of=["a", "c"])],
            },
            "$.gates[0].when.any_of",
            "'c' is never answered; write one of its choices",
        ),
        (
            {"asks": [asks("other.n")], "gates": [where(fact="other.n", starts_with=["a"])]},
            "$.gates[0].when.starts_with",
            "needs a choice",
        ),
        (
            {
                "asks": [asks("other.licensed")],
                "examples": [{"title": "x", "facts": {"other": {"licensed": 1}}, "expect": {"total": 0}}],
            },
            "$.examples[0].facts.other.licensed",
            "1 is never answered; write true or false",
        ),
        (
            {
                "asks": [asks("other.n")],
                "gates": [],
                "base": {"quantity": "other.n", "clause": "1"},
                "rate": {"type": "per_unit", "clause": "1", "amount": "5"},
            },
            "$.base.quantity",
            "a quantity is a number",
        ),
    ],
)
def test_a_question_that_nobody_can_answer_rightly_is_a_fault_with_its_field(
    changes: dict[str, Any], path: str, says: str
) -> None:
    found = document_faults(programme_document(**{"gates": [LICENSED], **changes}))
    assert [each.path for each in found if says in each.message] == [path], found


def test_a_question_that_no_rule_looks_at_is_a_warning_and_one_that_is_looked_at_is_none() -> None:
    document = programme_document(gates=[LICENSED], asks=[asks("other.licensed"), asks("other.unread")])
    found = check(document)
    assert found.flaws == () and [(each.path, each.code, each.params["facts"]) for each in found.warnings] == [
        ("$.asks[1].fact", "programme.warning.asked_in_vain", ["other.unread"])
    ]
    persons = programme_document(base={"quantity": "persons", "clause": "1"}, asks=[asks("quantities.persons", "number")])
    persons["rate"] = {"type": "per_unit", "clause": "1", "amount": "5"}
    assert check(persons).warnings == () and check(persons).flaws == ()
    silent = {name: value for name, value in persons.items() if name != "asks"}
    assert [each.code for each in check(silent).warnings] == ["programme.warning.refuses"]


def test_a_document_without_questions_asks_nothing() -> None:
    assert questions_of(programme_document()) == () and parse_programme(programme_document()).asks == ()


def test_whoever_a_programme_is_not_for_is_asked_nothing_whatever_they_would_answer() -> None:
    firms = {"type": "applicant_kind", "any_of": ["firm"], "clause": "1"}
    region = {"type": "region", "subject": "applicant", "any_of": [{"code_prefix": "31"}], "clause": "1"}
    programme = parse_programme(programme_document(gates=[LICENSED, firms, region], asks=[asks("other.licensed")]))
    shanghai, beijing = {"applicant": {"region_code": "310104"}}, {"applicant": {"region_code": "110105"}}

    def asked(kind: str = "firm", **groups: Any) -> int:
        return len(programme.questions_for(parse_facts(facts_of(100, kind, **groups))))

    assert asked(**shanghai) == 1
    assert asked(**shanghai, other={"licensed": False}) == 1, "an answer that refuses is asked for all the same"
    assert asked() == 1, "what is not known yet does not close it"
    assert asked(**beijing) == asked("person", **shanghai) == 0
    assert asked(**shanghai, service={"service_on": "2031-01-01"}) == 0
