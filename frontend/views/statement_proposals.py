"""A settlement statement that one person proposed: another one of finance issues it or sends it back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from billing.settlement import queries
from billing.settlement.services import proposing, statements
from config.kernel.api.problems import status_of
from config.kernel.errors import Forbidden, NotFound, Refusal
from frontend.http import actor_of, stands_at
from frontend.presenters.statements import statement_view
from frontend.refusals import sentences

LINES_SHOWN = 100


@login_required
@require_GET
def statement_proposal(request: HttpRequest, pk: int) -> HttpResponse:
    """What was proposed, what the statement would say now, and who decided."""
    return _response(request, pk)


def _response(request: HttpRequest, pk: int, refusal: Refusal | None = None) -> HttpResponse:
    actor = actor_of(request)
    found = queries.proposal_for(actor, pk)
    decides = proposing.decides(actor, found)
    context: dict[str, Any] = {
        "proposal": found,
        "decides": decides,
        "own": found.proposed_by_id == actor.user_id,
        "problems": sentences(refusal) if refusal else [],
    }
    if decides:
        whose = (found.programme_version_id, found.payee_id, found.period_on)
        try:
            content, _seen = statements.look(actor, *whose, timezone.now(), expected=proposing.seen_of(found), mode=found.mode)
            context["view"] = statement_view(content, slice(0, LINES_SHOWN))
        except (NotFound, Forbidden):
            raise
        except Refusal as changed:
            context["problems"] = context["problems"] or sentences(changed)
    stands_at(request, "statement_proposal", pk)
    return render(request, "finance/proposal.html", context, status=status_of(refusal) if refusal else 200)


@login_required
@require_POST
def statement_proposal_issue(request: HttpRequest, pk: int) -> HttpResponse:
    """Issue it as another person."""
    try:
        issued = proposing.issue(actor_of(request), pk, timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return _response(request, pk, refusal)
    messages.success(request, _("Issued as %(number)s. The documents are being made.") % {"number": issued.number})
    return redirect("statement_detail", pk=issued.pk)


@login_required
@require_POST
def statement_proposal_decline(request: HttpRequest, pk: int) -> HttpResponse:
    """Send it back with a reason, or withdraw one's own."""
    try:
        proposing.decline(actor_of(request), pk, request.POST.get("reason", ""), timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return _response(request, pk, refusal)
    messages.success(request, _("Nothing is issued. What stood on it can be put on a statement anew."))
    return redirect("statement_proposal", pk=pk)
