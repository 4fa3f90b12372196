"""Exports of a month's documents, and archives of evidence."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from billing.month import queries
from billing.month.models import ExportItem, MonthExport
from billing.month.rules.progress import Progress
from billing.month.services import evidence, exporting
from billing.month.services.acting import acts_for
from billing.month.services.claim_evidence import of_claim
from config.kernel.access import Actor
from config.kernel.errors import Forbidden, NotFound, Reason, Refusal
from config.kernel.http import attachment
from config.kernel.messages import duration_words, reason_sentence
from frontend.http import actor_of, is_fragment
from frontend.once import once_per_form
from frontend.presenters.month import query_of
from frontend.refusals import say_refusal
from frontend.views.month import read_month, series_asked

POLL_SECONDS = 3
ZIP = "application/zip"
#: The page of each kind of document.
_PAGES = {
    "bill": "bill_detail",
    "statement": "statement_detail",
    "credit_note": "credit_note_detail",
    "payment_list": "payout_list_detail",
    "clawback": "clawback_detail",
}


@login_required
@require_POST
@once_per_form
def month_export_start(request: HttpRequest) -> HttpResponse:
    """Have the documents of a month exported."""
    actor, now = actor_of(request), timezone.now()
    actor.require(*queries.READERS)
    series, month = series_asked(actor, request.POST.get("series", "")), read_month(request.POST.get("month", ""))
    if month is None:
        raise NotFound.of("access.not_found", model="month")
    try:
        export = exporting.start(actor, series, month, now)
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        say_refusal(request, refusal)
        return redirect(f"{reverse('month_board')}?{query_of(series, month)}")
    return redirect("month_export", pk=export.pk)


@login_required
@require_GET
def month_export(request: HttpRequest, pk: int) -> HttpResponse:
    """One export: how far it is, what failed, and the archive."""
    actor = actor_of(request)
    export = queries.export_for(actor, pk)
    context = _context(actor, export) | {
        "failed": [
            (_page_of(item), item.document.number, reason_sentence(Reason(item.error))) for item in queries.failed_items(export)
        ],
        "query": query_of(export.of_series, export.period_on),
    }
    return render(request, "month/export.html", context)


def _page_of(item: ExportItem) -> str:
    """Where a document is read; receipts have no page of their own."""
    name = _PAGES.get(item.kind)
    return reverse(name, args=[item.document.pk]) if name else reverse("receipt_list")


@login_required
@require_GET
def month_export_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is (htmx, asked again every few seconds); anybody else is led to the page."""
    actor = actor_of(request)
    export = queries.export_for(actor, pk)
    if not is_fragment(request):
        return redirect("month_export", pk=pk)
    return render(request, "month/_progress.html", _context(actor, export) | {"arrived": True})


def _context(actor: Actor, export: MonthExport) -> dict[str, object]:
    now = timezone.now()
    progress = queries.progress_of(export, now)
    return {
        "export": export,
        "progress": progress,
        "left": _left(progress),
        "working": export.state in ("queued", "running"),
        "expired": export.state == "done" and (export.archive is None or export.expires_at is None or export.expires_at <= now),
        "acts": acts_for(actor, export.of_series),
        "poll_seconds": POLL_SECONDS,
    }


def _left(progress: Progress) -> str:
    """ "about 40 s left", or nothing while it is not known."""
    seconds = progress.seconds_left
    if seconds is None:
        return ""
    words = duration_words(round(seconds / 60)) if seconds > 90 else _("%(seconds)s s") % {"seconds": seconds}
    return _("about %(time)s left") % {"time": words}


@login_required
@require_POST
def month_export_change(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel it, or go on: after a stop, with what failed, or when the link has expired (``how``: cancel, resume)."""
    actor, now, how = actor_of(request), timezone.now(), request.POST.get("how", "")
    queries.export_for(actor, pk)
    change = {"cancel": exporting.cancel, "resume": exporting.resume}.get(how)
    if change is None:
        raise NotFound.of("access.not_found", model="export")
    try:
        change(actor, pk, now)
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        say_refusal(request, refusal)
    return redirect("month_export", pk=pk)


@login_required
@require_GET
def month_export_file(request: HttpRequest, pk: int) -> HttpResponse:
    """The archive, byte for byte, while its link holds."""
    actor = actor_of(request)
    export = queries.export_for(actor, pk)
    return attachment(queries.archive_for(actor, pk, timezone.now()).content, ZIP, export.file_name)


@login_required
@require_GET
def bill_evidence(request: HttpRequest, pk: int) -> HttpResponse:
    """The evidence behind a bill, or behind one line of it (``?line=3``)."""
    pack = evidence.of_bill(actor_of(request), pk, _line(request))
    return attachment(pack.archive.content, ZIP, pack.file_name)


@login_required
@require_GET
def statement_evidence(request: HttpRequest, pk: int) -> HttpResponse:
    """The evidence behind a settlement statement, or behind one line of it (``?line=3``)."""
    pack = evidence.of_statement(actor_of(request), pk, _line(request))
    return attachment(pack.archive.content, ZIP, pack.file_name)


@login_required
@require_GET
def claim_pack(request: HttpRequest, pk: int) -> HttpResponse:
    """The evidence behind a claim."""
    pack = of_claim(actor_of(request), pk)
    return attachment(pack.archive.content, ZIP, pack.file_name)


def _line(request: HttpRequest) -> int | None:
    text = request.GET.get("line", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        raise NotFound.of("access.not_found", model="line")
    return int(text)
