"""A booking gets another time: what it would change, then doing or proposing it; and answering what was proposed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from billing.settlement import fee_figures, reservation_figures
from billing.settlement.services import moving
from booking import queries
from booking.models import Reservation
from booking.rules.changes import ChangeState, Side
from booking.services import changes
from booking.services.changes import ChangeRequest
from config.kernel.access import Actor, Role, get_visible, visible_to
from config.kernel.errors import Conflict, NotFound, Refusal
from config.kernel.time_range import TimeRange
from frontend.booking_form import BookingForm, read_expected, read_id, read_key
from frontend.http import actor_of
from frontend.presenters import assessment
from frontend.presenters.assessment import AssessmentRows
from frontend.presenters.quote import range_words
from frontend.refusals import sentences, status_of
from frontend.views.bookings import detail_response
from instruments.models import Instrument


@dataclass(frozen=True, slots=True)
class MovePage:
    """The page of a move: the form as typed, the figures of old and new time where they are known, other times that are free.

    ``instrument`` is where it would be; ``places``: the lab's instruments of which its managers may choose another (none: they do not
    choose)."""

    reservation: Reservation
    side: Side
    form: BookingForm
    instrument: Instrument
    places: list[Instrument]
    during: TimeRange | None
    old: AssessmentRows | None
    new: AssessmentRows | None
    fee_stays_fen: int | None
    alternatives: list[tuple[str, str]]
    problems: list[str]
    key: str
    reason: str
    agreed: bool

    @property
    def zone(self) -> str:
        return self.reservation.instrument.site.time_zone


@login_required
@require_http_methods(["GET", "POST"])
def reservation_move(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose another time and see what it costs; then move, or ask the other side."""
    actor, now = actor_of(request), timezone.now()
    rows = queries.reservations_visible(actor).select_related("instrument__policy")
    reservation = get_visible(rows, actor, pk=pk)
    side = changes.side_of(reservation, actor)
    zone = ZoneInfo(reservation.instrument.site.time_zone)
    places = _places(actor, reservation)
    asked_id = read_id((request.POST or request.GET).get("instrument", "")) or reservation.instrument_id
    place = next((one for one in places if one.pk == asked_id), reservation.instrument)
    form = BookingForm.read(request.POST or request.GET)
    refusal: Refusal | None = None
    during: TimeRange | None = None
    try:
        during = form.during(zone) if form.has_time else None
        if request.method == "POST" and during is not None:
            return _moved(request, actor, pk, during, asked_id, now)
    except NotFound:
        raise
    except Refusal as refused:
        refusal = refused
    shown = form if form.has_time else form.at(reservation.during, zone)
    page = _page(request, actor, reservation, side, shown, (place, places), during, now, refusal)
    return render(request, "booking/move.html", {"page": page}, status=status_of(refusal) if refusal else 200)


def _places(actor: Actor, reservation: Reservation) -> list[Instrument]:
    """The instruments of its lab, for the lab's managers alone: the likest first, of the same class, then by name."""
    lab_id = reservation.instrument.organisation_id
    if lab_id not in actor.organisations(Role.LAB_MANAGER):
        return []
    rows = visible_to(Instrument.objects.filter(organisation_id=lab_id).exclude(status="retired"), actor)
    found = list(rows.select_related("site").order_by("name_pinyin", "name", "pk"))
    return sorted(found, key=lambda one: one.class_code != reservation.instrument.class_code) if len(found) > 1 else []


def _moved(request: HttpRequest, actor: Actor, pk: int, during: TimeRange, place_id: int, now: datetime) -> HttpResponse:
    asked = ChangeRequest(
        pk,
        during,
        reason=request.POST.get("reason", "").replace("\x00", ""),
        agreed=request.POST.get("agreed") == "yes",
        expected=read_expected(request.POST),
        instrument_id=place_id,
    )
    changed = changes.change(actor, asked, now, idempotency_key=read_key(request.POST))
    if changed.state == ChangeState.MADE:
        messages.success(request, _("Moved. The old time is free again; everybody concerned gets a mail."))
    else:
        messages.success(request, _("Asked. Until the answer comes, both times are kept."))
    return redirect("reservation_detail", pk)


def _page(
    request: HttpRequest,
    actor: Actor,
    reservation: Reservation,
    side: Side,
    form: BookingForm,
    where: tuple[Instrument, list[Instrument]],
    during: TimeRange | None,
    now: datetime,
    refusal: Refusal | None,
) -> MovePage:
    zone = ZoneInfo(reservation.instrument.site.time_zone)
    problems = sentences(refusal) if refusal else []
    new: AssessmentRows | None = None
    stays_fen: int | None = None
    place, places = where
    if during is not None and (during != reservation.during or place.pk != reservation.instrument_id):
        try:
            preview = moving.preview(actor, reservation.pk, during, now, place.pk)
            new = assessment.of_preview(preview)
            if side is Side.CUSTOMER:
                stays_fen = fee_figures.stays_when_moved(
                    reservation, preview.prepared.inputs.schedule, preview.assessment.gross_fen, now
                )
        except Refusal as refused:
            problems += sentences(refused)
    quote = reservation_figures.money_of(actor, reservation).quote
    pairs = refusal.extra.get("alternatives", []) if isinstance(refusal, Conflict) else []
    return MovePage(
        reservation=reservation,
        side=side,
        form=form,
        instrument=place,
        places=places,
        during=during,
        old=assessment.of_frozen(quote) if quote else None,
        new=new,
        fee_stays_fen=stays_fen,
        alternatives=[_alternative(form, starts, ends, zone, place.pk) for starts, ends in pairs],
        problems=problems,
        key=str(uuid4()),
        reason=request.POST.get("reason", "") or request.GET.get("reason", ""),
        agreed=request.POST.get("agreed") == "yes",
    )


def _alternative(form: BookingForm, starts_at: str, ends_at: str, zone: ZoneInfo, place_id: int) -> tuple[str, str]:
    """(words, query) of another time that is free there."""
    during = TimeRange(datetime.fromisoformat(starts_at), datetime.fromisoformat(ends_at))
    return range_words(during, zone.key), f"{form.at(during, zone).query()}&instrument={place_id}"


@login_required
@require_POST
def move_accept(request: HttpRequest, pk: int, change: int) -> HttpResponse:
    """Say yes to a proposed time."""
    return _answered(
        request,
        pk,
        lambda actor, now: changes.accept(actor, change, now, read_expected(request.POST), _other(request)),
        _("Moved to the new time. Everybody concerned gets a mail."),
    )


def _other(request: HttpRequest) -> int | None:
    """The further time of the proposal that is taken; 0 is none of them."""
    text = request.POST.get("other", "")
    if not text:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


@login_required
@require_POST
def move_refuse(request: HttpRequest, pk: int, change: int) -> HttpResponse:
    """Say no, with a reason."""
    reason = request.POST.get("reason", "").replace("\x00", "")
    return _answered(
        request, pk, lambda actor, now: changes.refuse(actor, change, now, reason), _("Refused. The old time stays.")
    )


@login_required
@require_POST
def move_withdraw(request: HttpRequest, pk: int, change: int) -> HttpResponse:
    """Take one's own proposal back."""
    return _answered(request, pk, lambda actor, now: changes.withdraw(actor, change, now), _("Taken back. The old time stays."))


def _answered(request: HttpRequest, pk: int, act: Callable[[Actor, datetime], None], success: str) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    get_visible(Reservation.objects.all(), actor, pk=pk)
    try:
        act(actor, now)
    except NotFound:
        raise
    except Refusal as refusal:
        return detail_response(request, pk, now, refusal)
    messages.success(request, success)
    return redirect("reservation_detail", pk)
