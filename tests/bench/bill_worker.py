"""One worker process of *bills* and *statements*, and one of bare WeasyPrint beside which it is measured; nothing of Django is loaded
before the process is there."""

from __future__ import annotations

import resource
from datetime import UTC, datetime


def work(kind: str, ids: list[int]) -> float:
    """One worker process: its documents of a kind (``bill``, ``statement``), and what they cost it and its renderers, without the start of
    Python and Django."""
    import django

    django.setup()
    from multiprocessing import forkserver

    from billing.bills.services import documents
    from billing.settlement.services import rendering

    before = _cpu()
    for pk in ids:
        if kind == "statement":
            rendering.render(pk, datetime.now(UTC))
        else:
            documents.render(kind, pk, datetime.now(UTC))
    forkserver._forkserver._stop()  # type: ignore[attr-defined]  # only who has ended is counted
    return _cpu() - before


def bare(markup: list[str]) -> float:
    """One process of bare WeasyPrint: what the documents cost it, without its start and without loading WeasyPrint."""
    import django

    django.setup()
    from tests.bench.weasyprint_bare import bare_pdf

    before = _cpu()
    for text in markup:
        bare_pdf(text)
    return _cpu() - before


def _cpu() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
