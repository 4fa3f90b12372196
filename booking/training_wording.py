"""What levels, scopes, violations and measures are called (source words; translated where shown)."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext, pgettext_lazy

from booking.models import CourseScope, Licence
from booking.rules.credit import Count

Word = Promise | str

LEVEL_NAMES: dict[str, Word] = {
    "assisted": pgettext_lazy("level of a licence", "Assisted use"),
    "self": pgettext_lazy("level of a licence", "Use alone"),
    "off_hours": pgettext_lazy("level of a licence", "Use alone, nights and weekends too"),
}
ORIGIN_NAMES: dict[str, Word] = {
    "course": pgettext_lazy("origin of a licence", "Course and exam"),
    "recognised": pgettext_lazy("origin of a licence", "Recognised proof"),
    "imported": pgettext_lazy("origin of a licence", "Taken over from a list"),
    "manual": pgettext_lazy("origin of a licence", "Given by the lab"),
}
EVENT_NAMES: dict[str, Word] = {
    "late": pgettext_lazy("credit event", "Came late"),
    "left_early": pgettext_lazy("credit event", "Left early"),
    "overtime": pgettext_lazy("credit event", "Used it beyond the booked end"),
    "booked_over": pgettext_lazy("credit event", "Booked far more than used"),
    "no_show": pgettext_lazy("credit event", "Did not come"),
    "no_feedback": pgettext_lazy("credit event", "No feedback within a day"),
    "late_cancel": pgettext_lazy("credit event", "Cancelled late"),
    "manual": pgettext_lazy("credit event", "Noted by the lab"),
    "used": pgettext_lazy("credit event", "Used as booked"),
    "licence": pgettext_lazy("credit event", "New licence"),
}
MEASURE_NAMES: dict[str, Word] = {
    "notice": pgettext_lazy("credit measure", "Only a notice"),
    "with_approval": pgettext_lazy("credit measure", "Bookings only with the lab's approval"),
    "no_booking": pgettext_lazy("credit measure", "No bookings for some days"),
    "instrument_list": pgettext_lazy("credit measure", "Not on the instruments where it happened"),
    "lab_list": pgettext_lazy("credit measure", "Not at the lab"),
    "account_inactive": pgettext_lazy("credit measure", "No bookings anywhere"),
}


def level_name(level: str) -> str:
    return str(LEVEL_NAMES.get(level, level))


def event_name(kind: str) -> str:
    return str(EVENT_NAMES.get(kind, kind))


def measure_name(kind: str) -> str:
    return str(MEASURE_NAMES.get(kind, kind))


def count_words(count: Count) -> str:
    """What is counted: the event, how often, within which time."""
    parts = {"what": event_name(count.kind), "times": count.times, "days": count.within_days}
    return gettext("%(what)s: %(times)s times within %(days)s days") % parts


def licence_scope(row: Licence | CourseScope) -> str:
    """For what a licence or a course is: the instrument's name, a class, or all of the lab's instruments."""
    if row.instrument is not None:
        english = get_language() == "en" and row.instrument.name_en
        return str(english or row.instrument.name)
    if row.class_code:
        return gettext("Class %(code)s") % {"code": row.class_code}
    return gettext("All instruments of the lab")
