"""Giving back and moving times of a series: the report first, then all or nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.ledger.models import Account, Transfer
from billing.models import BookingFee
from billing.pricing import services as pricing
from billing.settlement import series_figures
from billing.settlement.models import Quote
from booking.models import Occupancy, Reservation, ReservationChange, ReservationTransition
from booking.ports import ExpectedFigures
from booking.rules.series import Scope
from booking.services import changes, deputies, policies, series, series_changes, transitions
from booking.services.changes import ChangeRequest
from booking.services.deputies import Absence
from booking.services.series_changes import Seen, SeriesChange, Step
from config.kernel.access import Role
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from instruments.models import Delivery, Membership, Notice, User
from tests.booking.services.test_reservation_flow import ask
from tests.conftest import PRICE

THURSDAY = datetime(2026, 11, 26, 9)


def parts(pk) -> list[Reservation]:
    return list(Reservation.objects.filter(series_id=pk).order_by("ordinal"))


def moving(pk, scope=Scope.ALL, anchor=1, starts=THURSDAY, hours=3, **more) -> SeriesChange:
    return SeriesChange(pk, Step.MOVE, scope, anchor, starts, starts + timedelta(hours=hours), **more)


def cancelling(pk, scope=Scope.ALL, anchor=1, **more) -> SeriesChange:
    return SeriesChange(pk, Step.CANCEL, scope, anchor, **more)


def look(cast, change, who="lin", now=None):
    return series_figures.report_change(cast.actor(who), change, now or cast.now)


def do(cast, change, rows, who="lin", key="c1", now=None):
    seen = {row.reservation.ordinal: Seen(row.outcome, row.expected) for row in rows if row.is_possible}
    return series_changes.change(cast.actor(who), change, seen, now or cast.now, idempotency_key=key)


def held() -> int:
    return sum(Account.objects.values_list("held_fen", flat=True))


@pytest.fixture
def approved(cast, programmes, made):
    pk = made()
    for one in parts(pk):
        transitions.approve(cast.actor("wang"), one.pk, cast.now)
    return pk


def test_a_report_changes_nothing(cast, approved):
    def rows():
        counted = (Reservation, Occupancy, ReservationTransition, ReservationChange, Transfer, Quote, Notice, Delivery)
        return [[*model.objects.order_by("pk").values_list()] for model in counted], held()

    before = rows()
    assert [row.outcome for row in look(cast, cancelling(approved))] == ["cancelled"] * 3
    assert [row.outcome for row in look(cast, moving(approved))] == ["asked"] * 3
    assert rows() == before


@pytest.mark.parametrize(("scope", "left"), [(Scope.THIS, [1, 3]), (Scope.FOLLOWING, [1]), (Scope.ALL, [])])
def test_this_the_following_or_all_are_given_back_with_what_was_held(cast, approved, scope, left):
    change = cancelling(approved, scope, anchor=2)
    done = do(cast, change, look(cast, change))
    assert done.counts == {"cancelled": 3 - len(left)}
    assert [one.ordinal for one in parts(approved) if one.state == "approved"] == left
    assert (held() == 0) == (not left)
    told = Notice.objects.filter(event__contains="cancelled").values_list("event", "user__full_name")
    assert sorted(told) == [("series.cancelled", "Lin"), ("series.lab.cancelled", "Wang")]


def test_what_is_late_is_said_before_it_is_given_back(cast, programmes, made):
    policies.say(cast.actor("wang"), policies.Scope(cast.lab.pk), {"cancel_notice_minutes": 5 * 24 * 60}, cast.now)
    approved = made()
    for one in parts(approved):
        transitions.approve(cast.actor("wang"), one.pk, cast.now)
    rows = look(cast, cancelling(approved))
    assert [row.outcome for row in rows] == ["cancelled_late", "cancelled", "cancelled"]
    assert do(cast, cancelling(approved), rows).counts == {"cancelled_late": 1, "cancelled": 2}


@pytest.mark.parametrize(("approves", "asked"), [(True, 1), (False, 0)])
def test_until_when_it_is_in_time_is_asked_once_for_each_time_that_was_promised(cast, programmes, made, approves, asked):
    pk = made(count=2)
    for one in parts(pk) if approves else []:
        transitions.approve(cast.actor("wang"), one.pk, cast.now)
    with CaptureQueriesContext(connection) as queries:
        look(cast, cancelling(pk))
    told = [
        one for one in queries if one["sql"].startswith("SELECT") and '"billing_quote"."held_at" IS NOT NULL OR' in one["sql"]
    ]
    # The fee asks it once more where there is a fault, which there is not.
    assert len(told) == 2 * asked


def test_the_fee_of_each_is_shown_taken_and_told_in_one(cast, programmes, made):
    fees = {"fees": {"late_cancel": {"share": "0.5"}}}
    pricing.publish_price(cast.actor("li"), cast.xrd, PRICE | fees, cast.now.date(), cast.now, cast.now.date())
    policies.say(cast.actor("wang"), policies.Scope(cast.lab.pk), {"cancel_notice_minutes": 10 * 24 * 60}, cast.now)
    pk = made()
    for one in parts(pk):
        transitions.approve(cast.actor("wang"), one.pk, cast.now)
    rows = look(cast, cancelling(pk))
    assert [row.expected.payable_now_fen for row in rows] == [600_00, 600_00, 0]
    assert not BookingFee.objects.exists()
    dearer = [replace(row, expected=ExpectedFigures(1, 1)) for row in rows]
    with pytest.raises(Conflict):
        do(cast, cancelling(pk), dearer, key="c0")
    do(cast, cancelling(pk), rows)
    assert list(BookingFee.objects.values_list("payable_now_fen", flat=True)) == [600_00, 600_00]
    told = Notice.objects.filter(event__contains="cancelled")
    assert [one.params["fee_fen"] for one in told] == [1200_00, 1200_00]


def test_requests_move_by_as_much_as_the_first_and_keep_the_wall_clock(cast, programmes, made, slot):
    pk = made()
    rows = look(cast, moving(pk, hours=2))
    assert [(row.outcome, row.new) for row in rows] == [("moved", slot(9, 11, day=1 + 7 * week)) for week in range(3)]
    assert {row.expected.final_cost_fen for row in rows} == {
        Quote.objects.filter(reservation__series_id=pk).latest("pk").final_cost_fen * 2 // 3
    }
    assert do(cast, moving(pk, hours=2), rows).counts == {"moved": 3}
    assert [one.during for one in parts(pk)] == [slot(9, 11, day=1 + 7 * week) for week in range(3)]
    assert ReservationTransition.objects.filter(action="move").count() == 3
    told = Notice.objects.filter(event__contains="moved")
    assert sorted(one.event for one in told) == ["series.lab.moved", "series.moved"]
    assert told[0].params["starts_at"].startswith("2026-11-26T09:00")


@pytest.mark.parametrize("days", [1, -1])
def test_a_daily_series_moves_into_the_places_that_it_leaves_itself(cast, programmes, made, slot, days):
    pk = made(frequency="daily")
    change = moving(pk, starts=THURSDAY + timedelta(days=days - 1))
    rows = look(cast, change)
    assert [row.outcome for row in rows] == ["moved"] * 3
    do(cast, change, rows)
    assert [one.during for one in parts(pk)] == [slot(9, 12, day=day + days) for day in range(3)]


def test_one_that_moved_by_itself_leaves_its_place_before_another_needs_it(cast, programmes, made, slot):
    pk = made(frequency="daily")
    by_itself = ChangeRequest(parts(pk)[0].pk, slot(9, 12, day=3))
    changes.change(cast.actor("lin"), by_itself, cast.now, idempotency_key="m")
    change = moving(pk, anchor=2, starts=THURSDAY + timedelta(days=1))
    rows = look(cast, change)
    assert [row.outcome for row in rows] == ["moved"] * 3
    do(cast, change, rows)
    assert [one.during for one in parts(pk)] == [slot(9, 12, day=day) for day in (4, 2, 3)]


def test_a_manager_who_is_away_and_wants_to_hear_nothing_is_not_told_of_series(cast, programmes, made):
    tang = User.objects.create(email="tang@example.org", full_name="Tang", password="!", language="en")
    Membership.objects.create(user=tang, organisation=cast.lab, role=Role.LAB_MANAGER, created_at=cast.now)
    away = Absence(cast.now.date(), cast.now.date(), also_manager=False)
    deputies.name(cast.actor("wang"), cast.lab.pk, tang.pk, away, cast.now)
    pk = made()
    do(cast, cancelling(pk), look(cast, cancelling(pk)))
    told = Notice.objects.filter(event__startswith="series").exclude(user=cast.users["lin"])
    assert sorted(told.values_list("event", "user__full_name")) == [
        ("series.lab.cancelled", "Tang"),
        ("series.requested", "Tang"),
    ]


def test_a_manager_gives_back_a_series_of_their_own_as_anybody_does_without_a_reason_and_late(cast, programmes, wish):
    rules = {"cancel_notice_minutes": 5 * 24 * 60, "approval_required": False}
    policies.say(cast.actor("wang"), policies.Scope(cast.lab.pk), rules, cast.now)
    own = replace(wish(), organisation_id=cast.lab.pk)
    shown = series_figures.report(cast.actor("wang"), own, cast.now)
    pk = series.ask(cast.actor("wang"), own, shown.picks(), cast.now, idempotency_key="own").series_id
    assert {one.state for one in parts(pk)} == {"approved"}
    outcomes = [row.outcome for row in look(cast, cancelling(pk), who="wang")]
    assert outcomes[0] == "cancelled_late"
    assert len(look(cast, moving(pk), who="wang")) == 3  # moving one's own needs none


def test_the_lab_is_asked_once_where_it_approves_and_answers_each(cast, approved):
    do(cast, moving(approved), look(cast, moving(approved)))
    asked = Notice.objects.get(event="series.lab.move_asked")
    assert asked.user == cast.users["wang"] and asked.needs_action
    assert not Notice.objects.filter(event__startswith="reservation.change_proposed").exists()
    for change in ReservationChange.objects.order_by("pk"):
        changes.accept(cast.actor("wang"), change.pk, cast.now)
    asked.refresh_from_db()
    assert not asked.needs_action
    assert [one.starts_at.day for one in parts(approved)] == [26, 3, 10]


def test_one_that_cannot_move_is_named_with_free_times_and_the_others_can(cast, programmes, made, slot):
    pk = made()
    ask(cast, slot(10, 11, day=8), who="he", firm=cast.other_firm)
    rows = look(cast, moving(pk))
    assert [row.outcome for row in rows] == ["moved", "refused", "moved"]
    assert rows[1].reasons[0].code == "booking.just_taken" and rows[1].alternatives
    do(cast, moving(pk), rows)
    assert [one.starts_at.day for one in parts(pk)] == [26, 2, 10]


def test_nothing_moves_when_something_changed_after_the_report(cast, programmes, made, slot):
    pk = made()
    rows = look(cast, moving(pk))
    ask(cast, slot(10, 11, day=8), who="he", firm=cast.other_firm)
    with pytest.raises(Conflict) as refused:
        do(cast, moving(pk), rows)
    assert [reason.code for reason in refused.value.reasons] == ["series.not_all", "booking.taken"]
    transitions.cancel(cast.actor("lin"), parts(pk)[0].pk, cast.now)
    with pytest.raises(Conflict) as refused:
        do(cast, moving(pk), rows)
    assert refused.value.reasons[0].code == "series.changed_meanwhile"
    assert [one.starts_at.day for one in parts(pk)] == [25, 2, 9]


def test_another_outcome_than_was_seen_is_not_made(cast, programmes, made):
    pk = made()
    rows = look(cast, moving(pk))
    transitions.approve(cast.actor("wang"), parts(pk)[1].pk, cast.now)
    with pytest.raises(Conflict) as refused:
        do(cast, moving(pk), rows)
    assert [reason.code for reason in refused.value.reasons] == ["series.not_all", "series.changed_meanwhile"]
    assert not ReservationChange.objects.exists()


def test_the_same_key_changes_once(cast, programmes, made):
    pk = made()
    rows = look(cast, cancelling(pk))
    assert do(cast, cancelling(pk), rows).counts == do(cast, cancelling(pk), rows).counts


def test_the_lab_says_why_and_strangers_find_nothing(cast, programmes, made):
    pk = made()
    with pytest.raises(Refusal) as refused:
        look(cast, cancelling(pk), who="wang")
    assert refused.value.reasons[0].code == "booking.reason_missing"
    change = cancelling(pk, reason="The tube is broken")
    do(cast, change, look(cast, change, who="wang"), who="wang")
    assert {one.transitions.latest("pk").reason for one in parts(pk)} == {"The tube is broken"}
    with pytest.raises(NotFound):
        look(cast, cancelling(pk), who="he")
    with pytest.raises(Forbidden):
        look(cast, cancelling(pk), who="li")


def test_what_has_begun_stays_and_when_nothing_is_left_it_is_said(cast, approved, slot):
    later = slot(10, 11).starts_at
    assert [row.reservation.ordinal for row in look(cast, cancelling(approved, anchor=2), now=later)] == [2, 3]
    with pytest.raises(Refusal) as refused:
        look(cast, cancelling(approved), now=later + timedelta(days=30))
    assert refused.value.reasons[0].code == "series.nothing_left"
    for change, code in (
        (moving(approved, anchor=9), "series.pick_unknown"),
        (SeriesChange(approved, Step.MOVE, Scope.ALL, 1), "series.time_missing"),
    ):
        with pytest.raises(Refusal) as refused:
            look(cast, change)
        assert refused.value.reasons[0].code == code
