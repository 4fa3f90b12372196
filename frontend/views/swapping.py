"""A booking changes places with another one: choose it, then both move or neither."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from billing.settlement import swap_figures
from booking import queries
from booking.models import Reservation
from booking.queries.swaps import swappable
from booking.rules.changes import Side
from booking.services import changes, swaps
from booking.services.swaps import Swap
from config.kernel.access import Actor, get_visible
from config.kernel.errors import NotFound, Refusal
from frontend.booking_form import read_id, read_key, read_moment
from frontend.http import actor_of, is_fragment
from frontend.refusals import sentences, status_of


@login_required
@require_http_methods(["GET", "POST"])
def reservation_swap(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose the other booking and see what each would get and cost; then swap."""
    actor, now = actor_of(request), timezone.now()
    reservation = get_visible(queries.reservations_visible(actor).select_related("instrument__policy"), actor, pk=pk)
    side = changes.side_of(reservation, actor)
    if request.method == "GET" and is_fragment(request):
        return render(request, "booking/_swap_costs.html", _costs(request.GET, actor, reservation, now))
    if request.method == "GET":
        return _shown(request, actor, reservation, side, now, None)
    try:
        swaps.swap(actor, _read(request, pk), now, idempotency_key=read_key(request.POST))
    except NotFound:
        raise
    except Refusal as refusal:
        return _shown(request, actor, reservation, side, now, refusal)
    messages.success(request, _("Swapped. Both have their new times; everybody concerned gets a mail."))
    return redirect("reservation_detail", pk)


def _read(request: HttpRequest, pk: int) -> Swap:
    """What was sent; the choice is the other's number and the start that was shown for it. Raises Refusal ``swap.none_chosen``,
    ``booking.time_unreadable``."""
    number, _slash, start = request.POST.get("other", "").partition("/")
    other_id = read_id(number)
    if not other_id:
        raise Refusal.of("swap.none_chosen", field="other")
    seen = (read_moment(request.POST.get("starts_at", "")), read_moment(start))
    if None in seen:
        raise Refusal.of("booking.time_unreadable", field="other")
    return Swap(
        pk,
        other_id,
        reason=request.POST.get("reason", "").replace("\x00", ""),
        agreed=request.POST.get("agreed") == "yes",
        seen=seen,
    )


def _costs(typed: QueryDict, actor: Actor, reservation: Reservation, now: datetime) -> dict[str, Any]:
    """What both cost now and after the swap with the chosen one, or why it cannot be."""
    other_id = read_id(typed.get("other", "").partition("/")[0])
    if not other_id:
        return {"costs": [], "against": []}
    zone = reservation.instrument.site.time_zone
    try:
        found = swap_figures.look(actor, Swap(reservation.pk, other_id), now)
    except NotFound:
        raise
    except Refusal as refusal:
        return {"costs": [], "against": sentences(refusal), "zone": zone}
    rows = {row.pk: row for row in queries.reservations_visible(actor).filter(pk__in=[one.reservation_id for one in found])}
    return {"costs": [(rows[one.reservation_id], one) for one in found], "against": [], "zone": zone}


def _shown(
    request: HttpRequest, actor: Actor, reservation: Reservation, side: Side, now: datetime, refusal: Refusal | None
) -> HttpResponse:
    context = {
        "reservation": reservation,
        "zone": reservation.instrument.site.time_zone,
        "side": side.value,
        "places": swappable(actor, reservation, side, now),
        "chosen": (request.POST or request.GET).get("other", "").partition("/")[0],
        "reason": request.POST.get("reason", ""),
        "agreed": request.POST.get("agreed") == "yes",
        "key": str(uuid4()),
        "problems": sentences(refusal) if refusal else [],
        **(_costs(request.POST or request.GET, actor, reservation, now) if refusal is None else {}),
    }
    return render(request, "booking/swap.html", context, status=status_of(refusal) if refusal else 200)
