"""The sentences for refusals about months, drafts and exports."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.kernel.messages import register

register(
    {
        "month.unreadable": _("Type a month, for example 2026-10."),
        "bill.period_closed": _("This month is closed. Bill up to a day of a month that is open: what came late goes there."),
        "statement.period_closed": _("This month is closed. What came late goes into the next month's statement."),
        "month.not_over": _("The month is not over yet. Drafts are made and months are closed after their last day."),
        "month.closed": _("The month is closed already. What came late goes into the next one; correct bills by credit notes."),
        "month.too_many": _("These would be %(count)s drafts; at most %(most)s are made at once. Choose some payers."),
        "month.figures_differ": _(
            "The figures have changed since you looked: %(drafts)s drafts, %(total_fen)s in all. Look at them and go on."
        ),
        "month.under_way": _("The drafts of this month are with a second person or being issued. Wait, or have them sent back."),
        "month.not_open": _("These drafts are not under review any more. Have them sent back first."),
        "month.not_handed_over": _("These drafts are not waiting for a second person. Reload the page."),
        "month.second_person": _("You made these drafts. From this amount on somebody else has to release them."),
        "month.second_person_together": _(
            "You issued %(before_fen)s to %(party)s alone in the last %(days)s days. From %(from_fen)s on, all together, somebody else"
            " has to release these drafts."
        ),
        "month.held_already": _("This line is left out already. Reload the page."),
        "month.taken": _("This line stands on a document or a claim by now. Make the drafts again."),
        "month.not_held": _("This line stands on its draft already. Reload the page."),
        "month.nothing_failed": _("No draft has failed. Reload the page."),
        "month.party_suspended": _("The organisation is suspended, so it gets no document. Ask the operator."),
        "month.does_not_add_up": _("What was charged and what programmes give do not add up (%(what)s). Tell the operator."),
        "evidence.too_many": _("An archive of evidence holds at most %(most)s lines. Take it line by line."),
        "export.nothing": _("No document of this month has been issued yet."),
        "export.too_many": _("An export holds at most %(most)s documents."),
        "export.ended": _("This export has ended already. Reload the page."),
        "export.at_work": _("An export of this month is at work. Wait until it has ended, or cancel it."),
        "export.nothing_to_do": _("Everything is in the archive already."),
        "export.not_ready": _("The archive is not made yet. Wait a moment and try again."),
        "export.expired": _("The link has expired. Have the archive made again: it comes to the same bytes."),
    }
)
