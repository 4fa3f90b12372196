"""The form that takes in a code list."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from instruments.code_wording import SCHEME_NAMES
from instruments.rules.reading_options import ReadingOptions
from instruments.services.code_list_import import CODES, VALID_FROM
from instruments.services.import_runs import Asked


class CodeListForm(forms.Form):
    """Which list, as which file, and since when it holds."""

    scheme = forms.ChoiceField(label=pgettext_lazy("code list", "List"), choices=list(SCHEME_NAMES.items()))
    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV with the columns of the published list. Nothing is written before you have seen a preview."),
    )
    valid_from = forms.DateField(
        label=_("Holds from"),
        help_text=_("The first list of a kind holds from ever; a newer one from this day on."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def __init__(self, today: date, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files, initial={"valid_from": today})

    def asked(self) -> Asked:
        """What was chosen; call it on a valid form."""
        typed = self.cleaned_data
        return Asked(
            CODES.code, typed["scheme"], None, options=ReadingOptions(constants={VALID_FROM: typed["valid_from"].isoformat()})
        )
