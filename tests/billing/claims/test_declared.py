"""What a payee declares with its claim where a programme asks: expected at the promise, asked before handing in, and never worth more."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse

from billing.bills.models import AwardReversal
from billing.claims import declared
from billing.claims.declared_models import ClaimDeclaration
from billing.claims.models import Claim, ClaimLine
from billing.claims.pdf import declared_words
from billing.claims.services import batches, declaring, handing_in
from billing.claims.services.batches import BatchInput
from billing.claims.services.declaring import Declaration
from billing.ledger.models import Account
from billing.settlement.models import Award
from billing.settlement.services.replaying import replay_charges
from config.kernel.errors import Conflict, Forbidden, Refusal
from tests.billing.claims.conftest import DECEMBER, code_of, days
from tests.billing.money_invariants import wrong
from tests.billing.services.conftest import Life
from tests.billing.vouchers.conftest import CODE, published
from tests.booking.samples.conftest import Work, make_item
from tests.conftest import slot_of, voucher_document

__all__ = ["published"]
pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.4 notice"
OTHER, LOWER, LENDER, ASKED = (f"amounts.{name}" for name in ("other_subsidies", "lower_level", "lender", "asked"))
SAYS = {"zh": "县级已补贴", "en": "The county has paid"}


def asking(**changes: Any) -> dict[str, Any]:
    """40 % of the fee, refunded, less what others gave."""
    document = voucher_document(CODE)
    clause = document["clauses"][0]["id"]
    pool = {"id": "pool", "per": "pool", "limit": "100000", "when_short": "partial", "clause": clause}
    settled = {"mode": "refunded_later", "form": "post_claim_refund", "payee": "firm", "clause": clause}
    own = {"settlement": settled, "caps": [pool], "adjustments": [{"type": "deduct", "of": OTHER, "clause": clause}]}
    return document | own | {name: value for name, value in changes.items() if not name.startswith("_")}


class Desk:
    """A firm's sessions under a programme, and the batch in which they are claimed."""

    def __init__(self, cast: Any) -> None:
        self.cast, self.life = cast, Life(cast)
        cast.firm.bank_name, cast.firm.bank_account_name, cast.firm.bank_account_number = "Bank", cast.firm.name, "6222"
        cast.firm.save()

    def claim(self, version: Any) -> Claim:
        given = BatchInput(version.programme_id, "refunded_later", fund_year=2026, **days())
        batch = batches.open_batch(self.cast.actor("chen"), given, DECEMBER)
        batches.gather(self.cast.actor("chen"), batch.pk, DECEMBER)
        return Claim.objects.get(batch=batch)

    def declare(self, claim: Claim, position: int = 1, file: bytes | None = PDF, who: str = "zhao", **amounts: int) -> Any:
        told = {f"amounts.{name}": fen for name, fen in amounts.items()}
        return declaring.declare(self.cast.actor(who), claim.pk, Declaration(position, told, file), DECEMBER)

    def submit(self, claim: Claim) -> Claim:
        handing_in.submit(self.cast.actor("zhao"), claim.pk, DECEMBER)
        return Claim.objects.get(pk=claim.pk)


def test_a_promise_expects_nothing_from_others_and_is_an_estimate_and_the_claim_is_worked_out_by_what_is_declared(
    cast: Any, published: Any
) -> None:
    version, desk = published(asking()), Desk(cast)
    quote = desk.life.quote(desk.life.ask(slot_of(8, 9)))
    (said,) = [one for one in quote.result["outcomes"][0]["steps"] if one["key"] == "subsidy.step.declared_later"]
    assert (quote.estimate, quote.refunded_fen, said["params"]["declares"]) == (True, 160_00, [OTHER])
    desk.life.whole(slot_of(9, 11))
    claim = desk.claim(version)
    with pytest.raises(Refusal) as missing:
        desk.submit(claim)
    assert (code_of(missing), missing.value.reasons[0].field) == ("claims.to_complete", "declaration")
    desk.declare(claim, other_subsidies=400_00)
    desk.declare(claim, other_subsidies=100_00)  # the last one counts
    (asked,) = declared.lines_asked([claim])
    assert (asked.less_fen, asked.paths) == (100_00, (OTHER,))
    pool = Account.objects.get(kind="pool", key__contains=CODE)
    assert pool.posted_fen == 320_00
    handed_in = desk.submit(claim)
    assert handed_in.total_fen == 220_00
    (line,) = handed_in.submissions.get().content["lines"]
    assert line["declared"] == {OTHER: 100_00} and "100.00" in declared_words(line)
    pool.refresh_from_db()
    assert pool.posted_fen == 220_00
    applied = ClaimDeclaration.objects.get(applied_at__isnull=False)
    assert (applied.position, applied.less_fen, applied.engine, applied.reversal.cause) == (2, 100_00, "1", "declared")
    assert "subsidy.step.deduct" in {one["key"] for one in applied.steps}
    assert {(each.differences, each.problem) for each in replay_charges()} == {((), "")}
    assert wrong() == {} and declared.is_as_worked_out(applied)


def test_nothing_received_needs_no_file_and_leaves_the_award_as_it_was(cast: Any, published: Any) -> None:
    version, desk = published(asking()), Desk(cast)
    desk.life.whole(slot_of(9, 11))
    claim = desk.claim(version)
    with pytest.raises(Refusal) as file:
        desk.declare(claim, file=None, other_subsidies=1)
    assert code_of(file) == "claims.file_missing"
    desk.declare(claim, file=None, other_subsidies=0)
    assert desk.submit(claim).total_fen == 320_00
    assert not AwardReversal.objects.exists()


def test_where_no_programme_asks_nothing_is_expected_or_asked(cast: Any, published: Any) -> None:
    version, desk = published(asking(adjustments=[])), Desk(cast)
    charge = desk.life.whole(slot_of(9, 11))
    (candidate,) = charge.inputs["candidates"]
    assert not charge.estimate and "amounts" not in candidate["facts"] and "awaited" not in candidate["facts"]["service"]
    claim = desk.claim(version)
    with pytest.raises(Refusal) as nothing:
        desk.declare(claim, other_subsidies=0)
    assert code_of(nothing) == "claims.declares_nothing"
    assert desk.submit(claim).total_fen == 320_00


def test_each_payer_gives_no_more_than_it_promised_and_what_it_gives_less_goes_back_to_it(cast: Any, published: Any) -> None:
    clause = voucher_document(CODE)["clauses"][0]["id"]
    order = [{"payer": "lender", "up_to": LENDER}, {"payer": "province"}]
    document = asking(adjustments=[], payers={"rule": "in_order", "order": order, "clause": clause})
    version, desk = published(document), Desk(cast)
    desk.life.whole(slot_of(9, 11))
    claim = desk.claim(version)
    desk.declare(claim, lender=120_00)
    assert desk.submit(claim).total_fen == 200_00  # the lender's own part was promised by nobody here
    assert AwardReversal.objects.get().payers == [{"payer": "province", "amount_fen": 120_00}]


def test_an_upper_level_that_follows_a_lower_one_is_held_and_falls_away_where_that_gave_nothing(
    cast: Any, published: Any
) -> None:
    clause = voucher_document(CODE)["clauses"][0]["id"]
    levels = [
        {"payer": "county", "rate": "0.2"},
        {"payer": "province", "rate": "0.1", "when": {"fact": LOWER, "above": 0}, "says": SAYS},
    ]
    rate, payers = {"type": "stacked", "clause": clause, "levels": levels}, {"rule": "by_level", "clause": clause}
    version, desk = published(asking(adjustments=[], rate=rate, payers=payers)), Desk(cast)
    charges = [desk.life.whole(slot) for slot in (slot_of(9, 11), slot_of(13, 15))]
    assert [charge.refunded_fen for charge in charges] == [240_00, 240_00]
    claim = desk.claim(version)
    desk.declare(claim, 1, lower_level=50_00)
    desk.declare(claim, 2, file=None, lower_level=0)
    assert desk.submit(claim).total_fen == 240_00 + 160_00


def test_a_condition_that_does_not_hold_with_the_declaration_gives_all_of_it_back_and_says_why(cast: Any, published: Any) -> None:
    clause = voucher_document(CODE)["clauses"][0]["id"]
    gate = {"type": "condition", "clause": clause, "when": {"fact": OTHER, "at_most": "100"}, "says": SAYS}
    version, desk = published(asking(adjustments=[], gates=[gate])), Desk(cast)
    for slot in (slot_of(9, 11), slot_of(13, 15)):
        desk.life.whole(slot)
    claim = desk.claim(version)
    desk.declare(claim, 1, other_subsidies=100_01)
    desk.declare(claim, 2, other_subsidies=100_00)
    assert desk.submit(claim).total_fen == 320_00
    refused = ClaimDeclaration.objects.get(less_fen__gt=0)
    assert [each["code"] for each in refused.unmet] == ["subsidy.unmet.condition"]


def test_what_is_asked_for_limits_the_award_and_more_than_was_promised_is_never_given(cast: Any, published: Any) -> None:
    clause = voucher_document(CODE)["clauses"][0]["id"]
    version, desk = published(asking(adjustments=[{"type": "asked_limit", "clause": clause}])), Desk(cast)
    for slot in (slot_of(9, 11), slot_of(13, 15)):
        desk.life.whole(slot)
    claim = desk.claim(version)
    desk.declare(claim, 1, asked=1_000_00)
    desk.declare(claim, 2, asked=99_00)
    assert desk.submit(claim).total_fen == 320_00 + 99_00


def test_a_claim_that_was_withdrawn_is_declared_anew_and_the_same_answer_takes_nothing_twice(cast: Any, published: Any) -> None:
    version, desk = published(asking()), Desk(cast)
    desk.life.whole(slot_of(9, 11))
    claim = desk.claim(version)
    desk.declare(claim, other_subsidies=100_00)
    handing_in.withdraw(cast.actor("zhao"), desk.submit(claim).pk, "A file is wrong", DECEMBER)
    batches.gather(cast.actor("chen"), claim.batch_id, DECEMBER)
    again = Claim.objects.get(batch=claim.batch, state="draft")
    with pytest.raises(Refusal):
        desk.submit(again)
    desk.declare(again, other_subsidies=100_00)
    assert desk.submit(again).total_fen == 220_00
    assert wrong() == {}


def test_it_is_declared_by_who_claims_for_the_payee_while_the_claim_is_a_draft_and_kept_by_the_database(
    cast: Any, published: Any
) -> None:
    version, desk = published(asking()), Desk(cast)
    desk.life.whole(slot_of(9, 11))
    claim = desk.claim(version)
    with pytest.raises(Forbidden):
        desk.declare(claim, who="chen", other_subsidies=0)
    with pytest.raises(Refusal) as bad:
        desk.declare(claim, other_subsidies=-1)
    assert (code_of(bad), bad.value.reasons[0].field) == ("claims.declared_amount", "other_subsidies")
    made = desk.declare(claim, other_subsidies=1_00)
    rows = ClaimDeclaration.objects.filter(pk=made.pk)
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.update(amounts={})
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.delete()
    with pytest.raises(DatabaseError), transaction.atomic():
        ClaimDeclaration.objects.create(
            claim=claim, award=made.award, position=9, amounts={}, added_by=cast.users["chen"], added_at=DECEMBER
        )
    desk.submit(claim)
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.update(steps=[1])
    with pytest.raises(Conflict):
        desk.declare(claim, other_subsidies=0)


def test_a_commissioned_test_is_worked_out_again_like_a_session(cast: Any, published: Any) -> None:
    published(asking(base={"amount": "fee", "minimum_charge": "included", "clause": voucher_document(CODE)["clauses"][0]["id"]}))
    work = Work(cast, make_item(cast))
    work.close(work.reported(3))
    award = Award.objects.get()
    assert (award.total_fen, declared.asked_of(award)) == (96_00, (OTHER,))
    assert declared.worked(award, {OTHER: 6_00}).less_fen == 6_00
    assert declared.worked(award, {OTHER: 1_000_00}).less_fen == 96_00


def test_money_that_was_off_the_bill_at_once_is_not_asked_about(cast: Any, published: Any) -> None:
    settled = voucher_document(CODE)["settlement"]
    published(asking(settlement=settled))
    charge = Desk(cast).life.whole(slot_of(9, 11))
    assert (charge.deducted_fen, charge.estimate) == (320_00, False)
    assert declared.asked_of(Award.objects.get()) == ()


def test_the_claims_page_and_the_interface_ask_show_what_comes_of_it_and_hand_in_over_that(cast: Any, published: Any) -> None:
    version, desk = published(asking()), Desk(cast)
    desk.life.whole(slot_of(9, 11))
    claim = desk.claim(version)
    client = Client()
    client.force_login(cast.users["zhao"])
    page = reverse("claim_detail", args=[claim.pk])
    assert "Declare" in client.get(page).content.decode()
    act = reverse("claim_act", args=[claim.pk])
    typed = {"act": "declare", "position": "1", "other_subsidies": "12,x"}
    refused = client.post(act, typed)
    assert refused.status_code == 422 and "12,x" in refused.content.decode()
    file = SimpleUploadedFile("a.pdf", PDF)
    assert client.post(act, typed | {"other_subsidies": "100", "file": file}).status_code == 302
    shown = client.get(page).content.decode()
    assert "Hand in over ¥220.00" in shown and "100.00" in shown
    path = reverse("api_claim_declarations", args=[claim.pk])
    (asked,) = client.get(path).json()["results"]
    assert (asked["position"], asked["asks"], asked["less_fen"]) == (1, ["other_subsidies"], 100_00)
    told = client.post(path, {"position": "1", "other_subsidies": "5000", "file": SimpleUploadedFile("a.pdf", PDF)})
    assert (told.status_code, told.json()["less_fen"]) == (201, 50_00), told.content
    bad = client.post(path, {"position": "1", "lender": "5000"})
    assert bad.status_code == 422
    with pytest.raises(Conflict):
        handing_in.submit(cast.actor("zhao"), claim.pk, DECEMBER, expected_fen=320_00)
    handing_in.submit(cast.actor("zhao"), claim.pk, DECEMBER, expected_fen=270_00)
    assert ClaimLine.objects.get(claim=claim, standing="included").amount_fen == 270_00
    assert "50.00" in client.get(page).content.decode()


def test_no_statement_changes_or_empties_the_table_while_its_triggers_are_on(cast: Any, published: Any) -> None:
    version, desk = published(asking()), Desk(cast)
    desk.life.whole(slot_of(9, 11))
    desk.declare(desk.claim(version), other_subsidies=1_00)
    table = "billing_claimdeclaration"
    tried = [f"UPDATE {table} SET amounts = '{{}}'", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"]
    assert [refused(each) for each in tried] == [True] * 3
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE {table} DISABLE TRIGGER USER")
        assert [refused(each) for each in tried] == [False] * 3  # the control
        transaction.set_rollback(True)


def refused(statement: str) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    except DatabaseError:
        return True
    return False
