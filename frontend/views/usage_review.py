"""What both sides do with the use of a booking once it is over: agree, ask for other times, dispute, answer, decide, close."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from booking import queries
from booking.queries import usage as usage_queries
from booking.services import close_out, usage_review
from booking.services.close_out import Closing
from config.kernel.access import Actor, get_visible
from config.kernel.errors import NotFound, Refusal
from config.kernel.time_range import TimeRange
from frontend.booking_form import BookingForm, read_day
from frontend.http import actor_of
from frontend.presenters.usage import OUTCOMES, PROBLEMS
from frontend.views.bookings import detail_response

PER_PAGE = 30


@login_required
@require_GET
def session_reviews(request: HttpRequest) -> HttpResponse:
    """Sessions of the owner's instruments that are over and not agreed."""
    actor = actor_of(request)
    actor.require(*usage_queries.OWNER_ROLES)
    page = Paginator(usage_queries.to_review(actor), PER_PAGE).get_page(request.GET.get("page"))
    rows = [(one, OUTCOMES[one.session.outcome]) for one in page.object_list]
    context = {
        "page": page,
        "rows": rows,
        "now": timezone.now(),
        "problems_waiting": usage_queries.problem_count(actor),
        "problem_words": PROBLEMS,
    }
    return render(request, "sessions/reviews.html", context)


@login_required
@require_POST
def usage_agree(request: HttpRequest, pk: int) -> HttpResponse:
    """Say yes for one's side."""

    def act(actor: Actor, now: datetime) -> str:
        if usage_review.agree(actor, pk, now):
            return _("Agreed. The charge is made.")
        return _("Noted. It is charged once the other side agrees, or when the time for it is over.")

    return acted(request, pk, act)


@login_required
@require_POST
def usage_adjust(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for other times, or that nothing is charged."""

    def act(actor: Actor, now: datetime) -> str:
        usage_review.ask_adjustment(actor, pk, _proposed(request, actor, pk), request.POST.get("reason", ""), now)
        return _("Sent. The lab answers; nothing is charged before.")

    return acted(request, pk, act)


@login_required
@require_POST
def usage_charge_less(request: HttpRequest, pk: int) -> HttpResponse:
    """The lab charges for a part of what stands there, or for nothing."""

    def act(actor: Actor, now: datetime) -> str:
        if usage_review.charge_less(actor, pk, _proposed(request, actor, pk), request.POST.get("reason", ""), now):
            return _("Agreed. The charge is made.")
        return _("Noted, and the customer is told. It is charged once they agree, or when the time for it is over.")

    return acted(request, pk, act)


def _proposed(request: HttpRequest, actor: Actor, pk: int) -> TimeRange | None:
    """The times of the form, in the zone of the site; None where nothing is to be charged. Raises Refusal for what cannot be read."""
    reservation = get_visible(queries.reservations_visible(actor), actor, pk=pk)
    if request.POST.get("nothing") == "yes":
        return None
    return BookingForm.read(request.POST).during(ZoneInfo(reservation.instrument.site.time_zone))


@login_required
@require_POST
def usage_answer(request: HttpRequest, pk: int) -> HttpResponse:
    """The lab accepts what the customer proposed, or says why not."""

    def act(actor: Actor, now: datetime) -> str:
        if request.POST.get("answer_is") == "accept":
            usage_review.accept_adjustment(actor, pk, now)
            return _("Accepted. The charge is made.")
        usage_review.refuse_adjustment(actor, pk, request.POST.get("answer", ""), now)
        return _("Declined. The customer has been told and may agree or dispute.")

    return acted(request, pk, act)


@login_required
@require_POST
def usage_dispute(request: HttpRequest, pk: int) -> HttpResponse:
    """Do not agree."""

    def act(actor: Actor, now: datetime) -> str:
        usage_review.dispute(actor, pk, request.POST.get("reason", ""), now)
        return _("Disputed. Somebody of the lab who had no part in it decides.")

    return acted(request, pk, act)


@login_required
@require_POST
def usage_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Decide a dispute."""

    def act(actor: Actor, now: datetime) -> str:
        usage_review.decide(actor, pk, request.POST.get("decision", ""), request.POST.get("reason", ""), now)
        return _("Decided. The charge is made, and both sides read your reason.")

    return acted(request, pk, act)


@login_required
@require_POST
def usage_close_out(request: HttpRequest, pk: int) -> HttpResponse:
    """Report, tests done again, quality grade."""

    def act(actor: Actor, now: datetime) -> str:
        close_out.close(actor, pk, _closing(request), now)
        return _("Saved.")

    return acted(request, pk, act)


@login_required
@require_POST
def usage_confirm_grade(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm the grade as a second person."""

    def act(actor: Actor, now: datetime) -> str:
        close_out.confirm_grade(actor, pk, now)
        return _("Confirmed.")

    return acted(request, pk, act)


def _closing(request: HttpRequest) -> Closing:
    """Raises Refusal for what cannot be read."""
    given = request.POST

    def day(name: str) -> date | None:
        text = given.get(name, "").strip()
        found = read_day(text) if text else None
        if text and found is None:
            raise Refusal.of("booking.day_unreadable", name)
        return found

    retests = given.get("retests", "").strip() or "0"
    if not (retests.isascii() and retests.isdigit() and len(retests) < 6):
        raise Refusal.of("close_out.retests", "retests", maximum=close_out.MOST_RETESTS)
    return Closing(day("report_due_on"), day("reported_on"), int(retests), given.get("note", ""), given.get("grade", ""))


def acted(request: HttpRequest, pk: int, act: Callable[[Actor, datetime], str]) -> HttpResponse:
    """Do it and come back to the booking, or to the list it was done from; a refusal is shown on the booking's page."""
    actor, now = actor_of(request), timezone.now()
    try:
        said = act(actor, now)
    except NotFound:
        raise
    except Refusal as refusal:
        return detail_response(request, pk, now, refusal)
    messages.success(request, said)
    if request.POST.get("from") == "reviews":
        return redirect("session_reviews")
    if request.POST.get("from") == "today":
        day = read_day(request.POST.get("date", ""))
        kept = {"date": day.isoformat()} if day else {}
        return redirect(f"{reverse('sessions_today')}?{urlencode(kept | {'done': pk})}#session-{pk}")
    return redirect(f"{reverse('reservation_detail', args=[pk])}#session-title")
