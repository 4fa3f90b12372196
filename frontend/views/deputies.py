"""Who stands in for whom at an office: the list, naming somebody, ending it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from billing.claims import queries
from billing.claims.services import deputies
from billing.claims.services.deputies import Named
from billing.claims.services.office import OFFICE
from billing.settlement.queries import local_today
from config.kernel.api.problems import status_of
from config.kernel.errors import Forbidden, NotFound, Refusal
from frontend.booking_form import read_day
from frontend.http import actor_of
from frontend.refusals import say_refusal, sentences
from frontend.views.bills import number

PER_PAGE = 50


@login_required
@require_http_methods(["GET", "POST"])
def deputy_list(request: HttpRequest) -> HttpResponse:
    """Who stands in for whom at the actor's offices; POST names somebody for oneself."""
    actor, refusal = actor_of(request), None
    actor.require(*OFFICE)
    if request.method == "POST":
        try:
            deputies.name(actor, _given(request), timezone.now())
            messages.success(request, _("Named. What is done for you is in the history under both names."))
            return redirect("deputy_list")
        except (NotFound, Forbidden):
            raise
        except Refusal as refused:
            refusal = refused
    today = local_today(timezone.now())
    page = Paginator(queries.deputies_visible(actor), PER_PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "page": page,
        "rows": [
            (each, state := _state(each, today), state != "ended" and actor.user_id in (each.principal_id, each.deputy_id))
            for each in page.object_list
        ],
        "offices": queries.offices_with_colleagues(actor),
        "typed": request.POST,
        "chosen": tuple(number(part) for part in request.POST.get("deputy", "").split(":", 1)),
        "today": today,
        "problems": sentences(refusal) if refusal else [],
    }
    return render(request, "claims/deputies.html", context, status=status_of(refusal) if refusal else 200)


def _state(row: Any, today: Any) -> str:
    if row.ended_at is not None or row.until_on < today:
        return "ended"
    return "waiting" if row.from_on > today else "now"


def _given(request: HttpRequest) -> Named:
    from_on, until_on = (read_day(request.POST.get(name, "")) for name in ("from_on", "until_on"))
    if from_on is None or until_on is None:
        raise Refusal.of("claims.day_missing", field="from_on" if from_on is None else "until_on")
    office, deputy = (number(part) for part in request.POST.get("deputy", "").partition(":")[::2])
    if not (office and deputy):
        raise Refusal.of("deputies.none_chosen", field="deputy")
    return Named(office, deputy, from_on, until_on, request.POST.get("reason", ""))


@login_required
@require_POST
def deputy_end(request: HttpRequest, pk: int) -> HttpResponse:
    """End it before its last day."""
    actor = actor_of(request)
    actor.require(*OFFICE)
    try:
        deputies.end(actor, pk, timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        say_refusal(request, refusal)
    else:
        messages.success(request, _("Ended."))
    return redirect("deputy_list")
