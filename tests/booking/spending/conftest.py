from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from booking.models import InstrumentPolicy, Reservation
from booking.services import reservations
from booking.services.reservations import ReservationRequest
from config.kernel.time_range import TimeRange
from tests.conftest import Cast
from tests.spending import Spenders, build_spenders


@pytest.fixture
def spenders(cast: Cast) -> Spenders:
    return build_spenders(cast)


@pytest.fixture
def ask(spenders: Spenders) -> Callable[..., Reservation]:
    """Ask for time on the institute's own instrument, as Ma and on the card unless said otherwise."""
    count = iter(range(1000))

    def call(during: TimeRange, who: str = "ma", card: Any = "its", **more: Any) -> Reservation:
        cast = spenders.cast
        card_id = spenders.card.pk if card == "its" else card
        asked = ReservationRequest(cast.xrd.pk, cast.lab.pk, during, "self_operated", fund_card_id=card_id, **more)
        done = reservations.reserve(cast.actor(who), asked, cast.now, idempotency_key=f"k{next(count)}")
        return Reservation.objects.get(pk=done.reservation_id)

    return call


@pytest.fixture
def at_once(spenders: Spenders) -> None:
    """The lab asks for no approval."""
    InstrumentPolicy.objects.update_or_create(instrument=spenders.cast.xrd, defaults={"approval_required": False})
