"""Who assists: the people of an instrument, one person's hours, absences and sessions, and giving a session to somebody else."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from booking.models import Assistant
from booking.queries import assistants as queries
from booking.queries.unassisted import unassisted
from booking.services import assistants
from config.kernel.access import Actor
from config.kernel.api.problems import status_of
from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.time_range import TimeRange
from frontend.assisting_forms import AbsenceForm, NameForm
from frontend.booking_form import read_id
from frontend.hours_forms import WeekForm
from frontend.http import actor_of, stands_at
from frontend.instrument_forms import add_refusal
from frontend.presenters.hours import week_words
from frontend.refusals import sentences
from frontend.views.bookings import detail_response
from frontend.views.instruments import managed
from instruments.rules.wall_time import end_instant, refuse_year, start_instant


@login_required
@require_http_methods(["GET", "POST"])
def instrument_assistants(request: HttpRequest, pk: int) -> HttpResponse:
    """Who may assist on an instrument; POST adds somebody."""
    actor = actor_of(request)
    if request.method == "GET":
        return _people_page(request, actor, pk)
    form = NameForm(queries.candidates(actor, managed(actor, pk)), request.POST)
    if not form.is_valid():
        return _people_page(request, actor, pk, form, status=422)
    try:
        row = assistants.name(actor, pk, form.cleaned_data["person"], timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        add_refusal(form, refusal)
        return _people_page(request, actor, pk, form, status=status_of(refusal))
    messages.success(request, _("%(person)s may assist here. Say when they work.") % {"person": row.assistant.person})
    return redirect("instrument_assistants", pk)


@login_required
@require_POST
def instrument_assistant_remove(request: HttpRequest, pk: int, assistant: int) -> HttpResponse:
    """Somebody no longer assists on an instrument."""
    actor = actor_of(request)
    try:
        assistants.unname(actor, pk, assistant, timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return _people_page(request, actor, pk, problems=sentences(refusal), status=status_of(refusal))
    messages.success(request, _("Done. What is over stays theirs."))
    return redirect("instrument_assistants", pk)


def _people_page(
    request: HttpRequest,
    actor: Actor,
    pk: int,
    form: NameForm | None = None,
    problems: list[str] | None = None,
    status: int = 200,
) -> HttpResponse:
    instrument = managed(actor, pk)
    people = queries.candidates(actor, instrument)
    context = {
        "instrument": instrument,
        "unassisted": unassisted(actor, timezone.now()).filter(instrument=instrument).count(),
        "named": [(one, week_words(one.windows)) for one in queries.of_instrument(actor, instrument)],
        "form": form or NameForm(people),
        "has_candidates": bool(people),
        "problems": problems or [],
    }
    stands_at(request, "instrument_assistants", pk)
    return render(request, "assisting/people.html", context, status=status)


@login_required
@require_GET
def assisting(request: HttpRequest) -> HttpResponse:
    """The sessions that the actor assists in, with their hours and absences."""
    actor, now = actor_of(request), timezone.now()
    own = queries.own(actor)
    if own is None:
        return render(request, "assisting/none.html")
    return _person_page(request, actor, own, now)


@login_required
@require_http_methods(["GET", "POST"])
def assistant_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One person's calendar, for themselves and for their lab's managers; POST sets the week (``action=hours``) or adds an absence."""
    actor, now = actor_of(request), timezone.now()
    assistant = queries.assistant_for(actor, pk)
    if request.method == "GET":
        return _person_page(request, actor, assistant, now)
    is_week = request.POST.get("action") == "hours"
    form = WeekForm([], request.POST) if is_week else AbsenceForm(request.POST)
    status = 422
    if form.is_valid():
        try:
            if isinstance(form, WeekForm):
                assistants.set_hours(actor, pk, form.windows(), now)
            else:
                during = _during(form, ZoneInfo(assistant.time_zone))
                assistants.add_absence(actor, pk, during, form.cleaned_data["note"], now)
        except (NotFound, Forbidden):
            raise
        except Refusal as refusal:
            add_refusal(form, refusal)
            status = status_of(refusal)
        else:
            messages.success(request, _("Kept. Sessions are given by it from now on."))
            return redirect("assistant_detail", pk)
    return _person_page(request, actor, assistant, now, form, status)


@login_required
@require_POST
def assistant_absence_remove(request: HttpRequest, pk: int, occupancy: int) -> HttpResponse:
    """The person is there after all."""
    assistants.remove_absence(actor_of(request), pk, occupancy, timezone.now())
    messages.success(request, _("Removed. Sessions can be given for this time again."))
    return redirect("assistant_detail", pk)


def _person_page(
    request: HttpRequest,
    actor: Actor,
    assistant: Assistant,
    now: datetime,
    form: WeekForm | AbsenceForm | None = None,
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {
        "assistant": assistant,
        "is_own": assistant.person_id == actor.user_id,
        "zone": assistant.time_zone,
        "sessions": queries.sessions_of(actor, assistant, now),
        "absences": queries.absences_of(assistant, now),
        "week_form": form if isinstance(form, WeekForm) else WeekForm(queries.hours_of(assistant)),
        "absence_form": form if isinstance(form, AbsenceForm) else AbsenceForm(),
    }
    stands_at(request, "assistant_detail", assistant.pk)
    return render(request, "assisting/person.html", context, status=status)


def _during(form: AbsenceForm, zone: ZoneInfo) -> TimeRange:
    """The time that was typed. Raises Refusal ``calendar.year_out_of_range``, ``booking.range_invalid``."""
    starts, ends = form.cleaned_data["starts_local"], form.cleaned_data["ends_local"]
    for name, wall in (("starts_local", starts), ("ends_local", ends)):
        refuse_year(wall, name)
    starts_at, ends_at = start_instant(starts, zone), end_instant(ends, zone)
    if starts_at >= ends_at:
        raise Refusal.of("booking.range_invalid", "ends_at")
    return TimeRange(starts_at, ends_at)


@login_required
@require_POST
def reservation_assistant(request: HttpRequest, pk: int) -> HttpResponse:
    """The lab gives the session to somebody else."""
    now = timezone.now()
    try:
        name = assistants.choose(actor_of(request), pk, read_id(request.POST.get("assistant", "")), now)
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return detail_response(request, pk, now, refusal)
    messages.success(request, _("%(person)s assists in this session.") % {"person": name})
    return redirect("reservation_detail", pk)
