"""Handing work to the worker so that it waits once, however often it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

#: Work in bulk that says how far it is. It stands behind what somebody looks at or waits for: a mail, a preview, a payment's news.
_BEHIND = frozenset({"documents", "sandbox"})
#: A job that failed waits for its next turn; who asks for it again need not.
_NO_LONGER_LATER = "UPDATE procrastinate_jobs SET scheduled_at = NULL WHERE queueing_lock = %s AND status = 'todo'"
_SCHEDULED = """
SELECT queueing_lock, scheduled_at FROM procrastinate_jobs WHERE queueing_lock = ANY(%s) AND status = 'todo' AND scheduled_at IS NOT NULL
"""
_UNFINISHED = "SELECT EXISTS (SELECT 1 FROM procrastinate_jobs WHERE queueing_lock = %s AND status IN ('todo', 'doing'))"


def defer_once(
    task: str, name: str, *, queue: str | None = None, lock: str | None = None, at_once: bool = False, **arguments: Any
) -> bool:
    """Queue ``task`` unless a job called ``name`` waits already; returns whether it was queued.

    In a transaction the job comes with it or not at all, and one that waits already leaves the transaction usable. Jobs with the
    same ``lock`` never run at the same time. Documents and trials wait for whatever else waits. With ``at_once`` a job that waits for a
    later time waits for it no more.
    """
    job = app.configure_task(task, queue=queue, lock=lock, queueing_lock=name, priority=-1 if queue in _BEHIND else 0)
    try:
        with transaction.atomic():
            job.defer(**arguments)
    except AlreadyEnqueued:
        if at_once:
            with connection.cursor() as cursor:
                cursor.execute(_NO_LONGER_LATER, [name])
        return False
    return True


def scheduled(names: Sequence[str]) -> dict[str, datetime]:
    """When jobs that wait for a later time are to run, by name."""
    with connection.cursor() as cursor:
        cursor.execute(_SCHEDULED, [list(names)])
        return dict(cursor.fetchall())


def is_unfinished(name: str) -> bool:
    """Whether a job called ``name`` waits or runs; not one that was given up."""
    with connection.cursor() as cursor:
        cursor.execute(_UNFINISHED, [name])
        return bool(cursor.fetchone()[0])
