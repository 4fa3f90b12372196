"""The use of a lab's instruments as the platform's own sessions tell it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from booking.models import InstrumentPolicy, Occupancy, OccupancySource
from booking.queries import utilisation
from booking.rules.use_period import Span, period_of
from booking.services import reservations, transitions
from booking.services.reservations import ReservationRequest
from config.kernel.access import NOBODY, Role
from config.kernel.errors import Forbidden, NotFound
from instruments.models import Instrument, Membership
from instruments.services import schedule_store

pytestmark = pytest.mark.django_db
HOUR = 3600


@pytest.fixture
def november(cast):
    return period_of(Span.MONTH, cast.now.date())


@pytest.fixture
def december_1(cast):
    return datetime.fromisoformat("2026-12-01T00:00:00+08:00")


def lab_use(cast, november, now, who="wang", **options):
    return utilisation.utilisation(cast.actor(who), cast.lab.pk, november, now, **options)


def test_a_session_counts_with_its_buffers_and_a_missed_one_as_booked_alone(cast, over, book, november, december_1):
    InstrumentPolicy.objects.update_or_create(
        instrument=cast.xrd, defaults={"buffer_before_minutes": 30, "buffer_after_minutes": 15}
    )
    over(9, 12)
    missed = book(14, 16)
    transitions.mark_no_show(cast.actor("wang"), missed.pk, missed.ends_at)
    found = lab_use(cast, november, december_1).figures
    assert (found.booked_seconds, found.used_seconds) == (5 * HOUR, 3 * HOUR)
    assert (found.effective_seconds, found.external_seconds) == (3 * HOUR + 2700, 3 * HOUR + 2700)
    assert (found.sessions, found.missed, found.missed_seconds, found.bookings) == (1, 1, 2 * HOUR, 2)
    assert found.offered_seconds == 30 * 12 * HOUR


def test_an_early_start_counts_once_and_not_as_getting_ready_too(cast, book, november, december_1):
    InstrumentPolicy.objects.update_or_create(instrument=cast.xrd, defaults={"buffer_before_minutes": 5})
    early = book(9, 12)
    transitions.check_in(cast.actor("wang"), early.pk, early.starts_at - timedelta(minutes=10))
    transitions.check_out(cast.actor("wang"), early.pk, early.ends_at)
    found = lab_use(cast, november, december_1).figures
    assert found.used_seconds == found.effective_seconds == 3 * HOUR + 600


def test_the_lab_s_own_use_is_effective_and_not_external(cast, over, slot, november, december_1):
    request = ReservationRequest(cast.xrd.pk, cast.lab.pk, slot(9, 11), "self_operated")
    Membership.objects.create(user=cast.users["he"], organisation=cast.lab, role=Role.RESEARCHER, created_at=cast.now)
    pk = reservations.reserve(cast.actor("he"), request, cast.now, idempotency_key="own").reservation_id
    transitions.approve(cast.actor("wang"), pk, cast.now)
    transitions.check_in(cast.actor("wang"), pk, request.during.starts_at)
    transitions.check_out(cast.actor("wang"), pk, request.during.ends_at)
    over(14, 15)
    found = lab_use(cast, november, december_1).figures
    assert (found.effective_seconds, found.external_seconds, found.external_percent) == (3 * HOUR, HOUR, 33)


def test_maintenance_is_not_offered_and_the_hours_are_those_of_the_wall(cast, over, slot, november, december_1):
    away = slot(8, 10)
    Occupancy.objects.create(
        calendar_id=cast.xrd.calendar_id, during=(away.starts_at, away.ends_at), source=OccupancySource.MAINTENANCE
    )
    session = over(10, 11)
    found = lab_use(cast, november, december_1)
    assert found.figures.offered_seconds == (30 * 12 - 2) * HOUR
    weekday = session.starts_at.astimezone(december_1.tzinfo).weekday()
    assert found.hours[weekday][10].used_seconds == HOUR
    assert sum(cell.used_seconds for row in found.hours for cell in row) == HOUR
    assert sum(cell.offered_seconds for row in found.hours for cell in row) == found.figures.offered_seconds


def test_what_is_to_come_is_not_counted(cast, book, november):
    reservation = book(9, 12)
    found = lab_use(cast, november, reservation.starts_at + timedelta(hours=1)).figures
    assert (found.booked_seconds, found.used_seconds) == (HOUR, 0)


def test_the_answer_time_is_the_median_of_what_people_answered_in_working_time(cast, slot, november, december_1):
    for first, later in ((9, timedelta(minutes=30)), (11, timedelta(minutes=50))):
        request = ReservationRequest(cast.xrd.pk, cast.firm.pk, slot(first, first + 1), "assisted")
        pk = reservations.reserve(cast.actor("lin"), request, cast.now, idempotency_key=str(first)).reservation_id
        transitions.approve(cast.actor("wang"), pk, cast.now + later)
    found = lab_use(cast, november, december_1)
    assert (found.answer_minutes, found.answered, found.answer_minutes_before) == (40, 2, None)
    InstrumentPolicy.objects.update_or_create(instrument=cast.xrd, defaults={"approval_required": False})
    request = ReservationRequest(cast.xrd.pk, cast.firm.pk, slot(15, 16), "assisted")
    reservations.reserve(cast.actor("lin"), request, cast.now, idempotency_key="at once")
    assert lab_use(cast, november, december_1).answered == 2, "nobody answered what needs no answer"


def test_the_month_before_stands_beside(cast, over, december_1):
    over(9, 12)
    found = lab_use(cast, period_of(Span.MONTH, december_1.date()), december_1 + timedelta(days=40))
    assert (found.figures.used_seconds, found.before.used_seconds) == (0, 3 * HOUR)


def test_the_most_used_instrument_comes_first_and_one_can_be_looked_at_alone(cast, over, november, december_1):
    other = _instrument(cast, "A microscope")
    over(9, 12)
    found = lab_use(cast, november, december_1)
    assert [row.instrument.pk for row in found.rows] == [cast.xrd.pk, other.pk]
    alone = lab_use(cast, november, december_1, instrument_id=other.pk)
    assert ([row.instrument.pk for row in alone.rows], alone.figures.used_seconds) == ([other.pk], 0)
    with pytest.raises(NotFound):
        lab_use(cast, november, december_1, instrument_id=other.pk + 1)


def test_so_many_instruments_take_no_more_statements(cast, over, november, december_1):
    over(9, 12)

    def statements():
        actor = cast.actor("wang")
        with CaptureQueriesContext(connection) as captured:
            utilisation.utilisation(actor, cast.lab.pk, november, december_1)
        return len(captured)

    few = statements()
    for number in range(3):
        _instrument(cast, f"Another {number}")
    assert statements() == few <= 7


def test_of_more_instruments_than_are_shown_the_busiest_are_and_the_others_are_said(
    cast, over, monkeypatch, november, december_1
):
    monkeypatch.setattr(utilisation, "MOST_INSTRUMENTS", 1)
    _instrument(cast, "A first one by name")
    over(9, 12)
    found = lab_use(cast, november, december_1)
    assert ([row.instrument.pk for row in found.rows], found.left_out) == ([cast.xrd.pk], 1)


def test_instruments_are_counted_in_parts_and_the_sum_is_that_of_all(cast, over, monkeypatch, november, december_1):
    over(9, 12)
    _instrument(cast, "Another")
    whole = lab_use(cast, november, december_1)
    monkeypatch.setattr(utilisation, "BATCH", 1)
    assert lab_use(cast, november, december_1) == whole and len(whole.rows) == 2 and whole.figures.used_seconds > 0


@pytest.mark.parametrize(
    ("who", "may"), [("wang", True), ("li", True), ("qian", True), ("wu", True), ("zhou", True), ("lin", False)]
)
def test_the_lab_its_finance_and_who_looks_after_bookings_may_read_it(cast, november, who, may):
    if may:
        assert utilisation.labs(cast.actor(who)).filter(pk=cast.lab.pk).exists()
        assert lab_use(cast, november, cast.now, who).lab == cast.lab
    else:
        with pytest.raises(Forbidden):
            utilisation.labs(cast.actor(who))
        with pytest.raises(Forbidden):
            lab_use(cast, november, cast.now, who)


def test_the_operator_reads_the_same_figures_as_the_lab(cast, over, november, december_1):
    over(9, 12)
    assert lab_use(cast, november, december_1, "zhou").figures == lab_use(cast, november, december_1).figures


def test_a_visitor_reads_nothing_of_it(cast, november):
    with pytest.raises(Forbidden):
        utilisation.utilisation(NOBODY, cast.lab.pk, november, cast.now)


def _instrument(cast, name):
    calendar_id = schedule_store.create_calendar(name)
    return Instrument.objects.create(
        organisation=cast.lab, site=cast.site, calendar_id=calendar_id, name=name, created_at=cast.now, updated_at=cast.now
    )
