"""What is told about bills before they are issued."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from billing.bills.proposal_models import BillProposal, WriteOffProposal
from billing.settlement.notices import NOTHING_LEFT
from billing.settlement.proposal_models import ProposalState
from config.kernel.access import Role
from instruments.notice_events import Event, Group, register_events, register_groups
from instruments.services.notices import News, holders, person, tell
from instruments.services.settling import settle

PROPOSED, SENT_BACK, OVERTAKEN = "bill.proposed", "bill.sent_back", "bill.overtaken"
WRITE_OFF_PROPOSED, WRITE_OFF_SENT_BACK = "write_off.proposed", "write_off.sent_back"
_WHAT = _("%(customer)s: %(total_fen)s")
register_groups({"bills": Group(_("Bills"), _("Reminders of bills, what customers dispute."), place=30)})
register_events(
    {
        PROPOSED: Event(
            "bills",
            _("A bill waits for a second person"),
            (_WHAT, _("Proposed by %(person)s")),
            "file-invoice",
            needs_action=True,
            name=_("Bill proposed"),
        ),
        SENT_BACK: Event(
            "bills",
            _("The bill that you proposed was sent back"),
            (_WHAT, _("Reason: %(reason)s")),
            "file-invoice",
            name=_("Proposed bill sent back"),
        ),
        OVERTAKEN: Event(
            "bills",
            _("Nothing is left to issue of the bill that you proposed"),
            (_WHAT, NOTHING_LEFT),
            "file-invoice",
            name=_("Proposed bill closed"),
        ),
        WRITE_OFF_PROPOSED: Event(
            "bills",
            _("A write-off waits for a second person"),
            (_WHAT, _("Proposed by %(person)s")),
            "file-invoice",
            needs_action=True,
            name=_("Write-off proposed"),
        ),
        WRITE_OFF_SENT_BACK: Event(
            "bills",
            _("The write-off that you proposed was sent back"),
            (_WHAT, _("Reason: %(reason)s")),
            "file-invoice",
            name=_("Proposed write-off sent back"),
        ),
    }
)


def tell_proposed(proposal: BillProposal, now: datetime) -> None:
    """Tell the owner's finance but who proposed it."""
    others = holders(Role.OWNER_FINANCE, proposal.owner_id) & ~person(proposal.proposed_by_id)
    tell(_news(PROPOSED, proposal, person=str(proposal.proposed_by)), others, now)


def tell_decided(proposal: BillProposal, now: datetime) -> None:
    """Nobody is waited for any more; who proposed a bill that was sent back, or of which nothing is left, is told why."""
    settle(proposal, [PROPOSED], now)
    if proposal.state == ProposalState.SENT_BACK:
        tell(_news(SENT_BACK, proposal, reason=proposal.reason), person(proposal.proposed_by_id), now)
    elif proposal.state == ProposalState.OVERTAKEN:
        tell(_news(OVERTAKEN, proposal), person(proposal.proposed_by_id), now)


def _news(event: str, proposal: BillProposal, **said: str) -> News:
    params = {"customer": proposal.customer.name, "total_fen": proposal.total_fen, **said}
    return News(event, params, f"/bills/proposals/{proposal.pk}/", proposal)


def tell_write_off_proposed(proposal: WriteOffProposal, now: datetime) -> None:
    """Tell the owner's finance but who proposed it."""
    others = holders(Role.OWNER_FINANCE, proposal.bill.owner_id) & ~person(proposal.proposed_by_id)
    tell(_write_off_news(WRITE_OFF_PROPOSED, proposal, person=str(proposal.proposed_by)), others, now)


def tell_write_off_decided(proposal: WriteOffProposal, now: datetime) -> None:
    """Nobody is waited for any more; who proposed what was sent back is told why."""
    settle(proposal, [WRITE_OFF_PROPOSED], now)
    if proposal.state == ProposalState.SENT_BACK:
        tell(_write_off_news(WRITE_OFF_SENT_BACK, proposal, reason=proposal.reason), person(proposal.proposed_by_id), now)


def _write_off_news(event: str, proposal: WriteOffProposal, **said: str) -> News:
    bill = proposal.bill
    params = {"customer": bill.customer.name, "total_fen": proposal.total_fen, **said}
    return News(event, params, f"/bills/{bill.pk}/", proposal)
