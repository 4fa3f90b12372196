"""Internal charge slips: a month by group, one of them to print, and the finance office's file."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from billing.settlement import slip_queries
from billing.settlement.queries import local_today
from billing.settlement.slip_csv import slips_csv
from config.kernel.http import attachment
from frontend.booking_form import read_day
from frontend.http import actor_of
from frontend.presenters.slips import slip_view

PER_PAGE = 50


@login_required
@require_GET
def slip_list(request: HttpRequest) -> HttpResponse:
    """The month's slips with the sums of each group; ``?month=2026-11`` and ``?group=`` stand in the address."""
    actor = actor_of(request)
    known = slip_queries.months(actor)
    month = _month(request) or (known[0] if known else local_today(timezone.now()).replace(day=1))
    group_id = _group(request)
    sums = slip_queries.sums_of_month(actor, month)
    page = Paginator(slip_queries.of_month(actor, month, group_id), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [slip_view(slip) for slip in page.object_list],
        "sums": sums,
        "total_fen": sum(one.total_fen for one in sums),
        "open_fen": sum(one.open_fen for one in sums),
        "month": month,
        "months": known if month in known else sorted({*known, month}, reverse=True),
        "group_id": group_id,
    }
    return render(request, "slips/list.html", context)


@login_required
@require_GET
def slip_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One slip, as it is printed."""
    return render(request, "slips/detail.html", {"slip": slip_view(slip_queries.slip_for(actor_of(request), pk))})


@login_required
@require_GET
def slip_file(request: HttpRequest) -> HttpResponse:
    """A month as CSV, all of it."""
    month = _month(request) or local_today(timezone.now()).replace(day=1)
    rows = slip_queries.of_month(actor_of(request), month, _group(request))
    return attachment(slips_csv(rows, ZoneInfo(settings.TIME_ZONE)), "text/csv", f"internal-slips-{month:%Y-%m}.csv")


def _month(request: HttpRequest) -> date | None:
    return read_day(f"{request.GET.get('month', '')}-01")


def _group(request: HttpRequest) -> int | None:
    text = request.GET.get("group", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
