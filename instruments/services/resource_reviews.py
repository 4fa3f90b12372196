"""Proposed changes of test items, germplasm, data sets and literature, and the operator's answer: the one writer of their state.

The same rule and the same life as with instruments (``instruments.rules.instrument_review``, docs/adr/0016), one step shorter: what an
owner saves is handed in at once. Every step is written to the resource's own audit trail.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from config.kernel.access import Actor
from config.kernel.services.transactions import whole
from instruments.models import ChangeState, Resource, ResourceChange
from instruments.rules.instrument_review import Action, apart
from instruments.rules.resource_values import CORE_FIELDS
from instruments.services import mails, resources
from instruments.services.change_reviews import Reviews
from instruments.services.instrument_changes import needs_review
from instruments.services.resource_parts import part_values

OPEN = (ChangeState.DRAFT, ChangeState.SUBMITTED)
_DAYS = frozenset({"issued_on", "temporal_from", "temporal_to", "valid_from", "valid_to"})


def current_values(resource: Resource, names: Mapping[str, Any]) -> dict[str, Any]:
    """What stands in the named fields now, as a proposal writes it."""
    stored = part_values(resource)
    return _as_kept({name: getattr(resource, name) if name in CORE_FIELDS else stored[name] for name in names})


def _write(actor: Actor, change: ResourceChange, now: datetime) -> None:
    core, part = _core_and_part(_revived(change.values))
    resources.update_resource(actor, change.resource_id, core, part, now, reason=f"change {change.pk}")


_REVIEWS = Reviews(
    ResourceChange,
    "resource",
    lambda: Resource.objects.select_related("organisation"),
    current_values,
    _write,
    mails.resource_change_decided,
    Action.SUBMIT,
)
seen = _REVIEWS.seen


@whole
def save(
    actor: Actor,
    resource_id: int,
    core: Mapping[str, Any],
    part: Mapping[str, Any],
    now: datetime,
    edited: Collection[str] | None = None,
) -> ResourceChange | None:
    """Save an edit as a whole: what applies at once is written; what the operator looks at first is handed in and returned.

    What is saved again replaces what was handed in before, field by field; ``edited`` names the fields that were typed anew where that is
    not every one of ``core`` and ``part``. Raises NotFound, Forbidden, Refusal with every reason.
    """
    resource = resources.managed_resource(actor, resource_id)
    if not needs_review(actor, resource.organisation):
        resources.update_resource(actor, resource_id, core, part, now)
        return None
    changes = resources.differing(actor, resource, core, part)
    at_once, reviewed = apart(changes.values)
    if not resource.published:  # nobody sees it yet: only its publication is looked at
        at_once |= {name: value for name, value in reviewed.items() if name != "published"}
        reviewed = {"published": True} if reviewed.get("published") else {}
    if at_once:
        resource = resources.update_resource(actor, resource_id, *_core_and_part(at_once), now)
    return _hand_in(actor, resource, _as_kept(reviewed), {*core, *part} if edited is None else edited, now)


def _hand_in(
    actor: Actor, resource: Resource, reviewed: dict[str, Any], edited: Collection[str], now: datetime
) -> ResourceChange | None:
    """``reviewed`` beside what waits already in other fields than the ``edited`` ones, as of when it was proposed."""
    change = ResourceChange.objects.select_for_update().filter(resource=resource, state__in=OPEN).first()
    waiting = {} if change is None else {name: value for name, value in change.values.items() if name not in edited}
    values = waiting | reviewed
    base = current_values(resource, values)
    if change is not None:
        base |= {name: change.base[name] for name in waiting if name in change.base}
    if change is not None and change.values == values:
        return change
    if change is not None:
        change.resource = resource
        _REVIEWS.move(actor, change, Action.WITHDRAW, now)
    if not values:
        return None
    change = ResourceChange.objects.create(resource=resource, state=ChangeState.DRAFT, values=values, base=base, created_at=now)
    _REVIEWS.move(actor, change, Action.SUBMIT, now, submitted_by_id=actor.person_id, submitted_at=now)
    mails.resource_change_submitted(change, now)
    return change


@whole
def withdraw(actor: Actor, change_id: int, now: datetime) -> ResourceChange:
    """Take a change back that waits. Raises NotFound, Forbidden, Refusal ``instrument_change.not_now``."""
    return _REVIEWS.withdraw(actor, change_id, now)


@whole
def accept(actor: Actor, change_id: int, mark: str, now: datetime, *, overwrite: bool = False) -> ResourceChange:
    """Apply a change that waits. ``mark`` is ``seen`` of what the operator looked at; ``overwrite`` applies it although fields have
    changed since they were proposed.

    Raises NotFound, Forbidden ``instrument_change.own``, Conflict ``instrument_change.changed_meanwhile`` or ``.clash``, Refusal
    ``instrument_change.not_now`` and what ``resources.update_resource`` refuses.
    """
    return _REVIEWS.accept(actor, change_id, mark, now, overwrite=overwrite)


@whole
def refuse(actor: Actor, change_id: int, reason: str, now: datetime) -> ResourceChange:
    """Refuse a change that waits; the owner reads the reason, mends it and saves again.

    Raises NotFound, Forbidden ``instrument_change.own``, Refusal ``instrument_change.not_now``, ``instrument_change.reason_missing``,
    ``name.*``.
    """
    return _REVIEWS.refuse(actor, change_id, reason, now)


def _core_and_part(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    core = {name: value for name, value in values.items() if name in CORE_FIELDS}
    return core, {name: value for name, value in values.items() if name not in core}


def _revived(values: Mapping[str, Any]) -> dict[str, Any]:
    """The opposite of ``_as_kept``: dates are dates again."""
    found: dict[str, Any] = {
        name: date.fromisoformat(value) if name in _DAYS and isinstance(value, str) else value for name, value in values.items()
    }
    if "qualifications" in found:
        found["qualifications"] = [_revived(row) for row in found["qualifications"]]
    return found


def _as_kept(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as JSON gives them back, so that they can be compared."""
    kept: dict[str, Any] = json.loads(json.dumps(dict(values), cls=DjangoJSONEncoder))
    return kept
