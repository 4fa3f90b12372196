"""What was done to an instrument or to another resource, from the audit trail, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from config.kernel.models import AuditEntry
from frontend.presenters.hours_history import LINES, Told, hours_told
from frontend.presenters.record import OTHER_NAMES, Difference, label_of, value_words
from frontend.presenters.resource_changes import field_words, labels_of
from instruments.field_wording import CUSTOMS_NAMES, FACILITY_NAMES, FIELD_NAMES
from instruments.rules.instrument_review import Action
from instruments.rules.text_diff import differences, line_differences

Word = Promise | str

_STEPS: dict[Action, Word] = {
    Action.SAVE: pgettext_lazy("what was done", "Change drafted"),
    Action.SUBMIT: pgettext_lazy("what was done", "Change handed in"),
    Action.WITHDRAW: pgettext_lazy("what was done", "Change withdrawn"),
    Action.REOPEN: pgettext_lazy("what was done", "Change taken up again"),
    Action.ACCEPT: pgettext_lazy("what was done", "Change accepted"),
    Action.REFUSE: pgettext_lazy("what was done", "Change refused"),
}


def _steps(about: str) -> dict[str, Word]:
    """The steps of a change that is looked at first."""
    return {f"{about}_change.{step.value}": word for step, word in _STEPS.items()}


#: What the trail of an instrument can say was done.
INSTRUMENT_ACTIONS: dict[str, Word] = {
    "instrument.create": pgettext_lazy("what was done", "Added"),
    "instrument.update": pgettext_lazy("what was done", "Changed"),
    "instrument.import": pgettext_lazy("what was done", "Imported"),
    "instrument.photo": pgettext_lazy("what was done", "New photo"),
    "instrument.hours": pgettext_lazy("what was done", "Opening hours changed"),
    "instrument.season": pgettext_lazy("what was done", "Hours of a season changed"),
    "instrument.hours_for": pgettext_lazy("what was done", "Hours for some customers changed"),
    "instrument.close": pgettext_lazy("what was done", "Closed exceptionally"),
    "instrument.open": pgettext_lazy("what was done", "Opened exceptionally"),
    "instrument.reopen": pgettext_lazy("what was done", "Closure or other hours taken back"),
    "instrument.bring_back": pgettext_lazy("what was done", "Closure or other hours brought back"),
    "instrument.occurrence": pgettext_lazy("what was done", "A single time of repeated hours changed"),
    "instrument.holidays": pgettext_lazy("what was done", "Rule for statutory holidays changed"),
    "instrument.closures_imported": pgettext_lazy("what was done", "Closures taken over from a file"),
    "instrument.customs": pgettext_lazy("what was done", "Customs record changed"),
    "instrument.facility": pgettext_lazy("what was done", "Record of the facility changed"),
    "instrument.facility_end": pgettext_lazy("what was done", "Made a plain instrument again"),
    "instrument.funding": pgettext_lazy("what was done", "Funding changed"),
    "instrument.share_calendar": pgettext_lazy("what was done", "Calendar shared with another instrument"),
    "instrument.part_calendar": pgettext_lazy("what was done", "Shared calendar taken apart"),
    "instrument.image_add": pgettext_lazy("what was done", "Picture added"),
    "instrument.image_caption": pgettext_lazy("what was done", "Caption changed"),
    "instrument.image_move": pgettext_lazy("what was done", "Picture moved"),
    "instrument.image_remove": pgettext_lazy("what was done", "Picture taken away"),
    "instrument.image_restore": pgettext_lazy("what was done", "Picture put back"),
    "instrument.document_add": pgettext_lazy("what was done", "Document added"),
    "instrument.document_remove": pgettext_lazy("what was done", "Document taken away"),
    "instrument.document_restore": pgettext_lazy("what was done", "Document put back"),
    "assistant.name": pgettext_lazy("what was done", "Somebody named who assists"),
    "assistant.unname": pgettext_lazy("what was done", "Somebody assists no more"),
    **_steps("instrument"),
}
#: What the trail of a test item, a data set, a work of literature or an accession can say was done.
RESOURCE_ACTIONS: dict[str, Word] = {
    "resource.create": INSTRUMENT_ACTIONS["instrument.create"],
    "resource.update": INSTRUMENT_ACTIONS["instrument.update"],
    "resource.import": INSTRUMENT_ACTIONS["instrument.import"],
    **_steps("resource"),
}


@dataclass(frozen=True, slots=True)
class Names:
    """What ids in a trail stand for, as text."""

    places: Mapping[str, str] = field(default_factory=dict)
    assistants: Mapping[str, str] = field(default_factory=dict)
    instruments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One thing that was done."""

    at: datetime
    who: str
    action: Word
    reason: str
    differences: list[Difference]


def ids_in(entries: Iterable[AuditEntry], name: str) -> set[int]:
    """The ids that trails name under ``name``, singly or as a list."""
    found: set[int] = set()
    for entry in entries:
        for side in (entry.before, entry.after):
            value = side.get(name, [])
            found |= set(value if isinstance(value, list) else [value])
    return found


def instrument_rows(entries: Iterable[AuditEntry], names: Names) -> list[HistoryRow]:
    """What was done to an instrument; entries come with before and after as they were written then."""
    return [_row(entry, INSTRUMENT_ACTIONS, lambda entry: _of_instrument(entry, names)) for entry in entries]


def resource_rows(kind: str, entries: Iterable[AuditEntry], names: Names) -> list[HistoryRow]:
    """As ``instrument_rows`` for a resource of a kind."""
    return [_row(entry, RESOURCE_ACTIONS, lambda entry: _of_resource(kind, entry, names)) for entry in entries]


def _row(entry: AuditEntry, actions: Mapping[str, Word], told: Callable[[AuditEntry], Iterator[Told]]) -> HistoryRow:
    who = entry.actor_name or _("automatically")
    found = [
        Difference(name, label, before, after, (line_differences if name in LINES else differences)(before, after))
        for name, label, before, after in told(entry)
        if before != after
    ]
    return HistoryRow(entry.at, who, actions.get(entry.action, entry.action), entry.reason, found)


def _of_instrument(entry: AuditEntry, names: Names) -> Iterator[Told]:
    before, after = entry.before, entry.after
    yield from hours_told(entry.action, before, after)
    if entry.action.startswith("assistant."):
        was, becomes = (names.assistants.get(str(side.get("assistant", "")), "") for side in (before, after))
        yield "assistant", pgettext_lazy("a detail", "Assists"), was, becomes
    for name in {**before, **after}:
        if _is_shown(name):
            was, becomes = (value_words(name, side.get(name), names.places) for side in (before, after))
            yield name, label_of(name), was, becomes


def _of_resource(kind: str, entry: AuditEntry, names: Names) -> Iterator[Told]:
    shown = {*labels_of(kind), "descriptors"}
    before, after = ({name: side[name] for name in side if name in shown} for side in (entry.before, entry.after))
    for side in (before, after):
        if "instrument_ids" in side:
            side["instrument_ids"] = [names.instruments.get(str(pk), str(pk)) for pk in side["instrument_ids"]]
    for name, label, was, becomes, _now in field_words(kind, before, after, {}):
        yield name, label, was, becomes


def _is_shown(name: str) -> bool:
    return (
        name in FIELD_NAMES
        or name in OTHER_NAMES
        or (name.startswith("facility_") and name.removeprefix("facility_") in FACILITY_NAMES)
        or (name.startswith("customs_") and name.removeprefix("customs_") in CUSTOMS_NAMES)
    )
