"""A lab opens its term, and has a day on which everything happens; a course goes on over a holiday and a change of the clocks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from billing.ledger.models import Account
from billing.models import BookingFee
from billing.pricing import services as pricing
from billing.pricing.models import PriceVersion
from billing.settlement import series_figures
from billing.settlement.models import Charge
from booking.models import Reservation, UsageSession, WaitEntry
from booking.rules.downtime import Choice, DowntimeKind
from booking.rules.series import SeriesRule
from booking.services import (
    availability,
    changes,
    downtimes,
    policies,
    reservations,
    series,
    training,
    transitions,
    usage_review,
    waiting,
)
from booking.services.downtimes import Decision, Outage
from booking.services.policies import Scope
from booking.services.reservations import ReservationRequest
from booking.services.training import CourseFields
from config.kernel.errors import Refusal
from config.kernel.invariants import registered
from config.kernel.time_range import TimeRange
from instruments.models import Instrument, Site
from instruments.rules.entries import HolidayRule
from instruments.services import catalogue, opening_hours, schedule_store
from instruments.services.opening_hours import SeasonHours
from instruments.services.weekly_hours import WeeklyWindow
from tests.conftest import PRICE

SHANGHAI = ZoneInfo("Asia/Shanghai")
WEEKDAYS = (0, 1, 2, 3, 4)
FEES = {"late_cancel": {"share": "0.5"}, "no_show": {"share": "1"}}
MINUTE = timedelta(minutes=1)
keys = count()


@pytest.fixture(autouse=True)
def nothing_is_broken(cast: Any) -> Iterator[None]:
    yield
    found = {name: check().violations for name, check in registered().items() if not name.startswith("registry.")}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def at(clock: str, on: date = date(2026, 11, 25)) -> datetime:
    """``at("10:25")`` on the Wednesday of the week."""
    return datetime.combine(on, time.fromisoformat(clock), SHANGHAI)


class Lab:
    """Lin and Zhao of Gaoyuan and He of Lianhe come to Wang's instrument."""

    def __init__(self, cast: Any) -> None:
        self.cast = cast
        self.wang = cast.actor("wang")

    def book(self, who: str, first: str, last: str, now: datetime) -> Reservation:
        firm = self.cast.other_firm if who == "he" else self.cast.firm
        wish = ReservationRequest(self.cast.xrd.pk, firm.pk, TimeRange(at(first), at(last)), "self_operated", "a day's work")
        pk = reservations.reserve(self.cast.actor(who), wish, now, idempotency_key=f"day{next(keys)}").reservation_id
        transitions.approve(self.wang, pk, now)
        return Reservation.objects.get(pk=pk)

    def comes(self, reservation: Reservation, clock: str) -> None:
        transitions.check_in(self.wang, reservation.pk, at(clock))

    def goes(self, reservation: Reservation, clock: str) -> UsageSession:
        transitions.check_out(self.wang, reservation.pk, at(clock))
        return UsageSession.objects.get(reservation=reservation)

    def state(self, reservation: Reservation) -> str:
        reservation.refresh_from_db()
        return str(reservation.state)


@pytest.fixture
def lab(cast: Any, programmes: Any) -> Lab:
    return Lab(cast)


def test_a_full_day_with_early_late_overtime_no_show_breakdown_and_waiting_list(lab: Lab) -> None:
    cast, now = lab.cast, lab.cast.now
    rules = {"notice_minutes": 0, "early_start_minutes": 15, "billable_basis": "overage", "billable_round_up_minutes": 15}
    policies.say(lab.wang, Scope(cast.lab.pk), rules, now)
    pricing.publish_price(cast.actor("li"), cast.xrd, PRICE | {"fees": FEES}, now.date(), now, now.date())

    # On Monday the whole Wednesday is booked; He would like to have an hour around noon.
    early, late = lab.book("lin", "08:00", "10:00", now), lab.book("he", "10:00", "12:00", now)
    missed = lab.book("zhao", "12:00", "14:00", now)
    over, broken = lab.book("lin", "14:00", "16:00", now), lab.book("he", "17:00", "19:00", now)
    wish = waiting.Wish(cast.xrd.pk, cast.other_firm.pk, TimeRange(at("12:00"), at("14:00")), 60, "self_operated")
    waits = waiting.join(cast.actor("he"), wish, now)

    # Lin comes before her time, which is free, and leaves in time; He comes after the grace has begun.
    with pytest.raises(Refusal, match="too_early"):
        lab.comes(early, "07:30")
    lab.comes(early, "07:50")
    assert lab.goes(early, "09:40").outcome == "left_early"
    lab.comes(late, "10:25")
    assert lab.goes(late, "12:00").outcome == "late"

    # Zhao never comes: after the grace the time is free, He is offered an hour of what is left of it and takes it with one click.
    assert (transitions.mark_no_shows_due(at("12:29")), transitions.mark_no_shows_due(at("12:30"))) == (0, 1)
    assert lab.state(missed) == "no_show"
    waiting.offer_free_time(at("12:31"))
    waits.refresh_from_db()
    assert (waits.state, waits.offered) == ("offered", TimeRange(at("13:00"), at("14:00")))
    taken = Reservation.objects.get(pk=waiting.accept(cast.actor("he"), waits.pk, at("12:35")).reservation_id)
    transitions.approve(lab.wang, taken.pk, at("12:40"))
    lab.comes(taken, "13:00")
    assert lab.goes(taken, "14:00").outcome == "normal"

    # Lin runs into overtime; then the tube breaks, and who was to come at five gets tomorrow's time instead, at no cost.
    lab.comes(over, "14:00")
    assert lab.goes(over, "16:20").outcome == "overtime"
    tomorrow = TimeRange(broken.starts_at + timedelta(days=1), broken.ends_at + timedelta(days=1))
    outage = Outage(
        DowntimeKind.BREAKDOWN, TimeRange(at("16:30"), at("20:00")), "Tube",
        decisions={broken.pk: Decision(Choice.OFFER, (tomorrow,))}, seen=frozenset({broken.pk}),
    )  # fmt: skip
    downtime = downtimes.declare(lab.wang, cast.xrd.pk, outage, at("16:30"), idempotency_key="tube")
    (offered,) = broken.changes.filter(state="open")
    changes.accept(cast.actor("he"), offered.pk, at("16:40"))
    assert (lab.state(broken), broken.during) == ("approved", tomorrow)
    downtimes.close(lab.wang, downtime.pk, at("19:00"))

    # In the evening everybody agrees to what was measured, and each is charged for it.
    for one, who in ((early, "lin"), (late, "he"), (taken, "he"), (over, "lin")):
        assert usage_review.agree(cast.actor(who), one.pk, at("20:00"))
    gross = {charge.reservation_id: charge.gross_fen for charge in Charge.objects.all()}
    assert gross[early.pk] == 2 * 400_00 and gross[late.pk] == 2 * 400_00 and gross[taken.pk] == 400_00
    assert gross[over.pk] == round(2.5 * 400_00)  # two hours and twenty minutes, in steps of a quarter
    # Zhao's fee is for the two hours, less what He used of them.
    fee = BookingFee.objects.get(reservation=missed)
    assert (fee.kind, fee.gross_fen) == ("no_show", 2 * 400_00)
    assert sum(relief.amount_fen for relief in fee.reliefs.all()) == 400_00
    # What is still held is for tomorrow's session alone.
    assert {one.pk for one in Reservation.objects.filter(state__in=["approved", "in_use"])} == {broken.pk}
    assert WaitEntry.objects.get().state == "taken"
    transitions.cancel(lab.wang, broken.pk, at("21:00"), "The tube is not here yet")
    assert sum(Account.objects.values_list("held_fen", flat=True)) == 0


def windows(first: int, last: int, weekdays: tuple[int, ...] = WEEKDAYS) -> list[WeeklyWindow]:
    return [WeeklyWindow(day, time(first), time(last)) for day in weekdays]


def test_a_term_is_opened_and_a_course_goes_over_the_holiday(lab: Lab) -> None:
    """The autumn term of 2026, in which the week of the National Day is closed and a Saturday is worked instead."""
    cast, monday = lab.cast, datetime(2026, 8, 31, 1, 0, tzinfo=UTC)
    season = SeasonHours("Autumn term", date(2026, 9, 7), date(2027, 1, 15), windows(9, 21))
    opening_hours.set_weekly_hours(lab.wang, cast.xrd.pk, windows(9, 17), date(2026, 9, 1), monday)
    opening_hours.set_season(lab.wang, cast.xrd.pk, season, monday)
    opening_hours.set_holidays(lab.wang, cast.xrd.pk, HolidayRule(closed=True, makeup_weekday=3), monday)
    policies.say(lab.wang, Scope(cast.lab.pk), {"horizon_days": 120}, monday)

    # Alone on the instrument is only who has the licence; Lin takes the course of the first week.
    licence = CourseFields("XRD alone", "self", validity_months=12, instrument_ids=(cast.xrd.pk,), require=True)
    course = training.create_course(lab.wang, cast.lab.pk, licence, monday)
    rule = SeriesRule(datetime(2026, 9, 10, 18), datetime(2026, 9, 10, 20), count=6)
    thursdays = series.Wish(cast.xrd.pk, cast.firm.pk, rule, "self_operated", "a practical course")
    unlicensed = series_figures.report(cast.actor("lin"), thursdays, monday)
    assert all("booking.licence_needed" in {reason.code for reason in one.row.verdict.reasons} for one in unlicensed.rows)
    first_day = TimeRange(at("09:00", date(2026, 9, 2)), at("11:00", date(2026, 9, 2)))
    session = training.plan_session(lab.wang, course.pk, first_day, "Room 3", 8, monday)
    enrolled = training.enrol(cast.actor("lin"), session.pk, monday)
    training.record_attendance(lab.wang, enrolled.pk, True, first_day.starts_at)
    training.record_result(lab.wang, enrolled.pk, 85, "", first_day.ends_at)

    # Six Thursday evenings: that of the holiday is named before anything is asked for, and the others are booked.
    thursday = first_day.ends_at + timedelta(days=1)
    shown = series_figures.report(cast.actor("lin"), thursdays, thursday)
    free = [one.row.is_free for one in shown.rows]
    assert free == [True, True, True, False, True, True]  # the fourth is 1 October
    asked = series.ask(cast.actor("lin"), thursdays, shown.picks(), thursday, idempotency_key="term")
    booked = Reservation.objects.filter(pk__in=asked.reservation_ids).order_by("starts_at")
    assert [one.starts_at.astimezone(SHANGHAI).strftime("%m-%d %H:%M") for one in booked] == [
        "09-10 18:00", "09-17 18:00", "09-24 18:00", "10-08 18:00", "10-15 18:00",
    ]  # fmt: skip
    for one in booked:
        transitions.approve(lab.wang, one.pk, thursday)
    assert list(availability.verify()) == []


def test_a_series_keeps_its_hour_where_the_clocks_change(lab: Lab) -> None:
    """At a station in Berlin, four Tuesdays around 25 October 2026."""
    cast, now = lab.cast, datetime(2026, 10, 5, 1, 0, tzinfo=UTC)
    site = Site.objects.create(organisation=cast.lab, name="Berlin station", time_zone="Europe/Berlin", region_code="630104")
    calendar_id = schedule_store.create_calendar("Station")
    abroad = Instrument.objects.create(
        organisation=cast.lab, site=site, calendar_id=calendar_id, name="Station XRD", class_code="010301",
        service_modes=["self_operated"], created_at=now, updated_at=now,
    )  # fmt: skip
    PriceVersion.objects.create(instrument=abroad, effective_from=date(2025, 1, 1), document=PRICE, published_at=now)
    catalogue.refresh_instruments([abroad.pk], now)
    opening_hours.set_weekly_hours(lab.wang, abroad.pk, windows(8, 18), date(2026, 10, 1), now)
    rule = SeriesRule(datetime(2026, 10, 13, 9), datetime(2026, 10, 13, 12), count=4)
    wish = series.Wish(abroad.pk, cast.firm.pk, rule, "self_operated", "a long study")
    shown = series_figures.report(cast.actor("lin"), wish, now)
    assert [one.row.is_free for one in shown.rows] == [True] * 4
    asked = series.ask(cast.actor("lin"), wish, shown.picks(), now, idempotency_key="berlin")
    booked = list(Reservation.objects.filter(pk__in=asked.reservation_ids).order_by("starts_at"))
    assert [one.starts_at.astimezone(ZoneInfo("Europe/Berlin")).hour for one in booked] == [9] * 4
    assert [one.starts_at.astimezone(UTC).hour for one in booked] == [7, 7, 8, 8]
    assert {one.ends_at - one.starts_at for one in booked} == {timedelta(hours=3)}
    for one in booked:
        transitions.approve(lab.wang, one.pk, now)
