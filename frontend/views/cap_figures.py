"""Setting the figure of a limit that a document leaves to the administrator: one person asks, another one decides."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from billing.ledger.life import KEEPERS
from billing.ledger.rules.money import yuan
from billing.subsidy import figures
from billing.subsidy.rules.figures import years_of
from billing.subsidy.services import in_force
from config.kernel.errors import Refusal
from config.kernel.messages import reason_sentence
from frontend.firm_forms import FigureDecisionForm, FigureForm, fen
from frontend.form_page import FormPage, answer
from frontend.http import actor_of
from frontend.presenters.cap_figures import figure_name


@login_required
@require_http_methods(["GET", "POST"])
def figure_ask(request: HttpRequest, pk: int, cap_id: str) -> HttpResponse:
    """Ask for the figure of a limit; ``?year=`` of a yearly one."""
    actor = actor_of(request)
    version = figures.version_for(actor, pk)
    try:
        cap = figures.cap_of(version, cap_id)
    except Refusal as refusal:
        raise Http404 from refusal
    asked = request.GET.get("year", "")
    year = next((each for each in years_of(in_force(version.pk).programme, cap) if str(each or "") == asked), None)
    form = FigureForm(request.POST if request.method == "POST" else None)
    open_ = figures.waiting(version, cap, year)
    if request.method == "GET" and open_ is not None:
        messages.warning(request, reason_sentence(figures.waits_already(open_)))

    def act() -> HttpResponse:
        amount = fen(form.cleaned_data["amount_yuan"])
        figures.ask(actor, pk, cap_id, year, -1 if amount is None else amount, form.cleaned_data["reason"], timezone.now())
        messages.success(request, _("Asked for. It counts once a second person sets it."))
        return redirect("programme_budgets")

    lead = _(
        "The document leaves this figure to the administrator. It counts from the moment a second person sets it, never below what is held"
        " and spent; what was given while there was no limit is not counted against it."
    )
    title = figure_name(cap.per.value, cap.payer, year)
    back = f"{version.programme.code} · {version.label}"
    return answer(request, FormPage(title, reverse("programme_budgets"), back, _("Ask for it"), lead), form, act)


@login_required
@require_http_methods(["GET", "POST"])
def figure_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """The second person's page: what a colleague asked for, and the decision."""
    actor = actor_of(request)
    actor.require(*KEEPERS)
    asked = figures.figure_for(actor, pk)
    form = FigureDecisionForm(request.POST if request.method == "POST" else None)

    def act() -> HttpResponse:
        if form.cleaned_data["decision"] == "set":
            figures.confirm(actor, pk, timezone.now())
            messages.success(request, _("The figure is set."))
        else:
            figures.refuse(actor, pk, form.cleaned_data["reason"], timezone.now())
            messages.success(request, _("It is not set."))
        return redirect("programme_budgets")

    cap = figures.cap_of(asked.version, asked.cap_id)
    shown = {
        "who": asked.asked_by,
        "amount": yuan(asked.limit_fen),
        "limit": figure_name(cap.per.value, cap.payer, asked.year),
        "reason": asked.reason,
    }
    lead = _("%(who)s asked for ¥%(amount)s, %(limit)s: %(reason)s") % shown
    back = f"{asked.version.programme.code} · {asked.version.label}"
    page = FormPage(_("Figure that was asked for"), reverse("programme_budgets"), back, _("Decide"), lead)
    return answer(request, page, form, act)
