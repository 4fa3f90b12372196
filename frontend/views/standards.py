"""What other systems ask of an owner: its national sheet; and the policy zones of the platform."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from config.kernel.access import Role
from config.kernel.api.problems import status_of
from config.kernel.errors import NotFound, Refusal
from config.kernel.http import attachment
from frontend.forms import refusal_to_form
from frontend.http import actor_of
from frontend.zone_forms import ZoneForm
from instruments import queries
from instruments.queries import codes, public_records
from instruments.queries.national import facility_workbook, national_workbook
from instruments.queries.public_records import XLSX
from instruments.services import policy_zones


@login_required
@require_GET
def national_record(request: HttpRequest, pk: int) -> HttpResponse:
    """The owner's instruments as the Excel sheet of the national network."""
    actor = actor_of(request)
    owner = queries.organisation_for(actor, pk)
    return attachment(national_workbook(actor, owner.pk, timezone.now()), XLSX, f"national-record-{pk}.xlsx")


@login_required
@require_GET
def national_messages(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """The owner's instruments as messages of the national network's interface."""
    actor = actor_of(request)
    owner = queries.organisation_for(actor, pk)
    answer = StreamingHttpResponse(
        public_records.national_messages(actor, owner.pk, timezone.now()), content_type="application/json"
    )
    answer["Content-Disposition"] = f'attachment; filename="national-record-{pk}.json"'
    return answer


@login_required
@require_GET
def facility_record(request: HttpRequest, pk: int) -> HttpResponse:
    """The owner's large facilities as the Excel sheet of the national network."""
    actor = actor_of(request)
    owner = queries.organisation_for(actor, pk)
    return attachment(facility_workbook(actor, owner.pk, timezone.now()), XLSX, f"facility-record-{pk}.xlsx")


@login_required
@require_GET
def zone_list(request: HttpRequest) -> HttpResponse:
    """The zones of policies, with their days."""
    actor = actor_of(request)
    actor.require(Role.OPERATOR)
    today = timezone.localdate()
    rows = [(zone, codes.name_of("gbt2260", zone.region_code, today, "zh")) for zone in codes.zones(actor)]
    return render(request, "standards/zones.html", {"rows": rows})


@login_required
@require_http_methods(["GET", "POST"])
def zone_create(request: HttpRequest) -> HttpResponse:
    """A new zone."""
    actor = actor_of(request)
    actor.require(Role.OPERATOR)
    form = ZoneForm(None, request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                policy_zones.create_zone(actor, form.cleaned_data["slug"], form.zone_fields(), timezone.now())
            except Refusal as refusal:
                refusal_to_form(form, refusal)
                status = status_of(refusal)
            else:
                messages.success(request, _("The zone is added."))
                return redirect("zone_list")
    return render(request, "standards/zone.html", {"form": form, "zone": None}, status=status)


@login_required
@require_http_methods(["GET", "POST"])
def zone_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """A zone's names, place and days."""
    actor = actor_of(request)
    actor.require(Role.OPERATOR)
    zone = codes.zone_for(actor, pk)
    form = ZoneForm(zone, request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                policy_zones.update_zone(actor, pk, form.zone_fields(), timezone.now())
            except NotFound:
                raise
            except Refusal as refusal:
                refusal_to_form(form, refusal)
                status = status_of(refusal)
            else:
                messages.success(request, _("Saved."))
                return redirect("zone_list")
    return render(request, "standards/zone.html", {"form": form, "zone": zone}, status=status)
