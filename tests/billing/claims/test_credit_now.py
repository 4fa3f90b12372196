"""Before public money is paid out, the customer's credit standing is looked at once more."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from billing.claims import queries
from billing.claims.rules.checks import CheckCode, look
from billing.claims.services import credit_now, paying
from billing.firms.services import credit
from billing.subsidy import services as subsidy
from config.kernel.errors import Refusal
from instruments.models import OrganisationIdentifier
from tests.billing.claims.conftest import AFTER, PUBLIC_OVER, Office, code_of
from tests.billing.firms.conftest import USCC
from tests.billing.services.conftest import Life
from tests.billing.vouchers.test_using import with_credit_gate
from tests.conftest import programme_document, slot_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def strict(cast: Any) -> Office:
    """One session of Gaoyuan under DEMO-QH-V that asks for a clean credit standing at payment too."""
    OrganisationIdentifier.objects.create(organisation=cast.firm, scheme="uscc", value=USCC["firm"])
    cast.lab.bank_name, cast.lab.bank_account_name, cast.lab.bank_account_number = "Bank", "Kunlun", "6222 1"
    cast.lab.save()
    version = subsidy.draft_version(
        cast.actor("chen"), with_credit_gate(programme_document("DEMO-QH-V") | {"examples": []}), cast.now
    )
    subsidy.publish_version(cast.actor("sun"), version, cast.now)
    Life(cast).whole(slot_of(9, 11))
    return Office(cast, {"DEMO-QH-V": version})


def note(cast: Any, first: str, last: str = "") -> None:
    text = f"uscc,name,from,to\n{USCC['firm']},Gaoyuan,{first},{last}\n"
    credit.import_list(cast.actor("zhou"), "serious_default", "Notice 9", text.encode(), AFTER)


def failing(claim: Any) -> list[CheckCode]:
    return [check.code for check in look(queries.check_inputs([claim])[claim.pk]) if not check.ok]


def test_a_customer_who_was_listed_since_is_kept_off_the_payment_list(cast: Any, strict: Office, monkeypatch: Any) -> None:
    monkeypatch.setattr(queries.timezone, "now", lambda: PUBLIC_OVER)
    batch, claim = strict.approved("DEMO-QH-V", "deducted_now", who="li")
    assert CheckCode.CREDIT not in failing(claim)
    note(cast, "2026-12-10")
    assert CheckCode.CREDIT in failing(claim)
    with pytest.raises(Refusal) as refused:
        paying.make(cast.actor("qian"), batch.pk, PUBLIC_OVER)
    assert code_of(refused) == "claims.not_creditworthy"
    assert claim.number in str(refused.value.reasons[0].params)


def test_without_the_look_it_would_be_paid(cast: Any, strict: Office, monkeypatch: Any) -> None:
    batch, _claim = strict.approved("DEMO-QH-V", "deducted_now", who="li")
    note(cast, "2026-12-10")
    monkeypatch.setattr(credit_now, "listed", lambda lines, today: frozenset())
    assert paying.make(cast.actor("qian"), batch.pk, PUBLIC_OVER)


def test_an_entry_that_has_ended_keeps_nothing_back(cast: Any, strict: Office) -> None:
    batch, _claim = strict.approved("DEMO-QH-V", "deducted_now", who="li")
    note(cast, "2026-12-09", "2026-12-12")
    assert paying.make(cast.actor("qian"), batch.pk, PUBLIC_OVER)


def test_a_suspended_customer_is_kept_back_and_the_page_says_so(cast: Any, office: Office) -> None:
    batch, _claim = office.approved()
    cast.other_firm.status = "suspended"
    cast.other_firm.save()
    page = Client(headers={"accept-language": "en"})
    page.force_login(cast.users["qian"])
    shown = page.get(reverse("claim_batch_detail", args=[batch.pk])).content.decode()
    assert "is kept off payment lists" in shown and reverse("payout_list_make", args=[batch.pk]) not in shown
    with pytest.raises(Refusal) as refused:
        paying.make(cast.actor("qian"), batch.pk, PUBLIC_OVER)
    assert code_of(refused) == "claims.not_creditworthy"
    cast.other_firm.status = "verified"
    cast.other_firm.save()
    assert paying.make(cast.actor("qian"), batch.pk, PUBLIC_OVER)
