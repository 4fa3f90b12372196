"""Accounts are topped up, suspended, closed and lapse; each database guard also shown letting through what it stops once it is away."""

from __future__ import annotations

from datetime import date, timedelta

import pgtrigger
import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from billing.ledger import life, top_ups
from billing.ledger import services as ledger
from billing.ledger.life import TREASURY
from billing.ledger.models import Account, Transfer
from billing.ledger.services import AccountSpec, Source
from billing.ledger.top_up_models import TopUp
from config.kernel import invariants
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal

SOURCE = Source("test", 1, "because")
LAST_DAY = date(2026, 12, 31)


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.fixture
def pool(cast, programmes) -> Account:
    return Account.objects.get(key__startswith="pool:DEMO-QH-V")


@pytest.fixture
def payee(cast, now) -> Account:
    return ledger.open_accounts([AccountSpec("payee", "awarded", None)], now)["payee"]


def sums_agree() -> bool:
    return not invariants.registered()["ledger.columns_are_the_sums_of_transfers"]().violations


def test_money_is_added_once_a_second_person_says_yes_with_a_reason_that_stays(cast, pool, now):
    before, qian, chen = pool.granted_fen, cast.actor("qian"), cast.actor("chen")
    asked = top_ups.ask(qian, pool.pk, 500_00, " Notice 12 ", now)
    pool.refresh_from_db()
    assert (pool.granted_fen, asked.reason) == (before, "Notice 12")
    with pytest.raises(Refusal, match="second_person"):
        top_ups.add(qian, asked.pk, now)
    assert top_ups.add(chen, asked.pk, now).granted_fen == before + 500_00
    moved = Transfer.objects.filter(credit=pool, reason="top_up").get()
    assert (moved.kind, moved.amount_fen, moved.actor_id) == ("grant", 500_00, cast.users["chen"].pk)
    for again in (lambda: top_ups.add(chen, asked.pk, now), lambda: top_ups.refuse(chen, asked.pk, "x", now)):
        with pytest.raises(Refusal, match="top_up_decided"):
            again()
    taken_back = top_ups.ask(qian, pool.pk, 1, "Notice 13", now)
    assert [each.pk for each in top_ups.waiting(cast.actor("wu"))] == [taken_back.pk]
    with pytest.raises(Refusal, match="reason_needed"):
        top_ups.refuse(chen, taken_back.pk, " ", now)
    top_ups.refuse(qian, taken_back.pk, "Mistyped", now)
    assert not top_ups.waiting(chen).exists() and sums_agree()


def test_nothing_leaves_the_treasury_but_by_two_people_whatever_writes(cast, pool, now):
    treasury = ledger.open_accounts([TREASURY], now)[TREASURY.key]
    asked = top_ups.ask(cast.actor("qian"), pool.pk, 500_00, "Notice 12", now)
    qian, chen = cast.users["qian"], cast.users["chen"]

    def grant(**changes):
        source = Source("top_up", asked.pk, "top_up", None, chen.pk)
        given = {"funder": treasury, "account": pool, "amount_fen": 500_00, "source": source, "now": now, **changes}
        with transaction.atomic():
            ledger.grant(**given)

    decided = {"state": "added", "decided_at": now, "answer": ""}
    with pytest.raises(DatabaseError, match="top_up_two_people"), transaction.atomic():
        TopUp.objects.filter(pk=asked.pk).update(**decided, decided_by=qian)
    with pytest.raises(DatabaseError, match="leaves the treasury"):
        grant()  # nobody has said yes yet
    for change in ({"amount_fen": 1}, {"reason": "other"}):
        with pytest.raises(DatabaseError), transaction.atomic():
            TopUp.objects.filter(pk=asked.pk).update(**change)
    TopUp.objects.filter(pk=asked.pk).update(**decided, decided_by=chen)
    other = ledger.open_accounts([AccountSpec("pool:other", "pool", 0, pool.programme_id)], now)["pool:other"]
    for wrong in (
        {"amount_fen": 500_01},
        {"account": other},
        {"source": Source("top_up", asked.pk, "top_up", None, qian.pk)},
        {"source": Source("account", asked.pk, "top_up", None, chen.pk)},
    ):
        with pytest.raises(DatabaseError, match="leaves the treasury"):
            grant(**wrong)
    grant()
    with pytest.raises(DatabaseError, match="leaves the treasury"):
        grant()  # once
    with pytest.raises(DatabaseError), transaction.atomic():
        TopUp.objects.filter(pk=asked.pk).update(state="asked", decided_by=None, decided_at=None)
    for statement in ("TRUNCATE billing_topup CASCADE", "DELETE FROM billing_topup", "UPDATE billing_topup SET reason = 'x'"):
        with pytest.raises(DatabaseError), transaction.atomic():
            run(statement)
    with pgtrigger.ignore("billing.Transfer:transfer_top_up_of_two"):
        grant()  # the control: without the guard it would move again
    pool.refresh_from_db()
    assert pool.granted_fen == 2_000_000_00 + 2 * 500_00


@pytest.mark.parametrize(("who", "error"), [("wang", Forbidden), ("zhao", Forbidden), ("wu", Forbidden)])
def test_nobody_else_does(cast, pool, now, who, error):
    with pytest.raises(error):
        top_ups.ask(cast.actor(who), pool.pk, 1, "x", now)


def test_a_reason_is_needed_and_names_its_field(cast, pool, now):
    with pytest.raises(Refusal) as refused:
        life.close(cast.actor("qian"), pool.pk, "  ", now)
    assert (refused.value.reasons[0].code, refused.value.reasons[0].field) == ("ledger.reason_needed", "reason")


def test_the_account_of_a_fund_card_is_not_kept_here(cast, now):
    card = ledger.open_accounts([AccountSpec("fund_card:1", "fund_card", 100)], now)["fund_card:1"]
    with pytest.raises(NotFound):
        life.close(cast.actor("qian"), card.pk, "x", now)


def test_a_suspended_account_promises_nothing_new_and_ends_what_is_promised(cast, pool, payee, now):
    ledger.hold({pool.pk: 100_00}, payee, SOURCE, now)
    life.set_suspended(cast.actor("qian"), pool.pk, True, "Audit", now)
    with pytest.raises(Conflict, match="not_enough_left") as refused:
        ledger.hold({pool.pk: 1}, payee, SOURCE, now)
    assert refused.value.reasons[0].params == {"needed_fen": 1, "left_fen": 0}
    ledger.end_holds(ledger.open_holds("test", 1), {pool.pk: 60_00}, SOURCE, now, "void")
    life.set_suspended(cast.actor("qian"), pool.pk, False, "Audit over", now)
    ledger.hold({pool.pk: 1}, payee, SOURCE, now)
    pool.refresh_from_db()
    assert (pool.state, pool.held_fen, pool.posted_fen) == ("open", 1, 60_00)
    assert sums_agree()


def test_a_hold_on_a_suspended_account_is_refused_by_trigger_and_goes_through_without_it(cast, pool, payee, now):
    life.set_suspended(cast.actor("qian"), pool.pk, True, "Audit", now)
    row = {
        "kind": "hold",
        "debit": pool,
        "credit": payee,
        "amount_fen": 1,
        "source_type": "x",
        "source_id": 1,
        "reason": "x",
        "at": now,
    }
    with pytest.raises(Exception, match="promises nothing"), transaction.atomic():
        Transfer.objects.create(**row)
    with transaction.atomic():
        run("SET CONSTRAINTS ALL IMMEDIATE")
        run("ALTER TABLE billing_transfer DISABLE TRIGGER USER")
        Transfer.objects.create(**row)


def test_closing_gives_the_rest_back_and_takes_nothing_more(cast, pool, now):
    left, asked = pool.left_fen, top_ups.ask(cast.actor("qian"), pool.pk, 1, "x", now)
    closed = life.close(cast.actor("qian"), pool.pk, "Programme over", now)
    assert (closed.state, closed.left_fen) == ("closed", 0)
    assert Transfer.objects.get(debit=pool, kind="reverse").amount_fen == left
    with pytest.raises(Refusal, match="closed"):
        top_ups.ask(cast.actor("qian"), pool.pk, 1, "x", now)
    with pytest.raises(Refusal, match="closed"):
        top_ups.add(cast.actor("chen"), asked.pk, now)
    with pytest.raises(Refusal, match="closed"):
        life.set_suspended(cast.actor("qian"), pool.pk, False, "x", now)
    assert sums_agree()


def test_what_comes_back_to_a_closed_account_is_passed_on_by_the_next_run(cast, pool, payee, now):
    ledger.hold({pool.pk: 100_00}, payee, SOURCE, now)
    ledger.end_holds(ledger.open_holds("test", 1), {pool.pk: 100_00}, SOURCE, now, "void")
    life.close(cast.actor("qian"), pool.pk, "Programme over", now)
    ledger.give_back(pool, payee, 40_00, SOURCE, now)
    pool.refresh_from_db()
    assert pool.left_fen == 40_00
    assert life.lapse_due(timezone.localdate(now), now) == 1
    pool.refresh_from_db()
    assert (pool.state, pool.left_fen, pool.posted_fen) == ("closed", 0, 60_00)
    assert sums_agree()
    assert not invariants.registered()["ledger.closed_accounts_are_empty"]().violations
    Account.objects.filter(pk=pool.pk).update(ends_on=None, granted_fen=pool.granted_fen + 1)  # as if nothing passed it on
    assert invariants.registered()["ledger.closed_accounts_are_empty"]().violations


def test_an_account_that_still_holds_is_not_closed_and_the_check_stands_behind_it(cast, pool, payee, now):
    ledger.hold({pool.pk: 1}, payee, SOURCE, now)
    with pytest.raises(Conflict, match="still_holds"):
        life.close(cast.actor("qian"), pool.pk, "x", now)
    with pytest.raises(Exception, match="account_closed_holds_nothing"), transaction.atomic():
        Account.objects.filter(pk=pool.pk).update(state="closed")
    with transaction.atomic():
        run("SET CONSTRAINTS ALL IMMEDIATE")
        run("ALTER TABLE billing_account DROP CONSTRAINT account_closed_holds_nothing")
        assert Account.objects.filter(pk=pool.pk).update(state="closed") == 1


def test_what_is_left_at_the_end_lapses_and_what_is_held_lapses_when_it_comes_free(pool, payee, now):
    home = ledger.open_accounts([AccountSpec("quota", "voucher_quota", 10)], now)["quota"]
    Account.objects.filter(pk=pool.pk).update(ends_on=LAST_DAY, returns_to=home)
    left = pool.left_fen
    ledger.hold({pool.pk: 400_00}, payee, SOURCE, now)
    assert life.lapse_due(LAST_DAY, now) == 0
    assert life.lapse_due(LAST_DAY + timedelta(days=1), now) == 1
    home.refresh_from_db()
    assert home.granted_fen == 10 + left - 400_00
    ledger.end_holds(ledger.open_holds("test", 1), {pool.pk: 150_00}, SOURCE, now, "void")
    assert life.lapse_due(LAST_DAY + timedelta(days=2), now) == 1
    assert life.lapse_due(LAST_DAY + timedelta(days=2), now) == 0
    home.refresh_from_db(), pool.refresh_from_db()
    assert home.granted_fen == 10 + left - 150_00
    assert (pool.state, pool.left_fen, pool.posted_fen) == ("closed", 0, 150_00)
    assert sums_agree()


def test_a_budget_ends_on_the_day_that_an_officer_says_and_lapses_after_it(cast, pool, now):
    with pytest.raises(Refusal, match="last_day_past"):
        life.set_last_day(cast.actor("chen"), pool.pk, date(2026, 11, 22), "Year end", now)
    life.set_last_day(cast.actor("chen"), pool.pk, LAST_DAY, "Year end", now)
    assert life.lapse_due(LAST_DAY, now) == 0
    assert life.lapse_due(LAST_DAY + timedelta(days=1), now) == 1
    pool.refresh_from_db()
    assert (pool.state, pool.left_fen) == ("closed", 0)
    assert sums_agree()


def test_the_last_day_of_a_voucher_is_its_own(cast, now, pool):
    made = ledger.open_accounts([AccountSpec("voucher:v:1", "voucher", 0, pool.programme_id)], now)["voucher:v:1"]
    with pytest.raises(Refusal, match="last_day_fixed"):
        life.set_last_day(cast.actor("chen"), made.pk, LAST_DAY, "x", now)


def test_what_a_limited_account_grants_it_has_no_longer(pool, now):
    quota = ledger.open_accounts([AccountSpec("quota", "voucher_quota", 100)], now)["quota"]
    ledger.grant(quota, pool, 70, SOURCE, now)
    quota.refresh_from_db()
    assert quota.left_fen == 30
    with pytest.raises(Conflict, match="not_enough_left") as refused:
        ledger.grant(quota, pool, 31, SOURCE, now)
    assert refused.value.reasons[0].params == {"needed_fen": 31, "left_fen": 30}
    assert sums_agree()
