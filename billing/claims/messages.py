"""The sentences for refusals about batches, claims, publicity and payment lists."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from billing.claims.wording import ASKED
from billing.wording import fact_word, several, window_word
from config.kernel.messages import register, register_formatter

register_formatter("claim_asks", lambda code: str(ASKED.get(code, code)))
register_formatter("claim_fact", fact_word)
register_formatter("claim_windows", lambda shown: several(window_word(each) for each in shown))
register_formatter(
    "lines", lambda value: ", ".join(str(each) for each in value) if isinstance(value, list | tuple) else str(value)
)

register(
    {
        "claims.mode": _("Choose how the subsidy is settled."),
        "claims.days_in_order": _("The last day is before the first. Change one of the two."),
        "claims.fund_year": _("Type the year of the budget, for example 2026."),
        "claims.no_version": _("Nothing of this programme is in force, so nothing can be claimed under it. Publish it first."),
        "claims.batch_exists": _("There is such a batch already. Open that one, or choose other days."),
        "claims.batch_closed": _("Batch %(number)s is closed: its figures are fixed. What came later goes into the next batch."),
        "claims.too_many": _("More than %(most)s services can be claimed. Choose fewer days for the batch."),
        "claims.window_open": _("Claims can be handed in until %(closes_on)s. Close the batch after that day."),
        "claims.window_closed": _("Claims of this batch are handed in from %(opens_on)s to %(closes_on)s."),
        "claims.not_now": _("Claim %(number)s has moved on, so this cannot be done now. Reload the page."),
        "claims.three_people": _(
            "Maker, reviewer and approver of %(number)s have to be three people, and you did another part of it already."
        ),
        "claims.other_office": _("Claim %(number)s is at a step that another office, or finance, looks at."),
        "claims.inconsistent": _("The figures do not add up (%(what)s). Nothing was done. Tell the operator."),
        "claims.below_nothing": _("Claim %(number)s would come to less than nothing. Postpone what is taken back as well."),
        "claims.figures_differ": _("The figures have changed since you looked: now %(total_fen)s. Check them and go on."),
        "claims.nothing_left": _("Nothing is left to claim on %(number)s."),
        "claims.to_complete": _("Missing: %(claim_asks)s %(claim_lines)s"),
        "claims.evidence_kind": _("Choose what the file shows."),
        "claims.too_many_files": _("A claim has at most %(most)s files."),
        "claims.invoice_number": _("An invoice has a number of 20 digits; of a paper one type code and number, 18 or 20 digits."),
        "claims.text_missing": _("Please write something here: others read it."),
        "claims.text_too_long": _("Write at most %(max_length)s characters."),
        "claims.taken_elsewhere": _(
            "What claw-back %(number)s takes back stands on another claim meanwhile. Leave the line out."
        ),
        "claims.not_clean": _("Something was found; look at it yourself."),
        "claims.standing": _("Choose whether the line counts, is left out or is postponed."),
        "claims.more_than_left": _("Type an amount above zero and up to what is left of the award: %(left_fen)s."),
        "claims.still_public": _("Claim %(number)s is public until %(until_on)s. Approve it after that day."),
        "claims.objected": _("An objection to claim %(number)s waits for an answer."),
        "claims.nothing_passed": _("No claim of this batch waits to be made public."),
        "claims.publicity_over": _("This claim is not public any more, so nothing can be said against it here."),
        "claims.too_many_objections": _("Many objections to this claim wait already. The office looks at them first."),
        "claims.file_missing": _("Choose a file."),
        "claims.day_missing": _("Type a day, for example 2026-12-01."),
        "claims.unknown_act": _("The page asked for something that does not exist. Reload it."),
        "claims.too_often": _("That was often. Please wait a few minutes and send it again."),
        "claims.answered_already": _("Somebody has answered this already. Reload the page."),
        "claims.not_creditworthy": _(
            "Claim %(number)s is kept back: with the credit lists of today its programme would not pay it. It can be paid once the entry"
            " ends."
        ),
        "claims.invoice_taken": _(
            "Invoice %(number)s (line %(position)s) took a subsidy of this kind already. One invoice is claimed once: write the number of"
            " this service's own invoice."
        ),
        "claims.outside_window": _(
            "Not today (line %(claim_lines)s): the programme asks for %(claim_fact)s in %(claim_windows)s. The next such days:"
            " %(from_on)s to %(until_on)s."
        ),
        "claims.outside_days": _(
            "Line %(claim_lines)s: %(claim_fact)s, %(real_on)s, lies outside the days of the programme, %(claim_windows)s."
        ),
        "claims.deadline_over": _(
            "Line %(claim_lines)s: %(claim_fact)s, %(real_on)s, comes after the last day, %(last_on)s. What can be claimed on no day any"
            " more goes back to the programme within the hour; hand the rest in then."
        ),
        "claims.batch_outside_window": _(
            "The programme takes claims in %(claim_windows)s only. Choose days inside; the next: %(from_on)s to %(until_on)s."
        ),
        "claims.batch_outside_days": _("The programme took claims in %(claim_windows)s only, and those days are over."),
        "claims.invoice_awaited": _(
            "Claim %(number)s is kept back: its programme pays once the VAT invoice of the provider is recorded, and for some of it"
            " none is."
        ),
        "claims.not_paid_today": _("Claim %(number)s is kept back: its programme has nothing paid on a day like today."),
        "claims.nothing_to_pay": _("Nothing of this batch waits to be paid."),
        "claims.no_account": _("%(payee)s (%(number)s) has given no bank account. Ask for it before the list is made."),
        "claims.signed_already": _("List %(number)s is approved already."),
        "deputies.none_chosen": _("Choose who stands in."),
        "deputies.oneself": _("Choose somebody else than yourself."),
        "deputies.days": _("The last day is before the first. Change one of the two."),
        "deputies.past": _("The last day is over. Choose a later one."),
        "deputies.too_long": _("Somebody stands in for at most %(most)s days."),
        "deputies.ended": _("It was ended already. Reload the page."),
        "claims.list_cancelled": _("List %(number)s is cancelled. Reload the page."),
        "claims.list_paid": _("Something of list %(number)s was recorded already, so it cannot be cancelled."),
        "claims.not_approved": _("List %(number)s has to be checked and approved before anything is recorded."),
        "recheck.seed_missing": _(
            "Type a seed, for example what dice or a lottery of the day show. With it anybody draws the same."
        ),
        "recheck.seed_signs": _(
            "A seed has digits only, with blanks, points, commas, colons or dashes between them, for example 6-2-5-3."
        ),
        "recheck.seed_too_long": _("A seed has at most %(most)s characters."),
        "recheck.size_or_share": _("Say how many claims are drawn, or which share of them; one of the two."),
        "recheck.size": _("From one to %(most)s claims are drawn. Type another number or share."),
        "recheck.share": _("Type a share of 1 to 100 per cent."),
        "recheck.days": _("The last day is before the first. Change one of the two."),
        "recheck.nothing": _("In these days no claim was paid whole. Choose others."),
        "recheck.too_many": _("More than %(most)s claims were paid in these days. Choose fewer days."),
        "recheck.outcome": _("Choose whether the claim is confirmed or differs."),
        "recheck.difference": _(
            "Of a difference type the amount that was paid too much, up to what was paid, or with a minus what was paid too little;"
            " of a confirmed claim none."
        ),
        "recheck.own_part": _("You had a part in this claim or its payment, so another inspector looks at it."),
        "recheck.own_finding": _("You found something of this claim yourself, so somebody else at the office answers it."),
        "recheck.answered": _("What was found of claim %(number)s is answered already, or was found anew. Reload the page."),
        "recheck.finding_waits": _(
            "What an inspector found of claim %(number)s waits for an answer. Answer it first, on this page: nothing comes back twice."
        ),
        "recheck.amount_missing": _("Type the amount that comes back, above zero; or say that nothing comes back."),
        "recheck.more_than_found": _("Type an amount of nil up to what was found to be too much: %(most_fen)s."),
        "repaid.not_promised": _("The claim of %(number)s is not approved, so nothing was paid that could come back."),
        "repaid.amount": _("Type what came in, an amount above zero."),
        "repaid.on": _("Type the day on which the money came: from %(issued_on)s on, and not in the future."),
        "repaid.settled": _(
            "Nothing of %(number)s is open any more: it came back, waits to be confirmed, or is taken off a claim. If the money did come,"
            " say that it came too much: then it is the payee's, and can be sent back."
        ),
        "repaid.decided": _("Somebody has decided on this already. Reload the page."),
        "repaid.two_people": _("You recorded this yourself. Another person of finance confirms it."),
        "repaid.surplus_used": _(
            "Some of this money was sent back, or taken for another notice. Undo that first: then this can be undone."
        ),
        "surplus.list_open": _("It goes with payment list %(number)s. Confirm it once that list is approved."),
        "surplus.leaves_with_list": _(
            "It stands on payment list %(number)s, which is not approved yet. Cancel that list, and make another without it."
        ),
        "surplus.amount": _("Type an amount above zero and up to what came too much and is left: %(left_fen)s."),
        "surplus.on": _("Type the day of the transfer: from %(received_on)s on, when the money came, and not in the future."),
        "surplus.other": _("Choose a notice of the same payee and programme."),
        "claims.other_lines": _("Not all of these lines stand on this list. Load it again and choose from it."),
        "claims.no_lines": _("Choose at least one line that is not recorded yet."),
        "treasury.no_headings": _(
            "No row of headings was found that we know: amount and day, and the number of the line or the account."
        ),
        "treasury.no_rows": _("Below the headings there is no row about a line of this list."),
        "treasury.too_many_rows": _("At most %(most)s rows are taken in at once."),
        "treasury.no_such_line": _("This list has no line “%(value)s”. Is it the answer to another list?"),
        "treasury.line_twice": _("Line %(value)s stands in the file twice."),
        "treasury.other_account": _("The list pays this line to another account than “%(value)s”."),
        "treasury.account_of_several": _("Several lines are paid to the account “%(value)s”. Write the number of the line."),
        "claims.recorded_already": _("What happened to this payment is recorded already. Reload the page."),
        "claims.paid_amount": _("Type an amount of nil up to what the list says: %(most_fen)s."),
        "claims.paid_on": _("Type the day of the payment: not before the list, and not in the future."),
    }
)
