"""The operator's queue of licences."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from config.kernel.access import Role
from config.kernel.api.problems import status_of
from config.kernel.errors import Refusal
from config.kernel.http import attachment
from frontend.forms import refusal_to_form
from frontend.http import actor_of
from frontend.organisation_forms import DecisionForm
from instruments import queries
from instruments.services import verification

PER_PAGE = 25


@login_required
@require_GET
def verification_queue(request: HttpRequest) -> HttpResponse:
    """Licences that wait, the oldest first."""
    pages = Paginator(queries.verification_queue(actor_of(request)), PER_PAGE)
    return render(request, "verification/queue.html", {"page": pages.get_page(request.GET.get("page"))})


@login_required
@require_http_methods(["GET", "POST"])
def verification_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """What the organisation says beside its licence, and the decision."""
    actor = actor_of(request)
    actor.require(Role.OPERATOR)
    found = queries.verification_request_for(actor, pk)
    form = DecisionForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            accept, reason = form.cleaned_data["decision"] == "accept", form.cleaned_data["reason"]
            try:
                verification.decide_verification(actor, pk, accept, reason, timezone.now())
            except Refusal as refusal:
                refusal_to_form(form, refusal)
                status = status_of(refusal)
            else:
                done = _("%(name)s is verified.") if accept else _("%(name)s was refused; it reads your reason.")
                messages.success(request, done % {"name": found.organisation.name})
                return redirect("verification_queue")
    is_image = found.licence.media_type.startswith("image/")
    context = {"verification": found, "organisation": found.organisation, "form": form, "is_image": is_image}
    return render(request, "verification/decide.html", context, status=status)


@login_required
@require_GET
def verification_licence(request: HttpRequest, pk: int) -> HttpResponse:
    """The licence scan, as a download."""
    stored, content = verification.licence_for(actor_of(request), pk)
    return attachment(content, stored.media_type, stored.file_name)
