"""Opening and changing fund cards: what is refused, and that the ledger says what the card has."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.cards import queries, services
from billing.cards.accounts import card_key
from billing.cards.services import CardFacts
from billing.ledger.models import Account
from billing.settlement.rules.slips import covered_fen, slip_number
from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.invariants import registered
from instruments.queries import spending
from instruments.services import members, research_groups
from tests.spending import VALID, build_spenders

GOOD = CardFacts("NSF-9", "Another", *VALID, 100_00, None)


@pytest.fixture
def spenders(cast):
    return build_spenders(cast)


def codes(call):
    with pytest.raises(Refusal) as caught:
        call()
    return {(reason.code, reason.field) for reason in caught.value.reasons}


def test_everything_that_is_wrong_with_a_card_is_said_at_once(spenders):
    bad = CardFacts(" ", "", VALID[1], VALID[0], 0, -1)
    assert codes(lambda: services.open_card(spenders.cast.actor("li"), spenders.salt.pk, bad, spenders.cast.now)) == {
        ("name.empty", "number"),
        ("name.empty", "title"),
        ("card.days_in_order", "valid_until"),
        ("card.budget_out_of_range", "budget_fen"),
        ("group.threshold_out_of_range", "threshold_fen"),
    }


def test_a_number_stands_once_in_an_organisation(spenders):
    again = replace(GOOD, number="NSF-1")
    assert codes(lambda: services.open_card(spenders.cast.actor("wang"), spenders.other.pk, again, spenders.cast.now)) == {
        ("card.number_taken", "number")
    }


def test_the_organisation_is_locked_before_a_name_or_number_is_looked_up_in_it(spenders):
    cast, keeper = spenders.cast, spenders.cast.actor("li")
    gao = cast.users["gao"].pk
    for call in (
        lambda: services.open_card(keeper, spenders.salt.pk, GOOD, cast.now),
        lambda: services.change_card(keeper, spenders.card.pk, replace(GOOD, number="NSF-8"), cast.now),
        lambda: research_groups.change_group(keeper, spenders.salt.pk, "Salt", gao, None, cast.now),
        lambda: research_groups.set_closed(keeper, spenders.salt.pk, True, cast.now),
    ):
        with CaptureQueriesContext(connection) as seen:
            call()
        locks = [query["sql"] for query in seen if "FOR NO KEY UPDATE" in query["sql"]]
        assert 'FROM "instruments_organisation"' in locks[0]
        assert len(locks) > 1


def test_a_budget_is_raised_lowered_taken_away_and_given_again_and_the_movements_say_so(spenders):
    cast, keeper = spenders.cast, spenders.cast.actor("li")
    made = services.open_card(keeper, spenders.salt.pk, GOOD, cast.now)
    for budget in (250_00, 50_00, None, 75_00):
        services.change_card(keeper, made.pk, replace(GOOD, budget_fen=budget), cast.now)
        balance = queries.balances(keeper, [made])[made.pk]
        assert (balance.budget_fen, balance.left_fen) == (budget, budget)
    assert registered()["ledger.columns_are_the_sums_of_transfers"]().violations == ()
    Account.objects.filter(key=card_key(made.pk)).update(granted_fen=74_00)
    assert registered()["ledger.columns_are_the_sums_of_transfers"]().violations != ()


def test_a_budget_is_not_set_below_what_is_used(spenders):
    Account.objects.filter(key=card_key(spenders.card.pk)).update(held_fen=300_00, posted_fen=200_00)
    facts = CardFacts("NSF-1", "x", *VALID, 499_99, None)
    keeper, now = spenders.cast.actor("li"), spenders.cast.now
    assert codes(lambda: services.change_card(keeper, spenders.card.pk, facts, now)) == {("card.budget_spent", "budget_fen")}
    services.change_card(keeper, spenders.card.pk, replace(facts, budget_fen=500_00), now)


def test_who_keeps_cards_and_who_sees_them(spenders):
    cast = spenders.cast
    for name, error in (("gao", Forbidden), ("tan", NotFound), ("lin", NotFound), ("he", NotFound)):
        with pytest.raises(error):
            services.open_card(cast.actor(name), spenders.salt.pk, GOOD, cast.now)
    seen = {name: spending.cards_visible(cast.actor(name)).count() for name in ("gao", "ma", "tan", "li", "wang", "lin", "wu")}
    assert seen == {"gao": 1, "ma": 1, "tan": 0, "li": 1, "wang": 1, "lin": 0, "wu": 1}
    assert queries.balances(cast.actor("lin"), [spenders.card]) == {}


def test_a_closed_group_opens_no_card(spenders):
    cast = spenders.cast
    research_groups.set_closed(cast.actor("li"), spenders.salt.pk, True, cast.now)
    assert codes(lambda: services.open_card(cast.actor("li"), spenders.salt.pk, GOOD, cast.now)) == {
        ("card.group_of_another", "group")
    }
    research_groups.set_closed(cast.actor("li"), spenders.salt.pk, False, cast.now)
    services.open_card(cast.actor("li"), spenders.salt.pk, GOOD, cast.now)


def test_a_group_whose_leader_has_left_opens_again_only_with_another_one(spenders):
    cast, keeper, group = spenders.cast, spenders.cast.actor("wang"), spenders.salt
    research_groups.set_closed(keeper, group.pk, True, cast.now)
    members.remove_member(keeper, cast.lab.pk, cast.users["gao"].pk, cast.now)
    assert codes(lambda: research_groups.set_closed(keeper, group.pk, False, cast.now)) == {("group.not_a_colleague", "leader")}
    research_groups.change_group(keeper, group.pk, "Salt lakes", cast.users["ma"].pk, None, cast.now)
    assert research_groups.set_closed(keeper, group.pk, False, cast.now).closed_at is None


@pytest.mark.parametrize(
    ("name", "leader", "threshold", "expected"),
    [
        ("Salt lakes", "gao", None, {("group.name_taken", "name")}),
        ("New", "lin", None, {("group.not_a_colleague", "leader")}),
        ("New", "gao", -1, {("group.threshold_out_of_range", "threshold_fen")}),
    ],
)
def test_a_group_is_led_by_a_colleague_under_a_name_of_its_own(spenders, name, leader, threshold, expected):
    cast = spenders.cast
    leader_id = cast.users[leader].pk
    make = partial(research_groups.create_group, cast.actor("li"), cast.lab.pk, name, leader_id, threshold, cast.now)
    assert codes(make) == expected


def test_a_member_is_a_colleague_other_than_the_leader(spenders):
    cast, day = spenders.cast, date(2026, 2, 1)

    def put(who, until=None):
        return lambda: research_groups.set_member(cast.actor("gao"), spenders.salt.pk, cast.users[who].pk, day, until, cast.now)

    assert codes(put("gao")) == {("group.leader_is_in", "user")}
    assert codes(put("lin", date(2026, 1, 31))) == {("group.not_a_colleague", "user"), ("group.days_in_order", "until_on")}
    with pytest.raises(Forbidden):
        research_groups.set_member(cast.actor("ma"), spenders.salt.pk, cast.users["tan"].pk, day, None, cast.now)


def test_a_card_pays_what_is_due_as_far_as_it_reaches():
    assert [covered_fen(900, 400, left) for left in (None, 0, 300, 600)] == [900, 400, 700, 900]
    assert covered_fen(100, 400, 0) == 100
    assert slip_number(2026, 12) == "NB-2026-000012"
    with pytest.raises(ValueError, match="begins with one"):
        slip_number(2026, 0)
