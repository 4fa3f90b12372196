"""A lab's other calendars, whose events block time on an instrument."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from booking import calendar_queries
from booking.models import CalendarSubscription
from booking.services import subscriptions
from config.kernel.access import Role
from config.kernel.api.problems import status_of
from config.kernel.errors import Forbidden, Refusal
from config.kernel.messages import sentence
from frontend.calendar_forms import SubscriptionForm
from frontend.forms import refusal_to_form
from frontend.http import actor_of, is_fragment
from instruments import queries

POLL_SECONDS = 2


@login_required
@require_http_methods(["GET", "POST"])
def subscription_list(request: HttpRequest, pk: int) -> HttpResponse:
    """The calendars that an instrument follows, where they clash with bookings, and one more to follow."""
    actor, now = actor_of(request), timezone.now()
    instrument = queries.instrument_for(actor, pk)
    if not queries.may_manage(actor, instrument):
        raise Forbidden.of("access.role_needed", roles=[Role.LAB_MANAGER.value])
    form = SubscriptionForm(request.POST if request.method == "POST" else None)
    status = 422 if request.method == "POST" else 200
    if request.method == "POST" and form.is_valid():
        try:
            subscriptions.subscribe(actor, pk, form.cleaned_data["address"], form.cleaned_data["title"], now)
        except Refusal as refusal:
            refusal_to_form(form, refusal)
            status = status_of(refusal)
        else:
            messages.success(request, _("The calendar is added. It is being read now."))
            return redirect("instrument_calendars", pk)
    rows = [_shown(one, now) for one in calendar_queries.subscriptions_of(actor, instrument)]
    context = {
        "instrument": instrument,
        "zone": instrument.site.time_zone,
        "form": form,
        "rows": rows,
        "waiting": any(row["state"] == "waiting" for row in rows),
        "overlaps": calendar_queries.overlaps_of(actor, instrument, now),
        "poll_seconds": POLL_SECONDS,
    }
    template = "calendars/_subscriptions.html" if is_fragment(request) and request.method == "GET" else "calendars/list.html"
    return render(request, template, context, status=status)


@login_required
@require_POST
def subscription_refresh(request: HttpRequest, pk: int) -> HttpResponse:
    """Read it now."""
    subscription = subscriptions.refresh_now(actor_of(request), pk, timezone.now())
    return redirect("instrument_calendars", subscription.instrument_id)


@login_required
@require_POST
def subscription_switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Pause it, or go on."""
    on = request.POST.get("enabled") == "1"
    subscription = subscriptions.set_enabled(actor_of(request), pk, on, timezone.now())
    words = _("%(title)s is read again.") if on else _("%(title)s is paused. The time that it took is free.")
    messages.success(request, words % {"title": subscription.title})
    return redirect("instrument_calendars", subscription.instrument_id)


@login_required
@require_POST
def subscription_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """No longer follow it."""
    subscription = subscriptions.remove(actor_of(request), pk, timezone.now())
    messages.success(request, _("%(title)s is removed. The time that it took is free.") % {"title": subscription.title})
    return redirect("instrument_calendars", subscription.instrument_id)


def _shown(subscription: CalendarSubscription, now: datetime) -> dict[str, Any]:
    """A subscription with its state, its fault in words and the events that could not be read."""
    fault = sentence(subscription.fault_code, subscription.fault_params) if subscription.fault_code else ""
    unread = [(line, title, sentence(code, params)) for line, title, code, params in subscription.unread]
    host = urlsplit(subscription.address).hostname or ""
    return {"subscription": subscription, "state": _state(subscription, now), "fault": fault, "unread": unread, "host": host}


def _state(subscription: CalendarSubscription, now: datetime) -> str:
    if not subscription.enabled:
        return "paused"
    if subscription.last_fetched_at is None or subscription.due_at <= now:
        return "waiting"
    return "fault" if subscription.fault_code else "ok"
