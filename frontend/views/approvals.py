"""The lab's inbox: requests that wait, one of them in full; deciding one or many, and taking back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from billing.settlement import reservation_figures
from billing.settlement.reservation_figures import Waiting
from booking.models import Reservation
from booking.queries import assistants
from booking.queries import inbox as inbox_queries
from booking.queries.enquiries import begins_on
from booking.queries.inbox import EVERYTHING, Together
from booking.rules.deciding import Risk, Rivals, Verdict
from booking.rules.enquiries import Side
from booking.services import deciders, inbox, reject_reasons
from booking.services.context import policy_for
from booking.services.deciding_many import Outcome
from booking.services.inbox import Rivalry, Wish
from config.kernel.access import Actor, Role, visible_to
from config.kernel.errors import NotFound, Refusal
from frontend.booking_form import read_id, seen_time, seen_times
from frontend.http import actor_of, stands_at
from frontend.inbox_form import (
    Report,
    failed_of,
    number,
    numbers,
    page_status,
    report_of,
    said_of,
    say_taken_back,
    verdict_of,
    why_of,
)
from frontend.inbox_way import InboxWay
from frontend.presenters import assessment
from frontend.presenters.deciders import decided_by_or_why_not
from frontend.presenters.inbox import Row, day_rows, row_of, undo_of
from frontend.views.bookings import detail_response


@login_required
@require_GET
def approval_inbox(request: HttpRequest) -> HttpResponse:
    """Requests that wait for the actor's labs, one of them opened."""
    return inbox_response(request, timezone.now(), number(request.GET.get("selected", "")))


def inbox_response(
    request: HttpRequest,
    now: datetime,
    selected_id: int | None,
    refusal: Refusal | None = None,
    report: Report | None = None,
    checked: Iterable[int] = (),
    naming: Sequence[Rivalry] = (),
) -> HttpResponse:
    """The inbox with a request opened, of all or (``series``, ``group`` in the address) of what was asked for together, which is chosen
    then; with a refusal, its reasons beside that request and its status; with a report, what became of
    several and which of them stay chosen. ``naming``: who would be declined with those that are chosen, before they are approved."""
    actor = actor_of(request)
    deciders.require_inbox(actor)
    page = number(request.GET.get("page", "") or request.POST.get("page", "")) or 1
    together = Together(*(number(request.GET.get(name, "") or request.POST.get(name, "")) for name in ("series", "group")))
    found = inbox_queries.inbox(actor, now, page, together)
    if together.filters and not found.rows:
        together, found = EVERYTHING, inbox_queries.inbox(actor, now, page)
    opened = next((one.reservation for one in found.rows if one.reservation.pk == selected_id), None)
    opened = opened or (found.rows[0].reservation if found.rows else None)
    ids = [one.reservation.pk for one in found.rows]
    figures, quotes = reservation_figures.quoted_and_opened(actor, ids, opened.pk if opened else None)
    chosen = {*checked, *(one.reservation.pk for one in found.rows if together.filters and not one.own)}
    rows = [row_of(one, figures.get(one.reservation.pk), opened, chosen) for one in found.rows]
    context = {
        "others": found.beside if actor.has(Role.LAB_MANAGER) else None,
        "found": found,
        "together": together,
        "together_query": _together_query(together),
        "rows": rows,
        "overdue": sum(row.pending.overdue for row in rows),
        "some_compete": any(not policy_for(row.reservation.instrument).pending_blocks for row in rows),
        "undo": undo_of(actor, now),
        "report": report,
        "naming": _naming(request.POST, checked, naming) if naming else None,
        "chosen": selected_id is not None,
        **said_of(request.POST, refusal, visible_to(Reservation.objects.filter(pk=selected_id or 0).exclude(pk__in=ids), actor)),
        "reject_templates": reject_reasons.offered(actor) if rows else [],
        **(_opened(actor, opened, quotes, rows, found.page) if opened else {}),
    }
    stands_at(request, "approval_inbox")
    return render(request, "approvals/inbox.html", context, status=page_status(refusal, report))


@dataclass(frozen=True, slots=True)
class Naming:
    """What the page asks before several are approved: who would be declined with them. ``seen``: the chosen ones, each with the time that
    was looked at (empty: none was told)."""

    rivalries: Sequence[Rivalry]
    seen: list[tuple[int, str]]

    @property
    def rivals(self) -> list[Reservation]:
        return [rival for one in self.rivalries for rival in one.rivals]


def _naming(data: QueryDict, chosen: Iterable[int], rivalries: Sequence[Rivalry]) -> Naming:
    return Naming(rivalries, [(pk, data.get(f"seen-{pk}", "")) for pk in chosen])


def _together_query(together: Together) -> str:
    """What the addresses of the page go on with where only what was asked for together is shown."""
    return "".join(f"&{name}={pk}" for name, pk in (("series", together.series_id), ("group", together.group_id)) if pk)


def _opened(actor: Actor, reservation: Reservation, quotes: Waiting, rows: Sequence[Row], page: int) -> dict[str, Any]:
    zone = ZoneInfo(reservation.instrument.site.time_zone)
    accepted, waiting = quotes
    ids = [row.reservation.pk for row in rows]
    place = ids.index(reservation.pk)
    opened = rows[place]
    shown = waiting or accepted
    day = day_rows(actor, reservation, zone)
    person, organisation = inbox_queries.histories(actor, reservation)
    return {
        "opened": opened,
        "reservation": reservation,
        "zone": zone.key,
        "day": day,
        "assisted_by": assistants.names_of([reservation]).get(reservation.pk, ""),
        **_rivals_shown(actor, reservation, opened),
        "asks_customer": _asks_customer(actor, reservation),
        "decided_by": decided_by_or_why_not(deciders.of_request(reservation)) if opened.pending.own else "",
        "person_history": person,
        "organisation_history": organisation,
        "figures": assessment.of_reservation(reservation, shown, whole=True) if shown else None,
        "previous_id": ids[place - 1] if place else None,
        "next_id": (next_id := ids[place + 1] if place + 1 < len(ids) else None),
        "way": InboxWay(next_id, page),
    }


def _rivals_shown(actor: Actor, reservation: Reservation, opened: Row) -> dict[str, Any]:
    """The others that want the time, and whether they are declined by itself when it is approved (``compete``)."""
    compete = not policy_for(reservation.instrument).pending_blocks
    looked_for = compete or Risk.CONFLICT in opened.pending.risks
    return {"compete": compete, "rivals": inbox.rivals_of(actor, reservation.pk) if looked_for else []}


def _asks_customer(actor: Actor, reservation: Reservation) -> bool:
    parties = (reservation.organisation_id, reservation.instrument.organisation_id)
    return begins_on(actor, *parties, reservation.requested_by_id) is Side.LAB


# --- One request ---------------------------------------------------------------------------------------------------------
@login_required
@require_POST
def reservation_approve(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve; a conflict or changed figures are shown where the button was pressed. Others that want the time and could not be declined
    are reported."""
    actor, now = actor_of(request), timezone.now()
    try:
        assistant_id = read_id(request.POST.get("assistant", "")) or None
        wish = Wish(Verdict.APPROVE, assistant_id=assistant_id, rivals=_rivals(request.POST))
        outcome = inbox.decide(actor, pk, wish, now, seen=seen_time(request.POST))
    except NotFound:
        raise
    except Refusal as refusal:
        return _shown_again(request, pk, now, refusal)
    if any(one.refusal for one in outcome.rivals):
        return _reported(request, actor, [outcome], now)
    return _onwards(request, pk)


def _rivals(data: QueryDict) -> Rivals | None:
    """What the pressed button says about the others that want the time; None: as the lab's rules have it."""
    said = data.get("rivals", "")
    return Rivals(said) if said in set(Rivals) else None


@login_required
@require_POST
def reservation_reject(request: HttpRequest, pk: int) -> HttpResponse:
    """Reject with a reason that the customer reads."""
    actor, now = actor_of(request), timezone.now()
    try:
        inbox.decide(actor, pk, Wish(Verdict.REJECT, why_of(request.POST)), now)
    except NotFound:
        raise
    except Refusal as refusal:
        return _shown_again(request, pk, now, refusal)
    return _onwards(request, pk)


def _shown_again(request: HttpRequest, pk: int, now: datetime, refusal: Refusal) -> HttpResponse:
    if request.POST.get("from") == "detail" or not deciders.has_inbox(actor_of(request)):
        return detail_response(request, pk, now, refusal)
    return inbox_response(request, now, pk, refusal)


def _onwards(request: HttpRequest, pk: int) -> HttpResponse:
    """To the next request in the inbox, or back to the reservation's own page."""
    if request.POST.get("from") == "detail":
        return redirect("reservation_detail", pk)
    return redirect(_address(number(request.POST.get("next_id", "")), number(request.POST.get("page", ""))))


def _address(selected: int | None = None, page: int | None = None) -> str:
    """The inbox with that request opened on that page of it."""
    return InboxWay(selected, page or 1).address


# --- Several at once -----------------------------------------------------------------------------------------------------
@login_required
@require_POST
def approval_decide(request: HttpRequest) -> HttpResponse:
    """Approve or reject all that were chosen; those that failed stay chosen, with what stood in the way.

    Where others would be declined with what is approved, the page names them first; who joined them since it did is named too before
    anything is decided."""
    actor, now = actor_of(request), timezone.now()
    ids = numbers(request.POST.getlist("chosen"))
    verdict = verdict_of(request.POST)
    deciders.require_inbox(actor)
    try:
        wish = Wish(verdict, why_of(request.POST), rivals=_rivals(request.POST))
        if verdict is Verdict.APPROVE and wish.rivals is not Rivals.KEEP:
            rivalries = inbox.rivals_of_all(actor, ids)
            named = set(numbers(request.POST.getlist("named")))
            if not named.issuperset(rival.pk for one in rivalries for rival in one.rivals):
                return inbox_response(request, now, None, checked=ids, naming=rivalries)
        outcomes = inbox.decide_all(actor, ids, wish, now, seen=seen_times(request.POST, ids))
    except Refusal as refusal:
        return inbox_response(request, now, None, refusal, checked=ids)
    return _reported(request, actor, outcomes, now)


@login_required
@require_POST
def approval_take_back(request: HttpRequest) -> HttpResponse:
    """Take back what was decided a moment ago."""
    actor, now = actor_of(request), timezone.now()
    ids = numbers(request.POST.getlist("chosen"))
    deciders.require_inbox(actor)
    try:
        outcomes = inbox.take_back_all(actor, ids, now)
    except Refusal as refusal:
        return inbox_response(request, now, None, refusal)
    if any(one.refusal for one in outcomes):
        return _reported(request, actor, outcomes, now)
    say_taken_back(request, len(outcomes))
    return redirect("reservation_detail", ids[0]) if request.POST.get("from") == "detail" else redirect(_address(ids[0]))


def _reported(request: HttpRequest, actor: Actor, outcomes: Sequence[Outcome], now: datetime) -> HttpResponse:
    failed = failed_of(outcomes)
    if not failed:
        return redirect(_address(page=number(request.POST.get("page", ""))))
    rows = visible_to(Reservation.objects.filter(pk__in=failed), actor)
    report = report_of(outcomes, {row.pk: row.reference for row in rows.only("pk", "created_at")})
    return inbox_response(request, now, failed[0], report=report, checked=failed)
