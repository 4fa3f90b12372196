"""The forms with which people ask labs and labs answer. Everything is checked by the services; a form only carries what was typed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from booking.rules.enquiries import SUBJECT_LENGTH, TEXT_LENGTH
from booking.services.enquiries import TECHNIQUE_LENGTH
from booking.services.enquiry_files import ACCEPTED
from frontend.organisation_forms import region_choices
from instruments.models import Organisation

_NO_ORGANISATION = _("Choose the organisation for which you ask.")


class ManyFiles(forms.FileInput):
    """A control for several files."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several files, or none; ``attachments`` reads them, the service looks at each."""

    def __init__(self) -> None:
        widget = ManyFiles(attrs={"multiple": True, "accept": ACCEPTED})
        hint = _("PDF, pictures, CSV, text, XLSX, DOCX; five at most. Only the two sides can open them.")
        super().__init__(label=_("Files"), required=False, widget=widget, help_text=hint)

    def clean(self, data: Any, initial: Any = None) -> Any:
        return data


def _area(label: Any, rows: int, help_text: Any = "") -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows, "data-count": "true", "maxlength": TEXT_LENGTH})
    return forms.CharField(label=label, widget=widget, help_text=help_text)


class KeyedForm(forms.Form):
    """A form that is sent once: the key makes a second copy of it find the first one's result."""

    key = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = {"key": str(uuid4()), **(kwargs.get("initial") or {})}
        super().__init__(*args, **kwargs)


def choose_organisation(form: forms.Form, organisations: Sequence[Organisation]) -> None:
    """Offer these organisations in the form's ``organisation``; the only one is chosen already."""
    field = form.fields["organisation"]
    english = (get_language() or "").startswith("en")
    choices = [(str(one.pk), (english and one.name_en) or one.name) for one in organisations]
    if len(choices) != 1:
        choices.insert(0, ("", str(_("Please choose"))))
    field.choices = choices  # type: ignore[attr-defined]
    if len(organisations) == 1:
        field.initial = str(organisations[0].pk)


class QuestionForm(KeyedForm):
    """A question about one thing."""

    organisation = forms.ChoiceField(label=_("On behalf of"), error_messages={"required": _NO_ORGANISATION})
    subject = forms.CharField(label=_("What is it about?"), widget=forms.TextInput(attrs={"maxlength": SUBJECT_LENGTH}))
    text = _area(_("Your question"), 7, _("What you want to know or have measured, on what, how many, until when."))
    attachments = FilesField()

    def __init__(self, organisations: Sequence[Organisation], *args: Any, asks_customer: bool = False, **kwargs: Any) -> None:
        """``asks_customer``: a lab asks the one organisation that is given."""
        super().__init__(*args, **kwargs)
        choose_organisation(self, organisations)
        if asks_customer:
            self.fields["organisation"].widget = forms.HiddenInput()
            self.fields["text"].widget.attrs["data-focus"] = ""
            self.fields["text"].help_text = _("What you need to know, or what the customer has to send or decide.")


class NeedForm(KeyedForm):
    """An unmet need for several labs."""

    organisation = forms.ChoiceField(label=_("On behalf of"), error_messages={"required": _NO_ORGANISATION})
    subject = forms.CharField(label=_("What do you need?"), widget=forms.TextInput(attrs={"maxlength": SUBJECT_LENGTH}))
    text = _area(_("In your own words"), 6, _("What is to be measured, on what, how many samples, how exactly, until when."))
    technique = forms.CharField(
        label=_("Technique, if you know it"),
        required=False,
        widget=forms.TextInput(attrs={"maxlength": TECHNIQUE_LENGTH}),
    )
    region_code = forms.ChoiceField(label=_("Best in this region"), required=False)
    labs = forms.MultipleChoiceField(
        label=_("Labs to ask"),
        error_messages={"required": _("Choose at least one lab to ask.")},
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Ten at most. Each lab sees only its own question."),
    )
    attachments = FilesField()

    def __init__(self, organisations: Sequence[Organisation], labs: Sequence[tuple[str, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choose_organisation(self, organisations)
        self.fields["labs"].choices = list(labs)  # type: ignore[attr-defined]
        self.fields["region_code"].choices = [("", _("Anywhere")), *region_choices()[1:]]  # type: ignore[attr-defined]


class MessageForm(KeyedForm):
    """Writing on in a thread."""

    text = _area(_("Your message"), 4)
    attachments = FilesField()
