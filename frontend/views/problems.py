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

from booking.queries import reservations_visible
from config.kernel.access import Actor
from config.kernel.api.problems import status_of
from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.services import files
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
    form = ProblemForm(request.POST, request.FILES) if request.method == "POST" else ProblemForm(initial=_about(actor, request))
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            file = form.cleaned_data["file"]
            try:
                problems.report(
                    actor, pk, form.cleaned_data["text"], timezone.now(), uploads.received(file) if file is not None else None
                )
            except Refusal as refusal:
                add_refusal(form, refusal)
                status = status_of(refusal)
            else:
                messages.success(request, _("Thank you. The lab has been told, and you get a mail when it answers."))
                return redirect("instrument_detail", pk)
    context = {"instrument": instrument, "form": form, "known": records.known_problems(actor, instrument)}
    return render(request, "problems/report.html", context, status=status)


def _about(actor: Actor, request: HttpRequest) -> dict[str, str]:
    """What a report begins with that the lab writes for somebody whose session (``?session=``) runs."""
    asked = request.GET.get("session", "")
    if not (asked.isascii() and asked.isdigit() and len(asked) < 19):
        return {}
    found = reservations_visible(actor).filter(pk=int(asked)).first()
    if found is None:
        return {}
    return {"text": _("Session %(reference)s, %(person)s:") % {"reference": found.reference, "person": found.requested_by} + " "}


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
