"""Proposed changes of test items, germplasm, data sets and literature: the owner withdraws, the operator compares and decides."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from config.kernel.access import Actor, Role
from config.kernel.api.problems import status_of
from config.kernel.errors import Forbidden, NotFound, Refusal
from frontend.http import actor_of, stands_at
from frontend.instrument_forms import DecisionForm
from frontend.presenters import resource_changes
from frontend.refusals import sentences
from frontend.views.reviews import decided
from instruments.models import ResourceChange
from instruments.queries import records
from instruments.rules.instrument_review import Action, State, actions_from
from instruments.services import resource_reviews


@login_required
@require_GET
def resource_review(request: HttpRequest, pk: int) -> HttpResponse:
    """What a change makes different, and what the reader may do with it."""
    actor = actor_of(request)
    return _page(request, actor, records.resource_change_for(actor, pk), DecisionForm())


def _page(
    request: HttpRequest,
    actor: Actor,
    change: ResourceChange,
    form: DecisionForm,
    problems: list[str] | None = None,
    status: int = 200,
) -> HttpResponse:
    actions = actions_from(State(change.state))
    keeps = change.resource.organisation_id in actor.organisations(Role.LAB_MANAGER)
    differences = resource_changes.change_differences(change)
    context = {
        "change": change,
        "resource": change.resource,
        "differences": differences,
        "clashes": [each for each in differences if each.is_clash],
        "publishes": bool(change.values.get("published")),
        "mark": resource_reviews.seen(change),
        "form": form,
        "problems": problems or [],
        "may_decide": Action.ACCEPT in actions and actor.has(Role.OPERATOR) and not keeps,
        "may_withdraw": Action.WITHDRAW in actions and keeps,
    }
    stands_at(request, "resource_review", change.pk)
    return render(request, "reviews/resource.html", context, status=status)


@login_required
@require_POST
def resource_review_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """The owner takes it back."""
    actor = actor_of(request)
    change = records.resource_change_for(actor, pk)
    try:
        resource_reviews.withdraw(actor, pk, timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return _page(request, actor, change, DecisionForm(), sentences(refusal), status_of(refusal))
    messages.success(request, _("Withdrawn. What is published stays as it is."))
    return redirect("resource_detail", change.resource_id)


@login_required
@require_POST
def resource_review_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """The operator accepts what was looked at, or refuses it with a reason."""

    def again(actor: Actor, form: DecisionForm, problems: list[str], status: int) -> HttpResponse:
        return _page(request, actor, records.resource_change_for(actor, pk), form, problems, status)

    return decided(request, pk, resource_reviews, again, lambda change: change.resource.name)
