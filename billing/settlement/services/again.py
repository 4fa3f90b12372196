"""Asking anew for documents whose making has failed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db.models import Model

from billing.settlement.models import RenderState
from config.kernel.access import Actor
from config.kernel.errors import Refusal
from config.kernel.services import audit, transactions


def queue_again(
    actor: Actor, document: Model, action: str, not_failed: str, queue: Callable[[], object], now: datetime, **waiting: int
) -> None:
    """Take a document that failed back to the beginning and queue it; ``waiting`` are further columns of one that waits.

    ``action`` is its name in the audit trail. Raises Refusal with the code ``not_failed``.
    """

    def work() -> None:
        failed = type(document)._default_manager.filter(pk=document.pk, render_state=RenderState.FAILED)
        if failed.update(render_state=RenderState.QUEUED, render_error="", **waiting) != 1:
            raise Refusal.of(not_failed)
        audit.record(actor, action, document, now)
        queue()

    transactions.run(work)
