"""The controls of what the lab machine holds of brought lists and of shown figures: each is noticed once what keeps it is taken away.

The steps are said one by one; Hypothesis would need many tries for the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from billing.settlement.services import assessing, reservation_money, usage_charge
from booking.models import ImportedBooking, InstrumentPolicy, Reservation, UsageSession
from booking.ports import ExpectedFigures
from booking.services import booking_import, brought_bookings
from booking.services.reservations import ReservationRequest
from config.kernel.access import Actor
from tests.conftest import Cast
from tests.scenarios import lab_machine
from tests.scenarios.lab_machine import LabMachine

pytestmark = pytest.mark.django_db
MORNING = (1, 8, 60)


@pytest.fixture
def lab(cast: Cast, programmes: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The machine without Hypothesis, and without any booking yet."""
    monkeypatch.setattr(lab_machine, "event", lambda *_said: None)
    made = type("Lab", (LabMachine,), {"cast": cast, "spenders": None, "done": Counter(), "found": {}})()
    made.instruments = (cast.xrd,)
    yield made
    made.teardown()


def noticed(invariant: Callable[[], None]) -> bool:
    try:
        invariant()
    except AssertionError:
        return True
    return False


def test_another_price_than_was_shown_is_noticed(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = lab.look

    def a_fen_less(actor: Actor, asked: ReservationRequest) -> ExpectedFigures:
        figures = seen(actor, asked)
        return replace(figures, payable_now_fen=figures.payable_now_fen - 1)

    monkeypatch.setattr(lab, "card_of", lambda *_who: None)
    lab.somebody_wants_a_time("lin", MORNING, "book")
    monkeypatch.setattr(lab, "look", a_fen_less)
    lab.somebody_wants_a_time("lin", (1, 10, 60), "book")
    assert lab.done == {"book": 1} and not noticed(lab.the_first_quote_is_what_was_shown), "the other one is refused"
    monkeypatch.setattr(reservation_money, "refuse_surprise", lambda *_figures: None)
    lab.somebody_wants_a_time("lin", (1, 10, 60), "book")
    assert lab.done == {"book": 2} and noticed(lab.the_first_quote_is_what_was_shown)


def used(lab: Any, slot: tuple[int, int, int]) -> None:
    """Booked, used and agreed to as booked."""
    lab.somebody_wants_a_time("lin", slot, "book")
    row = Reservation.objects.latest("pk")
    lin, wang = lab.actor("lin"), lab.actor("wang")
    lab.to_decide(row, wang, True, (1, 0, 0))
    lab.now = row.starts_at
    lab.to_check_in(row, wang, False, slot)
    lab.now = row.ends_at
    lab.to_check_out(row, wang, False, (1, 0, 0))
    lab.to_agree(row, lin, True, slot)


def test_a_charge_above_what_was_accepted_is_noticed(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "card_of", lambda *_who: None)
    used(lab, MORNING)
    assert lab.done["agree"] == 1 and not noticed(lab.nobody_pays_more_than_was_accepted_for_no_more_use)
    worked_out = usage_charge.worked_out

    def as_if_longer(held: Any, used: Any, now: Any) -> Any:
        longer = UsageSession.objects.get(pk=used.session.pk)
        longer.billable_ends_at += timedelta(hours=1)
        return worked_out(held, replace(used, session=longer), now)

    monkeypatch.setattr(usage_charge, "worked_out", as_if_longer)
    used(lab, (1, 10, 60))
    assert lab.done["agree"] == 2 and noticed(lab.nobody_pays_more_than_was_accepted_for_no_more_use)


def test_an_approval_that_costs_more_than_was_asked_for_is_noticed(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The programme gives nothing any more by the time of the lab's yes."""
    monkeypatch.setattr(lab, "card_of", lambda *_who: None)
    InstrumentPolicy.objects.update_or_create(instrument=lab.cast.xrd, defaults={"approval_required": True})
    lab.somebody_wants_a_time("lin", MORNING, "book")
    with_balances = assessing.Plan.with_balances

    def given_nothing(planned: Any, accounts: Any) -> Any:
        prepared = with_balances(planned, accounts)
        return replace(prepared, versions=(), inputs=replace(prepared.inputs, candidates=()))

    monkeypatch.setattr(assessing.Plan, "with_balances", given_nothing)
    row = Reservation.objects.get()
    lab.to_decide(row, lab.actor("wang"), True, (1, 0, 0))
    row.refresh_from_db()
    assert row.state == "requested" and not noticed(lab.no_approval_costs_more_than_was_asked_for), "the customer is asked again"
    lab.to_decide(row, lab.actor("wang"), False, (1, 0, 0))

    monkeypatch.setattr(assessing.Plan, "with_balances", with_balances)
    lab.somebody_wants_a_time("lin", (1, 10, 60), "book")
    monkeypatch.setattr(assessing.Plan, "with_balances", given_nothing)
    monkeypatch.setattr(reservation_money, "is_dearer", lambda *_figures: False)
    lab.to_decide(Reservation.objects.latest("pk"), lab.actor("wang"), True, (1, 0, 0))
    assert Reservation.objects.latest("pk").state == "approved" and noticed(lab.no_approval_costs_more_than_was_asked_for)


def test_what_a_programme_promises_for_a_brought_time_is_noticed(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.a_list_is_brought("lin", MORNING, 1, lab.cast.xrd, False)
    assert ImportedBooking.objects.count() == 2
    assert not noticed(lab.what_was_brought_is_marked_and_costs_no_programme_anything)
    service_of = assessing.service_of
    monkeypatch.setattr(assessing, "service_of", lambda *given, imported=False, project="": service_of(*given, project=project))
    lab.a_list_is_brought("lin", (1, 12, 60), 1, lab.cast.xrd, False)
    assert ImportedBooking.objects.count() == 4
    assert noticed(lab.what_was_brought_is_marked_and_costs_no_programme_anything)


def test_a_row_that_becomes_two_bookings_is_noticed(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its list comes twice with other hours, and neither the reading nor the database knows its number."""
    lab.a_list_is_brought("lin", MORNING, 1, lab.cast.xrd, False)
    lab.last_list = lab.last_list.replace(" 08:", " 13:").replace(" 09:", " 14:")
    monkeypatch.setattr(booking_import._Judge, "_say_known", lambda *_rows: None)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; DROP INDEX imported_booking_known_once; SET CONSTRAINTS ALL DEFERRED")
    assert not noticed(lab.no_row_is_two_bookings)
    lab.a_list_is_brought("lin", MORNING, 1, lab.cast.xrd, True)
    assert ImportedBooking.objects.count() == 4 and noticed(lab.no_row_is_two_bookings)


def test_a_row_that_was_taken_back_and_keeps_its_time_is_noticed(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.a_list_is_brought("lin", MORNING, 1, lab.cast.xrd, False)
    monkeypatch.setattr(brought_bookings, "_take_back", lambda *_row: None)
    assert not noticed(lab.no_row_is_two_bookings)
    lab.a_list_is_taken_back(0)
    assert lab.done["take a list back"] == 1 and noticed(lab.no_row_is_two_bookings)
