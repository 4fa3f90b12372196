"""Samples of settled claims for the re-check: drawing one, its claims with what was found, writing down a finding."""

from __future__ import annotations

from datetime import date
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

from billing.claims import queries, wording
from billing.claims import recheck_queries as rechecks
from billing.claims.recheck_models import Outcome, RecheckItem
from billing.claims.rules.sampling import MOST_DRAWN, SEED_LENGTH, Method, Plan
from billing.claims.services import rechecking
from billing.claims.services.rechecking import DrawInput, Found
from billing.settlement.queries import local_today
from billing.settlement.rules.period import first_day, last_day, previous_month
from billing.subsidy.models import Programme
from config.kernel.access import Actor, Role, get_visible, visible_to
from config.kernel.api.problems import status_of
from config.kernel.errors import Forbidden, NotFound, Refusal
from frontend.booking_form import read_day
from frontend.http import actor_of, stands_at
from frontend.refusals import sentences
from frontend.views.bills import number
from frontend.views.claims import fen_of

PER_PAGE = 25
CLAIMS_PER_PAGE = 50
#: How a difference is typed: as an amount above nil, and which way it lies.
_WAYS = {"confirmed": (Outcome.CONFIRMED, 0), "too_much": (Outcome.DIFFERENCE, 1), "too_little": (Outcome.DIFFERENCE, -1)}


@login_required
@require_http_methods(["GET", "POST"])
def recheck_list(request: HttpRequest) -> HttpResponse:
    """The samples with how far each is; POST draws one, once for the form's key."""
    actor, refusal = actor_of(request), None
    actor.require(*queries.OFFICIALS)
    if request.method == "POST":
        actor.require(Role.INSPECTOR)
        try:
            pk, _replayed = rechecking.draw_once(
                actor, _given(request), timezone.now(), idempotency_key=request.POST.get("key", "")
            )
            messages.success(request, _("The sample is drawn. Whoever has its seed and its claims draws the same."))
            return redirect("recheck_detail", pk=pk)
        except (NotFound, Forbidden):
            raise
        except Refusal as refused:
            refusal = refused
    page = Paginator(rechecks.samples_visible(actor), PER_PAGE).get_page(request.GET.get("page"))
    samples = list(page.object_list)
    progress = rechecks.progress_of(samples)
    context = {
        "page": page,
        "rows": [(each, progress[each.pk], wording.METHODS[each.method]) for each in samples],
        "may_draw": actor.has(Role.INSPECTOR),
        "programmes": _programmes(actor),
        "methods": wording.METHODS.items(),
        "typed": request.POST if refusal is not None else _proposed(),
        "most": MOST_DRAWN,
        "seed_length": SEED_LENGTH,
        "key": uuid4(),
        "problems": sentences(refusal) if refusal else [],
    }
    return render(request, "claims/samples.html", context, status=status_of(refusal) if refusal else 200)


def _programmes(actor: Actor) -> list[Programme]:
    return list(visible_to(Programme.objects.filter(claim_batches__isnull=False), actor).distinct().order_by("code"))


def _proposed() -> dict[str, str]:
    """Last month, a tenth of the claims."""
    month = previous_month(first_day(local_today(timezone.now())))
    return {"from_on": month.isoformat(), "until_on": last_day(month).isoformat(), "method": Method.AMOUNT.value, "share": "10"}


def _given(request: HttpRequest) -> DrawInput:
    days = [_day(request, name) for name in ("from_on", "until_on")]
    method, programme = request.POST.get("method", ""), request.POST.get("programme", "")
    plan = Plan(
        Method(method) if method in wording.METHODS else Method.RANDOM,
        request.POST.get("seed", "").replace("\x00", "").strip(),
        *(number(text) if (text := request.POST.get(name, "").strip()) else None for name in ("size", "share")),
    )
    return DrawInput(days[0], days[1], plan, number(programme) if programme else None)


def _day(request: HttpRequest, name: str) -> date:
    day = read_day(request.POST.get(name, ""))
    if day is None:
        raise Refusal.of("claims.day_missing", field=name)
    return day


@login_required
@require_GET
def recheck_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One sample: how it was drawn, how far it is, and its claims with what was found."""
    return _detail(request, pk, request.GET.get("page", ""))


def _detail(request: HttpRequest, pk: int, shown: int | str, refusal: Refusal | None = None) -> HttpResponse:
    actor = actor_of(request)
    sample = rechecks.sample_for(actor, pk)
    page = Paginator(rechecks.items_of(sample), CLAIMS_PER_PAGE).get_page(shown)
    progress = rechecks.progress_of([sample])[sample.pk]
    context: dict[str, Any] = {
        "sample": sample,
        "method": wording.METHODS[sample.method],
        "progress": progress,
        "left": sample.drawn_count - progress.looked_at,
        "page": page,
        "rows": [(each, list(each.findings.all())) for each in page.object_list],
        "may_find": actor.has(Role.INSPECTOR),
        "problems": sentences(refusal) if refusal else [],
    }
    stands_at(request, "recheck_detail", pk)
    return render(request, "claims/sample.html", context, status=status_of(refusal) if refusal else 200)


@login_required
@require_POST
def recheck_find(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down what was found of a claim."""
    actor = actor_of(request)
    item = get_visible(RecheckItem.objects.all(), actor, pk=pk)
    outcome, sign = _WAYS.get(request.POST.get("outcome", ""), ("", 0))
    amount = request.POST.get("amount", "").strip()
    fen = (sign or 1) * fen_of(amount) if amount or sign else 0
    if sign and fen * sign < 0:
        fen = 0  # no amount: refused with the field
    page = (item.position - 1) // CLAIMS_PER_PAGE + 1
    try:
        rechecking.record(actor, pk, Found(outcome, fen, request.POST.get("reason", "")), timezone.now())
    except NotFound:
        raise
    except Refusal as refusal:
        if isinstance(refusal, Forbidden) and refusal.reasons[0].code != "recheck.own_part":
            raise
        return _detail(request, item.sample_id, page, refusal)
    messages.success(request, _("Written down."))
    answer = redirect("recheck_detail", pk=item.sample_id)
    answer["Location"] += f"?page={page}" if page > 1 else ""
    return answer
