"""The drafts of a month: the grid, one draft with its lines, leaving lines out, and the way to a second person and to documents."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from billing.bills import pdf as bill_paper
from billing.bills.services import issuing
from billing.bills.services.issuing import BillRequest
from billing.month import queries
from billing.month.models import Draft, DraftLine, DraftRun, DraftState, RunState
from billing.month.outstanding import settled_of
from billing.month.services import holding, releasing
from billing.month.services.acting import acts_for
from billing.settlement import pdf as statement_paper
from billing.settlement.exports import html_twin
from billing.settlement.rules.period import last_day
from billing.settlement.services import statements
from config.kernel.access import Actor, get_visible
from config.kernel.api.problems import status_of
from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.http import attachment
from config.kernel.messages import reason_sentence
from frontend.http import actor_of, stands_at
from frontend.presenters.month import SHOWN, change_rows, draft_row, identity_rows, line_row, query_of
from frontend.refusals import say_refusal, sentences

DRAFTS_PER_PAGE, LINES_PER_PAGE = 50, 100
MOST_CHANGES = 100


@login_required
@require_GET
def month_run(request: HttpRequest, pk: int) -> HttpResponse:
    """The grid of a run's drafts with its footer; ``?show=odd`` narrows it, ``?show=changes`` is the difference to the run before."""
    return _run_page(request, pk)


def _run_page(request: HttpRequest, pk: int, refusal: Refusal | None = None) -> HttpResponse:
    actor = actor_of(request)
    run = queries.run_for(actor, pk)
    series, show, text = (
        run.of_series,
        request.GET.get("show", "all"),
        request.GET.get("q", "").replace("\x00", "").strip()[:100],
    )
    footer = queries.footer_of(run)
    acts = acts_for(actor, series)
    context: dict[str, Any] = {
        "run": run,
        "footer": footer,
        "identities": identity_rows(footer.identities),
        "show": show,
        "text": text,
        "filters": [(code, word, _count(footer, code)) for code, word in SHOWN.items() if code == "all" or _count(footer, code)],
        "query": query_of(series, run.period_on),
        "acts": acts,
        "alone_not": _alone_not(actor, run, footer) if acts else "",
        "is_bills": series.is_bills,
        "problems": sentences(refusal) if refusal else [],
    }
    if show == "changes":
        before, changes = queries.changes_of(run)
        names = queries.names_of([each.party_id for each in changes[:MOST_CHANGES]])
        context |= {"before": before, "changes": change_rows(changes[:MOST_CHANGES], names)}
    else:
        page = Paginator(queries.drafts_of(run, show, text), DRAFTS_PER_PAGE).get_page(request.GET.get("page"))
        shown = list(page.object_list)
        settled = settled_of(shown)
        context |= {"page": page, "rows": [draft_row(draft, settled=draft.pk in settled) for draft in shown]}
    stands_at(request, "month_run", pk)
    return render(request, "month/run.html", context, status=status_of(refusal) if refusal else 200)


def _alone_not(actor: Actor, run: DraftRun, footer: queries.Footer) -> str:
    """Why the next step of a run that one made is somebody else's; empty where it is one's own, too."""
    waits = run.state in (RunState.OPEN, RunState.HANDED_OVER) or footer.counts[DraftState.FAILED]
    reason = releasing.why_not(actor, run, timezone.now()) if waits else None
    return reason_sentence(reason) if reason is not None else ""


def _count(footer: queries.Footer, code: str) -> int:
    own = {"all": footer.drafts, "odd": footer.odd, "prior": footer.prior}
    return own[code] if code in own else footer.counts[code]


def _send_back(actor: Actor, pk: int, reason: str, now: datetime) -> None:
    releasing.send_back(actor, pk, reason, now)


#: What a button does, and what is said afterwards.
_MOVES: dict[str, Callable[[Actor, int, str, datetime], object]] = {
    "hand_over": lambda actor, pk, _reason, now: releasing.hand_over(actor, pk, now),
    "send_back": _send_back,
    "release": lambda actor, pk, _reason, now: releasing.release(actor, pk, now),
    "again": lambda actor, pk, _reason, now: releasing.issue_again(actor, pk, now),
}


@login_required
@require_POST
def month_run_move(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand the drafts over, send them back, release them, or try what failed again (``move``)."""
    actor = actor_of(request)
    queries.run_for(actor, pk)
    move = _MOVES.get(request.POST.get("move", ""))
    if move is None:
        raise NotFound.of("access.not_found", model="move")
    try:
        move(actor, pk, request.POST.get("reason", ""), timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return _run_page(request, pk, refusal)
    messages.success(request, _said(request.POST["move"]))
    return redirect("month_run", pk=pk)


def _said(move: str) -> str:
    if move == "hand_over":
        return _("Handed over. Nothing of the drafts changes until they are released or sent back.")
    if move == "send_back":
        return _("Sent back for review.")
    return _("Released. The platform issues one document after the other; you can leave this page.")


@login_required
@require_GET
def month_draft(request: HttpRequest, pk: int) -> HttpResponse:
    """One draft with its lines; what is odd stands beside each, and a line can be left out."""
    return _draft_page(request, pk)


def _draft_page(request: HttpRequest, pk: int, refusal: Refusal | None = None) -> HttpResponse:
    actor = actor_of(request)
    draft = queries.draft_for(actor, pk)
    page = Paginator(queries.lines_of(draft), LINES_PER_PAGE).get_page(request.GET.get("page"))
    series = draft.run.of_series
    context = {
        "draft": draft,
        "row": draft_row(draft),
        "page": page,
        "rows": [line_row(line) for line in page.object_list],
        "may_hold": draft.run.state == "open" and draft.state != "issued" and acts_for(actor, series),
        "is_bills": series.is_bills,
        "has_paper": draft.run.state == "open" and draft.state == "ready" and acts_for(actor, series),
        "problems": sentences(refusal) if refusal else [],
    }
    stands_at(request, "month_draft", pk)
    return render(request, "month/draft.html", context, status=status_of(refusal) if refusal else 200)


@login_required
@require_GET
def month_draft_paper(request: HttpRequest, pk: int) -> HttpResponse:
    """What this draft would become, marked as a draft, as HTML that prints as the PDF; of one that was issued, the document itself."""
    actor = actor_of(request)
    draft = queries.draft_for(actor, pk)
    if draft.bill_id is not None:
        return redirect("bill_detail", pk=draft.bill_id)
    if draft.statement_id is not None:
        return redirect("statement_detail", pk=draft.statement_id)
    try:
        html = _paper_of(actor, draft, timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        say_refusal(request, refusal)
        return redirect("month_draft", pk=pk)
    return attachment(html_twin(html), "text/html; charset=utf-8", f"draft-{pk}.html")


def _paper_of(actor: Actor, draft: Draft, now: datetime) -> str:
    """The HTML of the bill or the statement, if it is still what was drafted. Raises what looking at one raises."""
    run, seen = draft.run, releasing.reviewed(draft)
    if run.owner_id is not None:
        asked = BillRequest(run.owner_id, draft.party_id, last_day(run.period_on), run.filters["due_days"])
        return bill_paper.render_html(issuing.preview(actor, asked, now, expected=seen, made_by=run.made_by), draft=True)
    if draft.programme_version_id is None:
        raise NotFound.of("access.not_found", model="draft")
    whose = (draft.programme_version_id, draft.party_id, run.period_on)
    content, _seen = statements.look(actor, *whose, now, expected=seen, mode=draft.mode, made_by=run.made_by)
    return statement_paper.render_html(content, draft=True)


@login_required
@require_POST
def month_line(request: HttpRequest, pk: int) -> HttpResponse:
    """Leave a line out (``how``: exclude, postpone) with a reason, or take it in again (take_in)."""
    actor, now, how = actor_of(request), timezone.now(), request.POST.get("how", "")
    line = get_visible(DraftLine.objects.select_related("draft__run"), actor, pk=pk)
    run = line.draft.run
    reason = request.POST.get("reason", "")
    try:
        if how == "take_in":
            holding.take_in(actor, pk, now)
        elif how in ("exclude", "postpone"):
            (holding.exclude if how == "exclude" else holding.postpone)(actor, pk, reason, now)
        else:
            raise NotFound.of("access.not_found", model="line")
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return _draft_page(request, line.draft_id, refusal)
    if run.state != RunState.OPEN:
        messages.success(request, _("Taken in again. The next drafts take it."))
        return redirect(f"{reverse('month_board')}?{query_of(run.of_series, run.period_on)}")
    return redirect("month_draft", pk=line.draft_id)
