"""Unpaid bills: what is due soon or overdue, what a customer disputes, what finance lets wait."""

from __future__ import annotations

from datetime import date

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from billing.dunning import queries
from billing.dunning.rules.steps import Step
from billing.dunning.services import reminding
from billing.dunning.wording import STEPS
from billing.settlement.queries import local_today
from config.kernel.api.problems import status_of
from config.kernel.errors import Forbidden, NotFound, Refusal
from frontend.booking_form import read_day
from frontend.http import actor_of, stands_at
from frontend.once import once_per_form
from frontend.refusals import sentences
from frontend.views.bills import detail_response, number

PER_PAGE = 50


@login_required
@require_GET
def dunning_list(request: HttpRequest) -> HttpResponse:
    """The open bills that are due within three days or overdue, the oldest first."""
    return _page(request)


def _page(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    actor, today = actor_of(request), local_today(timezone.now())
    page = Paginator(queries.overdue(actor, today), PER_PAGE).get_page(request.GET.get("page"))
    rows = queries.rows_of(actor, list(page.object_list), today)
    context = {
        "page": page,
        "rows": [
            (row, STEPS[Step(row.last)] if row.last else "", STEPS[row.upcoming[0]] if row.upcoming else "") for row in rows
        ],
        "pairs": [
            (f"{owner.pk}:{other.pk}", owner, other, until) for owner, other, until in queries.customers_owing(actor, today)
        ],
        "today": today,
        "typed": request.POST,
        "problems": sentences(refusal) if refusal else [],
    }
    stands_at(request, "dunning_list")
    return render(request, "dunning/list.html", context, status=status_of(refusal) if refusal else 200)


@login_required
@require_POST
@once_per_form
def dunning_exempt(request: HttpRequest) -> HttpResponse:
    """Let a customer's bills wait until the end of a day."""
    now = timezone.now()
    owner, _sep, customer = request.POST.get("pair", "").partition(":")
    until = read_day(request.POST.get("until", "")) or date.min
    try:
        reminding.exempt(actor_of(request), number(owner), number(customer), until, request.POST.get("reason", ""), now)
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return _page(request, refusal)
    messages.success(request, _("Noted. Nobody is reminded and nothing is blocked until then."))
    return redirect("dunning_list")


@login_required
@require_POST
@once_per_form
def bill_dispute(request: HttpRequest, pk: int) -> HttpResponse:
    """The customer says why it does not owe a bill."""
    try:
        reminding.dispute(actor_of(request), pk, request.POST.get("reason", ""), timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return detail_response(request, pk, refusal)
    messages.success(request, _("The lab's finance is told. Nobody reminds you of this bill until it has answered."))
    return redirect("bill_detail", pk=pk)


@login_required
@require_POST
def bill_dispute_answer(request: HttpRequest, pk: int) -> HttpResponse:
    """The owner's finance answers."""
    try:
        reminding.answer(actor_of(request), pk, request.POST.get("reason", ""), timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return detail_response(request, pk, refusal)
    messages.success(request, _("The customer is told. Reminders go on."))
    return redirect("bill_detail", pk=pk)
