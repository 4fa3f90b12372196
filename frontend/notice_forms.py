"""Forms about being told. Everything is checked by the services; a form only carries what was typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from instruments.models import NoticeSettings
from instruments.notice_events import events, groups, public_events
from instruments.services import channels, notices
from instruments.services.notice_settings import Wishes

_CLOCK = {"type": "time"}
#: What a single event's field says where it goes nowhere but to the bell.
_NOWHERE = "-"


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group of the page with its single events; ``says_more``: one of these goes another way."""

    field: forms.BoundField
    events: list[forms.BoundField]
    says_more: bool


class NoticeSettingsForm(forms.Form):
    """Channels by group (one field a group, and one for each of its events that may go another way), digest, quiet hours."""

    digest = forms.ChoiceField(
        label=_("Mail that nobody waits for"),
        choices=[
            ("immediately", pgettext_lazy("mail", "At once")),
            ("daily", _("Gathered, once a day")),
            ("weekly", _("Gathered, once a week")),
        ],
        widget=forms.RadioSelect,
        help_text=_("What needs you (a request, new figures) always comes by itself."),
    )
    digest_hour = forms.TypedChoiceField(
        label=_("Hour of the gathered mail"), coerce=int, choices=[(hour, f"{hour:02d}:00") for hour in range(24)]
    )
    digest_weekday = forms.TypedChoiceField(label=_("Day of the weekly mail"), coerce=int, choices=list(WEEKDAYS.items()))
    quiet_from = forms.TimeField(
        label=_("Quiet from"),
        required=False,
        widget=forms.TimeInput(attrs=_CLOCK, format="%H:%M"),
        help_text=_("Nothing is sent in the quiet hours; it comes when they end. The bell here shows it at once."),
    )
    quiet_until = forms.TimeField(label=_("Quiet until"), required=False, widget=forms.TimeInput(attrs=_CLOCK, format="%H:%M"))
    time_zone = forms.ChoiceField(label=_("Your time zone"))

    def __init__(self, kept: NoticeSettings | None, offered: list[tuple[str, Any]], *args: Any, **kwargs: Any) -> None:
        """``offered``: (channel, label) that the person may choose."""
        initial: dict[str, Any] = {
            "digest": kept.digest if kept else "immediately",
            "digest_hour": kept.digest_hour if kept else 8,
            "digest_weekday": kept.digest_weekday if kept else 0,
            "quiet_from": kept.quiet_from if kept else None,
            "quiet_until": kept.quiet_until if kept else None,
            "time_zone": kept.time_zone if kept else settings.TIME_ZONE,
        }
        self.shown = {code: group for code, group in groups().items() if not group.hidden}
        for code in self.shown:
            initial[f"group_{code}"] = list(notices.wanted_channels(kept, code))
        super().__init__(*args, **{**kwargs, "initial": initial})
        for code, group in self.shown.items():
            self.fields[f"group_{code}"] = forms.MultipleChoiceField(
                label=str(group.name),
                help_text=str(group.hint),
                required=False,
                choices=offered,
                widget=forms.CheckboxSelectMultiple,
            )
        told = {code: event for code, event in events().items() if event.name and not event.only_public}
        self.single = {code: event for code, event in told.items() if event.group in self.shown}
        single = [("", _("as above")), (_NOWHERE, _("only the bell")), *offered]
        for code, event in self.single.items():
            self.fields[f"event_{code}"] = forms.ChoiceField(
                label=str(event.name),
                required=False,
                choices=single,
                initial=_single_wish(kept, code),
                widget=forms.Select(attrs={"class": "form-select"}),
            )
        zones = sorted(available_timezones())
        self.fields["time_zone"].choices = [(zone, zone) for zone in zones]  # type: ignore[attr-defined]

    @property
    def rows(self) -> list[GroupRow]:
        return [self._row(code) for code in self.shown]

    def _row(self, group: str) -> GroupRow:
        single = [self[f"event_{code}"] for code, event in self.single.items() if event.group == group]
        return GroupRow(self[f"group_{group}"], single, any(one.value() for one in single))

    def wishes(self) -> Wishes:
        """What was typed. Validate the form first."""
        typed = self.cleaned_data
        chosen = {code: typed[f"group_{code}"] for code in self.shown}
        single = {code: typed[f"event_{code}"] for code in self.single}
        chosen |= {code: [] if way == _NOWHERE else [way] for code, way in single.items() if way}
        rest = {name: typed[name] for name in typed if not name.startswith(("group_", "event_"))}
        return Wishes(chosen, **rest)


def _single_wish(kept: NoticeSettings | None, event: str) -> str:
    """How an event goes by itself; empty where it goes as its group does."""
    ways = (kept.channels if kept else {}).get(event)
    return "" if ways is None else next(iter(ways), _NOWHERE)


class AddressForm(forms.Form):
    """Where a channel reaches the person."""

    address = forms.CharField(max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def __init__(self, channel: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        adapter = channels.channels()[channel]
        self.fields["address"].label = str(adapter.address_label)


class CodeForm(forms.Form):
    """The code that was sent there."""

    code = forms.CharField(
        label=_("Code"), max_length=20, widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"})
    )


def _event_choices() -> list[tuple[str, Any]]:
    return [(code, event.name) for code, event in public_events().items()]


class WebhookForm(forms.Form):
    """A new webhook."""

    address = forms.CharField(
        label=_("Address"),
        max_length=2000,
        help_text=_("Begins with https:// and can be reached from the internet."),
        widget=forms.URLInput(attrs={"autocomplete": "off", "spellcheck": "false", "placeholder": "https://"}),
    )
    events = forms.MultipleChoiceField(label=_("Events"), choices=_event_choices, widget=forms.CheckboxSelectMultiple)


class WebhookEventsForm(forms.Form):
    """What an existing one hears, and whether it is on."""

    active = forms.BooleanField(label=_("Switched on"), required=False)
    events = forms.MultipleChoiceField(label=_("Events"), choices=_event_choices, widget=forms.CheckboxSelectMultiple)
