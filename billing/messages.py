"""The sentences for refusals and calculation steps about money.

The keys of the steps and their parameters are the engine's (``billing.subsidy.rules.message_keys``); ``billing.wording`` turns the
codes among the parameters into words before a sentence is filled.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from billing.ledger.rules.money import yuan
from billing.wording import customer_class_word
from config.kernel.messages import register, register_formatter

register_formatter("exact_fen", str)  # a text with a fraction of a fen, for the record only
register_formatter("customer_class", customer_class_word)
register_formatter("_fen", lambda fen: f"¥{yuan(int(fen))}" if fen is not None else "–")

register(
    {
        "price.step.time": _("%(band)s: %(seconds)s at %(yuan_per_hour)s per hour = %(line_fen)s"),
        "price.step.minimum_time": _(
            "Up to the least time, %(band)s: %(seconds)s more at %(yuan_per_hour)s per hour = %(line_fen)s"
        ),
        "price.step.minimum_charge": _("Up to the least charge of %(minimum_fen)s: %(added_fen)s more"),
        "price.step.unit_time": _("%(band)s: %(seconds)s at %(yuan_per_unit)s per %(unit)s (%(unit_seconds)s) = %(line_fen)s"),
        "price.step.unit_time_in_step": _(
            "%(band)s, step %(marginal)s: %(seconds)s at %(yuan_per_unit)s per %(unit)s (%(unit_seconds)s) = %(line_fen)s"
        ),
        "price.step.unit_minimum_time": _(
            "Up to the least time, %(band)s: %(seconds)s more at %(yuan_per_unit)s per %(unit)s (%(unit_seconds)s) = %(line_fen)s"
        ),
        "price.step.unit_minimum_time_in_step": _(
            "Up to the least time, %(band)s, step %(marginal)s: %(seconds)s more at %(yuan_per_unit)s per %(unit)s (%(unit_seconds)s)"
            " = %(line_fen)s"
        ),
        "price.step.unit_rounded_time": _(
            "Up to what is charged whole, %(band)s: %(seconds)s more at %(yuan_per_unit)s per %(unit)s (%(unit_seconds)s) = %(line_fen)s"
        ),
        "price.step.unit_rounded_time_in_step": _(
            "Up to what is charged whole, %(band)s, step %(marginal)s: %(seconds)s more at %(yuan_per_unit)s per %(unit)s"
            " (%(unit_seconds)s) = %(line_fen)s"
        ),
        "price.step.setup": _("Setting up: %(line_fen)s"),
        "price.step.operator": _("The operator: %(seconds)s at %(yuan_per_hour)s per hour = %(line_fen)s"),
        "price.step.tax_included": _("The price contains tax of %(rate)s: %(tax_fen)s"),
        "price.step.tax_added": _("Tax of %(rate)s on %(net_fen)s: %(line_fen)s more"),
        "price.step.samples_in_step": _("Step %(marginal)s: %(quantity)s × %(rate_fen)s per %(unit)s = %(line_fen)s"),
        "price.step.samples": _("%(quantity)s × %(rate_fen)s per %(unit)s = %(line_fen)s"),
        "price.samples_out_of_range": _("Type a number of samples between 1 and %(most)s."),
        "price.elements_out_of_range": _("Type a number of elements between 1 and %(most)s."),
        "price.on_request": _("The lab gives the price of this test on request. Ask for it with your samples."),
        "price.unit_unknown": _("The price can be for one of: %(known)s. %(text)s is not known."),
        "price.class_unknown": _("There is no class of customers called %(text)s. Known classes: %(known)s."),
        "price.draft_changed": _("Somebody else saved this price in between. Look at it and save yours again, or leave theirs."),
        "price.draft_too_large": _("That is too much for one price: a field holds at most %(most)s characters."),
        "price.jump_not_confirmed": _("A large change has not been confirmed: %(key)s. Look at it and tick it."),
        "price.family_empty": _("The family has no members yet. Add instruments or test items to it first."),
        "price.family_name_needed": _("Give the family a name of at most %(most)s characters."),
        "price.family_name_taken": _("There is a family of that name already."),
        "price.family_other_lab": _("A family holds instruments or test items of one lab."),
        "price.family_mixed": _("A family holds either instruments or test items, not both: their prices are for other units."),
        "price.family_full": _("A family has at most %(most)s members."),
        "price.in_a_family": _("It is in another family already. Take it out there first."),
        "price.amount_out_of_range": _("A price lies between 0 and 1,000,000,000 yuan. Leave it empty for a price on request."),
        "price.class_without_rate": _("The lab has set no price for customers of this class: %(customer_class)s. Ask the lab."),
        "session.step.gross": _("Price of the session: %(gross_fen)s"),
        "price.step.extra": _("%(words)s: %(line_fen)s"),
        "samples.step.extras": _("Charges agreed beyond the price: %(beyond_fen)s; they are not subsidised"),
        "samples.step.gross": _("Price of the test: %(gross_fen)s"),
        "fee.step.share": _("%(rate)s of the price of the booking, %(gross_fen)s"),
        "fee.step.at_least": _("The lab's price says: at least %(minimum_fen)s"),
        "fee.step.at_most": _("The lab's price says: at most %(maximum_fen)s"),
        "fee.step.within_gross": _("Never more than the price of the booking: %(gross_fen)s"),
        "fee.step.not_subsidised": _("Programmes pay for use: a fee for time that was not used is never subsidised."),
        "session.step.beyond_booked": _("Use beyond the booked end, without subsidy: %(beyond_fen)s more"),
        "session.step.payable_now": _("Deducted now: %(deducted_fen)s. The rest is to pay now."),
        "session.step.final_cost": _("Expected back later: %(refunded_fen)s. The rest is the final cost."),
        "subsidy.step.validity": _("The %(basis)s, %(on)s, lies within the programme's validity."),
        "subsidy.step.applicant_kind": _("Kind of applicant that the programme is for: %(kind)s."),
        "subsidy.step.firm_size": _("Size of firm that the programme is for: %(size)s."),
        "subsidy.step.region": _("Place of the %(subject)s, in an area of the programme: %(region)s %(zones)s"),
        "subsidy.step.verified_organisation": _("The identity of the %(subject)s is verified."),
        "subsidy.step.service_kind": _("Kind of service that is covered: %(service)s."),
        "subsidy.step.minimum_spend": _("The %(of)s, %(spent_fen)s, reaches the least amount of %(minimum_fen)s."),
        "subsidy.step.alternative": _("Alternative %(alternative)s of the clause is met."),
        "subsidy.step.base": _("Eligible amount: the %(of)s of %(whole_fen)s"),
        "subsidy.step.base_without_minimum": _(
            "Eligible amount: the %(of)s of %(whole_fen)s without %(left_out_fen)s that are only a minimum charge"
        ),
        "subsidy.step.flat_rate": _("%(rate)s of %(base_fen)s"),
        "subsidy.step.tier": _("%(rate)s of the %(slice_fen)s above %(from_fen)s"),
        "subsidy.step.quality": _("Quality grade %(grade)s: times %(factor)s"),
        "subsidy.step.quality_assumed": _("The quality grade is not known yet; estimated with grade %(grade)s: times %(factor)s"),
        "subsidy.step.first_use_bonus": _("First use of the programme: %(bonus_fen)s more"),
        "subsidy.step.asked_enough": _("%(asked_fen)s were asked for, which is not less."),
        "subsidy.step.asked_less": _("Only %(asked_fen)s were asked for."),
        "subsidy.step.rounding": _("Rounded to whole %(step)s, %(mode)s"),
        "subsidy.step.within_cost": _("Never more than what is left of the cost: %(cost_fen)s"),
        "subsidy.step.cap_kept": _("Within the %(cap)s: %(left_fen)s were left."),
        "subsidy.step.cap_cut": _("Cut by the %(cap)s: only %(left_fen)s were left instead of %(wanted_fen)s."),
        "subsidy.step.payer": _("Paid by %(payer)s: %(part_fen)s"),
        "subsidy.step.total": _("Subsidy: %(total_fen)s"),
        "subsidy.unmet.fact_missing": _("Not known yet: %(fact)s."),
        "subsidy.unmet.imported": _("The session was taken over from the lab's own list, which this programme does not cover."),
        "subsidy.step.imported": _("The programme covers sessions that were taken over from the lab's own list."),
        "subsidy.unmet.validity": _(
            "The %(basis)s, %(on)s, lies outside the programme's validity, %(first_day)s to %(last_day)s."
        ),
        "subsidy.unmet.applicant_kind": _("The programme is for: %(allowed)s. The applicant is: %(kind)s."),
        "subsidy.unmet.firm_size": _("The programme is for firms of these sizes: %(allowed)s. This one is: %(size)s."),
        "subsidy.unmet.region": _("Place of the %(subject)s: %(region)s. The programme is for: %(allowed)s."),
        "subsidy.unmet.region_excluded": _("Place of the %(subject)s: %(region)s. The programme excludes: %(excluded)s."),
        "subsidy.unmet.verified_organisation": _("The identity of the %(subject)s is not verified yet."),
        "subsidy.unmet.service_kind": _("Kind of service: %(service)s. The programme covers: %(allowed)s."),
        "subsidy.unmet.service_excluded": _("This kind of service is never subsidised: %(service)s."),
        "subsidy.unmet.minimum_spend": _("The %(of)s, %(spent_fen)s, is below the least amount of %(minimum_fen)s."),
        "subsidy.unmet.alternatives": _("None of the %(count)s alternatives of the clause is met."),
        "subsidy.unmet.grade_unknown": _("The quality grade is %(grade)s; the programme knows: %(allowed)s."),
        "subsidy.unmet.limit_not_set": _("The limit %(cap)s has not been set yet. Ask the programme officer."),
        "subsidy.unmet.cap_short": _("Of the %(cap)s only %(left_fen)s are left, and %(needed_fen)s are needed as a whole."),
        "subsidy.unmet.exclusive": _(
            "The session already takes %(programme)s, which gives %(winner_fen)s. It may take one programme of this kind only."
        ),
    }
)

register(
    {
        "billing.figures_differ": _(
            "The figures have changed since you looked: to pay now %(payable_now_fen)s, final cost %(final_cost_fen)s. "
            "Check them and confirm again."
        ),
        "billing.fee_differs": _(
            "Giving the time back costs %(fee_fen)s now. Look at it and confirm again, or keep the booking."
        ),
        "fee.own": _("The fee is for a booking that you asked for. A colleague who manages the lab may waive it."),
        "fee.none": _("No fee was taken for this booking. Reload the page."),
        "fee.waived_already": _("The lab has waived a part of this fee already, which it does once. Reload the page."),
        "fee.waive_amount": _("Type an amount above zero and up to what is left of the fee: %(rest_fen)s."),
        "billing.not_held": _("Nothing is held for this session, so it cannot be used. Ask the lab to approve it again."),
        "billing.nothing_to_accept": _("There are no new figures to accept. Reload the page."),
        "ledger.amount_not_positive": _("The amount must be more than zero."),
        "ledger.not_enough_left": _("The budget that was free a moment ago is used up. Ask for a new quote."),
        "ledger.more_than_held": _("%(due_fen)s is due but only %(held_fen)s was held. Tell the operator."),
        "ledger.more_than_paid": _("%(back_fen)s cannot go back: only %(paid_fen)s was paid. Tell the operator."),
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
        "statement.period_not_over": _(
            "The month is not over yet. Statements can be issued from the first day of the next month."
        ),
        "statement.nothing_to_issue": _("There is nothing to issue: every award of this month stands on a statement already."),
        "statement.issued_meanwhile": _("Somebody else has just issued this statement. Reload the page to see it."),
        "statement.figures_differ": _(
            "The figures have changed since you looked: %(lines)s lines, %(total_fen)s in all. Check them and issue again."
        ),
        "statement.inconsistent": _("An award is not what was charged (%(what)s). Nothing was issued. Tell the operator."),
        "statement.not_failed": _("These documents have not failed. Reload the page to see where they stand."),
        "statement.not_ready": _("This document is not ready yet. Wait until it has been made."),
        "statement.content_changed": _("The stored content is not what was issued. Tell the operator."),
        "statement.render_too_slow": _(
            "Making the documents took too long and was stopped. Try again; if it fails again, tell the operator."
        ),
        "statement.render_crashed": _("The program that makes the PDF stopped. Try again; if it fails again, tell the operator."),
        "statement.render_failed": _("Making the documents failed. Try again; if it fails again, tell the operator."),
        "replay.version_changed": _("A price or programme version is not the one that was frozen. Tell the operator."),
    }
)
