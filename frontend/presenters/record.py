"""The record of an instrument in words: what its fields hold, what a proposal or an old change makes different."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from frontend import display
from frontend.code_choices import SCHEMES, code_words, nation_name
from instruments.field_wording import (
    CHOICE_NAMES,
    CUSTOMS_NAMES,
    DETAIL_COLUMN_NAMES,
    FACILITY_NAMES,
    FIELD_NAMES,
    FUNDING_NAMES,
    NO,
    STATUS_MEANINGS,
    YES,
)
from instruments.models import FacilityRecord, Instrument, InstrumentChange, Site
from instruments.rules.facility_values import IS_FACILITY, PROPOSED, PUBLIC_FIELDS
from instruments.rules.instrument_review import clashes
from instruments.rules.persistent_ids import cstr_url, doi_url
from instruments.rules.sheet_cells import KNOWN_ONLY
from instruments.rules.text_diff import Piece, differences
from instruments.services.instrument_changes import jsonable
from instruments.services.instrument_reviews import current_values

Word = Promise | str

#: What the trail of an instrument says besides the fields of its record.
OTHER_NAMES: dict[str, Word] = {
    "caption": pgettext_lazy("a detail", "Caption"),
    "title": pgettext_lazy("a detail", "Title"),
    "place": pgettext_lazy("a detail", "Place in the order"),
    "site": FIELD_NAMES["site_id"],
    "funding": pgettext_lazy("a detail", "Funding"),
    IS_FACILITY: gettext_lazy("Large research facility"),
}
#: The fields of a proposal in the order of the record.
_PROPOSED_ORDER = (*FIELD_NAMES, IS_FACILITY, *(f"{PROPOSED}{name}" for name in FACILITY_NAMES))
_MONEY = frozenset({"original_value_fen"})


@dataclass(frozen=True, slots=True)
class Difference:
    """A field before and after in words, and the pieces of its text. ``clash``: what stands there now, when it is neither."""

    field: str
    label: Word
    before: str
    after: str
    pieces: list[Piece]
    clash: str = ""
    is_clash: bool = False


def label_of(field: str) -> Word:
    """What a field is called."""
    if field in DETAIL_COLUMN_NAMES and field.startswith("funding_"):
        return DETAIL_COLUMN_NAMES[field]
    if field.startswith("customs_") and field != "customs_supervised":
        return CUSTOMS_NAMES.get(field.removeprefix("customs_"), field)
    if field.startswith("facility_"):
        return FACILITY_NAMES.get(field.removeprefix("facility_"), field)
    return FIELD_NAMES.get(field) or OTHER_NAMES.get(field, field)


def value_words(field: str, value: Any, places: Mapping[str, str]) -> str:
    """What a field holds (as the audit trail writes it), as plain text; ``places`` are names by id. Nothing is an empty text."""
    if value is None or value == "" or value == []:
        return ""
    if isinstance(value, bool):
        return str(YES if value else NO)
    if field.startswith("funding_") and value == KNOWN_ONLY:
        return _("amount not known")
    if field in _MONEY or field.startswith("funding_"):
        return display.yuan(value)
    if field in ("site_id", "site"):
        return places.get(str(value), str(value))
    if field == "nation_code":
        return f"{nation_name(value)} ({value})"
    if field == "class_code":
        return code_words(field, value)
    if field == "funding":
        return _funding_words(value)
    if field in SCHEMES:
        return "; ".join(code_words(field, code) for code in value)
    if isinstance(value, list):
        return "; ".join(str(CHOICE_NAMES.get(field, {}).get(str(each), each)) for each in value)
    choice = field.removeprefix("facility_")
    return str(CHOICE_NAMES.get(choice, {}).get(str(value), value))


def _funding_words(value: Mapping[str, int | None]) -> str:
    """The sources in the order of the form, whatever order they were kept in."""
    known = [(str(word), value[source]) for source, word in FUNDING_NAMES.items() if source in value]
    return "; ".join(word if fen is None else f"{word} {display.yuan(fen)}" for word, fen in known)


def place_names(sites: Iterable[Site]) -> dict[str, str]:
    return {str(site.pk): site.name for site in sites}


def change_differences(change: InstrumentChange, places: Mapping[str, str]) -> list[Difference]:
    """What a proposal makes different, field by field in the order of the record; clashes with what has changed meanwhile."""
    now_there = current_values(change.instrument, change.values)
    clashing = set(clashes(change.base, now_there, change.values)) if change.state in ("draft", "submitted") else set()
    found = []
    for name in sorted(change.values, key=_PROPOSED_ORDER.index):
        before, after = (value_words(name, side.get(name), places) for side in (change.base, change.values))
        clash = value_words(name, now_there[name], places) if name in clashing else ""
        found.append(Difference(name, label_of(name), before, after, differences(before, after), clash, name in clashing))
    return found


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of the capability table; ``long`` texts take the whole width, ``url`` makes the text a link."""

    label: Word
    text: str
    long: bool = False
    url: str = ""


def capability(instrument: Instrument) -> list[Fact]:
    """What it can do, in the order in which somebody who searches asks for it; empty fields are left out."""
    values = jsonable({name: getattr(instrument, name) for name in _CAPABILITY})
    facts = [Fact(label_of(name), value_words(name, values[name], {}), name in _LONG) for name in _CAPABILITY]
    return [fact for fact in facts if fact.text]


def provenance(instrument: Instrument) -> list[Fact]:
    """Where it comes from and how it is registered; empty fields are left out."""
    values = jsonable({name: getattr(instrument, name) for name in _PROVENANCE})
    values["commissioned_on"] = _date_words(instrument.commissioned_on)
    values["purchased_on"] = _date_words(instrument.purchased_on)
    urls = {"doi": doi_url(instrument.doi), "cstr": cstr_url(instrument.cstr)}
    facts = [
        Fact(_PUBLIC_NAMES.get(name) or label_of(name), value_words(name, values[name], {}), url=urls.get(name, ""))
        for name in _PROVENANCE
    ]
    return [fact for fact in facts if fact.text]


def sharing(instrument: Instrument) -> list[Fact]:
    """The owner's own words on sharing, terms and results; empty fields are left out."""
    values = {name: getattr(instrument, name) for name in _SHARING}
    return [Fact(label_of(name), text, True) for name in _SHARING if (text := value_words(name, values[name], {}))]


def facility_facts(facility: FacilityRecord) -> list[Fact]:
    """What the national sheet says about a large facility, without the persons; empty fields are left out."""
    values = {name: getattr(facility, name) for name in PUBLIC_FIELDS} | {"accepted_on": _date_words(facility.accepted_on)}
    facts = [Fact(FACILITY_NAMES[name], value_words(name, values[name], {}), name.endswith("users")) for name in PUBLIC_FIELDS]
    return [fact for fact in facts if fact.text]


def held_facts(held: Mapping[str, Any]) -> list[Fact]:
    """What the sheet of a facility holds, persons too, for who keeps it; ``held`` is by name of field."""
    words = {name: _date_words(value) if name == "accepted_on" else value_words(name, value, {}) for name, value in held.items()}
    return [Fact(FACILITY_NAMES[name], text, name.endswith("users")) for name, text in words.items()]


def status_meaning(instrument: Instrument) -> Word:
    """What the running state means for somebody who wants to book."""
    return STATUS_MEANINGS[instrument.status]


def _date_words(day: date | None) -> str:
    return "" if day is None else display.date_words(day)


_CAPABILITY = ("technique", "technical_indicators", "functions", "service_content", "accessories", "keywords", "subject_codes",
               "technique_codes", "class_code", "use_type", "certification")  # fmt: skip
_LONG = frozenset({"technical_indicators", "functions", "service_content", "accessories"})
_PROVENANCE = ("manufacturer", "model", "nation_code", "imported", "commissioned_on", "purchased_on", "acquisition",
               "original_value_fen", "inner_id", "asset_number", "fixed_asset_code", "department", "affiliation", "affiliation_name", "doi",
               "cstr")  # fmt: skip
#: What the owner's form calls otherwise.
_PUBLIC_NAMES: dict[str, Word] = {
    "inner_id": pgettext_lazy("a fact", "Owner's number"),
    "original_value_fen": pgettext_lazy("a fact", "Original value"),
}
_SHARING = ("share_mode", "access_terms", "fee_note", "achievements", "effect_1", "effect_2", "known_users")
