"""Limited money: granted, promised, then spent or given back, once."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.utils.translation import override
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.ledger import services as ledger
from billing.ledger.models import Account, Transfer, TransferKind
from billing.ledger.services import AccountSpec, Source
from config.kernel import invariants
from config.kernel.errors import Conflict, Refusal
from config.kernel.messages import reason_sentence

from .conftest import SOURCE

SUMS = "ledger.columns_are_the_sums_of_transfers"


def wrong() -> dict[str, tuple[str, ...]]:
    ledgers = {name: check() for name, check in invariants.registered().items() if name.startswith("ledger.")}
    return {name: found.violations for name, found in ledgers.items() if found.violations}


def test_a_hold_promises_and_a_post_spends_at_most_that(purse):
    pending = purse.hold(400_00)
    assert purse.sums() == (1000_00, 400_00, 0)
    purse.end(pending, 250_00)
    assert purse.sums() == (1000_00, 0, 250_00)
    assert Transfer.objects.get(hold=pending).kind == "post"


@pytest.mark.parametrize("kind", [TransferKind.VOID, TransferKind.EXPIRE])
def test_nothing_due_gives_the_whole_back(purse, kind):
    pending = purse.hold(400_00)
    purse.end(pending, 0, kind)
    assert purse.sums() == (1000_00, 0, 0)
    assert (Transfer.objects.get(hold=pending).kind, Transfer.objects.get(hold=pending).amount_fen) == (kind, 400_00)


def test_more_than_is_left_is_refused_and_nothing_is_promised(purse):
    purse.hold(700_00)
    with pytest.raises(Conflict) as refused:
        purse.hold(300_01)
    assert refused.value.reasons[0].code == "ledger.not_enough_left"
    assert refused.value.reasons[0].params == {"needed_fen": 300_01, "left_fen": 300_00}
    with override("en"):
        assert "¥300.01 are needed, and ¥300.00 are left of the budget" in reason_sentence(refused.value.reasons[0])
    assert purse.sums() == (1000_00, 700_00, 0)
    purse.hold(300_00)


def test_a_hold_on_two_accounts_is_all_or_nothing(purse, now):
    other = ledger.open_accounts([AccountSpec("cap", "firm_year", 100_00)], now)["cap"]

    with pytest.raises(Conflict) as refused, transaction.atomic():
        ledger.hold({purse.pool.pk: 600_00, other.pk: 100_01}, purse.payee, SOURCE, now)
    assert refused.value.reasons[0].params == {"needed_fen": 100_01, "left_fen": 100_00}
    assert purse.sums() == (1000_00, 0, 0)
    assert not Transfer.objects.filter(kind="hold").exists()


def test_promises_of_several_causes_are_made_together_also_on_one_account(purse, now, django_assert_num_queries):
    other = ledger.open_accounts([AccountSpec("cap", "firm_year", 100_00)], now)["cap"]
    one = ledger.Promise({purse.pool.pk: 300_00, other.pk: 60_00}, purse.payee, Source("reservation", 1, "approve"))
    two = ledger.Promise({purse.pool.pk: 200_00, other.pk: 40_00}, purse.payee, Source("reservation", 2, "approve"))
    with django_assert_num_queries(2):
        ledger.hold_all([one, two], now)
    assert purse.sums() == (1000_00, 500_00, 0) and SUMS not in wrong()
    with pytest.raises(Conflict), transaction.atomic():
        ledger.hold_all([ledger.Promise({other.pk: 1}, purse.payee, SOURCE)], now)
    holds = ledger.open_holds("reservation", 1)
    assert {pending.debit_id: pending.amount_fen for pending in holds} == {purse.pool.pk: 300_00, other.pk: 60_00}
    ledger.end_holds(holds, {purse.pool.pk: 250_00}, Source("reservation", 1, "agree"), now, TransferKind.VOID)
    assert purse.sums() == (1000_00, 200_00, 250_00) and SUMS not in wrong()


def test_an_unlimited_account_promises_whatever_is_asked(purse, now):
    ledger.hold({purse.treasury.pk: 10**12}, purse.payee, SOURCE, now)
    purse.treasury.refresh_from_db()
    assert purse.treasury.held_fen == 10**12


def test_nothing_is_held_for_nothing(purse, now):
    ledger.hold({purse.pool.pk: 0}, purse.payee, SOURCE, now)
    assert not Transfer.objects.filter(kind="hold").exists()


def test_more_than_was_held_is_never_posted(purse):
    pending = purse.hold(400_00)
    with pytest.raises(Refusal) as refused:
        purse.end(pending, 400_01)
    assert refused.value.reasons[0].code == "ledger.more_than_held"
    assert purse.sums() == (1000_00, 400_00, 0)


@pytest.mark.parametrize("amount", [0, -1])
def test_a_grant_is_more_than_nothing(purse, now, amount):
    with pytest.raises(Refusal):
        ledger.grant(purse.treasury, purse.pool, amount, SOURCE, now)


def test_an_account_is_opened_once_and_its_limit_granted_once(purse, now):
    again = ledger.open_accounts([AccountSpec("pool", "pool", 7_00)], now)["pool"]
    assert again.pk == purse.pool.pk
    assert purse.sums() == (1000_00, 0, 0)
    assert Transfer.objects.filter(kind="grant", credit=purse.pool).count() == 1


def test_holds_of_another_cause_stay(purse, now):
    purse.hold(100_00, Source("reservation", 1, "approve"))
    purse.hold(200_00, Source("reservation", 2, "approve"))
    found = ledger.open_holds("reservation", 1)
    assert [pending.amount_fen for pending in found] == [100_00]
    ledger.end_holds(found, {}, Source("reservation", 1, "cancel"), now, TransferKind.VOID)
    assert ledger.open_holds("reservation", 1) == []
    assert purse.sums() == (1000_00, 200_00, 0)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(1, 600_00), st.sampled_from(["post", "part", "void", "keep"])), max_size=8))
def test_whatever_is_held_and_ended_the_sums_agree_and_stay_within_what_was_granted(purse, steps):
    before = purse.sums()
    kept, posted = 0, 0
    for amount, fate in steps:
        if amount > before[0] - sum(purse.sums()[1:]):
            with pytest.raises(Conflict):
                purse.hold(amount)
            continue
        pending = purse.hold(amount)
        due = {"post": amount, "part": (amount + 1) // 2, "void": 0, "keep": None}[fate]
        if due is None:
            kept += amount
        else:
            purse.end(pending, due)
            posted += due
    assert purse.sums() == (before[0], before[1] + kept, before[2] + posted)
    assert wrong() == {}


def test_the_invariants_find_money_from_nowhere(purse):
    assert wrong() == {}
    with connection.cursor() as cursor:
        cursor.execute("UPDATE billing_account SET granted_fen = granted_fen + 1 WHERE key = 'pool'")
    assert "ledger.columns_are_the_sums_of_transfers" in wrong()
    assert Account.objects.get(key="pool").left_fen == 1000_01
