"""On which side of a question, a quotation or a commission an actor acts."""

from __future__ import annotations

from collections.abc import Mapping

from booking.access import CUSTOMERS
from booking.models import Enquiry, EnquiryMessage
from booking.rules.enquiries import Side, sides_of
from config.kernel.access import Actor, Role
from config.kernel.errors import Forbidden

#: Who asks, answers, fills in and calls off for a side.
ACTING: Mapping[Side, tuple[Role, ...]] = {Side.CUSTOMER: CUSTOMERS, Side.LAB: (Role.LAB_MANAGER,)}


def own_sides(actor: Actor, customer_id: int, lab_id: int, roles: Mapping[Side, tuple[Role, ...]] = ACTING) -> tuple[Side, ...]:
    """The sides on which the actor acts, the customer's first; nothing for those who only read."""
    parties = {Side.CUSTOMER: customer_id, Side.LAB: lab_id}
    return sides_of(parties, {side: actor.organisations(*held) for side, held in roles.items()})


def acting_side(actor: Actor, customer_id: int, lab_id: int) -> Side | None:
    """The side on which the actor acts, the customer's for somebody of both; None for those who only read."""
    return next(iter(own_sides(actor, customer_id, lab_id)), None)


def thread_side(actor: Actor, customer_id: int, lab_id: int) -> Side | None:
    """On which side the actor begins a thread: as ``acting_side``, and among people of one house the lab's managers are the lab, so
    that they ask and answer their colleagues."""
    own = own_sides(actor, customer_id, lab_id)
    return Side.LAB if customer_id == lab_id and Side.LAB in own else next(iter(own), None)


def require_thread_side(actor: Actor, customer_id: int, lab_id: int) -> Side:
    """As ``thread_side``. Raises Forbidden for those who only read."""
    return _required(thread_side(actor, customer_id, lab_id))


def side_within(actor: Actor, thread: Enquiry) -> Side | None:
    """On which side the actor goes on in a thread: as ``thread_side``, and in one house the person whom the lab asks is its customer, also
    one who manages the lab beside: the question would not be answered otherwise, and the colleague not hear of it."""
    side = thread_side(actor, thread.organisation_id, thread.lab_id)
    return Side.CUSTOMER if side is Side.LAB and _speaks_for_customer(actor, thread) else side


def _speaks_for_customer(actor: Actor, thread: Enquiry) -> bool:
    thing = thread.reservation or thread.sample_job
    if thread.organisation_id != thread.lab_id or actor.user_id not in (thread.asked_by_id, thing and thing.requested_by_id):
        return False
    first = EnquiryMessage.objects.filter(enquiry=thread).order_by("pk").first()
    begun_by_lab = first is not None and first.side == Side.LAB
    return actor.user_id == (thing.requested_by_id if begun_by_lab and thing is not None else thread.asked_by_id)


def require_side_within(actor: Actor, thread: Enquiry) -> Side:
    """As ``side_within``. Raises Forbidden for those who only read."""
    return _required(side_within(actor, thread))


def require_side(actor: Actor, customer_id: int, lab_id: int) -> Side:
    """As ``acting_side``. Raises Forbidden for those who only read."""
    return _required(acting_side(actor, customer_id, lab_id))


def _required(side: Side | None) -> Side:
    if side is None:
        raise Forbidden.of("access.role_needed", roles=[Role.LAB_MANAGER.value])
    return side


def require_on(actor: Actor, side: Side, customer_id: int, lab_id: int) -> None:
    """Raise Forbidden unless the actor acts on exactly this side."""
    if side not in own_sides(actor, customer_id, lab_id):
        raise Forbidden.of("access.role_needed", roles=[role.value for role in ACTING[side]])
