"""Booking the same once more: one press leads to the form, filled in, at a time that suits."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from billing.settlement.offered import percent_of_share
from billing.settlement.services import session_extras
from booking import queries
from booking.models import Reservation
from booking.queries import again
from config.kernel.access import get_visible
from config.kernel.errors import Forbidden
from frontend.booking_form import BookingForm
from frontend.http import actor_of
from frontend.presenters import instruments as present


@login_required
@require_GET
def reservation_again(request: HttpRequest, pk: int) -> HttpResponse:
    """To the instrument's form with everything as it was, at the usual time where that is free, else at the earliest."""
    actor, now = actor_of(request), timezone.now()
    reservation = queries.one_of_mine(actor, pk)
    if reservation is None:
        get_visible(Reservation.objects.all(), actor, pk=pk)
        raise Forbidden.of("booking.not_for_this_organisation")
    form = BookingForm(
        organisation=str(reservation.organisation_id),
        service_mode=reservation.service_mode,
        purpose=reservation.purpose,
        research_project=reservation.research_project,
        service_direction=reservation.service_direction,
        fund_source=reservation.fund_source,
        service_kind=reservation.service_kind,
        settlement=reservation.settlement,
        rate=percent_of_share(reservation.rate),
        answers=reservation.answers,
        fund_card=str(reservation.fund_card_id or ""),
        addons=",".join(f"{row.addon}:{row.quantity}" for row in session_extras.chosen_of(actor, reservation)),
    )
    times = again.next_times(actor, reservation, now, count=1)
    if times:
        form = form.at(times[0], present.zone(reservation.instrument))
    else:
        messages.info(request, _("No time of this length is free for you in the coming weeks. Choose another one."))
    address = reverse("instrument_detail", args=[reservation.instrument_id])
    return redirect(f"{address}?{form.query()}&{urlencode({'again': pk})}#booking-panel")
