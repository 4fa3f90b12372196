"""Correcting what the customer says of a service for the national record, from the booking until its session is agreed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from booking import ports
from booking.models import Reservation, ReservationTransition
from booking.rules.changes import Side
from booking.rules.service_facts import ServiceFacts, kept, said_faults, service_faults
from booking.rules.states import Action, ReservationState, actions_from, next_state
from booking.services import changes, consents, notices
from booking.services.reservations import one_line
from booking.services.state_writing import lock_row
from config.kernel.access import Actor, get_visible
from config.kernel.errors import Conflict, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole

ACTION = "reservation.correct"


@whole
def correct(
    actor: Actor,
    reservation_id: int,
    facts: ServiceFacts,
    now: datetime,
    expected: ports.ExpectedFigures = ports.NOTHING_EXPECTED,
    *,
    seen: ServiceFacts | None = None,
) -> bool:
    """Say ``facts`` of the service instead of what was said before; whether anything is another by it. The customer does so, or the lab,
    and then the customer is told; ``expected`` are the figures that the customer saw for it, and nobody else accepts any. ``seen``: what
    was read before it was typed.

    Raises NotFound, Forbidden, Refusal with every reason (``service.*``, ``name.*``, ``facts.no_more``, ``facts.money_held`` on what
    subsidies were decided by), ``consent.over``, Conflict ``booking.changed_meanwhile``, ``facts.dearer``, ``billing.figures_differ``.
    """
    side = _side(actor, get_visible(Reservation.objects.select_related("instrument"), actor, pk=reservation_id))
    facts = _cleaned(facts)
    locked = lock_row(reservation_id)
    state, before = ReservationState(locked.state), locked.service_facts
    if not may_be_corrected(locked):
        raise Refusal.of("facts.no_more")
    if side is Side.CUSTOMER:
        consents.require_open(locked, actor, now)
    if seen not in (None, before):
        raise Conflict.of("booking.changed_meanwhile")
    changed = before.changed(facts)
    if not changed:
        return False
    for name, text in facts.document().items():
        setattr(locked, name, text)
    accepted = expected if side is Side.CUSTOMER else ports.NOTHING_EXPECTED
    ports.money().on_correct(locked, before, actor, accepted, now)
    locked.save(update_fields=list(changed))
    ReservationTransition.objects.create(
        reservation=locked,
        action=Action.CORRECT,
        from_state=state,
        to_state=next_state(state, Action.CORRECT),
        actor_id=actor.user_id,
        at=now,
    )
    old, new = ({name: said.document()[name] for name in changed} for said in (before, facts))
    audit.record(actor, ACTION, locked, now, before=old, after=new)
    if side is Side.LAB:
        notices.defer(locked, "facts_corrected", now, corrected=[[name, old[name], new[name]] for name in changed])
    return True


def may_be_corrected(reservation: Reservation) -> bool:
    """Whether its session is not agreed yet and it was not given up."""
    return Action.CORRECT in actions_from(ReservationState(reservation.state))


def may_correct(actor: Actor, reservation: Reservation, now: datetime) -> bool:
    """Whether the actor corrects it now."""
    if not may_be_corrected(reservation):
        return False
    try:
        return _side(actor, reservation) is Side.LAB or consents.acts_for(reservation, actor, now)
    except Refusal:
        return False


def _side(actor: Actor, reservation: Reservation) -> Side:
    """Raises Forbidden."""
    return changes.side_of(reservation, actor)


def _cleaned(facts: ServiceFacts) -> ServiceFacts:
    Refusal.raise_any([*service_faults(facts.service_direction, facts.fund_source), *said_faults(facts.said)])
    purpose, project = one_line(facts.purpose, 500, "purpose"), one_line(facts.research_project, 200, "research_project")
    return replace(facts, **kept(facts.said)._asdict(), purpose=purpose, research_project=project)
