"""Requests for resources: asking, what I asked for, what my lab is asked for, and each step in between."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from config.kernel.access import Role
from config.kernel.errors import NotFound, Refusal
from config.kernel.http import attachment
from frontend.forms import refusal_to_form
from frontend.http import actor_of, stands_at
from frontend.presenters import resources as present
from frontend.refusals import sentences, status_of
from frontend.resource_forms import DeliveryForm, FeedbackForm, RefuseForm, RequestForm
from instruments.models import ResourceRequest, ResourceRequestState
from instruments.queries import resources as queries
from instruments.services import resource_requests, uploads
from instruments.services.resource_requests import Application, Delivery, terms_fingerprint

PER_PAGE = 20
_STATES = [state.value for state in ResourceRequestState]


@login_required
@require_http_methods(["GET", "POST"])
def resource_request_create(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for a resource: for whom, what for, and the terms."""
    actor = actor_of(request)
    resource = queries.resource_for(actor, pk)
    organisations = queries.asking_organisations(actor, resource)
    initial = {"quantity": request.GET.get("quantity", "")[:100]}
    form = RequestForm(organisations, terms_fingerprint(resource), request.POST or None, initial=initial)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            typed = form.cleaned_data
            application = Application(
                resource_id=pk,
                organisation_id=int(typed["organisation"]),
                purpose=typed["purpose"],
                quantity=typed["quantity"],
                terms_accepted=typed["terms_accepted"],
                terms_seen=typed["terms_seen"],
            )
            try:
                made = resource_requests.apply(actor, application, timezone.now())
            except NotFound:
                raise
            except Refusal as refusal:
                refusal_to_form(form, refusal)
                status = status_of(refusal)
            else:
                messages.success(request, _("Request sent. The owner answers; you get a mail."))
                return redirect("resource_request_detail", made.pk)
    context = {
        "form": form,
        "resource": resource,
        "title": present.title(resource, resource.name),
        "organisations": organisations,
        "fingerprint": terms_fingerprint(resource),
    }
    return render(request, "resources/request.html", context, status=status)


@login_required
@require_GET
def resource_request_list(request: HttpRequest) -> HttpResponse:
    """What the person's organisations asked for."""
    return _list_page(request, queries.my_requests(actor_of(request)), "resources/requests.html")


@login_required
@require_GET
def resource_inbox(request: HttpRequest) -> HttpResponse:
    """What the person's lab is asked for, what waits for an answer first."""
    actor = actor_of(request)
    actor.require(Role.LAB_MANAGER)
    return _list_page(request, queries.request_inbox(actor), "resources/inbox.html")


@login_required
@require_GET
def resource_request_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One request: what is asked, what happened, what may be done."""
    return _detail_page(request, pk)


@login_required
@require_POST
def resource_request_approve(request: HttpRequest, pk: int) -> HttpResponse:
    """The owner will deliver it."""
    return _step(request, pk, partial(resource_requests.approve, actor_of(request), pk, timezone.now()), _("Approved."))


@login_required
@require_POST
def resource_request_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """The asking side no longer wants it."""
    return _step(request, pk, partial(resource_requests.withdraw, actor_of(request), pk, timezone.now()), _("Withdrawn."))


@login_required
@require_POST
def resource_request_refuse(request: HttpRequest, pk: int) -> HttpResponse:
    """The owner says no, and why."""
    reason = request.POST.get("reason", "")
    form = RefuseForm({"reason": reason})
    done = _("Refused. The requester reads your reason.")
    return _step(request, pk, partial(resource_requests.refuse, actor_of(request), pk, reason, timezone.now()), done, refuse=form)


@login_required
@require_POST
def resource_request_deliver(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand it over."""
    form = DeliveryForm(request.POST, request.FILES)
    file = request.FILES.get("file")
    content = uploads.received(file) if file is not None else None
    name = (file.name or "") if file is not None else ""
    delivery = Delivery(request.POST.get("mode", ""), request.POST.get("note", ""), content, name)
    done = _("Delivered. The requester gets a mail.")
    step = partial(resource_requests.deliver, actor_of(request), pk, delivery, timezone.now())
    return _step(request, pk, step, done, deliver=form)


@login_required
@require_POST
def resource_request_feedback(request: HttpRequest, pk: int) -> HttpResponse:
    """How it was."""
    form = FeedbackForm(request.POST)
    text = request.POST.get("rating", "")
    rating = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
    feedback = request.POST.get("feedback", "")
    done = _("Thank you. The owner reads it.")
    step = partial(resource_requests.give_feedback, actor_of(request), pk, rating, feedback, timezone.now())
    return _step(request, pk, step, done, feedback=form)


@login_required
@require_GET
def resource_request_file(request: HttpRequest, pk: int) -> HttpResponse:
    """The file that was delivered, as a download."""
    stored, content = resource_requests.delivered_file(actor_of(request), pk)
    return attachment(content, stored.media_type, stored.file_name)


def _step(request: HttpRequest, pk: int, step: Callable[[], ResourceRequest], done: str, **kept: forms.Form) -> HttpResponse:
    """Do it; when it is refused, the page again with the reasons and what was typed."""
    try:
        step()
    except NotFound:
        raise
    except Refusal as refusal:
        return _detail_page(request, pk, refusal, kept)
    messages.success(request, done)
    return redirect("resource_request_detail", pk)


def _detail_page(
    request: HttpRequest, pk: int, refusal: Refusal | None = None, kept: dict[str, forms.Form] | None = None
) -> HttpResponse:
    actor = actor_of(request)
    found = queries.request_for(actor, pk)
    is_owner, is_asking = queries.may_answer(actor, found), queries.is_asking(actor, found)
    shown: dict[str, forms.Form] = {"refuse": RefuseForm(), "deliver": DeliveryForm(), "feedback": FeedbackForm()} | (kept or {})
    if refusal is not None:
        for form in (kept or {}).values():
            form.errors.clear()  # the service's reasons are complete; the form only carries what was typed
            refusal_to_form(form, refusal)
    context: dict[str, Any] = {
        "asked": found,
        "resource": found.resource,
        "kind_word": present.kind_word(found.resource.kind),
        "rights": present.request_rights(found, is_asking=is_asking, is_owner=is_owner),
        "next_words": present.next_words(found, is_owner=is_owner) if is_owner or is_asking else "",
        "entries": present.request_timeline(found),
        "stars": range(found.rating or 0),
        "forms": shown,
        "problems": sentences(refusal) if refusal is not None and not kept else [],
    }
    stands_at(request, "resource_request_detail", pk)
    return render(request, "resources/request_detail.html", context, status=status_of(refusal) if refusal else 200)


def _list_page(request: HttpRequest, rows: Any, template: str) -> HttpResponse:
    state = request.GET.get("state", "")
    if state in _STATES:
        rows = rows.filter(state=state)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [(row, present.kind_word(row.resource.kind), present.kind_icon(row.resource.kind)) for row in page],
        "chosen_state": state if state in _STATES else "",
        "states": _STATES,
    }
    return render(request, template, context)
