"""The forms with which a lab keeps its instruments."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, time
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from config.kernel.errors import Reason, Refusal
from config.kernel.messages import reason_sentence
from instruments.registry_wording import WEEKDAY_NAMES
from instruments.services.instrument_files import CAPTION_LENGTH, TITLE_LENGTH
from instruments.services.problems import TEXT_LENGTH
from instruments.services.registry import WeeklyWindow

WINDOWS_A_DAY = 2


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


class HoursForm(forms.Form):
    """Two windows for each day of the week."""

    valid_from = forms.DateField(label=_("Valid from"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))

    def __init__(self, windows: Iterable[WeeklyWindow], first_day: date, *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = _hours_initial(windows) | {"valid_from": first_day}
        super().__init__(*args, **kwargs)
        for weekday in range(7):
            for place in range(WINDOWS_A_DAY):
                for end, label in (("opens", _("opens at")), ("closes", _("closes at"))):
                    self.fields[_hour_name(weekday, place, end)] = forms.TimeField(
                        label=label, required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
                    )

    def days(self) -> list[tuple[Any, list[tuple[forms.BoundField, forms.BoundField]]]]:
        """Each weekday's name with its pairs of fields."""
        return [
            (
                name,
                [
                    (self[_hour_name(weekday, place, "opens")], self[_hour_name(weekday, place, "closes")])
                    for place in range(WINDOWS_A_DAY)
                ],
            )
            for weekday, name in enumerate(WEEKDAY_NAMES)
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for weekday in range(7):
            for place in range(WINDOWS_A_DAY):
                opens, closes = (_hour_name(weekday, place, end) for end in ("opens", "closes"))
                if (cleaned.get(opens) is None) != (cleaned.get(closes) is None) and not {opens, closes} & set(self.errors):
                    missing = opens if cleaned.get(opens) is None else closes
                    self.add_error(missing, forms.ValidationError(_("Fill in both times, or none of them.")))
        return cleaned

    def windows(self) -> list[WeeklyWindow]:
        """The windows that were filled in."""
        found = []
        for weekday in range(7):
            for place in range(WINDOWS_A_DAY):
                opens: time | None = self.cleaned_data[_hour_name(weekday, place, "opens")]
                closes: time | None = self.cleaned_data[_hour_name(weekday, place, "closes")]
                if opens is not None and closes is not None:
                    found.append(WeeklyWindow(weekday, opens, closes))
        return found


class ClosureForm(forms.Form):
    """A closure that happens once, in the wall time of the place."""

    starts_local = forms.DateTimeField(label=_("Closed from"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}))
    ends_local = forms.DateTimeField(label=_("Closed until"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}))
    reason = forms.CharField(label=_("Reason"), required=False, max_length=200, help_text=_("Everybody can read it."))


def add_refusal(form: forms.BaseForm, refusal: Refusal) -> None:
    """Put every reason at its field; those of ``original_value_fen`` stand at the amount, those of a window at the summary."""
    names = {"original_value_fen": "original_value", "site_id": "site"}
    for reason in refusal.reasons:
        _add(form, reason, names.get(reason.field, reason.field))


def _add(form: forms.BaseForm, reason: Reason, field: str) -> None:
    form.add_error(field if field in form.fields else None, reason_sentence(reason))


def _hour_name(weekday: int, place: int, end: str) -> str:
    return f"day{weekday}_{place}_{end}"


def _hours_initial(windows: Iterable[WeeklyWindow]) -> dict[str, Any]:
    initial: dict[str, Any] = {}
    placed: dict[int, int] = {}
    for window in windows:
        place = placed.get(window.weekday, 0)
        placed[window.weekday] = place + 1
        initial[_hour_name(window.weekday, place, "opens")] = window.opens
        initial[_hour_name(window.weekday, place, "closes")] = window.closes
    return initial
