"""The budgets of programmes for those who run them."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from billing import wording
from billing.ledger.life import KEEPERS
from billing.subsidy import budgets
from billing.subsidy.queries import PoolLeft
from billing.subsidy.rules.forecast import WINDOW_DAYS
from billing.subsidy.services import in_force
from billing.vouchers import budgets as voucher_budgets
from frontend.http import actor_of
from frontend.presenters.cap_figures import figure_rows
from frontend.presenters.plots import Plot, bar_plot
from frontend.presenters.programme import pool_row
from frontend.voucher_forms import area_word, zones_of


@login_required
@require_GET
def budget_list(request: HttpRequest) -> HttpResponse:
    """Per programme and pool, and per quota of vouchers: allocated, held, posted, left, and the forecast to the end of the year."""
    actor, now = actor_of(request), timezone.now()
    found = budgets.budgets(actor, now)
    rows = [
        {
            "budget": each,
            "name": wording.document_text(in_force(each.version.pk).programme.name),
            "pools": [
                pool_row(PoolLeft(each.cap_id, each.payer, each.granted_fen, each.held_fen, each.posted_fen, each.limited))
            ],
            "plot": _plot(each.months),
            "left_at_end_fen": each.granted_fen - each.forecast.used_fen,
            "pool_name": wording.cap_word("pool", each.payer),
        }
        for each in found
    ]
    found_quotas = voucher_budgets.quota_budgets(actor, now)
    zones = zones_of(each.quota for each in found_quotas)
    quotas = [
        {
            "budget": each,
            "area": area_word(each.quota, zones),
            "plot": _plot(each.months),
            "left_at_end_fen": each.granted_fen - each.forecast.used_fen,
        }
        for each in found_quotas
    ]
    context = {
        "rows": rows,
        "quotas": quotas,
        "window_days": WINDOW_DAYS,
        "figures": figure_rows(budgets.figures(actor, now)),
        "keeps": actor.has(*KEEPERS),
    }
    return render(request, "programmes/budgets.html", context)


def _plot(months: Sequence[tuple[str, int]]) -> Plot:
    return bar_plot(
        _("Spent in each of the last twelve months"), [month for month, _fen in months], [fen for _month, fen in months]
    )
