"""Asking anew for documents whose making has failed or was given up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db.models import Model

from billing.settlement.models import RenderState
from config.kernel.access import Actor
from config.kernel.errors import Refusal
from config.kernel.services import audit, transactions
from config.kernel.services.jobs import is_unfinished


def queue_again(
    actor: Actor,
    document: Model,
    job: str,
    action: str,
    not_failed: str,
    queue: Callable[[], object],
    now: datetime,
    **waiting: int,
) -> None:
    """Take a document that failed, or whose ``job`` (its name) was given up before it was done, back to the beginning and queue it;
    ``waiting`` are further columns of one that waits.

    ``action`` is its name in the audit trail. Raises Refusal with the code ``not_failed``.
    """

    def work() -> None:
        rows = type(document)._default_manager.filter(pk=document.pk).exclude(render_state=RenderState.DONE)
        if is_unfinished(job):
            rows = rows.filter(render_state=RenderState.FAILED)
        if rows.update(render_state=RenderState.QUEUED, render_error="", **waiting) != 1:
            raise Refusal.of(not_failed)
        audit.record(actor, action, document, now)
        queue()

    transactions.run(work)
