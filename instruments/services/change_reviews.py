"""A proposed change of something in the registry and the operator's answer: what is the same for instruments and for all other kinds.

The thing is locked before its change, everywhere; every step is written to the thing's own audit trail, so that its history tells the
whole story. ``instrument_reviews`` and ``resource_reviews`` say what is proposed and how it is applied.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.db.models import QuerySet

from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Conflict, Forbidden, Refusal
from config.kernel.services import audit
from instruments.models import InstrumentChange, Membership, ResourceChange
from instruments.rules.instrument_review import Action, State, clashes, next_state
from instruments.rules.registry_values import clean_text
from instruments.services.instrument_changes import require_manager
from instruments.services.settling import settle

REASON_LENGTH = 1000
ASKED = ("registry.change_submitted", "registry.change_refused")
"""News that asks something of its reader: settled by every step from the state of which it tells."""
C = TypeVar("C", InstrumentChange, ResourceChange)


@dataclass(frozen=True, slots=True)
class Reviews(Generic[C]):
    """Changes of one ``model`` about things that its field ``about`` names.

    ``things`` are the rows to lock, with what the steps need of them; ``there`` says what stands in the named fields of a thing now;
    ``write`` applies a change that is accepted; ``decided`` tells of the answer; ``tells`` is the step whose values the trail keeps.
    """

    model: type[C]
    about: str
    things: Callable[[], QuerySet[Any]]
    there: Callable[[Any, Mapping[str, Any]], Mapping[str, Any]]
    write: Callable[[Actor, C, datetime], object]
    decided: Callable[[C, datetime], object]
    tells: Action

    def thing(self, change: C) -> Any:
        """What the change is about."""
        return getattr(change, self.about)

    def seen(self, change: C) -> str:
        """A mark of what a reviewer looked at: the thing and the proposal as they stand."""
        shown = f"{self.thing(change).updated_at.isoformat()} {change.submitted_at} {change.values}"
        return hashlib.sha256(shown.encode()).hexdigest()[:32]

    def withdraw(self, actor: Actor, change_id: int, now: datetime) -> C:
        """Take it back. Raises NotFound, Forbidden, Refusal ``instrument_change.not_now``."""
        change = self.kept(actor, change_id)
        self.move(actor, change, Action.WITHDRAW, now)
        return change

    def accept(self, actor: Actor, change_id: int, mark: str, now: datetime, *, overwrite: bool) -> C:
        """Apply it. ``mark`` is ``seen`` of what the operator looked at; ``overwrite`` applies it although fields have changed since they
        were proposed.

        Raises NotFound, Forbidden ``instrument_change.own``, Conflict ``instrument_change.changed_meanwhile`` (look again) or
        ``instrument_change.clash`` (fields), Refusal ``instrument_change.not_now`` and what ``write`` refuses.
        """
        change = self._to_decide(actor, change_id, Action.ACCEPT)
        if mark != self.seen(change):
            raise Conflict.of("instrument_change.changed_meanwhile")
        clashing = clashes(change.base, self.there(self.thing(change), change.values), change.values)
        if clashing and not overwrite:
            raise Conflict.of("instrument_change.clash", "overwrite", count=len(clashing))
        self.write(actor, change, now)
        self.move(actor, change, Action.ACCEPT, now, decided_by_id=actor.person_id, decided_at=now, reason="")
        self.decided(change, now)
        return change

    def refuse(self, actor: Actor, change_id: int, reason: str, now: datetime) -> C:
        """Refuse it; the owner reads the reason. Raises NotFound, Forbidden ``instrument_change.own``, Refusal
        ``instrument_change.not_now``, ``instrument_change.reason_missing``, ``name.*``."""
        change = self._to_decide(actor, change_id, Action.REFUSE)
        text = clean_text(reason, REASON_LENGTH, "reason", lines=True)
        if not text:
            raise Refusal.of("instrument_change.reason_missing", "reason")
        self.move(actor, change, Action.REFUSE, now, decided_by_id=actor.person_id, decided_at=now, reason=text)
        self.decided(change, now)
        return change

    def kept(self, actor: Actor, change_id: int) -> C:
        """A change that the actor may work on as the owner, locked. Raises NotFound, Forbidden."""
        change = self._locked(actor, change_id)
        require_manager(actor, self.thing(change).organisation_id)
        return change

    def move(self, actor: Actor, change: C, action: Action, now: datetime, **values: Any) -> None:
        """Change the state; act only when exactly one row moved."""
        before = State(change.state)
        after = next_state(before, action)
        moved = self.model.objects.filter(pk=change.pk, state=before).update(state=after, **values)
        if moved != 1:
            raise Conflict.of("instrument_change.changed_meanwhile")
        change.state = after
        for name, value in values.items():
            setattr(change, name, value)
        settle(change, ASKED, now)
        self.note(actor, change, action, now)

    def note(self, actor: Actor, change: C, action: Action, now: datetime) -> None:
        """Write the step to the trail of the thing."""
        after = {"change": change.pk, "state": str(change.state)}
        if action is self.tells:
            after["values"] = change.values
        audit.record(actor, f"{self.about}_change.{action.value}", self.thing(change), now, after=after, reason=change.reason)

    def _to_decide(self, actor: Actor, change_id: int, action: Action) -> C:
        """Nobody answers what they handed in, or what their own institution did."""
        actor.require(Role.OPERATOR)
        change = self._locked(actor, change_id)
        next_state(State(change.state), action)
        owner_id = self.thing(change).organisation_id
        colleague = Membership.objects.filter(organisation_id=owner_id, user_id=actor.person_id).exists()
        if colleague or change.submitted_by_id == actor.user_id:
            raise Forbidden.of("instrument_change.own")
        return change

    def _locked(self, actor: Actor, change_id: int) -> C:
        """The change and what it is about, which is locked first. Raises NotFound."""
        found = get_visible(self.model.objects.all(), actor, pk=change_id)
        rows = self.things().select_for_update(of=("self",), no_key=True)
        thing = rows.get(pk=getattr(found, f"{self.about}_id"))
        change = self.model.objects.select_for_update().get(pk=found.pk)
        setattr(change, self.about, thing)
        return change
