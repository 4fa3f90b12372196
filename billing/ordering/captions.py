"""The captions of the PDFs of quotations and commission sheets: Chinese first, English small beside it."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from billing.settlement.captions import Caption, both

Word = Promise | str

WORDS: Mapping[str, Word] = {
    "quotation": pgettext_lazy("order document", "Quotation"),
    "commission": pgettext_lazy("order document", "Commission sheet"),
    "number": pgettext_lazy("order document", "Number"),
    "made_on": pgettext_lazy("order document", "Date"),
    "valid_until": pgettext_lazy("order document", "Valid until"),
    "about": pgettext_lazy("order document", "Concerning"),
    "question": pgettext_lazy("order document", "In answer to"),
    "from_quotation": pgettext_lazy("order document", "From quotation"),
    "lab": pgettext_lazy("order document", "Lab (provider)"),
    "customer": pgettext_lazy("order document", "Customer"),
    "code": pgettext_lazy("order document", "Unified social credit code"),
    "other_code": pgettext_lazy("order document", "Registration number"),
    "address": pgettext_lazy("order document", "Address"),
    "contact": pgettext_lazy("order document", "Contact"),
    "bank": pgettext_lazy("order document", "Bank"),
    "account": pgettext_lazy("order document", "Account"),
    "position": pgettext_lazy("order document", "No."),
    "item": pgettext_lazy("order document", "Item"),
    "kind": pgettext_lazy("order document", "Kind"),
    "quantity": pgettext_lazy("order document", "Quantity"),
    "unit": pgettext_lazy("order document", "Unit"),
    "unit_price": pgettext_lazy("order document", "Unit price"),
    "amount": pgettext_lazy("order document", "Amount"),
    "total": pgettext_lazy("order document", "Total"),
    "capitals": pgettext_lazy("order document", "Total in words"),
    "currency": pgettext_lazy("order document", "Amounts in yuan (CNY)"),
    "tax": pgettext_lazy("order document", "Tax"),
    "terms": pgettext_lazy("order document", "Terms"),
    "confidentiality": pgettext_lazy("order document", "Confidentiality"),
    "report": pgettext_lazy("order document", "Form of the report"),
    "samples": pgettext_lazy("order document", "What is left of samples"),
    "due": pgettext_lazy("order document", "Results by"),
    "signatures": pgettext_lazy("order document", "Signatures"),
    "signed": pgettext_lazy("order document", "Signed by"),
    "date": pgettext_lazy("order document", "Date"),
    "seal": pgettext_lazy("order document", "Seal"),
    "scan": pgettext_lazy("order document", "Scan SHA-256"),
    "content_hash": pgettext_lazy("order document", "Content SHA-256"),
    "check": pgettext_lazy("paper", "Check this paper"),
    "no_invoice": pgettext_lazy("order document", "This is not a VAT invoice."),
    "subsidy": pgettext_lazy("order document", "Prices before subsidy; subsidies are settled separately."),
}


def captions() -> dict[str, Caption]:
    """Every caption in both languages."""
    return {name: both(word) for name, word in WORDS.items()}
