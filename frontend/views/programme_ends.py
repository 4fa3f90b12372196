"""Ending a published programme version without a successor: one officer proposes a last day, another one decides."""

from __future__ import annotations

from datetime import date

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from billing.subsidy import ends
from billing.subsidy.end_models import VersionEnd
from billing.subsidy.models import ProgrammeVersion
from frontend import display
from frontend.firm_forms import EndDecisionForm, EndForm
from frontend.form_page import FormPage, answer
from frontend.http import actor_of
from frontend.presenters.programme import version_address


@login_required
@require_http_methods(["GET", "POST"])
def version_end(request: HttpRequest, pk: int) -> HttpResponse:
    """Propose that a version ends early."""
    actor = actor_of(request)
    version = ends.version_for(actor, pk)
    form = EndForm(request.POST if request.method == "POST" else None)

    def act() -> HttpResponse:
        ends.ask(actor, pk, form.cleaned_data["last_on"], form.cleaned_data["reason"], timezone.now())
        messages.success(request, _("Proposed. The version goes on until a second officer confirms it."))
        return redirect(_page(version))

    lead = _(
        "It holds until %(day)s. From the day after the new last day on nothing is promised under it any more; what was promised before"
        " stays promised. It cannot be taken back: to go on, publish another version."
    ) % {"day": _day(version.last_on)}
    page = FormPage(_("End the version early"), _page(version), _name(version), _("Propose it"), lead)
    return answer(request, page, form, act)


@login_required
@require_http_methods(["GET", "POST"])
def end_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """The second officer's page: what a colleague proposed, and the decision."""
    actor = actor_of(request)
    found = ends.end_for_deciding(actor, pk)
    version = found.version
    if request.method == "GET" and found.state != VersionEnd.State.ASKED:
        return redirect(_page(version))
    form = EndDecisionForm(request.POST if request.method == "POST" else None)

    def act() -> HttpResponse:
        if form.cleaned_data["decision"] == "confirm":
            ends.confirm(actor, pk, timezone.now())
            messages.success(request, _("Confirmed: the version ends on %(day)s.") % {"day": _day(found.last_on)})
        else:
            ends.refuse(actor, pk, form.cleaned_data["reason"], timezone.now())
            messages.success(request, _("Not confirmed: the version goes on."))
        return redirect(_page(version))

    shown = {"who": found.asked_by, "day": _day(found.last_on), "before": _day(found.last_before), "reason": found.reason}
    lead = _("%(who)s proposes that it ends on %(day)s instead of %(before)s: %(reason)s") % shown
    page = FormPage(_("End of a version that was proposed"), _page(version), _name(version), _("Decide"), lead)
    return answer(request, page, form, act)


def _day(day: date) -> str:
    return str(display.date_words(day))


def _name(version: ProgrammeVersion) -> str:
    return f"{version.programme.code} · {version.label}"


def _page(version: ProgrammeVersion) -> str:
    return version_address(version)
