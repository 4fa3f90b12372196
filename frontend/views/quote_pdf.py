"""The quote of a booking as a PDF to print: the four numbers, each subsidy, and every step with its clause, as they were pinned."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.views.decorators.http import require_GET

from billing.settlement.apart import Limits, html_to_pdf_apart
from billing.settlement.extra_models import SessionExtra
from billing.settlement.models import Quote
from billing.settlement.pdf import FONT_FOLDER, style
from billing.settlement.pinned import quote_sha256
from billing.settlement.reservation_figures import latest_quote_for
from billing.settlement.services import session_extras
from booking.queries import reservations as queries
from booking.rules.samples import ExtraState
from config.kernel.access import get_visible
from config.kernel.http import attachment
from frontend import display
from frontend.http import actor_of
from frontend.presenters.assessment import of_reservation

_LIMITS = Limits(30, 1_500_000_000)


@login_required
@require_GET
def reservation_quote_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The latest figures that the customer was shown, by the pinned quote and the language alone: the same bytes whoever prints it, and
    when. Raises NotFound where there are none."""
    actor = actor_of(request)
    reservation = get_visible(queries.reservation_detail(actor), actor, pk=pk)
    quote = latest_quote_for(actor, reservation.pk)
    beside = [row for row in session_extras.of(actor, reservation) if _agreed_then(row, quote)]
    zone = quote.inputs["zone"]
    context = {
        "beside": beside,
        "final_with_fen": quote.final_cost_fen + sum(row.amount_fen for row in beside),
        "reservation": reservation,
        "zone": zone,
        "starts_at": datetime.fromisoformat(quote.inputs["starts_at"]),
        "ends_at": datetime.fromisoformat(quote.inputs["ends_at"]),
        "quote": quote,
        "sha256": quote_sha256(quote),
        "figures": of_reservation(reservation, quote),
        "style": style("quote.css"),
        "language": translation.get_language(),
    }
    with timezone.override(ZoneInfo(zone)), display.read_in(""):  # the reader's own clock changes nothing of the paper
        html = render_to_string("billing/quote.html", context)
    identifier = bytes.fromhex(quote.inputs_sha256)[:16]
    name = f"{reservation.reference}-{quote.revision}.pdf"
    return attachment(html_to_pdf_apart(html, FONT_FOLDER, identifier, _LIMITS), "application/pdf", name)


def _agreed_then(row: SessionExtra, quote: Quote) -> bool:
    """Whether what is used besides the time was agreed when the figures were pinned, whatever became of it since."""
    if row.chosen:
        withdrawn = row.state == ExtraState.WITHDRAWN and row.answered_at is not None and row.answered_at <= quote.created_at
        return row.proposed_at <= quote.created_at and not withdrawn
    return row.state == ExtraState.AGREED and row.answered_at is not None and row.answered_at <= quote.created_at
