"""The forms of quotations and commission sheets. Everything is checked by the services; a form only carries what was typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.ledger.rules.money import plain_yuan
from billing.ordering import wording
from billing.ordering.models import CommissionSheet, Quotation
from billing.ordering.rules.lines import UNITS, LineInput, LineKind, shown_quantity
from billing.ordering.services.quotations import QuotationInput
from billing.ordering.services.sheets import SheetInput
from config.kernel.errors import Reason, Refusal
from frontend.enquiry_forms import KeyedForm
from frontend.forms import refusal_to_form
from frontend.templatetags.jishi import bilingual
from frontend.yuan_typed import typed_fen
from instruments.models import Instrument, Resource

LEAST_ROWS, MORE_ROWS, MOST_ROWS = 3, 3, 60
_PARTS = ("what", "description", "quantity", "unit", "price")
_PLACES = {"kind": "what", "subject": "what", "unit_price": "price"}
_PREFIXES = {"i": LineKind.INSTRUMENT_TIME, "t": LineKind.TEST, "o": LineKind.OTHER}


def _area(label: Any, rows: int = 3, help_text: Any = "", required: bool = False) -> forms.CharField:
    return forms.CharField(label=label, required=required, help_text=help_text, widget=forms.Textarea(attrs={"rows": rows}))


def _day(label: Any, help_text: Any = "", required: bool = True) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, required=required, widget=widget, help_text=help_text)


class QuotationForm(KeyedForm):
    """A quotation with as many rows as are needed; rows in which nothing is typed are left out."""

    title = forms.CharField(label=_("What is offered?"), widget=forms.TextInput(attrs={"maxlength": 200}))
    valid_until = _day(_("Can be accepted until"), _("The end of this day."))
    tax_note = forms.CharField(
        label=_("Tax"), required=False, help_text=_("Whether and which tax the prices include."),
        widget=forms.TextInput(attrs={"maxlength": 300}),
    )  # fmt: skip
    terms = _area(_("Terms"), 5, _("Payment, delivery of samples and results, what happens when something goes wrong."))

    def __init__(
        self, instruments: Sequence[Instrument], tests: Sequence[Resource], rows: int, *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.rows = min(max(rows, 1), MOST_ROWS)
        things = _things(instruments, tests)
        units = [("", _("as published")), *((unit, wording.unit_word(unit)) for unit in UNITS)]
        for place in range(self.rows):
            number = {"number": place + 1}
            self.fields[f"what-{place}"] = forms.ChoiceField(
                label=_("Line %(number)s: what") % number, choices=things, required=False
            )
            self.fields[f"description-{place}"] = forms.CharField(
                label=_("Description"), required=False, widget=forms.TextInput(attrs={"maxlength": 300})
            )
            self.fields[f"quantity-{place}"] = forms.CharField(
                label=_("Quantity"), max_length=40, required=False, widget=forms.TextInput(attrs={"inputmode": "decimal"})
            )
            self.fields[f"unit-{place}"] = forms.ChoiceField(label=_("Unit"), choices=units, required=False)
            self.fields[f"price-{place}"] = forms.CharField(
                label=_("Unit price (yuan)"), max_length=40, required=False,
                widget=forms.TextInput(attrs={"inputmode": "decimal", "placeholder": _("published price")}),
            )  # fmt: skip

    @property
    def line_rows(self) -> list[list[forms.BoundField]]:
        """The bound fields of each row."""
        return [[self[f"{part}-{place}"] for part in _PARTS] for place in range(self.rows)]

    def typed_rows(self) -> list[int]:
        """The places of the rows in which something is typed."""
        return [
            place
            for place in range(self.rows)
            if any(str(self.data.get(f"{part}-{place}", "")).strip() for part in _PARTS if part != "unit")
        ]

    def given(self) -> QuotationInput:
        """What the service takes. Validate the form first. Raises Refusal ``quotation.price_unreadable``."""
        typed = self.cleaned_data
        reasons: list[Reason] = []
        lines = [self._line(place, number, reasons) for number, place in enumerate(self.typed_rows())]
        Refusal.raise_any(reasons)
        return QuotationInput(typed["title"], typed["valid_until"], tuple(lines), typed["tax_note"], typed["terms"])

    def add_refusal(self, refusal: Refusal) -> None:
        """Show every reason at the row and field it belongs to."""
        rows = self.typed_rows()
        refusal_to_form(self, Refusal(*(_placed(reason, rows) for reason in refusal.reasons)))

    def _line(self, place: int, number: int, reasons: list[Reason]) -> LineInput:
        typed = self.cleaned_data
        prefix, _sign, pk = typed[f"what-{place}"].partition(":")
        kind = _PREFIXES.get(prefix)
        price = typed_fen(typed[f"price-{place}"])
        if price is None and typed[f"price-{place}"].strip():
            reasons.append(Reason("quotation.price_unreadable", {}, f"lines.{number}.unit_price"))
        return LineInput(
            kind=kind.value if kind is not None else LineKind.OTHER.value,
            quantity=typed[f"quantity-{place}"],
            subject_id=int(pk) if pk else None,
            description=typed[f"description-{place}"],
            unit=typed[f"unit-{place}"],
            unit_price_fen=price,
        )


def _placed(reason: Reason, rows: Sequence[int]) -> Reason:
    parts = reason.field.split(".")
    if len(parts) != 3 or not parts[1].isdigit() or int(parts[1]) >= len(rows):
        return Reason(reason.code, reason.params, "" if reason.field == "lines" else reason.field)
    return Reason(reason.code, reason.params, f"{_PLACES.get(parts[2], parts[2])}-{rows[int(parts[1])]}")


def _things(instruments: Sequence[Instrument], tests: Sequence[Resource]) -> list[Any]:
    choices: list[Any] = [("", _("Please choose")), ("o:", _("Something else"))]
    if instruments:
        choices.append((_("Instrument time"), [(f"i:{one.pk}", f"{bilingual(one)} {one.model}".strip()) for one in instruments]))
    if tests:
        choices.append((_("Tests"), [(f"t:{one.pk}", bilingual(one)) for one in tests]))
    return choices


def initial_of(quotation: Quotation) -> dict[str, Any]:
    """What the form shows for a stored draft."""
    shown: dict[str, Any] = {name: getattr(quotation, name) for name in ("title", "valid_until", "tax_note", "terms")}
    for place, line in enumerate(quotation.lines.all()):
        what = f"i:{line.instrument_id}" if line.instrument_id else f"t:{line.resource_id}" if line.resource_id else "o:"
        shown |= {
            f"what-{place}": what,
            f"description-{place}": line.description,
            f"quantity-{place}": shown_quantity(line.quantity),
            f"unit-{place}": line.unit,
            f"price-{place}": plain_yuan(line.unit_price_fen),
        }
    return shown


def rows_wanted(data: Mapping[str, Any], stored: int) -> int:
    """How many rows the form has: what stands in it, and more when they are asked for."""
    text = str(data.get("rows", ""))
    rows = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else max(LEAST_ROWS, stored + 1)
    return min(rows + (MORE_ROWS if "more" in data else 0), MOST_ROWS)


class SheetForm(forms.Form):
    """What the two sides agree on in a commission sheet."""

    confidentiality = forms.ChoiceField(label=_("Confidentiality"), widget=forms.RadioSelect)
    confidentiality_note = _area(_("More about confidentiality"), 2)
    report_form = forms.ChoiceField(label=_("Form of the report"), widget=forms.RadioSelect)
    report_note = _area(_("More about the report"), 2, _("Language, copies, stamps such as CMA."))
    sample_handling = forms.ChoiceField(label=_("What is left of the samples"), widget=forms.RadioSelect)
    sample_note = _area(_("More about the samples"), 2, _("Address for sending back, dangers, how to store them."))
    due_on = _day(_("Results by"), required=False)
    terms = _area(_("Terms"), 6, _("They come from the quotation."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, names in (
            ("confidentiality", wording.CONFIDENTIALITY_NAMES),
            ("report_form", wording.REPORT_NAMES),
            ("sample_handling", wording.SAMPLE_NAMES),
        ):
            self.fields[name].choices = list(names.items())  # type: ignore[attr-defined]

    @staticmethod
    def initial_of(sheet: CommissionSheet) -> dict[str, Any]:
        """What the form shows for a stored sheet."""
        return {name: getattr(sheet, name) for name in SheetForm.base_fields}

    def given(self) -> SheetInput:
        """What the service takes. Validate the form first."""
        return SheetInput(**self.cleaned_data)


class ReasonForm(forms.Form):
    """Why something ends."""

    reason = forms.CharField(label=_("Reason"), required=False, widget=forms.Textarea(attrs={"rows": 2, "maxlength": 500}))


class NoteForm(forms.Form):
    """What the thread says beside a quotation."""

    note = forms.CharField(
        label=_("Words to go with it"), required=False, help_text=_("Left empty, number, total and last day are told."),
        widget=forms.Textarea(attrs={"rows": 2, "maxlength": 1000}),
    )  # fmt: skip


class ScanForm(forms.Form):
    """A sealed paper."""

    file = forms.FileField(
        label=_("Scan of the sealed sheet"), required=False, help_text=_("PDF, PNG or JPEG. It counts as your side's signature."),
        widget=forms.FileInput(attrs={"accept": ".pdf,.png,.jpg,.jpeg"}),
    )  # fmt: skip


def default_validity(today: date) -> date:
    """The last day that a new quotation offers: thirty days ahead."""
    return date.fromordinal(today.toordinal() + 30)
