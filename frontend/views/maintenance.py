"""An instrument goes out of service, now or for planned work: which bookings that hits, what becomes of each, and doing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from billing.settlement.reservation_figures import figures_of
from booking import queries as bookings
from booking.downtime_wording import KIND_NAMES
from booking.models import Downtime, Occupancy
from booking.queries import downtimes as downtime_queries
from booking.queries.promises import promises_at_risk
from booking.queries.samples import lab_jobs
from booking.rules.downtime import DowntimeKind
from booking.services import downtimes, maintenance, maintenance_plans
from booking.services.downtimes import Outage
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Conflict, NotFound, Refusal
from config.kernel.time_range import TimeRange
from frontend import display
from frontend.booking_form import read_id, read_key
from frontend.hours_forms import MaintenanceForm, PlanForm
from frontend.http import actor_of, stands_at
from frontend.instrument_forms import add_refusal
from frontend.outage_form import HitRow, decisions_in, job_rows_of, promises_in, rows_of, seen_in, typed_again
from frontend.presenters import instruments as present
from frontend.refusals import sentences, status_of
from instruments import queries
from instruments.models import Instrument
from instruments.rules.wall_time import end_instant, refuse_year, start_instant, to_wall


@dataclass(frozen=True, slots=True)
class Planned:
    """What keeps the instrument out of service, in the time of the place. ``downtime_id`` is 0 for what is older than downtimes."""

    downtime_id: int
    occupancy_id: int
    when: str
    kind: str
    note: str


@login_required
@require_http_methods(["GET", "POST"])
def instrument_maintenance(request: HttpRequest, pk: int) -> HttpResponse:
    """Say it, or (``action=check``) only see which bookings it would hit. Values in the address fill the form."""
    actor, now = actor_of(request), timezone.now()
    instrument = of_the_lab(actor, pk)
    if request.method == "GET":
        kept = "plan" in request.GET
        given = {name: request.GET[name] for name in (PlanForm if kept else MaintenanceForm).base_fields if name in request.GET}
        if gone := read_id(request.GET.get("again", "")):
            given = _given_back(get_visible(Downtime.objects.filter(instrument=instrument), actor, pk=gone), instrument)
        plan_form = PlanForm(initial=given) if kept else None
        return _page(request, actor, instrument, _form(actor, instrument, {} if kept else given), now, plan_form=plan_form)
    form = MaintenanceForm(request.POST, plans=downtime_queries.plans(actor).filter(instrument=instrument))
    during = _during(form, present.zone(instrument), now) if form.is_valid() else None
    if during is None:
        return _page(request, actor, instrument, form, now, status=422)
    if request.POST.get("action") == "check":
        return _page(request, actor, instrument, form, now, during=during)
    try:
        promises = promises_in(request.POST)
        downtime = downtimes.declare(actor, pk, _outage(request, form, during), now, idempotency_key=read_key(request.POST))
    except NotFound:
        raise
    except Conflict:
        return _page(request, actor, instrument, form, now, during=during, status=409)
    except Refusal as refusal:
        add_refusal(form, refusal)
        return _page(request, actor, instrument, form, now, during=during, status=422)
    messages.success(request, _("Done. Nobody can book in this time."))
    return after_moving(request, actor, downtime, promises, now)


def _outage(request: HttpRequest, form: MaintenanceForm, during: TimeRange) -> Outage:
    typed = form.cleaned_data
    return Outage(
        DowntimeKind(typed["kind"]),
        during,
        typed["note"],
        typed["words"],
        typed["words_en"],
        decisions_in(request.POST),
        seen_in(request.POST),
        plan_id=typed.get("for_plan") or 0,
    )


def _form(actor: Actor, instrument: Instrument, given: dict[str, Any]) -> MaintenanceForm:
    """Not sent yet, with what fills it."""
    return MaintenanceForm(initial=given, plans=downtime_queries.plans(actor).filter(instrument=instrument))


@login_required
@require_POST
def maintenance_remove(request: HttpRequest, pk: int, occupancy: int) -> HttpResponse:
    """Give the time back; the form that follows holds what it was, so that one press plans it again."""
    actor = actor_of(request)
    instrument = of_the_lab(actor, pk)
    gone = maintenance.unblock(actor, pk, occupancy, timezone.now())
    when = _ends(TimeRange(gone.during.lower, gone.during.upper), instrument)
    return again(request, instrument, {"kind": DowntimeKind.OTHER.value, "note": gone.note, **when})


@login_required
@require_POST
def plan_add(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep maintenance that comes again."""
    actor, now = actor_of(request), timezone.now()
    instrument = of_the_lab(actor, pk)
    plan_form = PlanForm(request.POST)
    status = 422
    if plan_form.is_valid():
        try:
            maintenance_plans.add(actor, pk, plan_form.fields_of_plan(), now)
        except NotFound:
            raise
        except Refusal as refusal:
            add_refusal(plan_form, refusal)
            status = status_of(refusal)
        else:
            messages.success(request, _("Kept. Your lab is reminded before it is due."))
            return redirect("instrument_maintenance", pk)
    return _page(request, actor, instrument, _form(actor, instrument, {}), now, plan_form=plan_form, status=status)


@login_required
@require_POST
def plan_next(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep the next free time for what is due; taken back on the page that follows. Where none is long enough, the form holds the rest."""
    actor, now = actor_of(request), timezone.now()
    plan = get_visible(downtime_queries.plans(actor), actor, pk=pk)
    instrument = plan.instrument
    try:
        made = maintenance_plans.make_block(actor, pk, now)
    except NotFound:
        raise
    except Refusal as refusal:
        form = _form(actor, instrument, {"kind": plan.kind, "note": plan.name, "for_plan": plan.pk})
        return _page(request, actor, instrument, form, now, refusal=refusal, status=status_of(refusal))
    messages.success(request, _("A free time is kept for it. Nobody can book in this time."))
    return redirect("downtime_detail", made.pk)


@login_required
@require_POST
def plan_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a plan away; the form still holds it, so that one press keeps it again."""
    gone = maintenance_plans.remove(actor_of(request), pk, timezone.now())
    messages.success(request, _("Removed. To undo this, keep it again: the form still holds it."))
    values = {name: getattr(gone, name) for name in PlanForm.base_fields if getattr(gone, name) is not None}
    return redirect(f"{reverse('instrument_maintenance', args=[gone.instrument_id])}?{urlencode({'plan': 1, **values})}")


def again(request: HttpRequest, instrument: Instrument, given: Mapping[str, object]) -> HttpResponse:
    """To the form, filled with what has just been given back: ``given`` are its fields, or the downtime as ``again``, whose words may be
    longer than an address."""
    messages.success(request, _("The time is free again. To undo this, plan it again: the form still holds it."))
    return redirect(f"{reverse('instrument_maintenance', args=[instrument.pk])}?{urlencode(given)}")


def _given_back(gone: Downtime, instrument: Instrument) -> dict[str, Any]:
    """Everything that was said of an outage, to say it again."""
    said = {"kind": gone.kind, "note": gone.note, "for_plan": gone.plan_id, "words": gone.words, "words_en": gone.words_en}
    return {**said, **_ends(gone.during, instrument)}


def _ends(during: TimeRange, instrument: Instrument) -> dict[str, str]:
    zone = present.zone(instrument)
    starts, ends = (to_wall(moment, zone) for moment in (during.starts_at, during.ends_at))
    return {"starts_local": f"{starts:%Y-%m-%dT%H:%M}", "ends_local": f"{ends:%Y-%m-%dT%H:%M}"}


def of_the_lab(actor: Actor, pk: int) -> Instrument:
    """The instrument, when the actor manages its lab. Raises NotFound, Forbidden."""
    instrument = queries.instrument_for(actor, pk)
    actor.require_in(instrument.organisation_id, Role.LAB_MANAGER)
    return instrument


def _during(form: MaintenanceForm, zone: ZoneInfo, now: datetime) -> TimeRange | None:
    """The time that was typed; None, with the problem in the form, when its end does not come after its start."""
    typed = form.cleaned_data
    kind, starts_at = DowntimeKind(typed["kind"]), None
    try:
        refuse_year(typed["ends_local"], "ends_local")
        if kind is not DowntimeKind.BREAKDOWN:
            refuse_year(typed["starts_local"], "starts_local")
            starts_at = start_instant(typed["starts_local"], zone)
        return downtimes.time_of(kind, starts_at, end_instant(typed["ends_local"], zone), now)
    except Refusal as refusal:
        add_refusal(form, refusal)
        return None


def hit_rows(
    request: HttpRequest, actor: Actor, instrument: Instrument, during: TimeRange, now: datetime, without: list[int] | None = None
) -> tuple[list[HitRow], int]:
    """The bookings in the way with what may be chosen for each, and how many more there are."""
    found = downtime_queries.preview(actor, instrument, during, now, without=without or [])
    figures = figures_of(actor, [hit.reservation for hit in found.hits])
    typed = request.POST if request.method == "POST" else None
    return rows_of(found.hits, figures, instrument.site.time_zone, typed), found.more


def job_rows(request: HttpRequest, actor: Actor, instrument: Instrument, during: TimeRange, now: datetime) -> dict[str, Any]:
    """What the page says of promised results that are at risk, with the days that were typed: what was refused comes in the address."""
    risks = promises_at_risk(actor, instrument, during, now)
    return {"jobs": job_rows_of(risks, request.POST if request.method == "POST" else request.GET), "more_jobs": risks.more}


def after_moving(
    request: HttpRequest, actor: Actor, downtime: Downtime, promises: Mapping[int, date], now: datetime
) -> HttpResponse:
    """Promise the results for the days that were chosen, and to the page of the outage: it says what could not be, and its form still holds
    the days of these."""
    done = downtimes.move_promises(actor, downtime.pk, promises, now) if promises else {}
    moved = sum(refusal is None for refusal in done.values())
    if moved:
        text = ngettext(
            "%(count)s promised day is moved, and the customer told.",
            "%(count)s promised days are moved, and the customers told.",
            moved,
        )
        messages.success(request, text % {"count": moved})
    failed = {pk: refusal for pk, refusal in done.items() if refusal is not None}
    for job in lab_jobs(actor).filter(pk__in=failed).order_by("pk"):
        messages.warning(request, f"{job.reference}: {' '.join(sentences(failed[job.pk]))}")
    page = reverse("downtime_detail", args=[downtime.pk])
    return redirect(f"{page}?{typed_again({pk: promises[pk] for pk in failed})}" if failed else page)


def _page(
    request: HttpRequest,
    actor: Actor,
    instrument: Instrument,
    form: MaintenanceForm,
    now: datetime,
    *,
    during: TimeRange | None = None,
    plan_form: PlanForm | None = None,
    refusal: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    hits, more = hit_rows(request, actor, instrument, during, now) if during else ([], 0)
    at_risk = job_rows(request, actor, instrument, during, now) if during else {}
    zone = present.zone(instrument)
    context = {
        "instrument": instrument,
        "form": form,
        "hits": hits,
        "more": more,
        **at_risk,
        "checked": during is not None,
        "refused": status == 409 and during is not None,
        "plans": downtime_queries.plans_of(actor, instrument),
        "plan_form": plan_form or PlanForm(),
        "plan_open": plan_form is not None,
        "problems": sentences(refusal) if refusal else [],
        "key": read_key(request.POST) or str(uuid4()),
        "planned": [
            *(_planned(one, zone) for one in downtime_queries.downtimes_of(actor, instrument, now)),
            *(_older(one, zone) for one in bookings.planned_maintenance(actor, instrument, now)),
        ],
    }
    stands_at(request, "instrument_maintenance", instrument.pk)
    return render(request, "booking/maintenance.html", context, status=status)


def _planned(one: Downtime, zone: ZoneInfo) -> Planned:
    when = display.range_words(to_wall(one.starts_at, zone), to_wall(one.ends_at, zone))
    return Planned(one.pk, 0, when, str(KIND_NAMES[one.kind]), one.note)


def _older(one: Occupancy, zone: ZoneInfo) -> Planned:
    when = display.range_words(to_wall(one.during.lower, zone), to_wall(one.during.upper, zone))
    return Planned(0, one.pk, when, str(KIND_NAMES[DowntimeKind.OTHER.value]), one.note)
