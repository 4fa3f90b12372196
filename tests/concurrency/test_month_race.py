"""Two people of finance at one month at the same moment, a month that is closed while it is billed, and workers that are killed -9 while
they issue and export: one document each, numbers without gaps, the same archive."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.management import call_command
from django.db import connection

from billing import tasks as billing_tasks
from billing.bills import pdf
from billing.bills.models import Bill
from billing.bills.services import issuing
from billing.bills.services.issuing import BillRequest
from billing.month.models import Draft, DraftRun, ExportItem
from billing.month.services import closing, exporting, releasing, running
from billing.month.services.running import RunRequest
from billing.settlement.rules.period import last_day
from billing.settlement.rules.series import Series
from config.kernel import tasks
from tests.billing.month.conftest import DECEMBER, NOVEMBER, second_person
from tests.concurrency.dying import killed_at, moments_of
from tests.concurrency.harness import at_once, sql_run, tally, violations
from tests.concurrency.test_statement_race import used
from tests.concurrency.world import World

CUSTOMERS = 4
KILLS, MANY = 5, 50
ONE_BILL = 45
"""After so many moments a worker has begun, has issued a bill and is at the next one."""


@pytest.fixture(autouse=True)
def quiet(settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of its own, PDFs that cost nothing, workers who live in December, and a threshold that the month reaches."""
    local = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path / "files")}}
    settings.STORAGES = {**settings.STORAGES, "default": local}
    settings.SECOND_PERSON_FROM_FEN = 100
    monkeypatch.setattr(pdf, "render_pdf_apart", lambda content: f"%PDF-1.4 {content['number']}".encode())
    monkeypatch.setattr(tasks.app.periodic_registry, "periodic_tasks", {})
    monkeypatch.setattr(billing_tasks, "timezone", SimpleNamespace(now=lambda: DECEMBER))


def month_of(world: World, customers: int = CUSTOMERS) -> Series:
    """A session of each of some firms in November; Mei accounts for the lab beside Li."""
    for place in range(customers):
        used(world, place, 8 + 2 * (place // len(world.instruments) % 5), place % len(world.instruments))
    second_person(world.cast)
    return Series(world.cast.lab.pk)


def run_of(world: World, series: Series) -> DraftRun:
    run, _new = running.make(world.cast.actor("li"), RunRequest(series, NOVEMBER), DECEMBER)
    return releasing.hand_over(world.cast.actor("li"), run.pk, DECEMBER)


def worker(queue: str) -> None:
    """The real worker, until there is nothing to do."""
    call_command("procrastinate", "worker", "--queues", queue, "--one-shot", "--concurrency", "1")


def found_stalled() -> None:
    """A while later the platform looks for jobs whose worker is dead."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '10 minutes'")
        cursor.execute("UPDATE procrastinate_jobs SET attempts = 0")  # one killed five times would be given up
    async_to_sync(tasks.retry_stalled_jobs.func)(0)


def one_bill_each(run: DraftRun) -> None:
    """Every draft became one bill, and the numbers have no gap."""
    count = Draft.objects.filter(run=run).count()
    assert Draft.objects.filter(run=run, state="issued").count() == count == Bill.objects.count()
    assert sorted(Bill.objects.values_list("number", flat=True)) == [f"ZD-2026-{place:06d}" for place in range(1, count + 1)]
    assert DraftRun.objects.get(pk=run.pk).state == "done"
    assert violations() == {}


def test_two_people_make_and_release_a_month_and_two_workers_issue_it_once(world: World) -> None:
    series = month_of(world)
    asked = RunRequest(series, NOVEMBER)
    both = [world.cast.actor("li"), world.cast.actor("mei")]
    made = at_once([lambda who=who: running.make(who, asked, DECEMBER)[0] for who in both])
    assert tally(made) == {"ok": 2} and DraftRun.objects.count() == 1
    run = DraftRun.objects.get()
    maker, other = (both if run.made_by_id == both[0].user_id else both[::-1])  # fmt: skip
    releasing.hand_over(maker, run.pk, DECEMBER)
    calls = [lambda who=who: releasing.release(who, run.pk, DECEMBER) for who in (other, other, maker)]
    released = tally(at_once(calls))
    assert released["ok"] == 1 and sum(released.values()) == 3
    assert tally(at_once([lambda: releasing.work(run.pk, DECEMBER) for _ in range(3)])) == {"ok": 3}
    one_bill_each(run)


def closed_while_billed(world: World, series: Series) -> tuple[int, int]:
    """(Documents that the closed month says, bills that there are), after both were done at once."""
    li, mei = world.cast.actor("li"), world.cast.actor("mei")
    firms = [world.firms[place].pk for place in range(CUSTOMERS)]
    until = last_day(NOVEMBER)

    def close() -> object:
        time.sleep(0.1)
        return closing.close(mei, series, NOVEMBER, DECEMBER)

    bill = [lambda pk=pk: issuing.issue(li, BillRequest(world.cast.lab.pk, pk, until), DECEMBER) for pk in firms]
    closed, *_bills = at_once([close, *bill])
    return closed.totals["documents"], Bill.objects.count()  # type: ignore[union-attr]


def slow_to_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the line and the end of the transaction somebody else has time."""
    real = issuing.queue_documents

    def later(document: Any, **options: Any) -> None:
        time.sleep(0.3)
        real(document, **options)

    monkeypatch.setattr(issuing, "queue_documents", later)


def test_a_month_that_is_closed_while_it_is_billed_says_what_stands_in_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    series = month_of(world)
    slow_to_number(monkeypatch)
    said, there = closed_while_billed(world, series)
    assert said == there
    assert violations() == {}


def test_without_the_lock_a_closed_month_says_less_than_stands_in_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: neither the lock of who closes nor the guards of the line."""
    series = month_of(world)
    slow_to_number(monkeypatch)
    monkeypatch.setattr(closing, "_wait_for_issuing", lambda series: None)
    sql_run("ALTER TABLE billing_billline DISABLE TRIGGER USER", "ALTER TABLE billing_closedperiod DISABLE TRIGGER USER")
    said, there = closed_while_billed(world, series)
    assert said < there


def issued_by_dying_workers(world: World, kills: int, customers: int) -> DraftRun:
    """So many workers die, at moments spread over what it takes to begin and to issue one: few come as far as the end of a bill, and the
    work is there for all of them."""
    series = month_of(world, customers)
    run = run_of(world, series)
    releasing.release(world.cast.actor("mei"), run.pk, DECEMBER)
    for turn in range(kills):
        moment = 1 + turn * ONE_BILL // max(1, kills - 1)
        assert killed_at(moment, lambda: worker(releasing.QUEUE)), f"the work was over before worker {turn + 1} of {kills} died"
        found_stalled()
    issued = Bill.objects.count()
    assert 0 < issued < customers, f"{issued} bills: ONE_BILL is not where the first one ends any more"
    worker(releasing.QUEUE)
    one_bill_each(run)
    return run


def exported_by_dying_workers(world: World, series: Series, kills: int) -> None:
    """Each turn exports anew with workers killed in it; the archive is the same each time."""
    li, archives, moments = world.cast.actor("li"), set(), 0
    for turn in range(kills + 1):
        export = exporting.start(li, series, NOVEMBER, DECEMBER)
        if not turn:
            moments = moments_of(lambda: worker(exporting.QUEUE))
        else:
            moment = moments - 1 - (turn - 1) * (moments - 2) // max(1, kills - 1)
            assert killed_at(moment, lambda: worker(exporting.QUEUE)), f"moment {moment} of {moments} was not reached"
            found_stalled()
            worker(exporting.QUEUE)
        export.refresh_from_db()
        assert export.state == "done" and not ExportItem.objects.filter(export=export).exclude(state="done").exists()
        archives.add(export.content_sha256)
    assert len(archives) == 1
    assert violations() == {}


def test_workers_killed_while_they_issue_and_export_a_month_do_each_once(world: World) -> None:
    run = issued_by_dying_workers(world, KILLS, CUSTOMERS)
    exported_by_dying_workers(world, Series(run.owner_id), KILLS)


@pytest.mark.proof
def test_many_workers_killed_while_they_issue_and_export_a_month_do_each_once(world: World) -> None:
    run = issued_by_dying_workers(world, MANY, 20)
    exported_by_dying_workers(world, Series(run.owner_id), MANY)
