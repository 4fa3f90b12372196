"""Several people of an office's finance at one claw-back notice at the same moment: money that came back is recorded and confirmed once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from threading import Barrier
from typing import Any

import pytest

from billing.claims.models import Claim, Clawback
from billing.claims.repayment_models import Repayment, SurplusRefund
from billing.claims.services import batches, clawbacks, handing_in, paying, publishing, repaying, reviewing, surplus
from billing.claims.services.paying import Outcome
from billing.claims.services.repaying import ListRead, Money
from billing.claims.services.surplus import Transfer
from billing.ledger.models import Transfer as Move
from config.kernel.access import Actor, Role
from instruments.models import Membership
from instruments.queries import actor_for
from tests.concurrency.harness import at_once, broken, sql_run, tally, violations
from tests.concurrency.test_claim_race import AFTER, DECEMBER, LATER, opened
from tests.concurrency.world import World

BACK = datetime(2026, 12, 22, 2, 0, tzinfo=UTC)
CLERKS, NOTICE_FEN = 6, 5000
HEAD = "交易日期,对方户名,对方账号,摘要,贷方发生额,借方发生额,流水号"


def clerks(world: World) -> list[Actor]:
    """So many of the finance of the office that pays; none of them has a part in the claim."""
    people = world.people[:CLERKS]
    office = world.cast.office
    Membership.objects.bulk_create(
        Membership(user=who, organisation=office, role=Role.FINANCE, created_at=DECEMBER) for who in people
    )
    return [actor_for(who) for who in people]


def asked_back(world: World) -> Clawback:
    """A notice over ¥50 of a claim that was paid."""
    batch, cast = opened(world), world.cast
    batches.gather(cast.actor("chen"), batch.pk, DECEMBER)
    claim = Claim.objects.get()
    handing_in.submit(cast.actor("li"), claim.pk, DECEMBER)
    batches.close(cast.actor("chen"), batch.pk, AFTER)
    reviewing.pass_on(cast.actor("chen"), claim.pk, AFTER)
    publishing.publicise(cast.actor("chen"), batch.pk, AFTER)
    publishing.end_due(LATER)
    reviewing.approve(cast.actor("sun"), claim.pk, LATER)
    for made in paying.make(cast.actor("qian"), batch.pk, LATER):
        for who in ("chen", "sun"):
            paying.sign(cast.actor(who), made.pk, LATER)
        for line in made.lines.all():
            paying.record(cast.actor("qian"), line.pk, Outcome(line.amount_fen, LATER.date(), "T1"), LATER)
    (notice,) = clawbacks.recheck(cast.actor("chen"), claim.pk, {1: NOTICE_FEN}, "half of it was not used", LATER)
    return notice


def recorded(world: World, notice: Clawback) -> Repayment:
    return repaying.record(world.cast.actor("qian"), notice.pk, Money(NOTICE_FEN, date(2026, 12, 22)), BACK)


def list_of(*notices: Clawback) -> bytes:
    lines = [f"2026-12-22,联合材料,6222,{each.reference},20.00,,S{place}" for place, each in enumerate(notices)]
    return "\n".join([HEAD, *lines]).encode("gb18030")


def fates(outcomes: list[ListRead | Exception]) -> list[str]:
    """What became of the rows of lists, in the order of the alphabet."""
    return sorted(row.fate.value for each in outcomes if isinstance(each, ListRead) for row in each.rows)


def posted() -> int:
    """What went back to treasuries in the books."""
    return sum(Move.objects.filter(source_type="repayment", debit__kind="subsidy_paid").values_list("amount_fen", flat=True))


def test_of_many_who_confirm_one_repayment_at_once_one_does_and_it_is_posted_once(world: World) -> None:
    notice, people = asked_back(world), clerks(world)
    row = recorded(world, notice)
    said = tally(at_once([partial(repaying.confirm, who, row.pk, BACK) for who in people]))
    assert said == {"ok": 1, "repaid.decided": CLERKS - 1}
    assert posted() == NOTICE_FEN and violations() == {}


def test_of_many_who_confirm_and_undo_at_once_the_books_say_what_the_row_says(world: World) -> None:
    notice, people = asked_back(world), clerks(world)
    row = recorded(world, notice)
    half = CLERKS // 2
    confirming = [partial(repaying.confirm, who, row.pk, BACK) for who in people[:half]]
    undoing = [partial(repaying.end, who, row.pk, "it did not come", BACK) for who in people[half:]]
    said = tally(at_once([*confirming, *undoing]))
    assert set(said) == {"ok", "repaid.decided"} and said["ok"] in (1, 2)
    row.refresh_from_db()
    assert row.ended_at is not None and violations() == {}  # undone by one, after it was confirmed by one, or before


def test_of_many_who_record_the_same_money_at_once_no_more_counts_than_is_open(world: World) -> None:
    notice, people = asked_back(world), clerks(world)
    money = Money(NOTICE_FEN, date(2026, 12, 22))
    said = tally(at_once([partial(repaying.record, who, notice.pk, money, BACK) for who in people]))
    assert said == {"ok": 1, "repaid.settled": CLERKS - 1} and violations() == {}


def test_of_many_who_take_the_same_list_in_at_once_each_row_is_recorded_once(world: World) -> None:
    notice, people = asked_back(world), clerks(world)
    content = list_of(notice)
    read = at_once([partial(repaying.take_in, who, content, "b.csv", BACK) for who in people])
    assert fates(read) == ["known"] * (CLERKS - 1) + ["recorded"]
    assert [each.amount_fen for each in Repayment.objects.all()] == [2000] and violations() == {}


def too_much(world: World, notice: Clawback) -> Repayment:
    """¥70 that came for the notice over ¥50."""
    money = Money(NOTICE_FEN + 2000, date(2026, 12, 22))
    row = repaying.record(world.cast.actor("qian"), notice.pk, money, BACK)
    return repaying.confirm(world.cast.actor("sun"), row.pk, BACK)


def test_of_many_who_send_back_what_came_too_much_or_take_it_for_another_notice_one_does(world: World) -> None:
    notice, people = asked_back(world), clerks(world)
    Membership.objects.create(
        user=world.cast.users["sun"], organisation=world.cast.office, role=Role.FINANCE, created_at=DECEMBER
    )
    row = too_much(world, notice)
    following = clawbacks.dispute(world.cast.actor("chen"), notice.claim_id, 1, 3000, "another half hour", BACK)
    transfer, half = Transfer(2000, date(2026, 12, 22), "B1"), CLERKS // 2
    sending = [partial(surplus.send_back, who, row.pk, transfer, BACK) for who in people[:half]]
    taking = [partial(surplus.take_for, who, row.pk, following.pk, BACK) for who in people[half:]]
    said = tally(at_once([*sending, *taking]))
    assert said == {"ok": 1, "surplus.amount": CLERKS - 1}
    assert SurplusRefund.objects.count() + Repayment.objects.filter(moved_from=row).count() == 1 and violations() == {}


def _meeting(monkeypatch: pytest.MonkeyPatch, name: str, so_many: int, real: Callable[..., Any]) -> None:
    """Everybody reads before anybody writes."""
    all_have_read = Barrier(so_many)

    def read(*asked: Any) -> Any:
        found = real(*asked)
        all_have_read.wait(30)
        return found

    monkeypatch.setattr(repaying, name, read)


def test_without_the_lock_the_same_money_goes_back_in_the_books_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: nobody locks the notice, and the database does not hold what was confirmed."""
    notice, people = asked_back(world), clerks(world)[:2]
    row = recorded(world, notice)
    sql_run("ALTER TABLE billing_repayment DISABLE TRIGGER USER")

    def unlocked(actor: Actor, pk: int, now: datetime) -> Any:
        found = Repayment.objects.select_related("clawback__claim__batch__programme", "clawback__payee").get(pk=pk)
        return found, repaying.require_office(actor, found.clawback.claim.batch, now, Role.FINANCE)

    _meeting(monkeypatch, "_locked", 2, unlocked)
    assert tally(at_once([partial(repaying.confirm, who, row.pk, BACK) for who in people])) == {"ok": 2}
    assert posted() == 2 * NOTICE_FEN
    assert "claims.what_came_back_is_its_payers" in broken("kernel.guards_installed")


def test_without_lock_and_constraint_a_row_of_a_list_is_recorded_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    notice, people = asked_back(world), clerks(world)[:2]
    sql_run("DROP INDEX repayment_row_once", "ALTER TABLE billing_repayment DISABLE TRIGGER USER")
    rows = Clawback.objects.select_related("claim", "reversal").prefetch_related("lines__claim", "repayments")

    def unlocked(pk: int) -> Any:
        found = rows.get(pk=pk)
        return repaying.Locked(found, [])

    _meeting(monkeypatch, "locked_notice", 2, unlocked)
    content = list_of(notice)
    exists = Barrier(2)
    stored = repaying._stored

    def both_are_here(*asked: Any) -> Any:
        exists.wait(30)
        return stored(*asked)

    monkeypatch.setattr(repaying, "_stored", both_are_here)
    read = at_once([partial(repaying.take_in, who, content, "b.csv", BACK) for who in people])
    assert fates(read) == ["recorded", "recorded"]


def test_without_lock_and_guard_more_is_sent_back_than_came_too_much(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    notice, people = asked_back(world), clerks(world)[:2]
    Membership.objects.create(
        user=world.cast.users["sun"], organisation=world.cast.office, role=Role.FINANCE, created_at=DECEMBER
    )
    row = too_much(world, notice)
    sql_run("ALTER TABLE billing_surplusrefund DISABLE TRIGGER USER")
    all_have_read = Barrier(2)

    def unlocked(actor: Actor, pk: int, now: datetime) -> Any:
        found = Repayment.objects.select_related("clawback__claim__batch__programme").get(pk=pk)
        return found, repaying.require_office(actor, found.clawback.claim.batch, now, Role.FINANCE)

    def left(found: Repayment, amount_fen: int, most_fen: int | None = None) -> None:
        assert amount_fen <= surplus.free_fen(found)
        all_have_read.wait(30)

    monkeypatch.setattr(surplus, "_locked", unlocked)
    monkeypatch.setattr(surplus, "_require_left", left)
    transfer = Transfer(2000, date(2026, 12, 22), "B1")
    assert tally(at_once([partial(surplus.send_back, who, row.pk, transfer, BACK) for who in people])) == {"ok": 2}
    assert "claims.no_more_is_used_than_came_too_much" in broken("kernel.guards_installed")
