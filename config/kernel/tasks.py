"""Background work that every app may ask for."""

from __future__ import annotations

from asgiref.sync import sync_to_async
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.jobs import Status

from config.kernel.services.heartbeat import beat
from config.kernel.services.idempotency import forget_old

STALLED_ATTEMPTS = 5
KEEP_FINISHED_HOURS = 14 * 24


@app.periodic(cron="* * * * *")
@app.task(name="kernel.worker_heartbeat", queueing_lock="kernel.worker_heartbeat")
def worker_heartbeat(timestamp: int) -> None:
    """Say that jobs are being taken; the health page looks at the age of this."""
    beat("worker", timezone.now())


@app.periodic(cron="* * * * *")
@app.task(name="kernel.retry_stalled_jobs", queueing_lock="kernel.retry_stalled_jobs")
async def retry_stalled_jobs(timestamp: int) -> None:
    """Take jobs of workers that died without a word up again; one that was lost five times ends as failed, where it is seen."""
    retried = given_up = 0
    for job in await app.job_manager.get_stalled_jobs():
        if job.attempts >= STALLED_ATTEMPTS:
            await app.job_manager.finish_job(job=job, status=Status.FAILED, delete_job=False)
            given_up += 1
        else:
            await app.job_manager.retry_job(job=job)
            retried += 1
    await sync_to_async(beat)("retry_stalled_jobs", timezone.now(), retried=retried, given_up=given_up)


@app.periodic(cron="17 * * * *")
@app.task(name="kernel.forget", queueing_lock="kernel.forget")
async def forget(timestamp: int) -> None:
    """Delete what has served its time: idempotency records, expired log-ins and counts, finished jobs. Failed jobs are kept."""
    await app.job_manager.delete_old_jobs(nb_hours=KEEP_FINISHED_HOURS)
    await sync_to_async(_forget_rows)()


def _forget_rows() -> None:
    now = timezone.now()
    forgotten = forget_old(now)
    call_command("clearsessions")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM kernel_cache WHERE expires < %s", [now])
    beat("forget", now, idempotency_records=forgotten)
