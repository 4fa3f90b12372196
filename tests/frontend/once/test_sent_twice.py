"""Forms about money do what they say once, however often the browser sends them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.messages.storage.fallback import FallbackStorage
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver

from billing.claims.models import Claim, Clawback
from billing.payments.models import Allocation, Refund
from billing.payments.prepaid_models import PrepaidEntry
from billing.subsidy.models import ProgrammeVersion
from config.kernel.errors import Conflict, Refusal
from frontend import once
from frontend.refusals import say_refusal
from tests.billing.claims.conftest import AFTER, office
from tests.billing.payments.conftest import begins_with_month, bill, month, take

__all__ = ["begins_with_month", "bill", "month", "office", "take"]

PAID = "2026-12-01,5000.00,,高原公司,6222,货款,1"


@contextmanager
def without_triggers() -> Iterator[None]:
    """Frozen rows may be changed in it: a way to a chain of two steps at one office."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield
        cursor.execute("SET LOCAL session_replication_role = origin")


def client(cast: Any, name: str) -> Client:
    found = Client(headers={"accept-language": "en"})
    found.force_login(cast.users[name])
    return found


@pytest.fixture
def forms(cast, bill, take):
    """Address and fields of each form about a payment, and how often it was done."""
    made, (payment,) = bill(), take(PAID)
    return {
        "refund": (f"/payments/{payment.pk}/refund", {"amount": "50.00", "reason": "sent back"}, Refund.objects.count),
        "give": (f"/payments/{payment.pk}/give", {"bill": made.pk, "amount": "100.00"}, Allocation.objects.count),
        "keep": (f"/payments/{payment.pk}/keep", {"customer": cast.firm.pk, "amount": "70.00"}, PrepaidEntry.objects.count),
    }


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["refund", "give", "keep"])
def test_a_form_that_is_sent_twice_moves_money_once(cast, forms, name):
    address, fields, count = forms[name]
    li, key = client(cast, "li"), str(uuid4())
    answers = [li.post(address, fields | {once.FIELD: key}) for _time in range(2)]
    assert [each.status_code for each in answers] == [302, 302] and answers[0]["Location"] == answers[1]["Location"]
    assert count() == 1
    assert li.post(address, fields | {once.FIELD: str(uuid4())}).status_code == 302 and count() == 2, "another form does it again"


@pytest.mark.django_db
def test_without_the_decorator_it_would_move_twice(cast, forms, monkeypatch):
    monkeypatch.setattr(once, "key_of", lambda _request: "")
    address, fields, count = forms["refund"]
    for _time in range(2):
        client(cast, "li").post(address, fields | {once.FIELD: str(uuid4())})
    assert count() == 2


@pytest.mark.django_db
def test_a_form_that_was_refused_can_be_mended_and_sent_under_its_key(cast, forms):
    address, fields, count = forms["refund"]
    li, key = client(cast, "li"), str(uuid4())
    assert li.post(address, fields | {once.FIELD: key, "amount": "50000.00"}).status_code == 422
    assert li.post(address, fields | {once.FIELD: key}).status_code == 302
    assert count() == 1
    again = li.post(address, fields | {once.FIELD: key, "amount": "60.00"})
    assert again.status_code >= 400 and count() == 1, "another amount under the key of a form that is done"


@pytest.mark.django_db
def test_a_refusal_that_is_said_on_the_next_page_can_be_sent_again_under_its_key(cast):
    answers = [Refusal.of("booking.purpose_needed"), None]
    done = []

    @once.once_per_form
    def act(request: HttpRequest) -> HttpResponse:
        refusal = answers.pop(0)
        if refusal is not None:
            say_refusal(request, refusal)
        else:
            done.append(True)
        return redirect("home")

    key = str(uuid4())
    for _time in range(3):
        request = RequestFactory().post("/x", {once.FIELD: key})
        request.user, request.session, request.actor = cast.users["li"], {}, cast.actor("li")
        request._messages = FallbackStorage(request)
        assert act(request).status_code == 302
    assert done == [True], "refused, done, and not done again"


@pytest.mark.django_db
def test_a_dispute_that_is_recorded_twice_makes_one_notice(cast, office):
    _batch, claim = office.approved()
    line = claim.lines.filter(kind="award").order_by("position").first()
    fields = {"act": "dispute", "position": line.position, "amount": "1.00", "reason": "ended", once.FIELD: str(uuid4())}
    chen = client(cast, "chen")
    assert [chen.post(f"/claims/{claim.pk}/decide", fields).status_code for _time in range(2)] == [302, 302]
    assert Clawback.objects.count() == 1


@pytest.mark.django_db
def test_nobody_passes_two_steps_with_one_look(cast, office):
    from billing.claims.services import reviewing

    chain = {"clause": "1", "steps": [{"level": "county", "due_days": 5}, {"level": "province", "due_days": 5}]}
    review = chain | {"publicity_days": 7, "pay_days": 30, "asks": []}
    with without_triggers():
        for version in ProgrammeVersion.objects.all():
            ProgrammeVersion.objects.filter(pk=version.pk).update(document=version.document | {"review": review})
    batch, (claim,) = office.filled()
    office.submit(claim, "he")
    office.close(batch)
    chen = client(cast, "chen")
    page = chen.get(f"/claims/{claim.pk}/").content.decode()
    assert '<input type="hidden" name="step" value="0">' in page
    for _time in range(2):  # two tabs: each its own key, the same step
        chen.post(f"/claims/{claim.pk}/decide", {"act": "pass", "step": "0", once.FIELD: str(uuid4())})
    assert Claim.objects.values_list("state", "step").get() == ("in_review", 1)
    with pytest.raises(Conflict):
        reviewing.pass_on(cast.actor("chen"), claim.pk, AFTER, at_step=0)


# --- Every form -----------------------------------------------------------------------------------------------------------
FORM = re.compile(r"""<form\b[^>]*method="post"[^>]*>(?P<inside>.*?)</form>""", re.DOTALL)
ACTION = re.compile(r"""\{% url ['"](\w+)['"]""")


def views(patterns: list[Any] | None = None) -> Iterator[tuple[str, Any]]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            yield from views(pattern.url_patterns)
        elif isinstance(pattern, URLPattern) and pattern.name:
            yield pattern.name, pattern.callback


def guarded() -> set[str]:
    return {name for name, view in views() if getattr(view, "once_per_form", False)}


def without_a_key(text: str) -> list[str]:
    """The forms of a template whose view does a thing once, and that bring no key for it."""
    names = guarded()
    found = []
    for form in FORM.finditer(text):
        action = ACTION.search(form[0].partition(">")[0] + ">")
        if action and action[1] in names and "{% once_key %}" not in form["inside"]:
            found.append(action[1])
    return found


def test_every_form_of_such_a_view_brings_its_key():
    templates = Path(settings.BASE_DIR, "frontend", "templates").rglob("*.html")
    assert {str(each): found for each in templates if (found := without_a_key(each.read_text()))} == {}
    assert without_a_key("""<form method="post" action="{% url 'payment_refund' 1 %}">{% csrf_token %}</form>""") == [
        "payment_refund"
    ]


#: What moves money or tells somebody to pay, and does so anew each time that it is asked.
MOVES_MONEY = {
    "payment_give", "payment_refund", "payment_keep", "prepaid_withdraw", "limit_set", "receipt_issue", "account_statement_issue",
    "claim_act", "claim_decide", "bill_write_off", "fee_waive", "session_extra_add", "account_top_up", "payout_record",
    "payout_list_make", "voucher_recognise", "application_create", "invoice_ask", "sample_extra_propose",
}  # fmt: skip


def test_what_moves_money_each_time_is_asked_does_it_once_for_a_form():
    assert MOVES_MONEY - guarded() == set()
