"""The waiting list: what one waits for, what is offered, and waiting for a time of an instrument."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from booking import queries
from booking.models import WaitEntry
from booking.rules.waiting import WaitState
from booking.services import context as booking_context
from booking.services import waiting
from booking.services.context import BookingContext
from booking.services.waiting import Wish
from config.kernel.access import Actor, visible_to
from config.kernel.errors import NotFound, Reason, Refusal
from config.kernel.time_range import TimeRange
from frontend.booking_form import BookingForm, read_day
from frontend.hours_text import read_hours
from frontend.http import actor_of, stands_at
from frontend.refusals import sentences, status_of
from instruments.rules.wall_time import local_day

SHOWN = 50


@login_required
@require_GET
def wait_list(request: HttpRequest) -> HttpResponse:
    """What one waits for, offers first."""
    return _list(request, None)


def _list(request: HttpRequest, refusal: Refusal | None) -> HttpResponse:
    actor = actor_of(request)
    rows = visible_to(WaitEntry.objects.filter(requested_by_id=actor.user_id), actor)
    rows = rows.select_related("instrument__site", "instrument__organisation", "organisation", "reservation")
    entries = sorted(rows.order_by("-created_at")[:SHOWN], key=lambda entry: entry.state not in ("offered", "waiting"))
    rows_shown = [(entry, _booking_address(entry)) for entry in entries]
    context = {"rows": rows_shown, "problems": sentences(refusal) if refusal else []}
    stands_at(request, "wait_list")
    return render(request, "waiting/list.html", context, status=status_of(refusal) if refusal else 200)


@login_required
@require_http_methods(["GET", "POST"])
def wait_join(request: HttpRequest, pk: int) -> HttpResponse:
    """Wait for a length of time on an instrument between two days."""
    actor, now = actor_of(request), timezone.now()
    context = booking_context.load(actor, pk, lock=False)
    typed = _typed(request, context, now)
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            waiting.join(actor, _wish(context, typed), now)
        except NotFound:
            raise
        except Refusal as refused:
            refusal = refused
        else:
            messages.success(request, _("You are on the list. When the time is free, it is kept for you and you are told."))
            return redirect("wait_list")
    organisations = queries.bookable_organisations(actor)
    page = {
        "instrument": context.instrument,
        "typed": typed,
        "organisations": organisations,
        "modes": context.instrument.service_modes,
        "zone": context.zone.key,
        "problems": sentences(refusal) if refusal else [],
    }
    return render(request, "waiting/join.html", page, status=status_of(refusal) if refusal else 200)


def _typed(request: HttpRequest, context: BookingContext, now: datetime) -> dict[str, str]:
    """The fields as typed, or as they begin: three hours within a week."""
    data = request.POST if request.method == "POST" else request.GET
    today = context.local_day(now)
    usual = {
        "first_on": (today + timedelta(days=1)).isoformat(),
        "last_on": (today + timedelta(days=7)).isoformat(),
        "hours": "3",
        "organisation": "",
        "service_mode": "",
    }
    return {name: str(data.get(name, value)).strip() or value for name, value in usual.items()}


def _wish(context: BookingContext, typed: dict[str, str]) -> Wish:
    """What was typed. Raises Refusal with everything that cannot be read."""
    first, last = read_day(typed["first_on"]), read_day(typed["last_on"])
    reasons = [
        Reason("booking.day_unreadable", {}, name) for name, day in (("first_on", first), ("last_on", last)) if day is None
    ]
    if first is not None and last is not None and last < first:
        reasons.append(Reason("time_search.last_before_first", {}, "last_on"))
    minutes = read_hours(typed["hours"]) or 0
    if not 1 <= minutes <= 31 * 24 * 60:
        reasons.append(Reason("time_search.duration_unreadable", {}, "hours"))
    organisation = typed["organisation"]
    if not (organisation.isascii() and organisation.isdigit() and len(organisation) < 19):
        reasons.append(Reason("booking.organisation_missing", {}, "organisation"))
    if reasons or first is None or last is None:
        raise Refusal(*reasons)
    window = TimeRange(local_day(first, context.zone).starts_at, local_day(last, context.zone).ends_at)
    modes = context.instrument.service_modes
    mode = typed["service_mode"] if typed["service_mode"] in modes else (modes or ["assisted"])[0]
    return Wish(context.instrument.pk, int(organisation), window, minutes, mode)


def _booking_address(entry: WaitEntry) -> str:
    """Where the time on offer can be booked with its price, a card or a project, as any other time; empty while nothing is offered."""
    if entry.state != WaitState.OFFERED or entry.offered is None:
        return ""
    asked = BookingForm(organisation=str(entry.organisation_id), service_mode=entry.service_mode)
    zone = ZoneInfo(entry.instrument.site.time_zone)
    return reverse("reservation_create", args=[entry.instrument_id]) + "?" + asked.at(entry.offered, zone).query()


@login_required
@require_POST
def wait_accept(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the time on offer."""
    return _answer(request, lambda actor, now: waiting.accept(actor, pk, now).reservation_id, _("Taken: the time is yours."))


@login_required
@require_POST
def wait_decline(request: HttpRequest, pk: int) -> HttpResponse:
    """Let the offer pass and wait on."""
    return _answer(request, lambda actor, now: waiting.decline(actor, pk, now), _("Passed on. You are still waiting."))


@login_required
@require_POST
def wait_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Wait no longer."""
    return _answer(request, lambda actor, now: waiting.withdraw(actor, pk, now), _("You are no longer on the list."))


def _answer(request: HttpRequest, act: Callable[[Actor, datetime], Any], success: str) -> HttpResponse:
    try:
        done = act(actor_of(request), timezone.now())
    except NotFound:
        raise
    except Refusal as refusal:
        return _list(request, refusal)
    messages.success(request, success)
    return redirect("reservation_detail", done) if done else redirect("wait_list")
