"""What would become of requests for times that are shown: the rules of a booking, asked for a whole page at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from booking.licence_queries import levels_held_each
from booking.queries.finding import FoundTime
from booking.rules.eligibility import Eligibility, eligibility, shown_mode
from booking.rules.licensing import licence_of_mode
from booking.rules.training import Level
from booking.services import auto_approval, only_with_approval, standing
from booking.services.refusing import BOOKING_ROLES
from booking.services.standing import Look
from config.kernel.access import Actor
from config.kernel.errors import Reason
from instruments.models import Organisation


@dataclass(frozen=True, slots=True)
class Shown:
    """A time with what would be paid for it now (None: there is no price), and what else is known to stand against it."""

    found: FoundTime
    payable_now_fen: int | None
    against: tuple[Reason, ...] = ()


def eligibility_of(
    actor: Actor, customer: Organisation | None, shown: Sequence[Shown], service_mode: str, now: datetime
) -> list[Eligibility]:
    """What would become of a request for each time, for a customer that need not be stored (None: it is not known for whom, so that only
    what is asked of the person counts): seven statements at most, however many.

    Without a ``service_mode`` it is said for the one of the instrument's that asks most of who books.
    """
    looks = [_look(one, customer, service_mode) for one in shown]
    if actor.user_id is None:
        return [_of_a_visitor(one) for one in looks]
    contexts = only_with_approval.applied_to_all(
        [one.context for one in looks], actor.user_id, customer.pk or 0 if customer else 0, now
    )
    looks = [replace(one, context=context) for one, context in zip(looks, contexts, strict=True)]
    held = _levels(looks, actor.user_id)
    reasons = _reasons(actor, actor.user_id, customer, looks, held, now)
    asked = [
        auto_approval.Look(look.context, look.during, one.payable_now_fen)
        for look, one in zip(looks, shown, strict=True)
        if look.context.policy.approval_required
    ]
    lets = iter(auto_approval.would_let_many(asked, actor.user_id))
    found = []
    for look, one, levels, against in zip(looks, shown, held, reasons, strict=True):
        approval = look.context.policy.approval_required and not next(lets)
        trained = Level.SELF in levels or not look.context.instrument.training_needed
        found.append(eligibility([*against, *one.against], known=True, trained=trained, approval=approval))
    return found


def _look(one: Shown, customer: Organisation | None, service_mode: str) -> Look:
    context = one.found.context
    mode = shown_mode(service_mode, context.instrument.service_modes)
    of_customer = replace(context, audiences=("",)) if customer is None else context.for_customer(customer)
    return Look(of_customer, one.found.during, mode)


def _of_a_visitor(look: Look) -> Eligibility:
    """What the lab asks of everybody."""
    trained = not (look.context.instrument.training_needed or _needs_licence(look))
    return eligibility([], known=False, trained=trained, approval=look.context.policy.approval_required)


def _needs_licence(look: Look) -> bool:
    return licence_of_mode(look.context.policy, look.service_mode) is not None


def _levels(looks: Sequence[Look], person_id: int) -> list[frozenset[str]]:
    """What the person holds for each at its start, where anything asks for it: one statement or none."""
    wanted = [
        place
        for place, one in enumerate(looks)
        if one.context.instrument.training_needed or standing.licences_count(one.context, one.service_mode)
    ]
    asked = [(looks[place].context.instrument.pk, looks[place].during.starts_at) for place in wanted]
    held = dict(zip(wanted, levels_held_each(person_id, asked), strict=True))
    return [held.get(place, frozenset()) for place in range(len(looks))]


def _reasons(
    actor: Actor,
    person_id: int,
    customer: Organisation | None,
    looks: Sequence[Look],
    held: Sequence[frozenset[str]],
    now: datetime,
) -> list[list[Reason]]:
    """What the rules about who asks have against each; of somebody with no organisation to book for, that alone."""
    if not actor.organisations(*BOOKING_ROLES):
        return [[Reason("booking.no_organisation", {}, "organisation")] for _one in looks]
    customer_id = customer.pk if customer is not None else None
    return standing.reasons_of_many(looks, person_id, customer_id or 0, held, now)
