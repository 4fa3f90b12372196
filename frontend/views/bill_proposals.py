"""A bill that one person proposed: another one of the owner's finance issues it or sends it back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from billing.bills import queries
from billing.bills.proposal_models import BillProposal
from billing.bills.services import issuing, proposing
from billing.bills.services.issuing import BillRequest
from billing.settlement.proposal_models import ProposalState
from config.kernel.access import Actor
from frontend.views.bills import content_context
from frontend.views.proposals import Proposals


def _decides(actor: Actor, found: BillProposal) -> bool:
    return found.state == ProposalState.WAITING and found.owner_id in actor.organisations(*queries.ISSUERS)


def _shown(actor: Actor, found: BillProposal, now: datetime) -> dict[str, Any]:
    asked = BillRequest(found.owner_id, found.customer_id, found.until_on, found.due_days)
    return content_context(issuing.preview(actor, asked, now, expected=found.seen, made_by=found.proposed_by))


BILLS = Proposals(
    page="bill_proposal",
    document="bill_detail",
    template="bills/proposal.html",
    find=queries.proposal_for,
    decides=_decides,
    shown=_shown,
    issue=proposing.issue,
    decline=proposing.decline,
    anew=_("Nothing is issued. What stood on it can be billed anew."),
)


@login_required
@require_GET
def bill_proposal(request: HttpRequest, pk: int) -> HttpResponse:
    """What was proposed, what the bill would say now, and who decided."""
    return BILLS.response(request, pk)


@login_required
@require_POST
def bill_proposal_issue(request: HttpRequest, pk: int) -> HttpResponse:
    """Issue it as another person."""
    return BILLS.issued(request, pk)


@login_required
@require_POST
def bill_proposal_decline(request: HttpRequest, pk: int) -> HttpResponse:
    """Send it back with a reason, or withdraw one's own."""
    return BILLS.declined(request, pk)
