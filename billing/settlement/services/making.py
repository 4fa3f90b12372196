"""Making the PDF and the workbook of a frozen document, once, from its content alone. Runs in the worker."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from billing.ledger.rules.documents import sha256_of
from billing.papers.files import keep
from billing.settlement.apart import Crashed, TooSlow
from billing.settlement.models import FrozenDocument, RenderState
from config.kernel.errors import Refusal
from config.kernel.models import StoredFile
from config.kernel.services import files

PDF, XLSX = "application/pdf", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: Where the work stands, in per cent, when each step begins.
_STARTED, _PDF_BEGINS, _STORING = 5, 20, 90
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Later:
    """A further PDF that some documents get once something has happened to them: its column, what its file's name ends with, whether it is
    missing by now, and how it is made."""

    column: str
    ending: str
    is_missing: Callable[[Any], bool]
    pdf: Callable[[Any], bytes]


@dataclass(frozen=True, slots=True)
class Makers:
    """How a content becomes a workbook and a PDF; the same content gives the same bytes."""

    xlsx: Callable[[Mapping[str, Any]], bytes]
    pdf: Callable[[Mapping[str, Any]], bytes]
    later: Later | None = None


def make_documents(model: type[FrozenDocument], document_id: int, makers: Makers, now: datetime) -> None:
    """Make and store what is missing; nothing when both documents are there.

    A failure is kept with the document as a code (``statement.render_*``) and raised again, so that the queue tries again later.
    """
    document = model._default_manager.select_related("pdf", "xlsx").get(pk=document_id)
    if document.render_state == RenderState.DONE:
        return
    try:
        _make(document, makers, now)
    except Exception as error:
        _log.exception("the documents of %s %s failed", model._meta.model_name, document.number)
        _note(document, render_state=RenderState.FAILED, render_error=_code(error))
        raise


def _make(document: FrozenDocument, makers: Makers, now: datetime) -> None:
    if sha256_of(document.content) != document.content_sha256:
        raise Refusal.of("statement.content_changed", number=document.number)
    _note(document, render_state=RenderState.RENDERING, render_percent=_STARTED, render_error="")
    made: dict[str, tuple[bytes, str, str]] = {}
    if document.xlsx is None:
        made["xlsx"] = (makers.xlsx(document.content), ".xlsx", XLSX)
    _note(document, render_percent=_PDF_BEGINS)
    if document.pdf is None:
        made["pdf"] = (makers.pdf(document.content), ".pdf", PDF)
    later = makers.later
    if later is not None and later.is_missing(document):
        made[later.column] = (later.pdf(document), f"{later.ending}.pdf", PDF)
    _note(document, render_percent=_STORING)
    with transaction.atomic():
        current = type(document)._default_manager.select_for_update(no_key=True).get(pk=document.pk)
        files_of = {
            column: keep(document, column, _store(document, content, ending, media_type, now), now)
            for column, (content, ending, media_type) in made.items()
            if getattr(current, f"{column}_id") is None
        }
        # What came to be missing meanwhile is made by the job that was queued with it.
        waits = later is not None and later.column not in files_of and later.is_missing(current)
        state = RenderState.QUEUED if waits else RenderState.DONE
        _note(document, **files_of, render_state=state, render_percent=0 if waits else 100)


def _store(document: FrozenDocument, content: bytes, ending: str, media_type: str, now: datetime) -> StoredFile:
    name = f"{document.number}{ending}"
    return files.store(content, file_name=name, media_type=media_type, user_id=document.issued_by_id, now=now)


def _note(document: FrozenDocument, **changes: object) -> None:
    type(document)._default_manager.filter(pk=document.pk).update(**changes)


def _code(error: Exception) -> str:
    if isinstance(error, Refusal):
        return error.reasons[0].code
    if isinstance(error, TooSlow):
        return "statement.render_too_slow"
    if isinstance(error, Crashed):
        return "statement.render_crashed"
    return "statement.render_failed"
