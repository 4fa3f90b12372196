"""Keeping an instrument."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from config.kernel.access import Actor, Role
from config.kernel.api.problems import status_of
from config.kernel.errors import Conflict, Forbidden, Refusal
from frontend.http import actor_of, stands_at
from frontend.instrument_forms import PhotoForm, add_refusal
from frontend.instrument_record_form import RecordForm
from instruments import queries
from instruments.models import Instrument
from instruments.queries import records
from instruments.services import instrument_edits, registry, uploads
from instruments.services.instrument_edits import Saved
from instruments.services.registry import InstrumentFields


# --- Keeping ----------------------------------------------------------------------------------------------------------
@login_required
@require_http_methods(["GET", "POST"])
def instrument_create(request: HttpRequest) -> HttpResponse:
    """A new instrument of an owner (``?organisation=``, the only one that the person manages by default)."""
    actor = actor_of(request)
    owners = _owners(actor)
    owner = _number(request.GET.get("organisation", "")) or (owners[0] if owners else 0)
    if not owner or (owner not in owners and not actor.has(Role.OPERATOR)):
        raise Forbidden.of("access.role_needed", roles=[Role.LAB_MANAGER.value])
    form = RecordForm(
        queries.sites_of(actor, owner),
        None,
        request.POST if request.method == "POST" else None,
        is_facility=_asks_for_facility(request),
    )
    if request.method == "POST" and form.is_valid():
        site_id = _number(form.cleaned_data["site"])
        try:
            instrument = instrument_edits.create(actor, owner, site_id, _fields(form), form.edit(), timezone.now())
        except Refusal as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("It is added. Now say when it is open."))
            if form.cleaned_data["published"] and not instrument.published:
                messages.info(request, _("Nobody else sees it yet: hand it in for publication on its page when it is complete."))
            return redirect("instrument_hours", instrument.pk)
    context = {"form": form, "instrument": None, "form_address": request.get_full_path()}
    return render(request, "instruments/edit.html", context, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "POST"])
def instrument_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The whole record of an instrument, for those who manage it; what was proposed before stands in the form."""
    actor = actor_of(request)
    instrument = managed(actor, pk)
    becomes_facility = _asks_for_facility(request)
    form = _record_form(actor, instrument, request.POST if request.method == "POST" else None, becomes_facility)
    status, still_booked = 200, False
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                saved = instrument_edits.save(actor, pk, form.edit(), timezone.now())
            except Refusal as refusal:
                status = status_of(refusal)
                still_booked = any(one.code == "booking.ahead_of_retirement" for one in refusal.reasons)
                form = _refused(actor, instrument, form, refusal)
            else:
                return _saved(request, pk, saved)
    return _edit_page(request, instrument, form, PhotoForm(), status, still_booked=still_booked)


def _saved(request: HttpRequest, pk: int, saved: Saved) -> HttpResponse:
    if saved.change is None:
        messages.success(request, _("Saved."))
        return redirect("instrument_detail", pk)
    messages.success(request, _("Saved as a draft. Look at the differences and hand them in."))
    return redirect("review_detail", saved.change.pk)


def _refused(actor: Actor, instrument: Instrument, form: RecordForm, refusal: Refusal) -> RecordForm:
    """The form again with what was typed; after a conflict it carries the new revision, so that saving again is a decision."""
    if isinstance(refusal, Conflict) and isinstance(form.data, QueryDict):
        data = form.data.copy()
        data["revision"] = queries.instrument_for(actor, instrument.pk).updated_at.isoformat()
        form = _record_form(actor, instrument, data, form.is_facility)
    add_refusal(form, refusal)
    return form


def _record_form(actor: Actor, instrument: Instrument, data: Any, becomes_facility: bool = False) -> RecordForm:
    details, change = records.details_of(actor, instrument), records.open_change_of(actor, instrument)
    return RecordForm(
        queries.sites_of(actor, instrument.organisation_id),
        instrument,
        data,
        customs=details.customs,
        fundings=details.fundings,
        shown_values=change.values if change is not None and change.state in records.OPEN_CHANGES else {},
        may_publish=not records.waits_for_review(actor, instrument),
        facility=records.facility_of(instrument),
        is_facility=becomes_facility,
    )


def _edit_page(
    request: HttpRequest,
    instrument: Instrument,
    form: RecordForm,
    photo_form: PhotoForm,
    status: int = 200,
    *,
    still_booked: bool = False,
) -> HttpResponse:
    actor = actor_of(request)
    context = {
        "form": form,
        "form_address": reverse("instrument_edit", args=[instrument.pk]) + ("?kind=facility" if form.is_facility else ""),
        "instrument": instrument,
        "photo_form": photo_form,
        "change": records.open_change_of(actor, instrument),
        "reviewed": records.waits_for_review(actor, instrument),
        "still_booked": still_booked,
    }
    stands_at(request, "instrument_edit", instrument.pk)
    return render(request, "instruments/edit.html", context, status=status)


@login_required
@require_POST
def instrument_photo_set(request: HttpRequest, pk: int) -> HttpResponse:
    """A new photo."""
    actor = actor_of(request)
    instrument = managed(actor, pk)
    photo_form = PhotoForm(request.POST, request.FILES)
    if photo_form.is_valid():
        try:
            registry.set_photo(actor, pk, uploads.received(photo_form.cleaned_data["file"]), timezone.now())
        except Refusal as refusal:
            add_refusal(photo_form, refusal)
        else:
            messages.success(request, _("The photo is saved."))
            return redirect("instrument_detail", pk)
    return _edit_page(request, instrument, _record_form(actor, instrument, None), photo_form, 422)


def managed(actor: Actor, pk: int) -> Instrument:
    """The instrument, when the actor keeps it. Raises NotFound, Forbidden."""
    instrument = queries.instrument_for(actor, pk)
    if not queries.may_manage(actor, instrument):
        raise Forbidden.of("access.role_needed", roles=[Role.LAB_MANAGER.value])
    return instrument


def _owners(actor: Actor) -> list[int]:
    return sorted(actor.organisations(Role.LAB_MANAGER))


def _fields(form: RecordForm) -> InstrumentFields:
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in form.values().items()}
    return InstrumentFields(**values)


def _asks_for_facility(request: HttpRequest) -> bool:
    """Whether the form is to hold what the national sheet of large facilities asks for (``?kind=facility``)."""
    return request.GET.get("kind") == "facility"


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
