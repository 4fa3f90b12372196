"""What booking and approving cost in statements, once connections and accounts are warm: the goals of ``tests/bench``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count

from django.db import connection
from django.test.utils import CaptureQueriesContext

from booking.services import reservations, transitions
from booking.services.reservations import ReservationRequest, Reserved
from config.kernel.time_range import TimeRange
from tests.bench.reserve import ruled
from tests.bench.stage import Stage
from tests.booking.services.test_reservation_flow import ask
from tests.conftest import slot_of

MOST_OF_AN_APPROVAL, MOST_OF_A_BOOKING, MOST_WITH_ALL_RULES = 18, 12, 16
AROUND = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")


def statements(act: Callable[[], object]) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        act()
    return [one["sql"].strip()[:90] for one in captured if not one["sql"].startswith(AROUND)]


def test_an_approval_takes_few_statements_however_many_accounts_it_holds_on(cast, programmes):
    wang = cast.actor("wang")
    pks = [ask(cast, slot_of(hour, hour + 1), key=str(hour)).reservation_id for hour in (9, 11)]
    transitions.approve(wang, pks[0], cast.now)
    told = statements(lambda: transitions.approve(wang, pks[1], cast.now))
    assert len(told) <= MOST_OF_AN_APPROVAL, "\n".join(told)


def test_a_booking_takes_few_statements_also_where_a_lab_makes_every_rule(cast, programmes):
    hours: Iterator[int] = count(48, 24)
    lin = cast.actor("lin")

    def book(instrument_id: int) -> Reserved:
        start = cast.now.replace(minute=0) + timedelta(hours=next(hours))
        asked = ReservationRequest(
            instrument_id, cast.firm.pk, TimeRange(start, start + timedelta(hours=1)), "self_operated", "x"
        )
        return reservations.reserve(lin, asked, cast.now, idempotency_key=str(start))

    def counted(instrument_id: int) -> list[str]:
        for _warm in range(2):
            book(instrument_id)
        return statements(lambda: book(instrument_id))

    plain = counted(cast.xrd.pk)
    assert len(plain) <= MOST_OF_A_BOOKING, "\n".join(plain)
    everything = counted(ruled(Stage(cast, [cast.xrd], "")).pk)
    assert len(everything) <= MOST_WITH_ALL_RULES, "\n".join(everything)
