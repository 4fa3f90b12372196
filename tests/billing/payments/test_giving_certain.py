"""All money that is certain is given at once, each payment by itself; what is in doubt is left to a person."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing.payments import queries
from billing.payments.models import Allocation, Payment
from billing.payments.rules.matching import Money, OpenBill, certain
from billing.payments.services import allocating, giving_certain
from billing.payments.services.giving_certain import Wanted
from config.kernel.errors import Forbidden, NotFound, Refusal
from tests.billing.bills.conftest import DECEMBER, wrong
from tests.billing.payments.test_bank_transfers import row

pytestmark = pytest.mark.django_db


def wanted_of(cast, who="li"):
    return [Wanted(each.payment.pk, each.bill.bill_id, each.amount_fen) for each in queries.certain_matches(cast.actor(who))]


def give_all(cast, wanted, key="k", who="li"):
    return giving_certain.give_all(cast.actor(who), wanted, DECEMBER, key=key)


@pytest.fixture
def as_(cast, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: DECEMBER)

    def log_in(who):
        client = Client(headers={"Accept-Language": "en"})
        client.force_login(cast.users[who])
        return client

    return log_in


@pytest.fixture
def two(bill, cast):
    return bill(), bill(cast.other_firm)


def open_of(issued):
    return allocating.open_fen(issued)


def money(fen, remark):
    return Money(fen, "", "", remark)


def test_certain_is_one_reference_one_open_bill_and_exactly_its_amount_named_by_one_payment(two):
    first, second = (OpenBill(each.pk, 1, each.reference, each.number, each.pk, "", "", 100_00) for each in two)
    sure = {1: money(100_00, f"fee {first.reference}"), 2: money(100_00, second.reference)}
    assert certain(sure, [first, second]) == {1: first, 2: second}
    assert certain({1: money(99_99, first.reference)}, [first]) == {}
    assert certain({1: money(100_00, first.number)}, [first]) == {}
    assert certain({1: money(100_00, f"{first.reference} {second.reference}")}, [first]) == {}
    assert certain(sure | {3: money(1, first.reference)}, [first, second]) == {2: second}


def test_all_that_is_certain_is_given_each_once_and_the_rest_stays(cast, two, take):
    first, second = two
    sums = [open_of(each) / 100 for each in two]
    take(row(sums[0], first.reference), row(sums[1], second.reference, serial="2"), row("5", first.number, serial="3"))
    wanted = wanted_of(cast)
    assert len(wanted) == 2
    report = give_all(cast, wanted)
    assert [each.done for each in report] == [True, True] and [open_of(each) for each in two] == [0, 0]
    assert Allocation.objects.count() == 2 and wanted_of(cast) == [] and wrong() == {}


def test_the_same_form_gives_nothing_twice_even_after_a_row_was_taken_back(cast, two, take):
    first, _second = two
    take(row(open_of(first) / 100, first.reference))
    wanted = wanted_of(cast)
    give_all(cast, wanted)
    allocating.undo(cast.actor("li"), Allocation.objects.get().pk, "another bill was meant", DECEMBER)
    assert [each.done for each in give_all(cast, wanted)] == [True]
    assert Allocation.objects.count() == 2 and open_of(first) == first.total_fen
    assert [each.done for each in give_all(cast, wanted, key="another form")] == [True] and open_of(first) == 0
    assert wrong() == {}


def test_what_changed_since_it_was_shown_is_refused_and_stops_no_other(cast, two, take):
    first, second = two
    payments = take(row(open_of(first) / 100, first.reference), row(open_of(second) / 100, second.reference, serial="2"))
    wanted = wanted_of(cast)
    allocating.give(cast.actor("li"), payments[0].pk, first.pk, 1, DECEMBER)
    report = give_all(cast, wanted)
    assert [[reason.code for reason in each.reasons] for each in report] == [["payment.not_certain"], []]
    assert open_of(second) == 0 and open_of(first) == first.total_fen - 1 and wrong() == {}


def test_a_match_that_nobody_was_shown_is_not_given_this_way(cast, two, take):
    first, _second = two
    (payment,) = take(row("5", first.number))
    (given,) = give_all(cast, [Wanted(payment.pk, first.pk, 5_00)])
    assert not given.done and not Allocation.objects.exists()


def test_who_does_not_account_for_the_lab_gives_nothing(cast, two, take):
    first, _second = two
    (payment,) = take(row(open_of(first) / 100, first.reference))
    wanted = [Wanted(payment.pk, first.pk, open_of(first))]
    for who in ("wang", "wu", "zhao"):
        with pytest.raises(Forbidden):
            give_all(cast, wanted, who=who)
    with pytest.raises(NotFound):
        give_all(cast, [Wanted(payment.pk + 1, first.pk, 1)])
    for many in ([], wanted * (giving_certain.MOST + 1)):
        with pytest.raises(Refusal):
            give_all(cast, many)
    assert not Allocation.objects.exists()


def test_the_page_lists_them_with_their_sum_and_gives_them_with_one_press(cast, two, take, as_):
    first, second = two
    take(row(open_of(first) / 100, first.reference), row(open_of(second) / 100, second.reference, serial="2"))
    client = as_("li")
    page = client.get(reverse("payment_list")).content.decode()
    assert f"Give all 2 that are certain: ¥{(open_of(first) + open_of(second)) / 100:,.2f}" in page
    assert "that are certain" not in as_("wu").get(reverse("payment_list")).content.decode()
    matches = [f"{each.payment_id}:{each.bill_id}:{each.amount_fen}" for each in wanted_of(cast)]
    sent = {"match": matches, "once": "5e0c6f0e-7a53-4c8b-8f39-5a1f1d1f6d11"}
    for _ in range(2):
        answer = client.post(reverse("payment_give_certain"), sent).content.decode()
        assert "2 payments are given to their bills" in answer and Allocation.objects.count() == 2
    assert client.post(reverse("payment_give_certain"), {}).status_code == 422
    assert client.post(reverse("payment_give_certain"), {"match": ["x:1"]}).status_code == 404


def test_the_api_says_what_is_certain_and_gives_it(cast, two, take, as_):
    first, _second = two
    take(row(open_of(first) / 100, first.reference))
    client, address = as_("li"), "/api/v1/payments/certain/"
    said = client.get(address).json()
    assert said["total_fen"] == open_of(first) and len(said["matches"]) == 1
    assert client.post(address, {"matches": said["matches"]}, "application/json").status_code == 422
    for _ in range(2):
        answer = client.post(address, {"matches": said["matches"]}, "application/json", headers={"Idempotency-Key": "a"})
        assert answer.status_code == 200 and answer.json()["matches"][0]["done"], answer.content
    assert Allocation.objects.count() == 1 and Payment.objects.count() == 1
    assert client.get(address).json() == {"matches": [], "total_fen": 0}


def test_a_key_is_as_long_as_anywhere_and_one_that_is_none_is_refused_once(cast, two, take):
    first, _second = two
    take(row(open_of(first) / 100, first.reference))
    wanted = wanted_of(cast)
    for key in ("", "k" * 256):
        with pytest.raises(Refusal) as refused:
            give_all(cast, wanted, key=key)
        assert refused.value.reasons[0].code.startswith("idempotency.key")
    assert [each.done for each in give_all(cast, wanted, key="k" * 255)] == [True]
