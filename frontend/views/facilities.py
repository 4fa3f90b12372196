"""A large facility becomes a plain instrument again: what goes is shown first."""

from __future__ import annotations

from datetime import UTC, datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from config.kernel.api.problems import status_of
from config.kernel.errors import Forbidden, NotFound, Refusal
from frontend.http import actor_of
from frontend.presenters import record
from frontend.refusals import sentences
from instruments.queries import records
from instruments.services import facility_end


@login_required
@require_http_methods(["GET", "POST"])
def facility_ending(request: HttpRequest, pk: int) -> HttpResponse:
    """What its sheet holds and what stays; POST with the revision that was looked at takes the sheet off."""
    actor, problems, status = actor_of(request), list[str](), 200
    if request.method == "POST":
        try:
            facility_end.end(actor, pk, _seen(request.POST.get("seen", "")), timezone.now())
        except (NotFound, Forbidden):
            raise
        except Refusal as refusal:
            problems, status = list(sentences(refusal)), status_of(refusal)
        else:
            messages.success(request, _("It is a plain instrument now. What its sheet held stands in its history."))
            return redirect("instrument_detail", pk)
    try:
        told = facility_end.ending(actor, pk)
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        messages.info(request, " ".join(sentences(refusal)))
        return redirect("instrument_detail", pk)
    context = {
        "instrument": told.instrument,
        "held": record.held_facts(told.held),
        "core_instruments": records.core_instruments_of(actor, told.instrument),
        "seen": told.instrument.updated_at.isoformat(),
        "problems": problems,
    }
    return render(request, "instruments/facility_end.html", context, status=status)


def _seen(text: str) -> datetime:
    """The revision that was sent. What is none compares as long past, so that the page is shown again."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
