"""Sample jobs for the lab: the board of the day, the scan with a phone, and what is done with a job."""

from __future__ import annotations

from datetime import date, datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from booking.queries import samples as queries
from booking.rules.enquiries import Side
from booking.rules.samples import Remains, SampleStep
from booking.services import sample_close_out as close_out
from booking.services import sample_extras, sample_reports, sample_steps
from booking.services.enquiry_files import attachments_of
from config.kernel.access import Actor, Role
from config.kernel.errors import NotFound, Refusal
from frontend.http import actor_of, stands_at
from frontend.once import once_per_form
from frontend.presenters import samples as present
from frontend.refusals import sentences, status_of
from frontend.views.samples import acted, listed, text_of
from instruments.rules.registry_values import money_fen
from instruments.services.answer_time import zone_of_owner


# --- The day ----------------------------------------------------------------------------------------------------------
@login_required
@require_GET
def sample_board(request: HttpRequest) -> HttpResponse:
    """What the lab has to do: unanswered, overdue, due today, received today, expected."""
    actor, now = actor_of(request), timezone.now()
    actor.require(*queries.LAB_READERS)
    found = queries.board(actor, now)
    parts = [(name, present.PARTS[name], jobs, found.counts[name]) for name, jobs in found.parts if jobs]
    context = {"parts": parts, "counts": found.counts, "most": queries.MOST_ON_BOARD, "answers": actor.has(Role.LAB_MANAGER)}
    return render(request, "samples/board.html", context)


@login_required
@require_GET
def sample_all(request: HttpRequest) -> HttpResponse:
    """Every job of the lab, what is promised soonest first."""
    actor = actor_of(request)
    actor.require(*queries.LAB_READERS)
    return render(request, "samples/list.html", {**listed(request, actor, queries.lab_jobs(actor)), "is_lab": True})


# --- With a phone -----------------------------------------------------------------------------------------------------
@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def sample_scan(request: HttpRequest) -> HttpResponse:
    """Type a code where the camera cannot read it."""
    refusal: Refusal | None = None
    code = request.POST.get("code", "")[:60].replace("\x00", "")
    if request.method == "POST":
        try:
            return redirect("sample_at", sample_steps.find_typed(actor_of(request), code).code)
        except Refusal as refused:
            refusal = refused
    context = {"code": code, "problems": sentences(refusal) if refusal else []}
    return render(request, "samples/scan.html", context, status=status_of(refusal) if refusal else 200)


@login_required
@never_cache
@require_GET
def sample_at(request: HttpRequest, code: str) -> HttpResponse:
    """Where the code on a label leads: one sample, and one press for what was done with it."""
    return _sample_page(request, code)


def _sample_page(request: HttpRequest, code: str, refusal: Refusal | None = None) -> HttpResponse:
    actor = actor_of(request)
    try:
        sample = sample_steps.find(actor, code)
    except Refusal as unknown:
        found = {"code": code, "problems": sentences(unknown)}
        return render(request, "samples/scan.html", found, status=status_of(unknown))
    job = queries.job_for(actor, sample.job_id)
    may = queries.may(actor, job)
    today = queries.today_at(job, timezone.now())
    context = {
        "sample": sample,
        "job": job,
        "zone": zone_of_owner(job.lab_id).key,
        "buttons": present.buttons(job, sample.state, today) if may.step else [],
        "work_from": present.work_from(job, [sample.state], today) if may.step else None,
        "is_lab": Side.LAB in queries.sides(actor, job),
        "counts": present.counts(job),
        "following": next((each for each in job.samples.all() if each.state == sample.state and each.pk != sample.pk), None),
        "problems": sentences(refusal) if refusal else [],
        "ends_job": present.asks_to_end(refusal),
        "typed": request.POST,
    }
    stands_at(request, "sample_at", code)
    return render(request, "samples/at.html", context, status=status_of(refusal) if refusal else 200)


@login_required
@require_POST
def sample_at_step(request: HttpRequest, code: str) -> HttpResponse:
    """One press on the phone."""
    actor, now = actor_of(request), timezone.now()
    sample = sample_steps.find(actor, code)
    try:
        sample_steps.take(actor, [sample.pk], _step(request), now, text_of(request, "reason"), ends_job=_ends_job(request))
    except NotFound:
        raise
    except Refusal as refusal:
        return _sample_page(request, code, refusal)
    messages.success(request, _("Done: %(code)s.") % {"code": sample.label})
    return redirect("sample_at", sample.code)


def _step(request: HttpRequest) -> SampleStep:
    text = request.POST.get("step", "")
    if text not in list(SampleStep):
        raise Refusal.of("samples.step_unknown", "step")
    return SampleStep(text)


def _ends_job(request: HttpRequest) -> bool:
    return request.POST.get("ends_job") == "1"


# --- A job ------------------------------------------------------------------------------------------------------------
@login_required
@require_POST
def sample_steps_taken(request: HttpRequest, pk: int) -> HttpResponse:
    """Do a step with the samples that are ticked."""

    def act(actor: Actor, now: datetime) -> str:
        ends_job = _ends_job(request)
        sample_steps.take(actor, _ticked(request), _step(request), now, text_of(request, "reason"), job_id=pk, ends_job=ends_job)
        return _("Noted.")

    return acted(request, pk, "step", act)


@login_required
@require_POST
def sample_remains(request: HttpRequest, pk: int) -> HttpResponse:
    """Say where what is left of the ticked samples is."""

    def act(actor: Actor, now: datetime) -> str:
        text = request.POST.get("remains", "")
        if text not in list(Remains) or text == Remains.WITH_LAB:
            raise Refusal.of("samples.remains_unknown", "remains")
        until = _day(request, "kept_until")
        sample_steps.set_remains(actor, _ticked(request), Remains(text), now, kept_until=until, job_id=pk)
        return _("Noted. The customer has been told.")

    return acted(request, pk, "remains", act)


@login_required
@require_POST
@once_per_form
def sample_extra_propose(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for the customer's consent to a charge."""

    def act(actor: Actor, now: datetime) -> str:
        amount = money_fen(text_of(request, "amount"), "yuan", "amount") or 0
        sample_extras.propose(actor, pk, text_of(request, "kind"), text_of(request, "words"), amount, now)
        return _("The customer has been asked. Nothing is charged without a yes.")

    return acted(request, pk, "propose", act)


@login_required
@require_POST
def sample_report(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand in the report."""

    def act(actor: Actor, now: datetime) -> str:
        files = attachments_of(request.FILES.getlist("report")[:1])
        if not files:
            raise Refusal.of("samples.report_missing", "report")
        sample_reports.report(actor, pk, files[0], text_of(request, "note"), now)
        return _("The report is with the customer. The job closes by itself unless the customer objects.")

    return acted(request, pk, "report", act)


@login_required
@require_POST
def sample_close_out(request: HttpRequest, pk: int) -> HttpResponse:
    """Grade the service."""

    def act(actor: Actor, now: datetime) -> str:
        close_out.close(actor, pk, text_of(request, "grade"), text_of(request, "note"), now)
        return _("Saved.")

    return acted(request, pk, "close_out", act)


@login_required
@require_POST
def sample_confirm_grade(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm the grade as a second person."""

    def act(actor: Actor, now: datetime) -> str:
        close_out.confirm_grade(actor, pk, now)
        return _("Confirmed.")

    return acted(request, pk, "confirm", act)


def _ticked(request: HttpRequest) -> list[int]:
    found = request.POST.getlist("samples")
    return [int(text) for text in found if text.isascii() and text.isdigit() and len(text) < 19]


def _day(request: HttpRequest, name: str) -> date | None:
    """A day as a browser writes it; None where nothing was chosen. Raises Refusal ``samples.day_unreadable``."""
    text = request.POST.get(name, "").strip()
    try:
        day = parse_date(text) if text else None
    except ValueError:
        day = None
    if text and day is None:
        raise Refusal.of("samples.day_unreadable", name)
    return day
