"""The forms with which a lab keeps its instruments."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from config.kernel.errors import Reason, Refusal
from config.kernel.messages import reason_sentence
from instruments.services.instrument_files import CAPTION_LENGTH, TITLE_LENGTH
from instruments.services.problems import TEXT_LENGTH


class PhotoForm(forms.Form):
    file = forms.FileField(
        label=_("New photo"),
        help_text=_("JPEG or PNG. It is made smaller, and where and when it was taken is removed."),
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png"}),
    )


class PictureForm(forms.Form):
    """A further picture with what it shows."""

    file = forms.FileField(
        label=_("New picture"),
        help_text=_("JPEG or PNG. It is made smaller, and where and when it was taken is removed."),
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png"}),
    )
    caption = forms.CharField(label=_("What it shows"), required=False, max_length=CAPTION_LENGTH)


class DocumentForm(forms.Form):
    """A document for everybody."""

    title = forms.CharField(label=_("Title"), max_length=TITLE_LENGTH)
    file = forms.FileField(
        label=_("File"),
        help_text=_("PDF, JPEG or PNG. Everybody can download it."),
        widget=forms.FileInput(attrs={"accept": "application/pdf,image/jpeg,image/png"}),
    )


class DecisionForm(forms.Form):
    """The operator's answer to a proposed change."""

    reason = forms.CharField(
        label=_("Reason, if you refuse"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The owner reads it. Say what to mend."),
    )


class ProblemForm(forms.Form):
    """What is wrong with an instrument."""

    text = forms.CharField(
        label=_("What is wrong?"),
        max_length=TEXT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 5, "data-count": "true"}),
        help_text=_("What you did, what happened, and when. The lab reads it and gets a mail."),
    )
    file = forms.FileField(
        label=_("Photo"),
        required=False,
        help_text=_("JPEG or PNG, if a picture says more."),
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png"}),
    )


class SheetForm(forms.Form):
    """A table that was filled in."""

    file = forms.FileField(
        label=_("Filled-in table"),
        help_text=_("The .xlsx that you downloaded here. You see every difference before anything is saved."),
        widget=forms.FileInput(attrs={"accept": ".xlsx"}),
    )


def add_refusal(form: forms.BaseForm, refusal: Refusal) -> None:
    """Put every reason at its field; those of ``original_value_fen`` stand at the amount, those of a window at the summary."""
    names = {"original_value_fen": "original_value", "site_id": "site"}
    for reason in refusal.reasons:
        _add(form, reason, names.get(reason.field, reason.field))


def _add(form: forms.BaseForm, reason: Reason, field: str) -> None:
    form.add_error(field if field in form.fields else None, reason_sentence(reason))
