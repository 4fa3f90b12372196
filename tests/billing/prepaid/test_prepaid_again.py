"""Prepaid money that a bill gives back, or that was kept for what is never billed, is the customer's prepaid money again."""

from __future__ import annotations

from importlib import import_module

import pgtrigger
import pytest
from django.db import DatabaseError, connection, transaction

from billing.models import Allocation, DraftLine, PrepaidEntry
from billing.month.services import holding, running
from billing.month.services.running import RunRequest
from billing.payments.services import allocating, crediting, prepaying
from billing.payments.services.crediting import CreditRequest
from billing.prepaid.services import setting
from billing.settlement.rules.series import Series
from booking.services import transitions
from tests.agreeing import check_out_agreed
from tests.billing.bills.conftest import DECEMBER, wrong
from tests.billing.bills.test_bills import settle
from tests.billing.payments.test_bank_transfers import row
from tests.billing.prepaid.test_prepaid import HOLDS, ask, balance, free
from tests.conftest import slot_of

pytestmark = pytest.mark.django_db


def kept(cast):
    """What of the customer's prepaid money is there, and what of it is promised."""
    given, held, used = balance(cast)
    return given - used, held


def test_what_a_bill_gives_back_of_prepaid_money_is_prepaid_again_and_nothing_else(cast, bill, take):
    li = cast.actor("li")
    (payment,) = take(row("2,000.00"))
    prepaying.deposit(li, payment.pk, cast.firm.pk, 600_00, cast.now)
    issued = bill()  # 1,080.00, of which the prepaid money pays 600.00
    allocating.give(li, payment.pk, issued.pk, issued.total_fen - 600_00, DECEMBER)
    left = free(cast, payment)
    assert kept(cast) == (0, 0) and left == 920_00
    # What finance gave by hand was never prepaid, and what is taken away of it is not either.
    by_hand = Allocation.objects.get(bill=issued, prepaid=None)
    allocating.undo(li, by_hand.pk, "wrong bill", DECEMBER)
    assert kept(cast) == (0, 0) and free(cast, payment) == left + 480_00
    allocating.give(li, payment.pk, issued.pk, 480_00, DECEMBER)
    crediting.issue(li, CreditRequest(issued.pk, 1, 200_00, "other", "half of it"), DECEMBER)
    assert kept(cast) == (200_00, 0) and free(cast, payment) == left
    # What was given from the payment without having been prepaid is free of it, and no more becomes prepaid than had been.
    for allocation in Allocation.objects.filter(bill=issued, undoes=None).order_by("-pk"):
        if allocating.left_of(allocation):
            allocating.undo(li, allocation.pk, "wrong customer", DECEMBER)
    assert kept(cast) == (600_00, 0) and free(cast, payment) == 1400_00
    _nothing_else_is_prepaid_again(payment, issued)
    _the_migration_finds_where_money_came_from()
    settle()
    assert wrong() == {}


def _nothing_else_is_prepaid_again(payment, issued):
    """The guards, each with its control: all that prepaid money had paid is prepaid again already, and no allocation names other money."""
    made = {"payment": payment, "customer": issued.customer, "bill": issued, "amount_fen": 1, "at": DECEMBER}
    named = {"payment": payment, "bill": issued, "at": DECEMBER, "prepaid": PrepaidEntry.objects.get(bill=None)}
    for guard, attempt in (
        ("PrepaidEntry:prepaid_entry_fits", lambda: PrepaidEntry.objects.create(kind="deposit", **made)),
        ("Allocation:allocation_fits", lambda: Allocation.objects.create(amount_fen=600_00, **named)),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            attempt()
        with pytest.raises(ZeroDivisionError), transaction.atomic(), pgtrigger.ignore(f"billing.{guard}"):
            attempt()
            raise ZeroDivisionError  # it was written: undone


def _the_migration_finds_where_money_came_from():
    """From rows as they were written before allocations said it."""
    before = set(Allocation.objects.values_list("pk", "prepaid"))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE billing_allocation DISABLE TRIGGER USER")
        cursor.execute("UPDATE billing_allocation SET prepaid_id = NULL")
        cursor.execute(import_module("billing.migrations.0200_money_by_origin_and_office").ORIGINS)
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    assert set(Allocation.objects.values_list("pk", "prepaid")) == before and any(prepaid for _pk, prepaid in before)


def test_what_is_left_out_of_the_month_for_good_keeps_no_prepaid_money_and_what_is_postponed_does(cast, bill, take):
    li, during = cast.actor("li"), slot_of(13, 16, 2)
    (payment,) = take(row("2,000.00"))
    setting.ask_for_prepaid(li, cast.lab.pk, cast.firm.pk, True, "new customer", cast.now)
    prepaying.deposit(li, payment.pk, cast.firm.pk, 1000_00, cast.now)
    pk = ask(cast, during)
    transitions.approve(cast.actor("wang"), pk, cast.now)
    transitions.check_in(cast.actor("wang"), pk, during.starts_at)
    check_out_agreed(cast.actor("wang"), pk, during.ends_at)
    assert kept(cast) == (1000_00, HOLDS)
    run, _new = running.make(li, RunRequest(Series(cast.lab.pk), during.starts_at.date()), DECEMBER)
    line = DraftLine.objects.get(draft__run=run, charge__reservation_id=pk)
    holding.postpone(li, line.pk, "asked to", DECEMBER)
    assert kept(cast) == (1000_00, HOLDS)
    holding.take_in(li, line.pk, DECEMBER)
    holding.exclude(li, line.pk, "never used", DECEMBER)
    assert kept(cast) == (1000_00, 0)
    holding.take_in(li, line.pk, DECEMBER)
    issued = bill()  # takes what is there all the same
    assert kept(cast) == (0, 0) and issued.total_fen == 1080_00 + HOLDS
    settle()
    assert wrong() == {}
