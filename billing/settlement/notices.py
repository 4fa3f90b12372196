"""What is told about settlement statements before they are issued."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from billing.settlement.proposal_models import ProposalState, StatementProposal
from config.kernel.access import Role
from instruments.notice_events import Event, Group, register_events, register_groups
from instruments.services.notices import News, holders, person, tell
from instruments.services.settling import settle

PROPOSED, SENT_BACK, OVERTAKEN = "statement.proposed", "statement.sent_back", "statement.overtaken"
#: Of any proposal that was overtaken.
NOTHING_LEFT = _("What it was of is on other documents by now, was left out, fell away, or its month was closed.")
_WHAT = _("%(programme)s, %(payee)s: %(total_fen)s")
register_groups(
    {
        "statements": Group(
            _("Settlement statements"), _("Statements that wait for a second person, and that come back."), place=44
        )
    }
)
register_events(
    {
        PROPOSED: Event(
            "statements",
            _("A settlement statement waits for a second person"),
            (_WHAT, _("Proposed by %(person)s")),
            "file-certificate",
            needs_action=True,
            name=_("Statement proposed"),
        ),
        SENT_BACK: Event(
            "statements",
            _("The settlement statement that you proposed was sent back"),
            (_WHAT, _("Reason: %(reason)s")),
            "file-certificate",
            name=_("Proposed statement sent back"),
        ),
        OVERTAKEN: Event(
            "statements",
            _("Nothing is left to issue of the settlement statement that you proposed"),
            (_WHAT, NOTHING_LEFT),
            "file-certificate",
            name=_("Proposed statement closed"),
        ),
    }
)


def tell_proposed(proposal: StatementProposal, now: datetime) -> None:
    """Tell the finance of the office (any office's where the programme names none) but who proposed it."""
    office_id = proposal.programme_version.programme.issuer_id
    others = holders(Role.FINANCE, office_id) & ~person(proposal.proposed_by_id)
    tell(_news(PROPOSED, proposal, person=str(proposal.proposed_by)), others, now)


def tell_decided(proposal: StatementProposal, now: datetime) -> None:
    """Nobody is waited for any more; who proposed a statement that was sent back, or of which nothing is left, is told why."""
    settle(proposal, [PROPOSED], now)
    if proposal.state == ProposalState.SENT_BACK:
        tell(_news(SENT_BACK, proposal, reason=proposal.reason), person(proposal.proposed_by_id), now)
    elif proposal.state == ProposalState.OVERTAKEN:
        tell(_news(OVERTAKEN, proposal), person(proposal.proposed_by_id), now)


def _news(event: str, proposal: StatementProposal, **said: str) -> News:
    params = {
        "programme": proposal.programme_version.programme.code,
        "payee": proposal.payee.name,
        "total_fen": proposal.total_fen,
        **said,
    }
    return News(event, params, f"/statements/proposals/{proposal.pk}/", proposal)
