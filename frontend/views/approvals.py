"""The lab's inbox: requests that wait, one of them in full, approve and reject."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from billing.settlement import reservation_figures
from billing.settlement.reservation_figures import Figures
from booking import licence_queries, queries
from booking.models import Reservation
from booking.queries.spending import awaiting_leader
from booking.services import transitions
from config.kernel.access import Actor, Role
from config.kernel.errors import NotFound, Refusal
from config.kernel.messages import duration_words
from config.kernel.time_range import TimeRange
from frontend import display
from frontend.http import actor_of
from frontend.presenters import assessment
from frontend.refusals import sentences, status_of
from frontend.views.bookings import detail_response, reject_templates
from instruments.models import Organisation, OrganisationStatus
from instruments.rules.wall_time import to_wall

#: More than one person clears in a sitting; the list says how many wait beyond it.
SHOWN_AT_ONCE = 60
REASON_LENGTH = 300


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row of the inbox. ``age`` is how long it has waited, in words."""

    reservation: Reservation
    figures: Figures | None
    age: str
    own: bool
    unverified: bool
    selected: bool
    without_licence: bool
    awaits_leader: bool

    @property
    def waits_for_customer(self) -> bool:
        return self.figures is not None and self.figures.waits_for_customer


@dataclass(frozen=True, slots=True)
class DayRow:
    """What takes (or asks for) time on the instrument's day beside the request. ``overlaps`` the request, or not."""

    words: str
    customer: Organisation | None
    state: str
    selected: bool
    overlaps: bool


@login_required
@require_GET
def approval_inbox(request: HttpRequest) -> HttpResponse:
    """Requests that wait for the actor's labs, one of them opened."""
    return inbox_response(request, timezone.now(), _number(request.GET.get("selected", "")))


def inbox_response(request: HttpRequest, now: datetime, selected_id: int | None, refusal: Refusal | None = None) -> HttpResponse:
    """The inbox with a request opened; with a refusal, its reasons beside that request and its status."""
    actor = actor_of(request)
    actor.require(Role.LAB_MANAGER)
    found = list(queries.approval_inbox(actor).select_related("requested_by")[: SHOWN_AT_ONCE + 1])
    rows, beyond = found[:SHOWN_AT_ONCE], len(found) > SHOWN_AT_ONCE
    opened = next((row for row in rows if row.pk == selected_id), rows[0] if rows else None)
    figures = reservation_figures.figures_of(actor, rows)
    unlicensed = licence_queries.without_licence(rows)
    unagreed = awaiting_leader(actor, rows)
    waiting = [_waiting(actor, row, figures.get(row.pk), opened, now, row.pk in unlicensed, row.pk in unagreed) for row in rows]
    context = {
        "waiting": waiting,
        "beyond": beyond,
        "chosen": selected_id is not None,
        "problems": sentences(refusal) if refusal else [],
        "reject_templates": reject_templates(),
        **(_opened(actor, opened, waiting) if opened else {}),
    }
    return render(request, "approvals/inbox.html", context, status=status_of(refusal) if refusal else 200)


def _waiting(
    actor: Actor,
    row: Reservation,
    figures: Figures | None,
    opened: Reservation | None,
    now: datetime,
    without_licence: bool,
    awaits_leader: bool,
) -> Waiting:
    minutes = max(0, int((now - row.created_at).total_seconds()) // 60)
    return Waiting(
        reservation=row,
        figures=figures,
        age=duration_words(minutes) if minutes < 24 * 60 else _days(minutes // (24 * 60)),
        own=row.requested_by_id == actor.user_id,
        unverified=row.organisation.status != OrganisationStatus.VERIFIED,
        selected=row is opened,
        without_licence=without_licence,
        awaits_leader=awaits_leader,
    )


def _days(count: int) -> str:
    return ngettext("%(count)s day", "%(count)s days", count) % {"count": count}


def _opened(actor: Actor, reservation: Reservation, waiting: list[Waiting]) -> dict[str, Any]:
    zone = ZoneInfo(reservation.instrument.site.time_zone)
    money = reservation_figures.money_of(actor, reservation)
    ids = [row.reservation.pk for row in waiting]
    place = ids.index(reservation.pk)
    shown = money.waiting or money.quote
    return {
        "opened": waiting[place],
        "reservation": reservation,
        "zone": zone.key,
        "day": _day_rows(actor, reservation, zone),
        "money": money,
        "figures": assessment.of_reservation(reservation, shown) if shown else None,
        "previous_id": ids[place - 1] if place else None,
        "next_id": ids[place + 1] if place + 1 < len(ids) else None,
    }


def _day_rows(actor: Actor, reservation: Reservation, zone: ZoneInfo) -> list[DayRow]:
    """Reservations of the day and what the lab itself blocked, in order."""
    rows: list[tuple[TimeRange, Organisation | None, str, bool]] = [
        (other.during, other.organisation, other.state, other.pk == reservation.pk)
        for other in queries.day_of_calendar(actor, reservation, zone)
    ]
    day = to_wall(reservation.starts_at, zone).date()
    for blocked in queries.day_feed(actor, day, zone, [reservation.instrument_id]):
        if blocked.source != "reservation":
            rows.append((TimeRange(blocked.starts_at, blocked.ends_at), None, blocked.source, False))
    return [
        DayRow(
            words=f"{display.in_zone(during.starts_at, zone.key):%H:%M}–{display.in_zone(during.ends_at, zone.key):%H:%M}",
            customer=customer,
            state=state,
            selected=selected,
            overlaps=not selected and during.overlaps(reservation.during),
        )
        for during, customer, state, selected in sorted(rows, key=lambda row: row[0])
    ]


@login_required
@require_POST
def reservation_approve(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve and tell the customer; a conflict or changed figures are shown where the button was pressed."""
    actor, now = actor_of(request), timezone.now()
    try:
        transitions.approve(actor, pk, now)
    except NotFound:
        raise
    except Refusal as refusal:
        return _shown_again(request, pk, now, refusal)
    messages.success(request, _("Approved. The customer gets a mail."))
    return _onwards(request, pk)


@login_required
@require_POST
def reservation_reject(request: HttpRequest, pk: int) -> HttpResponse:
    """Reject with a reason that the customer reads."""
    actor, now = actor_of(request), timezone.now()
    chosen, own = (" ".join(request.POST.get(name, "").replace("\x00", "").split()) for name in ("template", "reason"))
    try:
        transitions.reject(actor, pk, now, " ".join(text for text in (chosen, own) if text)[:REASON_LENGTH])
    except NotFound:
        raise
    except Refusal as refusal:
        return _shown_again(request, pk, now, refusal)
    messages.success(request, _("Rejected. The customer reads your reason in a mail."))
    return _onwards(request, pk)


def _shown_again(request: HttpRequest, pk: int, now: datetime, refusal: Refusal) -> HttpResponse:
    if request.POST.get("from") == "detail" or not actor_of(request).has(Role.LAB_MANAGER):
        return detail_response(request, pk, now, refusal)
    return inbox_response(request, now, pk, refusal)


def _onwards(request: HttpRequest, pk: int) -> HttpResponse:
    """To the next request in the inbox, or back to the reservation's own page."""
    if request.POST.get("from") == "detail":
        return redirect("reservation_detail", pk)
    following = _number(request.POST.get("next_id", ""))
    return redirect(reverse("approval_inbox") + (f"?selected={following}" if following else ""))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
