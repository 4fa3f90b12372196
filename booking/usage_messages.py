"""The sentences for refusals about check-in, use, devices and close-out."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.kernel.messages import register

register(
    {
        "booking.early_not_free": _("The instrument is taken until %(taken_until_at)s. Start after that."),
        "booking.still_in_use": _(
            "Somebody else's session still runs here. It ends when it is ended, or when you start at the time that you booked."
        ),
        "booking.kept_out": _(
            "Somebody else's session went on into this booking's time, so nobody is to blame for not beginning yet. Wait for the grace "
            "after it."
        ),
        "booking.late_figures": _("The subsidy for this session is no longer available in full. Ask for a new booking."),
        "booking.extension_not_later": _("Choose an end after now and after %(ends_at)s."),
        "booking.extension_nothing_free": _("Nothing is free after your session. Book another time for the rest."),
        "booking.extension_longest": _("A booking here lasts at most %(longest_minutes)s. Book another time for the rest."),
        "booking.extension_not_free": _("It is free until %(free_until_at)s. Choose an earlier end."),
        "booking.extension_off_grid": _("End on the %(granularity_minutes)s-minute grid, next at %(next_at)s."),
        "booking.extension_licence_of": _(
            "The licence that counts is that of %(person)s, who started the session and works at the instrument."
        ),
        "booking.extension_reason_missing": _("Say who of the customer asked for more time, and how. They read it."),
        "booking.person_does_not_spend": _(
            "A fund card pays for this, and %(person)s does not spend from it today. %(leader)s, who leads its group, or an "
            "administrator of the customer has to let the session go on."
        ),
        "check_in.code_unknown": _("This code is not in use any more. Ask the lab for the new label, or have them check you in."),
        "check_in.scan_again": _("This page is too old to be sure that you stand at the instrument. Scan its code again."),
        "check_in.ticks_missing": _("Confirm every point first: it is about your safety."),
        "check_in.too_late": _(
            "The lab waits for %(grace_minutes)s minutes and then gives the time away. Ask the lab, or book again."
        ),
        "check_in.too_many_ticks": _("People read %(maximum)s points at most. Put some together."),
        "usage.reason_missing": _("Give a reason: the other side reads it."),
        "usage.proposal_same": _("This is what will be charged already. Choose other times, or agree."),
        "usage.proposal_outside": _("Propose a time between %(earliest_at)s and %(latest_at)s, or that nothing is charged."),
        "usage.second_person": _("You had a part in this session. A colleague of the lab or its finance has to decide."),
        "usage.decision_unknown": _("Choose what is charged."),
        "usage.nothing_proposed": _("The customer proposed no other times. Choose another decision."),
        "usage.clock_set_back": _(
            "The session began at %(started_at)s and would end at %(ended_at)s: a clock was set back. End it when its clock has passed the "
            "start; if it does not, tell the operator. The lab can correct the times afterwards."
        ),
        "usage.entry_not_past": _("Only what is over can be written down. Choose an earlier end."),
        "usage.entry_too_long_ago": _("Sessions of the last %(days)s days can be written down."),
        "usage.entry_too_long": _("One session has %(hours)s hours at most. Write several."),
        "usage.entry_customer": _("Choose a person who belongs to this customer."),
        "usage.entry_taken": _(
            "From %(taken_from_at)s to %(taken_until_at)s the calendar is taken. Attach the use to that booking, or change the time."
        ),
        "usage.evidence_missing": _("Say what proves it: a page of the log book, a file, a measurement."),
        "usage.other_instrument": _("This booking is for another instrument."),
        "usage.run_elsewhere": _(
            "It ran outside this booking and the %(early_minutes)s minutes before it. Attach it to another, or write it down as a session."
        ),
        "usage.decided_already": _("A colleague has settled this already. Reload the page."),
        "device.other_owner": _("This instrument belongs to another organisation."),
        "device.too_many_keys": _("%(maximum)s keys are in use. Revoke one first."),
        "device.key_unknown": _("This device key is unknown or revoked. Ask the lab for a new one."),
        "device.too_many_events": _("Send %(maximum)s events at most in one batch."),
        "device.clock_unmeasurable": _(
            "The device's clock is off by more than %(years)s years, so no time of it can be used. Set it and send again."
        ),
        "device.instrument_unknown": _("The key does not speak for this instrument."),
        "device.event_too_old": _("The event is too old to count for anything."),
        "device.event_in_future": _("The event lies in the future. Set the device's clock, and say in sent_at what it shows."),
        "device.event_differs": _("This event id was used for another event. Give every event an id of its own."),
        "close_out.not_over": _("The session is not over yet. Check it out first."),
        "close_out.not_tested": _("The samples are not tested yet. Grade the job after that."),
        "close_out.grade_fixed": _("The service is charged by now, so its grade stays as it is."),
        "close_out.grade_unknown": _("Choose one of the grades %(known)s."),
        "close_out.retests": _("Give a whole number from 0 to %(maximum)s."),
        "close_out.reported_in_future": _("The report cannot be of a day to come."),
        "close_out.no_grade": _("There is no grade to confirm yet."),
        "close_out.second_person": _("You gave this grade. A colleague has to confirm it."),
        "close_out.confirm_first": _(
            "The subsidy depends on the quality grade, and nobody has confirmed it. Ask a colleague first."
        ),
        "utilisation.days_reversed": _("The last day lies before the first. Choose a later one."),
        "utilisation.too_many_days": _("Choose %(most)s days at most, or a whole year."),
        "utilisation.year": _("Choose days between the years %(first)s and %(last)s."),
        "utilisation.days_missing": _("Give the first and the last day."),
    }
)
