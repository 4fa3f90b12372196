"""The form with which samples are sent. Everything is checked by the service; the form only carries what was typed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from booking.rules.samples import MOST_ELEMENTS, MOST_SAMPLES, NOTE_LENGTH, WORDS_LENGTH
from booking.sample_wording import WISHES
from booking.service_wording import DIRECTIONS, fund_source_names
from booking.services.sample_jobs import PROJECT_LENGTH, names_of
from frontend.enquiry_forms import KeyedForm, choose_organisation
from instruments.models import Organisation

_NUMBER = {"inputmode": "numeric", "class": "number-short"}


class SampleJobForm(KeyedForm):
    """What is sent, for whom, and when it comes."""

    organisation = forms.ChoiceField(label=_("On behalf of"), error_messages={"required": _("Choose for whom you send samples.")})
    samples = forms.IntegerField(
        label=_("Samples"), initial=1, widget=forms.NumberInput(attrs={**_NUMBER, "min": 1, "max": MOST_SAMPLES})
    )
    elements = forms.IntegerField(
        label=_("Elements each"), initial=1, widget=forms.NumberInput(attrs={**_NUMBER, "min": 1, "max": MOST_ELEMENTS})
    )
    arrive_on = forms.DateField(
        label=_("They come to the lab on"),
        widget=forms.DateInput(attrs={"type": "date", "class": "date-short"}, format="%Y-%m-%d"),
        help_text=_("The subsidy is that of this day, and the lab works on them from then on."),
    )
    names = forms.CharField(
        label=_("Your names for the samples"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("One a line, in order. They stand on the labels beside our codes."),
    )
    hazards = forms.CharField(
        label=_("Hazards"),
        required=False,
        max_length=WORDS_LENGTH,
        help_text=_("Toxic, radioactive, infectious, reacts with air or water: whoever opens the parcel must know."),
    )
    research_project = forms.CharField(label=_("Research project"), required=False, max_length=PROJECT_LENGTH)
    service_direction = forms.ChoiceField(label=pgettext_lazy("a service", "What it is for"), required=False)
    fund_source = forms.ChoiceField(label=_("Who pays the project"), required=False)
    remains_wish = forms.ChoiceField(label=_("What is left of the samples"), choices=list(WISHES.items()))
    note = forms.CharField(
        label=_("For the lab"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "data-count": "true", "maxlength": NOTE_LENGTH}),
        help_text=_("Matrix, expected contents, what you want to find out."),
    )

    def __init__(
        self, organisations: Sequence[Organisation], asks_elements: bool, today: date, *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        choose_organisation(self, organisations)
        for name, empty, choices in (
            ("service_direction", _("As usual for your organisation"), list(DIRECTIONS.items())),
            ("fund_source", _("Not said"), fund_source_names()),
        ):
            field = self.fields[name]
            if isinstance(field, forms.ChoiceField):
                field.choices = [("", empty), *choices]
        self.fields["arrive_on"].widget.attrs["min"] = today.isoformat()
        if not asks_elements:
            del self.fields["elements"]

    def names_typed(self) -> tuple[str, ...]:
        """The names, one for each line that says something."""
        return names_of(self.cleaned_data["names"])
