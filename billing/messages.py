"""The sentences for refusals and calculation steps about money.

The keys of the steps and their parameters are the engine's (``billing.subsidy.rules.message_keys``); ``billing.wording`` turns the
codes among the parameters into words before a sentence is filled.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from billing.ledger.rules.money import yuan
from billing.wording import cap_word, customer_class_word, document_text, mode_word, several, unmet_words
from config.kernel.messages import register, register_formatter

register_formatter("chain", lambda names: " → ".join(names))
register_formatter("exact_fen", str)  # a text with a fraction of a fen, for the record only
register_formatter("customer_class", customer_class_word)
register_formatter("ways", lambda ways: several(str(mode_word(way)) for way in ways))
register_formatter("unmet", unmet_words)
register_formatter("its_question", document_text)
register_formatter("limit_kind", lambda kind: cap_word(*kind))
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
        "price.step.tax_in_extras": _("Of what is charged besides, %(tax_fen)s are tax of %(rate)s"),
        "price.step.tax_added": _("Tax of %(rate)s on %(net_fen)s: %(line_fen)s more"),
        "price.step.samples_in_step": _("Step %(marginal)s: %(quantity)s × %(rate_fen)s per %(unit)s = %(line_fen)s"),
        "price.step.samples": _("%(quantity)s × %(rate_fen)s per %(unit)s = %(line_fen)s"),
        "price.samples_out_of_range": _("Type a number of samples between 1 and %(most)s."),
        "price.elements_out_of_range": _("Type a number of elements between 1 and %(most)s."),
        "price.on_request": _(
            "The lab gives the price of this test on request. Ask the lab for a quotation, and send samples under the commission."
        ),
        "price.unit_unknown": _("The price can be for one of: %(known)s. %(text)s is not known."),
        "price.is_a_schedule": _(
            "This test has a whole schedule of prices, not one amount. Change it under “Steps, setting up, least charge, tax”."
        ),
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
        "session.step.extras": _("Used besides the time and agreed to, without subsidy: %(beyond_fen)s"),
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
        "subsidy.step.promise_cut": _(
            "Cut by the %(cap)s: %(promised_fen)s were kept at approval, and no more is given instead of %(wanted_fen)s."
        ),
        "subsidy.step.cap_cut": _("Cut by the %(cap)s: only %(left_fen)s were left instead of %(wanted_fen)s."),
        "subsidy.step.payer": _("Paid by %(payer)s: %(part_fen)s"),
        "subsidy.step.home_pays": _(
            "From a recognised voucher, paid by %(payer)s alone: %(part_fen)s. No budget of this programme is used for it."
        ),
        "subsidy.step.total": _("Subsidy: %(total_fen)s"),
        "subsidy.step.condition": _("The condition holds: %(says)s"),
        "subsidy.step.spend_over_months": _(
            "In %(months)s months %(spent_fen)s were spent, which reaches the least amount of %(minimum_fen)s."
        ),
        "subsidy.step.window": _("Date that lies in a window of the programme: %(fact)s, %(on)s."),
        "subsidy.step.lifetime": _("In time: %(fact)s, %(on)s, counted from %(since)s until %(last_day)s."),
        "subsidy.step.declared_later": _("The amount depends on what is declared with the claim: %(declares)s."),
        "subsidy.step.given_here": _("Other public money for the same service, given here: %(given_fen)s (%(programmes)s)."),
        "subsidy.step.claim_of": _("Claim of the %(whose)s:"),
        "subsidy.step.claim_refused": _("Nothing for the %(whose)s, because of this:"),
        "subsidy.step.window_open": _("On condition: %(fact)s, %(windows)s. Next: %(from_on)s to %(until_on)s."),
        "subsidy.step.lifetime_open": _("On condition: %(fact)s, until %(last_day)s at the latest, counted from %(since)s."),
        "subsidy.step.lifetime_after": _("On condition: %(fact)s, within %(span)s of %(since)s."),
        "subsidy.step.case": _("The case that counts: %(says)s"),
        "subsidy.step.best_case": _("The best of %(count)s cases that hold: %(says)s"),
        "subsidy.step.base_less": _("Left out, %(of)s: %(left_out_fen)s"),
        "subsidy.step.base_above": _("Only what lies above %(above_fen)s counts."),
        "subsidy.step.base_at_most": _("No more than %(limit_fen)s counts."),
        "subsidy.step.base_quantity": _("Eligible quantity: %(quantity)s %(unit)s"),
        "subsidy.step.line": _("Line of the claim: %(line_fen)s"),
        "subsidy.step.bracket_rate": _("%(rate)s of all of %(base_fen)s, by the bracket in which it lies"),
        "subsidy.step.bracket_amount": _("%(bracket_fen)s by the bracket in which %(base_fen)s lies"),
        "subsidy.step.rate_chosen": _("%(rate)s of %(base_fen)s, chosen between %(lowest_rate)s and %(highest_rate)s"),
        "subsidy.step.rate_not_chosen": _(
            "No rate between %(lowest_rate)s and %(highest_rate)s is set yet; worked out with %(rate)s of %(base_fen)s"
        ),
        "subsidy.step.level_rate": _("%(payer)s: %(rate)s of %(base_fen)s"),
        "subsidy.step.per_unit": _("%(quantity)s × %(unit_fen)s"),
        "subsidy.step.fixed": _("Fixed amount: %(amount_fen)s"),
        "subsidy.step.own_share": _("Of %(base_fen)s the applicant bears %(rate)s itself."),
        "subsidy.step.face_value": _("Up to the face value of the voucher: %(face_fen)s"),
        "subsidy.step.vouchers": _(
            "Vouchers of %(face_fen)s used up: %(count)s, of which %(co_funded)s with own money of %(own_fen)s together"
        ),
        "subsidy.step.ex_post": _("%(ratio)s of %(base_fen)s: the rate of the batch, %(pool_fen)s for claims of %(claims_fen)s"),
        "subsidy.step.ex_post_assumed": _("The rate is fixed when all claims are in; estimated with %(rate)s of %(base_fen)s"),
        "subsidy.step.ex_post_rate": _(
            "Rate of the batch: %(pool_fen)s for %(count)s claims of %(claims_fen)s together, %(ratio)s"
        ),
        "subsidy.step.uplift": _("%(rate)s of %(base_fen)s on top: %(says)s"),
        "subsidy.step.where": _("On condition: %(says)s"),
        "subsidy.step.rate_limit": _("Together at most %(rate)s of %(base_fen)s"),
        "subsidy.step.limit_together": _("With %(counted_fen)s given elsewhere or before, at most %(rate)s of %(whole_fen)s"),
        "subsidy.step.factor": _("Times %(factor)s: %(says)s"),
        "subsidy.step.bonus": _("%(bonus_fen)s more: %(says)s"),
        "subsidy.step.deduct": _("Less %(less_fen)s, %(of)s"),
        "subsidy.step.least_award": _("An amount below %(least_fen)s is not paid."),
        "subsidy.step.divided": _(
            "Divided in proportion over %(count)s claims of %(claims_fen)s, %(cap)s: %(left_fen)s were left."
        ),
        "subsidy.step.matched": _("%(payer)s adds %(rate)s of what %(lead)s pays: %(part_fen)s"),
        "subsidy.unmet.condition": _("The condition does not hold: %(says)s"),
        "subsidy.unmet.spend_over_months": _(
            "In %(months)s months %(spent_fen)s were spent; the least amount is %(minimum_fen)s."
        ),
        "subsidy.unmet.window": _("Date outside the windows of the programme, %(windows)s: %(fact)s, %(on)s."),
        "subsidy.unmet.lifetime": _("Not in time: %(fact)s, %(on)s, counted from %(since)s until %(last_day)s."),
        "subsidy.unmet.no_case": _("None of the %(count)s cases of the rate holds."),
        "subsidy.unmet.no_side": _("None of the %(count)s sides of the programme is for this request."),
        "subsidy.unmet.lines_differ": _("The lines of the claim sum to %(lines_fen)s, not to its base of %(base_fen)s."),
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
        "subsidy.unmet.alternatives": _(
            "None of the %(count)s alternatives of the clause is met. What does not hold: %(unmet)s."
        ),
        "subsidy.unmet.grade_unknown": _("The quality grade is %(grade)s; the programme knows: %(allowed)s."),
        "subsidy.unmet.limit_not_set": _("The limit %(cap)s has not been set yet. Ask the programme officer."),
        "subsidy.unmet.cap_short": _("Of the %(cap)s only %(left_fen)s are left, and %(needed_fen)s are needed as a whole."),
        "subsidy.unmet.exclusive": _(
            "The session already takes %(programme)s, which gives %(winner_fen)s. It may take one programme of this kind only."
        ),
        "subsidy.unmet.not_combined": _(
            "The session already takes %(programme)s, which gives %(winner_fen)s. The two are not combined (%(says)s, clause %(clause)s)."
        ),
    }
)

register(
    {
        "billing.figures_differ": _(
            "The figures have changed since you looked: to pay now %(payable_now_fen)s, final cost %(final_cost_fen)s. "
            "Check them and confirm again."
        ),
        "subsidy.settlement_not_offered": _("The programme offers other ways of settlement: %(known)s. Choose one of them."),
        "subsidy.rate_not_offered": _(
            "A rate from %(lowest)s %% to %(highest)s %% can be chosen. Choose one of these, or leave it empty."
        ),
        "subsidy.answer_unfit.yes_no": _("“%(its_question)s” is answered by yes or no."),
        "subsidy.answer_unfit.choice": _("“%(its_question)s”: choose one of the answers that are offered."),
        "subsidy.answer_unfit.number": _("“%(its_question)s” is answered by a whole number, like 300."),
        "subsidy.answer_unfit.amount": _("“%(its_question)s” is answered by an amount in yuan, like 1200 or 1200.50."),
        "facts.money_held": _(
            "The subsidy was decided by this and money is held for it: it stays as it is. To change it, cancel the booking and book again."
        ),
        "facts.dearer": _(
            "With this there is less subsidy: to pay now %(payable_now_fen)s, final cost %(final_cost_fen)s. "
            "Look at it and keep it at these figures, or leave it as it was."
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
        "ledger.not_enough_left": _(
            "%(needed_fen)s are needed, and %(left_fen)s are left of the budget: more was free a moment ago. Ask for a new quote."
        ),
        "ledger.more_than_held": _("%(due_fen)s is due but only %(held_fen)s was held. Tell the operator."),
        "ledger.more_than_paid": _("%(back_fen)s cannot go back: only %(paid_fen)s was paid. Tell the operator."),
        "ledger.closed": _("This account is closed. Nothing can be added or taken any more."),
        "ledger.still_holds": _(
            "%(held_fen)s of this account is still promised to bookings. Suspend it now, and close it when they are over."
        ),
        "ledger.second_person": _("You asked for this money. Somebody else has to add it."),
        "ledger.top_up_decided": _("This was decided already. Reload the page to see how."),
        "ledger.voucher_is_issued": _("A voucher is worth what it was issued for. Let the holder apply for another one."),
        "ledger.last_day_fixed": _(
            "The last day of this account is not set here: a voucher has its own, and a yearly limit has none."
        ),
        "ledger.last_day_past": _("Choose today or a later day."),
        "ledger.reason_needed": _("Give a reason: it stays with the account for good."),
        "ledger.reason_too_long": _("The reason has at most %(maximum)s characters."),
        "ledger.seal_chain_broken": _("Seal %(number)s does not follow the one before it."),
        "ledger.seal_head_unknown": _("The link %(detail)s is not in the chain: seals were cut off or written anew."),
        "ledger.seal_transfer_changed": _("Seal %(number)s: transfer %(detail)s was changed or put in after it was sealed."),
        "ledger.seal_transfers_missing": _("Seal %(number)s: %(detail)s sealed transfers are missing."),
        "ledger.seal_differs": _("Seal %(number)s: the sealed transfers are there, but the seal itself was changed."),
        "table.unreadable": _("The file is neither UTF-8 nor GB 18030 text. Save it as CSV (UTF-8) and hand it in again."),
        "table.broken": _(
            "The file is not a table: a cell is far too long, or quotes and line ends do not match. Save it as CSV again."
        ),
        "table.empty": _("The file holds no rows below its heading."),
        "table.too_long": _("The file has more than %(maximum)s rows. Hand it in in parts."),
        "table.column_missing": _("There is no column “%(column)s”. The first row names the columns."),
        "table.cell_empty": _("Row %(row)s: the column “%(column)s” is empty."),
        "table.cell_invalid": _("Row %(row)s, column “%(column)s”: “%(text)s” cannot be read."),
        "table.row_repeated": _("Row %(row)s: “%(text)s” stands in the file twice."),
        "table.days_in_order": _("Row %(row)s: the days are not in order."),
        "credit_list.unknown": _("Choose the list."),
        "credit_list.source_needed": _("Say where the list comes from, in at most %(maximum)s characters."),
        "partner.region_invalid": _("Type the six-digit code of the region, like 310000."),
        "partner.platform_invalid": _("Type the identifier of its platform in capital letters, like CN-310000."),
        "partner.taken": _("This one is a partner already. Change that one."),
        "partner.text_needed": _("Type something here, in at most %(maximum)s characters."),
        "partner.mode_unknown": _("Choose how services across the regions are settled."),
        "partner.days_in_order": _("The last day lies before the first."),
        "firm.kind_unknown": _("Choose what you declare."),
        "firm.year_range": _("Type a year from %(first)s to %(last)s: one that is over."),
        "firm.figures_empty": _("Give at least one figure of the year."),
        "firm.figure_range": _("Type a number of zero or more that a firm can have."),
        "firm.region_unknown": _("Type the six-digit code of the region, like 630104."),
        "firm.founded_later": _("The day on which it was founded lies in the future. Type the day on the licence."),
        "firm.industry_unknown": _("Type the industry as GB/T 4754 has it: a letter, two to four digits, or both, like C2614."),
        "firm.zones_many": _("Name at most %(maximum)s zones, each by its short name."),
        "firm.net_above_total": _("Net assets are at most the total assets."),
        "firm.label_unknown": _("Choose the label."),
        "firm.level_unknown": _("Choose who awarded it."),
        "firm.day_needed": _("Give the first day from which this holds."),
        "firm.days_in_order": _("The last day lies before the first."),
        "firm.tie_unknown": _("Choose how you are tied."),
        "firm.party_kind_unknown": _("Choose whether it is an organisation or a person."),
        "firm.mark_invalid": _("Type the last four characters of the person's identity number."),
        "firm.only_firms": _("Only firms, teams and owners of instruments declare facts here."),
        "firm.not_of_owners": _("Owners of instruments declare labels and their controller; their place is in the profile."),
        "firm.itself": _("This is the code of your own firm. Name the other one."),
        "firm.circle": _(
            "This would close a circle of control: %(chain)s. Name whoever is at the top, or correct the other declaration."
        ),
        "firm.circle_now": _(
            "Accepting this would let the firm control itself through others, because another declaration was accepted meanwhile. "
            "Refuse it and say why."
        ),
        "firm.many_waiting": _("%(maximum)s declarations wait for the operator already. Add more when those are decided."),
        "firm.own_organisation": _("You cannot decide about your own organisation or what you declared yourself."),
        "firm.decided_already": _("Somebody has decided about this already. Reload the page."),
        "firm.reason_needed": _("Say why: the firm reads it."),
        "firm.reason_too_long": _("The reason has at most %(maximum)s characters."),
        "firm.note_too_long": _("The note has at most %(maximum)s characters."),
        "claims.declares_nothing": _("Nothing has to be declared of this line."),
        "claims.declared_amount": _("Type an amount from 0 on, in yuan: %(claim_fact)s."),
        "income.only_owners": _("Only owners of instruments declare their income from customers outside."),
        "income.waits_already": _(
            "A figure of %(year)s waits for the officer already. Declare another one when that is decided."
        ),
        "income.other_region": _("An officer of the region in which the institution lies decides about this."),
        "income.own_organisation": _("You cannot decide about your own institution or about what you declared yourself."),
        "income.decided_already": _("Somebody has decided about this already. Reload the page."),
        "partner.not_now": _("%(name)s is no partner today."),
        "voucher.cap_not_issued": _("This limit of the programme is not one that vouchers are issued for. There are: %(known)s."),
        "voucher.notice_too_long": _("The notice has at most %(maximum)s characters."),
        "voucher.life_range": _("A voucher holds between 1 and %(maximum)s days."),
        "voucher.amount_range": _("Type an amount above zero, at most 10,000,000,000,000 yuan."),
        "voucher.areas_needed": _("Give between 1 and %(maximum)s areas, each with its quota."),
        "voucher.area_twice": _("An area stands there twice."),
        "voucher.zone_unknown": _(
            "There is no zone “%(text)s” on the first day of applications. Known zones: %(known)s. The operator adds others."
        ),
        "voucher.area_invalid": _("“%(text)s” is neither a zone nor the first 2, 4 or 6 digits of a division."),
        "voucher.not_published": _("The programme is not published yet, so nothing can be issued under it."),
        "voucher.own_draft": _("A second officer has to publish this: authors cannot publish their own announcements."),
        "voucher.published_already": _("This announcement is published and cannot be changed."),
        "voucher.only_firms": _("Vouchers are for firms and teams."),
        "voucher.window_closed": _("Applications are taken from %(opens_on)s to %(closes_on)s."),
        "voucher.quota_unknown": _("Choose the area that you apply in."),
        "voucher.not_in_area": _("Your organisation is not registered in this area. Choose another one."),
        "voucher.asked_range": _("The amount lies between %(low_fen)s and %(most_fen)s."),
        "voucher.purpose_needed": _("Say what you need the voucher for, in at most %(maximum)s characters."),
        "voucher.not_eligible": _("By its verified facts the applicant does not meet the programme's conditions:"),
        "voucher.applied_already": _("Your organisation has applied to this announcement already."),
        "voucher.decided_already": _("Somebody has decided about this application already. Reload the page."),
        "voucher.reviewed_already": _("Somebody has reviewed this application already. Reload the page."),
        "voucher.own_application": _("You cannot decide about an application of your own organisation."),
        "voucher.own_review": _("Somebody other than the reviewer has to issue the voucher."),
        "voucher.not_reviewed": _("The application has to be reviewed before a voucher is issued."),
        "voucher.quota_used_up": _("Only %(left_fen)s of this area's quota is left. Recommend less, or refuse."),
        "voucher.quota_suspended": _("This area's quota is suspended or closed, so nothing is issued from it now."),
        "voucher.over": _("Vouchers of this announcement held until %(last_on)s."),
        "voucher.returned_already": _("This voucher was given back already."),
        "voucher.number_foreign": _("The number of a voucher of this partner begins with %(prefix)s."),
        "voucher.cap_of_one_payer": _(
            "This limit is of one payer of the programme alone, so that another region cannot pay it; choose a limit of all payers."
        ),
        "voucher.agreed_redeem": _(
            "With %(name)s it is agreed that the provider redeems (the firm pays its part only), and this programme pays the firm back"
            " later. Choose a programme whose subsidy is taken off the bill."
        ),
        "voucher.agreed_refund": _(
            "With %(name)s it is agreed that the firm pays in full and is paid back, and this programme takes its subsidy off the bill."
            " Choose a programme that pays back later."
        ),
        "voucher.number_taken": _("A voucher with this number is registered already."),
        "opening.firm_unknown": _("Row %(row)s: no organisation here has the code %(text)s."),
        "opening.programme_unknown": _("Row %(row)s: the programme %(text)s has no published version in %(year)s."),
        "opening.cap_unknown": _("Row %(row)s: the programme has no limit per applicant called %(text)s."),
        "opening.over_limit": _("Row %(row)s: this is more than what is left of the limit, %(left_fen)s."),
        "opening.loaded_already": _("Row %(row)s: this balance was loaded already."),
        "opening.not_loaded": _(
            "Row %(row)s: no opening balance of %(amount_fen)s stands there. Write the row as it was loaded."
        ),
        "opening.item_known": _("Row %(row)s: %(text)s took a programme of this class already."),
        "voucher.holder_unknown": _("No organisation here has this code."),
        "extras.no_more_now": _("Nothing can be added or answered now: the session has not begun, or it is charged already."),
        "extras.addon_unknown": _("The price has no such add-on. It has: %(known)s."),
        "extras.chosen_twice": _("Name each add-on once, with how many of it."),
        "extras.chosen_differ": _("The add-ons come to %(amount_fen)s by now. Look at it and book again."),
        "extras.words_missing": _("Say what was used: the customer reads it."),
        "extras.quantity_range": _("Give how many: a whole number from 1 to %(most)s."),
        "extras.rate_range": _("Give the price of one in yuan; all of it costs more than nothing and at most %(most_fen)s."),
        "extras.too_many": _("At most %(most)s things can be entered for one session."),
        "extras.second_person": _("You entered this. Somebody of the customer has to agree."),
        "extras.amount_differs": _("The amount is %(amount_fen)s. Look at it and agree again."),
        "extras.unanswered": _("Answer first what was used besides the time (%(count)s waiting): agree or decline."),
        "price.invalid": _("The price schedule is not valid: %(fault)s"),
        "price.in_the_past": _("A price can start today or later: what was charged never changes."),
        "price.date_taken": _("A price that starts on this day is published already. Choose another day."),
        "price.published_meanwhile": _(
            "Somebody else published a price for the same day in the meantime. Look at it, and publish yours again."
        ),
        "price.none": _("The lab has not published a price for this instrument yet, so it cannot be booked. Ask the lab."),
        "programme.invalid": _("The programme document is not valid: %(fault)s"),
        "programme.example_fails": _("The worked example “%(title)s” does not come out as expected."),
        "programme.label_taken": _("The version %(label)s exists already. Give the draft another label."),
        "programme.own_draft": _("A second officer has to publish this: authors cannot publish their own drafts."),
        "programme.published_already": _("This version is published and cannot be changed."),
        "programme.overlaps": _(
            "The published version %(label)s is valid from %(first_on)s to %(last_on)s."
            " Change the first or the last day so that they do not overlap."
        ),
        "programme.ends_in_the_past": _(
            "The published version %(label)s is valid from %(first_on)s to %(last_on)s, and days that are over stay with it. Let this one"
            " begin on %(earliest_on)s or later: it then ends the day before."
        ),
        "programme.ending_unconfirmed": _(
            "Publishing this ends version %(label)s on %(last_on)s instead of %(before_on)s. Look at that and confirm it."
        ),
        "programme.ends_nothing": _("No version ends with this any more. Look at it again and publish it without that."),
        "programme.stop_day": _("Choose a last day from %(earliest_on)s to %(latest_on)s."),
        "programme.stop_too_late": _("The version ends on %(last_on)s anyway; there is nothing left to end earlier."),
        "programme.stop_reason": _("Say why. The reason of a version that ends early stands on its page."),
        "programme.stop_reason_long": _("The reason is too long. Say it in at most %(most)s characters."),
        "programme.stop_waits": _("An end of this version waits for a second officer already. Decide about that one first."),
        "programme.own_stop": _("A second officer has to confirm this: who proposes an end does not confirm it."),
        "programme.stop_decided": _("This is decided already. Reload the page."),
        "programme.stop_overtaken": _(
            "The version was ended by something else meanwhile and holds until %(last_on)s. Do not confirm this one; propose it again if it"
            " is still wanted."
        ),
        "programme.pool_again": _(
            "Version %(label)s of the same year has a pool “%(pool)s” already, with %(left_fen)s left. Say in this pool whether it goes on"
            " (pool of version: %(label)s) or is new money."
        ),
        "programme.pool_again_unlimited": _(
            "Version %(label)s of the same year has a pool “%(pool)s” already. Say in this pool whether it goes on (pool of version:"
            " %(label)s) or is new money."
        ),
        "figure.no_such_cap": _("The figure of this limit is not set here: the document says it, or it is a voucher's."),
        "figure.year": _("The version holds in none of the limit's days of this year. Choose a year of the version."),
        "figure.amount": _("Type an amount of nil or more."),
        "figure.waits_already": _(
            "%(asked_by)s asked for %(limit_fen)s on %(asked_on)s, and nobody has decided about it yet. Have a second person set it, or let"
            " it be refused (whoever asked may take it back); then ask for another figure."
        ),
        "figure.below_used": _("%(used_fen)s is held or spent already. Type that amount or more."),
        "programme.pool_unknown": _(
            "Version %(label)s has no pool “%(pool)s” of the same year and payer that could go on. Name the version that opened it."
        ),
        "programme.no_example": _("Add at least one worked example, so that everybody sees what the rule gives."),
        "programme.still_template": _(
            "This is still marked as a template completed by assumptions. Settle the assumed clauses, then set the mark to no."
        ),
        "programme.of_other_office": _("The programme %(code)s belongs to another office. Give yours another code."),
        "programme.no_such_pool": _("The programme has no budget pool %(cap)s."),
        "statement.period_not_over": _(
            "The month is not over yet. Statements can be issued from the first day of the next month."
        ),
        "statement.several_ways": _(
            "These awards are settled in several ways (%(ways)s), and each has a statement of its own. Name one of them."
        ),
        "statement.nothing_to_issue": _("There is nothing to issue: every award of this month stands on a statement already."),
        "statement.issued_meanwhile": _("Somebody else has just issued this statement. Reload the page to see it."),
        "statement.figures_differ": _(
            "The figures have changed since you looked: %(lines)s lines, %(total_fen)s in all. Check them and issue again."
        ),
        "statement.lines_differ": _(
            "Other lines stand on it by now than when it was looked at, though as many and over as much. Look at them and issue again."
        ),
        "statement.second_person": _(
            "From %(from_fen)s on one person proposes a statement and another one issues it. Propose it."
        ),
        "statement.second_person_together": _(
            "You issued %(before_fen)s to this payee alone in the last %(days)s days. From %(from_fen)s on, all together, one person"
            " proposes and another one issues. Propose it."
        ),
        "statement.proposed_already": _("Such a statement waits for a second person already. Decide about that one first."),
        "statement.own_proposal": _("You proposed this statement. Somebody else of finance has to issue it."),
        "statement.proposal_decided": _("Somebody has decided about this proposal already. Reload the page."),
        "proposal.reason_missing": _("Write why. Who proposed it reads it."),
        "proposal.reason_too_long": _("Write at most %(max_length)s characters."),
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
