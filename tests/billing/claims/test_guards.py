"""What the database refuses of claims, whoever writes; each with a control in which the guard looks away."""

from __future__ import annotations

import pgtrigger
import pytest
from django.db import DatabaseError, connection, transaction

from billing.claims.models import Claim, ClaimBatch, ClaimLine, ClaimStep, PaymentLine, PaymentList, Payout
from billing.claims.services import paying, reviewing
from billing.month.models import DraftLine
from billing.month.services import holding, running
from billing.month.services.running import RunRequest
from billing.settlement.period_models import HeldBack
from billing.settlement.rules.series import Series
from config.kernel.errors import Conflict
from tests.billing.claims.conftest import AFTER, DECEMBER, PUBLIC_OVER, code_of, wrong

pytestmark = pytest.mark.django_db


def refused(match: str, write, *ignored: str) -> None:
    """The database refuses ``write``; without the guards it does not."""
    with pytest.raises(DatabaseError, match=match), transaction.atomic():
        write()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pgtrigger.ignore(*(f"billing.{name}" for name in ignored)), transaction.atomic():
        write()
        transaction.set_rollback(True)


def step(claim, event, person, to, position):
    return lambda: ClaimStep.objects.create(
        claim=claim,
        position=position,
        event=event,
        from_state=claim.state,
        to_state=to,
        step=0,
        actor=person,
        total_fen=0,
        at=AFTER,
    )


def test_maker_reviewer_and_approver_are_three_people_in_the_database(cast, office):
    batch, (claim,) = office.filled()
    office.submit(claim, "he")
    office.close(batch)
    claim.refresh_from_db()
    name = "ClaimStep:claim_three_people"
    refused("three people", step(claim, "pass", cast.users["he"], "passed", 4), name)
    office.passed(claim)
    claim.refresh_from_db()
    refused("three people", step(claim, "approve", cast.users["chen"], "approved", 5), name)
    refused("three people", step(claim, "approve", cast.users["he"], "approved", 5), name)
    with transaction.atomic():
        with pgtrigger.ignore(f"billing.{name}"):
            step(claim, "approve", cast.users["chen"], "approved", 5)()
        assert {"claims.three_people", "claims.steps_are_of_the_table"} <= set(wrong())
        transaction.set_rollback(True)


def test_a_state_moves_along_the_table_with_a_step_and_while_the_claim_is_its_lines(cast, office):
    _batch, (claim,) = office.filled()
    rows = Claim.objects.filter(pk=claim.pk)
    refused("does not go from draft to approved", lambda: rows.update(state="approved"), "Claim:claim_moves")
    refused("with a step in its history", lambda: rows.update(state="submitted", step_count=2), "Claim:claim_moves")

    def lie():
        step(claim, "submit", cast.users["he"], "submitted", 2)()
        rows.update(total_fen=1)
        rows.update(state="submitted", step_count=2)

    refused("does not move on", lie, "Claim:claim_moves", "Claim:claim_is_its_lines")


def test_a_claim_is_the_sum_of_its_lines_and_a_line_is_its_award(cast, office):
    _batch, (claim,) = office.filled()
    rows, line = Claim.objects.filter(pk=claim.pk), claim.lines.get(position=1)
    refused("sum of its lines", lambda: rows.update(total_fen=1), "Claim:claim_is_its_lines")
    with pytest.raises(DatabaseError, match="claim_line_award_once"), transaction.atomic():
        ClaimLine.objects.create(
            claim=claim, position=9, kind="award", award=line.award, amount_fen=line.amount_fen, payers=[], created_at=DECEMBER
        )
    kept = ClaimLine.objects.filter(pk=line.pk)
    refused("Cannot update", lambda: kept.update(amount_fen=1), "ClaimLine:claim_line_frozen")
    other = {"claim": claim, "position": 9, "kind": "award", "award": line.award, "payers": [], "created_at": DECEMBER}

    def more():
        kept.update(standing="replaced")
        ClaimLine.objects.create(**other, amount_fen=line.amount_fen + 1)

    refused("what its award gives", more, "ClaimLine:claim_line_is_awarded")


def test_a_closed_batch_its_history_and_its_lists_stay_as_they_are(cast, office):
    batch, claim = office.approved()
    closed = ClaimBatch.objects.filter(pk=batch.pk)
    refused("Cannot update", lambda: closed.update(rule_steps=[1]), "ClaimBatch:claim_batch_closes_once")
    refused("Cannot update", lambda: ClaimStep.objects.update(reason="x"), "ClaimStep:claim_step_append_only")
    made = paying.make(cast.actor("qian"), batch.pk, PUBLIC_OVER)[0]
    row, line = PaymentList.objects.filter(pk=made.pk), made.lines.get()
    refused("Cannot update", lambda: row.update(total_fen=1), "PaymentList:payment_list_frozen")
    for signed in ({"reviewed_by": made.issued_by}, {"approved_by": cast.users["sun"]}):
        with pytest.raises(DatabaseError, match="payment_list_three_people"), transaction.atomic():
            row.update(**signed)
    paid = {
        "line": line,
        "paid_fen": 1,
        "paid_on": PUBLIC_OVER.date(),
        "recorded_by": cast.users["qian"],
        "recorded_at": PUBLIC_OVER,
    }
    second = {"batch": batch, "number": "BF-2026-000009", "line_count": 1, "total_fen": 1, "content": {}, "content_sha256": "x"}

    def twice():
        other = PaymentList.objects.create(**second, payer=made.payer, issued_at=PUBLIC_OVER, issued_by=cast.users["qian"])
        PaymentLine.objects.create(payment_list=other, claim=claim, position=1, amount_fen=1)

    refused("no more of a claim is put on payment lists", twice, "PaymentLine:payment_line_within_claim")
    paying.cancel(cast.actor("qian"), made.pk, "wrong day", PUBLIC_OVER)

    def of_another():  # the whole claim, by one of two payers
        other = PaymentList.objects.create(**second | {"total_fen": claim.total_fen}, payer=made.payer, **by)
        PaymentLine.objects.create(payment_list=other, claim=claim, position=1, amount_fen=claim.total_fen)

    by = {"issued_at": PUBLIC_OVER, "issued_by": cast.users["qian"]}
    refused("no more of a claim is put on payment lists", of_another, "PaymentLine:payment_line_within_claim")
    refused("on a list that was approved", lambda: Payout.objects.create(**paid), "Payout:payout_on_signed_list")


def test_what_was_handed_in_is_not_held_back(cast, office):
    _batch, (claim,) = office.filled()
    award_id = claim.lines.filter(kind="award").order_by("position").first().award_id
    qian = cast.actor("qian")

    def hold():
        HeldBack.objects.create(award_id=award_id, reason="look into it", held_by=cast.users["qian"], held_at=DECEMBER)

    with transaction.atomic():
        hold()  # the control: the claim is still in its payee's hand
        transaction.set_rollback(True)
    office.submit(claim, "he")
    refused("stands on a document", hold, "HeldBack:held_back_only_open")
    run, _new = running.make(qian, RunRequest(Series(), DECEMBER.date().replace(month=11)), DECEMBER)
    line = DraftLine.objects.get(draft__run=run, award_id=award_id)
    with pytest.raises(Conflict) as taken:
        holding.exclude(qian, line.pk, "look into it", DECEMBER)
    assert code_of(taken) == "month.taken"


def test_a_note_with_a_nul_is_written_without_it(cast, office):
    batch, (claim,) = office.filled()
    office.submit(claim, "he")
    office.close(batch)
    reviewing.pass_on(cast.actor("chen"), claim.pk, AFTER, "looked\x00 at")
    assert ClaimStep.objects.get(claim=claim, event="pass").reason == "looked at"
