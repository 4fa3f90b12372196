"""The sentences for refusals about calendars that instruments share."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.kernel.messages import register

register(
    {
        "sharing.already": _("These instruments share their calendar already."),
        "sharing.other_owner": _("Choose an instrument of the same owner: only one lab can answer for a calendar."),
        "sharing.zone_differs": _(
            "The clocks of the two places differ (%(zone)s and %(other)s). Instruments on one calendar need one clock."
        ),
        "sharing.leave_first": _("This instrument shares a calendar already. Take it apart first, then choose another."),
        "sharing.session_runs": _(
            "Session %(reference)s of this instrument goes on beyond its booked end. End it first, then change the calendar."
        ),
        "sharing.choose": _("Choose the instrument whose calendar it shares."),
        "sharing.clashes": _(
            "Bookings of both share time, %(count)s times: %(bookings)s. "
            "Move or cancel one of each pair, or wait until what has begun is over. Nothing changed."
        ),
        "sharing.not_shared": _("No other instrument has this calendar. There is nothing to take apart."),
    }
)
