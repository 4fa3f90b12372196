"""What is told about quotations and commission sheets."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from instruments.notice_events import Event, register_events

_LINES = (_("%(title)s: %(total_fen)s"), _("Reason: %(reason)s"))
register_events(
    {
        "quotation.accepted": Event(
            "orders", _("Quotation %(number)s was accepted"), _LINES, "circle-check", name=_("Quotation accepted")
        ),
        "quotation.declined": Event(
            "orders", _("Quotation %(number)s was declined"), _LINES, "circle-x", name=_("Quotation declined")
        ),
        "quotation.withdrawn": Event(
            "orders", _("Quotation %(number)s was withdrawn"), _LINES, "ban", name=_("Quotation withdrawn")
        ),
        "quotation.expired": Event(
            "orders", _("Quotation %(number)s has expired"), _LINES, "clock-pause", name=_("Quotation expired")
        ),
        "commission.issued": Event(
            "orders",
            _("Commission sheet %(number)s waits for signatures"),
            _LINES,
            "file-certificate",
            name=_("Commission sheet issued"),
        ),
        "commission.signed": Event(
            "orders",
            _("Commission sheet %(number)s was signed by the other side"),
            _LINES,
            "pencil",
            name=_("Commission sheet signed"),
        ),
        "commission.in_force": Event(
            "orders",
            _("Commission sheet %(number)s is signed by both sides"),
            _LINES,
            "shield-check",
            name=_("Commission sheet in force"),
        ),
        "commission.finished": Event("orders", _("Commission %(number)s is done"), _LINES, "flag", name=_("Commission done")),
        "commission.cancelled": Event(
            "orders", _("Commission %(title)s was cancelled"), _LINES, "ban", name=_("Commission cancelled")
        ),
    }
)
