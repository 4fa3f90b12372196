"""A proposed bill or statement that somebody issues while the platform, or whoever proposes anew, finds that nothing is left of it: it ends
once, as what became of it, and is told once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import QuerySet

from billing.bills.models import Bill
from billing.bills.proposal_models import BillProposal
from billing.bills.services import issuing, proposing
from billing.bills.services.issuing import BillRequest
from billing.settlement.models import Statement
from billing.settlement.proposal_models import StatementProposal
from billing.settlement.services import proposing as statement_proposals
from billing.settlement.services import statements
from config.kernel.access import Actor, Role
from instruments.models import Membership, Notice
from instruments.queries import actor_for
from tests.concurrency.harness import at_once, sql_run, tally, violations
from tests.concurrency.test_bill_race import DECEMBER, LAST, clerks, used
from tests.concurrency.test_statement_race import NOVEMBER
from tests.concurrency.test_statement_race import used as subsidised
from tests.concurrency.world import World, publish, voucher

CUSTOMERS, WORKERS, PATIENCE = 4, 3, 30
NOT_ISSUED = {"bill.proposal_decided", "bill.nothing_to_bill", "bill.issued_meanwhile", "bill.figures_differ"}
NOT_PROPOSED = {"bill.nothing_to_bill", "bill.proposed_already"}
NOT_STATED = {"statement.proposal_decided", "statement.nothing_to_issue", "statement.issued_meanwhile"}


def asked(world: World, place: int) -> BillRequest:
    return BillRequest(world.cast.lab.pk, world.firms[place].pk, LAST)


def slowed(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> None:
    """Have a function take its time before it reads."""
    real = getattr(module, name)

    def slow(rows: Any) -> Any:
        time.sleep(0.2)
        return real(rows)

    monkeypatch.setattr(module, name, slow)


def refused(outcomes: list[Any], allowed: set[str]) -> bool:
    """Whether each either was done or was refused for one of these reasons."""
    return set(tally(outcomes)) <= {"ok", *allowed}


def test_of_those_who_issue_propose_and_tend_one_ends_each_proposal_and_each_is_told_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in range(CUSTOMERS):
        used(world, place)
    li, mei = clerks(world)
    rows = [proposing.propose(li, asked(world, place), DECEMBER).pk for place in range(CUSTOMERS)]
    slowed(monkeypatch, proposing, "open_of")
    tend: list[Callable[[], object]] = [lambda: proposing.close_overtaken(DECEMBER)] * WORKERS
    issue = [lambda pk=pk: proposing.issue(mei, pk, DECEMBER) for pk in rows]
    direct = [lambda place=place: issuing.issue(li, asked(world, place), DECEMBER) for place in range(CUSTOMERS)]
    anew = [lambda place=place: proposing.propose(li, asked(world, place), DECEMBER) for place in range(CUSTOMERS)]
    outcomes = at_once([*tend, *issue, *direct, *anew])
    assert refused(outcomes, NOT_ISSUED | NOT_PROPOSED)
    proposing.close_overtaken(DECEMBER)
    assert Bill.objects.count() == CUSTOMERS and not BillProposal.objects.filter(state="waiting").exists()
    for row in BillProposal.objects.all():
        assert (row.state, row.bill_id is None) in {("issued", False), ("overtaken", True)}
        told = Notice.objects.filter(event="bill.overtaken", object_id=str(row.pk)).count()
        assert told == (1 if row.state == "overtaken" else 0)
    assert not Notice.objects.filter(event="bill.proposed", needs_action=True).exists()
    assert violations() == {}


def issued_while_proposed_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> BillProposal:
    """Mei issues what Li proposed while Li proposes the same again: Li has seen the lines before the bill is there, reads the earlier
    proposal (if nothing keeps her from it) before it is decided, and looks what is left of it once it is."""
    used(world, 0)
    li, mei = clerks(world)
    row = proposing.propose(li, asked(world, 0), DECEMBER)
    seen, read, issued = threading.Event(), threading.Event(), threading.Event()
    look, lock, open_of = issuing.look, issuing._lock, proposing.open_of

    def li_looks(*given: Any, **named: Any) -> Any:
        found = look(*given, **named)
        seen.set()
        return found

    def mei_locks(found: Any) -> None:
        assert seen.wait(PATIENCE)
        read.wait(1)  # Li reads now, or waits for Mei
        lock(found)

    def li_asks(rows: Any) -> set[int]:
        read.set()
        assert issued.wait(PATIENCE)
        return open_of(rows)

    def mei_issues() -> None:
        proposing.issue(mei, row.pk, DECEMBER)
        issued.set()

    for module, name, slow in ((issuing, "look", li_looks), (issuing, "_lock", mei_locks), (proposing, "open_of", li_asks)):
        monkeypatch.setattr(module, name, slow)
    again: Callable[[], Any] = lambda: proposing.propose(li, asked(world, 0), DECEMBER)  # noqa: E731
    assert tally(at_once([mei_issues, again])) == {"ok": 2} and Bill.objects.count() == 1
    row.refresh_from_db()
    return row


def test_what_is_being_issued_is_not_overtaken_by_whoever_proposes_it_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    row = issued_while_proposed_anew(world, monkeypatch)
    assert (row.state, row.bill) == ("issued", Bill.objects.get())
    assert BillProposal.objects.exclude(pk=row.pk).get().state == "waiting"
    assert proposing.close_overtaken(DECEMBER) == 1  # the second one, of which nothing is left
    assert violations() == {}


def unlocked(self: QuerySet[Any], **_how: object) -> QuerySet[Any]:
    return self


def test_without_lock_and_guards_an_issued_proposal_is_overtaken(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: nobody waits for who decides, and the database takes what does not fit together."""
    sql_run(
        "ALTER TABLE billing_billproposal DISABLE TRIGGER USER",
        "ALTER TABLE billing_billproposal DROP CONSTRAINT bill_proposal_decided_whole",
        "ALTER TABLE billing_billproposal DROP CONSTRAINT bill_proposal_two_people",
    )
    monkeypatch.setattr(QuerySet, "select_for_update", unlocked)
    row = issued_while_proposed_anew(world, monkeypatch)
    assert (row.state, row.bill) == ("overtaken", Bill.objects.get())


def test_two_workers_who_find_nothing_left_say_so_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert told_by_workers(world, monkeypatch) == 1 and violations() == {}


def test_without_lock_and_guards_each_worker_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    sql_run("ALTER TABLE billing_billproposal DISABLE TRIGGER USER")
    monkeypatch.setattr(QuerySet, "select_for_update", unlocked)
    gate, real = threading.Barrier(WORKERS), proposing.open_of

    def together(rows: Any) -> set[int]:
        found = real(rows)
        gate.wait(PATIENCE)
        return found

    assert told_by_workers(world, monkeypatch, together) == WORKERS


def told_by_workers(world: World, monkeypatch: pytest.MonkeyPatch, open_of: Callable[[Any], set[int]] = proposing.open_of) -> int:
    """How often it is told that nothing is left of a proposal that several workers find at once."""
    used(world, 0)
    li, mei = clerks(world)
    proposing.propose(li, asked(world, 0), DECEMBER)
    issuing.issue(mei, asked(world, 0), DECEMBER)
    monkeypatch.setattr(proposing, "open_of", open_of)
    assert tally(at_once([lambda: proposing.close_overtaken(DECEMBER)] * WORKERS)) == {"ok": WORKERS}
    return Notice.objects.filter(event="bill.overtaken").count()


def offices(world: World) -> tuple[Actor, Actor]:
    """Qian and a colleague of the office's finance."""
    colleague = world.people[-1]
    Membership.objects.create(user=colleague, organisation=world.cast.office, role=Role.FINANCE, created_at=world.cast.now)
    return world.cast.actor("qian"), actor_for(colleague)


def test_a_proposed_statement_ends_once_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    version = publish(world.cast, voucher())
    for place in range(2):
        subsidised(world, place, 8 + 2 * place, place)
    qian, other = offices(world)
    whose = (version.pk, world.cast.lab.pk, NOVEMBER)
    row = statement_proposals.propose(qian, statement_proposals.Asked(*whose), DECEMBER)
    slowed(monkeypatch, statements, "open_of")
    tend: list[Callable[[], object]] = [lambda: statement_proposals.close_overtaken(DECEMBER)] * WORKERS
    direct: Callable[[], object] = lambda: statements.issue(qian, *whose, DECEMBER)  # noqa: E731
    outcomes = at_once([*tend, direct, lambda: statement_proposals.issue(other, row.pk, DECEMBER)])
    assert refused(outcomes, NOT_STATED) and Statement.objects.count() == 1
    statement_proposals.close_overtaken(DECEMBER)
    row = StatementProposal.objects.get()
    assert (row.state, row.statement_id is None) in {("issued", False), ("overtaken", True)}
    assert Notice.objects.filter(event="statement.overtaken").count() == (row.state == "overtaken")
    assert violations() == {}
