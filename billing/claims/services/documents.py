"""The PDFs and workbooks of redemption forms, payment lists and claw-back notices: queued with the document, made by the worker."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from billing.bills.services.issuing import local_day
from billing.claims import pdf, sheets
from billing.claims.models import ClaimSubmission, Clawback, PaymentList
from billing.settlement.models import RenderState
from billing.settlement.services.again import queue_again
from billing.settlement.services.making import Later, Makers, make_documents
from config.kernel.access import Actor, Role, get_visible
from config.kernel.services.jobs import defer_once

TASK = "billing.render_claim_paper"
QUEUE = "documents"
Paper = ClaimSubmission | PaymentList | Clawback
MODELS: Mapping[str, type[Paper]] = {"form": ClaimSubmission, "list": PaymentList, "clawback": Clawback}
_KINDS = {model: kind for kind, model in MODELS.items()}


def kind_of(document: Paper) -> str:
    """The name of a document's kind in ``MODELS``."""
    return _KINDS[type(document)]


def job_name(document: Paper) -> str:
    """The job that makes the documents."""
    return f"claim_paper:{kind_of(document)}:{document.pk}"


def queue_documents(document: Paper, *, at_once: bool = False) -> None:
    """One job for the worker, in the transaction of the change; one that waits already is enough."""
    name = job_name(document)
    defer_once(TASK, name, queue=QUEUE, lock=name, at_once=at_once, kind=kind_of(document), document_id=document.pk)


def queue_signed(row: PaymentList) -> None:
    """Have the PDF with all names made of a list that was just approved, in the transaction of the change; it is locked."""
    PaymentList.objects.filter(pk=row.pk).update(render_state=RenderState.QUEUED, render_percent=0, render_error="")
    queue_documents(row)


def retry(actor: Actor, kind: str, document_id: int, now: datetime) -> None:
    """Queue documents again that failed or were given up. Raises NotFound, Forbidden, Refusal ``statement.not_failed``."""
    document: Any = get_visible(MODELS[kind].objects.all(), actor, pk=document_id)
    actor.require(Role.PROGRAMME_OFFICER, Role.FINANCE, Role.FIRM_ADMIN, Role.OWNER_FINANCE)
    codes = ("claim_paper.render_again", "statement.not_failed")
    queue_again(
        actor, document, job_name(document), *codes, lambda: queue_documents(document, at_once=True), now, render_percent=0
    )


def render(kind: str, document_id: int, now: datetime) -> None:
    """Make and store what is missing; nothing when all documents are there. Raises what ``making.make_documents`` does."""
    make_documents(MODELS[kind], document_id, _MAKERS[kind], now)


def html_of(document: Paper) -> str:
    """The HTML twin of the PDF that is handed out of a document now."""
    if not isinstance(document, PaymentList):
        return pdf.render_html(document.content)
    return pdf.render_html(document.content, draft=document.approved_by_id is None, signed=signed_of(document))


def signed_of(row: PaymentList) -> pdf.Signed | None:
    """Who checked and approved a list, None while it is not approved."""
    if row.reviewed_at is None or row.approved_at is None:
        return None
    return pdf.Signed(
        pdf.Hand(str(row.reviewed_by), str(row.reviewed_for or ""), local_day(row.reviewed_at).isoformat()),
        pdf.Hand(str(row.approved_by), str(row.approved_for or ""), local_day(row.approved_at).isoformat()),
    )


def _draft_pdf(content: Mapping[str, Any]) -> bytes:
    return pdf.render_pdf_apart(content, draft=True)


def _signed_pdf(document: Any) -> bytes:
    return pdf.render_pdf_apart(document.content, signed=signed_of(document))


def _lacks_signed(document: Any) -> bool:
    lacks: bool = document.lacks_signed_pdf
    return lacks


_PLAIN = Makers(sheets.render_xlsx, pdf.render_pdf_apart)
_MAKERS = {
    "form": _PLAIN,
    "list": Makers(sheets.render_xlsx, _draft_pdf, Later("signed_pdf", "-signed", _lacks_signed, _signed_pdf)),
    "clawback": _PLAIN,
}
