"""Saving what an owner typed about an instrument: what applies at once is written, what the operator looks at first is kept as a draft."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from config.kernel.access import Actor
from config.kernel.errors import Conflict, Reason, Refusal
from config.kernel.services.transactions import whole
from instruments.models import FacilityRecord, Instrument, InstrumentChange
from instruments.rules.facility_values import PROPOSED, clean_facility, facility_apart
from instruments.rules.instrument_review import apart
from instruments.rules.persistent_ids import kept_ids, without_kept
from instruments.rules.registry_values import clean_fields
from instruments.services import instrument_details, instrument_reviews, registry
from instruments.services.instrument_changes import class_reasons, managed_instrument, needs_review
from instruments.services.registry import InstrumentFields


@dataclass(frozen=True, slots=True)
class Edit:
    """``changes`` by field name (``site_id`` too), ``new_place`` a place to create. ``customs``, ``fundings``
    and ``facility``: None leaves them.

    ``seen`` is the instrument's ``updated_at`` when the form was made; None does not ask.
    """

    changes: Mapping[str, Any]
    new_place: str = ""
    customs: Mapping[str, Any] | None = None
    fundings: tuple[tuple[str, int | None], ...] | None = None
    seen: datetime | None = None
    facility: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """``change`` is the draft that now holds what was not applied, if any."""

    instrument: Instrument
    change: InstrumentChange | None = None


@whole
def create(
    actor: Actor, organisation_id: int, site_id: int | None, fields: InstrumentFields, details: Edit, now: datetime
) -> Instrument:
    """A new instrument with what ``details`` says besides its fields (a new place, customs, funding), as a whole.

    Raises as ``registry.create_instrument_somewhere`` and ``save`` do.
    """
    made = registry.create_instrument_somewhere(actor, organisation_id, site_id, details.new_place, fields, now)
    Refusal.raise_any(_detail_reasons(actor, made.pk, details, now))
    return made


@whole
def save(actor: Actor, instrument_id: int, edit: Edit, now: datetime) -> Saved:
    """Save an edit as a whole, or nothing of it.

    Raises NotFound, Forbidden, Conflict ``instrument.changed_meanwhile``, Refusal with every reason of fields and details.
    """
    instrument = managed_instrument(actor, instrument_id)
    if edit.seen is not None and edit.seen != instrument.updated_at:
        raise Conflict.of("instrument.changed_meanwhile")
    edit, sheet = _facility_looked_at(actor, instrument, edit)
    change = _save_fields(actor, instrument, edit, sheet, now)
    Refusal.raise_any(_detail_reasons(actor, instrument_id, edit, now))
    return Saved(instrument, change)


@whole
def save_details(actor: Actor, instrument_id: int, edit: Edit, now: datetime) -> None:
    """Save what an edit says of customs, funding and the facility alone; its fields are not looked at. Raises as ``save`` does."""
    instrument = managed_instrument(actor, instrument_id)
    if edit.seen is not None and edit.seen != instrument.updated_at:
        raise Conflict.of("instrument.changed_meanwhile")
    Refusal.raise_any(_detail_reasons(actor, instrument_id, edit, now))


def _detail_reasons(actor: Actor, instrument_id: int, edit: Edit, now: datetime) -> list[Reason]:
    """Write customs and funding where they are given; what is wrong with them, under the names of the form."""
    reasons: list[Reason] = []
    if edit.customs is not None:
        customs = edit.customs
        reasons += _reasons(lambda: instrument_details.set_customs(actor, instrument_id, customs, now), "customs_")
    if edit.fundings is not None:
        fundings = edit.fundings
        reasons += _reasons(lambda: instrument_details.set_fundings(actor, instrument_id, fundings, now))
    if edit.facility is not None:
        facility = edit.facility
        reasons += _reasons(lambda: instrument_details.set_facility(actor, instrument_id, facility, now), PROPOSED)
    return reasons


def _facility_looked_at(actor: Actor, instrument: Instrument, edit: Edit) -> tuple[Edit, dict[str, Any]]:
    """The edit without what the operator looks at first of a facility, and that, clean, as a proposal names it."""
    if edit.facility is None or not instrument.published or not needs_review(actor, instrument.organisation):
        return edit, {}
    cleaned = clean_facility(edit.facility)
    Refusal.raise_any([Reason(reason.code, reason.params, PROPOSED + reason.field) for reason in cleaned.reasons])
    is_new = not FacilityRecord.objects.filter(instrument=instrument).exists()
    at_once, looked_at = facility_apart(cleaned.values, is_new=is_new)
    return replace(edit, facility=at_once or None), looked_at


def _save_fields(
    actor: Actor, instrument: Instrument, edit: Edit, sheet: Mapping[str, Any], now: datetime
) -> InstrumentChange | None:
    """``sheet`` is what is proposed of a facility."""
    if not needs_review(actor, instrument.organisation):
        registry.update_instrument(actor, instrument.pk, edit.changes, now, new_place=edit.new_place)
        return None
    changes = {name: value for name, value in edit.changes.items() if name != "published" or value is False}
    if not instrument.published:
        registry.update_instrument(actor, instrument.pk, changes, now, new_place=edit.new_place)
        return None
    at_once, reviewed = apart(changes)
    proposed = _clean(actor, instrument, reviewed, edit.new_place, now)
    if at_once:
        registry.update_instrument(actor, instrument.pk, at_once, now)
    return instrument_reviews.propose(actor, instrument.pk, proposed | dict(sheet), now)


def _clean(actor: Actor, instrument: Instrument, given: Mapping[str, Any], new_place: str, now: datetime) -> dict[str, Any]:
    """Clean values of what will be proposed; a new place is created at once, nobody sees it before something stands there."""
    cleaned = clean_fields({name: value for name, value in given.items() if name != "site_id"})
    reasons = without_kept(cleaned.reasons, kept_ids([(instrument.doi, instrument.cstr)]))
    Refusal.raise_any([*reasons, *class_reasons(cleaned.values.get("class_code", ""))])
    values = cleaned.values
    if new_place:
        values["site_id"] = registry.new_site(actor, instrument.organisation_id, new_place, now).pk
    elif "site_id" in given:
        values["site_id"] = registry.site_of(instrument.organisation_id, given["site_id"]).pk
    return values


def _reasons(work: Callable[[], object], prefix: str = "") -> list[Reason]:
    try:
        work()
    except Refusal as refusal:
        return [Reason(reason.code, reason.params, prefix + reason.field) for reason in refusal.reasons]
    return []
