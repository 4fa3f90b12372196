"""Background work of the registry; everything here is safe to repeat."""

from __future__ import annotations

from django.utils import timezone
from procrastinate import JobContext, RetryStrategy
from procrastinate.contrib.django import app

from instruments.services import import_runs

_ATTEMPTS = 4


@app.task(
    name=import_runs.TASK,
    queue=import_runs.QUEUE,
    retry=RetryStrategy(max_attempts=_ATTEMPTS, exponential_wait=4),
    pass_context=True,
)
def import_run(context: JobContext, run_id: int) -> None:
    """Read or write a file that somebody handed over; nothing when that is done. The last attempt that fails says so."""
    try:
        import_runs.work(run_id, timezone.now())
    except Exception:
        if context.job is not None and context.job.attempts + 1 >= _ATTEMPTS:
            import_runs.give_up(run_id, timezone.now())
        raise
