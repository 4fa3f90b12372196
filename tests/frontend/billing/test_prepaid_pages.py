"""The pages of prepaid money, limits and unpaid bills, by clicks: from the payment to the balance, a limit, a dispute, a delay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from billing.dunning import queries
from billing.dunning.models import Exemption
from billing.payments.prepaid_models import PrepaidEntry
from billing.payments.services import checkouts
from billing.prepaid.models import PrepaidTerms, SpendingLimit
from tests.billing.payments.test_bank_transfers import row

pytestmark = pytest.mark.django_db


def test_finance_and_a_firm_do_all_of_it_by_clicks(cast, bill, take, browse):
    issued, (payment,) = bill(), take(row("2,000.00"))
    li, zhao = browse("li"), browse("zhao")
    page = li.get(reverse("payment_detail", args=[payment.pk])).content.decode()
    assert reverse("payment_keep", args=[payment.pk]) in page and "Gaoyuan Lithium" in page
    keep = reverse("payment_keep", args=[payment.pk])
    assert li.post(keep, {"customer": cast.firm.pk, "amount": "3000"}).status_code == 422
    assert li.post(keep, {"customer": cast.firm.pk, "amount": "1500"}).status_code == 302
    back = {"owner": cast.lab.pk, "customer": cast.firm.pk, "amount": "100", "reason": "too much"}
    assert li.post(reverse("prepaid_withdraw"), back).status_code == 302
    assert li.post(reverse("prepaid_withdraw"), back | {"amount": "1400.01"}).status_code == 422
    terms = {"owner": cast.lab.pk, "customer": "", "asks": "yes", "reason": "new rule"}
    assert li.post(reverse("prepaid_terms"), terms).status_code == 302 and PrepaidTerms.objects.get().asks
    text = li.get(reverse("prepaid_list")).content.decode()
    assert "¥1,400.00" in text and "new rule" in text
    assert PrepaidEntry.objects.count() == 2

    limit = {
        "organisation": cast.firm.pk,
        "member": cast.users["lin"].pk,
        "amount": "500",
        "from": "2026-01-01",
        "until": "2026-12-31",
    }
    assert zhao.post(reverse("limit_set"), limit).status_code == 302
    assert zhao.post(reverse("limit_set"), limit | {"project": "both"}).status_code == 422
    made = SpendingLimit.objects.get()
    assert zhao.post(reverse("limit_change", args=[made.pk]), {"amount": "0"}).status_code == 422
    assert zhao.post(reverse("limit_change", args=[made.pk]), {"amount": "800"}).status_code == 302
    text = zhao.get(reverse("prepaid_list")).content.decode()
    assert "¥800.00" in text and "¥1,400.00" in text and reverse("prepaid_withdraw") not in text
    assert zhao.post(reverse("limit_close", args=[made.pk])).status_code == 302

    detail = reverse("bill_detail", args=[issued.pk])
    assert reverse("bill_dispute", args=[issued.pk]) in zhao.get(detail).content.decode()
    assert zhao.post(reverse("bill_dispute", args=[issued.pk]), {"reason": ""}).status_code == 422
    assert zhao.post(reverse("bill_dispute", args=[issued.pk]), {"reason": "not ours"}).status_code == 302
    assert "not ours" in li.get(detail).content.decode()
    assert li.post(reverse("bill_dispute_answer", args=[issued.pk]), {"reason": "it is"}).status_code == 302
    assert "it is" in zhao.get(detail).content.decode()
    pair, soon = f"{cast.lab.pk}:{cast.firm.pk}", (timezone.now() + timedelta(days=5)).date().isoformat()
    assert li.post(reverse("dunning_exempt"), {"pair": pair, "until": soon, "reason": "plan"}).status_code == 302
    assert li.post(reverse("dunning_exempt"), {"pair": pair, "until": "", "reason": "plan"}).status_code == 422
    assert Exemption.objects.get().reason == "plan"
    for browser in (li, zhao, browse("wu")):
        assert browser.get(reverse("dunning_list")).status_code == 200
    assert browse("lin").get(reverse("dunning_list")).status_code == 403


def test_a_refused_payment_in_advance_keeps_what_was_typed_in_its_own_form(cast, browse, monkeypatch):
    monkeypatch.setattr(checkouts, "online_payee", lambda: cast.lab)
    typed = {"owner": cast.lab.pk, "customer": cast.firm.pk, "amount": "0.12"}
    answer = browse("zhao").post(reverse("prepaid_pay"), typed)
    html = answer.content.decode()
    assert answer.status_code == 422 and 'id="pay-amount" name="amount" inputmode="decimal" value="0.12"' in html
    assert html.count('value="0.12"') == 1 and '<details class="reveal card" open>' in html
    assert reverse("prepaid_pay") not in browse("li").get(reverse("prepaid_list")).content.decode()  # it would pay itself


def test_what_is_overdue_is_read_in_a_constant_number_of_queries(cast, bill, django_assert_num_queries):
    first = bill()
    late = datetime(2027, 1, 20, 2, 0, tzinfo=UTC)
    actor = cast.actor("li")

    def read():
        return queries.rows_of(actor, list(queries.overdue(actor, late.date())), late.date())

    with django_assert_num_queries(5):
        assert [each.bill.pk for each in read()] == [first.pk]
    bill(customer=cast.other_firm)
    with django_assert_num_queries(5):
        assert len(read()) == 2
