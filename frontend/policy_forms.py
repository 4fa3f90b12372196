"""The form with which a lab says its rules for booking: what is left empty is left open."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from booking.rules.auto_approval import LIMITS, Trusted
from booking.rules.policy_layers import MOST_QUOTAS, MOST_TIMES, NUMBERS, SWITCHES, TIMES
from booking.rules.quota import MOST_OF_QUOTA, Measure, Period, Subject
from booking.rules.usage import BillableBasis
from booking.rules.week_time import DAY_MINUTES
from config.kernel.errors import Refusal
from frontend.forms import refusal_to_form
from frontend.hours_text import hours_text, read_hours, read_whole, read_yuan, yuan_text
from frontend.presenters.policy import clock
from instruments.hours_wording import AUDIENCE_NAMES
from instruments.registry_wording import WEEKDAY_NAMES

USUAL_QUOTAS, USUAL_TIMES = 3, 2
#: Numbers that people think of in hours; the others are typed as they are kept.
IN_HOURS = frozenset({"max_minutes", "notice_minutes", "cancel_notice_minutes", "cool_off_minutes", "answer_minutes"})
_NUMBER_LABELS: dict[str, Any] = {
    "granularity_minutes": _("Steps of, in minutes"),
    "min_minutes": _("Shortest booking, in minutes"),
    "max_minutes": _("Longest booking, in hours"),
    "notice_minutes": _("Book at least so many hours ahead"),
    "horizon_days": _("Book at most so many days ahead"),
    "buffer_before_minutes": _("Kept free before each booking, in minutes"),
    "buffer_after_minutes": _("Kept free after each booking, in minutes"),
    "cancel_notice_minutes": _("Cancelled later than so many hours before is late"),
    "no_show_grace_minutes": _("Missed so many minutes after the start"),
    "cool_off_minutes": _("Hours for others between two bookings of one person"),
    "early_start_minutes": _("A session may start early by so many minutes"),
    "billable_round_up_minutes": _("Actual time is rounded up to steps of, in minutes"),
    "agree_after_days": _("Use counts as agreed after so many days without a word"),
    "answer_minutes": _("The lab answers a request within so many hours"),
    "hold_minutes": _("A chosen time is kept for who fills in the form, in minutes"),
}
_SWITCH_LABELS: dict[str, Any] = {
    "approval_required": _("The lab approves each request"),
    "pending_blocks": _("A request keeps its time while it waits"),
    "licence_needed": _("Operating it, there or remotely, needs the lab's licence"),
    "assisted_licence_needed": _("Being assisted needs the lab's licence for that"),
    "late_may_use": _("Who comes late may use the rest"),
}
_TIME_LABELS: dict[str, Any] = {
    "peak": _("Peak hours"),
    "unlimited": _("Times without limits of length and number"),
    "licensed_times": _("Times that need a licence for off-hours"),
}
_SUBJECTS = [
    (Subject.PERSON.value, pgettext_lazy("quota", "one person")),
    (Subject.ORGANISATION.value, pgettext_lazy("quota", "one organisation")),
]
_MEASURES = [
    (Measure.MINUTES.value, pgettext_lazy("quota", "hours")),
    (Measure.COUNT.value, pgettext_lazy("quota", "bookings")),
    (Measure.SAMPLES.value, pgettext_lazy("quota", "samples")),
    (Measure.JOBS.value, pgettext_lazy("quota", "sample jobs")),
]
_PERIODS = [
    (Period.DAY.value, pgettext_lazy("quota", "a day")),
    (Period.WEEK.value, pgettext_lazy("quota", "a week")),
    (Period.MONTH.value, pgettext_lazy("quota", "a month")),
    (Period.YEAR.value, pgettext_lazy("quota", "a year")),
    (Period.AHEAD.value, pgettext_lazy("quota", "ahead")),
]
_BASES = [
    ("", pgettext_lazy("a rule", "not said here")),
    (BillableBasis.BOOKED.value, _("The booked time")),
    (BillableBasis.ACTUAL_WITHIN_BOOKED_ROUNDED_UP.value, _("The time actually used")),
    (BillableBasis.OVERAGE.value, _("The booked time and the use beyond its end")),
]
_TRUSTED = [
    ("", pgettext_lazy("a rule", "not said here")),
    (Trusted.NOBODY.value, _("None: the lab looks at each")),
    (Trusted.LICENSED.value, _("Of who holds the licence to operate it alone")),
    (Trusted.PROVEN.value, _("Of who has used something of the lab's before")),
    (Trusted.ANYBODY.value, _("Of everybody")),
]
#: What else has to hold for a request to count at once, as it is typed; each limit is left out where it is empty.
_AT_ONCE: dict[str, Any] = {
    "most_minutes": _("At once up to so many hours at a time"),
    "week_minutes": _("At once up to so many hours of one person in a week"),
    "most_fen": _("At once up to so many yuan to pay now"),
}
_SAID = [("", pgettext_lazy("a rule", "not said here")), ("yes", _("Yes")), ("no", _("No"))]
_UNREADABLE = _("Give a number, for example 4 or 1.5.")
_HOURS = _("Give a number of hours between %(minimum)s and %(maximum)s.")
_WHOLE = _("Give a whole number between %(minimum)s and %(maximum)s.")
_DAYS = [(str(number), name) for number, name in enumerate(WEEKDAY_NAMES, 1)]


@dataclass(frozen=True, slots=True)
class Row:
    """Fields that are read together: a quota, or a time of the week."""

    label: Promise | str
    fields: list[forms.BoundField]


class _EndField(forms.TimeField):
    """When something ends on a day: 24:00 is written too, for the midnight after it."""

    def to_python(self, value: Any) -> time | None:
        text = unicodedata.normalize("NFKC", str(value or "")).strip()
        return time() if text in ("24:00", "24:00:00") else super().to_python(value)


class LayerForm(forms.Form):
    """``said`` is what the layer says now, as ``booking.rules.policy_layers.read_settings`` takes it."""

    all_optional = True  # nothing has to be said, so that marking each field would only be noise
    reason = forms.CharField(label=_("Why"), required=False, max_length=300, help_text=_("Kept in the audit trail."))

    def __init__(self, said: Mapping[str, Any], typed: Any = None) -> None:
        super().__init__(typed, initial=_initial(said))
        for name in NUMBERS:
            self.fields[name] = forms.CharField(
                label=_NUMBER_LABELS[name], required=False, widget=forms.TextInput(attrs={"inputmode": "decimal", "size": 8})
            )
        for name in SWITCHES:
            self.fields[name] = forms.ChoiceField(label=_SWITCH_LABELS[name], required=False, choices=_SAID)
        self.fields["at_once_who"] = forms.ChoiceField(label=_("Requests that count at once"), required=False, choices=_TRUSTED)
        self.fields["at_once_customers"] = forms.MultipleChoiceField(
            label=_("At once only for these customers"),
            required=False,
            choices=[(str(audience), label) for audience, label in AUDIENCE_NAMES.items()],
            widget=forms.CheckboxSelectMultiple,
        )
        for name, label in _AT_ONCE.items():
            self.fields[f"at_once_{name}"] = forms.CharField(
                label=label, required=False, widget=forms.TextInput(attrs={"inputmode": "decimal", "size": 8})
            )
        self.fields["billable_basis"] = forms.ChoiceField(label=_("What is charged of a session"), required=False, choices=_BASES)
        for audience, label in AUDIENCE_NAMES.items():
            self.fields[f"horizon_{audience}"] = forms.CharField(
                label=str(label), required=False, widget=forms.TextInput(attrs={"inputmode": "numeric", "size": 6})
            )
        self.quota_count = _rows(typed or {}, "quota", len(said.get("quotas", [])), USUAL_QUOTAS, MOST_QUOTAS)
        self.time_counts = {name: _rows(typed or {}, name, len(said.get(name, [])), USUAL_TIMES, MOST_TIMES) for name in TIMES}
        for place in range(self.quota_count):
            self._add_quota(place)
        for name, count in self.time_counts.items():
            for place in range(count):
                self._add_time(name, place)

    def _add_quota(self, place: int) -> None:
        number = forms.CharField(
            label=_("At most"), required=False, widget=forms.TextInput(attrs={"inputmode": "decimal", "size": 6})
        )
        self.fields[f"quota_{place}_most"] = number
        for part, label, choices in (
            ("measure", _("counted in"), _MEASURES),
            ("period", _("per"), _PERIODS),
            ("subject", _("for"), _SUBJECTS),
        ):
            self.fields[f"quota_{place}_{part}"] = forms.ChoiceField(label=label, required=False, choices=choices)
        self.fields[f"quota_{place}_peak"] = forms.BooleanField(label=_("peak hours only"), required=False)

    def _add_time(self, name: str, place: int) -> None:
        days = forms.MultipleChoiceField(
            label=_("Days"), required=False, choices=_DAYS, widget=forms.CheckboxSelectMultiple(attrs={"class": "days"})
        )
        self.fields[f"{name}_{place}_days"] = days
        for end, label, kind in (("from", _("from"), forms.TimeField), ("until", _("until"), _EndField)):
            self.fields[f"{name}_{place}_{end}"] = kind(
                label=label, required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
            )

    # --- What the template shows ----------------------------------------------------------------------------------
    def numbers(self, *names: str) -> list[forms.BoundField]:
        return [self[name] for name in names]

    def length_fields(self) -> list[forms.BoundField]:
        return self.numbers(
            "granularity_minutes", "min_minutes", "max_minutes", "notice_minutes", "horizon_days", "buffer_before_minutes",
            "buffer_after_minutes",
        )  # fmt: skip

    def answer_fields(self) -> list[forms.BoundField]:
        at_once = ("at_once_who", "at_once_customers", *(f"at_once_{name}" for name in _AT_ONCE))
        rest = ("answer_minutes", "pending_blocks", "hold_minutes", "cancel_notice_minutes")
        return self.numbers("approval_required", *at_once, *rest)

    def session_fields(self) -> list[forms.BoundField]:
        return self.numbers(
            "no_show_grace_minutes", "late_may_use", "early_start_minutes", "billable_basis", "billable_round_up_minutes",
            "agree_after_days",
        )  # fmt: skip

    def people_fields(self) -> list[forms.BoundField]:
        return self.numbers("cool_off_minutes", "licence_needed", "assisted_licence_needed")

    def horizon_fields(self) -> list[forms.BoundField]:
        return [self[f"horizon_{audience}"] for audience in AUDIENCE_NAMES]

    def quota_rows(self) -> list[Row]:
        parts = ("most", "measure", "period", "subject", "peak")
        return [Row("", [self[f"quota_{place}_{part}"] for part in parts]) for place in range(self.quota_count)]

    def time_rows(self) -> list[tuple[Promise, list[Row]]]:
        return [
            (
                _TIME_LABELS[name],
                [Row("", [self[f"{name}_{place}_{part}"] for part in ("days", "from", "until")]) for place in range(count)],
            )
            for name, count in self.time_counts.items()
        ]

    # --- What was typed -------------------------------------------------------------------------------------------
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        said: dict[str, Any] = {}
        for name in NUMBERS:
            self._take_number(said, name, cleaned.get(name, ""), hours=name in IN_HOURS)
        for name in SWITCHES:
            if cleaned.get(name):
                said[name] = cleaned[name] == "yes"
        if at_once := self._at_once(cleaned):
            said["auto_approval"] = at_once
        if cleaned.get("billable_basis"):
            said["billable_basis"] = cleaned["billable_basis"]
        horizons: dict[str, Any] = {}
        for audience in AUDIENCE_NAMES:
            self._take_number(horizons, str(audience), cleaned.get(f"horizon_{audience}", ""), field=f"horizon_{audience}")
        quotas = [one for place in range(self.quota_count) if (one := self._quota(place, cleaned))]
        said |= {name: found for name, found in (("horizons", horizons), ("quotas", quotas)) if found}
        for name, count in self.time_counts.items():
            times = [one for place in range(count) if (one := self._time(name, place, cleaned))]
            if times:
                said[name] = times
        self.said = said
        return cleaned

    def refuse(self, refusal: Refusal) -> None:
        """Every reason at its field, limits in the unit in which that is typed. Validate the form first."""
        mine = [one for one in refusal.reasons if one.code == "policy.out_of_range" and one.field in IN_HOURS]
        for reason in mine:
            self.add_error(reason.field, _limits(reason.params["minimum"], reason.params["maximum"], hours=True))
        refusal_to_form(self, Refusal(*(one for one in refusal.reasons if one not in mine)))

    def _take_number(self, into: dict[str, Any], name: str, text: str, *, hours: bool = False, field: str = "") -> None:
        if not text.strip():
            return
        number = read_hours(text) if hours else read_whole(text)
        if number is None:
            self.add_error(field or name, forms.ValidationError(_UNREADABLE))
            return
        into[name] = number

    def _at_once(self, cleaned: Mapping[str, Any]) -> dict[str, Any] | None:
        limits: dict[str, Any] = {}
        for name, most in LIMITS.items():
            text, field = cleaned.get(f"at_once_{name}", ""), f"at_once_{name}"
            if not text.strip():
                continue
            number = read_yuan(text) if name == "most_fen" else read_hours(text)
            if number is None:
                self.add_error(field, forms.ValidationError(_UNREADABLE))
            elif not 1 <= number <= most:
                self.add_error(field, _yuan_limits(most) if name == "most_fen" else _limits(1, most, hours=True))
            else:
                limits[name] = number
        if cleaned.get("at_once_customers"):
            limits["customers"] = cleaned["at_once_customers"]
        who = cleaned.get("at_once_who")
        if limits and not who:
            self.add_error("at_once_who", forms.ValidationError(_("Choose whose requests count at once as well.")))
        return {"who": who, **limits} if who else None

    def _quota(self, place: int, cleaned: Mapping[str, Any]) -> dict[str, Any] | None:
        found: dict[str, Any] = {}
        measure = cleaned.get(f"quota_{place}_measure") or Measure.MINUTES.value
        field = f"quota_{place}_most"
        self._take_number(found, "most", cleaned.get(field, ""), hours=measure == Measure.MINUTES, field=field)
        if "most" not in found:
            return None
        if not 0 < found["most"] <= MOST_OF_QUOTA:
            self.add_error(field, _limits(1, MOST_OF_QUOTA, hours=measure == Measure.MINUTES))
            return None
        return {
            "subject": cleaned.get(f"quota_{place}_subject") or Subject.PERSON.value,
            "measure": measure,
            "period": cleaned.get(f"quota_{place}_period") or Period.WEEK.value,
            "most": found["most"],
            "peak_only": bool(cleaned.get(f"quota_{place}_peak")),
        }

    def _time(self, name: str, place: int, cleaned: Mapping[str, Any]) -> dict[str, Any] | None:
        days = cleaned.get(f"{name}_{place}_days") or []
        starts, ends = cleaned.get(f"{name}_{place}_from"), cleaned.get(f"{name}_{place}_until")
        if not days:
            if starts or ends:
                self.add_error(f"{name}_{place}_days", forms.ValidationError(_("Choose the days as well.")))
            return None
        until = ends.hour * 60 + ends.minute if ends else 0
        return {
            "weekdays": sorted(int(day) for day in days),
            "from_minute": starts.hour * 60 + starts.minute if starts else 0,
            "until_minute": until or DAY_MINUTES,
        }


def _limits(least: int, most: int, *, hours: bool) -> forms.ValidationError:
    """Both ends allowed, in minutes where the field is in hours."""
    values = {"minimum": hours_text(least), "maximum": hours_text(most)} if hours else {"minimum": least, "maximum": most}
    return forms.ValidationError(_HOURS if hours else _WHOLE, params=values)


def _yuan_limits(most: int) -> forms.ValidationError:
    """Limits of an amount that is typed in yuan, ``most`` in fen."""
    return forms.ValidationError(_("Give an amount between 0.01 and %(maximum)s."), params={"maximum": yuan_text(most)})


def _rows(typed: Mapping[str, Any], name: str, stored: int, usual: int, most: int) -> int:
    """How many rows the form has: one more than are stored or were sent, so that none is lost and one can be added."""
    sent = [place for place in range(most) if any(key.startswith(f"{name}_{place}_") for key in typed)]
    return min(max(usual, stored + 1, *(place + 1 for place in sent)), most)


def _initial(said: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of what is said."""
    initial: dict[str, Any] = {}
    for name in NUMBERS:
        if name in said:
            initial[name] = hours_text(said[name]) if name in IN_HOURS else said[name]
    for name in SWITCHES:
        if name in said:
            initial[name] = "yes" if said[name] else "no"
    at_once = said.get("auto_approval", {})
    initial["at_once_who"] = at_once.get("who", "")
    initial["at_once_customers"] = at_once.get("customers", [])
    for name in LIMITS:
        if name in at_once:
            initial[f"at_once_{name}"] = yuan_text(at_once[name]) if name == "most_fen" else hours_text(at_once[name])
    initial["billable_basis"] = said.get("billable_basis", "")
    for audience, days in said.get("horizons", {}).items():
        initial[f"horizon_{audience}"] = days
    for place, quota in enumerate(said.get("quotas", [])):
        most = hours_text(quota["most"]) if quota["measure"] == Measure.MINUTES else quota["most"]
        parts = {
            "most": most,
            "peak": quota.get("peak_only", False),
            **{part: quota[part] for part in ("measure", "period", "subject")},
        }
        initial |= {f"quota_{place}_{part}": value for part, value in parts.items()}
    for name in TIMES:
        for place, one in enumerate(said.get(name, [])):
            initial[f"{name}_{place}_days"] = [str(day) for day in one["weekdays"]]
            initial[f"{name}_{place}_from"] = clock(one["from_minute"])
            initial[f"{name}_{place}_until"] = clock(one["until_minute"] % DAY_MINUTES)
    return initial
