"""What a change of opening hours made different, from the audit trail, in the sentences in which hours are told elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from frontend import display
from frontend.presenters.hours import holiday_rule_sentences, layer_lines, week_words
from instruments.rules.entries import HolidayRule
from instruments.rules.entry_documents import entry_of
from instruments.services.weekly_hours import WeeklyWindow

Side = Mapping[str, Any]
#: Name, label, and what stood there before and after.
Told = tuple[str, Promise | str, str, str]
#: What is told in whole lines.
LINES = frozenset({"windows", "valid_from", "entries", "holidays", "occurrence", "closures"})
_HOURS = gettext_lazy("Opening hours")


def hours_told(action: str, before: Side, after: Side) -> Iterator[Told]:
    """The lines of a change of hours; none for any other change."""
    if "windows" in before or "windows" in after:
        yield "windows", _HOURS, _week(before), _week(after)
    if "valid_from" in after:
        yield (
            "valid_from",
            pgettext_lazy("a detail", "Valid from"),
            "",
            display.date_words(date.fromisoformat(after["valid_from"])),
        )
    if "entries" in before or "entries" in after:
        yield "entries", _HOURS, _layers(before.get("entries", [])), _layers(after.get("entries", []))
    if action == "instrument.holidays":
        yield "holidays", _("Statutory holidays"), _holidays(before), _holidays(after)
    if action == "instrument.occurrence":
        of = [after["of"]] if "of" in after else []
        yield "occurrence", _HOURS, _layers(of), "\n".join(filter(None, (_layers(of), _occurrence(after))))
    if action == "instrument.closures_imported":
        yield "closures", pgettext_lazy("a detail", "Closures of a file"), "", "\n".join(_closures(after))


def _week(side: Side) -> str:
    windows = side.get("windows")
    if windows is None:
        return ""
    known = [WeeklyWindow(day, time.fromisoformat(opens), time.fromisoformat(closes)) for day, opens, closes in windows]
    return "\n".join(week_words(known)) or _("No weekly hours")


def _layers(documents: list[Side]) -> str:
    return "\n".join(layer_lines([entry_of(one) for one in documents]))


def _holidays(side: Side) -> str:
    said = holiday_rule_sentences(HolidayRule(side["closed"], side["makeup_weekday"]))
    return "\n".join(said) or _("Statutory holidays and make-up workdays change nothing.")


def _occurrence(after: Side) -> str:
    """What became of a single occurrence, named by the day on which it would have started."""
    day = display.date_words(date.fromisoformat(after["day"]))
    if after.get("cancelled"):
        return _("That of %(day)s does not take place.") % {"day": day}
    if after.get("restored"):
        return _("That of %(day)s takes place as usual again.") % {"day": day}
    when = display.range_words(datetime.fromisoformat(after["from"]), datetime.fromisoformat(after["to"]))
    return _("That of %(day)s takes place at another time: %(when)s.") % {"day": day, "when": when}


def _closures(after: Side) -> Iterator[str]:
    """How many closures a file brought, changed and took back."""
    if new := after.get("new"):
        yield ngettext("%(count)s closure added", "%(count)s closures added", new) % {"count": new}
    if changed := after.get("changed"):
        yield ngettext("%(count)s closure changed", "%(count)s closures changed", changed) % {"count": changed}
    if gone := after.get("taken_back"):
        yield ngettext("%(count)s closure taken back", "%(count)s closures taken back", gone) % {"count": gone}
