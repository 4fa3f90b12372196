"""What a group's leader agrees to, and putting a booking on another fund card."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from billing.cards import queries as balances
from booking.models import LeaderApproval
from booking.queries import spending
from booking.rules.states import ReservationState
from booking.services import leader_answers
from config.kernel.errors import NotFound, Reason, Refusal
from frontend.booking_form import read_id
from frontend.http import actor_of, stands_at
from frontend.refusals import say_refusal, sentences, status_of
from frontend.views.bookings import detail_response

SHOWN_AT_ONCE = 60
ANSWERED_SHOWN = 20
REASON_LENGTH = 300


@dataclass(frozen=True, slots=True)
class SeriesAsked:
    """The times of a series that wait, and what they cost together, in fen."""

    series_id: int
    rows: Sequence[LeaderApproval]
    total_fen: int


@login_required
@require_GET
def leader_inbox(request: HttpRequest) -> HttpResponse:
    """What waits for the actor as the leader of a group, and what was answered last."""
    return _inbox(request)


def _inbox(request: HttpRequest, pk: int = 0, refusal: Refusal | None = None) -> HttpResponse:
    """With a refusal, its reasons at the question that was answered, and what was typed."""
    actor = actor_of(request)
    found = list(spending.waiting_for(actor)[: SHOWN_AT_ONCE + 1])
    rows = found[:SHOWN_AT_ONCE]
    left = balances.balances(actor, [card for row in rows if (card := row.card)])
    context = {
        "rows": [(row, left.get(card.pk) if (card := row.card) else None) for row in rows],
        "series": _series(rows),
        "beyond": len(found) > SHOWN_AT_ONCE,
        "answered": spending.answered_by(actor)[:ANSWERED_SHOWN],
        "refused_pk": pk,
        "typed": request.POST.get("reason", "")[: 2 * REASON_LENGTH],
        "problems": sentences(refusal) if refusal else [],
        "leads": spending.leads_a_group(actor),
    }
    stands_at(request, "leader_inbox")
    return render(request, "groups/inbox.html", context, status=status_of(refusal) if refusal else 200)


def _series(rows: Sequence[LeaderApproval]) -> list[SeriesAsked]:
    """Series of which more than one time waits, to be answered together."""
    found: dict[int, list[LeaderApproval]] = defaultdict(list)
    for row in rows:
        if row.reservation is not None and row.reservation.series_id is not None:
            found[row.reservation.series_id].append(row)
    return [SeriesAsked(pk, each, sum(row.asked_fen for row in each)) for pk, each in found.items() if len(each) > 1]


@login_required
@require_POST
def leader_answer_all(request: HttpRequest) -> HttpResponse:
    """All that was shown together, each by itself; what could not be answered stays and says why."""
    actor, now, agrees = actor_of(request), timezone.now(), request.POST.get("answer") == "agree"
    chosen = [pk for text in request.POST.getlist("approval") if (pk := read_id(text))]
    try:
        reason = request.POST.get("reason", "").replace("\x00", "")
        found = leader_answers.answer_all(actor, chosen, agrees, now, reason)
    except Refusal as refusal:
        return _inbox(request, -1, refusal)
    done = sum(one.refusal is None for one in found)
    if done:
        words = _("%(count)s agreed to.") if agrees else _("%(count)s declined.")
        messages.success(request, words % {"count": done})
    for one in found:
        if one.refusal is not None:
            say_refusal(request, one.refusal)
    return redirect("leader_inbox")


@login_required
@require_POST
def leader_agree(request: HttpRequest, pk: int) -> HttpResponse:
    """The leader agrees."""
    try:
        state = leader_answers.agree(actor_of(request), pk, timezone.now())
    except NotFound:
        raise
    except Refusal as refusal:
        return _inbox(request, pk, refusal)
    booked = state == ReservationState.APPROVED
    messages.success(request, _("Agreed: it is booked.") if booked else _("Agreed. Now the lab decides."))
    return redirect("leader_inbox")


@login_required
@require_POST
def leader_decline(request: HttpRequest, pk: int) -> HttpResponse:
    """The leader does not agree, with a reason that the requester reads."""
    try:
        leader_answers.decline(actor_of(request), pk, timezone.now(), request.POST.get("reason", "").replace("\x00", ""))
    except NotFound:
        raise
    except Refusal as refusal:
        return _inbox(request, pk, refusal)
    messages.success(request, _("Declined. Your colleague reads your reason."))
    return redirect("leader_inbox")


@login_required
@require_POST
def reservation_card(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a booking on another card."""
    actor, now = actor_of(request), timezone.now()
    text = request.POST.get("fund_card", "")
    try:
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            raise Refusal(Reason("card.choose", {}, "fund_card"))
        leader_answers.choose_card(actor, pk, int(text), now)
    except NotFound:
        raise
    except Refusal as refusal:
        return detail_response(request, pk, now, refusal)
    messages.success(request, _("The booking is on the other card now."))
    return redirect("reservation_detail", pk)
