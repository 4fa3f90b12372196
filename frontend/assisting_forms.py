"""The forms about people who assist in sessions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from frontend.hours_forms import REASON_LENGTH, LocalMomentField
from instruments.models import User


class NameForm(forms.Form):
    """Somebody of the lab who may assist on an instrument from now on."""

    person = forms.TypedChoiceField(label=_("Person"), coerce=int)

    def __init__(self, people: Iterable[User], typed: Any = None) -> None:
        super().__init__(typed)
        self.fields["person"].choices = [(one.pk, f"{one} ({one.email})") for one in people]  # type: ignore[attr-defined]


class AbsenceForm(forms.Form):
    """When somebody is away, on their own clock."""

    starts_local = LocalMomentField(_("From"))
    ends_local = LocalMomentField(_("Until"))
    note = forms.CharField(
        label=_("Why"), required=False, max_length=REASON_LENGTH, help_text=_("Read by you and your lab's managers only.")
    )
