"""What things around VAT invoices are called."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

Word = Promise | str
KINDS: Mapping[str, Word] = {
    "ordinary": pgettext_lazy("VAT invoice", "Ordinary invoice"),
    "special": pgettext_lazy("VAT invoice", "Special invoice"),
}
ITEM: Word = pgettext_lazy("VAT invoice", "Testing service")
#: Headings of the table for the tax platform.
COLUMNS: tuple[Word, ...] = (
    pgettext_lazy("VAT invoice", "Number of the bill"),
    pgettext_lazy("VAT invoice", "Name of the buyer"),
    pgettext_lazy("VAT invoice", "Code of the buyer"),
    pgettext_lazy("VAT invoice", "Code of the seller"),
    pgettext_lazy("VAT invoice", "Kind of invoice"),
    pgettext_lazy("VAT invoice", "E-mail"),
    pgettext_lazy("VAT invoice", "Item"),
    pgettext_lazy("VAT invoice", "Unit"),
    pgettext_lazy("VAT invoice", "Quantity"),
    pgettext_lazy("VAT invoice", "Tax rate"),
    pgettext_lazy("VAT invoice", "Amount without tax"),
    pgettext_lazy("VAT invoice", "Tax"),
    pgettext_lazy("VAT invoice", "Total with tax"),
    pgettext_lazy("VAT invoice", "Takes back invoice"),
    pgettext_lazy("VAT invoice", "Remark"),
)
