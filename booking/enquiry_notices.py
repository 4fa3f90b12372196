"""What is told about questions to labs: to the side that did not write."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from instruments.notice_events import Event, Group, register_events, register_groups

register_groups(
    {"orders": Group(_("Questions and orders"), _("Answers of labs, quotations and commission sheets, on both sides."), place=15)}
)
register_events(
    {
        "enquiry.asked": Event(
            "orders",
            _("%(organisation)s asks: %(subject)s"),
            (_("%(text)s"), _("Promised answer by %(due_at)s.")),
            "message-report",
            needs_action=True,
            name=_("Question to the lab"),
        ),
        "enquiry.asked_by_lab": Event(
            "orders", _("%(lab)s asks: %(subject)s"), (_("%(text)s"),), "message-report", name=_("Question of a lab")
        ),
        "enquiry.answered": Event(
            "orders", _("%(lab)s answers: %(subject)s"), (_("%(text)s"),), "message-report", name=_("Answer of a lab")
        ),
    }
)
