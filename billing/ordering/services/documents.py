"""The PDFs of quotations and commission sheets: queued with the document, made by the worker from the frozen content alone."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from billing.ledger.rules.documents import sha256_of
from billing.ordering import pdf
from billing.ordering.models import CommissionSheet, CommissionSignature, Quotation
from billing.papers.files import keep
from billing.settlement.apart import Crashed, TooSlow
from billing.settlement.models import RenderState
from billing.settlement.services.again import queue_again
from booking.services.enquiry_sides import require_side
from config.kernel.access import Actor, get_visible
from config.kernel.errors import Refusal
from config.kernel.services import files
from config.kernel.services.jobs import defer_once, is_unfinished

TASK = "billing.render_order_document"
QUEUE = "documents"
MODELS: Mapping[str, type[Quotation] | type[CommissionSheet]] = {"quotation": Quotation, "commission": CommissionSheet}
Order = Quotation | CommissionSheet
_UNFINISHED = (RenderState.QUEUED, RenderState.RENDERING)
_log = logging.getLogger(__name__)


class Copy(StrEnum):
    """The field that keeps a PDF: as it was sent or issued, and with the signatures of both sides."""

    ISSUED = "pdf"
    SIGNED = "signed_pdf"


_SUFFIXES = {Copy.ISSUED: "", Copy.SIGNED: "-signed"}


def kind_of(document: Order) -> str:
    """The name of a document's kind in ``MODELS``."""
    return "quotation" if isinstance(document, Quotation) else "commission"


def _rows(kind: str) -> QuerySet[Any]:
    return MODELS[kind]._default_manager.all()


def _job(document: Order) -> str:
    return f"{kind_of(document)}:{document.pk}"


def queue(document: Order, *, at_once: bool = False) -> None:
    """One job for the worker, in the transaction of the change; one that waits already is enough (``at_once``: and waits no longer)."""
    name = _job(document)
    defer_once(TASK, name, queue=QUEUE, lock=name, at_once=at_once, kind=kind_of(document), document_id=document.pk)


def is_given_up(document: Order) -> bool:
    """Whether a PDF is neither there nor failed, and no job will make it: its worker died too often, for instance. Where there is no job
    the state is asked for anew: the worker may be done since ``document`` was read."""
    if document.content is None or document.render_state not in _UNFINISHED or is_unfinished(_job(document)):
        return False
    return _rows(kind_of(document)).filter(pk=document.pk, render_state__in=_UNFINISHED).exists()


def retry(actor: Actor, kind: str, document_id: int, now: datetime) -> None:
    """Queue the PDF of a document again after it failed or was given up; either side may, and nobody waits for the next turn of what
    failed. Raises NotFound, Forbidden, Refusal ``order.not_failed``."""
    document: Order = get_visible(_rows(kind), actor, pk=document_id)
    _require_side(actor, document)
    if document.content is None:
        raise Refusal.of("order.not_failed")
    again = ("order.render_again", "order.not_failed")
    queue_again(actor, document, _job(document), *again, lambda: queue(document, at_once=True), now)


def missing(document: Order) -> list[Copy]:
    """What has to be made still: the copy as it was sent or issued, and the one with both signatures."""
    if document.content is None:
        return []
    wanted = [Copy.ISSUED] if document.pdf_id is None else []
    if isinstance(document, CommissionSheet) and document.in_force_at is not None and document.signed_pdf_id is None:
        wanted.append(Copy.SIGNED)
    return wanted


def render(kind: str, document_id: int, now: datetime) -> None:
    """Make and store every PDF that is missing, also one that comes to be missing meanwhile; nothing when all are there.

    A failure is kept with the document as a code (``order.render_*``) and raised again, so that the queue tries again later.
    """
    document: Order = _rows(kind).get(pk=document_id)
    try:
        while wanted := missing(document):
            _make(document, wanted[0], now)
            document = _rows(kind).get(pk=document_id)
    except Exception as error:
        _log.exception("the PDF of %s %s failed", kind, document.number)
        if missing(_rows(kind).get(pk=document_id)):  # another worker may have made it meanwhile
            _note(document, render_state=RenderState.FAILED, render_error=_code(error))
        raise
    if document.content is not None:
        _note(document, render_state=RenderState.DONE, render_error="")


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


def _make(document: Order, copy: Copy, now: datetime) -> None:
    content = document.content or {}
    if sha256_of(content) != document.content_sha256:
        raise Refusal.of("order.content_changed", number=document.number)
    _note(document, render_state=RenderState.RENDERING, render_error="")
    signatures = signatures_of(document) if isinstance(document, CommissionSheet) and copy is Copy.SIGNED else []
    paper = pdf.render_apart(content, signatures)
    with transaction.atomic():
        current = type(document)._default_manager.select_for_update(no_key=True).get(pk=document.pk)
        if copy not in missing(current):
            return  # done by another worker in the meantime
        name = f"{document.number}{_SUFFIXES[copy]}.pdf"
        stored = files.store(paper, file_name=name, media_type="application/pdf", user_id=None, now=now)
        _note(document, **{copy.value: keep(document, copy.value, stored, now)})


def _require_side(actor: Actor, document: Order) -> None:
    """Both sides may ask for their document, those who only read it may not."""
    order = document.enquiry if isinstance(document, Quotation) else document
    require_side(actor, order.organisation_id, order.lab_id)


def _note(document: Order, **changes: object) -> None:
    type(document)._default_manager.filter(pk=document.pk).update(**changes)


def _code(error: Exception) -> str:
    if isinstance(error, Refusal):
        return error.reasons[0].code
    if isinstance(error, TooSlow | Crashed):
        return "order.render_stopped"
    return "order.render_failed"
