"""The sentences for refusals about quotations and commission sheets."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.kernel.messages import register

register(
    {
        "quotation.illegal_transition": _(
            "This cannot be done with the quotation any more. Reload the page to see where it stands."
        ),
        "quotation.lines_missing": _("Write at least one line."),
        "quotation.too_many_lines": _("A quotation has %(most)s lines at most. Put small things together."),
        "quotation.kind_unknown": _("A line is for one of: %(known)s."),
        "quotation.subject_missing": _("Choose the instrument or the test item of this line."),
        "quotation.subject_not_wanted": _("A line for other things names no instrument and no test item."),
        "quotation.subject_of_another": _("This does not belong to your lab. Choose an instrument or a test item of your own."),
        "quotation.description_missing": _("Say what this line is for."),
        "quotation.quantity_unreadable": _("Type a quantity between 0.001 and 1,000,000, for example 2.5."),
        "quotation.unit_unknown": _("The unit can be one of: %(known)s."),
        "quotation.price_missing": _("Type what one unit costs: there is no published price for this."),
        "quotation.price_unreadable": _("Type an amount in yuan, for example 120 or 99.50."),
        "quotation.price_out_of_range": _("A price lies between 0 and 1,000,000,000 yuan."),
        "quotation.no_published_price": _("There is no published price for this customer. Type what one unit costs."),
        "quotation.total_too_large": _("The total is too large for one quotation. Check quantities and prices."),
        "quotation.own_house": _("People of your own institution get no quotation: they book at its own price. Answer in words."),
        "quotation.title_missing": _("Write in a few words what is offered."),
        "quotation.validity_out_of_range": _("The last day must be today or later, within %(days)s days."),
        "quotation.validity_over": _("The last day of this draft is over. Give it a later one, then send it."),
        "quotation.reason_missing": _("Give a reason: the lab reads it."),
        "quotation.expired": _("This quotation has expired. Ask the lab for a new one."),
        "quotation.figures_differ": _("The total is %(total_fen)s, which is not what you looked at. Check it and accept again."),
        "commission.illegal_transition": _(
            "This cannot be done with the commission sheet any more. Reload the page to see where it stands."
        ),
        "commission.choice_unknown": _("Choose one of: %(known)s."),
        "commission.due_in_the_past": _("Results cannot be promised for a day that is over. Choose a later one."),
        "commission.reason_missing": _("Give a reason: the other side reads it."),
        "commission.not_signatory": _("An administrator of the firm or a manager of the lab has to sign. Ask yours to do it."),
        "commission.signed_already": _("Your side has signed already. The other side has to sign now."),
        "commission.side_of_another": _("You do not sign for this side. Sign for your own, or ask somebody of theirs."),
        "commission.one_person": _("One person does not sign for both sides. Somebody else of the other side has to sign."),
        "commission.content_differs": _("The sheet is not the one that you read. Reload the page, read it again, then sign."),
        "commission.other_parties": _("Only reservations of this customer on instruments of this lab belong here."),
        "commission.linked_already": _("This reservation belongs to a commission already."),
        "commission.beyond_the_line": _(
            "The commission is for %(quantity)s units of this instrument's time, and %(left)s are left: this reservation is longer."
            " Shorten it, or agree on more."
        ),
        "commission.dearer": _(
            "By the commission this reservation would cost %(final_cost_fen)s in the end instead of %(before_fen)s. It was not attached."
        ),
        "commission.priced": _(
            "By the list price this reservation would cost more than by the commission, so it is not taken off. Cancel it, and book again."
        ),
        "commission.not_under_it": _("This session or sample job does not stand under the commission. Attach it first."),
        "commission.line_unknown": _("The commission has no such line for other things. It has: %(known)s."),
        "commission.line_quantity": _(
            "Give how much of the line is charged: more than nothing, with three decimal places at most."
        ),
        "commission.line_used_up": _("The line is for %(quantity)s, and %(left)s of it is left to be charged."),
        "commission.line_costs_nothing": _("The commission says that this costs nothing. There is nothing to charge."),
        "commission.signed_by_you": _(
            "You signed the commission for the customer. Another manager of the lab has to charge this."
        ),
        "commission.has_bookings": _(
            "Bookings cost what this commission says: %(references)s. Cancel them or take them off first, then call it off."
        ),
        "order.content_changed": _("The stored content of %(number)s is not what was frozen. Tell the operator."),
        "order.not_ready": _("This document is not ready yet. Wait until it has been made."),
        "order.not_failed": _("These documents have not failed. Reload the page to see where they stand."),
        "order.render_stopped": _("Making the document took too much time or memory and was stopped. Tell the operator."),
        "order.render_failed": _("Making the document failed. It is tried again; if it stays so, tell the operator."),
    }
)
