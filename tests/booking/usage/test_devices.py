"""What devices tell: once per event, however late, matched to reservations, and what a person makes of the rest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from booking.models import CreditEvent, DeviceEvent, DeviceKey, DeviceRun, Occupancy, Reservation, UsageSession
from booking.queries import usage as usage_queries
from booking.rules.device_runs import EventKind
from booking.services import (
    credit,
    device_events,
    device_keys,
    device_matching,
    holds,
    late_entry,
    self_service,
    transitions,
    usage_problems,
    usage_review,
)
from booking.services.device_events import Batch, Told
from booking.services.late_entry import Entry
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.time_range import TimeRange
from instruments.models import Notice, Site
from tests.booking.usage.conftest import codes, state, wrong
from tests.concurrency.world import add_instrument

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def key(cast):
    return device_keys.issue(cast.actor("wang"), cast.lab.pk, cast.xrd.pk, "Control PC", cast.now)[0]


def tell(key, now, *events, behind=timedelta(0)):
    """Send ``(kind, at)`` pairs now; their ids are made of both. ``behind``: how far the device's clock is behind."""
    told = tuple(Told(f"{kind}-{at.isoformat()}", EventKind(kind), at - behind) for kind, at in events)
    return device_events.receive(key, Batch(now - behind, told), now)


# --- Keys -----------------------------------------------------------------------------------------------------------------
def test_a_key_is_shown_once_kept_as_a_hash_and_useless_once_revoked(cast):
    made, text = device_keys.issue(cast.actor("wang"), cast.lab.pk, None, "Campus system", cast.now)
    assert text.startswith("jishi_dev_") and text not in str(DeviceKey.objects.values_list())
    assert device_keys.by_key(text) == made
    assert device_keys.by_key(text + "x") is None
    device_keys.revoke(cast.actor("wang"), made.pk, cast.now)
    assert device_keys.by_key(text) is None


@pytest.mark.parametrize("name", ["lin", "li", "zhou", "he"])
def test_only_the_lab_issues_and_revokes_its_keys(cast, key, name):
    with pytest.raises((Forbidden, NotFound)):
        device_keys.issue(cast.actor(name), cast.lab.pk, cast.xrd.pk, "x", cast.now)
    with pytest.raises(NotFound):
        device_keys.revoke(cast.actor(name), key.pk, cast.now)


# --- Events ---------------------------------------------------------------------------------------------------------------
def test_a_batch_twice_is_stored_once(cast, key, book):
    reservation = book(9, 12)
    starts_at = reservation.starts_at
    first = tell(key, starts_at, ("start", starts_at), ("heartbeat", starts_at))
    again = tell(key, starts_at + MINUTE, ("start", starts_at), ("heartbeat", starts_at))
    assert [one.result for one in first.fates] == ["stored", "stored"]
    assert [one.result for one in again.fates] == ["repeated", "repeated"]
    assert (DeviceEvent.objects.count(), DeviceRun.objects.count(), UsageSession.objects.count()) == (2, 1, 1)


def test_an_id_is_not_used_for_another_event(cast, key):
    at = cast.now - HOUR
    told = [Told("1", EventKind.START, at), Told("1", EventKind.STOP, at), Told("1", EventKind.START, at)]
    fates = device_events.receive(key, Batch(cast.now, tuple(told)), cast.now).fates
    assert [(one.result, one.code) for one in fates] == [
        ("stored", ""), ("refused", "device.event_differs"), ("repeated", ""),
    ]  # fmt: skip


def test_a_key_speaks_for_its_instrument_or_its_lab_alone(cast, key):
    other = add_instrument(cast, "Other")
    lab_key = device_keys.issue(cast.actor("wang"), cast.lab.pk, None, "Campus", cast.now)[0]
    at = cast.now - HOUR

    def fate(with_key, instrument_id):
        told = Told(f"{with_key.pk}-{instrument_id}", EventKind.START, at, instrument_id)
        return device_events.receive(with_key, Batch(cast.now, (told,)), cast.now).fates[0].code

    assert fate(key, other.pk) == fate(lab_key, None) == fate(lab_key, 10**9) == "device.instrument_unknown"
    assert fate(key, None) == fate(key, cast.xrd.pk) == fate(lab_key, other.pk) == ""


@pytest.mark.parametrize(("shift", "code"), [(-91 * DAY, "device.event_too_old"), (6 * MINUTE, "device.event_in_future")])
def test_events_of_another_age_are_refused_one_by_one(cast, key, shift, code):
    fates = tell(key, cast.now, ("start", cast.now + shift), ("start", cast.now)).fates
    assert [one.code for one in fates] == [code, ""]


def test_a_start_checks_in_and_a_stop_behind_the_booked_end_checks_out(cast, key, book):
    reservation = book(9, 12)
    begun, ended = reservation.starts_at - 3 * MINUTE, reservation.ends_at + 7 * MINUTE
    tell(key, begun, ("start", begun))
    assert state(reservation) == "in_use"
    tell(key, ended, ("stop", ended))
    session = UsageSession.objects.get()
    assert (state(reservation), session.outcome, session.started_by_means) == ("completed", "overtime", "device")
    assert (session.actual_starts_at, session.actual_ends_at) == (begun, ended)
    assert (session.customer_agreed_at, session.lab_agreed_at) == (None, None)
    assert wrong() == {}


@pytest.mark.parametrize("kind", ["heartbeat", "counter", "stop"])
@pytest.mark.parametrize("missed", [False, True])
def test_only_a_start_checks_in_and_what_came_alone_is_settled_by_a_start_that_comes_after_all(cast, key, book, kind, missed):
    reservation = book(9, 12)
    at = reservation.starts_at + 40 * MINUTE
    if missed:
        transitions.mark_no_shows_due(at - 5 * MINUTE)
    tell(key, at, (kind, at))
    assert state(reservation) == ("no_show" if missed else "approved")
    run = DeviceRun.objects.get()
    assert (run.state, run.problem, run.reservation) == ("open", "missed" if missed else "no_start", reservation)
    assert not UsageSession.objects.exists()
    tell(key, at + MINUTE, ("start", at - MINUTE))
    assert (DeviceRun.objects.get().state, state(reservation)) == ("matched", "in_use")
    assert wrong() == {}


def test_a_sign_of_life_before_the_start_does_not_move_the_start(cast, key, book):
    reservation = book(9, 12)
    at = reservation.starts_at
    tell(key, at, ("start", at), ("stop", at + MINUTE))
    tell(key, at + 2 * MINUTE, ("stop", at - 20 * MINUTE))
    assert UsageSession.objects.get().actual_starts_at == at


def test_several_runs_are_one_session_that_ends_by_itself_behind_the_booked_time(cast, key, book):
    reservation = book(9, 12)
    at = reservation.starts_at
    for first, last in ((0, 40), (60, 150)):
        tell(key, at + first * MINUTE, ("start", at + first * MINUTE))
        tell(key, at + last * MINUTE, ("stop", at + last * MINUTE))
    assert state(reservation) == "in_use"
    assert device_matching.end_left(reservation.ends_at + 14 * MINUTE) == 0
    assert device_matching.end_left(reservation.ends_at + 15 * MINUTE) == 1
    session = UsageSession.objects.get()
    assert (session.actual_ends_at, session.outcome) == (at + 150 * MINUTE, "left_early")
    assert DeviceRun.objects.filter(reservation=reservation, state="matched").count() == 2


def test_a_device_that_was_offline_catches_up_in_any_order(cast, key, running):
    reservation = running(9, 12)
    at, late = reservation.starts_at, reservation.ends_at + 5 * HOUR
    tell(key, late, ("stop", at + 100 * MINUTE), ("heartbeat", at + 50 * MINUTE))
    tell(key, late + MINUTE, ("start", at + MINUTE))
    (run,) = DeviceRun.objects.all()
    assert (run.starts_at, run.ends_at, run.started, run.state) == (at + MINUTE, at + 100 * MINUTE, True, "matched")
    assert run.events.count() == 3
    assert state(reservation) == "in_use", "a person began it, a person ends it"


def test_a_clock_that_is_off_is_measured_shown_and_corrected(cast, key, book):
    reservation = book(9, 12)
    at = reservation.starts_at
    receipt = tell(key, at, ("start", at), behind=7 * MINUTE)
    assert receipt.skew_seconds == 420
    event, run = DeviceEvent.objects.get(), DeviceRun.objects.get()
    assert (event.device_at, event.at, run.state) == (at - 7 * MINUTE, at, "matched")
    key.refresh_from_db()
    assert key.skew_seconds == 420


# --- What does not add up -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("first", "last", "problem"),
    [(13, 14, "no_reservation"), (7.5, 11, "outside"), (9, 13.5, "long_over")],
)
def test_what_contradicts_waits_for_a_person(cast, key, book, slot, first, last, problem):
    reservation = book(9, 12)
    during = slot(first, last)
    tell(key, during.ends_at, ("start", during.starts_at), ("stop", during.ends_at))
    (run,) = usage_queries.problems(cast.actor("wang"))
    assert run.problem == problem
    assert state(reservation) == "approved"
    assert not usage_queries.problems(cast.actor("lin"))


def test_a_run_over_two_bookings_is_nobodys(cast, key, book, slot):
    book(9, 11), book(11, 13, who="he")
    during = slot(9.5, 12.5)
    tell(key, during.ends_at, ("start", during.starts_at), ("stop", during.ends_at))
    run = DeviceRun.objects.get()
    assert (run.problem, run.reservation) == ("overlaps_two", None)


def test_a_clock_that_is_far_off_is_not_believed(cast, key, book):
    reservation = book(9, 12)
    at = reservation.starts_at
    tell(key, at, ("start", at), behind=30 * MINUTE)
    assert (DeviceRun.objects.get().problem, state(reservation)) == ("skew", "approved")


def test_a_device_that_falls_silent_is_noticed_and_a_stop_that_comes_after_all_settles_it(cast, key, book):
    reservation = book(9, 12)
    at = reservation.starts_at
    tell(key, at, ("start", at))
    later = reservation.ends_at + HOUR
    assert device_events.reconsider_silent(later) == 1
    assert device_events.reconsider_silent(later) == 0
    assert DeviceRun.objects.get().problem == "no_stop"
    tell(key, later, ("stop", reservation.ends_at))
    assert (DeviceRun.objects.get().state, state(reservation)) == ("matched", "completed")


def test_who_comes_late_with_a_device_gets_the_time_back_while_nobody_took_it(cast, key, book):
    reservation = book(9, 12)
    transitions.mark_no_shows_due(reservation.starts_at + 31 * MINUTE)
    at = reservation.starts_at + 40 * MINUTE
    tell(key, at, ("start", at))
    assert (state(reservation), DeviceRun.objects.get().state) == ("in_use", "matched")
    assert wrong() == {}


def test_use_that_is_told_after_the_time_of_a_missed_booking_waits_for_a_person_who_attaches_it(cast, key, book, programmes):
    reservation = book(9, 12)
    transitions.mark_no_shows_due(reservation.ends_at)
    at = reservation.starts_at + 10 * MINUTE
    late = reservation.ends_at + 3 * HOUR
    tell(key, late, ("start", at), ("stop", reservation.ends_at))
    run = DeviceRun.objects.get()
    assert (run.problem, run.reservation) == ("missed", reservation)
    usage_problems.attach(cast.actor("wang"), run.pk, reservation.pk, late)
    session = UsageSession.objects.get()
    assert (state(reservation), session.outcome, session.actual_starts_at) == ("completed", "late", at)
    assert usage_review.agree(cast.actor("lin"), reservation.pk, late)
    assert wrong() == {}
    with pytest.raises(Conflict) as refused:
        usage_problems.attach(cast.actor("wang"), run.pk, reservation.pk, late)
    assert codes(refused) == {"usage.decided_already"}


def test_a_run_attached_to_a_session_that_is_over_corrects_what_was_noted_and_asks_the_customer_again(cast, key, over):
    reservation = over(9, 12)
    at = reservation.starts_at - 90 * MINUTE
    tell(key, reservation.ends_at, ("start", at), ("stop", reservation.ends_at))
    run = DeviceRun.objects.get()
    assert run.problem == "outside"
    usage_problems.attach(cast.actor("wang"), run.pk, reservation.pk, reservation.ends_at + HOUR)
    session = UsageSession.objects.get()
    assert (session.actual_starts_at, session.overrun_minutes) == (at, 90)
    assert session.review_until == reservation.ends_at + HOUR + 7 * DAY


def test_a_run_without_a_booking_is_written_down_as_a_session_that_only_the_customer_can_agree(cast, key, programmes, slot):
    during = slot(13, 15)
    tell(key, during.ends_at, ("start", during.starts_at), ("stop", during.ends_at))
    run, wang = DeviceRun.objects.get(), cast.actor("wang")
    entry = Entry(
        cast.xrd.pk,
        cast.firm.pk,
        cast.users["lin"].pk,
        during,
        "assisted",
        usage_queries.evidence_of(wang, run),
        "Asked by phone",
    )
    usage_problems.enter(wang, run.pk, entry, during.ends_at + HOUR)
    run.refresh_from_db()
    reservation = Reservation.objects.get()
    session = UsageSession.objects.get()
    assert (run.state, run.reservation, state(reservation)) == ("entered", reservation, "completed")
    assert (session.late_entered, session.note, session.outcome) == (True, "Asked by phone", "normal")
    assert "start-" in session.evidence
    assert wrong() == {}
    much_later = during.ends_at + 60 * DAY
    assert (usage_review.remind_due(much_later), usage_review.agree_due(much_later + 2 * DAY)) == (0, 0)
    assert usage_review.agree(cast.actor("lin"), reservation.pk, much_later)
    assert wrong() == {}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"evidence": " "}, "usage.evidence_missing"),
        ({"reason": ""}, "usage.reason_missing"),
        ({"person_id": -1}, "usage.entry_customer"),
        ({"service_mode": "magic"}, "booking.service_mode_unknown"),
        ({"hours": (13, 90)}, "usage.entry_not_past"),
    ],
)
def test_an_entry_that_is_not_sound_is_refused_and_leaves_nothing(cast, key, slot, changes, code):
    during = slot(13, 15)
    tell(key, during.ends_at, ("start", during.starts_at), ("stop", during.ends_at))
    fields = {"evidence": "log book, page 12", "reason": "forgot", "person_id": cast.users["lin"].pk, "service_mode": "assisted"}
    hours = changes.pop("hours", None)
    entry = Entry(cast.xrd.pk, cast.firm.pk, during=slot(*hours) if hours else during, **(fields | changes))
    with pytest.raises(Refusal) as refused:
        usage_problems.enter(cast.actor("wang"), DeviceRun.objects.get().pk, entry, during.ends_at + HOUR)
    assert code in codes(refused)
    assert not Reservation.objects.exists() and not Occupancy.objects.exists()


def test_an_entry_into_somebodys_time_is_refused(cast, key, over, slot):
    over(9, 12)
    during = slot(11, 15)
    tell(key, during.ends_at, ("start", during.starts_at), ("stop", during.ends_at))
    entry = Entry(cast.xrd.pk, cast.firm.pk, cast.users["lin"].pk, during, "assisted", "log", "forgot")
    with pytest.raises(Conflict) as refused:
        usage_problems.enter(cast.actor("wang"), DeviceRun.objects.get().pk, entry, during.ends_at)
    assert codes(refused) == {"usage.entry_taken"}


def test_a_hold_that_has_expired_is_nobodys_time_to_write_a_session_into(cast, slot):
    during = slot(13, 15)
    holds.hold(cast.actor("he"), cast.xrd.pk, slot(14, 15), cast.now)
    entry = Entry(cast.xrd.pk, cast.firm.pk, cast.users["lin"].pk, during, "assisted", "log", "forgot")
    late_entry.enter(cast.actor("wang"), entry, during.ends_at)
    assert [one.source for one in Occupancy.objects.all()] == ["reservation"]
    assert wrong() == {}


def test_a_run_is_ignored_with_a_reason_and_stays_so_when_events_come_again(cast, key, slot):
    during = slot(13, 15)
    pair = (("start", during.starts_at), ("stop", during.ends_at))
    tell(key, during.ends_at, *pair)
    run = DeviceRun.objects.get()
    with pytest.raises(Refusal) as refused:
        usage_problems.ignore(cast.actor("wang"), run.pk, "", during.ends_at)
    assert codes(refused) == {"usage.reason_missing"}
    usage_problems.ignore(cast.actor("wang"), run.pk, "A service engineer", during.ends_at)
    tell(key, during.ends_at, *pair, ("heartbeat", during.ends_at + 2 * HOUR))
    run.refresh_from_db()
    assert (run.state, run.reason) == ("ignored", "A service engineer")
    assert TimeRange(run.starts_at, run.ends_at) == during


def test_a_run_is_attached_only_to_a_booking_that_it_touches_or_the_early_window_before_it(cast, key, book, slot):
    morning, evening = book(9, 11), book(15, 17)
    wang = cast.actor("wang")
    far, near = slot(12, 13), slot(14, 14.5)
    for during in (far, near):
        tell(key, during.ends_at, ("heartbeat", during.starts_at), ("stop", during.ends_at))
    runs = {run.starts_at: run for run in usage_queries.problems(wang)}
    assert usage_queries.attachable(wang, runs[far.starts_at]) == []
    assert usage_queries.attachable(wang, runs[near.starts_at]) == [evening]
    for reservation in (morning, evening):
        with pytest.raises(Refusal) as refused:
            usage_problems.attach(wang, runs[far.starts_at].pk, reservation.pk, far.ends_at)
        assert codes(refused) == {"usage.run_elsewhere"}
    assert (state(morning), state(evening)) == ("approved", "approved")
    usage_problems.attach(wang, runs[near.starts_at].pk, evening.pk, near.ends_at)
    assert (state(morning), state(evening)) == ("approved", "in_use")
    assert wrong() == {}


@pytest.mark.parametrize("agreed", [True, False])
def test_a_customer_whose_yes_a_correction_takes_back_is_told(cast, key, running, agreed):
    reservation = running(9, 12)
    self_service.end(cast.actor("lin"), reservation.pk, agrees=agreed, now=reservation.ends_at)
    at = reservation.starts_at - 90 * MINUTE
    tell(key, reservation.ends_at, ("start", at), ("stop", reservation.ends_at))
    usage_problems.attach(cast.actor("wang"), DeviceRun.objects.get().pk, reservation.pk, reservation.ends_at + HOUR)
    assert UsageSession.objects.get().customer_agreed_at is None
    told = Notice.objects.filter(event="reservation.times_corrected").values_list("user__email", flat=True)
    assert list(told) == (["lin@example.org"] if agreed else [])
    usage_review.agree(cast.actor("lin"), reservation.pk, reservation.ends_at + HOUR)
    usage_review.agree(cast.actor("wang"), reservation.pk, reservation.ends_at + HOUR)
    assert state(reservation) == "agreed"


def test_what_a_correction_shows_to_be_wrong_gives_its_points_back_and_what_it_shows_is_noted(cast, key, book):
    points = {"late": 5, "left_early": 2, "overtime": 7}
    credit.set_rules(cast.actor("wang"), cast.lab.pk, {"start_points": 100, "points": points}, cast.now)
    reservation, wang = book(9, 12), cast.actor("wang")
    transitions.check_in(wang, reservation.pk, reservation.starts_at + 25 * MINUTE)
    transitions.check_out(wang, reservation.pk, reservation.ends_at)
    assert [(one.kind, one.lab_points) for one in CreditEvent.objects.all()] == [("late", -5)]
    at = reservation.starts_at - 90 * MINUTE
    tell(key, reservation.ends_at, ("start", at), ("stop", reservation.ends_at - 40 * MINUTE))
    usage_problems.attach(wang, DeviceRun.objects.get().pk, reservation.pk, reservation.ends_at + HOUR)
    standing = CreditEvent.objects.filter(reverses=None, reversal=None)
    assert [(one.kind, one.lab_points) for one in standing] == [("left_early", -2)]
    assert CreditEvent.objects.get(reverses__kind="late").lab_points == 5
    assert wrong() == {}


@pytest.mark.parametrize("years", [-70, 70])
def test_a_clock_that_has_no_time_at_all_is_refused_and_nothing_is_stored(cast, key, years):
    sent_at = cast.now + years * 365 * DAY
    with pytest.raises(Refusal) as refused:
        device_events.receive(key, Batch(sent_at, (Told("1", EventKind.START, sent_at),)), cast.now)
    assert codes(refused) == {"device.clock_unmeasurable"}
    assert not DeviceEvent.objects.exists()


@pytest.mark.parametrize(
    ("behind", "at", "code"),
    [
        (20 * 365 * DAY, datetime(9999, 12, 31, tzinfo=UTC), "device.event_in_future"),
        (-20 * 365 * DAY, datetime(1, 1, 1, tzinfo=UTC), "device.event_too_old"),
    ],
)
def test_a_moment_at_the_end_of_the_calendar_is_refused_whatever_the_clock_shows(cast, key, behind, at, code):
    told = (Told("1", EventKind.START, at),)
    receipt = device_events.receive(key, Batch(cast.now - behind, told), cast.now)
    assert [fate.code for fate in receipt.fates] == [code]


def test_an_entry_into_somebodys_time_names_it_by_the_clock_of_the_site(cast, over, slot):
    over(9, 12)
    Site.objects.filter(pk=cast.xrd.site_id).update(time_zone="Asia/Urumqi")
    entry = Entry(cast.xrd.pk, cast.firm.pk, cast.users["lin"].pk, slot(11, 15), "assisted", "log", "forgot")
    with pytest.raises(Conflict) as refused:
        late_entry.enter(cast.actor("wang"), entry, slot(11, 15).ends_at)
    (reason,) = refused.value.reasons
    assert reason.params == {"taken_from_at": "2026-11-25T07:00:00+06:00", "taken_until_at": "2026-11-25T10:00:00+06:00"}


def test_what_devices_told_is_read_by_whoever_may_see_the_booking(cast, key, book):
    reservation = book(9, 12)
    tell(key, reservation.starts_at, ("start", reservation.starts_at))
    for name, count in (("wang", 1), ("lin", 1), ("he", 0)):
        assert len(usage_queries.reservation_runs(cast.actor(name), reservation)) == count
    run = DeviceRun.objects.get()
    assert usage_queries.events_of(cast.actor("wang"), run).count() == 1
    assert not usage_queries.events_of(cast.actor("lin"), run)
    with pytest.raises(NotFound):
        usage_queries.instrument_of_run(cast.actor("lin"), run.pk)
