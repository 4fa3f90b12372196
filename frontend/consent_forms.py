"""The form by which a person lets a colleague book in their name. The service checks; the form only carries what was typed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from frontend.training_forms import WithChoices


class ConsentForm(WithChoices):
    """``taker`` is a pair "organisation:person", so that one choice says both."""

    taker = forms.ChoiceField(
        label=_("Colleague"), help_text=_("May book in your name, and pay from the fund cards from which you may.")
    )
    until_on = forms.DateField(
        label=_("Until"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("The last day, a year ahead at most."),
    )

    def __init__(self, people: Iterable[tuple[str, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choices("taker", [("", _("Choose")), *people])

    def pair(self) -> tuple[int, int]:
        """(organisation, person) of a valid form."""
        organisation, person = self.cleaned_data["taker"].split(":")
        return int(organisation), int(person)
