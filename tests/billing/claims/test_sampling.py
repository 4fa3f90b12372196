"""Which claims are drawn for the re-check: the same for everybody, as many as were asked for, and by amount the large ones oftener."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.claims.rules.sampling import Method, Plan, Settled, draw, drawn_count, fingerprint, plan_faults

CLAIMS = [Settled(place, place * 100) for place in range(1, 41)]
DRAWN = {Method.RANDOM: [7, 16, 8, 31, 29], Method.AMOUNT: [8, 32, 39, 35, 4]}


@pytest.mark.parametrize("method", Method)
def test_anybody_draws_the_same_with_the_same_seed_in_whatever_order_claims_come(method):
    plan = Plan(method, "3-1-4 in the hall", size=7)
    first = draw(CLAIMS, plan)
    mixed = random.Random(1).sample(CLAIMS, len(CLAIMS))
    assert draw(mixed, plan) == first and fingerprint(mixed) == fingerprint(CLAIMS)
    assert len({each.id for each in first}) == 7
    assert draw(CLAIMS, Plan(method, "another", size=7)) != first
    assert fingerprint(CLAIMS[1:]) != fingerprint(CLAIMS)


def test_a_draw_is_what_it_was_when_the_rule_was_written():
    by = {method: [each.id for each in draw(CLAIMS, Plan(method, "seed", size=5))] for method in Method}
    assert by == DRAWN


@given(
    amounts=st.lists(st.integers(1, 10**9), min_size=1, max_size=40),
    wanted=st.integers(1, 45),
    seed=st.text(min_size=1, max_size=8),
    method=st.sampled_from(Method),
)
@settings(max_examples=60, deadline=None)
def test_as_many_different_claims_are_drawn_as_were_asked_for(amounts, wanted, seed, method):
    claims = [Settled(place, fen) for place, fen in enumerate(amounts)]
    drawn = draw(claims, Plan(method, seed, size=wanted))
    assert len({each.id for each in drawn}) == len(drawn) == min(wanted, len(claims))
    if method is Method.AMOUNT:  # what is at least a step is certain
        large = {each.id for each in claims if each.amount_fen * len(drawn) >= sum(amounts)}
        assert large <= {each.id for each in drawn}


def test_every_yuan_has_the_same_chance_by_amount_and_every_claim_at_random():
    claims = [Settled(1, 3000), *(Settled(place, 1000) for place in range(2, 9))]
    seen = {
        method: Counter(each.id for seed in range(1500) for each in draw(claims, Plan(method, str(seed), size=2)))
        for method in Method
    }
    assert seen[Method.AMOUNT][1] == pytest.approx(1500 * 2 * 0.3, rel=0.07)  # 3,000 of 10,000, two steps of 5,000
    assert seen[Method.AMOUNT][5] == pytest.approx(1500 * 2 * 0.1, rel=0.15)
    assert seen[Method.RANDOM][1] == pytest.approx(1500 * 2 / 8, rel=0.12)


def test_a_share_is_rounded_up_and_a_plan_says_what_is_wrong_with_it():
    assert [drawn_count(Plan(Method.RANDOM, "s", share=share), 41) for share in (1, 10, 100)] == [1, 5, 41]
    assert drawn_count(Plan(Method.RANDOM, "s", size=9), 4) == 4
    wrong = {
        "recheck.seed_missing": Plan(Method.RANDOM, "", size=1),
        "recheck.seed_too_long": Plan(Method.RANDOM, "s" * 101, size=1),
        "recheck.seed_signs": Plan(Method.RANDOM, "6-2 Zhang", size=1),
        "recheck.size_or_share": Plan(Method.RANDOM, "1"),
        "recheck.size": Plan(Method.RANDOM, "1", size=0),
        "recheck.share": Plan(Method.RANDOM, "1", share=101),
    }
    assert {code: [each.code for each in plan_faults(plan)] for code, plan in wrong.items()} == {code: [code] for code in wrong}
    assert [each.code for each in plan_faults(Plan(Method.RANDOM, "1", size=1, share=1))] == ["recheck.size_or_share"]
    assert plan_faults(Plan(Method.AMOUNT, "6-2 / 5,3", share=100)) == []
