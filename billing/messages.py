"""The sentences for refusals and calculation steps about money.

The steps' English sentences stand with the engine (``billing.subsidy.rules.message_keys``), which knows no gettext; they are in the
catalogue like all others.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from billing.ledger.rules.money import yuan
from billing.subsidy.rules.message_keys import MESSAGES
from config.kernel.messages import register, register_formatter

register_formatter("_fen", lambda fen: f"¥{yuan(int(fen))}" if fen is not None else "–")

register({key: _(message.sentence) for key, message in MESSAGES.items()})

register(
    {
        "billing.figures_differ": _(
            "The figures have changed since you looked: to pay now %(payable_now_fen)s, final cost %(final_cost_fen)s. "
            "Check them and confirm again."
        ),
        "billing.nothing_to_accept": _("There are no new figures to accept. Reload the page."),
        "ledger.amount_not_positive": _("The amount must be more than zero."),
        "ledger.not_enough_left": _("The budget that was free a moment ago is used up. Ask for a new quote."),
        "ledger.more_than_held": _("%(due_fen)s is due but only %(held_fen)s was held. Tell the operator."),
        "price.invalid": _("The price schedule is not valid: %(fault)s"),
        "price.in_the_past": _("A price can start today or later: what was charged never changes."),
        "price.date_taken": _("A price that starts on this day is published already. Choose another day."),
        "price.none": _("The lab has not published a price for this instrument yet, so it cannot be booked. Ask the lab."),
        "programme.invalid": _("The programme document is not valid: %(fault)s"),
        "programme.example_fails": _("The worked example “%(title)s” does not come out as expected."),
        "programme.label_taken": _("The version %(label)s exists already. Give the draft another label."),
        "programme.own_draft": _("A second officer has to publish this: authors cannot publish their own drafts."),
        "programme.published_already": _("This version is published and cannot be changed."),
        "programme.overlaps": _("Another published version is valid in this time. Change the validity."),
        "programme.no_such_pool": _("The programme has no budget pool %(cap)s."),
        "replay.version_changed": _("A price or programme version is not the one that was frozen. Tell the operator."),
    }
)
