"""Sessions on the cast's instrument, as far as a test needs them."""

from __future__ import annotations

from uuid import uuid4

import pytest

from booking.models import Reservation
from booking.services import reservations, transitions
from booking.services.reservations import ReservationRequest
from config.kernel.access import Role
from instruments.models import Membership, User
from tests.concurrency.harness import violations


@pytest.fixture
def book(cast, slot):
    """``book(9, 12)``: an approved reservation of Lin's firm."""

    def make(first, last, who="lin", firm=None, **fields):
        firm = firm or (cast.other_firm if who == "he" else cast.firm)
        request = ReservationRequest(cast.xrd.pk, firm.pk, slot(first, last), "assisted", **fields)
        pk = reservations.reserve(cast.actor(who), request, cast.now, idempotency_key=str(uuid4())).reservation_id
        transitions.approve(cast.actor("wang"), pk, cast.now)
        return Reservation.objects.get(pk=pk)

    return make


@pytest.fixture
def running(cast, book):
    """Like ``book``, and started at its time by the lab."""

    def make(*args, **options):
        reservation = book(*args, **options)
        transitions.check_in(cast.actor("wang"), reservation.pk, reservation.starts_at)
        reservation.refresh_from_db()
        return reservation

    return make


@pytest.fixture
def over(cast, running):
    """Like ``running``, and ended by the lab at its time (or ``late`` minutes later)."""

    def make(*args, late=None, **options):
        reservation = running(*args, **options)
        transitions.check_out(
            cast.actor("wang"), reservation.pk, reservation.ends_at + (late or reservation.ends_at - reservation.ends_at)
        )
        reservation.refresh_from_db()
        return reservation

    return make


@pytest.fixture
def second(cast):
    """Another manager of the cast's lab."""
    cast.users["ma"] = User.objects.create(email="ma@example.org", full_name="Ma", password="!", language="en")
    Membership.objects.create(user=cast.users["ma"], organisation=cast.lab, role=Role.LAB_MANAGER, created_at=cast.now)
    return cast.actor("ma")


def codes(refused) -> set[str]:
    return {reason.code for reason in refused.value.reasons}


def state(reservation) -> str:
    return Reservation.objects.values_list("state", flat=True).get(pk=reservation.pk)


def wrong() -> dict[str, tuple[str, ...]]:
    """Every broken invariant of time and money; the catalogue is the worker's business."""
    return {name: found for name, found in violations().items() if not name.startswith("registry.")}
