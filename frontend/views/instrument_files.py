"""Pictures and documents of an instrument, for those who keep it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from config.kernel.access import Actor
from config.kernel.api.problems import status_of
from config.kernel.errors import NotFound, Refusal
from frontend.http import actor_of, stands_at
from frontend.instrument_forms import DocumentForm, PictureForm, add_refusal
from frontend.refusals import sentences
from frontend.views.instruments import managed
from instruments.models import Instrument
from instruments.queries import records
from instruments.services import instrument_files as service
from instruments.services import uploads


@login_required
@require_GET
def instrument_files(request: HttpRequest, pk: int) -> HttpResponse:
    """What is there, in its order; after taking something away (``?undo=``) the way to put it back."""
    actor = actor_of(request)
    return _page(request, actor, managed(actor, pk))


def _page(
    request: HttpRequest,
    actor: Actor,
    instrument: Instrument,
    *,
    picture_form: forms.Form | None = None,
    document_form: forms.Form | None = None,
    problems: list[str] | None = None,
    status: int = 200,
) -> HttpResponse:
    attached = records.attached_to(actor, instrument)
    context = {
        "instrument": instrument,
        "images": attached.images,
        "documents": attached.documents,
        "picture_form": picture_form or PictureForm(auto_id="picture_%s"),
        "document_form": document_form or DocumentForm(auto_id="document_%s"),
        "undo": _undo(request, instrument),
        "problems": problems or [],
        "most_images": service.MOST_IMAGES,
        "most_documents": service.MOST_DOCUMENTS,
    }
    stands_at(request, "instrument_files", instrument.pk)
    return render(request, "instruments/files.html", context, status=status)


def _undo(request: HttpRequest, instrument: Instrument) -> dict[str, str] | None:
    """Where to put back what the address says was taken away; whether it can be is the service's to judge."""
    kind, _dash, number = request.GET.get("undo", "").partition("-")
    routes = {"picture": "instrument_picture_act", "document": "instrument_document_act"}
    if kind not in routes or not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    words = _("The picture is taken away.") if kind == "picture" else _("The document is taken away.")
    return {"address": reverse(routes[kind], args=[instrument.pk, int(number)]), "words": words}


@login_required
@require_POST
def picture_add(request: HttpRequest, pk: int) -> HttpResponse:
    """A further picture."""
    actor = actor_of(request)
    instrument = managed(actor, pk)
    form = PictureForm(request.POST, request.FILES, auto_id="picture_%s")
    if form.is_valid():
        typed = form.cleaned_data
        try:
            service.add_image(actor, pk, uploads.received(typed["file"]), typed["caption"], timezone.now())
        except Refusal as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("The picture is added."))
            return redirect("instrument_files", pk)
    return _page(request, actor, instrument, picture_form=form, status=422)


@login_required
@require_POST
def document_add(request: HttpRequest, pk: int) -> HttpResponse:
    """A document."""
    actor = actor_of(request)
    instrument = managed(actor, pk)
    form = DocumentForm(request.POST, request.FILES, auto_id="document_%s")
    if form.is_valid():
        typed = form.cleaned_data
        try:
            service.add_document(actor, pk, uploads.received(typed["file"]), typed["title"], timezone.now())
        except Refusal as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("The document is added."))
            return redirect("instrument_files", pk)
    return _page(request, actor, instrument, document_form=form, status=422)


@login_required
@require_POST
def picture_act(request: HttpRequest, pk: int, file: int) -> HttpResponse:
    """Put a picture earlier or later, say what it shows, take it away, or put it back."""
    actor, now = actor_of(request), timezone.now()
    acts: dict[str, Callable[[], Any]] = {
        "earlier": lambda: service.move_image(actor, file, -1, now),
        "later": lambda: service.move_image(actor, file, 1, now),
        "caption": lambda: service.set_caption(actor, file, request.POST.get("caption", ""), now),
        "remove": lambda: service.remove_image(actor, file, now),
        "restore": lambda: service.restore_image(actor, file, now),
    }
    return _act(request, actor, pk, acts, f"picture-{file}")


@login_required
@require_POST
def document_act(request: HttpRequest, pk: int, file: int) -> HttpResponse:
    """Take a document away, or put it back."""
    actor, now = actor_of(request), timezone.now()
    acts: dict[str, Callable[[], Any]] = {
        "remove": lambda: service.remove_document(actor, file, now),
        "restore": lambda: service.restore_document(actor, file, now),
    }
    return _act(request, actor, pk, acts, f"document-{file}")


def _act(request: HttpRequest, actor: Actor, pk: int, acts: dict[str, Callable[[], Any]], key: str) -> HttpResponse:
    instrument = managed(actor, pk)
    action = request.POST.get("action", "")
    if action not in acts:
        raise NotFound.of("access.not_found", model="action")
    try:
        acts[action]()
    except NotFound:
        raise
    except Refusal as refusal:
        return _page(request, actor, instrument, problems=sentences(refusal), status=status_of(refusal))
    address = reverse("instrument_files", args=[pk])
    if action == "restore":
        messages.success(request, _("It is back."))
    return redirect(f"{address}?undo={key}" if action == "remove" else f"{address}#{key}")
