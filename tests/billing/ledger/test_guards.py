"""What the database refuses whoever writes; each with the same statement going through once its guard is away."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from billing.ledger.models import Account


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_the_check_refuses_to_overspend_and_without_it_money_is_promised_twice(purse, refused):
    spend = "UPDATE billing_account SET held_fen = granted_fen + 1 WHERE key = 'pool'"
    assert "account_never_overspent" in refused(lambda: run(spend))
    with transaction.atomic():
        run("ALTER TABLE billing_account DROP CONSTRAINT account_never_overspent")
        run(spend)
        assert Account.objects.get(key="pool").left_fen == -1


@pytest.mark.parametrize("column", ["granted_fen", "held_fen", "posted_fen"])
def test_no_balance_is_negative(purse, refused, column):
    assert "account_n" in refused(lambda: run(f"UPDATE billing_account SET {column} = -1 WHERE key = 'pool'"))


def test_a_post_beyond_its_hold_is_refused_by_trigger_and_goes_through_without_it(purse, refused):
    pending = purse.hold(400_00)
    assert "by at most its amount" in refused(lambda: purse.row("post", 400_01, hold=pending))
    with transaction.atomic():
        run("ALTER TABLE billing_transfer DISABLE TRIGGER USER")
        purse.row("post", 400_01, hold=pending)


def test_a_hold_is_ended_on_its_own_accounts(purse, refused):
    pending = purse.hold(400_00)
    assert "its own accounts" in refused(lambda: purse.row("post", 1, hold=pending, credit=purse.treasury))
    assert "its own accounts" in refused(lambda: purse.row("void", 400_00, hold=pending, debit=purse.treasury))


def test_what_is_ended_is_a_hold(purse, refused):
    ended = purse.hold(400_00)
    purse.end(ended, 100_00)
    posted = type(ended).objects.get(hold=ended)
    assert "a hold is ended" in refused(lambda: purse.row("void", 1, hold=posted))


def test_a_hold_ends_once_and_without_the_index_twice(purse, refused):
    pending = purse.hold(400_00)
    purse.row("post", 100_00, hold=pending)
    for kind in ("post", "void", "expire"):
        assert "transfer_hold_ends_once" in refused(lambda kind=kind: purse.row(kind, 100_00, hold=pending))
    with transaction.atomic():
        run("DROP INDEX transfer_hold_ends_once")
        purse.row("void", 100_00, hold=pending)


@pytest.mark.parametrize("kind", ["post", "void", "expire"])
def test_an_end_names_its_hold(purse, refused, kind):
    assert "transfer_end_names_hold" in refused(lambda: purse.row(kind, 1))


@pytest.mark.parametrize("kind", ["grant", "hold", "reverse"])
def test_nothing_but_an_end_names_a_hold(purse, refused, kind):
    pending = purse.hold(400_00)
    assert "transfer_end_names_hold" in refused(lambda: purse.row(kind, 1, hold=pending))


@pytest.mark.parametrize("amount", [0, -1])
def test_a_movement_is_more_than_nothing(purse, refused, amount):
    assert "transfer_positive" in refused(lambda: purse.row("hold", amount))


def test_a_movement_is_between_two_accounts(purse, refused):
    assert "transfer_two_accounts" in refused(lambda: purse.row("hold", 1, credit=purse.pool))
