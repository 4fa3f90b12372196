"""What a lab teaches: courses, their sessions, who is in them, who came and how the exam went; and taking a place."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from booking.models import CourseSession, TrainingCourse
from booking.queries import licences as queries
from booking.services import training
from config.kernel.access import Actor, Role
from config.kernel.errors import NotFound, Refusal
from config.kernel.time_range import TimeRange
from frontend.forms import refusal_to_form
from frontend.http import actor_of, stands_at
from frontend.refusals import sentences, status_of
from frontend.training_forms import CourseForm, SessionForm, course_initial
from instruments.rules.wall_time import end_instant, refuse_year, start_instant
from instruments.services.instrument_changes import require_manager

ZONE = ZoneInfo(settings.TIME_ZONE)


@login_required
@require_GET
def training_list(request: HttpRequest) -> HttpResponse:
    """The lab's courses with their next dates, and at which instruments a licence is needed."""
    actor, now = actor_of(request), timezone.now()
    actor.require(Role.LAB_MANAGER, Role.OPERATOR)
    context = {"courses": queries.lab_courses(actor, now), "policies": queries.licence_policies(actor)}
    return render(request, "training/list.html", context)


@login_required
@require_POST
def licence_need(request: HttpRequest, pk: int) -> HttpResponse:
    """Whether who works alone at an instrument needs a licence."""
    needed = request.POST.get("needed") == "yes"
    training.require_licence(actor_of(request), pk, needed, timezone.now())
    if needed:
        messages.success(request, _("From now on who works alone there needs a licence."))
    else:
        messages.success(request, _("No licence is needed there any more."))
    return redirect("training_list")


@login_required
@require_http_methods(["GET", "POST"])
def course_create(request: HttpRequest) -> HttpResponse:
    """A new course."""
    actor = actor_of(request)
    actor.require(Role.LAB_MANAGER)
    chosen = [one for one in [request.GET.get("instrument", "")] if one]
    form = _course_form(actor, request, initial={"instruments": chosen})
    if request.method == "POST" and form.is_valid():
        try:
            owner_id = int(form.cleaned_data["organisation"])
            made = training.create_course(actor, owner_id, form.course(), timezone.now())
        except NotFound:
            raise
        except Refusal as refusal:
            refusal_to_form(form, refusal)
        else:
            messages.success(request, _("The course is there. Now say when it is held."))
            return redirect("course_detail", made.pk)
    return _course_page(request, form, None)


@login_required
@require_http_methods(["GET", "POST"])
def course_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Write a course anew; licences that it gave stay."""
    actor = actor_of(request)
    course = _of_my_lab(actor, pk)
    form = _course_form(actor, request, initial=course_initial(course, course.scopes.all()), course=course)
    if request.method == "POST" and form.is_valid():
        try:
            training.change_course(actor, pk, form.course(), timezone.now())
        except NotFound:
            raise
        except Refusal as refusal:
            refusal_to_form(form, refusal)
        else:
            messages.success(request, _("Saved."))
            return redirect("course_detail", pk)
    return _course_page(request, form, course)


def _course_form(
    actor: Actor, request: HttpRequest, initial: dict[str, object], course: TrainingCourse | None = None
) -> CourseForm:
    owners = [course.organisation] if course else queries.teachable_owners(actor)
    instruments = queries.instruments_of_owners([one.pk for one in owners], actor)
    return CourseForm(owners, instruments, request.POST or None, initial=initial)


def _course_page(request: HttpRequest, form: CourseForm, course: TrainingCourse | None) -> HttpResponse:
    status = 422 if request.method == "POST" else 200
    return render(request, "training/course_form.html", {"form": form, "course": course}, status=status)


def _of_my_lab(actor: Actor, pk: int) -> TrainingCourse:
    """The course, when the actor keeps its lab's instruments. Raises NotFound, Forbidden."""
    course = queries.course_for(actor, pk)
    require_manager(actor, course.organisation_id)
    return course


@login_required
@require_http_methods(["GET", "POST"])
def course_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A course with its dates, and a form for another one."""
    actor, now = actor_of(request), timezone.now()
    course = _of_my_lab(actor, pk)
    form = SessionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            during = _during(form)
            training.plan_session(actor, pk, during, form.cleaned_data["place"], form.cleaned_data["places"], now)
        except NotFound:
            raise
        except Refusal as refusal:
            _to_local_fields(form, refusal)
        else:
            messages.success(request, _("The date is there; people can enrol."))
            return redirect("course_detail", pk)
    status = 422 if request.method == "POST" else 200
    return render(request, "training/course.html", {"course": course, "form": form, "now": now}, status=status)


def _during(form: SessionForm) -> TimeRange:
    """Raises Refusal on the fields of the form."""
    starts, ends = (form.cleaned_data[name].replace(tzinfo=None) for name in ("starts_local", "ends_local"))
    refuse_year(starts, "starts_local")
    refuse_year(ends, "ends_local")
    starts_at, ends_at = start_instant(starts, ZONE), end_instant(ends, ZONE)
    if starts_at >= ends_at:
        raise Refusal.of("calendar.end_before_start", "ends_local")
    return TimeRange(starts_at, ends_at)


_LOCAL = {"starts_at": "starts_local", "ends_at": "ends_local"}


def _to_local_fields(form: SessionForm, refusal: Refusal) -> None:
    renamed = [type(one)(one.code, one.params, _LOCAL.get(one.field, one.field)) for one in refusal.reasons]
    refusal_to_form(form, Refusal(*renamed))


@login_required
@require_GET
def course_session(request: HttpRequest, pk: int) -> HttpResponse:
    """Who is in a session: for the lab."""
    return _session_page(request, pk)


def _session_page(request: HttpRequest, pk: int, refusal: Refusal | None = None) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    session = queries.session_for(actor, pk)
    require_manager(actor, session.course.organisation_id)
    context = {
        "session": session,
        "course": session.course,
        "enrolments": queries.enrolments_of(actor, session),
        "begun": session.starts_at <= now,
        "problems": sentences(refusal) if refusal else [],
    }
    stands_at(request, "course_session", pk)
    return render(request, "training/session.html", context, status=status_of(refusal) if refusal else 200)


@login_required
@require_POST
def course_session_call_off(request: HttpRequest, pk: int) -> HttpResponse:
    """It is not held."""
    try:
        training.call_off_session(actor_of(request), pk, request.POST.get("reason", ""), timezone.now())
    except NotFound:
        raise
    except Refusal as refusal:
        return _session_page(request, pk, refusal)
    messages.success(request, _("Called off. Everybody who was enrolled gets a mail."))
    return redirect("course_session", pk)


@login_required
@require_POST
def course_enrol(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a place, or one on the waiting list."""
    enrolment = training.enrol(actor_of(request), pk, timezone.now())
    if enrolment.state == "waiting":
        messages.info(request, _("All places are taken; you are on the waiting list and get a mail when one is free."))
    else:
        messages.success(request, _("You have a place."))
    return _back(request)


@login_required
@require_POST
def enrolment_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Give the place back."""
    training.withdraw(actor_of(request), pk, timezone.now())
    messages.success(request, _("The place was given back."))
    return _back(request)


@login_required
@require_POST
def enrolment_attendance(request: HttpRequest, pk: int) -> HttpResponse:
    """Whether somebody came."""
    actor, now = actor_of(request), timezone.now()
    return _noted(request, pk, lambda: training.record_attendance(actor, pk, request.POST.get("came") == "yes", now).session)


@login_required
@require_POST
def enrolment_result(request: HttpRequest, pk: int) -> HttpResponse:
    """The exam's score."""
    actor, now = actor_of(request), timezone.now()
    text = request.POST.get("score", "")
    score = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else -1
    note = request.POST.get("note", "")
    return _noted(request, pk, lambda: training.record_result(actor, pk, score, note, now).session)


def _noted(request: HttpRequest, pk: int, act: Callable[[], CourseSession]) -> HttpResponse:
    try:
        session = act()
    except NotFound:
        raise
    except Refusal as refusal:
        return _session_page(request, queries.enrolment_for(actor_of(request), pk).session_id, refusal)
    messages.success(request, _("Noted."))
    return redirect("course_session", session.pk)


def _back(request: HttpRequest) -> HttpResponse:
    """To the page that the button stood on."""
    following = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(following, {request.get_host()}, request.is_secure())
    return redirect(following if safe and following.startswith("/") else "my_record")
