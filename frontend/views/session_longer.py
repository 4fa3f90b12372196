"""The lab lets a customer's running session go on: until when, what it costs the customer then, and who of them asked for it."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from billing.settlement.reservation_figures import figures_of
from booking import queries
from booking.models import Reservation
from booking.services import acting, extending
from booking.services.sides import require_lab
from config.kernel.access import get_visible
from config.kernel.errors import NotFound, Refusal
from config.kernel.messages import reason_sentence
from frontend.booking_form import read_longer
from frontend.http import actor_of
from frontend.presenters.longer import longer_ends
from frontend.refusals import sentences, status_of

ENDS_OFFERED = 8


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def session_longer(request: HttpRequest, pk: int) -> HttpResponse:
    """The ends that are free, each with its price for the whole session; posted, the one that was chosen."""
    now = timezone.now()
    if request.method == "GET":
        return _page(request, pk, now)
    try:
        ends_at, expected = read_longer(_chosen(request.POST.get("choice", "")))
        extending.extend_for_customer(actor_of(request), pk, ends_at, expected, request.POST.get("reason", ""), now)
    except NotFound:
        raise
    except Refusal as refusal:
        return _page(request, pk, now, refusal)
    messages.success(request, _("The session goes on for longer, and the customer has been told."))
    return redirect(f"{reverse('sessions_today')}?done={pk}#session-{pk}")


def _page(request: HttpRequest, pk: int, now: datetime, refusal: Refusal | None = None) -> HttpResponse:
    actor = actor_of(request)
    reservation = get_visible(queries.reservations_visible(actor), actor, pk=pk)
    require_lab(reservation, actor)
    figures = figures_of(actor, [reservation]).get(pk)
    against = _unpaid(reservation, now)
    offered = extending.extensible(reservation, now, ENDS_OFFERED)
    shown = [] if against else offered.ends
    context = {
        "reservation": reservation,
        "zone": reservation.instrument.site.time_zone,
        "figures": figures,
        "longer": longer_ends(reservation, shown, figures.payable_now_fen if figures else 0, now),
        "against": against or [reason_sentence(reason) for reason in offered.reasons],
        "problems": sentences(refusal) if refusal else [],
        "typed": request.POST,
    }
    return render(request, "sessions/longer.html", context, status=status_of(refusal) if refusal else 200)


def _unpaid(reservation: Reservation, now: datetime) -> list[str]:
    """Why nobody of the customer could say yes to what it costs; empty where somebody could."""
    try:
        acting.require_person_paying(reservation, now)
    except Refusal as refusal:
        return sentences(refusal)
    return []


def _chosen(text: str) -> dict[str, str]:
    """An end with the two figures that stood beside it, as one choice of the form carries them."""
    names = ("ends_at", "expected_payable_now_fen", "expected_final_cost_fen")
    return dict(zip(names, text.split("|"), strict=False))
