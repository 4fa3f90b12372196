"""``/healthz`` says whether the platform can work, to anybody, and nothing secret."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from booking import tasks
from config import health
from config.kernel import invariants
from config.kernel.invariants import Finding
from config.kernel.services.heartbeat import CHECKED, beat


@pytest.mark.django_db
def test_all_is_well_while_the_worker_beats(client: Client) -> None:
    beat("worker", timezone.now() - timedelta(seconds=30))
    beat("forget", timezone.now(), idempotency_records=3)
    answer = client.get("/healthz")
    assert answer.status_code == 200
    body = answer.json()
    assert body["status"] == "ok"
    assert 29 <= body["worker_heartbeat_age_seconds"] <= 40
    assert list(body["periodic_last_run_at"]) == ["forget"]
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.django_db
def test_what_must_always_be_true_of_bookings_is_looked_at_by_a_job_and_shown(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    beat("worker", timezone.now())
    assert client.get("/healthz").json()["invariants"] is None
    tasks.check_invariants(0)
    body = client.get("/healthz").json()
    assert (body["status"], body["warnings"], body["invariants"]["broken"]) == ("ok", [], {})
    monkeypatch.setitem(invariants._registered, "booking.x", lambda: Finding(7, ("reservation 3 of Lin is wrong",)))
    tasks.check_invariants(0)
    answer = client.get("/healthz")
    body = answer.json()
    assert (answer.status_code, body["warnings"], body["invariants"]["broken"]) == (200, ["invariants"], {"booking.x": 1})
    assert body["invariants"]["checked"] >= 7 and "Lin" not in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("age", "broken", "warnings"),
    [
        (timedelta(hours=2, minutes=50), {}, []),
        (None, {}, ["invariants_unchecked"]),
        (timedelta(hours=3, minutes=1), {}, ["invariants_unchecked"]),
        (timedelta(hours=3, minutes=1), {"booking.x": 1}, ["invariants", "invariants_unchecked"]),
    ],
)
def test_what_nobody_looked_at_lately_is_a_warning(
    age: timedelta | None, broken: dict[str, int], warnings: list[str], client: Client
) -> None:
    beat("worker", timezone.now())
    if age is not None:
        beat(CHECKED, timezone.now() - age, checked=9, broken=broken)
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()["warnings"]) == (200, warnings)


@pytest.mark.django_db
def test_each_thing_that_is_looked_at_beside_people_at_work_has_a_snapshot_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []

    @contextmanager
    def counted() -> Iterator[None]:
        taken.append(len(looked))
        yield

    looked: list[int] = []
    mine = {f"booking.{name}": lambda: looked.append(1) or Finding(2) for name in "abc"}
    monkeypatch.setattr(invariants, "_registered", mine)
    monkeypatch.setattr(invariants, "one_snapshot", counted)
    assert invariants.check("booking.") == (6, {})
    assert taken == [0, 1, 2]


@pytest.mark.django_db
def test_a_job_that_fails_leaves_the_time_of_the_last_that_did_not(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> Finding:
        raise OperationalError("out of memory")

    before = timezone.now() - timedelta(hours=4)
    beat("worker", timezone.now())
    beat(CHECKED, before, checked=9, broken={})
    monkeypatch.setitem(invariants._registered, "booking.x", fails)
    with pytest.raises(OperationalError):
        tasks.check_invariants(0)
    body = client.get("/healthz").json()
    assert (body["warnings"], body["invariants"]["checked_at"]) == (["invariants_unchecked"], before.isoformat())


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["booking.x", "samples.x"])
def test_what_is_wrong_of_bookings_and_of_sample_jobs_is_said(name: str, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(invariants._registered, name, lambda: Finding(1, ("job 7",)))
    tasks.check_invariants(0)
    beat("worker", timezone.now())
    assert client.get("/healthz").json()["invariants"]["broken"] == {name: 1}


@pytest.mark.django_db
@pytest.mark.parametrize("age", [None, timedelta(minutes=4)])
def test_a_silent_worker_is_a_failure(age: timedelta | None, client: Client) -> None:
    if age is not None:
        beat("worker", timezone.now() - age)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["problems"] == ["worker"]


@pytest.mark.django_db
def test_what_the_health_page_answers_is_not_said_in_the_log_and_what_fails_elsewhere_is(
    client: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.get("/healthz").status_code == 503  # no worker has ever been there
    assert caplog.records == []
    monkeypatch.setattr(health, "look", lambda now: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        client.get("/healthz")
    client.get("/no-such-page")
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


@pytest.mark.django_db
def test_dead_letters_are_counted(client: Client) -> None:
    beat("worker", timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, status, args, attempts, priority)"
            " VALUES ('default', 'x', 'failed', '{}', 3, 0), ('default', 'y', 'todo', '{}', 0, 0)"
        )
    body = client.get("/healthz").json()
    assert (body["jobs_failed"], body["jobs_waiting"]) == (1, 1)


@pytest.mark.django_db
def test_waiting_migrations_are_a_failure(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_schema_seen", [])
    monkeypatch.setattr(health, "migrations_pending", lambda: True)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["problems"] == ["migrations"]


@pytest.mark.django_db
def test_an_unreachable_database_is_a_failure_without_its_details(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def cursor(self) -> Any:
            raise OperationalError("password authentication failed for user jishi at db.example.cn")

    monkeypatch.setattr(health, "connection", Broken())
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "failing", "problems": ["database"], "database": "unreachable"}
