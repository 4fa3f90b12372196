"""At the instrument with a phone: from the code to start, more time, a fault and the end. Every page is good for some minutes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from billing.settlement.reservation_figures import figures_of
from booking.models import Reservation
from booking.queries import usage as usage_queries
from booking.rules.attendance import Arrival
from booking.rules.states import ReservationState
from booking.services import acting, check_in_points, extending, licences, self_service, usage_review
from config.kernel.access import Actor, Role
from config.kernel.errors import NotFound, Refusal
from config.kernel.messages import reason_sentence
from frontend.booking_form import read_longer
from frontend.http import actor_of, stands_at
from frontend.presenters.longer import longer_ends
from frontend.presenters.usage import OUTCOMES
from frontend.refusals import sentences, status_of
from frontend.states import look_of
from instruments.models import Instrument, InstrumentStatus
from instruments.services import problems, registry

ENDS_OFFERED = 4
_TO_AGREE = frozenset({ReservationState.COMPLETED, ReservationState.ADJUSTMENT_REFUSED})


@login_required
@never_cache
@require_GET
def here_scan(request: HttpRequest, code: str) -> HttpResponse:
    """Where the code at an instrument leads: to a page for this person that lasts some minutes."""
    proof = check_in_points.read_code(actor_of(request), code, timezone.now())
    return redirect(f"{reverse('here_now')}?{urlencode({'s': proof})}")


@login_required
@never_cache
@require_GET
def here_now(request: HttpRequest) -> HttpResponse:
    """What the person can do at this instrument now."""
    proof, now = request.GET.get("s", ""), timezone.now()
    try:
        instrument = check_in_points.instrument_of(actor_of(request), proof, now)
    except NotFound:
        raise
    except Refusal as refusal:
        return _scan_again(request, refusal)
    return _page(request, instrument, proof, now)


def _scan_again(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    return render(request, "here/again.html", {"sentences": sentences(refusal)}, status=status_of(refusal))


def _page(
    request: HttpRequest, instrument: Instrument, proof: str, now: datetime, refusal: Refusal | None = None
) -> HttpResponse:
    actor = actor_of(request)
    found = usage_queries.here(actor, instrument, now)
    shown = found.running or found.due or found.later
    figures = figures_of(actor, [shown]).get(shown.pk) if shown else None
    running = found.running
    unpaid = _not_paying(running, actor, now) if running else []
    offered = extending.extensible(running, now, ENDS_OFFERED) if running and not unpaid else None
    recent = found.recent if found.recent and found.recent.state in _TO_AGREE else None
    context = {
        "here": found,
        "instrument": instrument,
        "zone": instrument.site.time_zone,
        "proof": proof,
        "now": now,
        "ticks": check_in_points.ticks_of(instrument.pk),
        "figures": figures,
        "longer": longer_ends(running, offered.ends, figures.payable_now_fen if figures else 0, now)
        if running and offered
        else [],
        "not_longer": [reason_sentence(reason) for reason in offered.reasons] if offered else unpaid,
        "pays_running": not unpaid,
        "pays_recent": recent is not None and acting.pays(recent, actor, now),
        "left_minutes": _minutes(found.running.ends_at - now) if found.running else 0,
        "lacks_licence": found.due is not None and licences.lacks_licence(found.due, actor.person_id, now),
        "early_minutes": _minutes(found.due.starts_at - now) if found.due and found.arrival is Arrival.EARLY else 0,
        "outcome": OUTCOMES[found.recent.session.outcome] if found.recent else "",
        "statuses": [(value, look_of("instrument", value).word) for value in InstrumentStatus.values] if found.manages else [],
        "problems": sentences(refusal) if refusal else [],
    }
    stands_at(request, "here_now", s=proof)
    return render(request, "here/now.html", context, status=status_of(refusal) if refusal else 200)


def _not_paying(reservation: Reservation, actor: Actor, now: datetime) -> list[str]:
    """Why the person says no yes to what the session costs; empty where they do."""
    try:
        acting.require_paying(reservation, actor, now)
    except Refusal as refusal:
        return sentences(refusal)
    return []


def _minutes(length: object) -> int:
    return int(length.total_seconds()) // 60  # type: ignore[attr-defined]


@login_required
@require_POST
def here_start(request: HttpRequest) -> HttpResponse:
    """Start the session that is due."""

    def act(actor: Actor, instrument: Instrument, now: datetime) -> str:
        self_service.start(actor, _id(request, instrument), request.POST.getlist("ticks"), now, at_id=instrument.pk)
        return _("Started. Have a good session.")

    return _acted(request, act)


@login_required
@require_POST
def here_extend(request: HttpRequest) -> HttpResponse:
    """Go on until another end, at the price that was shown."""

    def act(actor: Actor, instrument: Instrument, now: datetime) -> str:
        ends_at, expected = read_longer(request.POST)
        extending.extend(actor, _id(request, instrument), ends_at, expected, now)
        return _("The session goes on for longer.")

    return _acted(request, act)


@login_required
@require_POST
def here_end(request: HttpRequest) -> HttpResponse:
    """End the running session; with a tick the customer agrees to its times at once."""

    def act(actor: Actor, instrument: Instrument, now: datetime) -> str:
        self_service.end(actor, _id(request, instrument), agrees=request.POST.get("agrees") == "yes", now=now)
        return _("Ended. Thank you.")

    return _acted(request, act)


@login_required
@require_POST
def here_agree(request: HttpRequest) -> HttpResponse:
    """Say yes to the times of the session that has just ended."""

    def act(actor: Actor, instrument: Instrument, now: datetime) -> str:
        if usage_review.agree(actor, _id(request, instrument), now):
            return _("Agreed. The charge is made.")
        return _("Noted. It is charged once the other side agrees, or when the time for it is over.")

    return _acted(request, act)


@login_required
@require_POST
def here_report(request: HttpRequest) -> HttpResponse:
    """Tell the lab about a fault; who runs the instrument may mark it with the same press."""

    def act(actor: Actor, instrument: Instrument, now: datetime) -> str:
        text = request.POST.get("text", "").replace("\x00", "")
        if text.strip() and request.POST.get("unusable") == "yes":
            text = f"[{_('cannot be used')}] {text}"
        problems.report(actor, instrument.pk, text, now)
        status = request.POST.get("instrument_status", "")
        manages = instrument.organisation_id in actor.organisations(Role.LAB_MANAGER)
        if manages and status and status != instrument.status:
            registry.set_status(actor, instrument.pk, status, now, text.strip()[:200])
        return _("Thank you. The lab has been told.")

    return _acted(request, act)


def _id(request: HttpRequest, instrument: Instrument) -> int:
    """The reservation that was posted: one of the instrument at which the person stands. Raises NotFound for any other."""
    text = request.POST.get("reservation", "")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise NotFound.of("access.not_found", model="reservation")
    check_in_points.require_at(int(text), instrument.pk)
    return int(text)


def _acted(request: HttpRequest, act: Callable[[Actor, Instrument, datetime], str]) -> HttpResponse:
    """Do it and come back to the page of the instrument; a refusal is shown there."""
    actor, now, proof = actor_of(request), timezone.now(), request.POST.get("s", "")
    try:
        instrument = check_in_points.instrument_of(actor, proof, now)
    except NotFound:
        raise
    except Refusal as refusal:
        return _scan_again(request, refusal)
    try:
        said = act(actor, instrument, now)
    except NotFound:
        raise
    except Refusal as refusal:
        instrument.refresh_from_db()
        return _page(request, instrument, proof, now, refusal)
    messages.success(request, said)
    return redirect(f"{reverse('here_now')}?{urlencode({'s': proof})}")
