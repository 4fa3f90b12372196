"""What is told about bills before they are issued."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from billing.bills.models import Bill
from billing.bills.proposal_models import BillProposal, WriteOffProposal
from billing.settlement.notices import NOTHING_LEFT
from billing.settlement.proposal_models import ProposalState
from config.kernel.access import Role
from instruments.notice_events import Event, Group, register_events, register_groups
from instruments.services.notices import News, holders, person, tell
from instruments.services.settling import settle

PROPOSED, SENT_BACK, OVERTAKEN = "bill.proposed", "bill.sent_back", "bill.overtaken"
WRITE_OFF_PROPOSED, WRITE_OFF_SENT_BACK = "write_off.proposed", "write_off.sent_back"
WRITE_OFF_OVERTAKEN = "write_off.overtaken"
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
        WRITE_OFF_OVERTAKEN: Event(
            "bills",
            _("Another amount is left to pay than the write-off that you proposed"),
            (_WHAT, _("It was closed. Propose it anew where nothing more comes.")),
            "file-invoice",
            name=_("Proposed write-off closed"),
        ),
    }
)


#: What is told of each kind of proposal: that it waits, was sent back, was overtaken.
_EVENTS = {
    BillProposal: (PROPOSED, SENT_BACK, OVERTAKEN),
    WriteOffProposal: (WRITE_OFF_PROPOSED, WRITE_OFF_SENT_BACK, WRITE_OFF_OVERTAKEN),
}
AnyProposal = BillProposal | WriteOffProposal


def tell_proposed(proposal: AnyProposal, now: datetime) -> None:
    """Tell the owner's finance but who proposed it."""
    waits, _sent_back, _overtaken = _EVENTS[type(proposal)]
    others = holders(Role.OWNER_FINANCE, _about(proposal).owner_id) & ~person(proposal.proposed_by_id)
    tell(_news(waits, proposal, person=str(proposal.proposed_by)), others, now)


def tell_decided(proposal: AnyProposal, now: datetime) -> None:
    """Nobody is waited for any more; who proposed what was sent back, or what was overtaken, is told why."""
    waits, sent_back, overtaken = _EVENTS[type(proposal)]
    settle(proposal, [waits], now)
    if proposal.state == ProposalState.SENT_BACK:
        tell(_news(sent_back, proposal, reason=proposal.reason), person(proposal.proposed_by_id), now)
    elif proposal.state == ProposalState.OVERTAKEN:
        tell(_news(overtaken, proposal), person(proposal.proposed_by_id), now)


def _about(proposal: AnyProposal) -> BillProposal | Bill:
    """What has the owner and the customer."""
    return proposal.bill if isinstance(proposal, WriteOffProposal) else proposal


def _news(event: str, proposal: AnyProposal, **said: str) -> News:
    about = _about(proposal)
    params = {"customer": about.customer.name, "total_fen": proposal.total_fen, **said}
    address = f"/bills/proposals/{proposal.pk}/" if about is proposal else f"/bills/{about.pk}/"
    return News(event, params, address, proposal)
