"""Several people of the office and of a payee at the same moment: an award is claimed once, a claim handed in once, a batch listed once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from threading import Barrier

import pytest

from billing.claims import invoices
from billing.claims.models import Claim, ClaimBatch, ClaimLine, ClaimSubmission, PaymentList
from billing.claims.services import batches, handing_in, paying, publishing, reviewing
from billing.claims.services.batches import BatchInput
from billing.claims.services.office import Right
from billing.settlement import once
from tests.concurrency.harness import at_once, broken, sql_run, tally, violations
from tests.concurrency.test_statement_race import used
from tests.concurrency.world import World, publish, voucher

DECEMBER = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
AFTER, LATER = datetime(2026, 12, 8, 2, 0, tzinfo=UTC), datetime(2026, 12, 20, 2, 0, tzinfo=UTC)
CLERKS = 6


def opened(world: World, closes_on: date = date(2026, 12, 7)) -> ClaimBatch:
    """A batch of November, in which two sessions can be claimed."""
    version = publish(world.cast, voucher())
    for place in range(2):
        used(world, place, 8 + 2 * place, place)
    world.cast.lab.bank_account_number = "6222"
    world.cast.lab.save()
    given = BatchInput(
        version.programme_id, "deducted_now", date(2026, 11, 1), date(2026, 11, 30), date(2026, 12, 1), closes_on, 2026
    )
    return batches.open_batch(world.cast.actor("chen"), given, DECEMBER)


def test_of_many_who_fill_hand_in_and_list_at_once_each_is_done_once(world: World) -> None:
    batch, cast = opened(world), world.cast
    filled = at_once([lambda: batches.gather(cast.actor("chen"), batch.pk, DECEMBER)] * CLERKS)
    assert sum(each.lines for each in filled if isinstance(each, batches.Gathered)) == 2 and tally(filled) == {"ok": CLERKS}
    claim = Claim.objects.get()
    handed = tally(at_once([lambda: handing_in.submit(cast.actor("li"), claim.pk, DECEMBER)] * CLERKS))
    assert handed["ok"] == 1 and handed["claims.not_now"] == CLERKS - 1
    assert ClaimSubmission.objects.count() == 1
    closed = tally(at_once([lambda: batches.close(cast.actor("chen"), batch.pk, AFTER)] * CLERKS))
    assert closed == {"ok": 1, "claims.batch_closed": CLERKS - 1}
    reviewing.pass_on(cast.actor("chen"), claim.pk, AFTER)
    publishing.publicise(cast.actor("chen"), batch.pk, AFTER)
    publishing.end_due(LATER)
    approved = tally(at_once([lambda: reviewing.approve(cast.actor("sun"), claim.pk, LATER)] * CLERKS))
    assert approved == {"ok": 1, "claims.not_now": CLERKS - 1}
    listed = tally(at_once([lambda: paying.make(cast.actor("qian"), batch.pk, LATER)] * CLERKS))
    assert listed == {"ok": 1, "claims.nothing_to_pay": CLERKS - 1}
    rows = list(PaymentList.objects.order_by("pk").values_list("number", "payer", "total_fen"))
    claim.refresh_from_db()
    assert [number for number, *_said in rows] == ["BF-2026-000001", "BF-2026-000002"]  # one for each of two payers
    assert len({payer for _number, payer, _fen in rows}) == 2 and sum(fen for *_said, fen in rows) == claim.total_fen
    assert violations() == {}


def test_without_locks_and_constraint_an_award_is_claimed_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: nobody locks the batch or the awards, and the database no longer refuses."""
    batch, cast = opened(world), world.cast
    sql_run("DROP INDEX claim_line_award_once", "ALTER TABLE billing_claimline DISABLE TRIGGER USER")
    sql_run("ALTER TABLE billing_claimline DROP CONSTRAINT claim_line_position")
    Claim.objects.create(batch=batch, payee=cast.lab, number="SQ-2026-000001", since=DECEMBER, created_at=DECEMBER)
    rows = ClaimBatch.objects.select_related("programme", "programme_version")
    monkeypatch.setattr(batches, "_open", lambda actor, pk, *_more: (rows.get(pk=pk), Right()))
    monkeypatch.setattr(batches, "move", lambda *_asked, **_how: None)
    monkeypatch.setattr(batches.reversing, "lock_awards", lambda ids: None)
    both_have_read = Barrier(2)

    def claims_of(*_asked: object) -> dict[int, Claim]:
        both_have_read.wait(30)
        return {each.payee_id: each for each in Claim.objects.all()}

    monkeypatch.setattr(batches, "_claims_of", claims_of)
    monkeypatch.setattr(batches.clawbacks, "take_back", lambda *_asked: None)
    monkeypatch.setattr(batches, "set_total", lambda *_asked: None)
    monkeypatch.setattr(batches, "prove", lambda *_asked: None)
    assert tally(at_once([lambda: batches.gather(cast.actor("chen"), batch.pk, DECEMBER)] * 2)) == {"ok": 2}
    assert ClaimLine.objects.count() > 2
    assert "claims.an_award_is_claimed_once" in broken("kernel.guards_installed")


INVOICE = "26632000000000000001"


def with_one_invoice(world: World) -> list[Callable[[], ClaimSubmission]]:
    """Handing in two claims in two batches, whose lines say the same invoice."""
    version, cast = publish(world.cast, voucher()), world.cast
    cast.lab.bank_account_number = "6222"
    cast.lab.save()
    now, calls = datetime(2026, 12, 2, 2, 0, tzinfo=UTC), []
    for place in range(2):
        used(world, place, 8 + 2 * place, place)
        days = (date(2026, 11, 1), date(2026, 11, 30), date(2026, 12, 1 + place), date(2026, 12, 7))
        batch = batches.open_batch(cast.actor("chen"), BatchInput(version.programme_id, "deducted_now", *days, 2026), now)
        batches.gather(cast.actor("chen"), batch.pk, now)
        claim = Claim.objects.get(batch=batch)
        handing_in.write_invoice(cast.actor("li"), claim.pk, 1, INVOICE, now)
        calls.append(lambda pk=claim.pk: handing_in.submit(cast.actor("li"), pk, now))
    return calls


def test_of_two_claims_with_one_invoice_at_once_one_is_handed_in(world: World) -> None:
    assert tally(at_once(with_one_invoice(world))) == {"ok": 1, "claims.invoice_taken": 1}


def test_without_the_lock_both_find_the_invoice_unused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    calls, real, both_have_read = with_one_invoice(world), invoices.taken, Barrier(2)

    def taken(lines: list[ClaimLine]) -> list[ClaimLine]:
        found = real(lines)
        both_have_read.wait(30)
        return found

    monkeypatch.setattr(once, "lock_invoices", lambda numbers: None)
    monkeypatch.setattr(invoices, "taken", taken)
    assert tally(at_once(calls)) == {"ok": 2}
