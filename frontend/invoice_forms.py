"""Forms of VAT invoices. What was typed is checked by the services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from billing.invoices.rules.checks import Given
from billing.invoices.rules.table import Unread, given_of
from billing.invoices.services.recording import Handed
from billing.invoices.wording import KINDS
from config.kernel.errors import Reason, Refusal
from frontend.firm_forms import MoneyForm


class AskForm(MoneyForm):
    """To whom the invoice is made out and where it is sent."""

    title = forms.CharField(label=_("Made out to"), max_length=200)
    buyer_code = forms.CharField(label=_("Unified social credit code of the buyer"), max_length=40)
    kind = forms.ChoiceField(label=_("Kind of invoice"), choices=list(KINDS.items()))
    email = forms.CharField(label=_("Sent to (e-mail)"), max_length=254, widget=forms.EmailInput)
    note = forms.CharField(label=_("Remark on the invoice"), required=False, max_length=200)
    other_buyer = forms.CharField(
        label=_("Who is named instead of the customer, and why"),
        required=False,
        max_length=200,
        help_text=_(
            "Only where the code is not the customer's own, for example of the parent that pays. Finance and reviewers read it."
        ),
    )


class RecordForm(MoneyForm):
    """An invoice as the tax platform made it."""

    number = forms.CharField(label=_("Invoice number"), max_length=40, help_text=_("20 digits; of old paper 8."))
    code = forms.CharField(label=_("Invoice code"), required=False, max_length=20, help_text=_("Only old paper has one."))
    issued_on = forms.CharField(label=_("Date of the invoice"), max_length=40, widget=forms.DateInput(attrs={"type": "date"}))
    buyer_code = forms.CharField(label=_("Code of the buyer"), max_length=40)
    seller_code = forms.CharField(label=_("Code of the seller"), max_length=40)
    net = forms.CharField(label=_("Amount without tax (yuan)"), max_length=24)
    tax = forms.CharField(label=_("Tax (yuan)"), max_length=24)
    total = forms.CharField(label=_("Total with tax (yuan)"), max_length=24)
    file = forms.FileField(
        label=_("The invoice itself"),
        required=False,
        help_text=_("PDF, OFD or XML, as the tax platform gave it."),
        widget=forms.FileInput(attrs={"accept": ".pdf,.ofd,.xml"}),
    )

    def given(self) -> Given:
        """What was typed. Raises Refusal for a cell that cannot be read."""
        cells: Mapping[str, Any] = {name: value for name, value in self.cleaned_data.items() if isinstance(value, str)}
        try:
            return given_of(cells)
        except Unread as error:
            raise Refusal(Reason(error.fault.code, error.fault.params, error.fault.field)) from error

    def handed(self) -> Handed | None:
        """The file, where one was handed in."""
        file = self.cleaned_data.get("file")
        return handed_file(file) if isinstance(file, UploadedFile) else None


class TableForm(MoneyForm):
    """A table that comes back from the tax platform; its files beside it."""

    file = forms.FileField(
        label=_("The table of the tax platform (CSV)"),
        help_text=_(
            "UTF-8 or GBK, with the number of the bill in each row; a red-letter row names the blue invoice (对应蓝字发票号码)."
            " Whole or not at all."
        ),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt"}),
    )
    owner = forms.ChoiceField(label=_("Institution"))

    def __init__(self, owners: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["owner"]
        field.choices = [(str(each.pk), each.name) for each in owners]


def handed_file(file: UploadedFile) -> Handed:
    """An upload as the services take it; one byte too many is enough to refuse it."""
    return Handed(file.name or "", file.read(settings.MAX_UPLOAD_BYTES + 1))
