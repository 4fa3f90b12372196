"""Instruments that exclude each other: with whom one shares its calendar, what another choice would do, and taking it apart."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from booking.services import calendar_sharing
from config.kernel.api.problems import status_of
from config.kernel.errors import Forbidden, NotFound, Refusal
from frontend.http import actor_of
from frontend.refusals import sentences
from frontend.views.instruments import managed


@login_required
@require_http_methods(["GET", "POST"])
def instrument_sharing(request: HttpRequest, pk: int) -> HttpResponse:
    """Who shares the calendar; ``?with=`` an instrument shows what sharing its calendar would do, POST does it."""
    actor, now = actor_of(request), timezone.now()
    instrument = managed(actor, pk)
    given = (request.POST if request.method == "POST" else request.GET).get("with", "")
    other_id = int(given) if given.isascii() and given.isdigit() and len(given) < 19 else 0
    context = {
        "instrument": instrument,
        "zone": instrument.site.time_zone,
        "sharers": calendar_sharing.sharers(actor, instrument),
        "candidates": calendar_sharing.candidates(actor, instrument),
        "chosen": other_id,
    }
    status = 200
    try:
        if request.method == "POST":
            if not other_id:
                raise Refusal.of("sharing.choose", "with")
            calendar_sharing.share(actor, pk, other_id, now)
            messages.success(request, _("They share one calendar now: a booking of one keeps the others from that time."))
            return redirect("instrument_sharing", pk)
        if given:
            context["preview"] = calendar_sharing.preview(actor, pk, other_id, now)
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        context["problems"], status = sentences(refusal), status_of(refusal)
    return render(request, "calendars/sharing.html", context, status=status)


@login_required
@require_POST
def instrument_sharing_end(request: HttpRequest, pk: int) -> HttpResponse:
    """Give the instrument a calendar of its own again."""
    try:
        calendar_sharing.part(actor_of(request), pk, timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        messages.error(request, " ".join(sentences(refusal)))
    else:
        messages.success(request, _("It has a calendar of its own again, with the same hours and its own bookings."))
    return redirect("instrument_sharing", pk)
