"""The lab suggests other times for a request: the nearest that are free, or one of its own; the customer takes one with one press."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from booking import queries
from booking.models import Reservation
from booking.rules.changes import Side
from booking.services import changes
from booking.services.changes import MOST_TIMES, ChangeRequest
from booking.services.sides import require_lab
from config.kernel.access import Actor, get_visible
from config.kernel.errors import NotFound, Refusal
from config.kernel.time_range import TimeRange
from frontend.booking_form import BookingForm, read_key, require_range
from frontend.http import actor_of
from frontend.inbox_way import InboxWay
from frontend.presenters.quote import range_words
from frontend.refusals import sentences, status_of

OFFERED = 6


@dataclass(frozen=True, slots=True)
class Offer:
    """A free time on offer: ``value`` is what its box sends."""

    value: str
    words: str
    checked: bool


@login_required
@require_http_methods(["GET", "POST"])
def reservation_suggest(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose up to three times and say why; then ask the customer."""
    actor, now = actor_of(request), timezone.now()
    reservation = get_visible(queries.reservations_visible(actor), actor, pk=pk)
    require_lab(reservation, actor)
    if request.method == "GET":
        return _shown(request, actor, reservation, now, None)
    try:
        _suggest(request, actor, reservation, now)
    except NotFound:
        raise
    except Refusal as refusal:
        return _shown(request, actor, reservation, now, refusal)
    messages.success(request, _("Suggested. The customer takes one of the times with one press; until then they are kept."))
    return redirect((InboxWay.read(request.GET) or InboxWay()).address)


def _suggest(request: HttpRequest, actor: Actor, reservation: Reservation, now: datetime) -> None:
    zone = ZoneInfo(reservation.instrument.site.time_zone)
    own = BookingForm.read(request.POST)
    times = [require_range(text) for text in request.POST.getlist("time")[: MOST_TIMES + 1]]
    if own.on or own.from_time or own.to_time:
        times.append(own.during(zone))
    if not times:
        raise Refusal.of("change.no_time", field="time")
    first, *others = sorted(set(times))
    reason = request.POST.get("reason", "").replace("\x00", "")
    asked = ChangeRequest(reservation.pk, first, reason=reason, others=tuple(others), side=Side.LAB)
    changes.change(actor, asked, now, idempotency_key=read_key(request.POST))


def _shown(request: HttpRequest, actor: Actor, reservation: Reservation, now: datetime, refusal: Refusal | None) -> HttpResponse:
    zone = ZoneInfo(reservation.instrument.site.time_zone)
    typed = request.method == "POST"
    chosen = set(request.POST.getlist("time"))
    free = queries.free_instead(actor, reservation, now, OFFERED)
    context = {
        "reservation": reservation,
        "zone": zone.key,
        "offers": _offers(free, zone, chosen if typed else None),
        "form": BookingForm.read(request.POST),
        "reason": request.POST.get("reason", "") if typed else _usual_reason(reservation),
        "key": read_key(request.POST) or str(uuid4()),
        "most": MOST_TIMES,
        "back_to": InboxWay(reservation.pk, (InboxWay.read(request.GET) or InboxWay()).page).address,
        "problems": sentences(refusal) if refusal else [],
    }
    return render(request, "approvals/suggest.html", context, status=status_of(refusal) if refusal else 200)


def _offers(free: Sequence[TimeRange], zone: ZoneInfo, chosen: set[str] | None) -> list[Offer]:
    """The nearest times; until somebody chose, as many as may be proposed are ticked."""
    offers = []
    for place, during in enumerate(free):
        value = "/".join(end.astimezone(zone).isoformat() for end in (during.starts_at, during.ends_at))
        offers.append(Offer(value, range_words(during, zone.key), place < MOST_TIMES if chosen is None else value in chosen))
    return offers


def _usual_reason(reservation: Reservation) -> str:
    """What most labs would write, in the language of who asked."""
    with translation.override(reservation.requested_by.language or None):
        return _("The time you asked for does not work for us. One of these would.")
