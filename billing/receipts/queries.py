"""Every read about receipts and statements of account; row-level permission is applied here."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from billing.receipts.rendering import lines_sheet, render_html
from billing.receipts.services.issuing import MODELS
from billing.settlement.exports import DATA_KINDS, export
from billing.settlement.models import RenderState
from billing.settlement.queries import KINDS, Document
from config.kernel.access import Actor, Role, get_visible, visible_to
from config.kernel.errors import NotFound, Refusal
from config.kernel.services import files

READERS = (Role.OWNER_FINANCE, Role.FIRM_ADMIN, Role.FINANCE, Role.INSPECTOR)


def papers_visible(actor: Actor, kind: str) -> QuerySet[Any]:
    """The papers of a kind that one may read, the latest first, without their contents. Raises Forbidden."""
    actor.require(*READERS)
    rows = visible_to(MODELS[kind]._default_manager.all(), actor).select_related("owner", "customer").defer("content")
    return rows.order_by("-issued_at", "-pk")


def paper_for(actor: Actor, kind: str, pk: int) -> Any:
    """One of them with its content and files. Raises NotFound."""
    return get_visible(MODELS[kind]._default_manager.select_related("owner", "customer", "pdf", "xlsx"), actor, pk=pk)


def document(actor: Actor, kind: str, pk: int, layout: str) -> Document:
    """The ``pdf`` or ``xlsx``, byte for byte, or the frozen content as ``csv``, ``json`` or ``html``.

    Raises NotFound, Refusal ``statement.not_ready``, ``files.*``.
    """
    if layout not in (*KINDS, *DATA_KINDS):
        raise NotFound.of("access.not_found", model="receipt")
    found = paper_for(actor, kind, pk)
    if layout in DATA_KINDS:
        return Document(*export(found.number, found.content, lines_sheet, render_html, layout))
    stored = getattr(found, layout)
    if stored is None or found.render_state != RenderState.DONE:
        raise Refusal.of("statement.not_ready")
    return Document(stored, files.read(stored))
