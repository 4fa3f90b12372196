"""Keeping the chosen time while the booking form is filled in."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from booking.services import context as booking_context
from booking.services import holds
from booking.services.holds import Held
from config.kernel.errors import NotFound, Refusal
from frontend.booking_form import LET_GO, BookingForm
from frontend.http import actor_of, is_fragment
from frontend.presenters.quote import hold_view
from frontend.refusals import sentences


@login_required
@require_POST
def instrument_hold(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep the time of the form for some minutes, renew that, or (``let_go``) give it back. ``opened``: nobody pressed a button, the form
    stands open with the time: what is kept already is not kept longer by that."""
    actor, now = actor_of(request), timezone.now()
    form = BookingForm.read(request.POST)
    held: Held | None = None
    problems: list[str] = []
    context = booking_context.load(actor, pk, lock=False)
    try:
        if "let_go" in request.POST:
            holds.release(actor, pk)
        else:
            mode = form.known_service_mode() if form.service_mode else ""
            renew = "opened" not in request.POST
            held = holds.hold(
                actor, pk, form.during(context.zone), now, form.organisation_id(), mode, form.for_person_id(), renew=renew
            )
    except NotFound:
        raise
    except Refusal as refusal:
        problems = sentences(refusal)
    if is_fragment(request):
        unheld = LET_GO if "let_go" in request.POST else form.unheld if held is None else ""
        hold = hold_view(held, now, problems=problems, unheld=unheld)
        page = {"hold": hold, "instrument_id": pk, "zone": context.zone.key}
        return render(request, "booking/_hold.html", page)
    if held is not None:
        messages.success(request, _("The time is kept for you for some minutes."))
    for text in problems:
        messages.error(request, text)
    return redirect(f"{reverse('instrument_detail', args=[pk])}?{form.query()}#booking-panel")
