"""The sentences about calendar files: why one cannot be read, and what became of its events."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.kernel.messages import register

register(
    {
        "ics.empty": _("The file is empty. Export the calendar again."),
        "ics.too_big": _("The file is larger than %(megabytes)s MB. Export a shorter time."),
        "ics.encoding": _("The text of the file cannot be read. Save it as UTF-8 and try again."),
        "ics.not_a_calendar": _("This is no calendar file: it has no BEGIN:VCALENDAR. Export the calendar as .ics (iCalendar)."),
        "ics.too_long": _("The file has more than %(lines)s lines. Export a shorter time."),
        "ics.too_deep": _(
            "The file is broken at line %(line)s: parts are begun again and again and never ended. Export it again."
        ),
        "ics.too_many_events": _("The file has more than %(maximum)s events. Export a shorter time."),
        "ics.too_many_rows": _("The file stands for more than %(maximum)s times. Export a shorter time, or fewer repetitions."),
        "ics.too_costly": _(
            "This file takes too long to work out: its events repeat in too complicated a way. Export fewer of them."
        ),
        "ics.not_ended": _("The event is not ended (END:VEVENT is missing)."),
        "ics.event_too_long": _("The event is too long to be read."),
        "ics.unreadable": _("The event cannot be read."),
        "ics.property_unreadable": _("%(name)s of the event cannot be read."),
        "ics.no_start": _("The event has no start."),
        "ics.twice": _("The event says twice when it is."),
        "ics.zone_unknown": _("Nobody knows the time zone %(zone)s, so that the hours would be guessed."),
        "ics.year": _("The year %(year)s is out of range."),
        "ics.ends_before_start": _("The event ends before it starts."),
        "ics.lasts_too_long": _("The event lasts longer than %(days)s days."),
        "ics.too_often": _("The event repeats more than four times a day, which is not read."),
        "ics.series_too_costly": _("How the event repeats takes too long to work out."),
        "ics.series_unreadable": _("How the event repeats cannot be read."),
        "ics.no_length": _("No length: it takes no time."),
        "ics.cancelled": _("Cancelled in the file."),
        "ics.free": _("Marked as free time in the file."),
        "ics.past": _("It is over."),
        "ics.far_ahead": _("Too far ahead; import it nearer to the time."),
        "ics.none_in_window": _("It takes place at no time that is looked at."),
        "ics.older": _("An older version of an event in the same file."),
        "ics.repeated": _("The same event as in line %(line)s."),
        "closures.no_instrument": _("Choose at least one instrument that you manage."),
        "closures.zones_differ": _("These instruments have different owners or time zones. Import the file for each of them."),
        "closures.known": _("Closed then already."),
        "closures.was": _("Until now from %(from)s to %(to)s."),
    }
)
