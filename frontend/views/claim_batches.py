"""Batches of claims for the office: opening, filling, closing, passing what is clean, publicity, approving, objections."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing.claims import findings, queries, worklist
from billing.claims.models import Objection
from billing.claims.rules.checks import is_clean, look
from billing.claims.rules.states import ClaimState
from billing.claims.services import batches, paying, publishing, reviewing, surplus
from billing.claims.services.batches import BatchInput
from billing.claims.services.office import OFFICE, right_of
from billing.claims.services.reviewing import Result
from billing.settlement.queries import local_today
from billing.settlement.rules.period import first_day, last_day, previous_month
from billing.subsidy.models import Programme
from billing.subsidy.rules.outcome import SettlementMode
from billing.wording import mode_word, payer_word
from config.kernel.access import Actor, get_visible, visible_to
from config.kernel.api.problems import status_of
from config.kernel.errors import Forbidden, NotFound, Refusal
from frontend.booking_form import read_day
from frontend.http import actor_of, stands_at
from frontend.presenters.claim_work import work_rows
from frontend.presenters.claims import batch_name, batch_state, claim_rows, list_state, report_rows, settled_word, waits_for
from frontend.refusals import sentences
from frontend.views.bills import number

PER_PAGE = 25
CLAIMS_PER_PAGE = 100


@login_required
@require_http_methods(["GET", "POST"])
def claim_batch_list(request: HttpRequest) -> HttpResponse:
    """The batches; POST opens one."""
    actor, refusal = actor_of(request), None
    actor.require(*queries.OFFICIALS)
    if request.method == "POST":
        actor.require(*OFFICE)
        try:
            pk, _replayed = batches.open_once(actor, _given(request), timezone.now(), idempotency_key=request.POST.get("key", ""))
            messages.success(request, _("The batch is open. Fill it with what can be claimed."))
            return redirect("claim_batch_detail", pk=pk)
        except (NotFound, Forbidden):
            raise
        except Refusal as refused:
            refusal = refused
    page = Paginator(queries.batches_visible(actor), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [(each, batch_name(each), batch_state(each), settled_word(each)) for each in page.object_list],
        "may_open": actor.has(*OFFICE),
        "work": work_rows(worklist.mine(actor, timezone.now()), timezone.now()),
        "lists": worklist.my_lists(actor, timezone.now()),
        "findings": findings.mine(actor, timezone.now()),
        "programmes": _programmes(actor),
        "modes": [(mode.value, mode_word(mode.value)) for mode in SettlementMode],
        "typed": request.POST if refusal is not None else _proposed(),
        "key": uuid4(),
        "problems": sentences(refusal) if refusal else [],
    }
    return render(request, "claims/batches.html", context, status=status_of(refusal) if refusal else 200)


def _programmes(actor: Actor) -> list[Programme]:
    rows = visible_to(Programme.objects.filter(versions__published_at__isnull=False), actor)
    return list(rows.distinct().order_by("code"))


def _proposed() -> dict[str, str]:
    """Last month's services, handed in within two weeks."""
    today = local_today(timezone.now())
    month = previous_month(first_day(today))
    days = {"from_on": month, "until_on": last_day(month), "opens_on": today, "closes_on": today + timedelta(days=14)}
    return {name: day.isoformat() for name, day in days.items()} | {"fund_year": str(month.year)}


def _given(request: HttpRequest) -> BatchInput:
    days = {name: read_day(request.POST.get(name, "")) for name in ("from_on", "until_on", "opens_on", "closes_on")}
    known: dict[str, date] = {name: day for name, day in days.items() if day is not None}
    for name in days:
        if name not in known:
            raise Refusal.of("claims.day_missing", field=name)
    return BatchInput(
        programme_id=number(request.POST.get("programme", "")),
        mode=request.POST.get("mode", ""),
        fund_year=number(request.POST.get("fund_year", "")),
        **known,
    )


@login_required
@require_GET
def claim_batch_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One batch: control totals, claims with their checks, what can be done next, objections and payment lists."""
    return detail_response(request, pk)


def detail_response(request: HttpRequest, pk: int, refusal: Refusal | None = None, report: Sequence[Result] = ()) -> HttpResponse:
    actor = actor_of(request)
    batch = queries.batch_for(actor, pk)
    rows = queries.claims_of(actor, batch)
    page = Paginator(rows, CLAIMS_PER_PAGE).get_page(request.GET.get("page"))
    shown = list(page.object_list)
    inputs = queries.check_inputs(shown)
    states = queries.by_state(batch)
    known = {each.state: each for each in states}
    lists = queries.lists_of(actor, batch)
    office = right_of(actor, batch.programme.issuer_id, OFFICE, timezone.now()) is not None
    payable = paying.payable(batch) if office else []
    kept = paying.kept_back([each.claim for each in payable], local_today(timezone.now()))
    payable = [each for each in payable if all(each.claim.pk not in claims for claims in kept.values())]
    free = surplus.free_of(batch.programme_id, {each.claim.payee_id for each in payable}) if payable else []
    everything = list(rows)
    context = {
        "batch": batch,
        "name": batch_name(batch),
        "state": batch_state(batch),
        "settled": settled_word(batch),
        "totals": queries.totals_of(everything),
        "payers": [(payer_word(each.payer), each) for each in queries.payer_sums(everything)],
        "states": states,
        "page": page,
        "rows": claim_rows(shown, inputs),
        "clean": sum(is_clean(look(inputs[each.pk])) for each in shown if each.state == ClaimState.IN_REVIEW),
        "objections": queries.objections_of(actor, batch),
        "publicities": list(queries.publicities().filter(batch=batch)),
        "lists": [(each, list_state(each), payer_word(each.payer) if each.payer else "") for each in lists],
        "waits": waits_for({ClaimState(each.state): each.claims for each in states}, lists),
        "office": office,
        "reviews": actor.has(*OFFICE),
        "window_over": local_today(timezone.now()) > batch.closes_on,
        "in_review": ClaimState.IN_REVIEW in known,
        "passed": known.get(ClaimState.PASSED),
        "publicised": known.get(ClaimState.PUBLICISED),
        "payable_lists": len({each.payer for each in payable}),
        "not_creditworthy": sorted(kept["claims.not_creditworthy"].items(), key=lambda each: each[1]),
        "outside_days": sorted(kept["claims.not_paid_today"].items(), key=lambda each: each[1]),
        "invoice_awaited": sorted(kept["claims.invoice_awaited"].items(), key=lambda each: each[1]),
        "payable_fen": sum(each.amount_fen for each in payable),
        "surplus_fen": sum(each.amount_fen for each in free),
        "report": report_rows(report),
        "done": sum(each.done for each in report),
        "problems": sentences(refusal) if refusal else [],
    }
    stands_at(request, "claim_batch_detail", pk)
    return render(request, "claims/batch.html", context, status=status_of(refusal) if refusal else 200)


def _gather(actor: Actor, pk: int) -> str:
    done = batches.gather(actor, pk, timezone.now())
    return _("%(lines)s services came in, on %(claims)s claims. %(waiting)s wait for a later batch.") % {
        "lines": done.lines,
        "claims": done.claims,
        "waiting": done.waiting,
    }


def _close(actor: Actor, pk: int) -> str:
    totals = batches.close(actor, pk, timezone.now())
    return _("The batch is closed with %(claims)s claims. The review begins.") % {"claims": totals.claims}


def _publicise(actor: Actor, pk: int) -> str:
    publishing.publicise(actor, pk, timezone.now())
    return _("The claims are public now.")


_ONE: Mapping[str, Callable[[Actor, int], str]] = {"gather": _gather, "close": _close, "publicise": _publicise}
_MANY: Mapping[str, Callable[[Actor, int, Any], list[Result]]] = {
    "pass_clean": reviewing.pass_clean,
    "approve_all": reviewing.approve_all,
}


@login_required
@require_POST
def claim_batch_act(request: HttpRequest, pk: int) -> HttpResponse:
    """What is done with a batch (``act``): fill, close, publicise; pass what is clean or approve what can be, with a report."""
    actor, act = actor_of(request), request.POST.get("act", "")
    try:
        if act in _MANY:
            return detail_response(request, pk, report=_MANY[act](actor, pk, timezone.now()))
        if act not in _ONE:
            queries.batch_for(actor, pk)
            raise Refusal.of("claims.unknown_act", field="act")
        messages.success(request, _ONE[act](actor, pk))
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return detail_response(request, pk, refusal)
    return redirect("claim_batch_detail", pk=pk)


@login_required
@require_POST
def objection_answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer an objection; one that is right sends the claim back."""
    actor = actor_of(request)
    found = get_visible(Objection.objects.select_related("claim"), actor, pk=pk)
    try:
        publishing.answer(actor, pk, request.POST.get("upheld") == "yes", request.POST.get("answer", ""), timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return detail_response(request, found.claim.batch_id, refusal)
    messages.success(request, _("The objection is answered."))
    return redirect("claim_batch_detail", pk=found.claim.batch_id)
