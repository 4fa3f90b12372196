"""The form of an instrument centre."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from frontend.code_choices import code_line, code_typed
from instruments.field_wording import CENTRE_NAMES, NO, YES
from instruments.models import InstrumentCentre
from instruments.rules.centre_values import CENTRE_FIELDS, INTRODUCTION_LENGTH

_NAMES: Mapping[str, Any] = CENTRE_NAMES
_ANSWERS = {True: "yes", False: "no"}


def _line(name: str, most: int, hint: Any = "", *, required: bool = False) -> forms.CharField:
    return forms.CharField(label=_NAMES[name], max_length=most, required=required, help_text=hint)


class CentreForm(forms.Form):
    """Everything about a centre; the service says what is wrong with it."""

    inner_id = _line("inner_id", 150, _("Instruments name it as what they belong to."), required=True)
    name = _line("name", 300, required=True)
    website = _line("website", 200)
    founded_on = forms.DateField(
        label=_NAMES["founded_on"], required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    subject_codes = forms.CharField(
        label=_NAMES["subject_codes"],
        required=False,
        help_text=_("Names or codes of GB/T 13745, one on each line; at most 4."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    accredited = forms.ChoiceField(
        label=_NAMES["accredited"], required=False, choices=[("", _("Not known")), ("yes", YES), ("no", NO)]
    )
    floor_area_m2 = _line("floor_area_m2", 20)
    introduction = forms.CharField(
        label=_NAMES["introduction"],
        required=False,
        max_length=INTRODUCTION_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3, "data-count": "true"}),
    )
    region_code = _line("region_code", 6, _("Six digits, like 630100 for Xining."))
    contact_name = _line("contact_name", 100)
    contact_phone = _line("contact_phone", 50)
    contact_email = _line("contact_email", 254)
    contact_address = _line("contact_address", 300)
    contact_postal_code = _line("contact_postal_code", 20)

    def __init__(self, centre: InstrumentCentre | None, data: Any = None) -> None:
        super().__init__(data, initial={} if centre is None else _shown(centre))

    def given(self) -> dict[str, Any]:
        """What was typed; call it on a valid form."""
        typed = {name: self.cleaned_data[name] for name in CENTRE_FIELDS}
        lines = typed["subject_codes"].splitlines()
        typed["subject_codes"] = [code_typed("subject_codes", line) for line in lines if line.strip()]
        typed["accredited"] = {"yes": True, "no": False}.get(typed["accredited"])
        return typed


def _shown(centre: InstrumentCentre) -> dict[str, Any]:
    found = {name: getattr(centre, name) for name in CENTRE_FIELDS}
    found["subject_codes"] = "\n".join(code_line("subject_codes", code) for code in centre.subject_codes)
    found["accredited"] = _ANSWERS.get(centre.accredited, "") if centre.accredited is not None else ""
    return {name: "" if value is None else value for name, value in found.items()}
