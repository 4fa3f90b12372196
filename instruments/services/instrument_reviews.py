"""Proposed changes of instruments and the operator's answer: the one writer of their state.

Every step is written to the instrument's own audit trail, so that its history tells the whole story.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Conflict, Forbidden, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from instruments.models import ChangeState, Instrument, InstrumentChange, Membership, Organisation
from instruments.rules.instrument_review import Action, State, clashes, next_state
from instruments.rules.registry_values import clean_text
from instruments.services import mails, registry
from instruments.services.instrument_changes import (
    jsonable,
    managed_instrument,
    needs_review,
    owner_institution,
    require_manager,
    revived,
)
from instruments.services.settling import settle

REASON_LENGTH = 1000
OPEN = (ChangeState.DRAFT, ChangeState.SUBMITTED)
_ASKED = ("registry.change_submitted", "registry.change_refused")
"""News that asks something of its reader: settled by every step from the state of which it tells."""


def current_values(instrument: Instrument, names: Mapping[str, Any]) -> dict[str, Any]:
    """What stands in the named fields now, as the audit trail writes it."""
    return jsonable({name: getattr(instrument, name) for name in names})


def open_change(instrument: Instrument) -> InstrumentChange | None:
    """The draft or submitted change of an instrument that the caller may change."""
    return InstrumentChange.objects.filter(instrument=instrument, state__in=OPEN).first()


def seen(change: InstrumentChange) -> str:
    """A mark of what a reviewer looked at: the instrument and the proposal as they stand."""
    shown = f"{change.instrument.updated_at.isoformat()} {change.submitted_at} {change.values}"
    return hashlib.sha256(shown.encode()).hexdigest()[:32]


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
        _move(actor, change, Action.WITHDRAW, now)
        return None
    base = {name: change.base.get(name, now_there.get(name)) for name in values}
    if (values, base) == (change.values, change.base):
        return change
    _move(actor, change, Action.SAVE, now, values=values, base=base, submitted_by_id=None, submitted_at=None)
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
    _record(actor, change, Action.SAVE, now)
    refused = InstrumentChange.objects.filter(instrument=instrument, state=ChangeState.REFUSED).order_by("-decided_at").first()
    if refused is not None:  # this one is worked on instead
        settle(refused, _ASKED, now)
    return change


@whole
def submit(actor: Actor, change_id: int, now: datetime) -> InstrumentChange:
    """Hand a draft in. Raises NotFound, Forbidden, Refusal ``instrument_change.not_now``."""
    change = _locked(actor, change_id)
    require_manager(actor, change.instrument.organisation_id)
    _move(actor, change, Action.SUBMIT, now, submitted_by_id=actor.person_id, submitted_at=now)
    mails.change_submitted(change, now)
    return change


@whole
def withdraw(actor: Actor, change_id: int, now: datetime) -> InstrumentChange:
    """Take a draft or a submitted change back. Raises NotFound, Forbidden, Refusal ``instrument_change.not_now``."""
    change = _locked(actor, change_id)
    require_manager(actor, change.instrument.organisation_id)
    _move(actor, change, Action.WITHDRAW, now)
    return change


@whole
def reopen(actor: Actor, change_id: int, now: datetime) -> InstrumentChange:
    """Make a refused change a draft again, compared with what stands there now.

    Raises NotFound, Forbidden, Refusal ``instrument_change.not_now``, ``instrument_change.another_open``.
    """
    change = _locked(actor, change_id)
    require_manager(actor, change.instrument.organisation_id)
    next_state(State(change.state), Action.REOPEN)
    if open_change(change.instrument) is not None:
        raise Refusal.of("instrument_change.another_open")
    base = current_values(change.instrument, change.values)
    blank = {"submitted_by_id": None, "submitted_at": None, "decided_by_id": None, "decided_at": None}
    _move(actor, change, Action.REOPEN, now, base=base, base_updated_at=change.instrument.updated_at, **blank)
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
    change = _to_decide(actor, change_id, Action.ACCEPT)
    if mark != seen(change):
        raise Conflict.of("instrument_change.changed_meanwhile")
    clashing = clashes(change.base, current_values(change.instrument, change.values), change.values)
    if clashing and not overwrite:
        raise Conflict.of("instrument_change.clash", "overwrite", count=len(clashing))
    registry.update_instrument(actor, change.instrument_id, revived(change.values), now, reason=f"change {change.pk}")
    _move(actor, change, Action.ACCEPT, now, decided_by_id=actor.person_id, decided_at=now, reason="")
    mails.change_decided(change, now)
    return change


@whole
def refuse(actor: Actor, change_id: int, reason: str, now: datetime) -> InstrumentChange:
    """Refuse a submitted change; the owner reads the reason and may take it up again.

    Raises NotFound, Forbidden ``instrument_change.own``, Refusal ``instrument_change.not_now``,
    ``instrument_change.reason_missing``, ``name.*``.
    """
    change = _to_decide(actor, change_id, Action.REFUSE)
    text = clean_text(reason, REASON_LENGTH, "reason", lines=True)
    if not text:
        raise Refusal.of("instrument_change.reason_missing", "reason")
    _move(actor, change, Action.REFUSE, now, decided_by_id=actor.person_id, decided_at=now, reason=text)
    mails.change_decided(change, now)
    return change


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


def _to_decide(actor: Actor, change_id: int, action: Action) -> InstrumentChange:
    actor.require(Role.OPERATOR)
    change = _locked(actor, change_id)
    next_state(State(change.state), action)
    colleague = Membership.objects.filter(organisation_id=change.instrument.organisation_id, user_id=actor.person_id).exists()
    if colleague or change.submitted_by_id == actor.user_id:
        raise Forbidden.of("instrument_change.own")
    return change


def _locked(actor: Actor, change_id: int) -> InstrumentChange:
    """The change and its instrument, locked in this order everywhere: instrument first. Raises NotFound."""
    found = get_visible(InstrumentChange.objects.all(), actor, pk=change_id)
    rows = Instrument.objects.select_for_update(of=("self",), no_key=True).select_related("organisation", "site")
    instrument = rows.get(pk=found.instrument_id)
    change = InstrumentChange.objects.select_for_update().get(pk=found.pk)
    change.instrument = instrument
    return change


def _move(actor: Actor, change: InstrumentChange, action: Action, now: datetime, **values: Any) -> None:
    """Change the state; act only when exactly one row moved."""
    before = State(change.state)
    after = next_state(before, action)
    moved = InstrumentChange.objects.filter(pk=change.pk, state=before).update(state=after, **values)
    if moved != 1:
        raise Conflict.of("instrument_change.changed_meanwhile")
    change.state = after
    for name, value in values.items():
        setattr(change, name, value)
    settle(change, _ASKED, now)
    _record(actor, change, action, now)


def _record(actor: Actor, change: InstrumentChange, action: Action, now: datetime) -> None:
    after = {"change": change.pk, "state": str(change.state)}
    if action is Action.SAVE:
        after["values"] = change.values
    audit.record(actor, f"instrument_change.{action.value}", change.instrument, now, after=after, reason=change.reason)
