"""Trying a programme on past sessions and commissioned tests: asking, watching, reading what came out, taking it along."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing.sandbox import queries
from billing.sandbox.models import RunState, SandboxRun
from billing.sandbox.services import running
from billing.sandbox.services.running import Asked
from billing.subsidy import draft_queries
from billing.subsidy.budgets import READERS
from billing.subsidy.draft_models import DraftState
from billing.subsidy.drafts import code_of
from config.kernel.access import Actor, Role
from config.kernel.api.problems import status_of
from config.kernel.errors import Conflict, NotFound, Reason, Refusal
from config.kernel.http import attachment
from config.kernel.messages import sentence
from frontend import display
from frontend.booking_form import read_day
from frontend.http import actor_of
from frontend.presenters import sandbox as presenter
from frontend.refusals import say_refusal, sentences
from frontend.yuan_typed import typed_fen

PER_PAGE = 50
POLL_SECONDS = 2
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@login_required
@require_http_methods(["GET", "POST"])
def sandbox_list(request: HttpRequest) -> HttpResponse:
    """The trials of the office, and asking for another one."""
    actor, now = actor_of(request), timezone.now()
    actor.require(*READERS)
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            return redirect("programme_trial", running.start(actor, _asked(request), now).pk)
        except NotFound:
            raise
        except Refusal as refused:
            refusal = refused
    officer = actor.has(Role.PROGRAMME_OFFICER)
    page = Paginator(queries.runs_visible(actor), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "officer": officer,
        "typed": _typed(request),
        "problems": sentences(refusal) if refusal else [],
        "fields": {reason.field for reason in refusal.reasons} if refusal else set(),
        "drafts": _drafts(request) if officer else [],
        "published": _published(request) if officer else [],
        "lenders": [(str(each.pk), each.code) for each in queries.lenders(actor)] if officer else [],
    }
    return render(request, "programmes/sandbox/list.html", context, status=status_of(refusal) if refusal else 200)


def _published(request: HttpRequest) -> list[tuple[str, str]]:
    rows = draft_queries.startable_versions(actor_of(request))
    return [(str(each.pk), f"{each.programme.code} · {each.label}") for each in rows]


def _drafts(request: HttpRequest) -> list[tuple[str, str]]:
    rows = draft_queries.drafts_visible(actor_of(request)).filter(state__in=[DraftState.DRAFT, DraftState.SUBMITTED])
    return [
        (f"draft:{each.pk}", f"{code_of(each.document) or each.pk} · {each.document.get('version', '')}") for each in rows[:100]
    ]


def _typed(request: HttpRequest) -> dict[str, str]:
    """What stands in the fields: what was sent, else the last whole year."""
    today = timezone.now().astimezone(display.platform_zone()).date()
    usual = {
        "what": request.GET.get("what", ""),
        "against": "",
        "vouchers_of": "",
        "first_on": (today - timedelta(days=365)).isoformat(),
        "last_on": (today - timedelta(days=1)).isoformat(),
        "budget": "",
        "rate_step": "10",
        "cap_step": "20",
    }
    typed = {name: request.POST.get(name, value) for name, value in usual.items()}
    return typed | {"version": typed["what"].removeprefix("version:")}


def _asked(request: HttpRequest) -> Asked:
    """Raises Refusal with every field that cannot be read."""
    reasons: list[Reason] = []
    what, _colon, number = request.POST.get("what", "").partition(":")
    days = {name: _day(request, name, reasons) for name in ("first_on", "last_on")}
    budget = _budget(request, reasons)
    steps = {name: _whole(request, name, reasons) for name in ("rate_step", "cap_step")}
    Refusal.raise_any(reasons)
    return Asked(
        first_on=days["first_on"],
        last_on=days["last_on"],
        draft_id=_key(number) if what == "draft" else None,
        version_id=_key(number) if what == "version" else None,
        against_id=_key(request.POST.get("against", "")),
        budget_fen=budget,
        rate_step_percent=steps["rate_step"],
        cap_step_percent=steps["cap_step"],
        vouchers_of_id=_key(request.POST.get("vouchers_of", "")),
    )


def _day(request: HttpRequest, name: str, reasons: list[Reason]) -> date:
    found = read_day(request.POST.get(name, ""))
    if found is None:
        reasons.append(Reason("sandbox.day", {}, name))
    return found or date.min


def _key(text: str) -> int | None:
    """An id; 0 for what is none, which nothing has."""
    return (int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0) if text else None


def _whole(request: HttpRequest, name: str, reasons: list[Reason]) -> int:
    text = unicodedata.normalize("NFKC", request.POST.get(name, "")).strip()
    if text.isascii() and text.isdigit() and len(text) < 4:
        return int(text)
    reasons.append(Reason("sandbox.step", {"most": running.MAX_STEP_PERCENT}, f"{name}_percent"))
    return 0


def _budget(request: HttpRequest, reasons: list[Reason]) -> int | None:
    text = request.POST.get("budget", "").strip()
    budget = typed_fen(text)
    if budget is None and text:
        reasons.append(Reason("sandbox.budget", {}, "budget"))
    return budget


@login_required
@require_GET
def sandbox_run(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is, or what came out."""
    run = queries.run_for(actor_of(request), pk)
    return render(request, "programmes/sandbox/run.html", _context(request, run))


def _context(request: HttpRequest, run: SandboxRun) -> dict[str, Any]:
    context: dict[str, Any] = {
        "run": run,
        "title": _("%(code)s %(label)s on past sessions and commissioned tests")
        % {"code": code_of(run.document), "label": run.document.get("version", "")},
        "working": run.state in (RunState.QUEUED, RunState.RUNNING),
        "percent": run.done_sessions * 100 // run.total_sessions if run.total_sessions else 0,
        "poll_seconds": POLL_SECONDS,
        "may_cancel": run.office_id in actor_of(request).organisations(Role.PROGRAMME_OFFICER),
        "problems": [sentence(each["code"], each["params"]) for each in run.problems],
    }
    if run.result is not None:
        names, looks_at = queries.names_in(run.result), queries.looks_at(run)
        lender = run.vouchers_of.code if run.vouchers_of else ""
        context |= {
            "tiles": presenter.tiles(run.result),
            "voucher_note": presenter.voucher_note(run.result, lender, looks_at_vouchers=looks_at.vouchers),
            "looks_at": looks_at,
            "batch_notes": presenter.batch_notes(run.result),
            "plots": presenter.plots(run.result),
            "tables": presenter.tables(run.result, names),
        }
    return context


@login_required
@require_GET
def sandbox_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is, for the page that waits; when it has ended the page is loaded anew."""
    run = queries.run_for(actor_of(request), pk)
    context = _context(request, run) if run.state in (RunState.QUEUED, RunState.RUNNING) else {}
    if not context:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return render(request, "programmes/sandbox/_progress.html", context)


@login_required
@require_POST
def sandbox_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop the work."""
    return _told(request, pk, running.cancel)


@login_required
@require_POST
def sandbox_resume(request: HttpRequest, pk: int) -> HttpResponse:
    """Go on with it."""
    return _told(request, pk, running.resume)


def _told(request: HttpRequest, pk: int, act: Callable[[Actor, int, datetime], SandboxRun]) -> HttpResponse:
    try:
        act(actor_of(request), pk, timezone.now())
    except Conflict as conflict:
        say_refusal(request, conflict)
    return redirect("programme_trial", pk)


@login_required
@require_GET
def sandbox_file(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """All tables as a workbook, or one (``?table=``) as CSV. Raises NotFound until it is done, and for a table that is not there."""
    run = queries.run_for(actor_of(request), pk)
    if run.result is None or run.finished_at is None:
        raise NotFound.of("access.not_found", model="file")
    found = presenter.tables(run.result, queries.names_in(run.result))
    name = f"sandbox-{code_of(run.document)}-{run.pk}"
    if kind == "xlsx":
        return attachment(presenter.workbook_file(found, name, run.finished_at), _XLSX, f"{name}.xlsx")
    table = next((each for each in found if each.code == request.GET.get("table", "months")), None)
    if table is None:
        raise NotFound.of("access.not_found", model="file")
    return attachment(presenter.csv_file(table), "text/csv; charset=utf-8", f"{name}-{table.code}.csv")
