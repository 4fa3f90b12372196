"""The captions of receipts and statements of account: Chinese first, English small beside it."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from billing.bills.captions import WORDS as BILL_WORDS
from billing.settlement.captions import Caption, captions

_SAME = (
    *("number", "made_on", "owner", "customer", "code", "other_code", "address", "bank", "account_name", "account_number"),
    *(
        "position",
        "total",
        "capitals",
        "currency",
        "maker",
        "seal",
        "content_hash",
        "check",
        "sheet_lines",
        "sheet_about",
        "field",
    ),
    "value",
)
WORDS: Mapping[str, Promise | str] = {
    **{name: BILL_WORDS[name] for name in _SAME},
    "receipt": pgettext_lazy("receipt", "Receipt"),
    "account_statement": pgettext_lazy("receipt", "Statement of account"),
    "owed_to": pgettext_lazy("receipt", "To whom it is owed"),
    "owed_by": pgettext_lazy("receipt", "Who owes it"),
    "period": pgettext_lazy("receipt", "From – to"),
    "received_on": pgettext_lazy("receipt", "Received on"),
    "method": pgettext_lazy("receipt", "Way"),
    "payer": pgettext_lazy("receipt", "Paid by"),
    "remark": pgettext_lazy("receipt", "Purpose"),
    "on": pgettext_lazy("receipt", "Date"),
    "what": pgettext_lazy("receipt", "What"),
    "paper": pgettext_lazy("receipt", "Paper"),
    "debit": pgettext_lazy("receipt", "Owed more"),
    "credit": pgettext_lazy("receipt", "Owed less"),
    "paid": pgettext_lazy("receipt", "Paid"),
    "balance": pgettext_lazy("receipt", "Owed after it"),
    "opening": pgettext_lazy("receipt", "Owed before"),
    "closing": pgettext_lazy("receipt", "Owed at the end"),
    "not_an_invoice": _("This is not a VAT invoice."),
    "agree": _("Please compare it with your books and answer within fifteen days if something differs."),
}
WHAT: Mapping[str, Promise | str] = {
    "bill": pgettext_lazy("movement of an account", "Bill"),
    "void": pgettext_lazy("movement of an account", "Bill made void"),
    "credit_note": pgettext_lazy("movement of an account", "Credit note"),
    "payment": pgettext_lazy("movement of an account", "Payment"),
    "payment_undone": pgettext_lazy("movement of an account", "Payment taken back"),
    "clawback": pgettext_lazy("movement of an account", "Claw-back notice"),
    "set_off": pgettext_lazy("movement of an account", "Taken off a claim"),
    "repaid": pgettext_lazy("movement of an account", "Paid back"),
    "repaid_undone": pgettext_lazy("movement of an account", "Paying back undone"),
    "sent_back": pgettext_lazy("movement of an account", "Came too much, sent back"),
    "sent_back_undone": pgettext_lazy("movement of an account", "Sending back undone"),
}
METHODS: Mapping[str, Promise | str] = {
    "bank": pgettext_lazy("way to pay", "Bank transfer"),
    "stripe": pgettext_lazy("way to pay", "Paid online"),
    "hand": pgettext_lazy("way to pay", "Entered by hand"),
}


def receipt_captions() -> dict[str, Caption]:
    """Every caption in both languages."""
    return captions(WORDS)
