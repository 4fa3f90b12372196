"""What is out of service: what became of each booking, those that still have to be decided, and its end."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from booking.downtime_wording import BECAME_NAMES, KIND_NAMES
from booking.models import DowntimeEffect
from booking.queries import downtimes as downtime_queries
from booking.rules.downtime import Became, DowntimeKind
from booking.services import downtimes
from config.kernel.access import get_visible
from config.kernel.errors import NotFound, Reason, Refusal
from config.kernel.messages import reason_sentence
from config.kernel.time_range import TimeRange
from frontend.hours_forms import UntilForm
from frontend.http import actor_of, stands_at
from frontend.instrument_forms import add_refusal
from frontend.outage_form import HitRow, decisions_in, promises_in, seen_in
from frontend.presenters import instruments as present
from frontend.refusals import sentences, status_of
from frontend.views.maintenance import after_moving, again, hit_rows, job_rows
from instruments.rules.wall_time import end_instant, refuse_year, to_wall


@dataclass(frozen=True, slots=True)
class Report:
    """One booking with what became of it, and why nothing did."""

    effect: DowntimeEffect
    became: str
    failed: bool
    reasons: list[str]


@login_required
@require_GET
def downtime_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The report, and what is left to do."""
    return _page(request, pk)


@login_required
@require_POST
def downtime_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Do with the bookings that were left what is chosen now."""
    actor, now = actor_of(request), timezone.now()
    try:
        promises = promises_in(request.POST)
        effects = downtimes.decide_all(actor, pk, decisions_in(request.POST), now)
    except NotFound:
        raise
    except Refusal as refusal:
        return _page(request, pk, refusal=refusal)
    failed = sum(one.became == Became.FAILED for one in effects)
    done = len(effects) - failed
    if done or not promises:
        messages.success(
            request, ngettext("%(count)s booking is dealt with.", "%(count)s bookings are dealt with.", done) % {"count": done}
        )
    if failed:
        text = ngettext("%(count)s could not be: see why below.", "%(count)s could not be: see why below.", failed)
        messages.warning(request, text % {"count": failed})
    return after_moving(request, actor, downtimes.downtime_of(actor, pk), promises, now)


@login_required
@require_POST
def downtime_prolong(request: HttpRequest, pk: int) -> HttpResponse:
    """Another end: later hits more bookings, earlier gives time back."""
    actor, now = actor_of(request), timezone.now()
    downtime = downtimes.downtime_of(actor, pk)
    form = UntilForm(request.POST)
    if not form.is_valid():
        return _page(request, pk, form=form, status=422)
    zone = present.zone(downtime.instrument)
    try:
        refuse_year(form.cleaned_data["ends_local"], "ends_local")
        ends_at = end_instant(form.cleaned_data["ends_local"], zone)
        downtimes.prolong(actor, pk, ends_at, seen_in(request.POST), now)
    except NotFound:
        raise
    except Refusal as refusal:
        add_refusal(form, refusal)
        later = status_of(refusal) == 409
        window = TimeRange(downtime.ends_at, ends_at) if later else None
        return _page(request, pk, form=form, more_in=window, status=status_of(refusal))
    messages.success(request, _("The end is changed. What it hits stands below."))
    return redirect("downtime_detail", pk)


@login_required
@require_POST
def downtime_close(request: HttpRequest, pk: int) -> HttpResponse:
    """It works again, or planned work is called off; the form that follows still holds what it was."""
    actor, now = actor_of(request), timezone.now()
    try:
        closed = downtimes.close(actor, pk, now)
    except NotFound:
        raise
    except Refusal as refusal:
        return _page(request, pk, refusal=refusal)
    return again(request, closed.instrument, {"again": closed.pk})


def _page(
    request: HttpRequest,
    pk: int,
    *,
    refusal: Refusal | None = None,
    form: UntilForm | None = None,
    more_in: TimeRange | None = None,
    status: int = 200,
) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    downtime = get_visible(downtime_queries.downtime_detail(actor), actor, pk=pk)
    settled = [one.reservation_id for one in downtime.effects.all() if one.became != Became.FAILED]
    rows: list[HitRow] = []
    hits: list[HitRow] = []
    more, at_risk = 0, {}
    if downtime.is_open and downtime.ends_at > now:
        rows, more = hit_rows(request, actor, downtime.instrument, downtime.during, now, settled)
        ended = downtimes.interrupted_by(downtime)
        hits = [row for row in rows if not row.runs or row.reservation.pk in ended]
        at_risk = job_rows(request, actor, downtime.instrument, downtime.during, now)
    zone = present.zone(downtime.instrument)
    context = {
        "downtime": downtime,
        "instrument": downtime.instrument,
        "zone": zone.key,
        "kind": KIND_NAMES[downtime.kind],
        "breaks": downtime.kind == DowntimeKind.BREAKDOWN,
        "going": downtime.is_open and downtime.ends_at > now,
        "reports": [_report(one) for one in downtime.effects.all()],
        "hits": hits,
        "more": more,
        **at_risk,
        "goes_on": len(rows) > len(hits),
        "further": downtime_queries.would_hit(actor, downtime.instrument, more_in, now) if more_in else [],
        "form": form or UntilForm(initial={"ends_local": to_wall(downtime.ends_at, zone)}),
        "problems": sentences(refusal) if refusal else [],
    }
    stands_at(request, "downtime_detail", pk)
    return render(request, "booking/downtime.html", context, status=status_of(refusal) if refusal else status)


def _report(one: DowntimeEffect) -> Report:
    reasons = [reason_sentence(Reason(code, params)) for code, params in one.reasons]
    return Report(one, str(BECAME_NAMES[one.became]), one.became == Became.FAILED, reasons)
