"""Forms of the account pages, and how refusals become form errors."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import get_language, get_language_info
from django.utils.translation import gettext_lazy as _

from config.kernel.errors import Refusal
from config.kernel.messages import reason_sentence
from instruments.models import User
from instruments.services.people import checked_full_name

NAME_LENGTH = 100


def refusal_to_form(form: forms.BaseForm, refusal: Refusal) -> None:
    """Add every reason to its field where the form has one of that name, else to the summary. Validate the form first."""
    for reason in refusal.reasons:
        target = reason.field if reason.field in form.fields else None
        form.add_error(target, reason_sentence(reason))


class SignupForm(forms.Form):
    """What signing up asks besides e-mail and password."""

    full_name = forms.CharField(
        label=_("Your name"),
        max_length=NAME_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        help_text=_("As your colleagues know you."),
    )
    field_order = ["full_name", "email", "password1", "password2"]

    def clean_full_name(self) -> str:
        return _checked_name(self.cleaned_data["full_name"])

    def signup(self, request: object, user: User) -> None:
        """Called by allauth before the person is saved for good."""
        user.full_name = self.cleaned_data["full_name"]
        user.language = get_language() or settings.LANGUAGE_CODE
        user.save(update_fields=["full_name", "language"])


class SettingsForm(forms.Form):
    """A person's own settings; the shortcuts are remembered in the browser."""

    full_name = forms.CharField(
        label=_("Your name"), max_length=NAME_LENGTH, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    language = forms.ChoiceField(
        label=_("Language"), choices=settings.LANGUAGES, help_text=_("For the pages and for e-mails to you.")
    )
    shortcuts = forms.BooleanField(label=_("Keyboard shortcuts (single letters)"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].choices = [(code, _native_name(code)) for code, _name in settings.LANGUAGES]  # type: ignore[attr-defined]


def _checked_name(text: str) -> str:
    try:
        return checked_full_name(text)
    except Refusal as refusal:
        raise forms.ValidationError([reason_sentence(reason) for reason in refusal.reasons]) from refusal


def _native_name(code: str) -> str:
    return str(get_language_info(code)["name_local"])
