"""The forms about courses, licences, credit points and lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from booking.models import CourseScope, TrainingCourse
from booking.rules.credit import AUTOMATIC, GAINED, MOST_COUNTS, MOST_THRESHOLDS, OF_THE_PLATFORM, MeasureKind
from booking.services.training import CourseFields
from booking.training_wording import EVENT_NAMES, LEVEL_NAMES, MEASURE_NAMES
from frontend.templatetags.jishi import bilingual
from instruments.models import Instrument, Organisation
from instruments.rules.wall_time import local_day, refuse_year

_LONG = 4000  # the service says what really fits
USUAL_THRESHOLDS = 4
USUAL_COUNTS = 2


def _date() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def _local() -> forms.DateTimeInput:
    return forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


def end_of_day(value: date | None, field: str) -> datetime | None:
    """The end of a day of the platform's zone; None for none. Raises Refusal ``calendar.year_out_of_range`` on the field."""
    if value is None:
        return None
    refuse_year(value, field)
    return local_day(value, ZoneInfo(settings.TIME_ZONE)).ends_at


class WithChoices(forms.Form):
    """A form whose choices come from who asks."""

    def choices(self, name: str, choices: Iterable[tuple[str, Any]]) -> None:
        self.fields[name].choices = list(choices)  # type: ignore[attr-defined]


class CourseForm(WithChoices):
    """A course, for which instruments, and how long its licence lasts."""

    organisation = forms.ChoiceField(label=_("Lab"))
    title = forms.CharField(label=_("Name of the course"), max_length=_LONG)
    title_en = forms.CharField(label=_("Name in English"), max_length=_LONG, required=False)
    level = forms.ChoiceField(label=_("What its licence allows"), choices=list(LEVEL_NAMES.items()), initial="self")
    description = forms.CharField(
        label=_("What is taught"), max_length=_LONG, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    instruments = forms.MultipleChoiceField(
        label=_("For these instruments"),
        required=False,
        widget=forms.SelectMultiple(attrs={"size": 6}),
        help_text=_("None here and no class below: for all instruments of the lab."),
    )
    class_codes = forms.CharField(
        label=_("And for these classes"), max_length=700, required=False, help_text=_("Codes of classes, for example 0103, 0104.")
    )
    validity_months = forms.IntegerField(
        label=_("A licence lasts (months)"), required=False, min_value=1, max_value=120, help_text=_("Empty: for good.")
    )
    unused_months = forms.IntegerField(
        label=_("It ends without use after (months)"), required=False, min_value=1, max_value=120, help_text=_("Empty: never.")
    )
    pass_mark = forms.IntegerField(label=_("Passed from (of 100 points)"), min_value=0, max_value=100, initial=60)
    active = forms.BooleanField(label=_("It is offered"), required=False, initial=True)
    require = forms.BooleanField(
        label=_("The chosen instruments ask for this licence from now on"),
        required=False,
        initial=True,
        help_text=_("One for assisted use: of who is assisted. The others: of who operates the instrument."),
    )

    def __init__(self, owners: Iterable[Organisation], instruments: Iterable[Instrument], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choices("organisation", [(str(one.pk), bilingual(one)) for one in owners])
        self.choices("instruments", [(str(one.pk), bilingual(one)) for one in instruments])

    def course(self) -> CourseFields:
        """What was typed; call it on a valid form."""
        typed = self.cleaned_data
        codes = typed["class_codes"].replace("\uff0c", ",").split(",")
        plain = (
            "title",
            "title_en",
            "description",
            "level",
            "validity_months",
            "unused_months",
            "pass_mark",
            "active",
            "require",
        )
        return CourseFields(
            **{name: typed[name] for name in plain},
            instrument_ids=tuple(int(one) for one in typed["instruments"]),
            class_codes=tuple(code.strip() for code in codes if code.strip()),
        )


def course_initial(course: TrainingCourse, scopes: Iterable[CourseScope]) -> dict[str, Any]:
    """A stored course as the form shows it."""
    rows = list(scopes)
    plain = ("title", "title_en", "description", "level", "validity_months", "unused_months", "pass_mark", "active")
    return {
        **{name: getattr(course, name) for name in plain},
        "organisation": str(course.organisation_id),
        "instruments": [str(one.instrument_id) for one in rows if one.instrument_id],
        "class_codes": ", ".join(one.class_code for one in rows if one.class_code),
        "require": False,
    }


class SessionForm(forms.Form):
    """When and where a course is held."""

    starts_local = forms.DateTimeField(label=_("From"), widget=_local())
    ends_local = forms.DateTimeField(label=_("Until"), widget=_local())
    place = forms.CharField(label=_("Where"), max_length=_LONG)
    places = forms.IntegerField(label=_("Places"), min_value=1, max_value=500, initial=8)


class RecognitionForm(forms.Form):
    """What somebody can already, with the proof."""

    level = forms.ChoiceField(label=_("What you want to be licensed for"), choices=list(LEVEL_NAMES.items()), initial="self")
    statement = forms.CharField(
        label=_("What can you do, and where did you learn it?"), max_length=_LONG, widget=forms.Textarea(attrs={"rows": 3})
    )
    file = forms.FileField(
        label=_("Proof"),
        help_text=_("A certificate or a letter: PDF, JPEG or PNG."),
        widget=forms.FileInput(attrs={"accept": "application/pdf,image/jpeg,image/png"}),
    )


class GrantForm(WithChoices):
    """A licence by the lab's own word."""

    instrument = forms.ChoiceField(label=_("Instrument"))
    email = forms.EmailField(label=_("E-mail of the person"))
    level = forms.ChoiceField(label=_("Level"), choices=list(LEVEL_NAMES.items()), initial="self")
    reference = forms.CharField(
        label=_("What it rests on"), max_length=_LONG, help_text=_("For example the number of a certificate.")
    )
    valid_until = forms.DateField(label=_("Last day"), required=False, widget=_date(), help_text=_("Empty: for good."))

    def __init__(self, instruments: Iterable[Instrument], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choices("instrument", [(str(one.pk), bilingual(one)) for one in instruments])


class NoteForm(WithChoices):
    """Points by the lab's own word."""

    organisation = forms.ChoiceField(label=_("Lab"))
    email = forms.EmailField(label=_("E-mail of the person"))
    points = forms.IntegerField(
        label=_("Points"), min_value=-1000, max_value=1000, help_text=_("With a minus sign they are taken away.")
    )
    note = forms.CharField(label=_("Why"), max_length=_LONG, help_text=_("The person reads it."))

    def __init__(self, owners: Iterable[Organisation], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choices("organisation", [(str(one.pk), bilingual(one)) for one in owners])


class ListingForm(WithChoices):
    """Somebody who may not book, or to whom measures do not apply."""

    organisation = forms.ChoiceField(label=_("Lab"))
    verdict = forms.ChoiceField(
        label=_("Measure"), choices=[("deny", _("May not book")), ("allow", _("Measures of credit do not apply"))]
    )
    email = forms.EmailField(label=_("E-mail of the person"), required=False)
    customer = forms.CharField(
        label=_("Or the exact name of a customer"), max_length=200, required=False, help_text=_("Then it is for all its people.")
    )
    instrument = forms.ChoiceField(label=_("Only on this instrument"), required=False)
    until = forms.DateField(label=_("Last day"), required=False, widget=_date(), help_text=_("Empty: until you take it off."))
    reason = forms.CharField(label=_("Why"), max_length=_LONG, help_text=_("The person reads it."))

    def __init__(
        self, owners: Iterable[Organisation], instruments: Iterable[Instrument], everywhere: bool, *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        places = [(str(one.pk), bilingual(one)) for one in owners]
        self.choices("organisation", [*([("", str(_("Everywhere")))] if everywhere else []), *places])
        self.fields["organisation"].required = not everywhere
        self.choices("instrument", [("", str(_("All of them"))), *((str(one.pk), bilingual(one)) for one in instruments)])


class RulesForm(WithChoices):
    """How points are kept: what each event costs and what a low score leads to."""

    start_points = forms.IntegerField(label=_("Everybody begins with"), min_value=1, max_value=1000, initial=100)
    window_days = forms.IntegerField(
        label=_("Events count for (days)"),
        required=False,
        min_value=1,
        max_value=3650,
        initial=365,
        help_text=_("Empty: for good."),
    )
    late_minutes = forms.IntegerField(label=_("Late: more than (minutes)"), min_value=0, max_value=1440, initial=15)
    early_minutes = forms.IntegerField(label=_("Left early: more than (minutes)"), min_value=0, max_value=1440, initial=30)
    overtime_minutes = forms.IntegerField(label=_("Overtime: more than (minutes)"), min_value=0, max_value=1440, initial=15)
    over_percent = forms.IntegerField(
        label=_("Booked far more than used: more than (percent over it)"),
        required=False,
        min_value=1,
        max_value=1000,
        initial=50,
    )
    over_gap_minutes = forms.IntegerField(
        label=_("and by at least (minutes)"),
        required=False,
        min_value=1,
        max_value=14400,
        initial=60,
        help_text=_("Counts only where points are set for it, and then instead of coming late and leaving early."),
    )
    most_points = forms.IntegerField(
        label=_("Never more points than"),
        required=False,
        min_value=1,
        max_value=1000,
        help_text=_("Empty: the points of the beginning."),
    )
    appeals_a_year = forms.IntegerField(
        label=_("Appeals of a person within a year"),
        required=False,
        min_value=1,
        max_value=100,
        help_text=_("Empty: as many as there is to appeal against. Granted ones do not count."),
    )

    def __init__(self, platform: bool, stored: Mapping[str, Any] | None, typed: Any = None) -> None:
        super().__init__(typed, initial=rules_initial(stored))
        sent = [place for place in range(1, MOST_THRESHOLDS + 1) if f"threshold_{place}_below" in (typed or {})]
        count = max(USUAL_THRESHOLDS, len((stored or {}).get("thresholds", [])) + 1, *sent)
        self.places = range(1, min(count, MOST_THRESHOLDS) + 1)
        for kind in AUTOMATIC:
            field = forms.IntegerField(label=str(EVENT_NAMES[kind]), required=False, min_value=0, max_value=1000)
            self.fields[f"points_{kind}"] = field
        kinds = [(kind, MEASURE_NAMES[kind]) for kind in MeasureKind if platform or kind not in OF_THE_PLATFORM]
        for place in self.places:
            below = forms.IntegerField(label=_("Fewer points than"), required=False, min_value=1, max_value=1000)
            days = forms.IntegerField(label=_("For (days)"), required=False, min_value=1, max_value=3650)
            self.fields[f"threshold_{place}_below"] = below
            self.fields[f"threshold_{place}_kind"] = forms.ChoiceField(label=_("What follows"), required=False, choices=kinds)
            self.fields[f"threshold_{place}_days"] = days
        for gained in GAINED:
            field = forms.IntegerField(label=str(EVENT_NAMES[gained]), required=False, min_value=0, max_value=1000)
            self.fields[f"gains_{gained}"] = field
        counted = [(kind, EVENT_NAMES[kind]) for kind in AUTOMATIC]
        sent = [place for place in range(1, MOST_COUNTS + 1) if f"count_{place}_times" in (typed or {})]
        count = max(USUAL_COUNTS, len((stored or {}).get("counts", [])) + 1, *sent)
        self.count_places = range(1, min(count, MOST_COUNTS) + 1)
        for place in self.count_places:
            numbers = {
                "times": (_("So many times"), 2, 100),
                "within_days": (_("Within (days)"), 1, 3650),
                "days": (_("For (days)"), 1, 3650),
            }
            self.fields[f"count_{place}_kind"] = forms.ChoiceField(label=_("What is counted"), required=False, choices=counted)
            self.fields[f"count_{place}_leads_to"] = forms.ChoiceField(label=_("What follows"), required=False, choices=kinds)
            for name, (label, least, most) in numbers.items():
                field = forms.IntegerField(label=label, required=False, min_value=least, max_value=most)
                self.fields[f"count_{place}_{name}"] = field

    def point_fields(self) -> list[forms.BoundField]:
        return [self[f"points_{kind}"] for kind in AUTOMATIC]

    def threshold_fields(self) -> list[list[forms.BoundField]]:
        return [[self[f"threshold_{place}_{part}"] for part in ("below", "kind", "days")] for place in self.places]

    def gain_fields(self) -> list[forms.BoundField]:
        return [self[f"gains_{kind}"] for kind in GAINED]

    def count_fields(self) -> list[list[forms.BoundField]]:
        parts = ("kind", "times", "within_days", "leads_to", "days")
        return [[self[f"count_{place}_{part}"] for part in parts] for place in self.count_places]

    def document(self) -> dict[str, Any]:
        """What was typed, as the service keeps it; call it on a valid form. Rows without points or times are left out."""
        typed = self.cleaned_data
        rows = [
            {"below": typed[f"threshold_{place}_below"], "kind": typed[f"threshold_{place}_kind"],
             "days": typed[f"threshold_{place}_days"]}
            for place in self.places if typed[f"threshold_{place}_below"] is not None
        ]  # fmt: skip
        counts = [
            {part: typed[f"count_{place}_{part}"] for part in ("kind", "times", "within_days", "leads_to", "days")}
            for place in self.count_places if typed[f"count_{place}_times"] is not None
        ]  # fmt: skip
        return {
            "start_points": typed["start_points"],
            "points": {kind.value: typed[f"points_{kind}"] for kind in AUTOMATIC if typed[f"points_{kind}"]},
            "thresholds": rows,
            "counts": counts,
            "gains": {kind.value: typed[f"gains_{kind}"] for kind in GAINED if typed[f"gains_{kind}"]},
            "most_points": typed["most_points"],
            "appeals_a_year": typed["appeals_a_year"],
            "window_days": typed["window_days"],
            **{name: typed[name] for name in ("late_minutes", "early_minutes", "overtime_minutes")},
            **{name: typed[name] for name in ("over_percent", "over_gap_minutes") if typed[name] is not None},
        }


def rules_initial(document: Mapping[str, Any] | None) -> dict[str, Any]:
    """Stored rules as the form shows them."""
    if document is None:
        return {}
    shown = {name: value for name, value in document.items() if name not in {"points", "thresholds", "counts", "gains"}}
    shown |= {f"points_{kind}": value for kind, value in document.get("points", {}).items()}
    shown |= {f"gains_{kind}": value for kind, value in document.get("gains", {}).items()}
    for place, row in enumerate(document.get("counts", []), start=1):
        shown |= {f"count_{place}_{part}": row.get(part) for part in ("kind", "times", "within_days", "leads_to", "days")}
    for place, row in enumerate(document.get("thresholds", []), start=1):
        shown |= {f"threshold_{place}_{part}": row.get(part) for part in ("below", "kind", "days")}
    return shown
