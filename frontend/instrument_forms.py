"""The forms with which a lab keeps its instruments."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields as dataclass_fields
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from config.kernel.errors import Reason, Refusal
from config.kernel.messages import reason_sentence
from frontend.presenters.instruments import class_name
from frontend.states import look_of
from instruments.models import Instrument, InstrumentStatus, Site
from instruments.registry_wording import SERVICE_MODE_NAMES
from instruments.rules.classification import instrument_classes
from instruments.rules.registry_values import LONG_TEXT_LENGTHS, NAME_LENGTH, TEXT_LENGTHS, money_fen
from instruments.services.registry import InstrumentFields

_KNOWN = frozenset(field.name for field in dataclass_fields(InstrumentFields))


class InstrumentForm(forms.Form):
    """Everything that is known about an instrument; lengths and contents are checked by the service's own rules."""

    name = forms.CharField(label=_("Name"), max_length=NAME_LENGTH)
    name_en = forms.CharField(label=_("Name in English"), required=False, max_length=TEXT_LENGTHS["name_en"])
    class_code = forms.ChoiceField(label=_("Class"), required=False)
    technique = forms.CharField(
        label=_("Technique"), required=False, max_length=TEXT_LENGTHS["technique"], help_text=_("What it measures or makes.")
    )
    manufacturer = forms.CharField(label=_("Manufacturer"), required=False, max_length=TEXT_LENGTHS["manufacturer"])
    model = forms.CharField(label=_("Model"), required=False, max_length=TEXT_LENGTHS["model"])
    inner_id = forms.CharField(
        label=_("Your own number"), required=False, max_length=TEXT_LENGTHS["inner_id"], help_text=_("As it stands on the label.")
    )
    original_value = forms.CharField(label=_("Original value in yuan"), required=False, max_length=30)
    commissioned_on = forms.DateField(
        label=_("In service since"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    site = forms.ChoiceField(label=_("Place"), required=False)
    new_place = forms.CharField(
        label=_("Or a new place"), required=False, max_length=200, help_text=_("Building or campus, if it is not in the list.")
    )
    service_modes = forms.MultipleChoiceField(
        label=_("Ways of service"),
        required=False,
        choices=list(SERVICE_MODE_NAMES.items()),
        widget=forms.CheckboxSelectMultiple,
    )
    description = forms.CharField(
        label=_("What it is for"),
        required=False,
        max_length=LONG_TEXT_LENGTHS["description"],
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    description_en = forms.CharField(
        label=_("What it is for, in English"),
        required=False,
        max_length=LONG_TEXT_LENGTHS["description_en"],
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    status = forms.ChoiceField(label=_("Running state"))
    contact_name = forms.CharField(label=_("Contact"), required=False, max_length=TEXT_LENGTHS["contact_name"])
    contact_phone = forms.CharField(label=_("Telephone"), required=False, max_length=TEXT_LENGTHS["contact_phone"])
    contact_email = forms.EmailField(label=_("E-mail"), required=False)
    published = forms.BooleanField(label=_("Shown to everybody"), required=False)

    def __init__(self, sites: Iterable[Site], instrument: Instrument | None, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("initial", _initial(instrument))
        super().__init__(*args, **kwargs)
        places = [(str(site.pk), site.name) for site in sites]
        self._choices("site", [("", _("Choose a place")), *places])
        self._choices("class_code", _class_choices(instrument))
        self._choices("status", [(value, look_of("instrument", value).word) for value in InstrumentStatus.values])

    def clean_original_value(self) -> int | None:
        """The amount in fen."""
        try:
            return money_fen(self.cleaned_data["original_value"], "yuan")
        except Refusal as refusal:
            raise forms.ValidationError([reason_sentence(reason) for reason in refusal.reasons]) from refusal

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not cleaned.get("site") and not cleaned.get("new_place") and "site" not in self.errors:
            self.add_error("site", forms.ValidationError(_("Choose a place, or name a new one.")))
        return cleaned

    def values(self) -> dict[str, Any]:
        """What was typed, by the names of ``InstrumentFields``."""
        given = {name: value for name, value in self.cleaned_data.items() if name in _KNOWN}
        return given | {"original_value_fen": self.cleaned_data["original_value"]}

    def _choices(self, name: str, choices: list[tuple[str, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices


def _initial(instrument: Instrument | None) -> dict[str, Any]:
    if instrument is None:
        return {"status": InstrumentStatus.NORMAL.value, "published": True}
    value = instrument.original_value_fen
    return {name: getattr(instrument, name) for name in _KNOWN} | {
        "original_value": "" if value is None else f"{value // 100}.{value % 100:02d}",
        "site": str(instrument.site_id),
    }


def _class_choices(instrument: Instrument | None) -> list[tuple[str, Any]]:
    """The classes of the national list, and the finer code that the instrument has."""
    choices: list[tuple[str, Any]] = [("", _("Not classified"))]
    choices += [(code, class_name(code)) for code in instrument_classes()]
    if instrument is not None and instrument.class_code not in {code for code, _name in choices}:
        choices.append((instrument.class_code, f"{class_name(instrument.class_code)} ({instrument.class_code})"))
    return choices


class PhotoForm(forms.Form):
    file = forms.FileField(
        label=_("New photo"),
        help_text=_("JPEG or PNG. It is made smaller, and where and when it was taken is removed."),
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png"}),
    )


def add_refusal(form: forms.BaseForm, refusal: Refusal) -> None:
    """Put every reason at its field; those of ``original_value_fen`` stand at the amount, those of a window at the summary."""
    names = {"original_value_fen": "original_value", "site_id": "site"}
    for reason in refusal.reasons:
        _add(form, reason, names.get(reason.field, reason.field))


def _add(form: forms.BaseForm, reason: Reason, field: str) -> None:
    form.add_error(field if field in form.fields else None, reason_sentence(reason))
