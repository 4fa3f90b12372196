"""The sentences for lists of bookings and past use that a lab brings along."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.kernel.messages import register

register(
    {
        "booking_import.column_missing": _("A column with one of these headings is needed: %(columns)s."),
        "booking_import.column_gone": _(
            "The mapping reads the column “%(column)s”, which the file does not have. Choose the columns anew."
        ),
        "booking_import.too_many_rows": _("A list has %(most)s rows at most. Split it, for example by year."),
        "booking_import.calendar_unnamed": _(
            "The calendar has no name. Give it the number or the name of its instrument (X-WR-CALNAME), and export it again."
        ),
        "booking_import.instrument_missing": _("The row names no instrument: give the lab's number or the name."),
        "booking_import.email_missing": _("The row names nobody: give the e-mail address of the account."),
        "booking_import.event_names_nobody": _(
            "The title of the event names nobody: write the e-mail address of the account into it, or use a list."
        ),
        "booking_import.person_unknown": _(
            "Nobody has an account with this address. Ask the person to register or for the address of the account; then import again."
        ),
        "booking_import.customer_none": _(
            "The person belongs to no organisation that books. Their firm has to take them in first; then import again."
        ),
        "booking_import.customer_several": _(
            "The person belongs to several organisations. Name the right one in a column of the list."
        ),
        "booking_import.customer_unknown": _(
            "The person does not belong to this organisation here. Write its full name or its code as it is registered, or leave it empty."
        ),
        "booking_import.mode_unreadable": _("“%(text)s” is no way of service. Write for example assisted or self_operated."),
        "booking_import.charge_unreadable": _("“%(text)s” is neither yes nor no. Leave it empty where nothing is charged."),
        "booking_import.time_unreadable": _("“%(text)s” is no time. Write for example 2026-11-23 09:00."),
        "booking_import.time_missing": _("The row does not say when: the cell is empty. Write for example 2026-11-23 09:00."),
        "booking_import.clock_missing": _("The row names no clock time here: the cell is empty. Write for example 09:00."),
        "booking_import.clock_unreadable": _("“%(text)s” is no clock time. Write for example 09:00, without an offset."),
        "booking_import.clocks_equal": _(
            "It ends at the clock time at which it starts. Mend one of them, or name the days of start and end."
        ),
        "booking_import.upcoming_charged": _(
            "A booking to come is charged by its price once the customer has said yes. Leave the cell empty, or bring it along as past use "
            "when it is over."
        ),
        "booking_import.own": _("It is your own booking. Leave the row out, and let a colleague of the lab bring it along."),
        "booking_import.number_twice": _(
            "Line %(other_line)s has the same booking id for another person or time. Give one of them another, or leave one out."
        ),
        "booking_import.no_such_time": _("%(text)s does not exist on the wall of the instrument: the clock is put forward then."),
        "booking_import.ends_before_start": _("It ends before it starts. Mend one of the times."),
        "booking_import.too_long": _("One booking lasts %(days)s days at most. Split it."),
        "booking_import.running": _("It is running now. Bring it along when it is over."),
        "booking_import.collides": _(
            "Line %(other_line)s takes the same time of this calendar. Mend one of them, or leave one out."
        ),
        "booking_import.taken": _(
            "From %(taken_from_at)s to %(taken_until_at)s the calendar is taken here. Move or cancel that first, or leave the row out."
        ),
        "booking_import.no_price": _(
            "The instrument had no price for this customer on that day. Publish one that holds from then, or leave the row out."
        ),
        "booking_import.repeated_row": _("The same as line %(counting_line)s, which counts."),
        "booking_import.known": _("Brought along before, as %(reference)s."),
        "booking_import.known_elsewhen": _(
            "Brought along before, as %(reference)s, from %(said_starts_at)s to %(said_ends_at)s; this row says %(starts_at)s to "
            "%(ends_at)s. Move that booking on its page, or give the row another booking id."
        ),
        "booking_import.upcoming": _("Becomes an approved booking; its use is charged once the customer has said yes."),
        "booking_import.past": _(
            "Becomes past use that is not charged; the customer is asked to agree. The national record counts how long it was."
        ),
        "booking_import.past_charged": _("Becomes past use; it is charged once the customer has said yes."),
        "booking_import.in_use": _(
            "None is as it came any more: all %(count)s have begun, moved, ended or been agreed to, %(reference)s for one. Cancel "
            "on its page what is still to come."
        ),
    }
)
