"""What is told about quotations and commission sheets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.utils.translation import gettext_lazy as _

from instruments.notice_events import Event, register_events

_LINES = (_("%(title)s: %(total_fen)s"), _("Reason: %(reason)s"))


def _event(title: Any, icon: str, name: Any) -> Event:
    return Event("orders", title, _LINES, icon, public=True, name=name)


register_events(
    {
        "quotation.sent": replace(
            _event(_("Quotation %(number)s was sent"), "send", _("Quotation sent")),
            only_public=True,  # people read it in the thread
        ),
        "quotation.accepted": _event(_("Quotation %(number)s was accepted"), "circle-check", _("Quotation accepted")),
        "quotation.declined": _event(_("Quotation %(number)s was declined"), "circle-x", _("Quotation declined")),
        "quotation.withdrawn": _event(_("Quotation %(number)s was withdrawn"), "ban", _("Quotation withdrawn")),
        "quotation.expired": _event(_("Quotation %(number)s has expired"), "clock-pause", _("Quotation expired")),
        "commission.issued": _event(
            _("Commission sheet %(number)s waits for signatures"), "file-certificate", _("Commission sheet issued")
        ),
        "commission.signed": _event(
            _("Commission sheet %(number)s was signed by the other side"), "pencil", _("Commission sheet signed")
        ),
        "commission.in_force": _event(
            _("Commission sheet %(number)s is signed by both sides"), "shield-check", _("Commission sheet in force")
        ),
        "commission.finished": _event(_("Commission %(number)s is done"), "flag", _("Commission done")),
        "commission.cancelled": _event(_("Commission %(title)s was cancelled"), "ban", _("Commission cancelled")),
    }
)
