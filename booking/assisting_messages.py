"""The sentences for refusals about those who assist."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.kernel.messages import register

register(
    {
        "booking.nobody_assists": _(
            "Nobody of the lab can assist at this time. Choose another time, or a way of service without assistance."
        ),
        "booking.nobody_assists_but_then": _(
            "Nobody of the lab can assist at %(starts_at)s. The nearest time with assistance starts at %(alternative_at)s."
        ),
        "assistant.not_of_the_lab": _("Choose somebody of the lab: only its own people assist on its instruments."),
        "assistant.named_already": _("%(person)s may assist on this instrument already."),
        "assistant.too_many": _("At most %(most)s people can assist on one instrument. Take somebody out first."),
        "assistant.too_many_windows": _("A week of work has at most %(most)s windows. Put some of them together."),
        "assistant.has_sessions": _("%(count)s sessions are theirs: %(bookings)s. Give them to somebody else first."),
        "assistant.absence_over": _("This is over already. Choose a later end."),
        "assistant.absence_too_long": _("An absence can last %(days)s days at most. Is the year right?"),
        "assistant.absence_clashes": _(
            "%(count)s things are in the way: %(bookings)s. Give these sessions to somebody else or move them first; nothing changed."
        ),
        "assistant.absence_held": _(
            "Somebody is offered a session with assistance in this time until %(until_at)s. Try again after that; nothing changed."
        ),
        "assistant.not_assisted": _("This session is booked without assistance."),
        "assistant.session_over": _("This session is over: who assisted in it stays."),
        "assistant.not_named": _("Choose somebody who may assist on this instrument."),
        "assistant.none_chosen": _("There is nothing to give: choose a session and somebody who assists in it."),
        "assistant.too_many_at_once": _("At most %(most)s sessions can be given at once."),
        "assistant.given_twice": _("A session stands here more than once: choose one person for each. Nothing changed."),
        "assistant.given_meanwhile": _("Somebody assists in it by now. Nothing changed: look at the list again."),
        "assistant.taken_meanwhile": _(
            "%(person)s has got something else then since the list was shown, perhaps from another page of it. Nothing changed. The list "
            "as it is now proposes whoever is still free: look at it and give again."
        ),
        "assistant.busy": _("%(person)s has something else then. Choose somebody else; nothing changed."),
    }
)
