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
from tests.conftest import Cast, slot_of

MOST_OF_AN_APPROVAL, MOST_OF_A_BOOKING, MOST_WITH_ALL_RULES = 18, 12, 16
AROUND = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")


def statements(act: Callable[[], object]) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        act()
    return [one["sql"].strip()[:90] for one in captured if not one["sql"].startswith(AROUND)]


def times_planned() -> dict[str, int]:
    """How often the database made a plan for values of their own, by statement that the connection keeps ready."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement, sum(custom_plans) FROM pg_prepared_statements GROUP BY statement")
        return dict(cursor.fetchall())


def test_an_approval_takes_few_statements_however_many_accounts_it_holds_on(cast, programmes):
    wang = cast.actor("wang")
    pks = [ask(cast, slot_of(hour, hour + 1), key=str(hour)).reservation_id for hour in (9, 11)]
    transitions.approve(wang, pks[0], cast.now)
    told = statements(lambda: transitions.approve(wang, pks[1], cast.now))
    assert len(told) <= MOST_OF_AN_APPROVAL, "\n".join(told)


def booking(cast: Cast) -> Callable[[int], Reserved]:
    """What books an instrument at the same hour of another day each time."""
    hours: Iterator[int] = count(48, 24)
    lin = cast.actor("lin")

    def book(instrument_id: int) -> Reserved:
        start = cast.now.replace(minute=0) + timedelta(hours=next(hours))
        asked = ReservationRequest(
            instrument_id, cast.firm.pk, TimeRange(start, start + timedelta(hours=1)), "self_operated", "x"
        )
        return reservations.reserve(lin, asked, cast.now, idempotency_key=str(start))

    return book


def test_a_booking_takes_few_statements_also_where_a_lab_makes_every_rule(cast, programmes):
    book = booking(cast)

    def counted(instrument_id: int) -> list[str]:
        for _warm in range(2):
            book(instrument_id)
        return statements(lambda: book(instrument_id))

    plain = counted(cast.xrd.pk)
    assert len(plain) <= MOST_OF_A_BOOKING, "\n".join(plain)
    everything = counted(ruled(Stage(cast, [cast.xrd], "")).pk)
    assert len(everything) <= MOST_WITH_ALL_RULES, "\n".join(everything)


def test_no_statement_of_a_booking_is_planned_again_once_the_connection_is_warm(cast, programmes):
    book, instrument_id = booking(cast), ruled(Stage(cast, [cast.xrd], "")).pk
    for _warm in range(8):  # two until a statement is kept ready, five for which a plan is made to compare
        book(instrument_id)
    before = times_planned()
    book(instrument_id)
    again = [text for text, times in times_planned().items() if times > before.get(text, 0)]
    assert again == []
