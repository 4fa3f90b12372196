"""Paying in advance online: kept once however often the news comes, used by the next bill, and what is left goes back the way it came."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from billing.bills.rules.standing import BillState
from billing.payments import prepaid_queries
from billing.payments.models import Checkout, Payment, Refund, RefundRequest
from billing.payments.prepaid_models import PrepaidEntry
from billing.payments.provider import configured
from billing.payments.services import checkouts, prepaid_refunds, reconciling, refunding
from config.kernel.access import Role, visible_to
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from instruments.models import Membership
from tests.billing.bills.conftest import wrong
from tests.billing.bills.test_bills import settle
from tests.billing.payments.test_bank_transfers import code_of, stands
from tests.billing.payments.test_stripe import BACK, server, stripe, tell

__all__ = ["server", "stripe"]
pytestmark = pytest.mark.django_db


def test_a_deposit_is_paid_online_once_pays_the_next_bill_and_its_rest_goes_back(cast, bill, stripe):
    zhao, li, lab, firm, now = cast.actor("zhao"), cast.actor("li"), cast.lab.pk, cast.firm.pk, timezone.now()
    with pytest.raises(NotFound):
        checkouts.start_deposit(cast.actor("he"), lab, firm, 2000_00, BACK, now)
    with pytest.raises(Forbidden):
        checkouts.start_deposit(cast.actor("lin"), lab, firm, 2000_00, BACK, now)
    for owner, amount, code in ((lab, 99, "checkout.deposit_amount"), (cast.other_firm.pk, 2000_00, "checkout.off")):
        with pytest.raises(Refusal) as refused:
            checkouts.start_deposit(zhao, owner, firm, amount, BACK, now)
        assert code_of(refused) == code
    first = checkouts.start_deposit(zhao, lab, firm, 1000_00, BACK, now)
    url = checkouts.start_deposit(zhao, lab, firm, 2000_00, BACK, now)  # another amount closes the first session
    assert url == checkouts.start_deposit(zhao, lab, firm, 2000_00, BACK, now) != first
    assert sorted(Checkout.objects.values_list("amount_fen", "state")) == [(1000_00, "expired"), (2000_00, "open")]
    asked = Checkout.objects.get(state="open")
    form = next(call[2] for call in reversed(stripe.calls) if call[:2] == ("POST", "/v1/checkout/sessions"))
    assert form["metadata"] == {"jishi_key": asked.key} and form["client_reference_id"] == asked.reference
    assert not any(word in str(form) for word in ("Gaoyuan", "Kunlun", "@"))
    assert not Payment.objects.exists()
    assert [visible_to(Checkout.objects.all(), cast.actor(who)).count() for who in ("zhao", "li", "he")] == [2, 2, 0]

    stripe.pay(url.rsplit("/", 1)[1])
    for _ in range(2):
        tell(stripe)
    payment, entry = Payment.objects.get(), PrepaidEntry.objects.get()
    assert (payment.amount_fen, payment.method, payment.owner_id) == (2000_00, "stripe", lab)
    assert (entry.kind, entry.amount_fen, entry.customer_id, entry.payment_id) == ("deposit", 2000_00, firm, payment.pk)
    assert [one.left_fen for one in prepaid_queries.balances(zhao)] == [2000_00]

    issued = bill()
    assert stands(cast, issued) == (BillState.PAID, 0)
    left = 2000_00 - issued.total_fen
    assert prepaid_refunds.withdraw(li, lab, firm, left, "no more samples", timezone.now()) == [payment.pk]
    refunding.ask(RefundRequest.objects.get().pk, timezone.now())
    tell(stripe)
    assert (Refund.objects.get().amount_fen, len(stripe.refunds)) == (left, 1)
    provider = configured()
    assert provider is not None and reconciling.reconcile(provider, timezone.now(), days=1, apply=True) == []
    settle()
    assert wrong() == {}


def test_a_colleagues_payment_in_advance_is_not_closed_by_another_amount(cast, bill, stripe):
    now = timezone.now()
    Membership.objects.create(user=cast.users["lin"], organisation=cast.firm, role=Role.FIRM_ADMIN, created_at=cast.now)
    url = checkouts.start_deposit(cast.actor("zhao"), cast.lab.pk, cast.firm.pk, 1000_00, BACK, now)
    with pytest.raises(Conflict) as refused:
        checkouts.start_deposit(cast.actor("lin"), cast.lab.pk, cast.firm.pk, 3000_00, BACK, now)
    assert code_of(refused) == "checkout.under_way" and Checkout.objects.get().state == "open"
    assert checkouts.start_deposit(cast.actor("lin"), cast.lab.pk, cast.firm.pk, 1000_00, BACK, now) == url


def test_a_deposit_whose_news_was_lost_is_found_and_another_amount_is_quarantined(cast, month, stripe):
    zhao, lab, firm, now = cast.actor("zhao"), cast.lab.pk, cast.firm.pk, timezone.now()
    url = checkouts.start_deposit(zhao, lab, firm, 500_00, BACK, now)
    stripe.pay(url.rsplit("/", 1)[1])
    provider = configured()
    assert provider is not None and checkouts.look_at_all(provider, now + timedelta(hours=1)) == 1
    assert PrepaidEntry.objects.get().amount_fen == 500_00
    other = checkouts.start_deposit(zhao, lab, firm, 700_00, BACK, now).rsplit("/", 1)[1]
    stripe.sessions[other]["amount_total"] = 1
    stripe.pay(other)
    tell(stripe)
    assert Checkout.objects.get(session_ref=other).state == "quarantined" and PrepaidEntry.objects.count() == 1
    settle()
    assert wrong() == {}


def test_the_database_keeps_an_attempt_to_a_bill_or_to_a_deposit(cast, bill, stripe):
    """The control of each: the same row with one side only is written."""
    said = {"provider": "stripe", "attempt": 1, "amount_fen": 1, "asked_by": cast.users["zhao"]}
    said |= {"asked_at": cast.now, "changed_at": cast.now}
    sides = {"owner": cast.lab, "customer": cast.firm}
    for place, wanted in enumerate(
        ({}, {"owner": cast.lab}, {**sides, "bill": bill()}, {"owner": cast.lab, "customer": cast.lab})
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            Checkout.objects.create(key=f"deposit:{place}", **said, **wanted)
    Checkout.objects.create(key="deposit:a", **said, **sides)
    with pytest.raises(DatabaseError), transaction.atomic():
        Checkout.objects.create(key="deposit:b", **said, **sides)
