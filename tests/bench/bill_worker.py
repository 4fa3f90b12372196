"""One worker process of *bills*; nothing of Django is loaded before the process is there."""

from __future__ import annotations

import resource
from datetime import UTC, datetime


def work(ids: list[int]) -> float:
    """One worker process: its bills, and what they cost it and its renderers, without the start of Python and Django."""
    import django

    django.setup()
    from multiprocessing import forkserver

    from billing.bills.services.documents import render

    before = _cpu()
    for pk in ids:
        render("bill", pk, datetime.now(UTC))
    forkserver._forkserver._stop()  # type: ignore[attr-defined]  # only who has ended is counted
    return _cpu() - before


def _cpu() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
