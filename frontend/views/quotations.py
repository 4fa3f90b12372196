"""Quotations: written and sent by the lab, accepted or declined by the customer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing.ordering import estimates, queries
from billing.ordering.rules.quotations import QuotationEvent, QuotationState, events_from
from billing.ordering.services import documents, quotations
from booking.queries import enquiries as threads
from config.kernel.access import Actor, Role
from config.kernel.errors import NotFound, Refusal
from config.kernel.http import attachment
from frontend.booking_form import read_key
from frontend.forms import refusal_to_form
from frontend.http import actor_of, stands_at
from frontend.order_forms import NoteForm, QuotationForm, ReasonForm, default_validity, initial_of, rows_wanted
from frontend.presenters import orders as present
from frontend.refusals import sentences, status_of


@login_required
@require_http_methods(["GET", "POST"])
def quotation_create(request: HttpRequest, pk: int) -> HttpResponse:
    """Write a quotation down in a thread."""
    actor, now = actor_of(request), timezone.now()
    enquiry = threads.enquiry_for(actor, pk)
    actor.require_in(enquiry.lab_id, Role.LAB_MANAGER)
    initial = {"title": enquiry.subject, "valid_until": default_validity(quotations.local_today(now))}
    if enquiry.instrument_id:
        initial["what-0"] = f"i:{enquiry.instrument_id}"
    elif enquiry.resource_id and enquiry.resource is not None and enquiry.resource.kind == "test_item":
        initial["what-0"] = f"t:{enquiry.resource_id}"
    form = _form(request, actor, enquiry.lab_id, rows_wanted(request.POST, 0), initial)

    def save() -> int:
        made = quotations.draft(actor, pk, form.given(), now, idempotency_key=read_key(request.POST))
        return made.pk

    back = (reverse("enquiry_detail", args=[pk]), enquiry.subject)
    return _written(request, form, save, _("New quotation"), back)


@login_required
@require_http_methods(["GET", "POST"])
def quotation_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a draft."""
    actor, now = actor_of(request), timezone.now()
    quotation = queries.quotation_for(actor, pk)
    actor.require_in(quotation.enquiry.lab_id, Role.LAB_MANAGER)
    if QuotationEvent.EDIT not in events_from(QuotationState(quotation.state)) and request.method == "GET":
        messages.info(request, _("It is fixed and does not change any more."))
        return redirect("quotation_detail", pk)
    rows = rows_wanted(request.POST, len(quotation.lines.all()))
    form = _form(request, actor, quotation.enquiry.lab_id, rows, initial_of(quotation))

    def save() -> int:
        return int(quotations.edit(actor, pk, form.given(), now).pk)

    return _written(request, form, save, _("Change the quotation"), (reverse("quotation_detail", args=[pk]), quotation.title))


def _form(request: HttpRequest, actor: Actor, lab_id: int, rows: int, initial: dict[str, Any]) -> QuotationForm:
    instruments, tests = queries.own_instruments(actor, lab_id), queries.own_tests(actor, lab_id)
    return QuotationForm(instruments, tests, rows, request.POST or None, initial=initial)


def _written(
    request: HttpRequest, form: QuotationForm, save: Callable[[], int], title: str, back: tuple[str, str]
) -> HttpResponse:
    """Save it; the form again when something is wrong, or when more rows were asked for."""
    status = 200
    if request.method == "POST" and "more" in request.POST:
        form.full_clean()
        form.errors.clear()
    elif request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                return redirect("quotation_detail", save())
            except NotFound:
                raise
            except Refusal as refusal:
                form.add_refusal(refusal)
                status = status_of(refusal)
    context = {"form": form, "heading": title, "back_url": back[0], "back": back[1]}
    return render(request, "quotations/edit.html", context, status=status)


@login_required
@require_GET
def quotation_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One quotation: what is offered, what became of it, what may be done."""
    return _page(request, pk)


@login_required
@require_POST
def quotation_send(request: HttpRequest, pk: int) -> HttpResponse:
    """Number it, freeze it and send it."""
    note = request.POST.get("note", "")
    step = partial(quotations.send, actor_of(request), pk, note, timezone.now())
    return _step(request, pk, step, _("Sent. From now on it does not change."), send=NoteForm(request.POST))


@login_required
@require_POST
def quotation_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """The lab no longer offers it."""
    step = partial(quotations.withdraw, actor_of(request), pk, request.POST.get("reason", ""), timezone.now())
    return _step(request, pk, step, _("Withdrawn."), withdraw=ReasonForm(request.POST))


@login_required
@require_POST
def quotation_decline(request: HttpRequest, pk: int) -> HttpResponse:
    """The customer says no."""
    step = partial(quotations.decline, actor_of(request), pk, request.POST.get("reason", ""), timezone.now())
    return _step(request, pk, step, _("Declined. The lab reads your reason."), decline=ReasonForm(request.POST))


@login_required
@require_POST
def quotation_accept(request: HttpRequest, pk: int) -> HttpResponse:
    """The customer says yes; on to the commission sheet that it became."""
    text = request.POST.get("total_fen", "")
    seen = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1
    try:
        made = quotations.accept(actor_of(request), pk, seen, timezone.now(), idempotency_key=read_key(request.POST))
    except NotFound:
        raise
    except Refusal as refusal:
        return _page(request, pk, refusal)
    messages.success(request, _("Accepted. Here is the commission sheet: look at it, then both sides sign."))
    return redirect("commission_detail", made.pk)


@login_required
@require_POST
def quotation_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Make the PDF again after it failed."""
    step = partial(documents.retry, actor_of(request), "quotation", pk, timezone.now())
    return _step(request, pk, step, _("The documents are being made again."))


@login_required
@require_GET
def quotation_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The PDF as it was made once."""
    stored, content = queries.document(queries.quotation_for(actor_of(request), pk).pdf)
    return attachment(content, stored.media_type, stored.file_name)


def _step(request: HttpRequest, pk: int, step: Callable[[], object], done: str, **kept: forms.Form) -> HttpResponse:
    """Do it; when it is refused, the page again with the reasons and what was typed."""
    try:
        step()
    except NotFound:
        raise
    except Refusal as refusal:
        return _page(request, pk, refusal, kept)
    messages.success(request, done)
    return redirect("quotation_detail", pk)


def _page(
    request: HttpRequest, pk: int, refusal: Refusal | None = None, kept: dict[str, forms.Form] | None = None
) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    found = queries.quotation_for(actor, pk)
    shown: dict[str, forms.Form] = {"send": NoteForm(), "withdraw": ReasonForm(), "decline": ReasonForm()} | (kept or {})
    if refusal is not None:
        for form in (kept or {}).values():
            form.errors.clear()
            refusal_to_form(form, refusal)
    is_lab = queries.may_quote(actor, found.enquiry)
    is_customer = queries.is_customer(actor, found.enquiry)
    events = events_from(QuotationState(found.state))
    context = {
        "quotation": found,
        "lines": present.lines(found.lines.all()),
        "is_lab": is_lab,
        "estimate": estimates.estimate_of(found, list(found.lines.all()), now) if is_customer else None,
        "may_edit": is_lab and QuotationEvent.EDIT in events,
        "may_withdraw": is_lab and QuotationEvent.WITHDRAW in events,
        "may_answer": is_customer and queries.binds_until_today(found, now),
        "sheet": queries.sheet_of(actor, found) if found.state == QuotationState.ACCEPTED else None,
        "document": present.document(found, found.pdf) if found.number else None,
        "retry_url": reverse("quotation_retry", args=[pk]) if is_lab or is_customer else "",
        "entries": present.quotation_life(found),
        "forms": shown,
        "key": present.new_key(),
        "problems": sentences(refusal) if refusal is not None and not kept else [],
    }
    stands_at(request, "quotation_detail", pk)
    return render(request, "quotations/detail.html", context, status=status_of(refusal) if refusal else 200)
