"""The forms with which a lab says when an instrument is open."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from booking.downtime_wording import KIND_NAMES
from booking.models import MaintenancePlan
from booking.rules.downtime import DowntimeKind
from booking.services.downtimes import WORDS_LENGTH
from booking.services.maintenance_plans import (
    MOST_HOURS,
    MOST_MINUTES,
    MOST_MONTHS,
    MOST_REMIND_DAYS,
    NAME_LENGTH,
    PlanFields,
)
from instruments.hours_wording import AUDIENCE_NAMES
from instruments.registry_wording import WEEKDAY_NAMES
from instruments.rules.entries import CalendarEntry, EntryKind, HolidayRule, Priority
from instruments.rules.recurrence import Frequency, Recurrence
from instruments.services.opening_hours import SEASON_NAME_LENGTH, AudienceHours, OnceOrAgain, SeasonHours
from instruments.services.weekly_hours import WeeklyWindow, windows_of

WINDOWS_A_DAY = 2
REASON_LENGTH = 200
_WEEKDAYS = [(str(number), name) for number, name in enumerate(WEEKDAY_NAMES)]
OPEN, CLOSED = "open", "closed"

#: What people choose -> frequency, and whether the days of the month come from the first day.
_REPEATS: dict[str, Frequency] = {
    "daily": "daily",
    "weekly": "weekly",
    "month_day": "monthly",
    "month_last_day": "monthly",
    "month_weekday": "monthly",
    "month_last_weekday": "monthly",
    "yearly": "yearly",
}


def _date_field(label: Any, **more: Any) -> forms.DateField:
    return forms.DateField(label=label, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **more)


def _time_field(label: Any, **more: Any) -> forms.TimeField:
    return forms.TimeField(label=label, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"), **more)


class LocalMomentField(forms.DateTimeField):
    """A wall time of the place: naive, whatever the platform's zone is."""

    def __init__(self, label: Any, **more: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        super().__init__(label=label, widget=widget, **more)

    def to_python(self, value: Any) -> datetime | None:
        found = super().to_python(value)
        return None if found is None else found.replace(tzinfo=None)


class WeekForm(forms.Form):
    """Two windows for each day of the week."""

    def __init__(self, windows: Iterable[WeeklyWindow], typed: Any = None, initial: dict[str, Any] | None = None) -> None:
        super().__init__(typed, initial=_hours_initial(windows) | (initial or {}))
        for weekday in range(7):
            for place in range(WINDOWS_A_DAY):
                for end, label in (("opens", _("opens at")), ("closes", _("closes at"))):
                    self.fields[_hour_name(weekday, place, end)] = _time_field(label, required=False)

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


class HoursForm(WeekForm):
    """The usual week, from a day on."""

    valid_from = _date_field(_("Valid from"))

    def __init__(self, windows: Iterable[WeeklyWindow], first_day: date, typed: Any = None) -> None:
        super().__init__(windows, typed, {"valid_from": first_day})


class SeasonForm(WeekForm):
    """A week that holds between two days."""

    name = forms.CharField(label=_("Name"), max_length=SEASON_NAME_LENGTH, help_text=_("For example: summer holidays."))
    first_on = _date_field(_("First day"))
    last_on = _date_field(_("Last day"))
    important = forms.BooleanField(
        label=_("Wins over other seasons"), required=False, help_text=_("For a few days within a longer season.")
    )

    def __init__(self, entries: Iterable[CalendarEntry], typed: Any = None) -> None:
        """``entries`` are those of the season that is changed; none for a new one."""
        of_season = list(entries)
        initial: dict[str, Any] = {}
        if of_season and (season := of_season[0].season) is not None:
            important = of_season[0].priority == Priority.IMPORTANT_SEASON
            initial = {
                "name": season.name,
                "first_on": season.first_on,
                "last_on": season.last_on,
                "important": important,
            }
        super().__init__([window for entry in of_season for window in windows_of(entry)], typed, initial)

    def hours(self) -> SeasonHours:
        typed = self.cleaned_data
        return SeasonHours(typed["name"], typed["first_on"], typed["last_on"], self.windows(), typed["important"])


class AudienceForm(forms.Form):
    """Hours of the week for some customers only, or without some."""

    audiences = forms.MultipleChoiceField(
        label=_("For whom"), choices=list(AUDIENCE_NAMES.items()), widget=forms.CheckboxSelectMultiple
    )
    effect = forms.ChoiceField(
        label=_("At these hours"),
        choices=[(OPEN, _("also open, for them only")), (CLOSED, _("closed to them, open for others"))],
        widget=forms.RadioSelect,
        initial=OPEN,
    )
    weekdays = forms.MultipleChoiceField(label=_("Days of the week"), choices=_WEEKDAYS, widget=forms.CheckboxSelectMultiple)
    opens = _time_field(_("From"))
    closes = _time_field(_("Until"), help_text=_("At or before the first time means the next day."))
    first_on = _date_field(_("Valid from"))
    last_on = _date_field(_("Valid until"), required=False)
    reason = forms.CharField(label=_("Reason"), required=False, max_length=REASON_LENGTH, help_text=_("Everybody can read it."))

    def __init__(self, entry: CalendarEntry | None, first_day: date, typed: Any = None) -> None:
        """``entry`` is the one that is changed, if any."""
        initial: dict[str, Any] = {"first_on": first_day}
        if entry is not None and entry.recurrence is not None:
            initial = {
                "audiences": sorted(entry.audiences),
                "effect": OPEN if entry.kind is EntryKind.OPENING else CLOSED,
                "weekdays": [str(window.weekday) for window in windows_of(entry)],
                "opens": entry.starts_local.time(),
                "closes": entry.ends_local.time(),
                "first_on": entry.starts_local.date(),
                "last_on": entry.recurrence.until,
                "reason": entry.reason,
            }
        super().__init__(typed, initial=initial)

    def hours(self) -> AudienceHours:
        typed = self.cleaned_data
        return AudienceHours(
            audiences=typed["audiences"],
            opens_then=typed["effect"] == OPEN,
            weekdays=[int(weekday) for weekday in typed["weekdays"]],
            opens=typed["opens"],
            closes=typed["closes"],
            first_on=typed["first_on"],
            last_on=typed["last_on"],
            reason=typed["reason"],
        )


class ClosureForm(forms.Form):
    """A closure that happens once, in the wall time of the place."""

    starts_local = LocalMomentField(_("Closed from"))
    ends_local = LocalMomentField(_("Closed until"))
    reason = forms.CharField(label=_("Reason"), required=False, max_length=REASON_LENGTH, help_text=_("Everybody can read it."))


class ExceptionForm(forms.Form):
    """A closure, or an exceptional opening, once or again and again."""

    effect = forms.ChoiceField(
        label=_("Then it is"),
        choices=[(CLOSED, _("closed")), (OPEN, _("open, also on a statutory holiday"))],
        widget=forms.RadioSelect,
        initial=CLOSED,
    )
    starts_local = LocalMomentField(_("From"))
    ends_local = LocalMomentField(_("Until"))
    repeat = forms.ChoiceField(
        label=_("Again"),
        required=False,
        choices=[
            ("", pgettext_lazy("repeat", "only once")),
            ("daily", pgettext_lazy("repeat", "every day")),
            ("weekly", pgettext_lazy("repeat", "every week")),
            ("month_day", pgettext_lazy("repeat", "every month, on the same day")),
            ("month_last_day", pgettext_lazy("repeat", "every month, on its last day")),
            ("month_weekday", pgettext_lazy("repeat", "every month, like the second Tuesday")),
            ("month_last_weekday", pgettext_lazy("repeat", "every month, like the last Friday")),
            ("yearly", pgettext_lazy("repeat", "every year")),
        ],
        help_text=_("The first time above says on which day, and how long it takes."),
    )
    weekdays = forms.MultipleChoiceField(
        label=_("On these days (every week)"), required=False, choices=_WEEKDAYS, widget=forms.CheckboxSelectMultiple
    )
    interval = forms.IntegerField(
        label=_("Every how many days, weeks, months or years"), required=False, min_value=1, max_value=60, initial=1
    )
    last_on = _date_field(_("Last day"), required=False)
    count = forms.IntegerField(label=_("Or how many times"), required=False, min_value=1, max_value=1000)
    reason = forms.CharField(label=_("Reason"), required=False, max_length=REASON_LENGTH, help_text=_("Everybody can read it."))

    def __init__(self, entry: CalendarEntry | None, typed: Any = None) -> None:
        """``entry`` is the one that is changed, if any."""
        super().__init__(typed, initial={} if entry is None else _exception_initial(entry))

    def window(self) -> OnceOrAgain:
        """Raises Refusal ``recurrence.*`` for a repetition that means nothing."""
        typed = self.cleaned_data
        return OnceOrAgain(typed["starts_local"], typed["ends_local"], typed["reason"], self._recurrence())

    def _recurrence(self) -> Recurrence | None:
        typed = self.cleaned_data
        repeat, first = typed["repeat"], typed["starts_local"]
        if not repeat:
            return None
        days: dict[str, Any] = {}
        if repeat == "weekly":
            days = {"weekdays": tuple(int(weekday) for weekday in typed["weekdays"])}
        elif repeat in {"month_day", "month_last_day"}:
            days = {"month_days": (first.day if repeat == "month_day" else -1,)}
        elif repeat in {"month_weekday", "month_last_weekday"}:
            nth = (first.day - 1) // 7 + 1 if repeat == "month_weekday" else -1
            days = {"weekdays": (first.weekday(),), "nth": nth}
        return Recurrence(_REPEATS[repeat], typed["interval"] or 1, until=typed["last_on"], count=typed["count"], **days)


class HolidayForm(forms.Form):
    """How statutory holidays and make-up workdays are taken."""

    closed = forms.BooleanField(label=_("Closed on statutory holidays"), required=False)
    makeup_weekday = forms.ChoiceField(
        label=_("On make-up workdays (a Saturday or Sunday that is worked)"),
        required=False,
    )

    def __init__(self, holidays: HolidayRule, typed: Any = None) -> None:
        weekday = "" if holidays.makeup_weekday is None else str(holidays.makeup_weekday)
        super().__init__(typed, initial={"closed": holidays.closed, "makeup_weekday": weekday})
        field = self.fields["makeup_weekday"]
        assert isinstance(field, forms.ChoiceField)
        named = [(number, _("as on a usual %(weekday)s") % {"weekday": name}) for number, name in _WEEKDAYS]
        field.choices = [("", _("as on the Saturday or Sunday that it is")), *named]

    def rule(self) -> HolidayRule:
        weekday = self.cleaned_data["makeup_weekday"]
        return HolidayRule(self.cleaned_data["closed"], int(weekday) if weekday else None)


class MoveForm(forms.Form):
    """Another time for one occurrence."""

    day = forms.DateField(widget=forms.HiddenInput)
    starts_local = LocalMomentField(_("From"))
    ends_local = LocalMomentField(_("Until"))


class MaintenanceForm(forms.Form):
    """An instrument goes out of service: now (a breakdown), or for planned work from a moment on."""

    kind = forms.ChoiceField(label=_("Why"), choices=list(KIND_NAMES.items()), initial=DowntimeKind.BREAKDOWN.value)
    starts_local = LocalMomentField(_("From"), required=False, help_text=_("For planned work; a breakdown begins now."))
    ends_local = LocalMomentField(_("Until"))
    note = forms.CharField(label=_("What is done"), max_length=REASON_LENGTH, help_text=_("Shown to your lab only."))
    for_plan = forms.TypedChoiceField(label=_("Counts for"), required=False, coerce=int)
    words = forms.CharField(
        label=_("Words to the customers"),
        required=False,
        max_length=WORDS_LENGTH,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Added to what each of them is told."),
    )
    words_en = forms.CharField(
        label=_("The same in English"),
        required=False,
        max_length=WORDS_LENGTH,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("For those who read English; without it they get the first."),
    )

    def __init__(self, *args: Any, plans: Iterable[MaintenancePlan] = (), **more: Any) -> None:
        super().__init__(*args, **more)
        known = [(one.pk, one.name) for one in plans]
        if not known:
            del self.fields["for_plan"]
        else:
            self.fields["for_plan"].choices = [("", _("Nothing that comes again")), *known]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Planned work says when it begins; a breakdown begins now."""
        typed = super().clean() or {}
        if typed.get("kind") != DowntimeKind.BREAKDOWN and not typed.get("starts_local") and "starts_local" not in self.errors:
            self.add_error("starts_local", _("Say when it begins. Only a breakdown begins now."))
        return typed


class PlanForm(forms.Form):
    """Maintenance that comes again."""

    name = forms.CharField(label=_("What is done"), max_length=NAME_LENGTH)
    kind = forms.ChoiceField(
        label=_("Kind of work"), choices=[one for one in KIND_NAMES.items() if one[0] != DowntimeKind.BREAKDOWN]
    )
    every_months = forms.IntegerField(label=_("Every so many months"), required=False, min_value=1, max_value=MOST_MONTHS)
    every_hours = forms.IntegerField(
        label=_("Every so many hours of use"),
        required=False,
        min_value=1,
        max_value=MOST_HOURS,
        help_text=_("What comes first counts."),
    )
    duration_minutes = forms.IntegerField(label=_("It takes (minutes)"), min_value=1, max_value=MOST_MINUTES, initial=120)
    remind_days = forms.IntegerField(label=_("Remind so many days before"), min_value=0, max_value=MOST_REMIND_DAYS, initial=14)

    def fields_of_plan(self) -> PlanFields:
        """What was typed."""
        typed = self.cleaned_data
        return PlanFields(
            typed["name"],
            DowntimeKind(typed["kind"]),
            typed["every_months"],
            typed["every_hours"],
            typed["duration_minutes"],
            typed["remind_days"],
        )


class UntilForm(forms.Form):
    """Another end of what is out of service."""

    ends_local = LocalMomentField(_("Until"))


def _exception_initial(entry: CalendarEntry) -> dict[str, Any]:
    initial: dict[str, Any] = {
        "effect": OPEN if entry.kind is EntryKind.OPENING else CLOSED,
        "starts_local": entry.starts_local,
        "ends_local": entry.ends_local,
        "reason": entry.reason,
    }
    recurrence = entry.recurrence
    if recurrence is None:
        return initial
    repeat: str = recurrence.frequency
    if recurrence.frequency == "monthly":
        on_weekday = "month_last_weekday" if recurrence.nth == -1 else "month_weekday"
        on_day = "month_last_day" if recurrence.month_days == (-1,) else "month_day"
        repeat = on_day if recurrence.nth is None else on_weekday
    return initial | {
        "repeat": repeat,
        "weekdays": [str(weekday) for weekday in recurrence.weekdays] if repeat == "weekly" else [],
        "interval": recurrence.interval,
        "last_on": recurrence.until,
        "count": recurrence.count,
    }


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
