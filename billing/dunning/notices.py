"""What is told about unpaid bills."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from instruments.notice_events import Event, register_events

_PAY = (_("To pay to %(owner)s: %(open_fen)s, due on %(due_on)s."), _("By bank transfer write %(reference)s as the purpose."))
register_events(
    {
        "dunning.before": Event(
            "bills", _("Bill %(number)s is due in three days"), _PAY, "file-invoice", name=_("Bill due soon")
        ),
        "dunning.first": Event(
            "bills", _("Bill %(number)s is overdue"), _PAY, "alert-triangle", name=_("Bill overdue: first reminder")
        ),
        "dunning.second": Event(
            "bills",
            _("Bill %(number)s is a week overdue"),
            (*_PAY, _("From %(block_on)s on no new bookings at %(owner)s are possible until it is paid.")),
            "alert-triangle",
            name=_("Bill overdue: second reminder"),
        ),
        "dunning.block": Event(
            "bills",
            _("No new bookings of %(customer)s at %(owner)s: bill %(number)s is not paid"),
            (*_PAY, _("What is booked already stays. New bookings are possible as soon as it is paid.")),
            "ban",
            name=_("Bill overdue: no new bookings"),
        ),
        "dunning.disputed": Event(
            "bills",
            _("%(customer)s disputes bill %(number)s"),
            (_("Reason: %(reason)s"),),
            "message-report",
            needs_action=False,
            name=_("Bill disputed"),
        ),
        "dunning.answered": Event(
            "bills",
            _("%(owner)s has answered about bill %(number)s"),
            (_("Answer: %(reason)s"),),
            "message-report",
            name=_("Dispute of a bill answered"),
        ),
    }
)
