"""A reservation taken through its life with one call each, under programmes of our own making."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from billing.settlement.models import Charge, Quote
from booking.models import Reservation
from booking.services import transitions
from booking.services.reservations import ReservationRequest, reserve
from config.kernel.time_range import TimeRange
from tests.agreeing import check_out_agreed
from tests.conftest import Cast, programme_document


@dataclass
class Life:
    """The cast at work on the cast's instrument."""

    cast: Cast

    def __post_init__(self) -> None:
        self._keys = count()

    def ask(self, during: TimeRange, who: str = "lin", firm: Any = None, **fields: Any) -> Reservation:
        request = ReservationRequest(
            fields.pop("instrument", self.cast.xrd).pk, (firm or self.cast.firm).pk, during, "assisted", **fields
        )
        done = reserve(self.cast.actor(who), request, self.cast.now, idempotency_key=f"k{next(self._keys)}")
        return Reservation.objects.get(pk=done.reservation_id)

    def approve(self, reservation: Reservation) -> Reservation:
        transitions.approve(self.cast.actor("wang"), reservation.pk, self.cast.now)
        reservation.refresh_from_db()
        return reservation

    def use(self, reservation: Reservation) -> Charge:
        """Check in at the start, out at the end."""
        transitions.check_in(self.cast.actor("wang"), reservation.pk, reservation.starts_at)
        check_out_agreed(self.cast.actor("wang"), reservation.pk, reservation.ends_at + timedelta(minutes=3))
        return Charge.objects.get(reservation=reservation)

    def whole(self, during: TimeRange, **asked: Any) -> Charge:
        return self.use(self.approve(self.ask(during, **asked)))

    def quote(self, reservation: Reservation) -> Quote:
        """The latest one."""
        return Quote.objects.filter(reservation=reservation).latest("revision")


@pytest.fixture
def life(cast: Cast) -> Life:
    return Life(cast)


@pytest.fixture
def publish(cast: Cast) -> Callable[[dict[str, Any]], Any]:
    """Draft a document as officer Chen, publish it as officer Sun."""
    from billing.subsidy import services

    def do(document: dict[str, Any]) -> Any:
        version = services.draft_version(cast.actor("chen"), document, cast.now)
        services.publish_version(cast.actor("sun"), version, cast.now)
        return version

    return do


@pytest.fixture
def variant() -> Callable[..., dict[str, Any]]:
    """A shipped document with other fields and other limits of its caps (yuan, by id), without its worked examples."""

    def make(shipped: str, /, *, limits: dict[str, str] | None = None, **changes: Any) -> dict[str, Any]:
        document = programme_document(shipped) | {"examples": []} | changes
        for cap in document["caps"]:
            cap["limit"] = (limits or {}).get(cap["id"], cap["limit"])
        return document

    return make
