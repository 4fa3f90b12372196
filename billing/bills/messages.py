"""The sentences for refusals about bills, credit notes and payments."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.kernel.messages import register

register(
    {
        "bill.in_the_future": _("A bill takes what was charged up to today at the latest. Choose an earlier day."),
        "bill.due_days": _("Give the customer between 0 and %(most)s days to pay."),
        "bill.nothing_to_bill": _(
            "There is nothing to bill: everything that this customer was charged up to then stands on a bill."
        ),
        "bill.too_long": _("These would be %(lines)s lines; a bill has %(most)s at most. Bill up to an earlier day first."),
        "bill.inconsistent": _("A charge does not add up (%(what)s). Nothing was issued. Tell the operator."),
        "bill.issued_meanwhile": _("Somebody else has just billed this. Reload the page to see the bill."),
        "bill.figures_differ": _(
            "The figures have changed since you looked: %(lines)s lines, %(total_fen)s in all. Check them and issue again."
        ),
        "bill.lines_differ": _(
            "Other lines stand on it by now than when it was looked at, though as many and over as much. Look at them and issue again."
        ),
        "bill.second_person_together": _(
            "You billed this customer %(before_fen)s alone in the last %(days)s days. From %(from_fen)s on, all together, one person"
            " proposes and another one issues. Propose it."
        ),
        "bill.second_person": _("From %(from_fen)s on one person proposes a bill and another one issues it. Propose it."),
        "bill.proposed_already": _("A bill of this customer waits for a second person already. Decide about that one first."),
        "bill.own_proposal": _("You proposed this bill. Somebody else of finance has to issue it."),
        "bill.proposal_decided": _("Somebody has decided about this proposal already. Reload the page."),
        "bill.reason_missing": _("Write why. The other side reads it."),
        "bill.reason_too_long": _("Write at most %(max_length)s characters."),
        "bill.not_voidable": _(
            "A bill is voided only while nothing of it is paid, credited, just being paid, claimed or on a settlement statement and no"
            " invoice of it counts. Take it back with a credit note."
        ),
        "bill.written_off": _("This bill was given up in your books. Take that back first."),
        "write_off.reason_missing": _("Write why. Who looks at your books reads it; the customer does not."),
        "write_off.reason_too_long": _("Write at most %(max_length)s characters."),
        "write_off.nothing_open": _("Nothing is left to pay of this bill. Reload the page."),
        "write_off.not_due": _("This bill may be paid until %(due_on)s. Only what is overdue is written off."),
        "write_off.done_already": _("This bill is written off already. Reload the page."),
        "write_off.amount": _("Type an amount above zero and up to what is expected still: %(left_fen)s."),
        "write_off.none": _("Nothing of this bill is written off. Reload the page."),
        "write_off.proposed_already": _(
            "A write-off of this bill waits for a second person already. Decide about that one first."
        ),
        "write_off.own_proposal": _("You proposed this write-off. Somebody else of finance has to decide."),
        "write_off.proposal_decided": _("Somebody has decided about this write-off already. Reload the page."),
        "write_off.figures_differ": _(
            "By now %(total_fen)s is expected still, and what was proposed does not fit. Send it back and propose anew."
        ),
        "credit.void": _("The bill is void, so nothing is owed for this line."),
        "credit.reason_code": _("Choose one of the reasons."),
        "credit.amount": _("Type an amount above zero and up to what is left of the line: %(left_fen)s."),
        "credit.effect_differs": _(
            "What this does has changed since you looked: now %(freed_fen)s becomes free and %(subsidy_fen)s of subsidy goes back. "
            "Look at it again."
        ),
        "payment.other_owner": _("This bill is of another institution than the payment. Choose one of its own."),
        "payment.amount": _(
            "Type an amount above zero, up to what is free of the payment (%(free_fen)s) and open of the bill (%(open_fen)s)."
        ),
        "payment.undone_already": _("This was taken back already. Reload the page."),
        "refund.amount": _("Type an amount above zero and up to what is free of the payment: %(free_fen)s."),
        "refund.under_way": _("A refund of this payment is under way already. Wait until it has arrived."),
        "checkout.off": _("Bills of this institution are paid by bank transfer. Write the payment reference on it."),
        "checkout.nothing_open": _("Nothing is to pay of this bill any more. Reload the page."),
        "checkout.deposit_amount": _("Pay between %(least_fen)s and %(most_fen)s in advance."),
        "checkout.under_way": _(
            "Somebody of your organisation is paying another amount in advance just now. Try again in a minute."
        ),
        "checkout.unreachable": _("The payment service does not answer. Try again in a minute, or pay by bank transfer."),
        "provider.event_done": _("This was looked at already. Reload the page."),
        "provider.off": _("Payments online were switched off."),
        "provider.other_key": _("The payment service names another attempt than ours."),
        "provider.other_mode": _("The payment service says test where we are live, or live where we test."),
        "provider.other_currency": _("The payment was made in another currency."),
        "provider.other_amount": _("The payment was made over another amount than was asked for."),
        "provider.other_account": _("The news is of another account at the payment service."),
        "provider.other_intent": _("The payment service names another payment than before."),
        "provider.unknown_object": _("The news is about something of the payment service that this platform does not know."),
        "provider.unknown_key": _("The payment service names an attempt that is not in our books."),
        "provider.unreachable": _("The payment service did not answer."),
        "bank.doubtful": _(
            "Row %(row)s says what row %(file_row)s of %(file)s said, and has no serial number: %(amount_fen)s on %(day)s from %(payer)s. "
            "Say whether it is the same payment."
        ),
        "bank.by_hand": _(
            "Row %(row)s, %(amount_fen)s on %(day)s from %(payer)s, may be the money that was entered by hand as %(by_hand)s. "
            "Say whether it is the same money."
        ),
        "bank.other_amount": _(
            "Row %(row)s is not over %(amount_fen)s, as the money that was entered by hand. Take that entry back first, then take the list"
            " in."
        ),
        "hand.way": _("Choose how the money came."),
        "hand.amount": _("Type an amount above zero in yuan, for example 1,200.50."),
        "hand.day": _("Choose the day on which the money came, from %(first_on)s to %(last_on)s."),
        "hand.payer": _("Write who paid."),
        "hand.reference": _("Write the reference: the number of the slip, cheque, receipt or terminal record."),
        "hand.maybe_same": _(
            "%(amount_fen)s of %(day)s from %(payer)s is in the books or waits already and may be this money. Say that it is another, or"
            " leave this."
        ),
        "hand.second_person": _("You wrote this down. Another person of finance confirms it."),
        "hand.done_already": _("Somebody has confirmed this or taken it back already. Reload the page."),
        "hand.in_use": _(
            "Some of this money is given to a bill, kept as prepaid or went back. Undo that first, then take the entry back."
        ),
        "provider.not_there": _("The payment service does not know what its news is about."),
        "provider.refused": _("The payment service refused."),
        "provider.key_reused": _("The payment service was asked for something else under the same key."),
        "provider.never_answered": _("The payment service never answered."),
        "provider.forgotten": _("The payment service does not know the payment any more."),
        "provider.prepaid_promised": _("The money was kept as prepaid and is promised to bookings."),
        "prepaid.own": _("An institution keeps no prepaid money for itself. Choose a customer."),
        "prepaid.left": _("Type an amount above zero and up to what is not kept for bookings: %(left_fen)s."),
        "prepaid.changed_meanwhile": _("Somebody has just changed this customer's prepaid money. Do it again."),
        "prepaid.not_enough_left": _(
            "The lab asks that bookings are paid in advance. This one takes %(needed_fen)s; %(left_fen)s of your prepaid money is left."
            " Transfer the rest to the lab and ask it to keep the money as prepaid, or book less."
        ),
        "spending.over_limit": _(
            "Your organisation has limited what may be spent here: this takes %(needed_fen)s and %(left_fen)s is left. Book less, or ask"
            " your administrator to raise the limit."
        ),
        "spending.limit_amount": _("Type an amount above zero and at least what is used already: %(used_fen)s."),
        "spending.limit_days": _("The last day must not lie before the first. Correct one of them."),
        "spending.limit_of": _("Choose a member, or type the name of a project: one of the two."),
        "order_number.billed": _("The booking is on a bill already, which does not change. Ask the lab's finance."),
        "dunning.blocked": _(
            "New bookings at %(owner)s wait for a payment: %(total_fen)s is overdue (bill %(bills)s). Pay to %(account)s and write as the"
            " purpose: %(references)s. If something is wrong with the bill, dispute it on its page."
        ),
        "dunning.nothing_open": _("Nothing is to pay of this bill any more. Reload the page."),
        "dunning.disputed_already": _("This bill is disputed already; the lab has not answered yet."),
        "dunning.disputed_before": _(
            "This bill was disputed before, and the lab has answered. Write to the lab's finance if something is still wrong."
        ),
        "dunning.not_disputed": _("Nobody disputes this bill now. Reload the page."),
        "dunning.until": _("Choose a day from yesterday (which ends it) to %(days)s days ahead."),
        "dunning.own": _("You belong to the organisation that owes this. Somebody else of the lab's finance decides."),
        "difference.done": _("Somebody has dealt with this already. Reload the page."),
        "payment.nothing_certain": _("Nothing is certain now. Reload the page."),
        "payment.too_many_certain": _("At most %(most)s payments are given at once."),
        "payment.not_certain": _("This is not certain any more: the money or the bill has changed. Look at the payment."),
        "bank.file_too_large": _("The file is larger than 5 MB. Export a shorter time from your bank."),
        "bank.file_unreadable": _("The file cannot be read. Export it from your bank as CSV, in UTF-8 or GBK."),
        "bank.no_layout_fits": _(
            "No row of headings was found that we know: date, amount and which way, or an amount in and one out."
        ),
        "bank.too_many_rows": _("The file has %(value)s rows; at most %(most)s are taken at once. Export a shorter time."),
        "bank.no_rows": _("Below the headings there is no row with a movement."),
        "bank.not_a_date": _("“%(value)s” is not a date like 2026-11-30."),
        "bank.not_an_amount": _("“%(value)s” is not an amount in yuan like 1,234.50."),
        "bank.in_or_out": _("Exactly one of the two amounts, in and out, must be given."),
        "bank.which_way": _("“%(value)s” does not say whether the money came in or went out."),
        "bank.text_too_long": _("The text that begins with “%(value)s” is too long."),
    }
)
