"""One month twice: paid online, with news that comes twice, late, out of order or never, a refund and a lost dispute; then the same month
with the payment service off and bank transfers. The same closing figures."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Sum
from django.utils import timezone

from billing.bills import queries as bills
from billing.bills.models import Bill
from billing.ledger.models import Account, Transfer
from billing.payments import prepaid_queries
from billing.payments.models import Allocation, Payment, ProviderEvent, Refund
from billing.payments.provider import configured
from billing.payments.services import allocating, checkouts, crediting, reconciling, refunding
from billing.payments.services.crediting import CreditRequest
from config.kernel.errors import Refusal
from tests.billing.bills.conftest import wrong
from tests.billing.bills.test_bills import settle
from tests.billing.payments.conftest import begins_with_month, bill, month, take
from tests.billing.payments.test_bank_transfers import row
from tests.billing.payments.test_stripe import BACK, PAYEE, begin, post, server, stripe, tell, work

__all__ = ["PAYEE", "begins_with_month", "bill", "month", "server", "stripe", "take"]
pytestmark = pytest.mark.django_db
CREDITED = 80_00


def closing() -> dict[str, Any]:
    """What the books say at the end: the balance of each kind of account (debit less credit), and where every bill stands."""
    found: dict[str, Any] = {}
    for account in Account.objects.filter(kind__in=["receivable", "revenue", "cash", "unassigned"]):
        debit = Transfer.objects.filter(debit=account).aggregate(fen=Sum("amount_fen"))["fen"] or 0
        credit = Transfer.objects.filter(credit=account).aggregate(fen=Sum("amount_fen"))["fen"] or 0
        found[account.kind] = found.get(account.kind, 0) + debit - credit
    rows = bills.with_standing(Bill.objects.all()).order_by("pk")
    return found | {"bills": [(bills.standing_of(row).state.value, bills.standing_of(row).paid_fen) for row in rows]}


def expected(first: Bill, second: Bill) -> dict[str, Any]:
    """Both bills are paid, less what was credited of the first one, which went back; nothing is free or owed."""
    kept = first.total_fen - CREDITED + second.total_fen
    return {
        "receivable": 0,
        "revenue": -kept,
        "cash": kept,
        "unassigned": 0,
        "bills": [("paid", first.total_fen - CREDITED), ("paid", second.total_fen)],
    }


def credit(cast: Any, issued: Bill) -> None:
    asked = CreditRequest(issued.pk, 1, CREDITED, "poor_result", "half of the samples")
    crediting.issue(cast.actor("li"), asked, timezone.now())


def test_a_month_online_closes_to_the_fen_whatever_happens_to_the_news(cast, bill, stripe):
    first, second = bill(), bill(customer=cast.other_firm)
    stripe.pay(begin(cast, first))
    news = list(stripe.events)
    for event in [*reversed(news), *news, *news]:
        assert post(event).status_code == 200
    work()
    assert (Payment.objects.count(), ProviderEvent.objects.count()) == (1, len(news))

    payment = Payment.objects.get()
    credit(cast, first)
    request = refunding.refund(cast.actor("li"), payment.pk, CREDITED, "credit note", timezone.now())
    refunding.ask(request.pk, timezone.now())  # type: ignore[union-attr]
    tell(stripe)

    session = checkouts.start(_payer(cast), second.pk, BACK, timezone.now())
    stripe.pay(session.rsplit("/", 1)[1])
    tell(stripe)
    intent = stripe.sessions[session.rsplit("/", 1)[1]]["payment_intent"]
    dispute = stripe.dispute(intent, second.total_fen)
    stripe.close_dispute(dispute["id"], "lost")
    tell(stripe)
    for event in news:  # late and once more: nothing moves back
        post(event)
    work()
    assert bills.standing_of(bills.bill_for(cast.actor("li"), second.pk)).open_fen == second.total_fen

    again = checkouts.start(_payer(cast), second.pk, BACK, timezone.now())
    stripe.pay(again.rsplit("/", 1)[1])  # and nobody ever tells us
    assert Payment.objects.count() == 2
    provider = configured()
    (found,) = [each for each in reconciling.reconcile(provider, timezone.now(), days=7, apply=True) if each.code == "paid"]
    assert found.applied and found.provider_fen == second.total_fen
    assert prepaid_queries.open_differences(cast.actor("zhou")) == []
    settle()
    assert closing() == expected(first, second) and wrong() == {}


def _payer(cast: Any) -> Any:
    """Who pays for the second firm; it has only a researcher until now."""
    from config.kernel.access import Role
    from instruments.models import Membership

    Membership.objects.get_or_create(
        user=cast.users["he"], organisation=cast.other_firm, role=Role.FIRM_ADMIN, defaults={"created_at": cast.now}
    )
    return cast.actor("he")


def test_the_same_month_by_bank_transfer_closes_alike(cast, bill, take, settings):
    settings.STRIPE = None
    first, second = bill(), bill(customer=cast.other_firm)
    with pytest.raises(Refusal):
        checkouts.start(cast.actor("zhao"), first.pk, BACK, timezone.now())
    li, now = cast.actor("li"), timezone.now()
    one, two = take(
        row(f"{first.total_fen / 100:,.2f}", first.reference), row(f"{second.total_fen / 100:,.2f}", "?", "Nobody", "2")
    )
    assert take(row(f"{first.total_fen / 100:,.2f}", first.reference), name="again.csv") == []
    allocating.give(li, one.pk, first.pk, first.total_fen, now)
    credit(cast, first)
    refunding.refund(li, one.pk, CREDITED, "credit note", now)
    allocating.give(li, two.pk, second.pk, second.total_fen, now)
    allocating.undo(li, Allocation.objects.latest("pk").pk, "the payer's bank took it back", now)
    refunding.refund(li, two.pk, second.total_fen, "the payer's bank took it back", now + timedelta(minutes=1))
    (three,) = take(row(f"{second.total_fen / 100:,.2f}", second.reference, serial="3"), name="late.csv")
    allocating.give(li, three.pk, second.pk, second.total_fen, now)
    settle()
    assert Refund.objects.count() == 2
    assert closing() == expected(first, second) and wrong() == {}
