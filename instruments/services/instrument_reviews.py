"""Proposed changes of instruments and the operator's answer: the one writer of their state.

Every step is written to the instrument's own audit trail, so that its history tells the whole story.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from config.kernel.access import Actor, Role
from config.kernel.errors import Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from instruments.models import ChangeState, FacilityRecord, Instrument, InstrumentChange, Organisation
from instruments.rules.facility_values import IS_FACILITY, PROPOSED, empty_facility, proposed_facility
from instruments.rules.instrument_review import Action, State, next_state
from instruments.services import instrument_details, mails, registry
from instruments.services.change_reviews import ASKED, Reviews
from instruments.services.instrument_changes import (
    jsonable,
    managed_instrument,
    needs_review,
    owner_institution,
    revived,
)
from instruments.services.settling import settle

OPEN = (ChangeState.DRAFT, ChangeState.SUBMITTED)


def current_values(instrument: Instrument, names: Collection[str]) -> dict[str, Any]:
    """What stands in the named fields now, as the audit trail writes it."""
    sheet = FacilityRecord.objects.filter(instrument=instrument).first() if any(map(_of_facility, names)) else None
    empty = empty_facility()

    def stands(name: str) -> Any:
        if name == IS_FACILITY:
            return sheet is not None
        if not _of_facility(name):
            return getattr(instrument, name)
        field = name.removeprefix(PROPOSED)
        return empty[field] if sheet is None else getattr(sheet, field)

    return jsonable({name: stands(name) for name in names})


def _of_facility(name: str) -> bool:
    return name == IS_FACILITY or name.startswith(PROPOSED)


def _write(actor: Actor, change: InstrumentChange, now: datetime) -> None:
    values = revived(change.values)
    fields = {name: value for name, value in values.items() if not _of_facility(name)}
    if fields:
        registry.update_instrument(actor, change.instrument_id, fields, now, reason=f"change {change.pk}")
    facility = proposed_facility(values)
    if facility is not None:
        instrument_details.set_facility(actor, change.instrument_id, facility, now)


_REVIEWS = Reviews(
    InstrumentChange,
    "instrument",
    lambda: Instrument.objects.select_related("organisation", "site"),
    current_values,
    _write,
    mails.change_decided,
    Action.SAVE,
)
seen = _REVIEWS.seen


def open_change(instrument: Instrument) -> InstrumentChange | None:
    """The draft or submitted change of an instrument that the caller may change."""
    return InstrumentChange.objects.filter(instrument=instrument, state__in=OPEN).first()


@whole
def propose(actor: Actor, instrument_id: int, given: Mapping[str, Any], now: datetime) -> InstrumentChange | None:
    """Keep clean values of descriptive fields as the instrument's draft; returns it, or None when nothing differs (any more).

    Fields that are not given stay as the draft has them; one given as it stands now leaves the draft. A submitted change becomes
    a draft again. Raises NotFound, Forbidden.
    """
    instrument = managed_instrument(actor, instrument_id)
    change = InstrumentChange.objects.select_for_update().filter(instrument=instrument, state__in=OPEN).first()
    proposed = jsonable(given)
    now_there = current_values(instrument, proposed)
    kept = {} if change is None else {name: value for name, value in change.values.items() if name not in proposed}
    values = kept | {name: value for name, value in proposed.items() if value != now_there[name]}
    if change is None:
        return _new_draft(actor, instrument, values, now_there, now) if values else None
    if not values:
        _REVIEWS.move(actor, change, Action.WITHDRAW, now)
        return None
    base = {name: change.base.get(name, now_there.get(name)) for name in values}
    if (values, base) == (change.values, change.base):
        return change
    _REVIEWS.move(actor, change, Action.SAVE, now, values=values, base=base, submitted_by_id=None, submitted_at=None)
    return change


def _new_draft(
    actor: Actor, instrument: Instrument, values: dict[str, Any], now_there: dict[str, Any], now: datetime
) -> InstrumentChange:
    change = InstrumentChange.objects.create(
        instrument=instrument,
        state=ChangeState.DRAFT,
        values=values,
        base={name: now_there[name] for name in values},
        base_updated_at=instrument.updated_at,
        created_by_id=actor.user_id,
        created_at=now,
    )
    _REVIEWS.note(actor, change, Action.SAVE, now)
    refused = InstrumentChange.objects.filter(instrument=instrument, state=ChangeState.REFUSED).order_by("-decided_at").first()
    if refused is not None:  # this one is worked on instead
        settle(refused, ASKED, now)
    return change


@whole
def submit(actor: Actor, change_id: int, now: datetime) -> InstrumentChange:
    """Hand a draft in. Raises NotFound, Forbidden, Refusal ``instrument_change.not_now``."""
    change = _REVIEWS.kept(actor, change_id)
    _REVIEWS.move(actor, change, Action.SUBMIT, now, submitted_by_id=actor.person_id, submitted_at=now)
    mails.change_submitted(change, now)
    return change


@whole
def withdraw(actor: Actor, change_id: int, now: datetime) -> InstrumentChange:
    """Take a draft or a submitted change back. Raises NotFound, Forbidden, Refusal ``instrument_change.not_now``."""
    return _REVIEWS.withdraw(actor, change_id, now)


@whole
def reopen(actor: Actor, change_id: int, now: datetime) -> InstrumentChange:
    """Make a refused change a draft again, compared with what stands there now.

    Raises NotFound, Forbidden, Refusal ``instrument_change.not_now``, ``instrument_change.another_open``.
    """
    change = _REVIEWS.kept(actor, change_id)
    next_state(State(change.state), Action.REOPEN)
    if open_change(change.instrument) is not None:
        raise Refusal.of("instrument_change.another_open")
    base = current_values(change.instrument, change.values)
    blank = {"submitted_by_id": None, "submitted_at": None, "decided_by_id": None, "decided_at": None}
    _REVIEWS.move(actor, change, Action.REOPEN, now, base=base, base_updated_at=change.instrument.updated_at, **blank)
    return change


@whole
def ask_to_publish(actor: Actor, instrument_id: int, now: datetime) -> InstrumentChange | None:
    """Publish an instrument, or hand it in for that where the operator looks first; returns what was handed in.

    Raises NotFound, Forbidden, Refusal ``instrument_change.not_now`` when it is handed in already.
    """
    instrument = managed_instrument(actor, instrument_id)
    if not needs_review(actor, instrument.organisation):
        registry.set_published(actor, instrument_id, True, now)
        return None
    change = open_change(instrument) or propose(actor, instrument_id, {"published": True}, now)
    if change is None:
        raise Refusal.of("instrument_change.nothing_to_do")
    return submit(actor, change.pk, now)


@whole
def accept(actor: Actor, change_id: int, mark: str, now: datetime, *, overwrite: bool = False) -> InstrumentChange:
    """Apply a submitted change. ``mark`` is ``seen`` of what the operator looked at.

    ``overwrite`` applies it although fields have changed since they were proposed. Raises NotFound, Forbidden
    ``instrument_change.own``, Conflict ``instrument_change.changed_meanwhile`` (look again) or ``instrument_change.clash``
    (fields), Refusal ``instrument_change.not_now`` and what ``registry.update_instrument`` refuses.
    """
    return _REVIEWS.accept(actor, change_id, mark, now, overwrite=overwrite)


@whole
def refuse(actor: Actor, change_id: int, reason: str, now: datetime) -> InstrumentChange:
    """Refuse a submitted change; the owner reads the reason and may take it up again.

    Raises NotFound, Forbidden ``instrument_change.own``, Refusal ``instrument_change.not_now``,
    ``instrument_change.reason_missing``, ``name.*``.
    """
    return _REVIEWS.refuse(actor, change_id, reason, now)


@whole
def set_reviews_needed(actor: Actor, organisation_id: int, needed: bool | None, now: datetime) -> Organisation:
    """Say whether the operator looks at an owner's changes first; None goes back to the rule (only while it is not verified).

    Raises Forbidden, Refusal ``instrument.owner_unknown``.
    """
    actor.require(Role.OPERATOR)
    owner = owner_institution(organisation_id)
    before = owner.reviews_needed
    if before == needed:
        return owner
    owner.reviews_needed = needed
    owner.save(update_fields=["reviews_needed"])
    known, wanted = {"reviews_needed": before}, {"reviews_needed": needed}
    audit.record(actor, "organisation.reviews_needed", owner, now, before=known, after=wanted)
    return owner
