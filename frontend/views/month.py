"""A month of finance: the board, what is not agreed, the dry run before the drafts, closing."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing.bills.services.issuing import DUE_DAYS
from billing.month import board as boards
from billing.month import queries
from billing.month.services import closing, running
from billing.month.services.running import RunRequest
from billing.settlement.rules.period import first_day, previous_month
from billing.settlement.rules.series import Series, series_named
from config.kernel.access import Actor
from config.kernel.api.problems import status_of
from config.kernel.errors import Forbidden, NotFound, Refusal
from frontend.booking_form import read_day
from frontend.http import actor_of
from frontend.once import once_per_form
from frontend.presenters.month import BLOCKS, change_rows, identity_rows, line_row, query_of, stage_rows
from frontend.refusals import say_refusal, sentences

PER_PAGE = 50
MOST_CHANGES = 100


@login_required
@require_GET
def month_board(request: HttpRequest) -> HttpResponse:
    """What of a month (``?month=2026-11``) stands where between use and money, and who has to act (``?series=bills:12``)."""
    actor, now = actor_of(request), timezone.now()
    actor.require(*queries.READERS)
    known = boards.series_of(actor)
    series, month = _asked(request, now)
    found = boards.board(actor, series, month, now)
    page = Paginator(queries.left_out(actor, series, month), PER_PAGE).get_page(request.GET.get("page"))
    exports = list(queries.exports_of(actor, series, month)[:5])
    context = {
        "board": found,
        "rows": stage_rows(found, next((each.pk for each in exports if each.state == "done"), None)),
        "identities": identity_rows(found.identities),
        "known": known,
        "query": query_of(series, month),
        "previous_on": previous_month(month),
        "page": page,
        "left_out": [line_row(line) for line in page.object_list],
        "exports": exports,
        "for_owner": boards.statements_for(actor, series.owner_id, month) if series.owner_id is not None else None,
        "until": queries.closed_until_of(series),
    }
    return render(request, "month/board.html", context)


@login_required
@require_GET
def month_unconfirmed(request: HttpRequest) -> HttpResponse:
    """The sessions and sample jobs of a month whose use is not agreed, and who has to act."""
    actor, now = actor_of(request), timezone.now()
    actor.require(*queries.READERS)
    series, month = _asked(request, now)
    if series.owner_id is None:
        raise NotFound.of("access.not_found", model="month")
    sessions, jobs = boards.sessions_to_agree(actor, series.owner_id, month, now)
    page = Paginator(sessions, PER_PAGE).get_page(request.GET.get("page"))
    rows = [(each, BLOCKS[boards.what_waits(each)]) for each in page.object_list]
    context = {"page": page, "rows": rows, "jobs": list(jobs[:PER_PAGE]), "month": month, "query": query_of(series, month)}
    return render(request, "month/unconfirmed.html", context)


@login_required
@require_http_methods(["GET", "POST"])
@once_per_form
def month_prepare(request: HttpRequest) -> HttpResponse:
    """GET shows what drafts would be made and how they differ from the last run, and writes nothing; POST makes them."""
    actor, now = actor_of(request), timezone.now()
    actor.require(*queries.READERS)
    series, month = _asked(request, now)
    query = request.POST if request.method == "POST" else request.GET
    days = query.get("days", str(DUE_DAYS))
    asked = RunRequest(series, month, int(days) if days.isascii() and days.isdigit() and len(days) < 4 else -1)
    try:
        if request.method == "POST":
            run, new = running.make(actor, asked, now, expected=request.POST.get("sha256", ""))
            said = _("The drafts are made. Review them.") if new else _("These drafts stand already.")
            messages.success(request, said)
            return redirect("month_run", pk=run.pk)
        return _prepare_response(request, actor, asked, now)
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        if refusal.reasons[0].code == "month.figures_differ":
            return _prepare_response(request, actor, asked, now, refusal)
        say_refusal(request, refusal)
        return redirect(f"{reverse('month_board')}?{query_of(series, month)}")


def _prepare_response(
    request: HttpRequest, actor: Actor, asked: RunRequest, now: datetime, refusal: Refusal | None = None
) -> HttpResponse:
    found = running.dry_run(actor, asked, now)
    changes = found.changes[:MOST_CHANGES]
    context = {
        "found": found,
        "asked": asked,
        "month": first_day(asked.period_on),
        "query": query_of(asked.series, asked.period_on),
        "changes": change_rows(changes, queries.names_of([each.party_id for each in changes])),
        "more": len(found.changes) - len(changes),
        "identities": identity_rows(queries.identities(found.sums, bills=asked.series.is_bills)),
        "problems": sentences(refusal) if refusal else [],
    }
    return render(request, "month/prepare.html", context, status=status_of(refusal) if refusal else 200)


@login_required
@require_POST
def month_close(request: HttpRequest) -> HttpResponse:
    """Close a month for good."""
    actor, now = actor_of(request), timezone.now()
    actor.require(*queries.READERS)
    series, month = _asked(request, now)
    try:
        row = closing.close(actor, series, month, now)
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        say_refusal(request, refusal)
    else:
        count = row.totals["documents"]
        words = ngettext("The month is closed with %(count)s document.", "The month is closed with %(count)s documents.", count)
        messages.success(request, words % {"count": count})
    return redirect(f"{reverse('month_board')}?{query_of(series, month)}")


def _asked(request: HttpRequest, now: datetime) -> tuple[Series, date]:
    """Whose month and which. One that cannot be read is answered with the latest, and the page says so; nothing is done with it."""
    query: Any = request.POST if request.method == "POST" else request.GET
    series, text = series_asked(actor_of(request), query.get("series", "")), query.get("month", "").strip()
    month = read_month(text)
    if month is not None:
        return series, month
    if request.method == "POST":
        raise Refusal.of("month.unreadable", "month")
    if text:
        messages.warning(request, _("The month of this address cannot be read, so the latest is shown. Write it as 2026-10."))
    return series, boards.latest_month(now)


def series_asked(actor: Actor, text: str) -> Series:
    """The series of an address or a form; without one the first that the actor sees. Raises NotFound."""
    series = series_named(text) if text else next((each for each, _owner in boards.series_of(actor)), None)
    if series is None:
        raise NotFound.of("access.not_found", model="month")
    return series


def read_month(text: str) -> date | None:
    """The first day of a month written ``2026-10``, or None."""
    day = read_day(text if len(text) > 7 else f"{text}-01")
    return first_day(day) if day else None
