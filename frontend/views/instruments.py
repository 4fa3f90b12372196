"""Finding an instrument, its page, and keeping it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from config.kernel.access import Actor, Role
from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.http import attachment
from config.kernel.services import files
from frontend.http import actor_of, is_fragment
from frontend.instrument_forms import ClosureForm, HoursForm, InstrumentForm, PhotoForm, add_refusal
from frontend.presenters import instruments as present
from frontend.presenters.instruments import list_view
from frontend.views.quotes import booking_panel_context
from instruments import queries
from instruments.models import Instrument
from instruments.queries import InstrumentSearch, SearchResult
from instruments.queries.public_records import export_one, public_record
from instruments.rules.registry_values import SERVICE_MODES, STATUSES
from instruments.rules.standards.schema_org import schema_org, script_text
from instruments.rules.wall_time import to_wall
from instruments.services import registry, uploads
from instruments.services.registry import InstrumentFields


# --- Finding ----------------------------------------------------------------------------------------------------------
@require_GET
def instrument_list(request: HttpRequest) -> HttpResponse:
    """Search with facets; everything that was chosen stands in the address."""
    actor = actor_of(request)
    page = _number(request.GET.get("page", "")) or 1
    result = queries.search_instruments(actor, read_search(request.GET), page)
    context = {
        "result": result,
        "view": list_view(result, request.GET),
        "page": _page(result),
        "may_create": bool(_owners(actor)),
        "may_import": actor.has(Role.LAB_MANAGER, Role.OPERATOR),
        "managed": _owners(actor),
    }
    return render(request, "instruments/_browse.html" if is_fragment(request) else "instruments/list.html", context)


def read_search(query: QueryDict) -> InstrumentSearch:
    """What the address asks for; values that mean nothing are left out."""
    return InstrumentSearch(
        text=query.get("q", ""),
        class_code=_digits(query.get("class_code", ""), 6)[:2],
        region_code=_digits(query.get("region_code", ""), 6),
        status=_one_of(query.get("status", ""), STATUSES),
        service_mode=_one_of(query.get("service_mode", ""), SERVICE_MODES),
        owner=_number(query.get("owner", "")),
        bookable=query.get("bookable", "") == "1",
        sort=query.get("sort", ""),
    )


def _page(result: SearchResult) -> Page[Instrument]:
    """The page that was read, for the page links."""
    return Paginator(range(result.total), result.page_size).page(result.page)  # type: ignore[return-value]


# --- One instrument ---------------------------------------------------------------------------------------------------
@require_GET
def instrument_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Facts, owner, place, opening hours, contact; beside them what it costs and when it is free."""
    actor, now = actor_of(request), timezone.now()
    instrument = queries.instrument_for(actor, pk)
    context = _shown(actor, instrument, now) | booking_panel_context(request, instrument)
    context["json_ld"] = mark_safe(script_text(schema_org(public_record(instrument, now))))  # noqa: S308  (escaped by script_text)
    return render(request, "instruments/detail.html", context)


def _shown(actor: Actor, instrument: Instrument, now: datetime) -> dict[str, Any]:
    stored = queries.calendar_of(instrument)
    local_now = to_wall(now, present.zone(instrument))
    windows = queries.hours_on(stored, local_now.date())
    return {
        "instrument": instrument,
        "class_name": present.class_name(instrument.class_code),
        "card_icon": present.card_icon(instrument.class_code),
        "place": present.place_name(instrument.site.region_code),
        "modes": present.mode_names(instrument),
        "hours": present.weekly_hours(windows) if windows else [],
        "closures": present.closures(queries.closures_after(stored, local_now)),
        "may_manage": queries.may_manage(actor, instrument),
    }


@require_GET
def instrument_export(request: HttpRequest, pk: int, layout: str) -> HttpResponse:
    """The instrument in a format of others: public ones for everybody, the national record for who manages it."""
    export = export_one(actor_of(request), pk, layout, timezone.now())
    return attachment(export.content, export.media_type, export.file_name)


@require_GET
def instrument_photo(request: HttpRequest, pk: int, version: str) -> HttpResponse:
    """The photo; the address changes with it, so that it can be kept for long."""
    instrument = queries.instrument_for(actor_of(request), pk)
    if instrument.photo is None or not instrument.photo.sha256.startswith(version):
        raise NotFound.of("access.not_found", model="photo")
    response = HttpResponse(files.read(instrument.photo), content_type=instrument.photo.media_type)
    response["Cache-Control"] = "private, max-age=604800, immutable"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


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
    form = InstrumentForm(queries.sites_of(actor, owner), None, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        try:
            instrument = registry.create_instrument_somewhere(
                actor, owner, _number(typed["site"]), typed["new_place"], _fields(form), timezone.now()
            )
        except Refusal as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("The instrument is added. Now say when it is open."))
            return redirect("instrument_hours", instrument.pk)
    context = {"form": form, "instrument": None}
    return render(request, "instruments/edit.html", context, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "POST"])
def instrument_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The facts of an instrument, for those who manage it."""
    actor = actor_of(request)
    instrument = _managed(actor, pk)
    sites = queries.sites_of(actor, instrument.organisation_id)
    form = InstrumentForm(sites, instrument, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        changes = form.values() | ({"site_id": int(typed["site"])} if typed["site"] else {})
        try:
            registry.update_instrument(actor, pk, changes, timezone.now(), new_place=typed["new_place"])
        except Refusal as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Saved."))
            return redirect("instrument_detail", pk)
    context = {"form": form, "instrument": instrument, "photo_form": PhotoForm()}
    return render(request, "instruments/edit.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def instrument_photo_set(request: HttpRequest, pk: int) -> HttpResponse:
    """A new photo."""
    actor = actor_of(request)
    instrument = _managed(actor, pk)
    photo_form = PhotoForm(request.POST, request.FILES)
    if photo_form.is_valid():
        try:
            registry.set_photo(actor, pk, uploads.received(photo_form.cleaned_data["file"]), timezone.now())
        except Refusal as refusal:
            add_refusal(photo_form, refusal)
        else:
            messages.success(request, _("The photo is saved."))
            return redirect("instrument_detail", pk)
    form = InstrumentForm(queries.sites_of(actor, instrument.organisation_id), instrument)
    context = {"form": form, "instrument": instrument, "photo_form": photo_form}
    return render(request, "instruments/edit.html", context, status=422)


@login_required
@require_http_methods(["GET", "POST"])
def instrument_hours(request: HttpRequest, pk: int) -> HttpResponse:
    """Weekly opening hours, and closures that happen once."""
    actor, now = actor_of(request), timezone.now()
    instrument = _managed(actor, pk)
    form = _hours_form(instrument, now, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            registry.set_weekly_hours(actor, pk, form.windows(), form.cleaned_data["valid_from"], now)
        except Refusal as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("The opening hours are saved."))
            return redirect("instrument_hours", pk)
    return _hours_page(request, instrument, form, ClosureForm(), now)


@login_required
@require_POST
def instrument_close(request: HttpRequest, pk: int) -> HttpResponse:
    """Close it once."""
    actor, now = actor_of(request), timezone.now()
    instrument = _managed(actor, pk)
    form = ClosureForm(request.POST)
    if form.is_valid():
        starts, ends = (form.cleaned_data[name].replace(tzinfo=None) for name in ("starts_local", "ends_local"))
        try:
            registry.close_between(actor, pk, starts, ends, form.cleaned_data["reason"], now)
        except Refusal as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("The closure is saved. Bookings in it stay; tell the people, or cancel them."))
            return redirect("instrument_hours", pk)
    return _hours_page(request, instrument, _hours_form(instrument, now, None), form, now)


@login_required
@require_POST
def instrument_reopen(request: HttpRequest, pk: int, entry: int) -> HttpResponse:
    """Take a closure back."""
    registry.remove_calendar_entry(actor_of(request), pk, entry, timezone.now())
    messages.success(request, _("The closure is taken back."))
    return redirect("instrument_hours", pk)


def _hours_form(instrument: Instrument, now: datetime, data: QueryDict | None) -> HoursForm:
    stored = queries.calendar_of(instrument)
    today = to_wall(now, present.zone(instrument)).date()
    return HoursForm(queries.hours_on(stored, today), today, data)


def _hours_page(
    request: HttpRequest, instrument: Instrument, form: HoursForm, closure_form: ClosureForm, now: datetime
) -> HttpResponse:
    stored = queries.calendar_of(instrument)
    context = {
        "instrument": instrument,
        "form": form,
        "closure_form": closure_form,
        "closures": present.closures(queries.closures_after(stored, to_wall(now, present.zone(instrument)))),
    }
    failed = bool(form.errors or closure_form.errors)
    return render(request, "instruments/hours.html", context, status=422 if failed else 200)


def _managed(actor: Actor, pk: int) -> Instrument:
    """The instrument, when the actor keeps it. Raises NotFound, Forbidden."""
    instrument = queries.instrument_for(actor, pk)
    if not queries.may_manage(actor, instrument):
        raise Forbidden.of("access.role_needed", roles=[Role.LAB_MANAGER.value])
    return instrument


def _owners(actor: Actor) -> list[int]:
    return sorted(actor.organisations(Role.LAB_MANAGER))


def _fields(form: InstrumentForm) -> InstrumentFields:
    values = form.values()
    values["service_modes"] = tuple(values["service_modes"])
    return InstrumentFields(**values)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _one_of(text: str, known: tuple[str, ...]) -> str:
    return text if text in known else ""


def _digits(text: str, length: int) -> str:
    return text if text.isascii() and text.isdigit() and len(text) <= length else ""
