"""What is remembered is what would be worked out again: the same outcome as ``evaluate`` for every request, in any order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.ledger.rules.money import parse_yuan
from billing.subsidy.rules import Balance, Facts, evaluate, parse_facts, parse_programme
from billing.subsidy.rules import remembered as remembering
from billing.subsidy.rules.outcome import Award, Home, Outcome
from billing.subsidy.rules.remembered import Deciding, Named, Remembered, Request
from tests.billing.rules.builders import PROGRAMMES, cap, facts_of, load, programme_document
from tests.billing.rules.strategies import BALANCES, documents, facts

Json = dict[str, Any]
BETWEEN_OTHERS = st.lists(facts(), min_size=1, max_size=3)
MANY_BALANCES = st.lists(BALANCES, min_size=1, max_size=3)


def request_of(who: Facts, service: Facts, amounts: Facts) -> Request:
    return Request.of(who, service.service, amounts.amounts, amounts.quantities)


def mixed(who: Facts, service: Facts, amounts: Facts) -> Facts:
    return replace(who, service=service.service, amounts=amounts.amounts, quantities=amounts.quantities)


def check_all(document: Json, given_facts: list[Json], given_balances: list[Json]) -> None:
    """Every mixture of the facts on every balance, each asked for twice."""
    programme = parse_programme(document)
    known = [parse_facts(each) for each in given_facts]
    deciding = Deciding(programme)
    places = range(len(known))
    for used in [*given_balances, given_balances[0]]:
        balances = {
            name: Balance(parse_yuan(each["limit"]) if "limit" in each else None, parse_yuan(each.get("used", 0)))
            for name, each in used.items()
        }
        for place in [(w, s, a) for w in places for s in places for a in places]:
            who, service, amounts = (known[each] for each in place)
            for left in (None, amounts.amounts.fee, 7_77):
                outcome = deciding.decide(Named(*place), request_of(who, service, amounts), balances, left)
                expected = evaluate(programme, mixed(who, service, amounts), balances, cost_left_fen=left)
                assert outcome == without_steps(expected)


def without_steps(outcome: Outcome) -> Outcome:
    return outcome._replace(steps=())


def test_a_day_of_the_week_and_a_limit_for_some_are_remembered_for_each_day_and_applicant() -> None:
    says = {"zh": "条件", "en": "Condition"}
    document = programme_document(
        gates=[],
        rate={"type": "flat", "rate": "0.2", "clause": "1"},
        adjustments=[
            {"type": "uplift", "points": "0.1", "clause": "1", "says": says,
             "when": {"fact": "service.service_on", "weekdays": [6, 7]}},
            {"type": "rate_limit", "rate": "0.25", "clause": "1", "says": says,
             "when": {"fact": "applicant.related_to_provider", "is": True}},
        ],
    )  # fmt: skip
    given_facts = [
        facts_of(applicant={"related_to_provider": related}, service={"service_on": day}, amounts={"fee": 100})
        for related, day in ((True, "2025-06-14"), (False, "2025-06-13"), (False, "2025-06-15"))
    ]
    check_all(document, given_facts, [{}])


@given(documents(), BETWEEN_OTHERS, MANY_BALANCES)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_programme_decides_the_same_when_it_remembers(document: Json, given_facts: list[Json], balances: list[Json]) -> None:
    check_all(document, given_facts, balances)


@pytest.mark.proof
@given(documents(), BETWEEN_OTHERS, MANY_BALANCES)
@settings(max_examples=5_000, deadline=None, suppress_health_check=list(HealthCheck))
def test_it_does_however_long_one_looks(document: Json, given_facts: list[Json], balances: list[Json]) -> None:
    check_all(document, given_facts, balances)


@pytest.mark.parametrize("path", sorted(PROGRAMMES.glob("*.json")), ids=lambda path: path.stem)
def test_every_shipped_programme_decides_its_examples_the_same_when_it_remembers(path: Any) -> None:
    document = load(path.stem)
    examples = [each for each in document.get("examples", ()) if "facts" in each][:4]
    used = [each.get("balances", {}) for each in examples] or [{}]
    check_all(document, [each["facts"] for each in examples], used)


def test_the_claims_of_both_sides_are_remembered_apart() -> None:
    """One side is the user's claim of tests and the owner's of sessions: the same applicant gets another rate."""
    document = load("SD-2019")
    side = {"id": "third", "says": {"zh": "条件", "en": "Condition"}, "caps": []}
    side["when"] = {
        "any": [
            {"all": [{"fact": "request.side", "is": "user"}, {"fact": "service.kind", "is": "testing"}]},
            {"all": [{"fact": "request.side", "is": "owner"}, {"fact": "service.kind", "is_not": "testing"}]},
        ]
    }
    rate = {"type": "cases", "clause": "6", "otherwise": "0.01"}
    rate["cases"] = [{"when": {"fact": "request.side", "is": "user"}, "says": side["says"], "rate": "0.02"}]
    settlement = {"mode": "deducted_now", "form": "deduct_and_redeem", "payee": "provider", "clause": "6"}
    document["sides"].append(side | {"base": document["sides"][0]["base"], "rate": rate, "settlement": settlement})
    who = {
        "applicant": {"kind": "firm", "size": "small", "region_code": "370100"},
        "amounts": {"fee": "900", "external_income": 800},
    }
    asked = [
        who | {"request": request, "service": {"service_on": "2019-09-10", "kind": kind}}
        for request in ({"side": "both"}, {"side": "both", "rate": "0.2"}, {"side": "both_first"}, {})
        for kind in ("testing", "instrument_use")
    ]
    check_all(document, asked, [{}, {"provider-year": {"used": "1999950"}}])


@pytest.mark.parametrize("payer", [None, "province"])
def test_a_part_of_a_pool_follows_the_limit_of_its_account(payer: str | None) -> None:
    part = cap("part", "order", {"share": "0.5", "of": "fund"}, **({"payer": payer} if payer else {}))
    document = programme_document(caps=[cap("fund", "pool", 100), part])
    check_all(document, [facts_of(90), facts_of(30)], [{}, {"fund": {"limit": "40"}}, {"fund": {"limit": "70", "used": "10"}}])


def test_what_others_pay_is_worked_out_although_no_account_is_short() -> None:
    voucher = cap("voucher", "voucher", {"configured": True, "when_unset": "no_limit"})
    programme = parse_programme(programme_document(caps=[voucher]))
    deciding, given_facts = Deciding(programme), parse_facts(facts_of(90))
    request = request_of(given_facts, given_facts, given_facts)
    for homes in ((), (Home("partner:CN-310000", 10_00),), ()):
        balances = {"voucher": Balance(500_00, homes=homes)}
        found = deciding.decide(Named(1, 1, 1), request, balances, None)
        assert found == without_steps(evaluate(programme, given_facts, balances))
        assert any(line.payer == "partner:CN-310000" for line in found.lines) is bool(homes)  # type: ignore[union-attr]


def test_a_rule_is_asked_once_for_what_it_looks_at() -> None:
    asked: list[str] = []

    def of_the_day(known: Facts) -> str | None:
        asked.append("day")
        return str(known.service.service_on)

    def of_the_amount(known: Facts) -> int | None:
        if known.grade == "A":
            return None
        asked.append("amount")
        return known.amounts.fee

    remembered = Remembered[Any]([of_the_day, of_the_amount])
    first, second = parse_facts({"service": {"kind": "x"}, "quality": {"grade": "A"}}), parse_facts({"amounts": {"fee": "7"}})
    assert remembered(Named(1, 1, 1), request_of(first, first, first)) == [(0, "None")]
    asked.clear()
    for amounts in (1, 2):
        assert remembered(Named(1, 1, amounts), request_of(first, first, second)) == [(0, "None")]
    assert asked == []
    assert sorted(remembered(Named(2, 1, 2), request_of(second, first, second))) == [(0, "None"), (1, 7_00)]
    asked.clear()
    assert len(remembered(Named(2, 1, 2), request_of(second, first, second))) == 2 and asked == []


def test_a_rule_that_is_wrong_is_wrong_as_before() -> None:
    remembered = Remembered[Any]([lambda known: known.nothing_of_that_name])  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="nothing_of_that_name"):
        remembered(Named(1, 1, 1), request_of(Facts(), Facts(), Facts()))


def test_so_many_are_remembered_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembering, "MOST", 2)
    remembered = Remembered[Any]([lambda known: known.amounts.fee])
    kept = []
    for number in range(5):
        priced = parse_facts({"amounts": {"fee": str(number)}})
        assert remembered(Named(1, 1, number), request_of(Facts(), Facts(), priced)) == [(0, number * 100)]
        kept.append(max(len(shelf.known) for shelf in remembered._shelves))
    assert kept == [1, 2, 1, 2, 1]


def test_a_rule_that_looks_further_later_is_not_lost_among_what_others_said() -> None:
    def of_both(known: Facts) -> str:
        return f"{known.grade} {known.service.kind}"

    def of_the_amount_and_sometimes_the_service(known: Facts) -> str:
        return "small" if known.amounts.fee == 1_00 else str(known.service.kind)

    remembered = Remembered[Any]([of_both, of_the_amount_and_sometimes_the_service])
    who = parse_facts({"service": {"kind": "testing"}})
    small, large = parse_facts({"amounts": {"fee": "1"}}), parse_facts({"amounts": {"fee": "2"}})
    assert sorted(remembered(Named(1, 1, 1), request_of(who, who, small))) == [(0, "None testing"), (1, "small")]
    assert sorted(remembered(Named(1, 1, 2), request_of(who, who, large))) == [(0, "None testing"), (1, "testing")]


def test_an_order_that_is_named_draws_on_its_account_although_nothing_was_drawn_there_before() -> None:
    document = programme_document(caps=[cap("order", "order", 500)])
    check_all(document, [facts_of(90, service={"order": "DH-7"}), facts_of(90)], [{}, {"order": {"used": "480"}}])


@pytest.mark.parametrize(
    ("limit", "unset"), [({"configured": True, "when_unset": "refuse"}, True), ({"configured": True, "default": 100}, False)]
)
def test_a_limit_that_has_to_be_set_first_is_unmet_until_it_is(limit: Json, unset: bool) -> None:
    programme, known = parse_programme(programme_document(caps=[cap("fund", "pool", limit)])), parse_facts(facts_of(90))
    request, deciding = request_of(known, known, known), Deciding(programme)
    assert deciding.unmet(Named(1, 1, 1), request, {}) is unset
    assert deciding.unmet(Named(1, 1, 1), request, {"fund": Balance(100_00)}) is False


@pytest.mark.parametrize(("kind", "unmet"), [("team", True), ("firm", False)])
def test_whether_a_condition_is_unmet_is_remembered(kind: str, unmet: bool) -> None:
    gate = {"type": "applicant_kind", "any_of": [kind], "clause": "1"}
    known = parse_facts(facts_of(90))
    request, deciding = request_of(known, known, known), Deciding(parse_programme(programme_document(gates=[gate])))
    assert [deciding.unmet(Named(1, 1, 1), request, {}) for _twice in range(2)] == [unmet, unmet]


@pytest.mark.parametrize("named", [{}, {"order": "DH-7"}])
def test_what_a_limit_of_orders_leaves_is_not_worked_out_again_for_each_day(named: Json, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trial of a million sessions has few amounts and many days: each day by itself took twice as long and five times the room."""
    programme = parse_programme(programme_document(caps=[cap("order", "order", 500)]))
    worked = []
    counted = remembering.worked_out
    monkeypatch.setattr(remembering, "worked_out", lambda *given: worked.append(given) or counted(*given))
    deciding, who = Deciding(programme), parse_facts(facts_of(90))
    balances = {"order": Balance(500_00)} if named else {}
    tries = []
    for day in range(1, 29):
        on = parse_facts({"service": {"service_on": f"2025-06-{day:02d}", **named}, "amounts": {"fee": 90}})
        assert isinstance(deciding.decide(Named("who", day, "fee"), request_of(who, on, who), balances, None), Award)
        tries.append(len(worked))
    assert set(tries) == {tries[0]}
