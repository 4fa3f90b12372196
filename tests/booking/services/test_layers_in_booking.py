"""The layers of a calendar decide who may book when, and say what closed it."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from django.utils.translation import override

from booking.models import InstrumentPolicy, Reservation
from booking.queries import free_slots
from booking.services import context as booking_context
from booking.services import maintenance, reservations, transitions
from booking.services.reservations import ReservationRequest
from config.kernel.access import NOBODY
from config.kernel.errors import Conflict, Refusal
from config.kernel.messages import reason_sentence
from config.kernel.time_range import TimeRange
from instruments.models import Instrument
from instruments.rules.entries import HolidayRule
from instruments.rules.wall_time import local_day, start_instant
from instruments.services import opening_hours as hours
from instruments.services.opening_hours import AudienceHours, OnceOrAgain, SeasonHours
from instruments.services.weekly_hours import WeeklyWindow
from tests.booking.services.test_reservation_flow import ask
from tests.heads import with_head

wall = datetime.fromisoformat
ALL_WEEK = tuple(range(7))


def reasons(refused) -> list[str]:
    return [reason.code for reason in refused.value.reasons]


def said(refused) -> str:
    with override("en"):
        return " ".join(reason_sentence(reason) for reason in refused.value.reasons)


@pytest.fixture
def wang(cast):
    return cast.actor("wang")


def test_hours_for_some_are_for_them_alone(cast, wang, slot):
    nights = AudienceHours(["firm"], True, ALL_WEEK, time(20), time(23), date(2026, 11, 23))
    hours.set_audience_hours(wang, cast.xrd.pk, nights, cast.now)
    assert ask(cast, slot(20, 22)).state == "requested"
    inside = ReservationRequest(cast.xrd.pk, cast.lab.pk, slot(20, 22, day=1), "self_operated")
    with pytest.raises(Refusal) as refused:
        reservations.reserve(wang, inside, cast.now, idempotency_key="k")
    assert reasons(refused) == ["booking.open_for_others"]
    assert "only for firms" in said(refused)


def test_a_restriction_keeps_firms_out_and_lets_the_owner_in(cast, wang, slot):
    with_head(cast)
    mornings = AudienceHours(["firm", "team"], False, ALL_WEEK, time(8), time(12), date(2026, 11, 23), reason="Teaching")
    hours.set_audience_hours(wang, cast.xrd.pk, mornings, cast.now)
    with pytest.raises(Refusal) as refused:
        ask(cast, slot(9, 11))
    assert reasons(refused) == ["booking.open_for_others"]
    inside = ReservationRequest(cast.xrd.pk, cast.lab.pk, slot(9, 11), "self_operated")
    assert reservations.reserve(wang, inside, cast.now, idempotency_key="k").state == "requested"


@pytest.mark.parametrize(
    ("change", "code", "word"),
    [
        (
            lambda wang, pk, now: hours.close(wang, pk, OnceOrAgain(wall("2026-11-25T10:00"), wall("2026-11-25T11:00"), "Helium"), now),
            "booking.closed_because", "2026, 11:00: Helium",
        ),
        (
            lambda wang, pk, now: hours.close(wang, pk, OnceOrAgain(wall("2026-11-25T10:00"), wall("2026-11-25T11:00")), now),
            "booking.closed_exceptionally", "It is closed from",
        ),
        (
            lambda wang, pk, now: hours.set_season(
                wang, pk, SeasonHours("Summer", date(2026, 11, 25), date(2026, 11, 25), [WeeklyWindow(2, time(8), time(10))]), now
            ),
            "booking.closed_in_season", "Summer",
        ),
        (
            lambda wang, pk, now: hours.set_weekly_hours(wang, pk, [], date(2026, 11, 24), now),
            "booking.outside_opening_hours", "opening hours",
        ),
    ],
)  # fmt: skip
def test_a_refusal_says_which_layer_closes(cast, wang, slot, change, code, word):
    change(wang, cast.xrd.pk, cast.now)
    with pytest.raises(Refusal) as refused:
        ask(cast, slot(9, 12))
    assert reasons(refused) == [code]
    assert word in said(refused)
    assert not Reservation.objects.exists()


def test_a_holiday_is_named(cast, wang):
    hours.set_holidays(wang, cast.xrd.pk, HolidayRule(closed=True), cast.now)
    now = datetime.fromisoformat("2026-09-28T09:00+08:00")
    starts = datetime.fromisoformat("2026-10-01T09:00+08:00")
    request = ReservationRequest(cast.xrd.pk, cast.firm.pk, TimeRange(starts, starts + timedelta(hours=2)), "self_operated")
    with pytest.raises(Refusal) as refused:
        reservations.reserve(cast.actor("lin"), request, now, idempotency_key="k")
    assert reasons(refused) == ["booking.closed_on_holiday"]
    assert "National Day" in said(refused)
    week = free_slots(cast.actor("lin"), cast.xrd.pk, date(2026, 9, 30), 2, now)
    assert {slot.closed.name for slot in week.days[1].slots} == {"national_day"}
    assert week.days[1].closed[0].range == local_day(date(2026, 10, 1), week.context.zone)


def test_what_was_closed_meanwhile_is_not_approved_unseen(cast, wang, slot):
    reserved = ask(cast, slot(9, 12))
    entry = hours.close(wang, cast.xrd.pk, OnceOrAgain(wall("2026-11-25T11:00"), wall("2026-11-25T13:00"), "Pump"), cast.now)
    with pytest.raises(Refusal) as refused:
        transitions.approve(wang, reserved.reservation_id, cast.now)
    assert reasons(refused) == ["booking.closed_meanwhile", "booking.closed_because"]
    assert Reservation.objects.get().state == "requested"
    hours.remove_entry(wang, cast.xrd.pk, entry, cast.now)
    transitions.approve(wang, reserved.reservation_id, cast.now)
    assert Reservation.objects.get().state == "approved"


def test_slots_are_those_of_the_customer(cast, wang, slot):
    nights = AudienceHours(["firm"], True, ALL_WEEK, time(20), time(22), date(2026, 11, 23))
    hours.set_audience_hours(wang, cast.xrd.pk, nights, cast.now)
    day = date(2026, 11, 25)

    def free_until(actor, customer=None) -> int:
        (found,) = free_slots(actor, cast.xrd.pk, day, 1, cast.now, customer).days
        return max(one.range.ends_at.hour + 8 for one in found.slots if one.free)

    assert [free_until(cast.actor("lin")), free_until(wang), free_until(NOBODY)] == [22, 20, 20]
    assert free_until(cast.actor("lin"), cast.lab.pk) == 22, "a foreign organisation is not taken for one's own"
    evening = booking_context.load(NOBODY, cast.xrd.pk, lock=False).closed(slot(20, 22))
    assert [one.why.audiences for one in evening] == [("firm",)]


def test_alternatives_lie_in_the_customers_hours(cast, wang, slot):
    nights = AudienceHours(["firm"], True, ALL_WEEK, time(20), time(23), date(2026, 11, 23))
    hours.set_audience_hours(wang, cast.xrd.pk, nights, cast.now)
    ask(cast, slot(18, 20))
    with pytest.raises(Conflict) as refused:
        ask(cast, slot(18, 20), key="k2")
    assert refused.value.extra["alternatives"][0][0].startswith("2026-11-25T16:00")
    assert "2026-11-25T20:00:00+08:00" in [pair[0] for pair in refused.value.extra["alternatives"]]


def test_a_shared_calendar_shares_layers_occupancies_and_buffers(cast, wang, slot):
    twin = Instrument.objects.create(
        organisation=cast.lab, site=cast.site, calendar_id=cast.xrd.calendar_id, name="Twin", class_code="010301",
        service_modes=["self_operated"], created_at=cast.now, updated_at=cast.now,
    )  # fmt: skip
    InstrumentPolicy.objects.create(instrument=cast.xrd, buffer_after_minutes=30)
    ask(cast, slot(9, 10))
    other = booking_context.load(cast.actor("lin"), twin.pk, lock=False)
    busy = booking_context.busy_ranges(twin.calendar_id, slot(0, 24))
    assert busy == [TimeRange(slot(9, 10).starts_at, slot(9, 10.5).ends_at)]
    maintenance.block(wang, twin.pk, slot(14, 15), "service", cast.now)
    with pytest.raises(Conflict):
        ask(cast, slot(13, 14.5), key="k3")
    with pytest.raises(Conflict):
        ask(cast, slot(13, 14), key="k4")  # its buffer of half an hour would reach into the service
    hours.close(wang, twin.pk, OnceOrAgain(wall("2026-11-25T16:00"), wall("2026-11-25T20:00"), "Both"), cast.now)
    with pytest.raises(Refusal) as refused:
        ask(cast, slot(17, 18), key="k5")
    assert reasons(refused) == ["booking.closed_because"]
    after = booking_context.load(cast.actor("lin"), cast.xrd.pk, lock=False)
    assert other.opening(slot(0, 24)) == [slot(8, 20)] and after.opening(slot(0, 24)) == [slot(8, 16)]


def test_the_reason_speaks_of_the_part_that_is_closed(cast, wang, slot):
    hours.close(wang, cast.xrd.pk, OnceOrAgain(wall("2026-11-25T11:00"), wall("2026-11-25T11:30"), "Pump"), cast.now)
    context = booking_context.load(cast.actor("lin"), cast.xrd.pk, lock=False)
    (reason,) = context.closed_reasons(slot(9, 13))
    assert reason.params["closed_from"] == "2026-11-25T11:00:00+08:00"
    assert start_instant(wall("2026-11-25T11:30"), context.zone).isoformat() == "2026-11-25T03:30:00+00:00"
    assert reason.params["closed_until"] == "2026-11-25T11:30:00+08:00"
    assert context.closed_reasons(slot(9, 11)) == []
