"""Making the documents of a statement, once, from its frozen content. Runs in the worker."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction

from billing.settlement import pdf, sheets
from billing.settlement.apart import Crashed, TooSlow
from billing.settlement.models import RenderState, Statement
from billing.settlement.rules.statement import fingerprint
from config.kernel.errors import Refusal
from config.kernel.models import StoredFile
from config.kernel.services import files

PDF, XLSX = "application/pdf", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: Where the work stands, in per cent, when each step begins.
_STARTED, _PDF_BEGINS, _STORING = 5, 20, 90
_log = logging.getLogger(__name__)


def render(statement_id: int, now: datetime) -> None:
    """Make and store what is missing; nothing when both documents are there.

    A failure is kept with the statement as a code (``statement.render_*``) and raised again, so that the queue tries again later.
    """
    statement = Statement.objects.select_related("pdf", "xlsx").get(pk=statement_id)
    if statement.render_state == RenderState.DONE:
        return
    try:
        _make(statement, now)
    except Exception as error:
        _log.exception("the documents of statement %s failed", statement.number)
        _note(statement, render_state=RenderState.FAILED, render_error=_code(error))
        raise


def _make(statement: Statement, now: datetime) -> None:
    if fingerprint(statement.content) != statement.content_sha256:
        raise Refusal.of("statement.content_changed", number=statement.number)
    _note(statement, render_state=RenderState.RENDERING, render_percent=_STARTED, render_error="")
    workbook = sheets.render_xlsx(statement.content)
    _note(statement, render_percent=_PDF_BEGINS)
    paper = pdf.render_pdf_apart(statement.content)
    _note(statement, render_percent=_STORING)
    with transaction.atomic():
        current = Statement.objects.select_for_update(no_key=True).get(pk=statement.pk)
        if current.render_state == RenderState.DONE:
            return
        _note(
            statement,
            pdf=_store(statement, paper, "pdf", PDF, now),
            xlsx=_store(statement, workbook, "xlsx", XLSX, now),
            render_state=RenderState.DONE,
            render_percent=100,
        )


def _store(statement: Statement, content: bytes, suffix: str, media_type: str, now: datetime) -> StoredFile:
    name = f"{statement.number}.{suffix}"
    return files.store(content, file_name=name, media_type=media_type, user_id=statement.issued_by_id, now=now)


def _note(statement: Statement, **changes: object) -> None:
    Statement.objects.filter(pk=statement.pk).update(**changes)


def _code(error: Exception) -> str:
    if isinstance(error, Refusal):
        return error.reasons[0].code
    if isinstance(error, TooSlow):
        return "statement.render_too_slow"
    if isinstance(error, Crashed):
        return "statement.render_crashed"
    return "statement.render_failed"
