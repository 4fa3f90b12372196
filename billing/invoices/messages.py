"""The sentences about VAT invoices."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.kernel.messages import register

register(
    {
        "invoice.bill_void": _("This bill is void. There is no invoice for it."),
        "invoice.nothing_owed": _("All of this bill was credited. There is nothing to invoice."),
        "invoice.nothing_left": _("All of this statement was taken back. There is nothing to invoice."),
        "invoice.not_sold": _("What this statement says is no sale to the office. There is no invoice for it."),
        "invoice.has_one": _("There is an invoice for this already. Record the red-letter invoice for it first."),
        "invoice.asked_already": _("The invoice was asked for already. The lab sees it."),
        "invoice.nothing_asked": _("Nothing waits for an answer here. Reload the page."),
        "invoice.title_missing": _("Write the name to which the invoice is made out."),
        "invoice.buyer_code": _("This is no valid unified social credit code. Compare its 18 characters with the licence."),
        "invoice.other_buyer": _(
            "The buyer is not who pays this. Say who it is and why the invoice is made out to it, for example the parent that pays."
        ),
        "invoice.kind": _("Choose an ordinary or a special invoice."),
        "invoice.email": _("Write an e-mail address to which the invoice can be sent."),
        "invoice.number": _("An invoice number has 20 digits; this one has %(digits)s. For old paper, give its code too."),
        "invoice.old_number": _("Old paper has a code of 10 or 12 digits and a number of 8 digits."),
        "invoice.number_year": _("The number begins with %(year)s, which is not the year of its date."),
        "invoice.number_province": _("Digits 3 and 4 of the number (%(province)s) name no province."),
        "invoice.buyer": _("The buyer's code is not that of who pays, or of the other buyer that was asked for: %(expected)s."),
        "invoice.seller": _("The seller's code is not that of the lab on the paper: %(expected)s."),
        "invoice.amount": _("The amount without tax is above zero, the tax not below it."),
        "invoice.sum": _("Amount and tax are %(sum_fen)s together, and the total says %(total_fen)s."),
        "invoice.below_bill": _("The total is below what the bill claims: %(claimed_fen)s."),
        "invoice.above_price": _("The total is above the full price of what was billed: %(price_fen)s."),
        "invoice.not_bought": _("The total is not what is bought by the statement, after what was taken back: %(claimed_fen)s."),
        "invoice.window": _("An invoice for this is dated from %(first_on)s to %(last_on)s."),
        "invoice.known": _("This invoice is recorded already. One invoice stands for one bill or statement."),
        "invoice.subsidised_elsewhere": _("With this invoice a subsidy was claimed elsewhere. It cannot be used again."),
        "invoice.red_below_zero": _("The amounts of a red-letter invoice are below zero."),
        "invoice.red_too_much": _("No more is taken back than is left of the invoice: %(left_fen)s."),
        "invoice.red_of_red": _("A red-letter invoice takes back a blue one, not a red one."),
        "invoice.blue_unknown": _("There is no invoice %(number)s of this institution that could be taken back."),
        "invoice.red_other_bill": _("Invoice %(number)s stands for %(bill)s."),
        "invoice.day": _("“%(text)s” is no date. Write it as 2026-11-30."),
        "invoice.yuan": _("“%(text)s” is no amount in yuan. Write it as 1234.50."),
        "invoice.bill_unknown": _("There is no bill or settlement statement %(number)s of this institution."),
        "invoice.twice_in_file": _("The same invoice stands in row %(other_row)s already."),
        "invoice.bill_twice_in_file": _("The bill or statement stands in row %(other_row)s already. Record one invoice for it."),
        "invoice.file_unreadable": _("The table cannot be read. Save it as CSV (UTF-8 or GBK)."),
        "invoice.file_columns": _("These columns are missing: %(names)s."),
        "invoice.file_rows": _("The table has no row, or more than %(most)s."),
        "invoice.file_type": _("%(name)s is no invoice file. PDF, OFD and XML are taken."),
        "invoice.file_of_none": _("%(name)s belongs to no row, or to several: name each file by its invoice number."),
        "invoice.too_many_files": _("At most %(most)s files at once."),
    }
)
