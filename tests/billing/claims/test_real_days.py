"""Claim windows over the whole way: a service outside them is booked and charged on condition, and claimed when its time has come."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from billing.bills.models import AwardReversal
from billing.claims import queries
from billing.claims.models import Claim
from billing.claims.rules.checks import CheckCode, look
from billing.claims.services import handing_in, paying, real_days, too_late
from billing.ledger.models import Account
from billing.settlement.models import Award
from billing.settlement.services import replaying
from billing.subsidy import services as subsidy
from billing.wording import step_sentence
from config.kernel.errors import Refusal
from frontend.refusals import sentences
from tests.billing.claims.conftest import Office, code_of
from tests.billing.money_invariants import wrong as broken
from tests.billing.services.conftest import Life
from tests.conftest import programme_document, slot_of

pytestmark = pytest.mark.django_db

MARCH = datetime(2027, 3, 1, 2, 0, tzinfo=UTC)
APRIL = datetime(2027, 4, 2, 2, 0, tzinfo=UTC)
IN_MARCH = {"opens_on": date(2027, 3, 1), "closes_on": date(2027, 3, 31)}
CLAIMED = {"date": "service.claim_on", "any_of": [{"from": "03-01", "to": "03-31"}, {"from": "09-01", "to": "09-30"}]}


@pytest.fixture
def under(cast: Any) -> Any:
    """``under(window, …)``: DEMO-QH-V with these windows, under which a session of November was charged."""

    def make(*windows: dict[str, Any]) -> Office:
        cast.lab.bank_name, cast.lab.bank_account_name, cast.lab.bank_account_number = "Bank", "Kunlun", "6222 1"
        cast.lab.save()
        document = programme_document("DEMO-QH-V") | {"examples": []}
        document["validity"] = document["validity"] | {"windows": list(windows), "last_day": "2027-12-31"}
        version = subsidy.draft_version(cast.actor("chen"), document, cast.now)
        subsidy.publish_version(cast.actor("sun"), version, cast.now)
        Life(cast).whole(slot_of(9, 11))
        return Office(cast, {"DEMO-QH-V": version})

    return make


def filled(office: Office, now: datetime = MARCH, **on: Any) -> Claim:
    _batch, (claim,) = office.filled("DEMO-QH-V", "deducted_now", now=now, **(IN_MARCH | on))
    return claim


def submit(office: Office, claim: Claim, now: datetime) -> Any:
    return handing_in.submit(office.cast.actor("li"), claim.pk, now)


def test_a_session_outside_the_windows_is_quoted_and_charged_on_condition_and_replays(cast: Any, under: Any) -> None:
    under(CLAIMED)
    award = Award.objects.get()
    charge = award.charge
    assert charge.estimate
    assert charge.inputs["candidates"][0]["facts"]["service"]["awaited"] == ["claim"]
    (replayed,) = replaying.replay_charges()
    assert replayed.identical


def test_it_is_claimed_within_a_window(cast: Any, under: Any) -> None:
    office = under(CLAIMED)
    claim = filled(office)
    assert submit(office, claim, MARCH).total_fen == Award.objects.get().total_fen
    claim.refresh_from_db()
    assert CheckCode.DAYS not in [each.code for each in look(queries.check_inputs([claim])[claim.pk])]


def test_a_batch_outside_the_windows_is_refused_and_the_next_one_is_named(cast: Any, under: Any) -> None:
    office = under(CLAIMED)
    with pytest.raises(Refusal) as refused:
        office.batch("DEMO-QH-V", "deducted_now")
    assert code_of(refused) == "claims.batch_outside_window"
    assert refused.value.reasons[0].field == "opens_on"
    with override("en"):
        assert "1 Mar to 31 Mar" in sentences(refused.value)[0]
    with override("zh-hans"):
        assert "3月1日至3月31日" in sentences(refused.value)[0]


def test_handing_in_outside_the_window_says_when_the_next_one_is(cast: Any, under: Any, monkeypatch: Any) -> None:
    office = under(CLAIMED)
    monkeypatch.setattr(real_days, "refuse_batch", lambda *_: None)
    claim = filled(office, APRIL, opens_on=date(2027, 4, 1), closes_on=date(2027, 4, 30))
    with pytest.raises(Refusal) as refused:
        submit(office, claim, APRIL)
    assert code_of(refused) == "claims.outside_window"
    assert refused.value.reasons[0].params["from_on"] == "2027-09-01"
    claim.refresh_from_db()
    assert claim.state == "draft"


def test_the_control_without_the_look_it_is_handed_in(cast: Any, under: Any, monkeypatch: Any) -> None:
    office = under(CLAIMED)
    monkeypatch.setattr(real_days, "refuse_batch", lambda *_: None)
    monkeypatch.setattr(real_days, "late", lambda *_: [])
    claim = filled(office, APRIL, opens_on=date(2027, 4, 1), closes_on=date(2027, 4, 30))
    assert submit(office, claim, APRIL)


def test_one_that_is_sent_back_keeps_its_day(cast: Any, under: Any) -> None:
    office = under(CLAIMED)
    claim = filled(office)
    submit(office, claim, MARCH)
    Claim.objects.filter(pk=claim.pk)
    batch = claim.batch
    office.close(batch, APRIL)
    from billing.claims.services import reviewing

    reviewing.send_back(cast.actor("chen"), claim.pk, "the report is missing", APRIL)
    assert submit(office, claim, APRIL)


WITHIN = {"date": "service.claim_on", "within": {"after": "service.service_on", "days": 30, "last_day": "included"}}


def test_what_was_not_claimed_in_time_goes_back_to_the_programme_and_its_payee_is_told(cast: Any, under: Any) -> None:
    office = under(WITHIN)
    award = Award.objects.get()
    pool = Account.objects.get(key__startswith="pool:")
    spent = pool.posted_fen
    december = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
    claim = filled(office, december, opens_on=date(2026, 12, 1), closes_on=date(2027, 1, 31))
    assert too_late.give_back_late(december) == 0
    with pytest.raises(Refusal) as refused:
        submit(office, claim, MARCH.replace(month=1))
    assert code_of(refused) == "claims.deadline_over"
    assert too_late.give_back_late(MARCH) == 1
    assert too_late.give_back_late(MARCH) == 0
    reversal = AwardReversal.objects.get(award=award)
    assert (reversal.cause, reversal.amount_fen) == ("not_claimable", award.total_fen)
    pool.refresh_from_db()
    assert pool.posted_fen == spent - award.total_fen
    claim.refresh_from_db()
    assert claim.total_fen == 0
    from instruments.models import Notice

    assert Notice.objects.filter(event="claim.too_late").exists()
    assert not broken()


def test_what_was_handed_in_in_time_stays(cast: Any, under: Any) -> None:
    office = under(WITHIN)
    december = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
    claim = filled(office, december, opens_on=date(2026, 12, 1), closes_on=date(2026, 12, 31))
    submit(office, claim, december)
    assert too_late.give_back_late(MARCH) == 0


AFTER_INVOICE = {"date": "service.claim_on", "within": {"after": "service.invoice_on", "months": 1, "last_day": "included"}}


def test_a_deadline_after_the_invoice_goes_by_the_invoice_that_was_recorded(cast: Any, under: Any) -> None:
    from tests.billing.claims.test_invoices_of_claims import NUMBER, billed, recorded

    office = under(AFTER_INVOICE)
    claim = filled(office)
    unknown = look(queries.check_inputs([claim])[claim.pk])
    assert [each.ok for each in unknown if each.code is CheckCode.DAYS] == [False]
    bill = billed(cast, cast.firm)
    recorded(cast, bill, issued_on=date(2026, 12, 5))
    handing_in.write_invoice(cast.actor("li"), claim.pk, 1, NUMBER, MARCH)
    with pytest.raises(Refusal) as refused:
        submit(office, claim, MARCH)
    assert code_of(refused) == "claims.deadline_over"
    assert refused.value.reasons[0].params["last_on"] == "2027-01-05"


PAID = {"date": "service.payment_on", "any_of": [{"from": "11-01", "to": "12-31"}]}


def test_the_treasury_pays_within_the_window_of_payments(cast: Any, under: Any) -> None:
    office = under(PAID)
    batch, _claim = office.approved("DEMO-QH-V", "deducted_now", who="li")
    with pytest.raises(Refusal) as refused:
        paying.make(cast.actor("qian"), batch.pk, MARCH)
    assert code_of(refused) == "claims.not_paid_today"
    assert paying.make(cast.actor("qian"), batch.pk, datetime(2027, 11, 2, 2, 0, tzinfo=UTC))


@pytest.fixture
def judging(cast: Any) -> Any:
    """``judging(when)``: DEMO-QH-V with a condition on a day to come, under which a session of November was charged that day."""

    def make(when: dict[str, Any]) -> Office:
        cast.lab.bank_name, cast.lab.bank_account_name, cast.lab.bank_account_number = "Bank", "Kunlun", "6222 1"
        cast.lab.save()
        document = programme_document("DEMO-QH-V") | {"examples": []}
        gate = {
            "type": "condition",
            "clause": document["validity"]["clause"],
            "when": when,
            "says": {"zh": "及时", "en": "In time"},
        }
        document["validity"] = document["validity"] | {"last_day": "2027-12-31"}
        document["gates"] = [*document["gates"], gate]
        version = subsidy.draft_version(cast.actor("chen"), document, cast.now)
        subsidy.publish_version(cast.actor("sun"), version, cast.now)
        Life(cast).whole(slot_of(9, 11))
        assert Award.objects.exists()
        return Office(cast, {"DEMO-QH-V": version})

    return make


def within(fact: str, *, if_unknown: str = "") -> dict[str, Any]:
    own = {"if_unknown": if_unknown} if if_unknown else {}
    return {"fact": fact, "within": [{"from": "2026-11-01", "to": "2027-03-15"}], **own}


def test_a_condition_on_the_day_of_the_claim_is_told_to_the_office_when_it_was_missed(cast: Any, judging: Any) -> None:
    office = judging(within("service.claim_on"))
    claim = filled(office, closes_on=date(2027, 3, 31))
    submit(office, claim, datetime(2027, 3, 20, 2, 0, tzinfo=UTC))
    claim.refresh_from_db()
    (check,) = [each for each in look(queries.check_inputs([claim])[claim.pk]) if each.code == CheckCode.ELIGIBLE]
    assert not check.ok and list(check.positions) == [1]


def test_a_claim_in_time_is_not_told_of(cast: Any, judging: Any) -> None:
    office = judging(within("service.claim_on"))
    claim = filled(office)
    submit(office, claim, MARCH)
    claim.refresh_from_db()
    assert CheckCode.ELIGIBLE not in [each.code for each in look(queries.check_inputs([claim])[claim.pk])]


def test_what_is_not_met_on_the_day_of_payment_stays_off_payment_lists(cast: Any, judging: Any) -> None:
    office = judging(within("service.payment_on", if_unknown="yes"))
    batch, _claim = office.approved("DEMO-QH-V", "deducted_now", who="li")
    with pytest.raises(Refusal) as refused:
        paying.make(cast.actor("qian"), batch.pk, APRIL)
    assert code_of(refused) == "claims.not_paid_today"
    assert paying.make(cast.actor("qian"), batch.pk, MARCH)


def test_the_page_of_a_booking_tells_the_condition_in_words(cast: Any, under: Any, client: Client) -> None:
    under(CLAIMED)
    client.force_login(cast.users["lin"])
    reservation = Award.objects.get().charge.reservation
    page = client.get(reverse("reservation_detail", args=[reservation.pk]), headers={"accept-language": "en"}).content.decode()
    assert "the date of the claim, 1 Mar to 31 Mar, 1 Sep to 30 Sep" in page


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "On condition: the date of the claim, within 6 months of the date of the invoice."),
        ("zh-hans", "前提：申报日期须在发票日期后6个月内。"),
    ],
)
def test_a_deadline_is_said_in_words(language: str, expected: str) -> None:
    params = {"fact": "service.claim_on", "since": "service.invoice_on", "span": {"months": 6, "days": 0}}
    with override(language):
        assert step_sentence("subsidy.step.lifetime_after", params) == expected
