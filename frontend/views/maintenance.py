"""Planning maintenance: time that the lab takes for itself, and which bookings stand in its way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from booking import queries as bookings
from booking.models import Occupancy, Reservation
from booking.services import maintenance
from config.kernel.access import Actor, Role
from config.kernel.errors import Conflict, NotFound, Refusal
from config.kernel.time_range import TimeRange
from frontend import display
from frontend.hours_forms import MaintenanceForm
from frontend.http import actor_of
from frontend.instrument_forms import add_refusal
from frontend.presenters import instruments as present
from instruments import queries
from instruments.models import Instrument
from instruments.rules.wall_time import end_instant, refuse_year, start_instant, to_wall


@dataclass(frozen=True, slots=True)
class Planned:
    """Maintenance that is planned, in the time of the place."""

    occupancy_id: int
    when: str
    note: str


@login_required
@require_http_methods(["GET", "POST"])
def instrument_maintenance(request: HttpRequest, pk: int) -> HttpResponse:
    """Plan it, or (``action=check``) only see which bookings it would hit. Values in the address fill the form."""
    actor, now = actor_of(request), timezone.now()
    instrument = _of_the_lab(actor, pk)
    if request.method == "GET":
        form = MaintenanceForm(initial={name: request.GET.get(name, "") for name in MaintenanceForm.base_fields})
        return _page(request, actor, instrument, form, now)
    form = MaintenanceForm(request.POST)
    during = _during(form, present.zone(instrument)) if form.is_valid() else None
    if during is None:
        return _page(request, actor, instrument, form, now, status=422)
    hits = bookings.hit_by(actor, instrument, during)
    if request.POST.get("action") == "check":
        return _page(request, actor, instrument, form, now, hits=hits, checked=True)
    try:
        maintenance.block(actor, pk, during, form.cleaned_data["note"], now)
    except NotFound:
        raise
    except Conflict:
        return _page(request, actor, instrument, form, now, hits=hits, checked=True, status=409)
    except Refusal as refusal:
        add_refusal(form, refusal)
        return _page(request, actor, instrument, form, now, hits=hits, status=422)
    messages.success(request, _("The maintenance is planned. Nobody can book in it."))
    if hits:
        messages.warning(request, _("There are requests in this time that cannot be approved any more: decline them."))
    return redirect("instrument_maintenance", pk)


@login_required
@require_POST
def maintenance_remove(request: HttpRequest, pk: int, occupancy: int) -> HttpResponse:
    """Give the time back; the form that follows holds what it was, so that one press plans it again."""
    actor = actor_of(request)
    instrument = _of_the_lab(actor, pk)
    gone = maintenance.unblock(actor, pk, occupancy, timezone.now())
    messages.success(request, _("The time is free again. To undo this, plan it again: the form still holds it."))
    zone = present.zone(instrument)
    starts, ends = (to_wall(moment, zone) for moment in (gone.during.lower, gone.during.upper))
    form = {"starts_local": f"{starts:%Y-%m-%dT%H:%M}", "ends_local": f"{ends:%Y-%m-%dT%H:%M}", "note": gone.note}
    return redirect(f"{reverse('instrument_maintenance', args=[pk])}?{urlencode(form)}")


def _of_the_lab(actor: Actor, pk: int) -> Instrument:
    """The instrument, when the actor manages its lab. Raises NotFound, Forbidden."""
    instrument = queries.instrument_for(actor, pk)
    actor.require_in(instrument.organisation_id, Role.LAB_MANAGER)
    return instrument


def _during(form: MaintenanceForm, zone: ZoneInfo) -> TimeRange | None:
    """The time that was typed; None, with the problem in the form, when its end does not come after its start."""
    starts_local, ends_local = form.cleaned_data["starts_local"], form.cleaned_data["ends_local"]
    try:
        refuse_year(starts_local, "starts_local")
        refuse_year(ends_local, "ends_local")
        starts_at, ends_at = start_instant(starts_local, zone), end_instant(ends_local, zone)
        if starts_at >= ends_at:
            raise Refusal.of("calendar.end_before_start", "ends_local")
    except Refusal as refusal:
        add_refusal(form, refusal)
        return None
    return TimeRange(starts_at, ends_at)


def _page(
    request: HttpRequest,
    actor: Actor,
    instrument: Instrument,
    form: MaintenanceForm,
    now: datetime,
    *,
    hits: list[Reservation] | None = None,
    checked: bool = False,
    status: int = 200,
) -> HttpResponse:
    zone = present.zone(instrument)
    context = {
        "instrument": instrument,
        "form": form,
        "hits": hits or [],
        "checked": checked,
        "refused": status == 409,
        "planned": [_planned(one, zone) for one in bookings.planned_maintenance(actor, instrument, now)],
    }
    return render(request, "booking/maintenance.html", context, status=status)


def _planned(one: Occupancy, zone: ZoneInfo) -> Planned:
    return Planned(one.pk, display.range_words(to_wall(one.during.lower, zone), to_wall(one.during.upper, zone)), one.note)
