"""Saying when an instrument is open: the usual week, seasons, hours for some customers, closures, holidays, single days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from config.kernel.access import Actor
from config.kernel.errors import NotFound, Refusal
from frontend.booking_form import read_day
from frontend.hours_forms import (
    OPEN,
    AudienceForm,
    ClosureForm,
    ExceptionForm,
    HolidayForm,
    HoursForm,
    MoveForm,
    SeasonForm,
)
from frontend.http import actor_of, stands_at
from frontend.instrument_forms import add_refusal
from frontend.presenters import instruments as present
from frontend.presenters.hours import hours_view, unpublished_words, unpublished_years
from frontend.presenters.hours_month import month_view, occurrence_rows
from frontend.views.instruments import managed
from instruments import queries
from instruments.models import Instrument
from instruments.rules import statutory_holidays
from instruments.rules.audience import Audience
from instruments.rules.entries import CalendarEntry
from instruments.rules.wall_time import to_wall
from instruments.services import opening_hours
from instruments.services.schedule_store import StoredEntry


@login_required
@require_http_methods(["GET", "POST"])
def instrument_hours(request: HttpRequest, pk: int) -> HttpResponse:
    """All layers of a calendar with a month as it comes out (``?month=2026-12``, ``&for=`` an audience); POST sets the week."""
    actor, now = actor_of(request), timezone.now()
    instrument = managed(actor, pk)
    if request.method == "GET":
        return _hours_page(request, instrument, now)
    form = _week_form(instrument, now, request.POST)
    if form.is_valid() and _done(
        form,
        lambda: opening_hours.set_weekly_hours(actor, pk, form.windows(), form.cleaned_data["valid_from"], now),
    ):
        messages.success(request, _("The opening hours are saved."))
        return redirect("instrument_hours", pk)
    return _hours_page(request, instrument, now, form=form)


@login_required
@require_POST
def instrument_close(request: HttpRequest, pk: int) -> HttpResponse:
    """Close it once."""
    actor, now = actor_of(request), timezone.now()
    instrument = managed(actor, pk)
    form = ClosureForm(request.POST)
    if form.is_valid():
        typed = form.cleaned_data
        window = opening_hours.OnceOrAgain(typed["starts_local"], typed["ends_local"], typed["reason"])
        if _done(form, lambda: opening_hours.close(actor, pk, window, now)):
            messages.success(request, _("The closure is saved. Bookings in it stay; tell the people, or cancel them."))
            return redirect("instrument_hours", pk)
    return _hours_page(request, instrument, now, closure_form=form)


@login_required
@require_POST
def instrument_holidays(request: HttpRequest, pk: int) -> HttpResponse:
    """How statutory holidays are taken."""
    actor, now = actor_of(request), timezone.now()
    instrument = managed(actor, pk)
    form = HolidayForm(queries.rules_of(instrument).holidays, request.POST)
    if form.is_valid() and _done(form, lambda: opening_hours.set_holidays(actor, pk, form.rule(), now)):
        messages.success(request, _("Saved. Bookings on holidays that were made before stay as they are."))
        return redirect("instrument_hours", pk)
    return _hours_page(request, instrument, now, holiday_form=form)


@login_required
@require_POST
def instrument_reopen(request: HttpRequest, pk: int, entry: int) -> HttpResponse:
    """Take a layer back; the page that follows offers to undo it."""
    gone = opening_hours.remove_entry(actor_of(request), pk, entry, timezone.now())
    return redirect(f"{reverse('instrument_hours', args=[pk])}?removed={gone[0]}")


@login_required
@require_POST
def instrument_bring_back(request: HttpRequest, pk: int, entry: int) -> HttpResponse:
    """Undo the taking back."""
    opening_hours.bring_back(actor_of(request), pk, entry, timezone.now())
    messages.success(request, _("It is in force again."))
    return redirect("instrument_hours", pk)


# --- One layer on a page of its own -----------------------------------------------------------------------------------
@login_required
@require_http_methods(["GET", "POST"])
def instrument_season(request: HttpRequest, pk: int) -> HttpResponse:
    """A new season, or (``?entry=``) another form of one."""
    actor, now = actor_of(request), timezone.now()
    instrument = managed(actor, pk)
    entry_id, stored = _edited(request, instrument)
    chosen = next((one.entry for one in stored if one.id == entry_id), None)
    of_season = [one.entry for one in stored if chosen and one.entry.season == chosen.season] if chosen and chosen.season else []
    form = SeasonForm(of_season, _typed(request))
    if form.is_valid() and _done(form, lambda: opening_hours.set_season(actor, pk, form.hours(), now, replaces=entry_id)):
        messages.success(request, _("The season is saved. Bookings that were made before stay as they are."))
        return redirect("instrument_hours", pk)
    return _layer_page(request, instrument, "instruments/hours_season.html", form, entry_id)


@login_required
@require_http_methods(["GET", "POST"])
def instrument_customers(request: HttpRequest, pk: int) -> HttpResponse:
    """New hours for some customers, or (``?entry=``) others instead of these."""
    actor, now = actor_of(request), timezone.now()
    instrument = managed(actor, pk)
    entry_id, stored = _edited(request, instrument)
    form = AudienceForm(_entry(stored, entry_id), _today(instrument, now), _typed(request))
    if form.is_valid() and _done(form, lambda: opening_hours.set_audience_hours(actor, pk, form.hours(), now, replaces=entry_id)):
        messages.success(request, _("The hours are saved. Bookings that were made before stay as they are."))
        return redirect("instrument_hours", pk)
    return _layer_page(request, instrument, "instruments/hours_customers.html", form, entry_id)


@login_required
@require_http_methods(["GET", "POST"])
def instrument_exception(request: HttpRequest, pk: int) -> HttpResponse:
    """A closure or an exceptional opening, once or again and again; (``?entry=``) another instead of one."""
    actor, now = actor_of(request), timezone.now()
    instrument = managed(actor, pk)
    entry_id, stored = _edited(request, instrument)
    form = ExceptionForm(_entry(stored, entry_id), _typed(request))

    def save() -> None:
        act = opening_hours.open_once if form.cleaned_data["effect"] == OPEN else opening_hours.close
        act(actor, pk, form.window(), now, replaces=entry_id)

    if form.is_valid() and _done(form, save):
        messages.success(request, _("Saved. Bookings that were made before stay; tell the people, or cancel them."))
        return redirect("instrument_hours", pk)
    return _layer_page(request, instrument, "instruments/hours_exception.html", form, entry_id)


@login_required
@require_http_methods(["GET", "POST"])
def instrument_occurrences(request: HttpRequest, pk: int, entry: int) -> HttpResponse:
    """The next times of something that comes again; POST cancels, moves or restores one (``action``, ``day``)."""
    actor, now = actor_of(request), timezone.now()
    instrument = managed(actor, pk)
    stored = _entry(queries.calendar_of(instrument), entry)
    if stored is None or stored.recurrence is None:
        raise NotFound.of("calendar.no_such_entry")
    form = MoveForm(_moving(request, stored))
    if request.method == "POST":
        if _changed(request, actor, pk, entry, form, now):
            return redirect("instrument_occurrences", pk, entry)
    elif not request.GET.get("move"):
        form = MoveForm()
    context = {
        "instrument": instrument,
        "entry_id": entry,
        "rows": occurrence_rows(stored, _today(instrument, now)),
        "form": form,
        "what": _words_of(instrument, entry, now),
    }
    failed = request.method == "POST"
    return render(request, "instruments/occurrences.html", context, status=422 if failed else 200)


def _moving(request: HttpRequest, entry: CalendarEntry) -> Any:
    """What stands in the form: what was typed, or the time that is to be moved (``?move=`` its day)."""
    if request.method == "POST":
        return request.POST
    day = read_day(request.GET.get("move", ""))
    if day is None:
        return None
    starts = datetime.combine(day, entry.starts_local.time())
    return {"day": day, "starts_local": starts, "ends_local": starts + (entry.ends_local - entry.starts_local)}


def _changed(request: HttpRequest, actor: Actor, pk: int, entry_id: int, form: MoveForm, now: datetime) -> bool:
    action, day = request.POST.get("action", ""), read_day(request.POST.get("day", "")) or date.min
    if action == "move":
        if not form.is_valid():
            return False
        typed = form.cleaned_data
        window = (typed["starts_local"], typed["ends_local"])
        if _done(form, lambda: opening_hours.move_occurrence(actor, pk, entry_id, typed["day"], *window, now)):
            messages.success(request, _("It is moved."))
            return True
        return False
    if action == "restore":
        opening_hours.restore_occurrence(actor, pk, entry_id, day, now)
        messages.success(request, _("It takes place as planned."))
    else:
        opening_hours.cancel_occurrence(actor, pk, entry_id, day, now)
        messages.success(request, _("It does not take place on that day. You can undo this in the list."))
    return True


# --- Parts ------------------------------------------------------------------------------------------------------------
def _done(form: forms.BaseForm, act: Callable[[], Any]) -> bool:
    """Do it; a refusal stands in the form, with every reason at its field. What does not exist stays not found."""
    try:
        act()
    except NotFound:
        raise
    except Refusal as refusal:
        add_refusal(form, refusal)
        return False
    return True


def _today(instrument: Instrument, now: datetime) -> date:
    return to_wall(now, present.zone(instrument)).date()


def _edited(request: HttpRequest, instrument: Instrument) -> tuple[int | None, tuple[StoredEntry, ...]]:
    """The entry that is changed (``?entry=``) and all that is stored. Raises NotFound for one that is not there."""
    stored = queries.calendar_of(instrument)
    text = request.GET.get("entry", "")
    if not text:
        return None, stored
    entry_id = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
    if not any(one.id == entry_id for one in stored):
        raise NotFound.of("calendar.no_such_entry")
    return entry_id, stored


def _entry(stored: tuple[StoredEntry, ...], entry_id: int | None) -> CalendarEntry | None:
    return next((one.entry for one in stored if one.id == entry_id), None)


def _layer_page(
    request: HttpRequest, instrument: Instrument, template: str, form: forms.Form, entry_id: int | None
) -> HttpResponse:
    context = {"instrument": instrument, "form": form, "is_new": entry_id is None}
    return render(request, template, context, status=422 if form.errors else 200)


def _typed(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _week_form(instrument: Instrument, now: datetime, typed: QueryDict | None = None) -> HoursForm:
    today = _today(instrument, now)
    return HoursForm(queries.hours_on(queries.calendar_of(instrument), today), today, typed)


def _words_of(instrument: Instrument, entry_id: int, now: datetime) -> str:
    """The entry in words; empty for one of the usual week."""
    view = hours_view(queries.stored_calendar(instrument), present.zone(instrument), _today(instrument, now))
    layers = (*view.seasons, *view.customers, *view.exceptions)
    return next((" · ".join([one.title, *one.when]) for one in layers if one.entry_id == entry_id), "")


def _hours_page(
    request: HttpRequest,
    instrument: Instrument,
    now: datetime,
    *,
    form: HoursForm | None = None,
    closure_form: ClosureForm | None = None,
    holiday_form: HolidayForm | None = None,
) -> HttpResponse:
    zone, today = present.zone(instrument), _today(instrument, now)
    calendar = queries.stored_calendar(instrument, now)
    view = hours_view(calendar, zone, today)
    first = read_day(f"{request.GET.get('month', '')}-01") or today.replace(day=1)
    audience = request.GET.get("for", "")
    context = {
        "instrument": instrument,
        "form": form or _week_form(instrument, now),
        "closure_form": closure_form or ClosureForm(),
        "holiday_form": holiday_form or HolidayForm(calendar.holidays),
        "has_holidays": statutory_holidays.applies_in(zone.key),
        "unpublished": [unpublished_words(year) for year in unpublished_years(today)],
        "hours": view,
        "undo": next((one for one in view.removed if str(one.entry_id) == request.GET.get("removed", "")), None),
        "month": month_view(calendar.rules, zone, first, today, audience if audience in set(Audience) else None),
    }
    failed = any(one is not None and one.errors for one in (form, closure_form, holiday_form))
    stands_at(request, "instrument_hours", instrument.pk)
    return render(request, "instruments/hours.html", context, status=422 if failed else 200)
