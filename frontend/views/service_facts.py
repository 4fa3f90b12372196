"""Correcting what a booking says of the service, on its page."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from billing.settlement.offered import share_of_percent
from booking.models import Reservation
from booking.rules.answers import BOX, answers_with
from booking.rules.service_facts import ServiceFacts
from booking.services import service_facts
from config.kernel.access import get_visible
from config.kernel.errors import Forbidden, NotFound, Refusal
from frontend.booking_form import read_expected
from frontend.http import actor_of
from frontend.views.bookings import detail_response


@login_required
@require_POST
def reservation_facts(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep what was typed; a field that the form does not have stays as it is."""
    actor, now = actor_of(request), timezone.now()
    given = {name: request.POST[name] for name in ServiceFacts().document() if name in request.POST}
    before = get_visible(Reservation.objects.all(), actor, pk=pk).service_facts.document()
    seen = ServiceFacts(**{name: request.POST.get(f"seen_{name}", text) for name, text in before.items()})
    if any(name.startswith(BOX) for name in request.POST):
        given["answers"] = answers_with(before["answers"], request.POST)
    if "rate" in given:
        given["rate"] = share_of_percent(given["rate"])
    try:
        facts = ServiceFacts(**(before | given))
        changed = service_facts.correct(actor, pk, facts, now, read_expected(request.POST), seen=seen)
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return detail_response(request, pk, now, refusal)
    messages.success(request, _("Kept. The history says what was there before.") if changed else _("Nothing was changed."))
    return redirect("reservation_detail", pk)
