"""Pages that explain."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def how_subsidies_work(request: HttpRequest) -> HttpResponse:
    """The four numbers and the way of the money, with an invented example."""
    return render(request, "pages/help.html", {"example": EXAMPLE, "later": EXAMPLE_LATER})


EXAMPLE = {"gross_fen": 120_000, "deducted_fen": 48_000, "refunded_fen": 0, "payable_now_fen": 72_000, "final_cost_fen": 72_000}
EXAMPLE_LATER = {
    "gross_fen": 120_000,
    "deducted_fen": 0,
    "refunded_fen": 48_000,
    "payable_now_fen": 120_000,
    "final_cost_fen": 72_000,
}
