"""Use that does not add up: one after another, by keyboard, until nothing waits; and sessions written down afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from booking.models import DeviceRun
from booking.queries import usage as usage_queries
from booking.services import late_entry, usage_problems
from booking.services.late_entry import Entry
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import NotFound, Reason, Refusal
from config.kernel.messages import duration_words
from frontend import display
from frontend.booking_form import BookingForm
from frontend.http import actor_of, stands_at
from frontend.presenters.usage import DEVICE_EVENTS, DOUBTS, PROBLEMS
from frontend.refusals import sentences, status_of
from instruments.models import Instrument

SHOWN = 50
DECIDED_SHOWN = 8
EVENTS_SHOWN = 20
FATES: dict[str, Promise | str] = {
    "attached": gettext_lazy("attached"),
    "entered": gettext_lazy("written down"),
    "ignored": gettext_lazy("ignored"),
}


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run in words. ``clock``: how far the device's clock is off; ``fate``: what a person made of it."""

    run: DeviceRun
    word: str
    text: str
    when: str
    clock: str
    selected: bool
    fate: str = ""
    tone: str = "bad"


@login_required
@require_GET
def session_problems(request: HttpRequest) -> HttpResponse:
    """The list, and the run that is ``?selected=``; without one the oldest is open beside it."""
    return _response(request, timezone.now())


def _response(request: HttpRequest, now: datetime, failed_id: int = 0, refusal: Refusal | None = None) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Role.LAB_MANAGER)
    runs = list(usage_queries.problems(actor)[: SHOWN + 1])
    chosen = str(failed_id) if failed_id else request.GET.get("selected", "")
    opened = next((run for run in runs if str(run.pk) == chosen), runs[0] if runs else None)
    ids = [run.pk for run in runs[:SHOWN]]
    place = ids.index(opened.pk) if opened and opened.pk in ids else 0
    context = {
        "waiting": [_row(run, opened) for run in runs[:SHOWN]],
        "beyond": len(runs) > SHOWN,
        "chosen": bool(chosen) and opened is not None and str(opened.pk) == chosen,
        "opened": _row(opened, opened) if opened else None,
        "zone": opened.instrument.site.time_zone if opened else "",
        "previous_id": ids[place - 1] if place else None,
        "next_id": ids[place + 1] if place + 1 < len(ids) else None,
        "attachable": usage_queries.attachable(actor, opened) if opened else [],
        "events": [(event, DEVICE_EVENTS[event.kind]) for event in usage_queries.events_of(actor, opened)[:EVENTS_SHOWN]]
        if opened
        else [],
        "count": usage_queries.newest_count(actor, opened) if opened else None,
        "running": list(usage_queries.not_ended(actor, now)),
        "doubtful": [(row, DOUBTS[row.session.doubt]) for row in usage_queries.doubtful(actor)[:SHOWN]],
        "decided": [_row(run, None) for run in usage_queries.problems(actor, decided=True)[:DECIDED_SHOWN]],
        "ignore_templates": [_("Test by the lab"), _("Service engineer"), _("Restart after a power cut"), _("Wrong signal")],
        "problems": sentences(refusal) if refusal else [],
    }
    stands_at(request, "session_problems")
    return render(request, "sessions/problems.html", context, status=status_of(refusal) if refusal else 200)


def _row(run: DeviceRun, opened: DeviceRun | None) -> RunRow:
    word, text = PROBLEMS[run.problem]
    zone = run.instrument.site.time_zone
    return RunRow(
        run=run,
        word=str(word),
        text=str(text),
        when=display.range_words(display.in_zone(run.starts_at, zone), display.in_zone(run.ends_at or run.heard_at, zone)),
        clock=clock_words(run.skew_seconds),
        selected=opened is not None and run.pk == opened.pk,
        fate=str(FATES.get(run.state, "")),
        tone="wait" if run.problem in {"skew", "no_stop", "no_start"} else "bad",
    )


def clock_words(skew_seconds: int | None) -> str:
    """How far a device's clock is off, in words."""
    if skew_seconds is None:
        return "–"
    if abs(skew_seconds) < 60:
        return _("right")
    length = duration_words(abs(skew_seconds) // 60)
    return (_("%(length)s slow") if skew_seconds > 0 else _("%(length)s fast")) % {"length": length}


@login_required
@require_POST
def problem_attach(request: HttpRequest, pk: int) -> HttpResponse:
    """It was the use of a booking."""

    def act(actor: Actor, now: datetime) -> str:
        usage_problems.attach(actor, pk, _number(request.POST.get("reservation", "")), now)
        return _("Attached.")

    return _acted(request, pk, act)


@login_required
@require_POST
def problem_ignore(request: HttpRequest, pk: int) -> HttpResponse:
    """It was nobody's use."""

    def act(actor: Actor, now: datetime) -> str:
        usage_problems.ignore(actor, pk, request.POST.get("reason", "").replace("\x00", ""), now)
        return _("Ignored.")

    return _acted(request, pk, act)


def _acted(request: HttpRequest, pk: int, act: Callable[[Actor, datetime], str]) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    try:
        said = act(actor, now)
    except NotFound:
        raise
    except Refusal as refusal:
        return _response(request, now, pk, refusal)
    messages.success(request, said)
    following = request.POST.get("next_id", "")
    query = f"?selected={following}" if following.isascii() and following.isdigit() else ""
    return redirect(reverse("session_problems") + query)


@login_required
@require_http_methods(["GET", "POST"])
def session_enter(request: HttpRequest) -> HttpResponse:
    """Write a past session down, from a run that a device told (``?run=``) or from the log book."""
    actor, now = actor_of(request), timezone.now()
    actor.require(Role.LAB_MANAGER)
    run = _run(request, actor)
    if request.method == "GET":
        return _enter_form(request, actor, run, None)
    try:
        entry = _entry(request, actor, run)
        made = usage_problems.enter(actor, run.pk, entry, now).reservation_id if run else late_entry.enter(actor, entry, now).pk
    except NotFound:
        raise
    except Refusal as refusal:
        return _enter_form(request, actor, run, refusal)
    messages.success(request, _("Written down. The customer has been asked to agree."))
    return redirect("reservation_detail", made)


def _run(request: HttpRequest, actor: Actor) -> DeviceRun | None:
    text = request.POST.get("run", "") or request.GET.get("run", "")
    return get_visible(usage_queries.problems(actor), actor, pk=_number(text)) if text else None


def _entry(request: HttpRequest, actor: Actor, run: DeviceRun | None) -> Entry:
    given = request.POST
    instrument = _instrument(request, actor, run)
    if instrument is None:
        raise NotFound.of("access.not_found", model="instrument")
    organisation, _dash, person = given.get("customer", "").partition("-")
    if not (organisation.isascii() and organisation.isdigit() and person.isascii() and person.isdigit()):
        raise Refusal(Reason("usage.entry_customer", {}, "customer"))
    during = BookingForm.read(given).during(ZoneInfo(instrument.site.time_zone))
    mode = given.get("service_mode", "")
    texts = [given.get(name, "").replace("\x00", "") for name in ("evidence", "reason")]
    return Entry(instrument.pk, _number(organisation), _number(person), during, mode, *texts)


def _instrument(request: HttpRequest, actor: Actor, run: DeviceRun | None) -> Instrument | None:
    if run is not None:
        return run.instrument
    rows = usage_queries.managed_instruments(actor)
    text = request.POST.get("instrument", "") or request.GET.get("instrument", "")
    return get_visible(rows, actor, pk=_number(text)) if text else rows.first()


def _enter_form(request: HttpRequest, actor: Actor, run: DeviceRun | None, refusal: Refusal | None) -> HttpResponse:
    instrument = _instrument(request, actor, run)
    typed = {
        name: request.POST.get(name, "")
        for name in ("customer", "on", "from", "to", "to_on", "service_mode", "evidence", "reason")
    }
    if request.method == "GET" and run is not None:
        told = BookingForm().at(run.told.during(), ZoneInfo(run.instrument.site.time_zone))
        typed |= {"on": told.on, "from": told.from_time, "to": told.to_time, "to_on": told.to_on}
        typed["evidence"] = usage_queries.evidence_of(actor, run)
    context = {
        "run": run,
        "instrument": instrument,
        "instruments": [instrument] if run else list(usage_queries.managed_instruments(actor)),
        "customers": usage_queries.known_customers(actor, instrument) if instrument else [],
        "modes": instrument.service_modes if instrument else [],
        "typed": typed,
        "problems": sentences(refusal) if refusal else [],
    }
    return render(request, "sessions/enter.html", context, status=status_of(refusal) if refusal else 200)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise NotFound.of("access.not_found", model="reservation")
    return int(text)
