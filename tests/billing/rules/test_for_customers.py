"""What a customer is shown where owners get something beside the bill: its own figures and reasons, and nothing of the owner's money."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from billing.subsidy.rules import Award, Refused, evaluate, parse_facts, parse_programme
from billing.subsidy.rules.assess import Assessment, Candidate
from billing.subsidy.rules.codec import assessment_to_json
from billing.subsidy.rules.for_customers import by_side, for_customer, for_customers, is_cost_unsure, unmet_by_customer
from billing.subsidy.rules.given_here import Given
from billing.subsidy.rules.outcome import Outcome
from billing.subsidy.rules.programme import Programme
from tests.billing.rules.builders import REFUNDED, cap, facts_of, programme_document
from tests.billing.rules.test_given_here import A, B, assess, flat, gate, made, told
from tests.billing.rules.test_sides import BESIDE, OF_OWNER, SAYS, asked_of_both, both, sided, whose

OF_USER = {"fact": "request.side", "is": "user"}
TEAMS = [{"type": "applicant_kind", "any_of": ["team"], "clause": "1"}]
GRADED = [{"type": "quality_factor", "factors": {"A": "1"}, "assume": "A", "clause": "1"}]
LESS_OTHERS: dict[str, Any] = {
    "base": {"amount": "fee", "minimum_charge": "included", "less": ["other_subsidies"], "clause": "1"},
    "rate": flat("0.8"),
}


def of_both(**of_user: Any) -> Candidate:
    """Half is refunded to the user, a tenth is paid to the owner beside the bill."""
    user = {"id": "user", "when": OF_USER, "says": SAYS, "settlement": REFUNDED, **of_user}
    owner = {"id": "owner", "when": OF_OWNER, "says": SAYS, "settlement": BESIDE, "rate": flat("0.1")}
    return made(A, {"request": {"side": "both"}}, sides=[user, owner])


def seen(*candidates: Candidate) -> tuple[Assessment[Any], list[Outcome]]:
    found = assess(*candidates)
    return found, for_customers(found.outcomes, [each.programme for each in candidates])


def test_of_what_was_given_before_a_customer_is_told_its_own_part_and_nothing_that_says_the_whole() -> None:
    found, own = seen(of_both(), made(B, **LESS_OTHERS))
    assert told(found.outcomes[1]) == [{"programmes": [A], "given_fen": 600_00}]
    assert told(own[1]) == [{"programmes": [A], "given_fen": 500_00}]
    whole, shown = found.outcomes[1].steps, own[1].steps
    hidden = [step for step in whole[1:] if step not in shown]
    assert len(hidden) == 1 and 600_00 in hidden[0].params.values()
    assert shown[1:] == tuple(step for step in whole[1:] if step not in hidden), "all others as they are"
    assert isinstance(own[1], Award) and own[1].total_fen == 320_00
    assert isinstance(own[0], Award) and own[0].total_fen == 500_00


def test_where_only_the_owner_was_given_something_nothing_is_said_of_it() -> None:
    found, own = seen(of_both(gates=TEAMS), made(B, **LESS_OTHERS))
    assert told(found.outcomes[1]) == [{"programmes": [A], "given_fen": 100_00}]
    assert isinstance(own[0], Refused) and told(own[1]) == [] and own[1].steps
    assert not any(100_00 in step.params.values() for step in own[1].steps)


def test_what_programmes_without_owners_gave_is_told_as_it_is() -> None:
    found, own = seen(made(A, rate=flat("0.4")), made(B, **LESS_OTHERS))
    assert own == list(found.outcomes) and told(own[1]) == [{"programmes": [A], "given_fen": 400_00}]
    # With one before that tells less, and one that is refused: only of what was given by the former less is told.
    first, one = made("A-0", rate=flat("0.1")), made("A-2", gates=TEAMS)
    _found, own = seen(first, one, of_both(), made("C-1", rate=flat("0.05")), made(B, **LESS_OTHERS))
    assert told(own[4]) == [{"programmes": ["A-0", A, "C-1"], "given_fen": 650_00}]
    assert isinstance(own[1], Refused) and isinstance(own[0], Award)


def test_what_was_given_beside_an_assessment_is_told_whole() -> None:
    later = replace(made(B, **LESS_OTHERS), beside=(Given("Z-1", 50_00),))
    _found, own = seen(of_both(), later)
    assert told(own[1]) == [{"programmes": ["Z-1", A], "given_fen": 550_00}]


def test_a_refusal_is_told_with_the_customers_part_of_what_was_given_too() -> None:
    found, own = seen(of_both(), made(B, **gate(below=400)))
    assert isinstance(own[1], Refused) and told(found.outcomes[1])[0]["given_fen"] == 600_00
    assert told(own[1]) == [{"programmes": [A], "given_fen": 500_00}]


def test_what_was_given_to_the_customer_is_counted_by_its_sides_and_a_refusal_gives_nothing() -> None:
    frozen = assessment_to_json(assess(of_both(), made(B, rate=flat("0.2")), made("C-1", gates=TEAMS)))
    assert [by_side(each) for each in frozen["outcomes"]] == [{"user": 500_00}, {"": 200_00}, {}]


@pytest.mark.parametrize(("side", "unsure"), [(0, True), (1, False), (None, False)])
def test_an_award_is_shown_as_an_estimate_where_the_customers_part_is_one(side: int | None, unsure: bool) -> None:
    document = asked_of_both()
    if side is not None:
        document["sides"][side]["adjustments"] = GRADED
    found = both(document)
    own = for_customer(found, parse_programme(document))
    assert isinstance(own, Award) and found.estimate is (side is not None)
    assert own.estimate is unsure and is_cost_unsure(found) is unsure


def test_where_nobody_says_whose_claim_it_is_an_estimate_of_any_side_makes_the_cost_one() -> None:
    """As it was before programmes were told that both claim."""
    document = sided()
    document["sides"][1]["adjustments"] = GRADED
    found = evaluate(parse_programme(document), parse_facts(facts_of(1000)), {})
    assert isinstance(found, Award) and found.estimate and is_cost_unsure(found)
    one = evaluate(parse_programme(programme_document(adjustments=GRADED)), parse_facts(facts_of(1000)), {})
    assert isinstance(one, Award) and is_cost_unsure(one)


def limited() -> tuple[Any, Programme]:
    """Each side within a limit of its own that cuts."""
    document = asked_of_both(caps=[])
    document["sides"][0]["caps"] = [cap("user-year", "applicant_year", 300)]
    document["sides"][1]["caps"] = [cap("owner-year", "owner_year", 20)]
    return both(document), parse_programme(document)


def test_the_limits_that_a_customer_sees_are_those_of_its_own_sides() -> None:
    found, programme = limited()
    assert found.binding_caps == ("user-year", "owner-year") and set(found.draws) == set(found.left_after) == set(
        found.binding_caps
    )
    own = for_customer(found, programme)
    assert isinstance(own, Award)
    assert own.binding_caps == ("user-year",) and own.draws == {"user-year": 300_00} and own.left_after == {"user-year": 0}


def test_of_the_customers_sides_the_first_that_gives_something_says_how_it_is_paid() -> None:
    document = asked_of_both()
    redeem = {"mode": "deducted_now", "form": "deduct_and_redeem", "payee": "provider", "clause": "1"}
    nothing = {"id": "none", "settlement": redeem, "when": OF_USER, "says": SAYS, "rate": flat("0")}
    document["sides"].insert(0, nothing)
    own = for_customer(both(document), parse_programme(document))
    assert isinstance(own, Award) and (own.mode, own.payee, own.total_fen) == ("refunded_later", "firm", 500_00)
    document["sides"][1]["rate"] = flat("0")
    own = for_customer(both(document), parse_programme(document))
    assert isinstance(own, Award) and (own.mode, own.payee, own.total_fen) == ("deducted_now", "provider", 0)


def test_what_refused_another_of_the_customers_sides_is_shown_and_what_refused_the_owner_is_not() -> None:
    document = asked_of_both()
    document["sides"].insert(0, {"id": "teams", "settlement": REFUNDED, "when": OF_USER, "says": SAYS, "gates": TEAMS})
    document["sides"][2]["base"] = {"amount": "lender", "clause": "1"}
    found = both(document)
    assert [step.key for step in found.steps][-4:] == [
        "subsidy.step.claim_refused",
        "subsidy.unmet.applicant_kind",
        "subsidy.step.claim_refused",
        "subsidy.unmet.fact_missing",
    ]
    own = for_customer(found, parse_programme(document))
    assert isinstance(own, Award) and whose(own.steps) == [("claim_of", "user"), ("claim_refused", "user")]
    assert own.steps[-1].key == "subsidy.unmet.applicant_kind"
    assert [(each.code, each.clause) for each in unmet_by_customer(found.steps)] == [("subsidy.unmet.applicant_kind", "1")]


def test_a_refused_customer_is_shown_what_its_own_claim_met_and_what_was_given_before() -> None:
    document = asked_of_both(**gate(at_least=0))
    met = {"type": "applicant_kind", "any_of": ["firm"], "clause": "1"}
    document["sides"][0]["gates"], document["sides"][1]["gates"] = [met, *TEAMS], [met, met, *TEAMS]
    changes = {name: document[name] for name in ("sides", "gates", "caps")}
    found, own = seen(made("A-0", rate=flat("0.1")), made(A, {"request": {"side": "both"}}, **changes))
    assert isinstance(own[1], Refused) and [each.code for each in own[1].reasons] == ["subsidy.unmet.applicant_kind"]
    keys = [step.key.rpartition(".")[2] for step in own[1].steps]
    assert keys[0] == "given_here" and keys.count("given_here") == keys.count("applicant_kind") == 1
    assert whose(own[1].steps) == [] and not any("unmet" in step.key for step in own[1].steps)
    assert found.outcomes[1].steps[0] == own[1].steps[0]


@pytest.mark.parametrize("owner_first", [False, True])
def test_what_was_given_before_is_told_once_whosever_side_stands_first(owner_first: bool) -> None:
    document = asked_of_both(**gate(at_least=0))
    sides = document["sides"][::-1] if owner_first else document["sides"]
    changes = {"sides": sides, "gates": document["gates"]}
    found, own = seen(made("A-0", rate=flat("0.1")), made(A, {"request": {"side": "both"}}, **changes))
    assert isinstance(own[1], Award) and own[1].total_fen == 500_00
    assert own[1].steps[0] == found.outcomes[1].steps[0] and len(told(own[1])) == 1
    assert own[1].steps[1].params == {"whose": "user"} and own[1].steps[-1].key == "subsidy.step.total"
