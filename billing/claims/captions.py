"""The captions of redemption forms, payment lists and claw-back notices: Chinese first, English small beside it."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from billing.settlement.captions import Caption, captions

WORDS: Mapping[str, Promise | str] = {
    "redemption_form": pgettext_lazy("claim document", "Redemption form"),
    "payment_list": pgettext_lazy("claim document", "Payment list"),
    "clawback": pgettext_lazy("claim document", "Claw-back notice"),
    "number": pgettext_lazy("claim document", "Number"),
    "made_on": pgettext_lazy("claim document", "Date"),
    "check": pgettext_lazy("paper", "Check this paper"),
    "batch": pgettext_lazy("claim document", "Batch"),
    "programme": pgettext_lazy("claim document", "Programme"),
    "office": pgettext_lazy("claim document", "Office"),
    "fund_year": pgettext_lazy("claim document", "Budget year"),
    "budget_item": pgettext_lazy("claim document", "Budget item"),
    "period": pgettext_lazy("claim document", "Services from – to"),
    "of_claim": pgettext_lazy("claim document", "Of claim"),
    "cause": pgettext_lazy("claim document", "Cause"),
    "reason": pgettext_lazy("claim document", "Reason"),
    "payee": pgettext_lazy("claim document", "Payee"),
    "debtor": pgettext_lazy("claim document", "Who pays it back"),
    "code": pgettext_lazy("claim document", "Unified social credit code"),
    "bank": pgettext_lazy("claim document", "Bank"),
    "account_name": pgettext_lazy("claim document", "Account name"),
    "account_number": pgettext_lazy("claim document", "Account number"),
    "position": pgettext_lazy("claim line", "No."),
    "reference": pgettext_lazy("claim line", "Session or job"),
    "subject": pgettext_lazy("claim line", "Instrument or test"),
    "other": pgettext_lazy("claim line", "Other side"),
    "service_on": pgettext_lazy("claim line", "Day of service"),
    "invoice_number": pgettext_lazy("claim line", "Invoice"),
    "gross": pgettext_lazy("claim line", "Price"),
    "amount": pgettext_lazy("claim line", "Subsidy"),
    "claim": pgettext_lazy("claim line", "Claim"),
    "of_claim_fen": pgettext_lazy("claim line", "Of a claim over"),
    "to_pay": pgettext_lazy("claim line", "To pay"),
    "publicity": pgettext_lazy("claim line", "Publicity and what came of it"),
    "payer": pgettext_lazy("claim document", "Payer"),
    "payers": pgettext_lazy("claim document", "By payer"),
    "evidence": pgettext_lazy("claim document", "Annexes"),
    "total": pgettext_lazy("claim document", "Total"),
    "capitals": pgettext_lazy("claim document", "Total in words"),
    "maker": pgettext_lazy("claim document", "Made by"),
    "reviewer": pgettext_lazy("claim document", "Checked by"),
    "approver": pgettext_lazy("claim document", "Approved by"),
    "draft": pgettext_lazy("claim document", "Not approved"),
    "seal": pgettext_lazy("claim document", "Seal"),
    "finance_seal": pgettext_lazy("claim document", "Finance seal"),
    "currency": pgettext_lazy("claim document", "Amounts in yuan (CNY)"),
    "declares": _("The payee declares that the services were rendered, that each invoice is claimed once, and that all is true."),
    "due_on": pgettext_lazy("claim document", "Pay back by"),
    "pay_reference": pgettext_lazy("claim document", "Purpose on the transfer"),
    "pay_bank": pgettext_lazy("claim document", "To the office's bank"),
    "pay_account_name": pgettext_lazy("claim document", "To the account of"),
    "pay_account_number": pgettext_lazy("claim document", "To account number"),
    "is_paid_back": _(
        "Transfer this amount by the day above with the purpose above. What has not come back is taken off the next claims of"
        " this programme."
    ),
    "surplus": _("Came too much for claw-backs and goes back with this list, beside its total"),
    "of_notice": pgettext_lazy("claim document", "Claw-back notice"),
    "in_all": pgettext_lazy("claim document", "To transfer in all"),
    "payable_later": _(
        "Nothing is to be paid while the claim is not approved. Once it is, this amount is taken off the next claims of this programme,"
        " or transferred with the purpose above."
    ),
    "comes_back": _("This amount is taken off the next claims of this programme."),
    "not_an_invoice": _("This is not a VAT invoice."),
    "content_hash": pgettext_lazy("claim document", "Content SHA-256"),
    "sheet_lines": pgettext_lazy("claim sheet", "Lines"),
    "sheet_about": pgettext_lazy("claim sheet", "About this file"),
    "field": pgettext_lazy("claim sheet", "Field"),
    "value": pgettext_lazy("claim sheet", "Value"),
}


def claim_captions() -> dict[str, Caption]:
    """Every caption in both languages."""
    return captions(WORDS)
