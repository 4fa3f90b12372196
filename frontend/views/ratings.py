"""Rating a session, the lab's answer, and hiding what must not be public."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from booking.services import ratings
from config.kernel.errors import Forbidden, NotFound, Refusal
from frontend.http import actor_of
from frontend.views.bookings import detail_response
from frontend.views.instrument_page import detail_response as instrument_response


@login_required
@require_POST
def rating_give(request: HttpRequest, pk: int) -> HttpResponse:
    """The customer rates a session whose use is agreed."""
    stars, now = request.POST.get("stars", ""), timezone.now()
    try:
        given = int(stars) if stars in {"1", "2", "3", "4", "5"} else 0
        ratings.rate(actor_of(request), pk, given, request.POST.get("comment", ""), now)
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return detail_response(request, pk, now, refusal)
    messages.success(request, _("Thank you. Your rating stands on the instrument's page."))
    return redirect("reservation_detail", pk)


@login_required
@require_POST
def rating_answer(request: HttpRequest, pk: int) -> HttpResponse:
    """The lab answers."""
    return _act(request, pk, hide=False)


@login_required
@require_POST
def rating_hide(request: HttpRequest, pk: int) -> HttpResponse:
    """The operator hides."""
    return _act(request, pk, hide=True)


def _act(request: HttpRequest, pk: int, *, hide: bool) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    try:
        if hide:
            ratings.hide(actor, pk, request.POST.get("reason", ""), now)
        else:
            ratings.answer(actor, pk, request.POST.get("answer", ""), now)
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return instrument_response(request, ratings.instrument_of(actor, pk), refusal)
    messages.success(request, _("The rating is hidden.") if hide else _("Your answer stands under the rating."))
    return redirect(reverse("instrument_detail", args=[ratings.instrument_of(actor, pk)]) + "#ratings")
