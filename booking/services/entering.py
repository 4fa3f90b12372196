"""What a lab's manager enters for a customer's person: for whom that is possible, and whose yes it waits for.

It is the customer's reservation from the first moment: rules, price and money are theirs (``services.reservations``). Who enters it
answers for the lab with that, so that it is approved once the customer has said yes: to the lab, which says how (``evidence``), or here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from booking.customer_queries import by_address, known
from booking.models import LabEntry, Reservation
from booking.rules.states import Action
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Refusal
from config.kernel.services import audit
from instruments.models import Instrument
from instruments.queries import actor_for

FIELD = "for_person"


@dataclass(frozen=True, slots=True)
class Entered:
    """That the lab enters a request for the person whom it names. ``email``: their exact address, where the lab does not know them yet.
    ``evidence``: how the customer said yes; empty: it has not, and is asked."""

    email: str = ""
    evidence: str = ""


def person_of(actor: Actor, instrument_id: int, organisation_id: int, person_id: int, email: str = "") -> Actor:
    """The person for whom a manager of the instrument's lab enters something.

    Raises NotFound (instrument), Forbidden (others than the lab's), Refusal ``entry.yourself``, ``entry.person_unknown``,
    ``entry.instrument_unseen`` (the customer does not see it), all on ``for_person``.
    """
    instrument = get_visible(Instrument.objects.all(), actor, pk=instrument_id)
    actor.require_in(instrument.organisation_id, Role.LAB_MANAGER)
    if person_id == actor.user_id:
        raise Refusal.of("entry.yourself", FIELD)
    rows = known(instrument.organisation_id) | by_address(email)
    found = rows.filter(organisation_id=organisation_id, user_id=person_id).select_related("user").first()
    if found is None:
        raise Refusal.of("entry.person_unknown", FIELD)
    whose = actor_for(found.user)
    if not instrument.published and instrument.organisation_id not in whose.organisations():
        raise Refusal.of("entry.instrument_unseen", FIELD)
    return whose


def note(actor: Actor, reservation: Reservation, evidence: str, now: datetime) -> LabEntry:
    """Write down who entered it, and the customer's yes where the lab has it; part of the caller's transaction."""
    agreed = {"agreed_at": now, "agreed_by_id": actor.user_id} if evidence else {}
    entry = LabEntry.objects.create(
        reservation=reservation, entered_by_id=actor.person_id, entered_at=now, evidence=evidence, **agreed
    )
    after = {"for_person": reservation.requested_by_id, "organisation": reservation.organisation_id, "customer_yes": evidence}
    audit.record(actor, "reservation.enter", reservation, now, after=after)
    return entry


def note_yes(locked: Reservation, actor: Actor, now: datetime) -> bool:
    """The customer's side has said yes itself, where that was waited for; whether it was. Part of the caller's transaction."""
    return LabEntry.objects.filter(reservation=locked, agreed_at=None).update(agreed_at=now, agreed_by_id=actor.user_id) > 0


def is_agreed(reservation: Reservation) -> bool:
    """Whether the lab entered it and the customer has said yes."""
    return LabEntry.objects.filter(reservation=reservation, agreed_at__isnull=False).exists()


def is_as_agreed(reservation: Reservation) -> bool:
    """``is_agreed``, of this time: it was never moved."""
    return is_agreed(reservation) and not reservation.transitions.filter(action=Action.MOVE).exists()


def waits(reservation: Reservation) -> bool:
    """Whether the lab entered it and the customer has not said yes yet."""
    return LabEntry.objects.filter(reservation=reservation, agreed_at=None).exists()


def require_yes(reservation: Reservation) -> None:
    """Raises Refusal ``entry.waits_for_customer`` where ``waits`` says so."""
    if waits(reservation):
        raise Refusal.of("entry.waits_for_customer")
