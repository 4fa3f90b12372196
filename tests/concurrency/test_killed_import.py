"""kill -9 of the worker while it writes a list, or takes one back: the job is found and taken up again, and everything is written once."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django.django_connector import DjangoConnector

from booking.models import Reservation
from config.kernel import tasks
from config.kernel.job_connector import JobConnector
from instruments.models import Delivery, ImportRun
from instruments.services import import_runs, notices
from instruments.services.import_runs import Asked
from tests.concurrency.dying import killed_at, moments_of
from tests.concurrency.effects import counted, since
from tests.concurrency.harness import violations
from tests.concurrency.world import World, publish, voucher

HEAD = "Booking id,E-mail,Instrument,Start,End\n"
KILLS, MANY = 3, 25
"""Of writing, and as many of taking back."""


@pytest.fixture(autouse=True)
def files_of_its_own(settings: Any, tmp_path: Any) -> None:
    local = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path / "files")}}
    settings.STORAGES = {**settings.STORAGES, "default": local}


@pytest.fixture(autouse=True)
def nothing_is_due_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker also queues what is due every few minutes: whether that falls into a test must not tell two workers apart."""
    monkeypatch.setattr(tasks.app.periodic_registry, "periodic_tasks", {})


@pytest.fixture(autouse=True)
def the_worker_goes_by_the_clock_of_the_cast(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bookings of the lists lie ahead of it, whatever day it is."""
    monkeypatch.setattr(timezone, "now", lambda: world.cast.now)


def worker() -> None:
    """The real worker, until there is nothing to do."""
    call_command("procrastinate", "worker", "--queues", import_runs.QUEUE, "--one-shot", "--concurrency", "1")


def found_stalled() -> None:
    """A while later the platform looks for jobs whose worker is dead."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '10 minutes'")
    async_to_sync(tasks.retry_stalled_jobs.func)(0)


def confirmed(world: World, turn: int) -> ImportRun:
    """A list of four bookings, read and confirmed, which waits for the worker."""
    now, instrument = world.cast.now, world.instruments[turn % len(world.instruments)]
    day = 1 + turn // len(world.instruments)
    rows = "".join(
        f"{turn}-{place},crowd{turn:02d}@example.org,{instrument.name},2026-12-{day:02d} {8 + 2 * place:02d}:00,"
        f"2026-12-{day:02d} {10 + 2 * place:02d}:00\n"
        for place in range(4)
    )
    manager = world.manager(0)
    run = import_runs.start(
        manager, Asked("bookings", "booking_list", world.cast.lab.pk), (HEAD + rows).encode(), "list.csv", now
    )
    import_runs.work(run.pk, now)
    with connection.cursor() as cursor:  # read here rather than by a worker, whose job is done with that
        cursor.execute("DELETE FROM procrastinate_jobs WHERE queue_name = %s", [import_runs.QUEUE])
    return import_runs.confirm(manager, run.pk, now)


def written(world: World, turn: int) -> ImportRun:
    run = confirmed(world, turn)
    import_runs.work(run.pk, world.cast.now)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs WHERE queue_name = %s", [import_runs.QUEUE])
    return import_runs.undo(world.manager(0), run.pk, world.cast.now)


def _without_the_job(effects: dict[str, int]) -> dict[str, int]:
    """What is left of it but for the job itself, which its worker did not get to the end of."""
    return {kind: count for kind, count in effects.items() if not kind.endswith("instruments.import_run")}


def happens_once(world: World, make: Any, kills: int, state: str) -> None:
    publish(world.cast, voucher())
    make(world, 0)
    worker()
    make(world, 1)
    before = counted()
    moments = moments_of(worker)
    once = since(before)
    assert any(kind.startswith("booking_reservation ") for kind in once)
    for turn in range(2, 2 + kills):
        run = make(world, turn)
        before = counted()
        moment = moments - 1 - (turn - 2) * (moments - 2) // max(1, kills - 1)
        assert killed_at(moment, worker), f"moment {moment} of {moments} was not reached"
        assert _without_the_job(since(before)) in ({}, _without_the_job(once)), f"killed at {moment} of {moments}"
        found_stalled()
        assert not import_runs.is_left_lying(ImportRun.objects.get(pk=run.pk))
        worker()
        assert since(before) == once, f"killed at {moment} of {moments}"
        assert {one.state for one in Reservation.objects.filter(brought__run=run)} == {state}
    assert violations() == {}


def test_a_worker_killed_while_it_writes_a_list_leaves_it_to_another_which_writes_it_once(world: World) -> None:
    happens_once(world, confirmed, KILLS, "approved")


def test_a_worker_killed_while_it_takes_a_list_back_leaves_it_to_another_which_does_so_once(world: World) -> None:
    happens_once(world, written, KILLS, "cancelled")


def test_with_the_librarys_worker_a_job_outlives_the_transaction_that_queued_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: what the killed worker wrote is undone, and the job of a mail that is not there stays, where the library queues it."""
    write = notices._write

    def queued_by_the_library(*told: Any) -> Any:
        written = write(*told)
        notices.defer_deliveries([(Delivery.objects.latest("pk").pk, told[-1])], told[-1])
        return written

    monkeypatch.setattr(notices, "_write", queued_by_the_library)
    monkeypatch.setattr(JobConnector, "get_worker_connector", DjangoConnector.get_worker_connector)
    with pytest.raises(AssertionError, match="killed at"):
        happens_once(world, confirmed, 1, "approved")


@pytest.mark.proof
@pytest.mark.parametrize(("make", "state"), [(confirmed, "approved"), (written, "cancelled")])
def test_workers_killed_with_fifty_lists_write_and_take_back_each_once(world: World, make: Any, state: str) -> None:
    happens_once(world, make, MANY, state)
