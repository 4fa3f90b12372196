"""The way to a licence for one instrument, and the lab's list of licences and requests."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from booking.queries import licences as queries
from booking.services import licences
from booking.training_wording import ORIGIN_NAMES, licence_scope
from config.kernel.access import Role
from config.kernel.errors import NotFound, Refusal
from config.kernel.http import attachment
from frontend.forms import refusal_to_form
from frontend.http import actor_of, stands_at, to_login
from frontend.refusals import sentences, status_of
from frontend.training_forms import GrantForm, RecognitionForm, end_of_day
from instruments import queries as registry
from instruments.services import uploads

PER_PAGE = 30


@require_http_methods(["GET", "POST"])
def instrument_licence(request: HttpRequest, pk: int) -> HttpResponse:
    """How one gets to use the instrument oneself: what is needed, the next dates, or a proof of what one can already."""
    actor, now = actor_of(request), timezone.now()
    if request.method == "POST" and actor.is_anonymous:
        return to_login(request)
    instrument = registry.instrument_for(actor, pk)
    form = RecognitionForm()
    status = 200
    if request.method == "POST":
        form, status = RecognitionForm(request.POST, request.FILES), 422
        if form.is_valid():
            typed = form.cleaned_data
            try:
                proof = uploads.received(typed["file"])
                licences.ask_recognition(actor, pk, typed["level"], typed["statement"], proof, now)
            except NotFound:
                raise
            except Refusal as refusal:
                refusal_to_form(form, refusal)
                status = status_of(refusal)
            else:
                messages.success(request, _("The lab has your proof and answers by mail."))
                return redirect("instrument_licence", pk)
    way = queries.way_to_a_licence(actor, instrument, now)
    context = {"instrument": instrument, "way": way, "form": form, "waits": any(one.state == "open" for one in way.asked)}
    return render(request, "training/way.html", context, status=status)


@login_required
@require_GET
def licence_list(request: HttpRequest) -> HttpResponse:
    """Requests that wait, the licences of the lab, and a form for the lab's own word."""
    return _list_page(request)


def _list_page(
    request: HttpRequest, refusal: Refusal | None = None, form: GrantForm | None = None, failed: int = 0, status: int = 200
) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    actor.require(Role.LAB_MANAGER, Role.OPERATOR)
    rows = queries.lab_licences(actor)
    asked = " ".join(request.GET.get("q", "").replace("\x00", "").split())[:100]
    if asked:
        rows = rows.filter(person__full_name__icontains=asked) | rows.filter(person__email__icontains=asked)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    owners = [one.pk for one in queries.teachable_owners(actor)]
    context: dict[str, Any] = {
        "page": page,
        "rows": [(one, licence_scope(one.licence), ORIGIN_NAMES[one.licence.origin]) for one in queries.held(page, now)],
        "asked": asked,
        "waiting": queries.lab_recognitions(actor),
        "form": form or GrantForm(queries.instruments_of_owners(owners, actor)),
        "problems": sentences(refusal) if refusal else [],
        "failed": failed,
        "may_grant": bool(owners),
    }
    stands_at(request, "licence_list")
    return render(request, "training/licences.html", context, status=status_of(refusal) if refusal else status)


@login_required
@require_POST
def licence_grant(request: HttpRequest) -> HttpResponse:
    """A licence by the lab's own word."""
    actor = actor_of(request)
    owners = [one.pk for one in queries.teachable_owners(actor)]
    form = GrantForm(queries.instruments_of_owners(owners, actor), request.POST)
    if form.is_valid():
        typed = form.cleaned_data
        try:
            licences.grant(
                actor, int(typed["instrument"]), typed["email"], typed["level"], typed["reference"],
                end_of_day(typed["valid_until"], "valid_until"), timezone.now(),
            )  # fmt: skip
        except NotFound:
            raise
        except Refusal as refusal:
            refusal_to_form(form, refusal)
        else:
            messages.success(request, _("Licensed. The person gets a mail."))
            return redirect("licence_list")
    return _list_page(request, form=form, status=422)


@login_required
@require_POST
def licence_act(request: HttpRequest, pk: int) -> HttpResponse:
    """Suspend, restore or revoke."""
    actor, now, reason = actor_of(request), timezone.now(), request.POST.get("reason", "")
    chosen = request.POST.get("action", "")
    try:
        if chosen == "restore":
            licences.restore(actor, pk, now)
        elif chosen == "revoke":
            licences.revoke(actor, pk, reason, now)
        else:
            licences.suspend(actor, pk, reason, now)
    except NotFound:
        raise
    except Refusal as refusal:
        return _list_page(request, refusal, failed=pk)
    messages.success(request, _("Done. The person gets a mail."))
    return redirect("licence_list")


@login_required
@require_GET
def licence_evidence(request: HttpRequest, pk: int) -> HttpResponse:
    """The proof behind a licence, as a download."""
    stored, content = licences.evidence_for(actor_of(request), pk)
    return attachment(content, stored.media_type, stored.file_name)


@login_required
@require_POST
def recognition_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Accept or refuse a proof."""
    accept = request.POST.get("decision") == "accept"
    try:
        licences.decide_recognition(actor_of(request), pk, accept, request.POST.get("reason", ""), None, timezone.now())
    except NotFound:
        raise
    except Refusal as refusal:
        return _list_page(request, refusal, failed=pk)
    messages.success(request, _("Accepted: there is a licence now.") if accept else _("Refused. The person reads your reason."))
    return redirect("licence_list")


@login_required
@require_POST
def recognition_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """The person no longer asks."""
    request_row = licences.withdraw_recognition(actor_of(request), pk, timezone.now())
    messages.success(request, _("Withdrawn."))
    return redirect("instrument_licence", request_row.instrument_id)


@login_required
@require_GET
def recognition_evidence(request: HttpRequest, pk: int) -> HttpResponse:
    """The proof that came with a request, as a download."""
    stored, content = licences.recognition_evidence_for(actor_of(request), pk)
    return attachment(content, stored.media_type, stored.file_name)
