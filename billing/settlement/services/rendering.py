"""Making the documents of a statement, once, from its frozen content. Runs in the worker."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from billing.settlement import pdf, sheets
from billing.settlement.models import Statement
from billing.settlement.services.making import Makers, make_documents


def _paper(content: Mapping[str, Any]) -> bytes:
    return pdf.render_pdf_apart(content)


def render(statement_id: int, now: datetime) -> None:
    """Make and store what is missing; nothing when both documents are there. Raises what ``making.make_documents`` does."""
    make_documents(Statement, statement_id, Makers(sheets.render_xlsx, _paper), now)
