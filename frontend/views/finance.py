"""Finance: a month's awards, issuing a statement after looking at it, statements with their documents."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing.claims import queries as claims
from billing.claims.publicity_since import publicity_since
from billing.invoices.queries import sold_invoice
from billing.month.paid_out import came_of_each
from billing.month.sheets import statements_csv
from billing.settlement import queries, taken_back
from billing.settlement.models import Statement
from billing.settlement.proposal_models import ProposalState
from billing.settlement.rules.lines_digest import Expected
from billing.settlement.rules.period import first_day
from billing.settlement.services import proposing, statements
from billing.settlement.services.proposing import Asked
from billing.subsidy.rules.outcome import SettlementMode
from config.kernel.access import Actor, Role
from config.kernel.api.problems import status_of
from config.kernel.errors import Conflict, NotFound, Refusal
from config.kernel.http import attachment
from frontend.booking_form import read_day
from frontend.http import actor_of, is_fragment
from frontend.presenters import assessment
from frontend.presenters.claims import claimed_rows
from frontend.presenters.statements import (
    board_lines,
    documents_view,
    statement_rows,
    statement_view,
    taken_back_rows,
)
from frontend.refusals import sentences

STATEMENTS_PER_PAGE = 25
LINES_PER_PAGE = 100
POLL_SECONDS = 3
#: Refusals after which what would be issued is shown anew.
_LOOK_AGAIN = ("statement.figures_differ", "statement.lines_differ")


@login_required
@require_GET
def finance_period(request: HttpRequest) -> HttpResponse:
    """The month's awards by programme and payee (``?month=2026-10``), with what can be issued."""
    now = timezone.now()
    return _period_response(request, _month(request.GET.get("month", "")), now)


def _period_response(request: HttpRequest, month: date | None, now: datetime, refusal: Refusal | None = None) -> HttpResponse:
    """The board; with a refusal, its reasons above and its status."""
    actor = actor_of(request)
    actor.require(*queries.BOARD_ROLES)
    board = queries.period_board(actor, month or queries.latest_month_with_awards(actor, now), now)
    months = queries.months_with_awards(actor, now)
    context = {
        "board": board,
        "rows": board_lines(board, lambda issuer_id: statements.issues_for(actor, issuer_id)),
        "months": months if board.period_on in months else sorted({*months, board.period_on}, reverse=True),
        "may_issue": actor.has(Role.FINANCE),
        "proposals": list(queries.proposals_visible(actor).filter(state=ProposalState.WAITING)[:50]),
        "problems": sentences(refusal) if refusal else [],
    }
    return render(request, "finance/period.html", context, status=status_of(refusal) if refusal else 200)


@login_required
@require_http_methods(["GET", "POST"])
def statement_issue(request: HttpRequest) -> HttpResponse:
    """GET shows exactly what would be issued; POST issues it once for the form's key."""
    now, actor = timezone.now(), actor_of(request)
    actor.require(Role.FINANCE)
    query = request.POST if request.method == "POST" else request.GET
    version_id, payee_id, month = (
        _number(query.get("version", "")),
        _number(query.get("payee", "")),
        _month(query.get("month", "")),
    )
    if month is None:
        raise NotFound.of("access.not_found", model="month")
    asked = Asked(version_id, payee_id, month, query.get("mode", ""))
    if request.method == "POST":
        return _issue(request, actor, asked, now)
    try:
        return _preview_response(request, actor, asked, now)
    except NotFound:
        raise
    except Refusal as refusal:
        return _period_response(request, month, now, refusal)


def _preview_response(
    request: HttpRequest, actor: Actor, asked: Asked, now: datetime, refusal: Refusal | None = None
) -> HttpResponse:
    whose = (asked.programme_version_id, asked.payee_id, asked.period_on)
    content, seen = statements.look(actor, *whose, now, mode=asked.mode)
    context = {
        "seen": seen,
        "needs_second": proposing.needs_second(actor, asked.payee_id, seen.total_fen, now),
        "view": statement_view(content),
        "version_id": asked.programme_version_id,
        "payee_id": asked.payee_id,
        "month": asked.period_on,
        "mode": content["programme"]["mode"],
        "key": uuid4(),
        "problems": sentences(refusal) if refusal else [],
    }
    return render(request, "finance/issue.html", context, status=status_of(refusal) if refusal else 200)


def _issue(request: HttpRequest, actor: Actor, asked: Asked, now: datetime) -> HttpResponse:
    lines, total_fen = (_number(request.POST.get(name, "")) for name in ("lines", "total_fen"))
    expected = Expected(lines, total_fen, request.POST.get("lines_sha256", "")[:64])
    try:
        if request.POST.get("act") == "propose":
            key = request.POST.get("key", "")
            proposal_id = proposing.propose_once(actor, asked, now, idempotency_key=key, expected=expected)
            messages.success(request, _("Proposed. Another person of finance issues it."))
            return redirect("statement_proposal", pk=proposal_id)
        issued = statements.issue_once(
            actor,
            asked.programme_version_id,
            asked.payee_id,
            asked.period_on,
            now,
            idempotency_key=request.POST.get("key", ""),
            expected=expected,
            mode=asked.mode,
        )
    except NotFound:
        raise
    except Conflict as refusal:
        if refusal.reasons[0].code in _LOOK_AGAIN:
            return _preview_response(request, actor, asked, now, refusal)
        return _period_response(request, asked.period_on, now, refusal)
    except Refusal as refusal:
        return _period_response(request, asked.period_on, now, refusal)
    messages.success(request, _("Issued as %(number)s. The documents are being made.") % {"number": issued.number})
    return redirect("statement_detail", pk=issued.statement_id)


@login_required
@require_GET
def statement_list(request: HttpRequest) -> HttpResponse:
    """The statements that the actor may read, of one month where ``?month=`` says so; ``?format=csv``: as a table."""
    actor = actor_of(request)
    rows = queries.statements_visible(actor)
    periods = list(rows.order_by("-period_on").values_list("period_on", flat=True).distinct())
    month = _month(request.GET.get("month", ""))
    shown = rows.filter(period_on=month) if month else rows
    if request.GET.get("format") == "csv":
        name = f"statements-{month:%Y-%m}.csv" if month else "statements.csv"
        listed = list(shown)
        return attachment(statements_csv(listed, came_of_each(listed)), "text/csv; charset=utf-8", name)
    page = Paginator(shown, STATEMENTS_PER_PAGE).get_page(request.GET.get("page"))
    shown_rows = list(page.object_list)
    context = {
        "page": page,
        "rows": statement_rows(shown_rows, came_of_each(shown_rows)),
        "periods": periods,
        "month": month,
        "sees_board": actor.has(*queries.BOARD_ROLES),
    }
    return render(request, "finance/list.html", context)


@login_required
@require_GET
def statement_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One statement: parties, totals, lines, clauses, documents."""
    actor = actor_of(request)
    statement = queries.statement_for(actor, pk)
    page = Paginator(range(statement.line_count), LINES_PER_PAGE).get_page(request.GET.get("page"))
    first = page.start_index() - 1
    context = {
        "statement": statement,
        "view": statement_view(statement.content, slice(first, first + LINES_PER_PAGE)),
        "page": page,
        "sees_board": actor.has(*queries.BOARD_ROLES),
        "taken_back": taken_back_rows([each.as_json() for each in taken_back.of_statement(statement.pk)]),
        "told": taken_back_rows(statement.content.get("taken_back", ())),
        "invoice": sold_invoice(actor, statement),
        "came_of": came_of_each([statement])[statement.pk],
        **_claimed(actor, statement),
        **_documents(actor, statement),
    }
    return render(request, "finance/detail.html", context)


def _claimed(actor: Actor, statement: Statement) -> dict[str, Any]:
    """Where its lines are claimed now, and how many are claimed nowhere yet."""
    found, unclaimed = claims.claimed_of(actor, statement)
    return {"claimed": claimed_rows(found), "unclaimed": unclaimed}


def _documents(actor: Actor, statement: Statement) -> dict[str, Any]:
    documents = documents_view(statement)
    return {"documents": documents, "may_retry": documents.failed and actor.has(Role.FINANCE), "poll_seconds": POLL_SECONDS}


@login_required
@require_GET
def statement_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """Where the documents stand (htmx, asked again every few seconds); anybody else is led to the statement."""
    actor = actor_of(request)
    statement = queries.statement_for(actor, pk)
    if not is_fragment(request):
        return redirect("statement_detail", pk=pk)
    return render(request, "finance/_documents.html", {**_documents(actor, statement), "arrived": True})


@login_required
@require_POST
def statement_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Make the documents again after they failed."""
    statements.retry(actor_of(request), pk, timezone.now())
    messages.success(request, _("The documents are being made again."))
    return redirect("statement_detail", pk=pk)


@login_required
@require_GET
def statement_download(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """The stored PDF or XLSX as an attachment, byte for byte."""
    found = queries.document(actor_of(request), pk, kind, publicity_since)
    return HttpResponse(
        found.content,
        content_type=found.stored.media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{found.stored.file_name}"',
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-store",
        },
    )


@login_required
@require_GET
def statement_line(request: HttpRequest, pk: int, position: int) -> HttpResponse:
    """How one line's subsidy came about, every step with its clause."""
    line = queries.statement_line(actor_of(request), pk, position)
    charge = line.award.charge
    to_owner = line.award.mode == SettlementMode.PAID_BESIDE
    context = {
        "line": line,
        "reservation": charge.reservation,
        "sample_job": charge.sample_job,
        "reference": str(charge.reservation or charge.sample_job),
        "rows": assessment.of_frozen(charge, whole=to_owner),
        "back_url": reverse("statement_detail", args=[pk]),
    }
    return render(request, "finance/line.html", context)


def _number(text: str) -> int:
    """A whole number from a form or an address; 0, which names nothing, for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _month(text: str) -> date | None:
    """The first day of a month written ``2026-10`` (a whole date will do) between 2000 and 2099, or None."""
    day = read_day(text if len(text) > 7 else f"{text}-01")
    return first_day(day) if day else None
