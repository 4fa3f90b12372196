"""Paying a bill online, through the real library and over HTTP, against a payment service of our own: paying, duplicates, any order of
news, forgeries, refunds, disputes, lost news, and what is put into quarantine."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from itertools import pairwise, permutations
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing import tasks
from billing.bills.rules.standing import BillState
from billing.bills.services import issuing
from billing.payments import queries
from billing.payments.models import Allocation, Checkout, Dispute, Payment, ProviderEvent, Refund, RefundRequest
from billing.payments.provider import ProviderError, configured
from billing.payments.services import allocating, checkouts, inbox, reconciling, refunding
from config.kernel.errors import Forbidden, NotFound, Refusal
from tests import stripe_double
from tests.billing.bills.conftest import DECEMBER, wrong
from tests.billing.bills.test_bills import settle
from tests.billing.payments.test_bank_transfers import code_of, row, stands
from tests.stripe_double import ACCOUNT, KEY, SECRETS, Double, signed

pytestmark = pytest.mark.django_db
BACK = "https://jishi.example/bills/1/"
PAYEE = "12630000000000123E"


@pytest.fixture(scope="module")
def server():
    double = Double()
    yield double
    double.close()


@pytest.fixture
def stripe(server, settings):
    """The service, empty; payments online are on, for the cast's lab."""
    for table in (server.sessions, server.refunds, server.disputes, server.charges, server.answered):
        table.clear()
    server.events.clear()
    server.later = 0
    server.calls.clear()
    server.lose_answers, server.down = 0, False
    settings.STRIPE = {
        "key": KEY, "live": False, "webhook_secrets": SECRETS, "account": ACCOUNT, "payee": PAYEE, "api_base": server.url,
    }  # fmt: skip
    return server


def post(event, **options):
    body, signature = signed(event, **options)
    return Client().post(
        "/payments/events/stripe", body, content_type="application/json", headers={"Stripe-Signature": signature}
    )


def tell(double):
    """Every event that the service has, each once, and the worker's work."""
    for event in double.events:
        assert post(event).status_code == 200
    work()


def work():
    """What the worker does once; what is to be tried again stays."""
    for event in ProviderEvent.objects.filter(state="waiting").order_by("pk"):
        with suppress(ProviderError):
            inbox.handle(event.pk, timezone.now())


def begin(cast, bill, who="zhao"):
    """Zhao goes to the payment service; returns the id of the session."""
    url = checkouts.start(cast.actor(who), bill.pk, BACK, timezone.now())
    return url.rsplit("/", 1)[1]


def paid(cast, bill, double):
    session = begin(cast, bill)
    double.pay(session)
    tell(double)
    return Payment.objects.get(checkout__session_ref=session)


def test_a_bill_is_paid_online_to_the_fen(cast, bill, stripe):
    issued = bill()
    payment = paid(cast, issued, stripe)
    assert (payment.amount_fen, payment.method) == (1080_00, "stripe")
    assert stands(cast, issued) == (BillState.PAID, 0)
    assert set(ProviderEvent.objects.values_list("state", flat=True)) == {"done"}
    settle()
    assert wrong() == {}


def test_nothing_but_opaque_ids_goes_to_the_service(cast, bill, stripe):
    issued = bill()
    begin(cast, issued)
    (_, _, form) = next(call for call in stripe.calls if call[0] == "POST")
    assert form["metadata"] == {"jishi_key": f"pay:{issued.reference}:1"} and form["client_reference_id"] == issued.reference
    text = str(form)
    assert not any(word in text for word in ("Gaoyuan", "Kunlun", "diffract", "@", "Lin "))


def test_coming_back_from_the_service_pays_nothing(cast, bill, stripe):
    issued = bill()
    begin(cast, issued)
    assert stands(cast, issued) == (BillState.ISSUED, 1080_00) and not Payment.objects.exists()


def test_going_there_twice_leads_to_the_same_session(cast, bill, stripe):
    issued = bill()
    assert begin(cast, issued) == begin(cast, issued)
    assert len(stripe.sessions) == 1 and Checkout.objects.count() == 1


def test_an_answer_that_was_lost_is_asked_for_again_under_the_same_key(cast, bill, stripe):
    issued = bill()
    stripe.lose_answers = 9
    with pytest.raises(Refusal) as refused:
        begin(cast, issued)
    assert code_of(refused) == "checkout.unreachable" and Checkout.objects.get().state == "asked"
    stripe.lose_answers = 0
    begin(cast, issued)
    assert len(stripe.sessions) == 1 and Checkout.objects.get().attempt == 1


def test_two_hundred_times_the_same_news_is_one_payment(cast, bill, stripe):
    issued = bill()
    stripe.pay(begin(cast, issued))
    answers = [post(event).status_code for event in stripe.events for _ in range(200)]
    assert len(answers) == 600 and set(answers) == {200}
    assert ProviderEvent.objects.count() == 3
    work()
    for event in ProviderEvent.objects.all():
        inbox.handle(event.pk, timezone.now())
    assert Payment.objects.count() == Allocation.objects.count() == 1
    assert wrong() == {}


@pytest.mark.parametrize("every", [144, pytest.param(1, marks=pytest.mark.proof)])
def test_every_order_of_six_events_ends_alike(cast, bill, stripe, every):
    """Paid, intent, charge, a refund, a dispute that opens and is lost: 720 orders, of which ``make proof`` tries each."""
    issued = bill()
    session = begin(cast, issued)
    stripe.pay(session)
    intent = stripe.sessions[session]["payment_intent"]
    stripe.refund(intent, 80_00)
    stripe.close_dispute(stripe.dispute(intent, 1000_00)["id"], "lost")
    assert len(stripe.events) == 6
    for event in stripe.events:
        post(event)
    ids = list(ProviderEvent.objects.order_by("pk").values_list("pk", flat=True))
    ends = set()
    for order in list(permutations(ids))[::every]:
        with transaction.atomic():
            for event_id in order:
                inbox.handle(event_id, timezone.now())
            payment = Payment.objects.get()
            refunds = tuple(Refund.objects.order_by("provider_ref").values_list("kind", "amount_fen", "provider_ref"))
            dispute = Dispute.objects.get()
            ends.add((payment.amount_fen, refunds, dispute.state, Checkout.objects.get().state, *stands(cast, issued)))
            transaction.set_rollback(True)
    (end,) = ends
    assert end[0] == 1080_00 and [each[1] for each in end[1]] == [1000_00, 80_00]
    assert end[2:] == ("lost", "paid", BillState.ISSUED, 1080_00)


def test_news_that_comes_between_changes_is_applied_as_far_as_the_service_is(cast, bill, stripe):
    """The same six, each worked off before the next thing happens."""
    issued = bill()
    session = begin(cast, issued)
    stripe.pay(session)
    tell(stripe)
    intent = stripe.sessions[session]["payment_intent"]
    stripe.refund(intent, 80_00)
    tell(stripe)
    assert stands(cast, issued) == (BillState.PARTLY_PAID, 80_00)
    dispute = stripe.dispute(intent, 1000_00)
    tell(stripe)
    assert (Dispute.objects.get().state, stands(cast, issued)) == ("open", (BillState.PARTLY_PAID, 80_00))
    stripe.close_dispute(dispute["id"], "lost")
    tell(stripe)
    assert stands(cast, issued) == (BillState.ISSUED, 1080_00)
    assert wrong() == {}


def test_a_dispute_that_is_won_takes_nothing(cast, bill, stripe):
    issued = bill()
    payment = paid(cast, issued, stripe)
    dispute = stripe.dispute(payment.checkout.intent_ref, 1080_00)
    stripe.close_dispute(dispute["id"], "won")
    tell(stripe)
    assert Dispute.objects.get().state == "won" and stands(cast, issued) == (BillState.PAID, 0)


def test_a_refund_goes_back_through_the_service_once(cast, bill, stripe):
    issued = bill()
    payment = paid(cast, issued, stripe)
    allocating.undo(cast.actor("li"), Allocation.objects.get().pk, "not ours", timezone.now())
    request = refunding.refund(cast.actor("li"), payment.pk, 1080_00, "not ours", timezone.now())
    with pytest.raises(Refusal) as refused:
        refunding.refund(cast.actor("li"), payment.pk, 1, "again", timezone.now())
    assert code_of(refused) == "refund.under_way"
    for _ in range(3):
        refunding.ask(request.pk, timezone.now())
    tell(stripe)
    assert len(stripe.refunds) == 1 and Refund.objects.get().amount_fen == 1080_00
    assert RefundRequest.objects.get().state == "done" and Refund.objects.get().reason == "not ours"
    assert wrong() == {}


def test_money_promised_back_is_given_to_no_bill_and_the_page_says_so(cast, bill, stripe):
    issued = bill()
    payment = paid(cast, issued, stripe)
    allocating.undo(cast.actor("li"), Allocation.objects.get().pk, "x", timezone.now())
    refunding.refund(cast.actor("li"), payment.pk, 1000_00, "x", timezone.now())
    with pytest.raises(Refusal) as refused:
        allocating.give(cast.actor("li"), payment.pk, issued.pk, 80_01, timezone.now())
    (reason,) = refused.value.reasons
    assert (reason.code, reason.params["free_fen"]) == ("payment.amount", 80_00)
    browser = Client()
    browser.force_login(cast.users["li"])
    page = browser.get(reverse("payment_detail", args=[payment.pk]))
    standing = page.context["standing"]
    assert (standing.promised_fen, standing.free_fen, standing.here_fen) == (1000_00, 80_00, 1080_00)
    assert 'name="amount" inputmode="decimal" value="80.00"' in page.content.decode()
    allocating.give(cast.actor("li"), payment.pk, issued.pk, 80_00, timezone.now())


def test_a_refund_whose_answer_was_lost_is_asked_for_again_under_its_key(cast, bill, stripe):
    payment = paid(cast, bill(), stripe)
    allocating.undo(cast.actor("li"), Allocation.objects.get().pk, "x", timezone.now())
    request = refunding.refund(cast.actor("li"), payment.pk, 100_00, "x", timezone.now())
    stripe.lose_answers = 9
    with pytest.raises(ProviderError):
        refunding.ask(request.pk, timezone.now())
    stripe.lose_answers = 0
    refunding.ask(request.pk, timezone.now())
    assert len(stripe.refunds) == 1 and Refund.objects.count() == 1


@pytest.mark.parametrize(
    ("lost", "hours", "refunds", "state"),
    [("job", 1, 1, "done"), ("job", 21, 0, "failed"), ("answer", 21, 1, "done"), ("news", 21, 1, "asked")],
)
def test_a_refund_neither_hangs_nor_is_sent_twice(cast, bill, stripe, lost, hours, refunds, state):
    """Its job was lost, or the answer to it and (after a day) its key at the service; or the service is still at it."""
    payment = paid(cast, bill(), stripe)
    allocating.undo(cast.actor("li"), Allocation.objects.get().pk, "x", timezone.now())
    request = refunding.refund(cast.actor("li"), payment.pk, 100_00, "x", timezone.now())
    if lost != "job":
        status = "succeeded" if lost == "answer" else "pending"
        stripe.refund(payment.checkout.intent_ref, 100_00, {"jishi_key": request.key}, status)
    assert refunding.ask_all(timezone.now()) == 0
    for _ in range(2):
        refunding.ask_all(timezone.now() + timedelta(hours=hours))
    request.refresh_from_db()
    assert (len(stripe.refunds), request.state, Refund.objects.count()) == (refunds, state, int(state == "done"))


def test_a_transfer_that_came_first_leaves_the_late_payment_free(cast, bill, stripe, take):
    issued = bill()
    session = begin(cast, issued)
    (transfer,) = take(row("1,080"))
    allocating.give(cast.actor("li"), transfer.pk, issued.pk, 1080_00, timezone.now())
    stripe.pay(session)
    tell(stripe)
    late = Payment.objects.get(method="stripe")
    assert queries.standing(queries.payment_for(cast.actor("li"), late.pk)).free_fen == 1080_00
    assert wrong() == {}


def test_after_a_part_was_paid_otherwise_the_rest_is_asked_for(cast, bill, stripe, take):
    issued = bill()
    first = begin(cast, issued)
    (transfer,) = take(row("80"))
    allocating.give(cast.actor("li"), transfer.pk, issued.pk, 80_00, timezone.now())
    second = begin(cast, issued)
    assert stripe.sessions[first]["status"] == "expired" and stripe.sessions[second]["amount_total"] == 1000_00
    assert list(Checkout.objects.order_by("attempt").values_list("state", flat=True)) == ["expired", "open"]


def test_a_bill_that_is_being_paid_is_not_voided(cast, bill, stripe):
    issued = bill()
    begin(cast, issued)
    with pytest.raises(Refusal) as refused:
        issuing.void(cast.actor("li"), issued.pk, "x", DECEMBER)
    assert code_of(refused) == "bill.not_voidable"


# --- Forged ---------------------------------------------------------------------------------------------------------------
def test_only_what_was_signed_with_one_of_two_secrets_is_taken(cast, bill, stripe):
    stripe.pay(begin(cast, bill()))
    event = stripe.events[0]
    assert [post(event, secret=secret).status_code for secret in SECRETS] == [200, 200]
    assert post(event, secret="whsec_" + "c" * 32).status_code == 400
    assert ProviderEvent.objects.count() == 1


@pytest.mark.parametrize(("off", "status"), [(0, 200), (-290, 200), (-400, 400), (290, 200), (400, 400)])
def test_old_and_future_signatures_are_refused(cast, bill, stripe, off, status):
    event = stripe.event("checkout.session.completed", {"id": "cs_test_1"})
    assert post(event, at=int(time.time()) + off).status_code == status


def test_a_thousand_forgeries_leave_nothing(cast, stripe):
    body, good = signed(stripe.event("checkout.session.completed", {"id": "cs_test_1"}))
    mac = good.rsplit("=", 1)[1]
    client, statuses = Client(), set()
    for place in range(1000):
        at = place % len(mac)
        bad = mac[:at] + ("0" if mac[at] != "0" else "1") + mac[at + 1 :]
        header = ["", "t=1", good.replace(mac, bad), f"v1={mac}", good.replace("t=", "t=9"), "t=x,v1=y"][place % 6]
        changed = body.replace(b"cs_test_1", b"cs_test_2") if place % 7 == 0 else body
        answer = client.post(
            "/payments/events/stripe", changed, content_type="application/json", headers={"Stripe-Signature": header}
        )
        statuses.add(answer.status_code)
    assert statuses == {400} and not ProviderEvent.objects.exists()


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff\xfe", b'{"id":1,"type":"x","data":{}}', b"[" * 5000])
def test_what_is_signed_and_no_event_is_refused_without_breaking(cast, stripe, body):
    import hashlib
    import hmac

    at = int(time.time())
    mac = hmac.new(SECRETS[0].encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    answer = Client().post(
        "/payments/events/stripe", body, content_type="application/json", headers={"Stripe-Signature": f"t={at},v1={mac}"}
    )
    assert answer.status_code == 400


def test_without_a_key_there_is_no_such_address_and_bills_are_paid_by_transfer(cast, bill, settings):
    assert settings.STRIPE is None
    assert Client().post("/payments/events/stripe", b"{}", content_type="application/json").status_code == 404
    with pytest.raises(Refusal) as refused:
        begin(cast, bill())
    assert code_of(refused) == "checkout.off"


@pytest.mark.parametrize(("who", "error"), [("li", Forbidden), ("he", NotFound), ("lin", NotFound)])
def test_only_the_customer_pays_online(cast, bill, stripe, who, error):
    with pytest.raises(error):
        begin(cast, bill(), who)


# --- What is not what was asked for -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"amount_total": 1}, "provider.other_amount"),
        ({"currency": "usd"}, "provider.other_currency"),
        ({"livemode": True}, "provider.other_mode"),
    ],
)
def test_another_amount_currency_or_mode_is_put_into_quarantine(cast, bill, stripe, changes, note):
    issued = bill()
    session = begin(cast, issued)
    stripe.pay(session)
    right = {name: stripe.sessions[session][name] for name in changes}
    stripe.sessions[session] |= changes
    tell(stripe)
    assert set(ProviderEvent.objects.values_list("state", "note")) == {("quarantined", note)}
    assert Checkout.objects.get().state == "quarantined" and not Payment.objects.exists()
    assert stands(cast, issued) == (BillState.ISSUED, 1080_00)
    stripe.sessions[session] |= right
    event = queries.stopped_events(cast.actor("zhou")).first()
    inbox.again(cast.actor("zhou"), event.pk, timezone.now())
    work()
    assert stands(cast, issued) == (BillState.PAID, 0)


@pytest.mark.parametrize(
    ("changes", "note"), [({"account": "acct_other"}, "provider.other_account"), ({"livemode": True}, "provider.other_mode")]
)
def test_news_of_another_account_or_mode_is_not_even_looked_at(cast, bill, stripe, changes, note):
    stripe.pay(begin(cast, bill()))
    asked = len(stripe.calls)
    post(stripe.events[0] | changes)
    work()
    event = ProviderEvent.objects.get()
    assert (event.state, event.note, len(stripe.calls)) == ("quarantined", note, asked)


def look_in_vain(event, code):
    with pytest.raises(ProviderError) as told:
        inbox.handle(event.pk, timezone.now())
    event.refresh_from_db()
    assert told.value.code == event.note == code


def test_news_that_comes_before_its_object_is_looked_at_again_until_it_is_known(cast, bill, stripe):
    stripe.pay(begin(cast, bill()))
    post(stripe.events[0])
    event, known = ProviderEvent.objects.get(), dict(stripe.sessions)
    stripe.sessions.clear()
    for tries in (1, 2):
        look_in_vain(event, "provider.not_there")
        assert (event.state, event.tries) == ("waiting", tries)
    stripe.sessions |= known
    inbox.handle(event.pk, timezone.now())
    event.refresh_from_db()
    assert (event.state, event.tries, Payment.objects.count()) == ("done", 3, 1)


def test_news_whose_object_never_becomes_known_is_given_up_and_can_be_looked_at_again_as_often(cast, bill, stripe):
    stripe.pay(begin(cast, bill()))
    post(stripe.events[0])
    event, known = ProviderEvent.objects.get(), dict(stripe.sessions)
    stripe.sessions.clear()
    for tries in range(1, inbox.MOST_TRIES + 1):
        assert event.state == "waiting"
        look_in_vain(event, "provider.not_there")
        assert event.tries == tries
    assert event.state == "dead" and not Payment.objects.exists()
    inbox.again(cast.actor("zhou"), event.pk, timezone.now())
    look_in_vain(event, "provider.not_there")
    assert (event.state, event.tries) == ("waiting", 1)
    stripe.sessions |= known
    work()
    assert Payment.objects.count() == 1


def test_each_wait_is_longer_than_the_one_before():
    strategy = tasks.handle_provider_event.retry_strategy
    now, lost = timezone.now(), ProviderError("provider.not_there", for_good=True)
    at = [
        strategy.get_retry_decision(exception=lost, job=SimpleNamespace(attempts=tries)).retry_at
        for tries in range(inbox.MOST_TRIES)
    ]
    waits = [(each - now).total_seconds() for each in at]
    assert all(later > 3 * sooner for sooner, later in pairwise(waits)) and waits[0] < 60


def test_the_page_says_of_news_that_waits_how_often_it_was_tried_and_when_it_is_next(cast, bill, stripe):
    stripe.pay(begin(cast, bill()))
    post(stripe.events[0])
    event = ProviderEvent.objects.get()
    stripe.sessions.clear()
    look_in_vain(event, "provider.not_there")
    client = Client()
    client.force_login(cast.users["zhou"])
    page = client.get(reverse("provider_news")).content.decode()
    assert event.object_ref in page and "does not know what its news is about" in page and "As soon as the worker can" in page
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE procrastinate_jobs SET scheduled_at = '2026-12-24T04:00Z' WHERE queueing_lock = %s",
            [inbox.job_name(event.pk)],
        )
    assert 'datetime="2026-12-24T' in client.get(reverse("provider_news")).content.decode()


def test_news_of_what_is_none_of_ours_is_ignored_and_an_unknown_key_is_not(cast, bill, stripe):
    begin(cast, bill())
    strange = dict(next(iter(stripe.sessions.values())), id="cs_test_x", metadata={})
    stripe.sessions |= {"cs_test_x": strange, "cs_test_y": dict(strange, id="cs_test_y", metadata={"jishi_key": "pay:JS1:1"})}
    for event in (
        stripe.event("checkout.session.completed", {"id": "cs_test_x"}),
        stripe.event("checkout.session.completed", {"id": "cs_test_y"}),
        stripe.event("customer.created", {"id": "cus_1"}),
    ):
        post(event)
    work()
    found = dict(ProviderEvent.objects.values_list("object_ref", "state"))
    assert found == {"cs_test_x": "ignored", "cs_test_y": "waiting", "cus_1": "ignored"}
    event = ProviderEvent.objects.get(object_ref="cs_test_y")
    for _ in range(1, inbox.MOST_TRIES):
        look_in_vain(event, "provider.unknown_key")
    assert event.state == "dead"


@pytest.mark.parametrize(("table", "letters"), [("charges", "py"), ("refunds", "pyr")])
def test_charges_and_refunds_of_every_way_to_pay_lead_to_their_session(cast, bill, stripe, table, letters):
    issued = bill()
    session = begin(cast, issued)
    stripe.pay(session)
    intent = stripe.sessions[session]["payment_intent"]
    if table == "refunds":
        stripe.refund(intent, 80_00, status="pending")
    old = next(iter(getattr(stripe, table).values()))
    getattr(stripe, table)[f"{letters}_1"] = dict(old, id=f"{letters}_1")
    post(stripe.event("charge.updated", {"id": f"{letters}_1"}))
    work()
    assert ProviderEvent.objects.get().state == "done" and Payment.objects.count() == 1


def test_news_about_an_object_that_we_cannot_ask_for_is_put_into_quarantine(cast, bill, stripe):
    begin(cast, bill())
    post(stripe.event("charge.strange", {"id": "zz_1"}))
    work()
    event = ProviderEvent.objects.get()
    assert (event.state, event.note) == ("quarantined", "provider.unknown_object")


def test_while_the_service_is_down_the_news_waits_and_is_given_up_in_the_end(cast, bill, stripe):
    stripe.pay(begin(cast, bill()))
    post(stripe.events[0])
    stripe.down = True
    event = ProviderEvent.objects.get()
    for _ in range(inbox.MOST_TRIES - 1):
        with pytest.raises(ProviderError):
            inbox.handle(event.pk, timezone.now())
    event.refresh_from_db()
    assert (event.state, event.note) == ("waiting", "provider.unreachable")
    with pytest.raises(ProviderError):
        inbox.handle(event.pk, timezone.now())
    event.refresh_from_db()
    assert event.state == "dead"
    stripe.down = False
    inbox.again(cast.actor("zhou"), event.pk, timezone.now())
    work()
    assert Payment.objects.count() == 1


# --- Lost news --------------------------------------------------------------------------------------------------------------
def test_news_that_never_came_is_found_by_looking_again(cast, bill, stripe):
    issued = bill()
    stripe.pay(begin(cast, issued))
    later = timezone.now() + timedelta(minutes=20)
    stripe.down = True
    assert checkouts.look_at_all(configured(), later) == 0
    stripe.down = False
    assert checkouts.look_at_all(configured(), later) == 1
    assert stands(cast, issued) == (BillState.PAID, 0)


def test_lost_money_came_on_the_local_day_on_which_the_service_took_it(cast, bill, stripe, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: cast.now)
    stripe.pay(begin(cast, bill()))
    (charge,) = stripe.charges.values()
    charge["created"] = int(datetime(2026, 11, 20, 17, 30, tzinfo=UTC).timestamp())  # after midnight in Shanghai
    failed = dict(charge, id="ch_failed", status="failed", created=charge["created"] - 86_400)
    stripe.charges["ch_failed"] = failed
    checkouts.look_at_all(configured(), datetime(2026, 12, 10, 2, 0, tzinfo=UTC))
    assert Payment.objects.get().received_on == date(2026, 11, 21)


def test_reconciliation_lists_what_was_lost_and_brings_it_in(cast, bill, stripe):
    issued, other = bill(), bill(cast.other_firm)
    session = begin(cast, issued)
    stripe.pay(session)
    out = StringIO()
    with pytest.raises(CommandError, match="disagree"):
        call_command("reconcile_payments", stdout=out)
    assert "paid" in out.getvalue() and "DIFFERENT" in out.getvalue() and not Payment.objects.exists()
    out = StringIO()
    call_command("reconcile_payments", "--apply", stdout=out)
    assert "brought in" in out.getvalue() and "1 differences, 0 of them left." in out.getvalue()
    stripe.refund(stripe.sessions[session]["payment_intent"], 80_00)
    (found,) = reconciling.reconcile(configured(), timezone.now(), days=7, apply=False)
    assert (found.code, found.provider_fen, found.ours_fen) == ("refunded", 80_00, 0)
    (found,) = reconciling.reconcile(configured(), timezone.now(), days=7, apply=True)
    assert found.applied
    assert reconciling.reconcile(configured(), timezone.now(), days=7, apply=True) == []
    assert stands(cast, issued) == (BillState.PARTLY_PAID, 80_00) and stands(cast, other)[0] is BillState.ISSUED
    assert wrong() == {}


def reconciled(double, *, apply=True):
    """What the night finds at the time of the service."""
    return reconciling.reconcile(configured(), timezone.now() + timedelta(seconds=double.later), days=7, apply=apply)


FORTY_DAYS = 40 * 86_400


def test_a_dispute_opened_weeks_after_the_payment_is_found_and_brought_in_though_its_news_was_lost(cast, bill, stripe):
    payment = paid(cast, bill(), stripe)
    stripe.later = FORTY_DAYS
    assert reconciled(stripe) == []
    stripe.dispute(payment.checkout.intent_ref, 1000_00)
    (found,) = reconciled(stripe, apply=False)
    assert (found.code, found.provider_fen, found.ours_fen, found.applied) == ("disputed", 1000_00, 0, False)
    assert found.reference == payment.checkout.reference and not Dispute.objects.exists()
    (found,) = reconciled(stripe)
    assert (found.code, found.applied) == ("disputed", True)
    assert Dispute.objects.values_list("state", "amount_fen").get() == ("open", 1000_00)
    assert reconciled(stripe) == [] and wrong() == {}


def test_an_opened_dispute_of_a_payment_of_today_is_a_difference_until_it_is_known(cast, bill, stripe):
    payment = paid(cast, bill(), stripe)
    stripe.dispute(payment.checkout.intent_ref, 10_00)
    assert [each.code for each in reconciled(stripe, apply=False)] == ["disputed"]
    assert [each.applied for each in reconciled(stripe)] == [True] and Dispute.objects.get().state == "open"


def test_a_refund_made_at_the_service_weeks_later_is_found_and_brought_in_though_its_news_was_lost(cast, bill, stripe):
    issued = bill()
    payment = paid(cast, issued, stripe)
    stripe.later = FORTY_DAYS
    stripe.refund(payment.checkout.intent_ref, 80_00)
    (found,) = reconciled(stripe)
    assert (found.code, found.provider_fen, found.ours_fen, found.applied) == ("refunded", 80_00, 0, True)
    assert stands(cast, issued) == (BillState.PARTLY_PAID, 80_00) and reconciled(stripe) == [] and wrong() == {}


@pytest.mark.parametrize(("end", "code"), [("lost", "refunded"), ("won", "disputed")])
def test_how_an_old_dispute_ended_is_found_though_its_news_was_lost(cast, bill, stripe, end, code):
    payment = paid(cast, bill(), stripe)
    asked = stripe.dispute(payment.checkout.intent_ref, 1000_00)
    assert [each.applied for each in reconciled(stripe)] == [True]
    stripe.later = FORTY_DAYS
    stripe.close_dispute(asked["id"], end)
    assert [(each.code, each.applied) for each in reconciled(stripe)] == [(code, True)]
    assert Dispute.objects.get().state == end and reconciled(stripe) == [] and wrong() == {}


def test_what_others_of_the_account_got_back_is_none_of_ours(cast, bill, stripe):
    payment = paid(cast, bill(), stripe)
    stripe.later = FORTY_DAYS
    own = stripe.sessions[payment.checkout.session_ref]
    stripe.sessions["cs_test_shop"] = own | {"id": "cs_test_shop", "payment_intent": "pi_of_a_shop", "metadata": {}}
    stripe.charges["ch_shop"] = stripe.charge_of(payment.checkout.intent_ref) | {"payment_intent": "pi_of_a_shop"}
    stripe.refund("pi_of_a_shop", 7_00)
    assert reconciled(stripe) == []


def test_a_session_that_the_service_forgot_does_not_stop_the_night(cast, bill, stripe):
    payment = paid(cast, bill(), stripe)
    stripe.dispute(payment.checkout.intent_ref, 10_00)
    reconciled(stripe)
    stripe.later = FORTY_DAYS
    stripe.sessions.clear()
    assert reconciled(stripe) == [] and Dispute.objects.get().state == "open"


def test_reconciliation_names_what_the_service_does_not_know_and_what_differs(cast, bill, stripe):
    paid(cast, bill(), stripe)
    session = next(iter(stripe.sessions))
    stripe.sessions[session]["amount_total"] = 5
    (found,) = reconciling.reconcile(configured(), timezone.now(), days=7, apply=True)
    assert (found.code, found.provider_fen, found.ours_fen, found.applied) == ("paid", 5, 1080_00, False)
    stripe.sessions.clear()
    (found,) = reconciling.reconcile(configured(), timezone.now(), days=7, apply=True)
    assert found.code == "only_here"


def test_sessions_of_others_without_amount_currency_or_a_known_state_stop_nothing(cast, bill, stripe):
    stripe.pay(begin(cast, bill()))
    one = next(iter(stripe.sessions.values()))
    empty = {"payment_status": "no_payment_required", "payment_intent": None, "amount_total": None, "currency": None}
    strange = dict(one, id="cs_test_x", metadata={}, status=None, **empty)
    stripe.sessions["cs_test_x"] = strange
    post(stripe.event("checkout.session.completed", {"id": "cs_test_x"}))
    work()
    assert ProviderEvent.objects.get().state == "ignored"
    assert reconciling.reconcile(configured(), timezone.now(), days=7, apply=True)[0].applied


def test_many_sessions_are_read_page_by_page(cast, bill, stripe):
    begin(cast, bill())
    one = next(iter(stripe.sessions.values()))
    stripe.sessions |= {f"cs_test_{place}": dict(one, id=f"cs_test_{place}", metadata={}) for place in range(250)}
    yesterday = timezone.now() - timedelta(days=1)
    assert len(list(configured().sessions_since(yesterday))) == 251
    halfway = configured().sessions_since(yesterday)
    assert len([next(halfway) for _ in range(100)]) == 100
    stripe.down = True
    with pytest.raises(ProviderError):
        next(halfway)


def test_a_list_whose_page_comes_again_ends(cast, bill, stripe, monkeypatch):
    begin(cast, bill())
    right = stripe_double._page
    monkeypatch.setattr(stripe_double, "_page", lambda name, rows, form: right(name, rows, {}) | {"has_more": True})
    found = configured().sessions_since(timezone.now() - timedelta(days=1))
    assert len([next(found), next(found)]) == 2
    with pytest.raises(ProviderError):
        next(found)


def test_events_that_lost_their_job_are_queued_again(cast, bill, stripe):
    stripe.pay(begin(cast, bill()))
    post(stripe.events[0])
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs WHERE task_name = %s", [inbox.TASK])
    assert inbox.requeue_stale(timezone.now()) == 0
    assert inbox.requeue_stale(timezone.now() + timedelta(minutes=6)) == 1


# --- Guards -----------------------------------------------------------------------------------------------------------------
FORWARD = {
    "billing_checkout": "state = 'open'",
    "billing_refundrequest": "state = 'asked'",
    "billing_dispute": "state = 'open'",
    "billing_providerevent": "state = 'waiting'",
}


@pytest.mark.parametrize("table", sorted(FORWARD))
def test_what_the_service_said_only_moves_forward(cast, bill, stripe, table):
    payment = paid(cast, bill(), stripe)
    allocating.undo(cast.actor("li"), Allocation.objects.get().pk, "x", timezone.now())
    refunding.ask(refunding.refund(cast.actor("li"), payment.pk, 100_00, "x", timezone.now()).pk, timezone.now())
    stripe.close_dispute(stripe.dispute(payment.checkout.intent_ref, 10_00)["id"], "lost")
    tell(stripe)
    settle()
    for statement in (f"UPDATE {table} SET {FORWARD[table]}", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    with transaction.atomic(), connection.cursor() as cursor:  # the control
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(f"UPDATE {table} SET {FORWARD[table]}")
        assert cursor.rowcount
        transaction.set_rollback(True)


def test_one_attempt_at_a_time(cast, bill, stripe):
    begin(cast, bill())
    one = Checkout.objects.get()
    copy = {"bill_id": one.bill_id, "provider": "stripe", "attempt": 2, "key": "k", "amount_fen": 1, "asked_by": one.asked_by}
    with pytest.raises(DatabaseError, match="checkout_one_at_a_time"), transaction.atomic():
        Checkout.objects.create(**copy, asked_at=timezone.now(), changed_at=timezone.now())
    with transaction.atomic(), connection.cursor() as cursor:  # the control
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; DROP INDEX checkout_one_at_a_time")
        Checkout.objects.create(**copy, asked_at=timezone.now(), changed_at=timezone.now())
        transaction.set_rollback(True)


def test_the_page_leads_to_the_service(cast, bill, stripe):
    issued = bill()
    browser = Client()
    browser.force_login(cast.users["zhao"])
    page = browser.get(reverse("bill_detail", args=[issued.pk]))
    assert "online" in page.content.decode()
    answer = browser.post(reverse("bill_pay", args=[issued.pk]))
    assert answer.status_code == 200 and f'href="{stripe.url}/pay/' in answer.content.decode()
