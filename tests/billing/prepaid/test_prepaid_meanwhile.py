"""Prepaid money that changes while it is used, and a no-show who comes after all: the ledger never takes more than the entries give."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing.ledger.models import Account
from billing.payments.prepaid_models import EntryKind
from billing.payments.services import prepaid_refunds, prepaying
from billing.prepaid.accounts import limit_key
from billing.prepaid.services import setting
from billing.prepaid.services.setting import LimitFacts
from booking.services import changes, decisions, sample_decisions, sample_jobs, self_service, transitions
from booking.services.changes import ChangeRequest
from booking.services.decision_rows import How
from config.kernel.errors import Conflict, Refusal
from tests.billing.bills.conftest import DECEMBER, wrong
from tests.billing.payments.test_bank_transfers import code_of, row, stands
from tests.billing.prepaid.test_prepaid import HOLDS, WHOLE_YEAR, ask, balance
from tests.booking.samples.conftest import Work, make_item
from tests.conftest import slot_of

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


def test_who_comes_after_all_has_its_price_kept_again_as_before_the_no_show(cast, bill, take):
    li, firm, now = cast.actor("li"), cast.firm.pk, cast.now
    (payment,) = take(row("1,000.00"))
    prepaying.deposit(li, payment.pk, firm, 1000_00, now)
    setting.ask_for_prepaid(li, cast.lab.pk, firm, True, "new customer", now)
    limit = setting.set_limit(cast.actor("zhao"), firm, LimitFacts(cast.users["lin"].pk, "", 1000_00, *WHOLE_YEAR), now)
    during = slot_of(9, 12, 2)
    booked = ask(cast, during)
    transitions.approve(cast.actor("wang"), booked, now)

    def limited():
        return Account.objects.get(key=limit_key(limit.pk)).held_fen

    assert (balance(cast)[1], limited()) == (HOLDS, HOLDS)
    assert transitions.mark_no_shows_due(during.starts_at + timedelta(hours=1)) == 1
    assert (balance(cast)[1], limited()) == (0, 0)
    self_service.start(cast.actor("lin"), booked, [], during.starts_at + timedelta(hours=1))
    assert (balance(cast)[1], limited()) == (HOLDS, HOLDS)
    assert wrong() == {}


def test_a_rejection_that_is_taken_back_has_the_price_kept_again_where_it_was_kept_last(cast, programmes, take):
    li, firm, now, wang = cast.actor("li"), cast.firm.pk, cast.now, cast.actor("wang")
    (payment,) = take(row("1,000.00"))
    prepaying.deposit(li, payment.pk, firm, 1000_00, now)
    setting.ask_for_prepaid(li, cast.lab.pk, firm, True, "new customer", now)
    first, later = slot_of(9, 12, 2), slot_of(9, 12, 3)
    of_first = LimitFacts(cast.users["lin"].pk, "", 1000_00, first.starts_at.date(), first.starts_at.date())
    limit = setting.set_limit(cast.actor("zhao"), firm, of_first, now)
    booked = ask(cast, first)

    def kept():
        return balance(cast)[1], Account.objects.get(key=limit_key(limit.pk)).held_fen

    def reject_and_undo():
        transitions.reject(wang, booked, now, "closed", How(undo=True))
        assert kept() == (0, 0)
        decisions.take_back(wang, booked, now)

    reject_and_undo()
    assert kept() == (HOLDS, HOLDS)
    transitions.approve(wang, booked, now, How(undo=True))
    decisions.take_back(wang, booked, now)
    assert kept() == (HOLDS, HOLDS)
    changes.change(cast.actor("lin"), ChangeRequest(booked, later), now, idempotency_key="later")
    reject_and_undo()
    assert kept() == (HOLDS, 0), "the limit of the day that it left counts it no more"
    assert wrong() == {}


def test_a_labs_answer_about_samples_that_is_taken_back_has_their_price_kept_again(cast, programmes, take):
    li, now, wang = cast.actor("li"), cast.now, cast.actor("wang")
    (payment,) = take(row("1,000.00"))
    prepaying.deposit(li, payment.pk, cast.firm.pk, 1000_00, now)
    setting.ask_for_prepaid(li, cast.lab.pk, cast.firm.pk, True, "new customer", now)
    job = Work(cast, make_item(cast)).ask()
    kept = balance(cast)[1]
    assert kept > 0
    for answer, meanwhile in (
        (lambda: sample_jobs.refuse(wang, job.pk, "Full", now, How(undo=True)), 0),
        (lambda: sample_jobs.accept(wang, job.pk, now, how=How(undo=True)), kept),
    ):
        answer()
        assert balance(cast)[1] == meanwhile
        sample_decisions.take_back(wang, job.pk, now)
        assert balance(cast)[1] == kept
    assert wrong() == {}
