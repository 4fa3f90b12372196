"""Sealed transfers: whatever is changed, taken out or put in afterwards is found and named."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from billing.ledger import seals
from billing.ledger.models import LedgerSeal, Transfer
from billing.ledger.rules.chain import FIRST, Movement, link, strays
from tests.conftest import NOW


def movement(pk: int, amount: int = 1, **changes) -> Movement:
    values = {"kind": "hold", "debit_id": 1, "credit_id": 2, "hold_id": None, "source_type": "x", "source_id": 1, "reason": "r"}
    values |= {"programme_version_id": None, "actor_id": None, "at": NOW}
    return Movement(id=pk, amount_fen=amount, **(values | changes))


def tamper(statement: str, *values) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE billing_transfer DISABLE TRIGGER USER")
        cursor.execute("ALTER TABLE billing_ledgerseal DISABLE TRIGGER USER")
        cursor.execute(statement, values)


def codes() -> list[tuple[str, int, str]]:
    return [(fault.code, fault.number, fault.detail) for fault in seals.verify().faults]


@pytest.fixture
def sealed(purse) -> list[Transfer]:
    """Seven transfers in seals of three."""
    for place in range(6):
        purse.hold(10_00 + place)
    assert seals.seal_due(purse.now, batch=3) == 7
    return list(Transfer.objects.order_by("pk"))


def test_everything_is_sealed_once_in_order(sealed, purse):
    assert [seal.count for seal in LedgerSeal.objects.order_by("number")] == [3, 3, 1]
    assert seals.seal_due(purse.now) == 0
    found = seals.verify()
    assert (found.seals, found.transfers, found.unsealed, found.faults) == (3, 7, 0, ())
    purse.hold(1)
    assert seals.verify().unsealed == 1
    assert seals.seal_due(purse.now) == 1
    assert seals.verify().faults == ()


def test_one_fen_more_is_found_and_named(sealed):
    tamper("UPDATE billing_transfer SET amount_fen = amount_fen + 1 WHERE id = %s", sealed[4].pk)
    assert codes() == [("ledger.seal_transfer_changed", 2, str(sealed[4].pk))]


def test_another_reason_or_time_is_found_too(sealed, now):
    tamper("UPDATE billing_transfer SET reason = 'other' WHERE id = %s", sealed[0].pk)
    tamper("UPDATE billing_transfer SET at = %s WHERE id = %s", now + timedelta(microseconds=1), sealed[6].pk)
    assert [code[1] for code in codes()] == [1, 3]


def test_a_transfer_taken_out_is_missing(sealed):
    tamper("DELETE FROM billing_transfer WHERE id = %s", sealed[2].pk)
    assert codes() == [("ledger.seal_transfers_missing", 1, "1")]


def test_a_seal_made_to_fit_no_longer_fits_its_successor(sealed):
    tamper("UPDATE billing_transfer SET amount_fen = 1 WHERE id = %s", sealed[0].pk)
    first = LedgerSeal.objects.get(number=1)
    rows = Transfer.objects.filter(pk__lte=first.last_id).order_by("pk").values_list(*Movement.__slots__)
    forged = link(FIRST, [Movement(*row) for row in rows])
    tamper("UPDATE billing_ledgerseal SET sha256 = %s, marks = %s WHERE number = 1", forged.sha256, forged.marks)
    assert codes() == [("ledger.seal_chain_broken", 2, "")]


def test_cut_off_seals_are_seen_by_who_noted_the_newest_link(sealed):
    head = seals.verify().head
    tamper("DELETE FROM billing_ledgerseal WHERE number = 3")
    assert seals.verify().faults == ()
    assert [fault.code for fault in seals.verify([head]).faults] == ["ledger.seal_head_unknown"]


def test_seals_are_append_only(sealed, refused):
    assert refused(lambda: LedgerSeal.objects.filter(number=1).delete())
    assert refused(lambda: LedgerSeal.objects.filter(number=1).update(count=9))


def test_the_command_says_what_differs_and_ends_with_an_error(sealed):
    out = StringIO()
    call_command("verify_ledger", stdout=out)
    assert "3 seals over 7 transfers, 0 not sealed yet" in out.getvalue()
    tamper("UPDATE billing_transfer SET amount_fen = amount_fen + 1 WHERE id = %s", sealed[5].pk)
    out = StringIO()
    with pytest.raises(CommandError, match="not what was sealed"):
        call_command("verify_ledger", stdout=out)
    assert str(sealed[5].pk) in out.getvalue()


@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=30), st.data())
def test_any_one_changed_amount_changes_the_link_and_is_named(amounts, data):
    rows = [movement(place + 1, amount) for place, amount in enumerate(amounts)]
    sealed = link(FIRST, rows)
    place = data.draw(st.integers(0, len(rows) - 1))
    rows[place] = movement(place + 1, amounts[place] + 1)
    assert link(FIRST, rows).sha256 != sealed.sha256
    assert strays(sealed.marks, rows).changed == (place + 1,)


def test_the_same_rows_make_the_same_link_whatever_the_zone_of_their_instant():
    from zoneinfo import ZoneInfo

    local = movement(1, at=NOW.astimezone(ZoneInfo("Asia/Shanghai")))
    assert link(FIRST, [local]) == link(FIRST, [movement(1)])
    assert link(FIRST, [movement(1), movement(2)]).sha256 != link(FIRST, [movement(2), movement(1)]).sha256
