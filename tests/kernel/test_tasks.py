"""Upkeep that runs by itself: lost jobs are taken up again, what has served its time goes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from config.kernel import tasks
from config.kernel.models import Heartbeat, IdempotencyRecord
from config.kernel.services import jobs

pytestmark = pytest.mark.django_db


def insert_job(status: str, attempts: int, worker_id: int | None, finished_hours_ago: int | None = None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, status, args, attempts, priority, worker_id)"
            " VALUES ('default', 'x', %s, '{}', %s, 0, %s) RETURNING id",
            [status, attempts, worker_id],
        )
        (pk,) = cursor.fetchone()
        if finished_hours_ago is not None:
            cursor.execute(
                "INSERT INTO procrastinate_events (job_id, type, at) VALUES (%s, 'succeeded', now() - make_interval(hours => %s))",
                [pk, finished_hours_ago],
            )
    return int(pk)


def insert_worker(seconds_ago: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - make_interval(secs => %s)) RETURNING id",
            [seconds_ago],
        )
        return int(cursor.fetchone()[0])


def status_of(pk: int) -> str | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT status FROM procrastinate_jobs WHERE id = %s", [pk])
        row = cursor.fetchone()
    return row[0] if row else None


def test_what_somebody_waits_for_comes_before_documents_that_waited_longer() -> None:
    for name in ("one", "another"):
        assert jobs.defer_once("statements.render", name, queue="documents", statement_id=1)
    assert jobs.defer_once("imports.work", "preview", queue="imports", run_id=1)
    worker, taken = insert_worker(0), []
    with connection.cursor() as cursor:
        for _place in range(3):
            cursor.execute("SELECT queue_name FROM procrastinate_fetch_job_v2(NULL::varchar[], %s)", [worker])
            taken += cursor.fetchone()
    assert taken == ["imports", "documents", "documents"]


def test_the_job_of_a_dead_worker_is_taken_up_again_and_a_live_ones_is_left() -> None:
    lost = insert_job("doing", 1, insert_worker(600))
    alive = insert_job("doing", 1, insert_worker(5))
    async_to_sync(tasks.retry_stalled_jobs.func)(0)
    assert (status_of(lost), status_of(alive)) == ("todo", "doing")
    assert Heartbeat.objects.get(name="retry_stalled_jobs").detail == {"retried": 1, "given_up": 0}


def test_a_job_that_was_lost_five_times_ends_as_failed() -> None:
    lost = insert_job("doing", tasks.STALLED_ATTEMPTS, insert_worker(600))
    async_to_sync(tasks.retry_stalled_jobs.func)(0)
    assert status_of(lost) == "failed"


def test_old_idempotency_records_and_finished_jobs_go_and_failed_jobs_stay(cast: Any) -> None:
    now = timezone.now()
    for days in (1, 8):
        IdempotencyRecord.objects.create(
            actor=cast.users["lin"], route="r", key=str(days), fingerprint="", result={}, created_at=now - timedelta(days=days)
        )
    done = insert_job("succeeded", 1, None, finished_hours_ago=24 * 15)
    fresh = insert_job("succeeded", 1, None, finished_hours_ago=1)
    failed = insert_job("failed", 1, None, finished_hours_ago=24 * 15)
    async_to_sync(tasks.forget.func)(0)
    assert [record.key for record in IdempotencyRecord.objects.all()] == ["1"]
    assert (status_of(done), status_of(fresh), status_of(failed)) == (None, "succeeded", "failed")


def test_the_worker_says_that_it_lives() -> None:
    tasks.worker_heartbeat.func(0)
    assert timezone.now() - Heartbeat.objects.get(name="worker").at < timedelta(seconds=10)


def test_counts_of_failed_log_ins_stay_until_their_time_however_many_there_are() -> None:
    cache.set("!first-of-all", 5, 900)
    for place in range(320):
        cache.set(f"count-{place}", 1, 900)
    assert cache.get("!first-of-all") == 5
    with connection.cursor() as cursor:
        cursor.execute("UPDATE kernel_cache SET expires = now() - interval '1 minute' WHERE cache_key LIKE '%%count%%'")
    async_to_sync(tasks.forget.func)(0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM kernel_cache")
        assert cursor.fetchone() == (1,)
