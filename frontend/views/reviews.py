"""Proposed changes: the owner looks and hands in, the operator compares and decides; and the history of what was done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from booking.queries.assistants import assistant_names
from config.kernel.access import Actor, Role
from config.kernel.api.problems import status_of
from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.models import AuditEntry
from frontend.http import actor_of, stands_at
from frontend.instrument_forms import DecisionForm, add_refusal
from frontend.presenters import history, record
from frontend.refusals import sentences
from instruments import queries
from instruments.models import InstrumentChange
from instruments.queries import records
from instruments.queries.resources import resource_for
from instruments.rules.instrument_review import Action, State, actions_from
from instruments.services import instrument_reviews
from instruments.services.instrument_reviews import seen

PER_PAGE = 25


@login_required
@require_GET
def review_queue(request: HttpRequest) -> HttpResponse:
    """For the operator what waits, the oldest first; for a lab its own changes, the newest first."""
    actor = actor_of(request)
    actor.require(Role.OPERATOR, Role.LAB_MANAGER)
    is_operator = actor.has(Role.OPERATOR)
    rows = records.review_queue(actor) if is_operator else records.own_changes(actor)
    others = records.resource_review_queue(actor) if is_operator else records.own_resource_changes(actor)
    context = {
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")),
        "others": Paginator(others, PER_PAGE).get_page(request.GET.get("others")),
        "is_operator": is_operator,
    }
    return render(request, "reviews/queue.html", context)


@login_required
@require_GET
def review_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """What a change makes different, and what the reader may do with it."""
    actor = actor_of(request)
    return _page(request, actor, records.change_for(actor, pk), DecisionForm())


def _page(
    request: HttpRequest,
    actor: Actor,
    change: InstrumentChange,
    form: DecisionForm,
    problems: list[str] | None = None,
    status: int = 200,
) -> HttpResponse:
    actions = actions_from(State(change.state))
    keeps = change.instrument.organisation_id in actor.organisations(Role.LAB_MANAGER)
    places = record.place_names(queries.sites_of(actor, change.instrument.organisation_id))
    differences = record.change_differences(change, places)
    context = {
        "change": change,
        "instrument": change.instrument,
        "differences": differences,
        "clashes": [each for each in differences if each.is_clash],
        "publishes": bool(change.values.get("published")),
        "mark": seen(change),
        "form": form,
        "problems": problems or [],
        "may_decide": Action.ACCEPT in actions and actor.has(Role.OPERATOR) and not keeps,
        "may_submit": Action.SUBMIT in actions and keeps,
        "may_withdraw": Action.WITHDRAW in actions and keeps,
        "may_edit": Action.SAVE in actions and keeps,
        "may_reopen": Action.REOPEN in actions and keeps,
    }
    stands_at(request, "review_detail", change.pk)
    return render(request, "reviews/detail.html", context, status=status)


@login_required
@require_POST
def review_act(request: HttpRequest, pk: int) -> HttpResponse:
    """The owner hands in, withdraws, or takes up again."""
    actor, now = actor_of(request), timezone.now()
    acts: dict[str, tuple[Callable[[], Any], str]] = {
        "submit": (
            lambda: instrument_reviews.submit(actor, pk, now),
            _("Handed in. You get a mail when the operator has decided."),
        ),
        "withdraw": (lambda: instrument_reviews.withdraw(actor, pk, now), _("Withdrawn. What is published stays as it is.")),
        "reopen": (lambda: instrument_reviews.reopen(actor, pk, now), _("It is a draft again. Mend it, then hand it in.")),
    }
    action = request.POST.get("action", "")
    if action not in acts:
        raise NotFound.of("access.not_found", model="action")
    change = records.change_for(actor, pk)
    work, done = acts[action]
    try:
        work()
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return _page(request, actor, change, DecisionForm(), sentences(refusal), status_of(refusal))
    messages.success(request, done)
    return redirect("review_detail", pk)


@login_required
@require_POST
def review_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """The operator accepts what was looked at, or refuses it with a reason."""

    def again(actor: Actor, form: DecisionForm, problems: list[str], status: int) -> HttpResponse:
        return _page(request, actor, records.change_for(actor, pk), form, problems, status)

    return decided(request, pk, instrument_reviews, again, lambda change: change.instrument.name)


def decided(
    request: HttpRequest,
    pk: int,
    service: Any,
    again: Callable[[Actor, DecisionForm, list[str], int], HttpResponse],
    name_of: Callable[[Any], str],
) -> HttpResponse:
    """The operator's answer to a change of anything: ``service`` has ``accept`` and ``refuse``, ``again`` is the page with what was typed
    and what is wrong, ``name_of`` says what the change is of."""
    actor, now = actor_of(request), timezone.now()
    actor.require(Role.OPERATOR)
    accepts = request.POST.get("decision") == "accept"
    form = DecisionForm(request.POST)
    form.is_valid()
    try:
        if accepts:
            overwrite = request.POST.get("overwrite") == "yes"
            change = service.accept(actor, pk, request.POST.get("mark", ""), now, overwrite=overwrite)
        else:
            change = service.refuse(actor, pk, request.POST.get("reason", ""), now)
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        add_refusal(form, refusal)
        problems = [] if form.errors.get("reason") else sentences(refusal)
        return again(actor, form, problems, status_of(refusal))
    done = (
        _("%(name)s: the change is published.") if accepts else _("%(name)s: the change is refused; the owner reads your reason.")
    )
    messages.success(request, done % {"name": name_of(change)})
    return redirect("review_queue")


@login_required
@require_POST
def instrument_publish(request: HttpRequest, pk: int) -> HttpResponse:
    """Show an instrument to everybody, or hand it in for that."""
    actor = actor_of(request)
    queries.instrument_for(actor, pk)
    try:
        change = instrument_reviews.ask_to_publish(actor, pk, timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        messages.error(request, " ".join(sentences(refusal)))
        return redirect("instrument_detail", pk)
    if change is None:
        messages.success(request, _("The instrument is shown to everybody now."))
        return redirect("instrument_detail", pk)
    messages.success(request, _("Handed in for publication. You get a mail when the operator has decided."))
    return redirect("review_detail", change.pk)


@login_required
@require_POST
def organisation_reviews(request: HttpRequest, pk: int) -> HttpResponse:
    """The operator says whether an owner's changes are looked at first."""
    actor = actor_of(request)
    actor.require(Role.OPERATOR)
    queries.organisation_for(actor, pk)
    needed = {"yes": True, "no": False}.get(request.POST.get("reviews", ""))
    instrument_reviews.set_reviews_needed(actor, pk, needed, timezone.now())
    messages.success(request, _("Saved."))
    return redirect("organisation_detail", pk)


@login_required
@require_GET
def instrument_history(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything that was done to an instrument, with what it changed."""
    actor = actor_of(request)
    instrument = queries.instrument_for(actor, pk)
    page = _history_page(request, records.history_of(actor, instrument))
    entries = list(page.object_list)
    places = record.place_names(queries.sites_of(actor, instrument.organisation_id))
    names = history.Names(places=places, assistants=assistant_names(history.ids_in(entries, "assistant")))
    about = {
        "lead": _("Everything that was done to this instrument, the newest first. Nothing of it can be changed."),
        "empty_text": _("Nothing has been changed since this instrument was taken over."),
        "back_url": reverse("instrument_detail", args=[pk]),
    }
    context = about | {"thing": instrument, "page": page, "rows": history.instrument_rows(entries, names)}
    return render(request, "reviews/history.html", context)


@login_required
@require_GET
def resource_history(request: HttpRequest, pk: int) -> HttpResponse:
    """The same of a test item, a data set, a work of literature or an accession."""
    actor = actor_of(request)
    resource = resource_for(actor, pk)
    page = _history_page(request, records.history_of(actor, resource))
    entries = list(page.object_list)
    names = history.Names(instruments=records.instrument_names(actor, history.ids_in(entries, "instrument_ids")))
    about = {
        "lead": _("Everything that was done to this entry, the newest first. Nothing of it can be changed."),
        "empty_text": _("Nothing has been changed since this entry was taken over."),
        "back_url": reverse("resource_detail", args=[pk]),
    }
    context = about | {"thing": resource, "page": page, "rows": history.resource_rows(resource.kind, entries, names)}
    return render(request, "reviews/history.html", context)


def _history_page(request: HttpRequest, entries: QuerySet[AuditEntry]) -> Page[AuditEntry]:
    return Paginator(entries, PER_PAGE).get_page(request.GET.get("page"))
