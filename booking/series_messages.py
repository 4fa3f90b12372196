"""The sentences for refusals about series, and about several instruments at once."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.kernel.messages import register

register(
    {
        "series.no_end": _("Say how many times, or until which day."),
        "series.too_many": _("A series has at most %(most)s times. Choose an earlier end, and add the rest later."),
        "series.until_before_start": _("The last day comes before the first time. Choose a later one."),
        "series.interval": _("Repeat every %(most)s days or weeks at most."),
        "series.none": _("No time falls into these days. Choose a later last day."),
        "series.only_gaps": _("Clocks jump over this time on each of these days. Choose another time."),
        "series.pick_unknown": _("This time does not belong to the series. Look at the list again."),
        "series.nothing_picked": _("Tick at least one time."),
        "series.not_all": _(
            "Nothing was done: something changed meanwhile at %(starts_at)s. Look at the list again and confirm what it shows now."
        ),
        "series.changed_meanwhile": _("Some of these times were changed meanwhile. Look at the list again."),
        "series.nothing_left": _("None of these times can be changed any more: they are over, running or given back."),
        "together.how_many": _("Choose between %(least)s and %(most)s instruments."),
        "together.twice": _("Each instrument can be chosen once. For several times of one, repeat the time instead."),
        "together.not_all": _(
            "Nothing was booked: %(instrument)s cannot be had any more as it was shown. Look at the list again and confirm what it shows "
            "now."
        ),
        "series.time_missing": _("Say the new day and time."),
    }
)
