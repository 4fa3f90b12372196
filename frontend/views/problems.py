"""Reporting what is wrong with an instrument, and the lab's list of reports."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from booking.models import Reservation
from booking.services import session_faults
from config.kernel.access import Actor
from config.kernel.api.problems import status_of
from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.services import files
from frontend.booking_form import read_id
from frontend.http import actor_of, stands_at
from frontend.instrument_forms import ProblemForm, add_refusal
from frontend.refusals import sentences
from frontend.states import look_of
from instruments import queries
from instruments.models import InstrumentStatus
from instruments.queries import records
from instruments.services import problems, uploads

PER_PAGE = 20


@login_required
@require_http_methods(["GET", "POST"])
def problem_report(request: HttpRequest, pk: int) -> HttpResponse:
    """Tell the lab what is wrong, with a photo where it helps."""
    actor = actor_of(request)
    instrument = queries.instrument_for(actor, pk)
    session = _session(actor, request, pk)
    form = ProblemForm(request.POST, request.FILES) if request.method == "POST" else ProblemForm(initial=_about(session))
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            file = form.cleaned_data["file"]
            try:
                photo = uploads.received(file) if file is not None else None
                said, told = form.cleaned_data["text"], session.pk if session is not None else None
                session_faults.report(actor, pk, said, timezone.now(), photo, told)
            except Refusal as refusal:
                add_refusal(form, refusal)
                status = status_of(refusal)
            else:
                messages.success(request, _("Thank you. The lab has been told, and you get a mail when it answers."))
                return redirect("instrument_detail", pk)
    context = {
        "instrument": instrument,
        "form": form,
        "known": records.known_problems(actor, instrument),
        "told": session.requested_by if session is not None and session_faults.is_for_others(actor, session) else None,
    }
    return render(request, "problems/report.html", context, status=status)


def _session(actor: Actor, request: HttpRequest, instrument_id: int) -> Reservation | None:
    """The session that is meant (``?session=``); None where none is, or none of the instrument that the actor sees."""
    asked = read_id(request.GET.get("session", ""))
    return session_faults.session_of(actor, asked, instrument_id) if asked else None


def _about(session: Reservation | None) -> dict[str, str]:
    """What a report about a session begins with."""
    if session is None:
        return {}
    named = {"reference": session.reference, "person": session.requested_by}
    return {"text": _("Session %(reference)s, %(person)s:") % named + " "}


@login_required
@require_GET
def problem_list(request: HttpRequest) -> HttpResponse:
    """What people reported about the lab's instruments; unsolved ones first when ``?show=all`` is not asked for."""
    return _list(request)


def _list(request: HttpRequest, failed: int = 0, refusal: Refusal | None = None) -> HttpResponse:
    actor = actor_of(request)
    show_all = request.GET.get("show") == "all"
    rows = records.problems_of_lab(actor)
    if not show_all:
        rows = rows.exclude(state="solved")
    context = {
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")),
        "show_all": show_all,
        "statuses": [(value, look_of("instrument", value).word) for value in InstrumentStatus.values],
        "failed": failed,
        "problems": sentences(refusal) if refusal else [],
    }
    stands_at(request, "problem_list")
    return render(request, "problems/list.html", context, status=status_of(refusal) if refusal else 200)


@login_required
@require_POST
def problem_handle(request: HttpRequest, pk: int) -> HttpResponse:
    """The lab has seen it, or solved it; the running state can be changed with the same press."""
    actor, given = actor_of(request), request.POST
    try:
        problem = problems.handle(
            actor,
            pk,
            given.get("state", ""),
            given.get("answer", ""),
            timezone.now(),
            instrument_status=given.get("instrument_status", ""),
        )
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return _list(request, pk, refusal)
    done = _("Solved. The person who reported it has been told.")
    seen = _("Noted. The person who reported it has been told.")
    messages.success(request, done if problem.state == "solved" else seen)
    return redirect("problem_list")


@login_required
@require_GET
def problem_photo(request: HttpRequest, pk: int) -> HttpResponse:
    """The photo of a report."""
    stored, _problem = problems.photo_of(actor_of(request), pk)
    if stored is None:
        raise NotFound.of("access.not_found", model="photo")
    response = HttpResponse(files.read(stored), content_type=stored.media_type)
    response["Cache-Control"] = "private, no-store"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
