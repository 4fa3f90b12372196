"""What is told about courses, licences, credit points and lists."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from booking.training_wording import event_name, level_name
from config.kernel.messages import register_formatter
from instruments.notice_events import Event, Group, register_events, register_groups

register_formatter("licence_level", level_name)
register_formatter("credit_event", event_name)
register_groups(
    {"training": Group(_("Training and credit"), _("Courses, licences, and what is noted about bookings."), place=30)}
)
_REASON = _("Reason: %(reason)s")
_WHERE = _("%(starts_at)s, %(place)s")
_WHAT = _("%(lab)s: %(what)s, %(licence_level)s")


def _own(title: Any, *lines: Any, name: Any, icon: str = "certificate", needs_action: bool = False) -> Event:
    return Event("training", title, lines, icon, needs_action, name=name)


register_events(
    {
        "training.enrolled": _own(
            _("You have a place: %(course)s"),
            _WHERE,
            _("Cannot come? Give the place back in time."),
            icon="calendar-event",
            name=_("Place in a course"),
        ),
        "training.waiting": _own(
            _("You wait for a place: %(course)s"),
            _WHERE,
            _("All places are taken. You hear when one becomes free."),
            icon="hourglass",
            name=_("Waiting for a place"),
        ),
        "training.called_off": _own(_("Not held: %(course)s"), _WHERE, _REASON, icon="ban", name=_("Course not held")),
        "training.passed": _own(
            _("Passed: %(course)s"), _("%(score)s of 100 points. You hold the licence now."), name=_("Exam passed")
        ),
        "training.failed": _own(
            _("Not passed: %(course)s"),
            _("%(score)s of 100 points; %(pass_mark)s are needed. Look for the next date."),
            icon="circle-x",
            name=_("Exam not passed"),
        ),
        "licence.granted": _own(_("You hold a licence: %(what)s"), _WHAT, name=_("Licence granted")),
        "licence.suspend": _own(
            _("Your licence is suspended: %(what)s"), _WHAT, _REASON, icon="lock", name=_("Licence suspended")
        ),
        "licence.restore": _own(_("Your licence holds again: %(what)s"), _WHAT, name=_("Licence restored")),
        "licence.revoke": _own(
            _("Your licence was taken away: %(what)s"), _WHAT, _REASON, icon="ban", name=_("Licence taken away")
        ),
        "licence.ends": _own(
            _("Your licence ends soon: %(what)s"),
            _WHAT,
            _("It ends at %(valid_until_at)s. Renew it before."),
            icon="clock",
            name=_("Licence ends soon"),
        ),
        "licence.asked": Event(
            "lab",
            _("%(person)s asks for a licence: %(instrument)s"),
            (_("%(licence_level)s"), _("%(statement)s")),
            "certificate",
            needs_action=True,
            name=_("Proof of a licence to look at"),
        ),
        "licence.recognised": _own(_("The lab accepted your proof: %(instrument)s"), name=_("Proof accepted")),
        "licence.not_recognised": _own(
            _("Your proof was not accepted: %(instrument)s"), _REASON, icon="circle-x", name=_("Proof not accepted")
        ),
        "licence.gap": _own(
            _("No licence for %(reference)s on %(instrument)s"),
            _("At %(starts_at)s you will hold no licence. Renew it before, book it assisted, or cancel: check-in is refused."),
            icon="key",
            needs_action=True,
            name=_("Booking without a licence"),
        ),
        "lab.licence_gap": Event(
            "lab",
            _("No licence for %(reference)s on %(instrument)s"),
            (_("At %(starts_at)s %(person)s will hold no licence. Check-in needs a reason from you."),),
            "key",
            name=_("Booking without a licence (lab)"),
        ),
        "credit.noted": _own(
            _("Noted: %(credit_event)s (%(points)s points)"),
            _("%(lab)s"),
            _("%(note)s"),
            _("Is this not right? You can appeal once, on the page of your record."),
            icon="alert-triangle",
            name=_("Credit points noted"),
        ),
        "credit.taken_back": _own(
            _("Given back: %(credit_event)s"),
            _("%(lab)s, %(reference)s"),
            _("It has turned out otherwise: the points count no longer."),
            icon="circle-check",
            name=_("Credit points given back"),
        ),
        "credit.appealed": Event(
            "lab",
            _("%(person)s appeals: %(credit_event)s"),
            (_("%(text)s"),),
            "message-report",
            needs_action=True,
            name=_("Appeal to decide"),
        ),
        "credit.appeal_granted": _own(
            _("Your appeal was granted: %(credit_event)s"), _("%(answer)s"), icon="circle-check", name=_("Appeal granted")
        ),
        "credit.appeal_refused": _own(
            _("Your appeal was not granted: %(credit_event)s"), _("%(answer)s"), icon="circle-x", name=_("Appeal not granted")
        ),
        "credit.listed": _own(_("You cannot book for now"), _("%(lab)s"), _REASON, icon="ban", name=_("On a list")),
    }
)
