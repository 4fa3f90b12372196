"""Several people of finance at the same moment: an award stands on one statement, and numbers have no gap."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from billing.settlement.models import Statement, StatementLine
from billing.settlement.services import statements
from booking.services import transitions
from config.kernel.access import Actor
from config.kernel.services import audit
from instruments.models import Organisation
from tests.agreeing import check_out_agreed
from tests.concurrency.harness import at_once, sql_run, tally, violations
from tests.concurrency.test_slot_stampede import asking
from tests.concurrency.world import World, publish, voucher
from tests.conftest import programme_document

NOVEMBER = date(2026, 11, 1)
DECEMBER = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
CLERKS = 8


def used(world: World, place: int, hour: float, instrument: int) -> None:
    """A session of one of the crowd's firms, agreed."""
    during = world.slot(hour)
    reserved = asking(world, place, during, f"s{place}", instrument)()
    transitions.approve(world.manager(0), reserved.reservation_id, world.cast.now)
    transitions.check_in(world.manager(0), reserved.reservation_id, during.starts_at)
    check_out_agreed(world.manager(0), reserved.reservation_id, during.ends_at)


def issuing(world: World, version_id: int, payee_id: int) -> Callable[[], Statement]:
    actor: Actor = world.cast.actor("qian")
    return lambda: statements.issue(actor, version_id, payee_id, NOVEMBER, DECEMBER)


def test_of_several_who_issue_the_same_at_once_one_does(world: World) -> None:
    version = publish(world.cast, voucher())
    for place in range(4):
        used(world, place, 8 + 2 * place, place)
    outcomes = at_once([issuing(world, version.pk, world.cast.lab.pk) for _ in range(CLERKS)])
    counted = tally(outcomes)
    assert counted["ok"] == 1
    assert counted["statement.issued_meanwhile"] + counted["statement.nothing_to_issue"] == CLERKS - 1
    assert [statement.line_count for statement in Statement.objects.all()] == [4]
    assert violations() == {}


def test_without_lock_and_constraint_an_award_is_paid_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: no second look under the lock, and the database no longer refuses."""
    version = publish(world.cast, voucher())
    used(world, 0, 8, 0)
    sql_run("ALTER TABLE billing_statementline DROP CONSTRAINT billing_statementline_award_id_key")
    monkeypatch.setattr(statements, "_lock_unstated", lambda award_ids: time.sleep(0.3))
    outcomes = at_once([issuing(world, version.pk, world.cast.lab.pk) for _ in range(CLERKS)])
    assert tally(outcomes)["ok"] > 1
    assert StatementLine.objects.count() > 1


def test_numbers_have_no_gap_when_many_issue_and_some_fail_after_numbering(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each clerk issues for another payee; for every third the light goes out between number and commit."""
    document = programme_document("DEMO-QH-A")
    document["gates"] = [gate for gate in document["gates"] if gate["type"] != "any_of"]
    document["examples"] = []
    version = publish(world.cast, document)
    for place in range(CLERKS):
        used(world, place, 8 + 2 * (place % 5), place)
    payees = [world.firms[place].pk for place in range(CLERKS)]
    unlucky = set(payees[::3])
    real = audit.record

    def fails_for_some(actor: Actor, action: str, target: Statement, now: datetime, **details: object) -> None:
        if action == "statement.issue" and target.payee_id in unlucky:
            raise RuntimeError("the light went out")
        real(actor, action, target, now, **details)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(audit, "record", fails_for_some)
        outcomes = at_once([issuing(world, version.pk, payee) for payee in payees])
    assert tally(outcomes) == {"ok": CLERKS - len(unlucky), "RuntimeError: the light went out": len(unlucky)}
    again = at_once([issuing(world, version.pk, payee) for payee in sorted(unlucky)])
    assert tally(again) == {"ok": len(unlucky)}
    numbers = sorted(Statement.objects.values_list("number", flat=True))
    assert numbers == [f"JS-2026-{place:06d}" for place in range(1, CLERKS + 1)]
    assert Organisation.objects.filter(statements__isnull=False).count() == CLERKS
    assert violations() == {}
