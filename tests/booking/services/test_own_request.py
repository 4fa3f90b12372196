"""Nobody approves what they asked for themselves, and where somebody did it is found."""

from __future__ import annotations

import pytest

from booking.models import InstrumentPolicy, Reservation, ReservationTransition
from booking.services import transitions
from config.kernel.errors import Refusal
from config.kernel.invariants import registered
from tests.booking.services.test_reservation_flow import ask
from tests.heads import with_head


def found() -> tuple[str, ...]:
    return registered()["booking.nobody_approves_their_own"]().violations


def test_a_manager_does_not_approve_their_own_request(cast, slot):
    with_head(cast)
    pk = ask(cast, slot(9, 11), who="wang", firm=cast.lab).reservation_id
    with pytest.raises(Refusal) as refused:
        transitions.approve(cast.actor("wang"), pk, cast.now)
    assert refused.value.reasons[0].code == "booking.own_request" and found() == ()


def test_without_the_guard_it_is_found(cast, slot, monkeypatch):
    """The control."""
    with_head(cast)
    pk = ask(cast, slot(9, 11), who="wang", firm=cast.lab).reservation_id
    monkeypatch.setattr(Reservation, "is_of", lambda *_given: False)
    transitions.approve(cast.actor("wang"), pk, cast.now)
    (said,) = found()
    assert said == f"reservation {pk} was approved by {cast.users['wang'].pk}, who had asked for it"


def test_what_counts_at_once_was_approved_by_nobody(cast, slot):
    InstrumentPolicy.objects.create(instrument=cast.xrd, approval_required=False)
    assert ask(cast, slot(9, 11), who="wang", firm=cast.lab).state == "approved"
    assert ReservationTransition.objects.get(action="approve").actor_id is None and found() == ()
