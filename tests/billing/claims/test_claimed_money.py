"""What was claimed of a bill, what is taken back once, what is held back, and who may change what after the review."""

from __future__ import annotations

import pgtrigger
import pytest
from django.test import Client

from billing.bills.models import BillVoid
from billing.bills.services import issuing
from billing.bills.services.issuing import BillRequest
from billing.claims import queries
from billing.claims.models import Claim, ClaimLine, PaymentList
from billing.claims.rules.checks import CheckCode, look
from billing.claims.services import batches, clawbacks, paying, reviewing
from billing.payments.services import crediting
from billing.payments.services.crediting import CreditRequest
from billing.settlement.models import Award
from billing.settlement.period_models import HeldBack
from config.kernel.errors import Conflict, Forbidden, Refusal
from frontend.views.claims import fen_of
from tests.billing.claims.conftest import AFTER, DECEMBER, PUBLIC_OVER, at, code_of, days, wrong
from tests.billing.claims.test_guards import refused, step
from tests.billing.settlement.conftest import run_session
from tests.conftest import slot_of

pytestmark = pytest.mark.django_db


def test_a_bill_is_not_voided_once_its_subsidy_was_claimed_and_a_credit_note_says_that_it_is_clawed_back(cast, office):
    _batch, (claim,) = office.filled("DEMO-QH-V", "deducted_now")
    li = cast.actor("li")
    bill = issuing.issue(li, BillRequest(cast.lab.pk, cast.firm.pk, days()["until_on"]), DECEMBER)
    asked = CreditRequest(bill.pk, 1, 10_000, "other", "a bit less")
    assert [each.handed_in for each in crediting.preview(li, asked)[0].subsidy] == [False]
    office.submit(claim, "li")
    assert [each.handed_in for each in crediting.preview(li, asked)[0].subsidy] == [True]
    with pytest.raises(Refusal) as refusal:
        issuing.void(li, bill.pk, "wrong month", DECEMBER)
    assert code_of(refusal) == "bill.not_voidable"
    voided = {"bill": bill, "reason": "x", "voided_by": cast.users["li"], "voided_at": DECEMBER}
    refused("unclaimed", lambda: BillVoid.objects.create(**voided), "BillVoid:bill_void_untouched")
    assert crediting.issue(li, asked, DECEMBER).content["subsidy"][0]["claimed"] is True
    assert wrong() == {}


def test_what_is_taken_back_counts_on_one_claim_although_a_line_is_taken_in_again(cast, office):
    batch, claim = office.approved()
    office.pay_all(office.listed(batch))
    (back,) = clawbacks.recheck(cast.actor("sun"), claim.pk, {1: 5000}, "half of the hours were not used", at(20))
    for day in (9, 10):
        run_session(cast, slot_of(9, 12, day), "he", cast.other_firm)
    january = at(2).replace(year=2027, month=1)
    window = {"opens": "2027-01-01", "closes": "2027-01-07"}
    first, (one,) = office.filled(now=january, **days("2026-12-04", "2026-12-04", **window))
    office.submit(one, "he", now=january)
    later = january.replace(day=8)
    office.close(first, now=later)
    line = one.lines.get(kind="clawback", standing="included")
    reviewing.set_line(cast.actor("chen"), one.pk, line.position, "excluded", "it is disputed", later)
    _second, (other,) = office.filled(now=january, **days("2026-12-05", "2026-12-05", **window))
    assert other.lines.get(kind="clawback").clawback == back
    with pytest.raises(Conflict) as conflict:
        reviewing.set_line(cast.actor("chen"), one.pk, line.position, "included", "it was right", later)
    assert code_of(conflict) == "claims.taken_elsewhere"
    again = ClaimLine.objects.filter(pk=line.pk)
    refused("no more is taken back", lambda: again.update(standing="included", reason=""), "ClaimLine:claim_line_changes")
    assert wrong() == {}


def test_what_finance_holds_back_is_not_claimed_and_shows_beside_a_claim_that_was_handed_in(cast, office):
    first, second = Award.objects.filter(programme_version__programme__code="DEMO-QH-A", payee=cast.other_firm).order_by("pk")

    def hold(award, until_on=None):
        return HeldBack.objects.create(award=award, until_on=until_on, reason="x", held_by=cast.users["qian"], held_at=DECEMBER)

    def lift(row):
        HeldBack.objects.filter(pk=row.pk).update(lifted_at=DECEMBER, lifted_by=cast.users["qian"])

    held_first = hold(first)
    batch, (claim,) = office.filled()
    assert [line.award_id for line in claim.lines.all()] == [second.pk] and not batches.claimable(batch).exists()
    line = {"claim": claim, "position": 9, "kind": "award", "award": first, "amount_fen": first.total_fen, "payers": first.payers}
    refused(
        "what its award gives", lambda: ClaimLine.objects.create(**line, created_at=DECEMBER), "ClaimLine:claim_line_is_awarded"
    )
    held_second = hold(second)
    with pytest.raises(Refusal) as refusal:
        office.submit(claim, "he")
    assert code_of(refusal) == "claims.nothing_left"
    lift(held_first)
    lift(held_second)
    hold(first, days()["until_on"])  # until a month that the batch reaches: it has lapsed
    office.gather(batch)
    office.submit(claim, "he")
    claim.refresh_from_db()
    assert claim.total_fen == first.total_fen + second.total_fen
    refused("held back", lambda: hold(second), "HeldBack:held_back_only_open")
    with pgtrigger.ignore("billing.HeldBack:held_back_only_open"):  # as it may stand there from before
        hold(second)
    office.close(batch)
    claim = queries.claim_for(cast.actor("chen"), claim.pk)
    found = [check for check in look(queries.check_inputs([claim])[claim.pk]) if not check.ok]
    assert [(check.code, len(check.positions)) for check in found] == [(CheckCode.HELD, 1)]
    assert wrong() == {}


def test_who_changes_a_line_is_a_reviewer_and_approves_nothing_of_the_claim(cast, office):
    batch, (claim,) = office.filled()
    office.submit(claim, "he")
    office.close(batch)
    before = Claim.objects.get(pk=claim.pk).expected_on
    reviewing.set_line(cast.actor("sun"), claim.pk, 1, "postponed", "its invoice comes later", at(9))
    claim.refresh_from_db()
    said = claim.steps.latest("position")
    assert (said.event, said.actor, said.reason) == ("line", cast.users["sun"], "1: its invoice comes later")
    assert (said.total_fen, claim.expected_on) == (claim.total_fen, before)
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(cast.users["chen"])
    assert "counts again" not in client.get(f"/claims/{claim.pk}/").content.decode()  # what is postponed waits for another batch
    office.passed(claim)
    office.publicise(batch)
    with pytest.raises(Forbidden) as forbidden:
        office.approve(claim, "sun")
    assert code_of(forbidden) == "claims.three_people"
    page = client.get(f"/claims/{claim.pk}/").content.decode()
    assert "Line changed" in page and "1: its invoice comes later" in page
    assert wrong() == {}


def test_after_its_review_a_claim_keeps_its_amount_and_a_list_its_signatures_and_a_new_account_is_said(cast, office):
    batch, claim = office.approved()
    row, line = Claim.objects.filter(pk=claim.pk), ClaimLine.objects.filter(pk=claim.lines.get(position=1).pk)
    refused("stays after its review", lambda: row.update(total_fen=1), "Claim:claim_moves", "Claim:claim_is_its_lines")
    refused("stays after the review", lambda: line.update(standing="excluded", reason="x"), "ClaimLine:claim_line_changes")

    def settled():
        step(claim, "settle", cast.users["sun"], "paid", claim.step_count + 1)()
        row.update(state="paid", step_count=claim.step_count + 1)

    refused("once all of it was paid out", settled, "Claim:claim_moves")
    cast.other_firm.bank_account_number = "9999"
    cast.other_firm.save()
    made = paying.make(cast.actor("qian"), batch.pk, PUBLIC_OVER)[0]
    assert made.content["lines"][0]["account_changed"] is True
    paying.sign(cast.actor("chen"), made.pk, PUBLIC_OVER)
    signed = PaymentList.objects.filter(pk=made.pk)
    for change in ({"reviewed_by": cast.users["wang"]}, {"reviewed_at": AFTER}):
        refused("Cannot update", lambda change=change: signed.update(**change), "PaymentList:payment_list_signed_once")
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(cast.users["sun"])
    assert "Another account than the claim was handed in with" in client.get(f"/payout-lists/{made.pk}/").content.decode()
    ended = {"act": "dispute", "position": 1, "reason": "settled between the two"}
    assert client.post(f"/claims/{claim.pk}/decide", ended | {"amount": "1e999999"}).status_code == 422
    assert client.post(f"/claims/{claim.pk}/decide", ended | {"amount": "12.50"}).status_code == 302
    assert [(back.cause, back.total_fen) for back in claim.clawbacks.all()] == [("dispute", 1250)]
    assert wrong() == {}


def test_an_amount_is_read_as_yuan_or_not_at_all():
    typed = {"1,000.5": 100_050, "0": 0, "1e999999": -1, "1e3": -1, "": -1, "-5": -1, "1.005": -1, "9" * 40: -1, "NaN": -1}
    assert {text: fen_of(text) for text in typed} == typed
