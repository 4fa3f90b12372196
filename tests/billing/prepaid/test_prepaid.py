"""Prepaid money from the transfer to the bill, spending limits, purchase-order numbers; and what the database itself refuses of them."""

from __future__ import annotations

from datetime import date

import pgtrigger
import pytest
from django.db import DatabaseError, transaction

from billing.ledger import services as ledger
from billing.ledger.models import Account
from billing.payments import queries
from billing.payments.models import Payment, Refund
from billing.payments.prepaid_models import EntryKind, PrepaidEntry
from billing.payments.services import allocating, prepaid_refunds, prepaying, refunding
from billing.prepaid.accounts import limit_key, prepaid
from billing.prepaid.services import setting
from billing.prepaid.services.setting import LimitFacts
from booking.services import reservations, transitions
from booking.services.reservations import ReservationRequest
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from tests.agreeing import check_out_agreed
from tests.billing.bills.conftest import DECEMBER, wrong
from tests.billing.bills.test_bills import settle
from tests.billing.payments.test_bank_transfers import code_of, row, stands
from tests.conftest import slot_of

pytestmark = pytest.mark.django_db
HOLDS = 720_00
"""Three hours of Gaoyuan: what it pays now, beside its voucher."""
WHOLE_YEAR = (date(2026, 1, 1), date(2026, 12, 31))


def ask(cast, during, project="lithium salts", who="lin"):
    request = ReservationRequest(cast.xrd.pk, cast.firm.pk, during, "self_operated", "x", research_project=project)
    return reservations.reserve(cast.actor(who), request, cast.now, idempotency_key=f"{during.starts_at}").reservation_id


def balance(cast):
    account = Account.objects.get(key=prepaid(cast.lab.pk, cast.firm.pk).key)
    return account.granted_fen, account.held_fen, account.posted_fen


def free(cast, payment):
    return queries.standing(queries.payment_for(cast.actor("li"), payment.pk)).free_fen


def test_prepaid_money_is_kept_held_captured_and_given_back_to_the_fen(cast, bill, take):
    li, lab, firm, now = cast.actor("li"), cast.lab.pk, cast.firm.pk, cast.now
    (payment,) = take(row("2,000.00"))
    setting.ask_for_prepaid(li, lab, firm, True, "new customer", now)
    with pytest.raises(Conflict) as refused:
        ask(cast, slot_of(9, 12, 2))
    assert code_of(refused) == "prepaid.not_enough_left" and refused.value.reasons[0].params["left_fen"] == 0

    prepaying.deposit(li, payment.pk, firm, 1000_00, now)
    assert (free(cast, payment), balance(cast)) == (1000_00, (1000_00, 0, 0))
    first = ask(cast, slot_of(9, 12, 2))
    assert balance(cast) == (1000_00, HOLDS, 0)
    with pytest.raises(Conflict):
        ask(cast, slot_of(13, 16, 2))
    transitions.cancel(cast.actor("lin"), first, now, reason="not today")
    assert balance(cast) == (1000_00, 0, 0) and wrong() == {}

    again, during = ask(cast, slot_of(13, 16, 2)), slot_of(13, 16, 2)
    transitions.approve(cast.actor("wang"), again, now)
    assert balance(cast) == (1000_00, HOLDS, 0)
    transitions.check_in(cast.actor("wang"), again, during.starts_at)
    check_out_agreed(cast.actor("wang"), again, during.ends_at)
    assert balance(cast) == (1000_00, HOLDS, 0)  # it waits for the bill
    with pytest.raises(Refusal) as refused:
        prepaid_refunds.withdraw(li, lab, firm, 280_01, "rest", now)
    assert (code_of(refused), refused.value.reasons[0].params["left_fen"]) == ("prepaid.left", 280_00)
    assert wrong() == {}

    setting.set_order_number(cast.actor("lin"), again, "PO-4711", now)
    issued = bill()
    assert issued.total_fen == 1080_00 + HOLDS and stands(cast, issued)[1] == 800_00
    assert [line.get("purchase_order") for line in issued.content["lines"]] == [None, None, "PO-4711"]
    assert balance(cast) == (720_00, 0, 720_00)  # 280 beyond what was held were taken from what was left
    with pytest.raises(Refusal) as refused:
        setting.set_order_number(cast.actor("lin"), again, "PO-4712", now)
    assert code_of(refused) == "order_number.billed"
    allocating.give(li, payment.pk, issued.pk, 800_00, now)
    settle()
    assert wrong() == {}

    prepaying.deposit(li, payment.pk, firm, 150_00, now)
    prepaying.deposit(li, payment.pk, firm, 50_00, now)
    assert prepaid_refunds.withdraw(li, lab, firm, 180_00, "contract ended", DECEMBER) == [payment.pk]
    assert Refund.objects.get().amount_fen == 180_00
    standing = queries.standing(queries.payment_for(li, payment.pk))
    assert (standing.given_fen, standing.returned_fen, standing.prepaid_fen, standing.free_fen) == (1800_00, 180_00, 20_00, 0)
    assert wrong() == {}


def test_only_the_owners_finance_keeps_and_gives_back_and_sets_terms(cast, bill, take):
    (payment,) = take(row("100.00"))
    for who in ("zhao", "wang", "wu", "he"):
        actor = cast.actor(who)
        with pytest.raises((Forbidden, NotFound)):
            prepaying.deposit(actor, payment.pk, cast.firm.pk, 1, cast.now)
        with pytest.raises((Forbidden, NotFound)):
            prepaid_refunds.withdraw(actor, cast.lab.pk, cast.firm.pk, 1, "x", cast.now)
        with pytest.raises((Forbidden, NotFound)):
            setting.ask_for_prepaid(actor, cast.lab.pk, None, True, "x", cast.now)
    with pytest.raises(Refusal):
        prepaying.deposit(cast.actor("li"), payment.pk, cast.lab.pk, 1, cast.now)
    assert not PrepaidEntry.objects.exists()


def test_the_database_keeps_no_more_than_is_free_and_takes_no_more_than_was_kept(cast, bill, take):
    """Each guard, and beside it the control that without it the same would be written."""
    (payment,) = take(row("100.00"))
    made = prepaying.deposit(cast.actor("li"), payment.pk, cast.firm.pk, 80_00, cast.now)

    def more(**changes):
        values = {"payment": payment, "customer": cast.firm, "kind": EntryKind.DEPOSIT, "amount_fen": 20_01, "at": cast.now}
        PrepaidEntry.objects.create(**(values | changes))

    def used(amount):
        more(kind=EntryKind.WITHDRAW, amount_fen=-amount, of=made, reason="x")

    def back():
        Refund.objects.create(payment=payment, kind="refund", amount_fen=20_01, reason="x", at=cast.now)

    guards = ((more, "PrepaidEntry:prepaid_entry_fits"), (lambda: used(80_01), "PrepaidEntry:prepaid_entry_fits"))
    for attempt, guard in (*guards, (back, "Refund:refund_fits")):
        with pytest.raises(DatabaseError), transaction.atomic():
            attempt()
        with pytest.raises(ZeroDivisionError), transaction.atomic(), pgtrigger.ignore(f"billing.{guard}"):
            attempt()
            raise ZeroDivisionError  # it was written: undone
    with pytest.raises(DatabaseError), transaction.atomic():
        PrepaidEntry.objects.filter(pk=made.pk).update(amount_fen=1)
    with pytest.raises(DatabaseError), transaction.atomic():
        Account.objects.filter(key=prepaid(cast.lab.pk, cast.firm.pk).key).update(held_fen=80_01)
    assert wrong() == {}


def test_people_and_projects_spend_no_more_than_their_organisation_lets_them(cast, programmes):
    zhao, now = cast.actor("zhao"), cast.now
    of_lin = setting.set_limit(zhao, cast.firm.pk, LimitFacts(cast.users["lin"].pk, "", 1000_00, *WHOLE_YEAR), now)
    of_project = setting.set_limit(zhao, cast.firm.pk, LimitFacts(None, "Salt", 800_00, *WHOLE_YEAR), now)
    first = ask(cast, slot_of(9, 12), "Salt")

    def used(limit):
        account = Account.objects.get(key=limit_key(limit.pk))
        return account.held_fen, account.posted_fen

    assert (used(of_lin), used(of_project)) == ((HOLDS, 0), (HOLDS, 0))
    with pytest.raises(Conflict) as refused:
        ask(cast, slot_of(13, 16))
    assert code_of(refused) == "spending.over_limit" and refused.value.reasons[0].params["left_fen"] == 280_00
    with pytest.raises(Refusal) as refused:
        setting.change_limit(zhao, of_lin.pk, HOLDS - 1, now)
    assert code_of(refused) == "spending.limit_amount"
    setting.change_limit(zhao, of_lin.pk, 5000_00, now)
    second = ask(cast, slot_of(13, 16))
    assert (used(of_lin), used(of_project)) == ((2 * HOLDS, 0), (HOLDS, 0))
    for reservation in (first, second):
        transitions.approve(cast.actor("wang"), reservation, now)
    transitions.cancel(cast.actor("lin"), second, now, reason="x")
    during = slot_of(9, 12)
    transitions.check_in(cast.actor("wang"), first, during.starts_at)
    check_out_agreed(cast.actor("wang"), first, during.ends_at)
    assert (used(of_lin), used(of_project)) == ((0, HOLDS), (0, HOLDS))
    setting.close_limit(zhao, of_lin.pk, now)
    ask(cast, slot_of(13, 16, 1))
    assert used(of_lin) == (0, HOLDS)
    assert wrong() == {}
    for who in ("lin", "li", "he"):
        with pytest.raises((Forbidden, NotFound)):
            setting.set_limit(cast.actor(who), cast.firm.pk, LimitFacts(None, "Salt", 1, *WHOLE_YEAR), now)
    for facts in (
        LimitFacts(None, "", 1, *WHOLE_YEAR),
        LimitFacts(None, "A", 0, *WHOLE_YEAR),
        LimitFacts(None, "A", 1, *WHOLE_YEAR[::-1]),
    ):
        with pytest.raises(Refusal):
            setting.set_limit(zhao, cast.firm.pk, facts, now)


def test_a_withdrawal_without_anything_left_is_a_conflict_of_the_ledger(cast, bill, take):
    """The column and its CHECK have the last word, also below the service."""
    (payment,) = take(row("10.00"))
    prepaying.deposit(cast.actor("li"), payment.pk, cast.firm.pk, 10_00, cast.now)
    account = Account.objects.get(key=prepaid(cast.lab.pk, cast.firm.pk).key)
    with pytest.raises(Conflict):
        ledger.withdraw(account, prepaid_home(cast), 10_01, ledger.Source("prepaid", 1, "prepaid_withdraw"), cast.now)
    with pytest.raises(Refusal):
        refunding.refund(cast.actor("li"), payment.pk, 1, "x", cast.now)
    assert Payment.objects.get().prepaid.count() == 1


def prepaid_home(cast):
    from billing.bills.accounts import unassigned

    return unassigned(cast.lab.pk)
