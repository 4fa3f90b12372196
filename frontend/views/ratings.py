"""Rating a session or a sample job, the lab's answer, and hiding what must not be public."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from booking.services import ratings
from config.kernel.access import Actor
from config.kernel.errors import Forbidden, NotFound, Refusal
from frontend.http import actor_of
from frontend.views.bookings import detail_response
from frontend.views.instrument_page import detail_response as instrument_response
from frontend.views.resources import detail_response as resource_response
from frontend.views.samples import acted, text_of


@login_required
@require_POST
def rating_give(request: HttpRequest, pk: int) -> HttpResponse:
    """The customer rates a session whose use is agreed."""
    now = timezone.now()
    try:
        ratings.rate(actor_of(request), pk, _stars(request), request.POST.get("comment", ""), now)
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return detail_response(request, pk, now, refusal)
    messages.success(request, _("Thank you. Your rating stands on the instrument's page."))
    return redirect("reservation_detail", pk)


@login_required
@require_POST
def sample_rate(request: HttpRequest, pk: int) -> HttpResponse:
    """The customer rates a sample job that is closed."""

    def act(actor: Actor, now: datetime) -> str:
        ratings.rate_samples(actor, pk, _stars(request), text_of(request, "comment"), now)
        return _("Thank you. Your rating stands on the page of the test.")

    return acted(request, pk, "rate", act)


def _stars(request: HttpRequest) -> int:
    """0 where none were chosen."""
    stars = request.POST.get("stars", "")
    return int(stars) if stars in {"1", "2", "3", "4", "5"} else 0


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
        return _place(request, ratings.stands_at(actor, pk), refusal)
    messages.success(request, _("The rating is hidden.") if hide else _("Your answer stands under the rating."))
    place = ratings.stands_at(actor, pk)
    address = ("instrument_detail", place.instrument_id) if place.instrument_id else ("resource_detail", place.resource_id)
    return redirect(reverse(address[0], args=[address[1]]) + "#ratings")


def _place(request: HttpRequest, place: ratings.StandsAt, refusal: Refusal) -> HttpResponse:
    if place.resource_id is not None:
        return resource_response(request, place.resource_id, refusal)
    return instrument_response(request, place.instrument_id or 0, refusal)
