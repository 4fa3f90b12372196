"""The sentences about receipts and statements of account."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.kernel.messages import register

register(
    {
        "receipt.nothing_new": _("Nothing of this payment pays a bill of this customer that stands on no receipt yet."),
        "receipt.days": _("Choose a first day, and a last day that is not before it and not after today."),
        "receipt.nothing_between": _("Nothing was billed between these two yet."),
        "receipt.too_long": _("These would be more than %(most)s lines. Choose a shorter period."),
    }
)
