"""The captions of bills and credit notes: Chinese first, English small beside it."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from billing.settlement.captions import Caption, captions

WORDS: Mapping[str, Promise | str] = {
    "bill": pgettext_lazy("bill document", "Bill"),
    "credit_note": pgettext_lazy("bill document", "Credit note"),
    "draft": pgettext_lazy("bill document", "Draft"),
    "number": pgettext_lazy("bill document", "Number"),
    "made_on": pgettext_lazy("bill document", "Date of issue"),
    "period": pgettext_lazy("bill document", "Charged from – to"),
    "due_on": pgettext_lazy("bill document", "Payable until"),
    "payment_reference": pgettext_lazy("bill document", "Payment reference"),
    "of_bill": pgettext_lazy("bill document", "Corrects bill"),
    "reason": pgettext_lazy("bill document", "Reason"),
    "owner": pgettext_lazy("bill document", "Lab (payee)"),
    "customer": pgettext_lazy("bill document", "Customer"),
    "code": pgettext_lazy("bill document", "Unified social credit code"),
    "other_code": pgettext_lazy("bill document", "Registration number"),
    "address": pgettext_lazy("bill document", "Address"),
    "bank": pgettext_lazy("bill document", "Bank"),
    "account_name": pgettext_lazy("bill document", "Account name"),
    "account_number": pgettext_lazy("bill document", "Account number"),
    "position": pgettext_lazy("bill line", "No."),
    "reference": pgettext_lazy("bill line", "Session or job"),
    "subject": pgettext_lazy("bill line", "Instrument or test"),
    "time": pgettext_lazy("bill line", "Time"),
    "starts": pgettext_lazy("bill line", "Start"),
    "ends": pgettext_lazy("bill line", "End"),
    "zone": pgettext_lazy("bill line", "Time zone"),
    "quantity": pgettext_lazy("bill line", "Quantity"),
    "unit": pgettext_lazy("bill line", "Unit"),
    "gross": pgettext_lazy("bill line", "Price"),
    "deducted": pgettext_lazy("bill line", "Subsidy deducted"),
    "relieved": pgettext_lazy("bill line", "Fallen away"),
    "amount": pgettext_lazy("bill line", "To pay"),
    "total": pgettext_lazy("bill document", "Total"),
    "capitals": pgettext_lazy("bill document", "Total in words"),
    "credited": pgettext_lazy("bill document", "Credited"),
    "subsidy_back": pgettext_lazy("bill document", "Subsidy that goes back"),
    "how_to_pay": pgettext_lazy("bill document", "How to pay"),
    "write_reference": _("Please write the payment reference on the transfer, so that it is found at once."),
    "tax": pgettext_lazy("bill document", "Tax"),
    "tax_rate": pgettext_lazy("bill document", "Tax rate"),
    "without_tax": pgettext_lazy("bill document", "Fees without tax"),
    "with_tax": pgettext_lazy("bill document", "Fees with tax"),
    "tax_of_fees": _("The fees contain the tax of the price list, whoever pays them. The VAT invoice counts."),
    "tax_not_shown": _("The published prices do not show tax apart, so neither does this bill. The VAT invoice does."),
    "not_an_invoice": _("This is not a VAT invoice. Ask the lab for the invoice."),
    "currency": pgettext_lazy("bill document", "Amounts in yuan (CNY)"),
    "times_in": pgettext_lazy("bill document", "Times are local times of the lab"),
    "maker": pgettext_lazy("bill document", "Made by"),
    "reviewer": pgettext_lazy("statement", "Reviewed by"),
    "seal": pgettext_lazy("bill document", "Finance seal"),
    "content_hash": pgettext_lazy("bill document", "Content SHA-256"),
    "check": pgettext_lazy("paper", "Check this paper"),
    "sheet_lines": pgettext_lazy("bill sheet", "Lines"),
    "sheet_about": pgettext_lazy("bill sheet", "About this file"),
    "field": pgettext_lazy("bill sheet", "Field"),
    "value": pgettext_lazy("bill sheet", "Value"),
}


def bill_captions() -> dict[str, Caption]:
    """Every caption in both languages."""
    return captions(WORDS)
