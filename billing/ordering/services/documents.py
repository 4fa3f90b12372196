"""The PDFs of quotations and commission sheets: queued with the document, made by the worker from the frozen content alone."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from billing.ledger.rules.documents import sha256_of
from billing.ordering import pdf
from billing.ordering.models import CommissionSheet, CommissionSignature, OrderDocument, Quotation
from billing.settlement.apart import Crashed, TooSlow
from billing.settlement.models import RenderState
from config.kernel.errors import Refusal
from config.kernel.services import files

TASK = "billing.render_order_document"
QUEUE = "documents"
MODELS: Mapping[str, type[OrderDocument]] = {"quotation": Quotation, "commission": CommissionSheet}
_log = logging.getLogger(__name__)


def kind_of(document: OrderDocument) -> str:
    """The name of a document's kind in ``MODELS``."""
    return "quotation" if isinstance(document, Quotation) else "commission"


def queue(document: OrderDocument) -> None:
    """One job for the worker, in the transaction of the change; one that waits already is enough."""
    kind = kind_of(document)
    name = f"{kind}:{document.pk}"
    job = app.configure_task(TASK, queue=QUEUE, lock=name, queueing_lock=name)
    try:
        with transaction.atomic():
            job.defer(kind=kind, document_id=document.pk)
    except AlreadyEnqueued:
        return


def render(kind: str, document_id: int, now: datetime) -> None:
    """Make and store the PDF that is missing; nothing when it is there.

    A failure is kept with the document as a code (``order.render_*``) and raised again, so that the queue tries again later.
    """
    document = MODELS[kind]._default_manager.get(pk=document_id)
    if document.render_state == RenderState.DONE or document.content is None:
        return
    try:
        _make(document, now)
    except Exception as error:
        _log.exception("the PDF of %s %s failed", kind, document.number)
        _note(document, render_state=RenderState.FAILED, render_error=_code(error))
        raise


def signatures_of(sheet: CommissionSheet) -> list[dict[str, Any]]:
    """Who signed, for the PDF: the lab first."""
    rows = CommissionSignature.objects.filter(sheet=sheet).order_by("-side")
    return [
        {
            "side": row.side,
            "name": row.name,
            "method": row.method,
            "signed_at": row.signed_at.isoformat(),
            "scan_sha256": row.scan_sha256,
        }
        for row in rows
    ]


def _make(document: OrderDocument, now: datetime) -> None:
    content = document.content or {}
    if sha256_of(content) != document.content_sha256:
        raise Refusal.of("order.content_changed", number=document.number)
    _note(document, render_state=RenderState.RENDERING, render_error="")
    signed = isinstance(document, CommissionSheet) and document.in_force_at is not None
    signatures = signatures_of(document) if isinstance(document, CommissionSheet) and signed else []
    paper = pdf.render_apart(content, signatures)
    with transaction.atomic():
        current = type(document)._default_manager.select_for_update(no_key=True).get(pk=document.pk)
        if current.render_state != RenderState.RENDERING:
            return  # done by another worker, or asked for anew in the meantime
        suffix = "-signed" if signed else ""
        name = f"{document.number}{suffix}.pdf"
        stored = files.store(paper, file_name=name, media_type="application/pdf", user_id=None, now=now)
        field = "signed_pdf" if signed else "pdf"
        _note(document, render_state=RenderState.DONE, **{field: stored})


def _note(document: OrderDocument, **changes: object) -> None:
    type(document)._default_manager.filter(pk=document.pk).update(**changes)


def _code(error: Exception) -> str:
    if isinstance(error, Refusal):
        return error.reasons[0].code
    if isinstance(error, TooSlow | Crashed):
        return "order.render_stopped"
    return "order.render_failed"
