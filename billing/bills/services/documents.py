"""The PDFs and workbooks of bills and credit notes: queued with the document, made by the worker."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from billing.bills import pdf, sheets
from billing.bills.models import Bill, CreditNote
from billing.settlement.services.making import Makers, make_documents
from config.kernel.services.jobs import defer_once

TASK = "billing.render_bill"
QUEUE = "documents"
MODELS: Mapping[str, type[Bill] | type[CreditNote]] = {"bill": Bill, "credit_note": CreditNote}


def kind_of(document: Bill | CreditNote) -> str:
    """The name of a document's kind in ``MODELS``."""
    return "bill" if isinstance(document, Bill) else "credit_note"


def job_name(document: Bill | CreditNote) -> str:
    """The job that makes the documents."""
    return f"{kind_of(document)}:{document.pk}"


def queue_documents(document: Bill | CreditNote, *, at_once: bool = False) -> None:
    """One job for the worker, in the transaction of the change; one that waits already is enough."""
    name = job_name(document)
    defer_once(TASK, name, queue=QUEUE, lock=name, at_once=at_once, kind=kind_of(document), document_id=document.pk)


def render(kind: str, document_id: int, now: datetime) -> None:
    """Make and store what is missing; nothing when both documents are there. Raises what ``making.make_documents`` does."""
    make_documents(MODELS[kind], document_id, Makers(sheets.render_xlsx, pdf.render_pdf_apart), now)
