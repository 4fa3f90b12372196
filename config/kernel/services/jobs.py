"""Handing work to the worker so that it waits once, however often it is asked for."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued


def defer_once(task: str, name: str, *, queue: str | None = None, lock: str | None = None, **arguments: Any) -> bool:
    """Queue ``task`` unless a job called ``name`` waits already; returns whether it was queued.

    In a transaction the job comes with it or not at all, and one that waits already leaves the transaction usable. Jobs with the
    same ``lock`` never run at the same time.
    """
    job = app.configure_task(task, queue=queue, lock=lock, queueing_lock=name)
    try:
        with transaction.atomic():
            job.defer(**arguments)
    except AlreadyEnqueued:
        return False
    return True
