"""Where the payment service and our books disagree, until a person has dealt with it; a refund that the service forgot; what a credit note
gives back to a fund card; and that nobody voids what a programme was asked for."""

from __future__ import annotations

from datetime import date, timedelta

import pgtrigger
import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing.bills.models import BillVoid
from billing.bills.services import issuing
from billing.cards.accounts import card_key
from billing.cards.services import CardFacts, open_card
from billing.ledger.models import Account
from billing.payments import prepaid_queries, queries
from billing.payments.difference_models import PaymentDifference
from billing.payments.models import Allocation, Payment, ProviderEvent, Refund, RefundRequest
from billing.payments.provider import configured
from billing.payments.services import allocating, crediting, differences, inbox, prepaying, reconciling, refunding
from billing.payments.services.crediting import CreditRequest
from billing.payments.services.differences import Fact
from billing.prepaid.services import setting
from billing.settlement.services import statements
from booking.services import reservations, transitions
from booking.services.reservations import ReservationRequest
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from instruments.services import research_groups
from tests.agreeing import check_out_agreed
from tests.billing.bills.conftest import DECEMBER, wrong
from tests.billing.bills.test_bills import settle
from tests.billing.payments.test_bank_transfers import code_of
from tests.billing.payments.test_stripe import begin, paid, server, stripe, tell
from tests.billing.prepaid.test_prepaid import HOLDS, ask
from tests.billing.settlement.conftest import NOVEMBER
from tests.conftest import slot_of

__all__ = ["server", "stripe"]
pytestmark = pytest.mark.django_db


def test_what_is_in_quarantine_stands_on_a_page_until_somebody_says_what_became_of_it(cast, bill, stripe):
    issued = bill()
    session = begin(cast, issued)
    stripe.sessions[session]["amount_total"] = 5
    stripe.pay(session)
    tell(stripe)
    (row,) = prepaid_queries.open_differences(cast.actor("li"))
    assert (row.code, row.provider_fen, row.ours_fen, row.note) == ("quarantined", 5, 1080_00, "provider.other_amount")
    reconciling.reconcile(configured(), timezone.now(), days=7, apply=True)
    assert [each.pk for each in prepaid_queries.open_differences(cast.actor("zhou"))] == [row.pk]
    assert prepaid_queries.open_differences(cast.actor("zhao")) == []

    browser = Client()
    browser.force_login(cast.users["li"])
    page = browser.get(reverse("provider_news")).content.decode()
    assert issued.number in page and session in page
    again, resolve = (reverse(f"provider_difference_{step}", args=[row.pk]) for step in ("again", "resolve"))
    assert browser.post(again).status_code == 302
    assert browser.post(resolve, {"reason": " "}).status_code == 422
    assert browser.post(resolve, {"reason": "the customer paid 0.05 by mistake; sent back by hand"}).status_code == 302
    assert browser.post(resolve, {"reason": "again"}).status_code == 422
    row.refresh_from_db()
    assert (row.state, row.closed_by) == ("resolved", cast.users["li"])
    for who, error in (("zhao", Forbidden), ("wu", Forbidden), ("he", Forbidden)):
        with pytest.raises(error):
            differences.resolve(cast.actor(who), row.pk, "x", timezone.now())
    with pytest.raises(DatabaseError), transaction.atomic():
        PaymentDifference.objects.filter(pk=row.pk).update(reason="another")

    stripe.sessions[session]["amount_total"] = 1080_00  # the service had shown it wrongly
    differences.note(Fact("paid", session, row.checkout_id, 1080_00, 0), timezone.now())
    (other,) = prepaid_queries.open_differences(cast.actor("zhou"))
    assert reconciling.look_again(cast.actor("zhou"), other.pk, timezone.now())
    other.refresh_from_db()
    assert (other.state, Payment.objects.get().amount_fen) == ("settled", 1080_00)
    event = ProviderEvent.objects.filter(state="quarantined").first()
    inbox.close(cast.actor("zhou"), event.pk, "seen", timezone.now())
    with pytest.raises(Refusal):
        inbox.close(cast.actor("zhou"), event.pk, "seen", timezone.now())
    assert wrong() == {}


def test_a_refund_of_a_session_that_the_service_forgot_is_given_up_and_stands_with_the_differences(cast, bill, stripe):
    payment = paid(cast, bill(), stripe)
    allocating.undo(cast.actor("li"), Allocation.objects.get().pk, "x", timezone.now())
    refunding.refund(cast.actor("li"), payment.pk, 100_00, "x", timezone.now())
    li = cast.actor("li")
    (shown,) = [queries.standing(each) for each in queries.payments_visible(li)]
    assert (shown.promised_fen, shown.free_fen) == (100_00, 980_00)
    found = queries.suggestions(list(queries.payments_visible(li)), queries.open_bills(li, [cast.lab.pk]))[payment.pk]
    assert [each.amount_fen for each in found] == [980_00]
    stripe.sessions.clear()
    refunding.ask_all(timezone.now() + timedelta(hours=1))
    request = RefundRequest.objects.get()
    assert (request.state, request.note, allocating.standing_of(payment).free_fen) == ("failed", "provider.forgotten", 1080_00)
    (row,) = prepaid_queries.open_differences(li)
    assert (row.code, row.provider_fen) == ("refund_lost", 100_00)
    assert not reconciling.look_again(li, row.pk, timezone.now())
    differences.resolve(li, row.pk, "Not made: seen on the service's own page", timezone.now())
    assert refunding.close_abandoned(timezone.now() + timedelta(days=2)) == 0 and wrong() == {}


def test_money_that_goes_back_at_the_service_is_taken_from_what_is_kept_as_prepaid(cast, bill, stripe):
    payment = paid(cast, bill(), stripe)
    allocating.undo(cast.actor("li"), Allocation.objects.get().pk, "x", timezone.now())
    prepaying.deposit(cast.actor("li"), payment.pk, cast.firm.pk, 1000_00, timezone.now())
    stripe.refund(payment.checkout.intent_ref, 500_00)
    tell(stripe)
    standing = allocating.standing_of(payment)
    assert (standing.returned_fen, standing.prepaid_fen, standing.free_fen) == (500_00, 580_00, 0)
    assert wrong() == {}


def test_of_money_that_goes_back_at_the_service_all_is_booked_but_what_is_promised_to_bookings(cast, bill, stripe):
    issued, li = bill(), cast.actor("li")
    payment = paid(cast, issued, stripe)
    allocating.undo(li, Allocation.objects.get().pk, "x", timezone.now())
    prepaying.deposit(li, payment.pk, cast.firm.pk, HOLDS, timezone.now())
    allocating.give(li, payment.pk, issued.pk, 1080_00 - HOLDS, timezone.now())
    setting.ask_for_prepaid(li, cast.lab.pk, cast.firm.pk, True, "new customer", cast.now)
    booked = ask(cast, slot_of(9, 12, 2))
    stripe.refund(payment.checkout.intent_ref, 1080_00)
    tell(stripe)
    standing = allocating.standing_of(payment)
    assert (standing.given_fen, standing.returned_fen, standing.prepaid_fen, standing.free_fen) == (0, 360_00, HOLDS, 0)
    reconciling.reconcile(configured(), timezone.now(), days=7, apply=True)
    (row,) = prepaid_queries.open_differences(li)
    assert (row.session_ref, row.provider_fen, row.ours_fen) == (payment.checkout.session_ref, 1080_00, 360_00)
    assert row.note == "provider.prepaid_promised" and wrong() == {}

    transitions.cancel(cast.actor("lin"), booked, cast.now, reason="the money is gone")
    assert reconciling.look_again(li, row.pk, timezone.now())
    assert list(Refund.objects.order_by("pk").values_list("amount_fen", flat=True)) == [360_00, HOLDS]
    assert allocating.standing_of(payment).prepaid_fen == 0 and prepaid_queries.open_differences(li) == []
    assert wrong() == {}


def test_what_a_fund_card_paid_of_a_line_goes_back_to_it_with_the_credit_note(cast, month, bill):
    zhao, now, during = cast.actor("zhao"), cast.now, slot_of(9, 12, 2)
    group = research_groups.create_group(zhao, cast.firm.pk, "Salt", cast.users["lin"].pk, None, now)
    card = open_card(zhao, group.pk, CardFacts("K-1", "Salt", date(2026, 1, 1), date(2027, 12, 31), 500_00), now)
    asked = ReservationRequest(cast.xrd.pk, cast.firm.pk, during, "self_operated", "x", fund_card_id=card.pk)

    def account():
        return Account.objects.get(key=card_key(card.pk))

    with pytest.raises(Conflict):
        reservations.reserve(cast.actor("lin"), asked, now, idempotency_key="a")
    Account.objects.filter(pk=account().pk).update(granted_fen=720_00)
    made = reservations.reserve(cast.actor("lin"), asked, now, idempotency_key="b").reservation_id
    transitions.approve(cast.actor("wang"), made, now)
    transitions.check_in(cast.actor("wang"), made, during.starts_at)
    check_out_agreed(cast.actor("wang"), made, during.ends_at)
    assert account().posted_fen == 720_00
    issued = bill()
    position = 1 + [line["place"] for line in issued.content["lines"]].index(made)
    asked_credit = CreditRequest(issued.pk, position, 200_00, "poor_result", "half of the samples")
    effect, postings = crediting.preview(cast.actor("li"), asked_credit)
    assert effect.card_fen == 200_00 and ("card_income", "fund_card", 200_00) in [
        (each.debit, each.credit, each.amount_fen) for each in postings
    ]
    note = crediting.issue(cast.actor("li"), asked_credit, DECEMBER)
    assert (account().posted_fen, note.content["totals"]["card_fen"]) == (520_00, 200_00)
    rest = CreditRequest(issued.pk, position, 520_00, "poor_result", "the others too")
    crediting.issue(cast.actor("li"), rest, DECEMBER)
    assert account().posted_fen == 0
    settle()
    broken = wrong()
    broken.pop("ledger.columns_are_the_sums_of_transfers")  # the card was filled by hand above
    assert broken == {}


def test_a_bill_of_which_a_programme_was_asked_for_its_subsidy_is_credited_and_not_voided(cast, month, bill):
    issued = bill()
    statements.issue(cast.actor("qian"), month["DEMO-QH-V"].pk, cast.lab.pk, NOVEMBER, DECEMBER)
    with pytest.raises(Refusal) as refused:
        issuing.void(cast.actor("li"), issued.pk, "wrong", DECEMBER)
    assert code_of(refused) == "bill.not_voidable"
    values = {"bill": issued, "reason": "x", "voided_by": cast.users["li"], "voided_at": DECEMBER}
    with pytest.raises(DatabaseError, match="unclaimed"), transaction.atomic():
        BillVoid.objects.create(**values)
    with pytest.raises(ZeroDivisionError), transaction.atomic(), pgtrigger.ignore("billing.BillVoid:bill_void_untouched"):
        BillVoid.objects.create(**values)
        raise ZeroDivisionError  # it was written: undone
    assert not Refund.objects.exists()
    with pytest.raises(NotFound):
        differences.open_one(cast.actor("li"), 0)
