"""The sentences for refusals about research groups and fund cards."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.kernel.messages import register

register(
    {
        "group.not_yours": _("Only the administrators of the organisation can change this. Ask one of them."),
        "group.name_taken": _("There is a group called %(name)s already. Use it, or choose another name."),
        "group.not_a_colleague": _("Choose a person of the same organisation. Whoever is missing can be invited on its page."),
        "group.leader_is_in": _("The leader spends for the group anyway. Choose somebody else."),
        "group.days_in_order": _("The last day must not lie before the first. Correct one of them."),
        "group.threshold_out_of_range": _("Type an amount between 0 and 1,000,000,000 yuan, or leave it empty."),
        "group.leader_leaves": _("This person leads %(groups)s. Name another leader there first, or close the group."),
        "card.number_taken": _("There is a fund card with the number %(number)s already. Use it, or correct the number."),
        "card.days_in_order": _("The last day must not lie before the first. Correct one of them."),
        "card.budget_out_of_range": _(
            "Type an amount of more than 0 and at most 1,000,000,000 yuan, or leave it empty for no limit."
        ),
        "card.budget_spent": _(
            "%(used_fen)s of this card are spent or kept for bookings already. The budget must not be less than that."
        ),
        "card.group_of_another": _("Choose an open group of the same organisation."),
        "card.needed": _("Your institution asks for a fund card when its own people book. Choose one, or ask your group leader."),
        "card.other_organisation": _("The fund card %(number)s belongs to another organisation. Choose one of the customer's."),
        "card.closed": _("The fund card %(number)s is closed. Choose another one."),
        "card.group_closed": _("The group of the fund card %(number)s is closed. Choose a card of another group."),
        "card.not_valid_then": _(
            "The fund card %(number)s is valid from %(valid_from)s to %(valid_until)s, and the session lies outside. Choose another "
            "card, or another day."
        ),
        "card.not_enough_left": _(
            "%(needed_fen)s are needed, and %(left_fen)s are left on the fund card %(number)s. Choose another card, a shorter time, "
            "or ask whoever keeps the card to raise its budget."
        ),
        "card.cannot_pay": _(
            "The fund card of this booking cannot pay for it. Ask the person who booked to choose another card or time, or to have "
            "the card put right."
        ),
        "card.leader_first": _(
            "With this the booking would cost %(amount_fen)s, more than %(leader)s has agreed to. Keep the time as it is, or book "
            "the rest as a booking of its own: the leader is asked about it."
        ),
        "card.leader_waits": _(
            "%(leader)s, who leads the group, has to agree to spend %(amount_fen)s first. You are told when that has happened."
        ),
        "card.not_your_spending": _(
            "A fund card pays for this, and you do not spend from it today. Ask %(leader)s, who leads its group."
        ),
        "card.not_the_leader": _("Only %(leader)s, who leads the group, can answer this."),
        "card.answered_already": _("This has been answered, or it does not wait any more. Load the page again."),
        "card.none_on_it": _("This booking is not paid from a fund card, so there is nothing to change. Load the page again."),
        "card.too_late": _("The fund card can be changed until the session begins. What it pays then stays on it."),
        "card.choose": _("Choose a fund card."),
        "card.same": _("The booking is on this fund card already. Choose another one."),
    }
)
