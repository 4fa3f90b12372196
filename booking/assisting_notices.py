"""What those who assist are told about their sessions."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from booking import notice_wording  # noqa: F401  (registers the group of the lab's news)
from booking.services.calendar_mail import calendar_of, calendar_without
from instruments.notice_events import Event, register_events

_WHEN = (_("For: %(organisation)s"), _("Time: %(starts_at)s to %(ends_at)s (%(zone)s)"))


def _own(title: Any, name: Any, icon: str = "users", calendar: Any = calendar_of) -> Event:
    """To the person who assists alone, so that webhooks do not hear of it."""
    return Event("lab", title, _WHEN, icon, name=name, calendar=calendar)


register_events(
    {
        "assist.approved": _own(_("%(instrument)s: you assist in session %(reference)s"), _("Session that you assist in")),
        "assist.given": _own(
            _("%(instrument)s: session %(reference)s was given to you to assist in"), _("Session given to you to assist in")
        ),
        "assist.relieved": _own(
            _("%(instrument)s: somebody else assists in session %(reference)s"),
            _("Session that you no longer assist in"),
            calendar=calendar_without,
        ),
        "assist.moved": _own(
            _("%(instrument)s: session %(reference)s, which you assist in, has a new time"),
            _("Session that you assist in moved"),
            "calendar-event",
        ),
        "assist.extended": _own(
            _("%(instrument)s: session %(reference)s, which you assist in, lasts longer"),
            _("Session that you assist in lasts longer"),
            "clock",
        ),
        "assist.cancelled": _own(
            _("%(instrument)s: session %(reference)s, which you assist in, was cancelled"),
            _("Session that you assist in cancelled"),
            "ban",
        ),
        "assist.no_show": _own(
            _("%(instrument)s: nobody came to session %(reference)s, which you assist in"),
            _("Session that you assist in missed"),
            "ban",
        ),
    }
)
