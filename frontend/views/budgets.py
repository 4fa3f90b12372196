"""The budgets of programmes for those who run them."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from billing import wording
from billing.subsidy import budgets
from billing.subsidy.queries import PoolLeft
from billing.subsidy.rules.forecast import WINDOW_DAYS
from billing.subsidy.services import in_force
from frontend.http import actor_of
from frontend.presenters.plots import bar_plot
from frontend.presenters.programme import pool_row


@login_required
@require_GET
def budget_list(request: HttpRequest) -> HttpResponse:
    """Per programme and pool: allocated, held, posted, left, and the forecast to the end of the year."""
    found = budgets.budgets(actor_of(request), timezone.now())
    rows = [
        {
            "budget": each,
            "name": wording.document_text(in_force(each.version.pk).programme.name),
            "pools": [pool_row(PoolLeft(each.cap_id, each.payer, each.granted_fen, each.held_fen, each.posted_fen))],
            "plot": bar_plot(
                _("Spent in each of the last twelve months"), [m for m, _fen in each.months], [fen for _m, fen in each.months]
            ),
            "left_at_end_fen": each.granted_fen - each.forecast.used_fen,
            "pool_name": wording.cap_word("pool", each.payer),
        }
        for each in found
    ]
    return render(request, "programmes/budgets.html", {"rows": rows, "window_days": WINDOW_DAYS})
