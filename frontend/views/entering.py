"""Searching for the customer's person for whom one of a lab's managers enters a booking."""

from __future__ import annotations

from dataclasses import replace

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from booking.queries import customers
from booking.queries.customers import Found
from booking.queries.policies import Somebody, lab_of
from config.kernel.access import Actor, get_visible
from config.kernel.errors import Refusal
from frontend import whom
from frontend.booking_form import BookingForm
from frontend.http import actor_of
from frontend.refusals import sentences, status_of
from instruments.models import Instrument


@login_required
@require_http_methods(["GET", "POST"])
def booking_for(request: HttpRequest, pk: int) -> HttpResponse:
    """A field, and who was found. It is posted, so that nobody's address stands in a log; the time that was chosen goes along."""
    actor = actor_of(request)
    instrument = get_visible(Instrument.objects.select_related("organisation"), actor, pk=pk)
    lab_of(actor, instrument.organisation_id)
    form = replace(BookingForm.read(request.GET), whom="", organisation="", for_person="", fund_card="")
    text = request.POST.get("q", "").replace("\x00", "")
    context = {"instrument": instrument, "form": form, "q": text, "form_query": form.query()}
    status = 200
    if request.method == "POST":
        try:
            found = customers.find(actor, instrument.organisation_id, text)
            context |= {"found": found, "rows": _rows(actor, instrument, form, found)}
        except Refusal as refusal:
            context["problems"], status = sentences(refusal), status_of(refusal)
    return render(request, "booking/for_whom.html", context, status=status)


def _rows(actor: Actor, instrument: Instrument, form: BookingForm, found: Found) -> list[tuple[Somebody, str]]:
    """Everybody with the address of the form for them."""
    address = reverse("reservation_create", args=[instrument.pk])
    signed = ((one, whom.sign(actor, instrument.organisation_id, one)) for one in found.people)
    return [(one, f"{address}?{replace(form, whom=text).query()}") for one, text in signed]
