"""A settlement statement that one person proposed: another one of finance issues it or sends it back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from billing.settlement import queries
from billing.settlement.proposal_models import StatementProposal
from billing.settlement.services import proposing, statements
from config.kernel.access import Actor
from frontend.presenters.statements import statement_view
from frontend.views.proposals import Proposals

LINES_SHOWN = 100


def _shown(actor: Actor, found: StatementProposal, now: datetime) -> dict[str, Any]:
    whose = (found.programme_version_id, found.payee_id, found.period_on)
    content, _seen = statements.look(actor, *whose, now, expected=found.seen, mode=found.mode, made_by=found.proposed_by)
    return {"view": statement_view(content, slice(0, LINES_SHOWN))}


STATEMENTS = Proposals(
    page="statement_proposal",
    document="statement_detail",
    template="finance/proposal.html",
    find=queries.proposal_for,
    decides=proposing.decides,
    shown=_shown,
    issue=proposing.issue,
    decline=proposing.decline,
    anew=_("Nothing is issued. What stood on it can be put on a statement anew."),
)


@login_required
@require_GET
def statement_proposal(request: HttpRequest, pk: int) -> HttpResponse:
    """What was proposed, what the statement would say now, and who decided."""
    return STATEMENTS.response(request, pk)


@login_required
@require_POST
def statement_proposal_issue(request: HttpRequest, pk: int) -> HttpResponse:
    """Issue it as another person."""
    return STATEMENTS.issued(request, pk)


@login_required
@require_POST
def statement_proposal_decline(request: HttpRequest, pk: int) -> HttpResponse:
    """Send it back with a reason, or withdraw one's own."""
    return STATEMENTS.declined(request, pk)
