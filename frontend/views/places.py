"""The places of an owner: where its instruments stand."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from config.kernel.api.problems import status_of
from config.kernel.errors import NotFound, Refusal
from frontend.forms import refusal_to_form
from frontend.http import actor_of
from frontend.place_forms import PlaceForm
from frontend.presenters.instruments import place_name
from instruments import queries
from instruments.services.instrument_changes import require_manager
from instruments.services.places import update_site


@login_required
@require_GET
def place_list(request: HttpRequest, pk: int) -> HttpResponse:
    """The owner's places with what is known of each."""
    actor = actor_of(request)
    owner = queries.organisation_for(actor, pk)
    require_manager(actor, owner.pk)
    rows = [(site, place_name(site.region_code) or site.region_code) for site in queries.sites_of(actor, owner.pk)]
    return render(request, "places/list.html", {"owner": owner, "rows": rows})


@login_required
@require_http_methods(["GET", "POST"])
def place_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """A place's names, street, division, zone and coordinates."""
    actor = actor_of(request)
    site = queries.site_for(actor, pk)
    require_manager(actor, site.organisation_id)
    form = PlaceForm(site, request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                update_site(actor, pk, form.place(), timezone.now())
            except NotFound:
                raise
            except Refusal as refusal:
                refusal_to_form(form, refusal)
                status = status_of(refusal)
            else:
                messages.success(request, _("Saved."))
                return redirect("place_list", site.organisation_id)
    return render(request, "places/edit.html", {"form": form, "site": site, "owner": site.organisation}, status=status)
