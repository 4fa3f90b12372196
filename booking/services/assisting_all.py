"""Giving many sessions that nobody assists in to people, all or none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from booking.models import Reservation
from booking.services import assistants, assisting
from booking.services.state_writing import lock_row
from config.kernel.access import Actor, Role, visible_to
from config.kernel.errors import Conflict, NotFound, Refusal
from config.kernel.services.transactions import whole

#: So many at once: each is locked, written, audited and told by itself.
MOST_GIVEN = 100


@whole
def give_all(actor: Actor, pairs: Sequence[tuple[int, int]], now: datetime) -> int:
    """Give bookings in which nobody assists yet to people, all or none; returns how many. ``pairs``: the ids of a booking and of who
    assists in it.

    Raises NotFound, Forbidden, Refusal ``assistant.none_chosen``, ``assistant.given_twice``, ``assistant.too_many_at_once``, and, naming
    the booking, what ``assistants.give`` raises and Conflict ``assistant.given_meanwhile``, ``assistant.taken_meanwhile``.
    """
    chosen = dict(pairs)
    if not chosen:
        raise Refusal.of("assistant.none_chosen", "give")
    if len(chosen) != len(pairs):
        raise Refusal.of("assistant.given_twice", "give")
    if len(chosen) > MOST_GIVEN:
        raise Refusal.of("assistant.too_many_at_once", "give", most=MOST_GIVEN)
    rows = list(visible_to(Reservation.objects.filter(pk__in=chosen), actor).select_related("instrument"))
    if len(rows) != len(chosen):
        raise NotFound.of("access.not_found", model="reservation")
    for one in rows:
        actor.require_in(one.instrument.organisation_id, Role.LAB_MANAGER)
    # Their calendars in order, as everywhere where several are locked.
    for one in sorted(rows, key=lambda row: (row.instrument.calendar_id, row.pk)):
        try:
            _give(actor, one.pk, chosen[one.pk], now)
        except Refusal as refusal:
            refusal.name(one.reference)
            raise
    return len(rows)


def _give(actor: Actor, reservation_id: int, assistant_id: int, now: datetime) -> None:
    locked = lock_row(reservation_id)
    if assisting.of(locked) is not None:
        raise Conflict.of("assistant.given_meanwhile", "give")
    try:
        assistants.give(actor, locked, assistant_id, now)
    except Conflict as conflict:
        raise _taken_meanwhile(conflict) from conflict


def _taken_meanwhile(conflict: Conflict) -> Refusal:
    """Who was proposed was free when the list was made, and two pages of it may propose one person: look again, do not choose."""
    reason = next((one for one in conflict.reasons if one.code == "assistant.busy"), None)
    return conflict if reason is None else Conflict.of("assistant.taken_meanwhile", "give", **reason.params)
