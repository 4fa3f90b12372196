"""A booking that goes to another instrument of its lab: which one that may be, and both calendars behind their locks.

Only the lab chooses it, as only the lab knows which of its instruments do the same work; the customer says yes to it as to another time.
The database keeps a reservation in its lab (trigger ``reservation_stays_in_lab``).
"""

from __future__ import annotations

from booking.models import Reservation
from booking.services.context import BookingContext, of_instrument, of_reservation
from booking.services.state_writing import lock_row
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Conflict, NotFound, Refusal
from instruments.models import Instrument
from instruments.services import schedule_store


def chosen(actor: Actor, reservation: Reservation, instrument_id: int | None) -> int | None:
    """The id of the other instrument, None where it is the booking's own or none was named.

    Raises NotFound, Refusal ``change.instrument_of_lab`` (only who manages the lab moves it there, and only within the lab).
    """
    if instrument_id is None or instrument_id == reservation.instrument_id:
        return None
    other = get_visible(Instrument.objects.only("organisation_id"), actor, pk=instrument_id)
    owner_id = reservation.instrument.organisation_id
    if other.organisation_id != owner_id or owner_id not in actor.organisations(Role.LAB_MANAGER):
        raise Refusal.of("change.instrument_of_lab", field="instrument")
    return other.pk


def locked_for(reservation: Reservation, other_id: int | None) -> Reservation:
    """The reservation as ``lock_row`` gives it; the calendar of the other instrument is locked with its own, in id order.

    Raises Conflict ``booking.changed_meanwhile`` where it has got another instrument by now.
    """
    if other_id is not None:
        both = Instrument.objects.filter(pk__in=(reservation.instrument_id, other_id)).values_list("calendar_id", flat=True)
        schedule_store.lock_calendars(sorted(set(both)))
    locked = lock_row(reservation.pk)
    if locked.instrument_id != reservation.instrument_id:
        raise Conflict.of("booking.changed_meanwhile")
    return locked


def context_of(locked: Reservation, other_id: int | None) -> BookingContext:
    """What a booking decision needs, of the other instrument or of its own, as it is for the reservation's customer. Raises NotFound."""
    if other_id is None:
        return of_reservation(locked)
    rows = Instrument.objects.select_related("site", "policy", "organisation")
    other = rows.filter(pk=other_id).first()
    if other is None:
        raise NotFound.of("access.not_found", model="instrument")
    return of_instrument(other, getattr(other, "policy", None)).for_customer(locked.organisation)
