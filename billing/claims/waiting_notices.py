"""What the people of an office are told of claims that wait for them: batch by batch and step by step, never claim by claim."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.claims.rules.waiting import Work
from billing.claims.worklist import Waiting
from instruments.notice_events import Event, register_events
from instruments.services.notices import News

EVENTS: Mapping[Work, str] = {work: f"claims.to_{work.value}" for work in Work}
OVERDUE = "claims.overdue"
_LINES = (
    _("%(programme)s: %(total_fen)s on claims: %(claims)s"),
    _("The first waits since %(since_at)s."),
    _("You stand in for %(behalf)s."),
)


def _event(title: Promise | str, name: Promise | str, icon: str, *, gathered: bool = True) -> Event:
    return Event("claims", title, _LINES, icon, needs_action=True, is_gathered=gathered, name=name)


register_events(
    {
        EVENTS[Work.CLOSE]: _event(
            _("Batch %(number)s can be closed: its claim window is over"), _("Batch of claims to be closed"), "file-invoice"
        ),
        EVENTS[Work.REVIEW]: _event(_("Claims of batch %(number)s wait for your review"), _("Claims to be reviewed"), "search"),
        EVENTS[Work.PUBLICISE]: _event(
            _("Claims of batch %(number)s can be made public"), _("Claims to be made public"), "message-report"
        ),
        EVENTS[Work.APPROVE]: _event(
            _("Claims of batch %(number)s wait for approval"), _("Claims to be approved"), "circle-check"
        ),
        EVENTS[Work.LIST]: _event(
            _("Claims of batch %(number)s wait for a payment list"), _("Claims to be put on a payment list"), "cash"
        ),
        OVERDUE: _event(
            _("Claims of batch %(number)s wait longer than the programme says"),
            _("Claims wait too long"),
            "alert-triangle",
            gathered=False,
        ),
    }
)


def news_of(event: str, each: Waiting) -> News:
    """What is told of claims that wait; a notice is known again by work and step."""
    params = {
        "work": each.work.value,
        "step": each.step,
        "number": each.batch.number,
        "programme": each.batch.programme.code,
        "claims": each.claims,
        "total_fen": each.total_fen,
        "since_at": each.since.isoformat(),
    }
    return News(event, params, f"/claim-batches/{each.batch.pk}/", each.batch)
