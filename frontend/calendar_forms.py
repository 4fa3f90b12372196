"""The forms about calendars."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from booking.models import FeedKind
from frontend.templatetags.jishi import bilingual
from instruments.models import Instrument, Organisation

FEED_KINDS = {
    FeedKind.MINE.value: _("What I booked"),
    FeedKind.LAB.value: _("All bookings of the labs that I manage, with names"),
}


class ClosureFileForm(forms.Form):
    """A file of closures, and for which instruments of the owner it holds."""

    file = forms.FileField(
        label=_("Calendar file"),
        help_text=_("An .ics file, as every calendar program exports it."),
        widget=forms.FileInput(attrs={"accept": ".ics,text/calendar"}),
        max_length=200,
        allow_empty_file=True,
    )
    with_titles = forms.BooleanField(
        label=_("Show the events' titles as reasons"), required=False, initial=True, help_text=_("Everybody can read them.")
    )
    others = forms.MultipleChoiceField(
        label=_("Close these too"), required=False, widget=forms.CheckboxSelectMultiple, help_text=_("At the same times.")
    )

    def __init__(self, candidates: Iterable[Instrument], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(str(each.pk), bilingual(each)) for each in candidates]
        self.fields["others"].choices = choices  # type: ignore[attr-defined]
        if not choices:
            del self.fields["others"]

    def instruments(self) -> list[int]:
        """The other instruments that were chosen."""
        return [int(each) for each in self.cleaned_data.get("others", [])]


class SubscriptionForm(forms.Form):
    """Another calendar of the lab."""

    address = forms.CharField(
        label=_("Address of the calendar"),
        max_length=1000,
        help_text=_("The link to its .ics file; calendar programs call it secret address or subscription link."),
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}),
    )
    title = forms.CharField(label=_("Name"), max_length=200, help_text=_("Only people of the lab see it."))


class FeedForm(forms.Form):
    """A new calendar link."""

    kind = forms.ChoiceField(label=_("What it shows"), widget=forms.RadioSelect)
    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("Where you use it, for example: phone."))
    expires_on = forms.DateField(
        label=_("Last day"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Empty: until you revoke it."),
    )

    def __init__(self, labs: Sequence[Organisation], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = [kind for kind in FEED_KINDS if kind != FeedKind.LAB or labs]
        each = labs if len(labs) > 1 else []
        self.fields["kind"].choices = [  # type: ignore[attr-defined]
            *((kind, FEED_KINDS[kind]) for kind in kinds),
            *((f"{FeedKind.LAB.value}-{lab.pk}", lab_words(lab)) for lab in each),
        ]
        self.fields["kind"].initial = kinds[-1]

    def what(self) -> tuple[str, int | None]:
        """The kind that was chosen, and the one lab when it is of one."""
        kind, _dash, lab = self.cleaned_data["kind"].partition("-")
        return kind, int(lab) if lab else None


def lab_words(lab: Organisation) -> str:
    """What a link of one lab shows."""
    return gettext("All bookings of %(lab)s, with names") % {"lab": bilingual(lab)}
