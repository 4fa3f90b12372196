"""Prepaid money that changes while it is used: the ledger never takes more than the entries give."""

from __future__ import annotations

import pytest

from billing.payments.prepaid_models import EntryKind
from billing.payments.services import prepaid_refunds, prepaying
from config.kernel.errors import Conflict, Refusal
from tests.billing.bills.conftest import DECEMBER, wrong
from tests.billing.payments.test_bank_transfers import code_of, row, stands
from tests.billing.prepaid.test_prepaid import balance

pytestmark = pytest.mark.django_db


def test_a_deposit_that_comes_while_a_bill_or_a_refund_takes_others_waits_for_the_next(cast, bill, take, monkeypatch):
    li, lab, firm, now = cast.actor("li"), cast.lab.pk, cast.firm.pk, cast.now
    first, second = take(row("100.00"), row("200.00", serial="2"))
    prepaying.deposit(li, first.pk, firm, 100_00, now)
    read = prepaying.deposits_of
    more = []

    def between(*of):
        """Somebody deposits between the reading of the deposits and the lock of the account."""
        found = read(*of)
        while more:
            prepaying.deposit(li, more.pop(), firm, 200_00, now)
        return found

    monkeypatch.setattr(prepaying, "deposits_of", between)
    more.append(second.pk)
    issued = bill()
    assert stands(cast, issued)[1] == 980_00
    assert balance(cast) == (200_00, 0, 0) and wrong() == {}

    (third,) = take(row("200.00", serial="3"))
    prepaying.deposit(li, third.pk, firm, 1_00, now)
    with pytest.raises(Conflict) as changed:
        prepaying.take(read(lab, firm), 201_01, EntryKind.CAPTURE, now, bill=issued)
    assert code_of(changed) == "prepaid.changed_meanwhile"
    (fourth,) = take(row("200.00", serial="4"))
    more.append(fourth.pk)
    with pytest.raises(Refusal) as refused:
        prepaid_refunds.withdraw(li, lab, firm, 201_01, "contract ended", DECEMBER)
    assert refused.value.reasons[0].params["left_fen"] == 201_00
    assert wrong() == {}
