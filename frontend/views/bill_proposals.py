"""A bill that one person proposed: another one of finance issues it or sends it back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from billing.bills import queries
from billing.bills.services import issuing, proposing
from billing.bills.services.issuing import BillRequest
from billing.settlement.proposal_models import ProposalState
from config.kernel.api.problems import status_of
from config.kernel.errors import Forbidden, NotFound, Refusal
from frontend.http import actor_of, stands_at
from frontend.refusals import sentences
from frontend.views.bills import content_context


@login_required
@require_GET
def bill_proposal(request: HttpRequest, pk: int) -> HttpResponse:
    """What was proposed, what the bill would say now, and who decided."""
    return _response(request, pk)


def _response(request: HttpRequest, pk: int, refusal: Refusal | None = None) -> HttpResponse:
    actor = actor_of(request)
    found = queries.proposal_for(actor, pk)
    decides = found.state == ProposalState.WAITING and found.owner_id in actor.organisations(*queries.ISSUERS)
    context: dict[str, Any] = {
        "proposal": found,
        "decides": decides,
        "own": found.proposed_by_id == actor.user_id,
        "problems": sentences(refusal) if refusal else [],
    }
    if decides:
        asked = BillRequest(found.owner_id, found.customer_id, found.until_on, found.due_days)
        try:
            content = issuing.preview(actor, asked, timezone.now(), expected=proposing.seen_of(found))
            context |= content_context(content)
        except (NotFound, Forbidden):
            raise
        except Refusal as changed:
            context["problems"] = context["problems"] or sentences(changed)
    stands_at(request, "bill_proposal", pk)
    return render(request, "bills/proposal.html", context, status=status_of(refusal) if refusal else 200)


@login_required
@require_POST
def bill_proposal_issue(request: HttpRequest, pk: int) -> HttpResponse:
    """Issue it as another person."""
    try:
        bill = proposing.issue(actor_of(request), pk, timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return _response(request, pk, refusal)
    messages.success(request, _("Issued as %(number)s. The documents are being made.") % {"number": bill.number})
    return redirect("bill_detail", pk=bill.pk)


@login_required
@require_POST
def bill_proposal_decline(request: HttpRequest, pk: int) -> HttpResponse:
    """Send it back with a reason, or withdraw one's own."""
    try:
        proposing.decline(actor_of(request), pk, request.POST.get("reason", ""), timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return _response(request, pk, refusal)
    messages.success(request, _("Nothing is issued. What stood on it can be billed anew."))
    return redirect("bill_proposal", pk=pk)
