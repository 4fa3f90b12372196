"""An owner's instrument centres: what national reporting asks of them, and their sheet."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from config.kernel.api.problems import status_of
from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.http import attachment
from frontend.centre_forms import CentreForm
from frontend.forms import refusal_to_form
from frontend.http import actor_of
from frontend.presenters.instruments import place_name
from instruments import queries
from instruments.field_wording import CENTRE_NAMES
from instruments.models import InstrumentCentre, Organisation
from instruments.queries.centres import centre_for, centre_workbook, centres_of
from instruments.queries.public_records import XLSX
from instruments.services import centres
from instruments.services.instrument_changes import require_manager


@login_required
@require_GET
def centre_list(request: HttpRequest, pk: int) -> HttpResponse:
    """The owner's centres with what their instruments come to and what their records still lack."""
    actor = actor_of(request)
    owner = queries.organisation_for(actor, pk)
    rows = [
        (row, place_name(row.centre.region_code), [CENTRE_NAMES[name] for name in row.lacks])
        for row in centres_of(actor, owner.pk)
    ]
    return render(request, "centres/list.html", {"owner": owner, "rows": rows})


@login_required
@require_GET
def centre_record(request: HttpRequest, pk: int) -> HttpResponse:
    """The owner's centres as the Excel sheet of the national network."""
    actor = actor_of(request)
    owner = queries.organisation_for(actor, pk)
    return attachment(centre_workbook(actor, owner.pk, timezone.now()), XLSX, f"centre-record-{pk}.xlsx")


@login_required
@require_http_methods(["GET", "POST"])
def centre_create(request: HttpRequest, pk: int) -> HttpResponse:
    """A new centre of an owner."""
    actor = actor_of(request)
    owner = queries.organisation_for(actor, pk)
    require_manager(actor, owner.pk)
    form = CentreForm(None, request.POST if request.method == "POST" else None)
    return _answer(request, owner, None, form, lambda: centres.create(actor, pk, form.given(), timezone.now()))


@login_required
@require_http_methods(["GET", "POST"])
def centre_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything about a centre."""
    actor = actor_of(request)
    centre = centre_for(actor, pk)
    require_manager(actor, centre.organisation_id)
    form = CentreForm(centre, request.POST if request.method == "POST" else None)
    return _answer(request, centre.organisation, centre, form, lambda: centres.update(actor, pk, form.given(), timezone.now()))


@login_required
@require_POST
def centre_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a centre away."""
    actor = actor_of(request)
    owner_id = centre_for(actor, pk).organisation_id
    centres.remove(actor, pk, timezone.now())
    messages.success(request, _("The centre is taken away. Its instruments stay as they are."))
    return redirect("centre_list", owner_id)


def _answer(
    request: HttpRequest, owner: Organisation, centre: InstrumentCentre | None, form: CentreForm, save: Callable[[], object]
) -> HttpResponse:
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                save()
            except (NotFound, Forbidden):
                raise
            except Refusal as refusal:
                refusal_to_form(form, refusal)
                status = status_of(refusal)
            else:
                messages.success(request, _("Saved."))
                return redirect("centre_list", owner.pk)
    return render(request, "centres/edit.html", {"form": form, "centre": centre, "owner": owner}, status=status)
