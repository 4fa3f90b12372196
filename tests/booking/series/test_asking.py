"""A series: what the report says is what requesting does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.ledger import services as ledger
from billing.ledger.models import Account
from billing.settlement import series_figures
from billing.settlement.models import Quote
from booking.models import InstrumentPolicy, Occupancy, Reservation, ReservationSeries
from booking.ports import ExpectedFigures
from booking.rules.series import SeriesRule
from booking.services import policies, reservations, series, transitions
from booking.services.policies import Scope
from booking.services.reservations import ReservationRequest
from booking.services.series import Pick
from config.kernel.errors import Conflict, Forbidden, Refusal
from config.kernel.models import AuditEntry
from instruments.models import Notice
from instruments.rules.opening import CalendarEntry, EntryKind
from instruments.services import research_groups, schedule_store
from tests.booking.series.conftest import WEDNESDAY
from tests.booking.services.test_reservation_flow import ask
from tests.heads import with_head


def codes(row) -> list[str]:
    return [reason.code for reason in row.verdict.reasons]


def say(cast, **rules) -> None:
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), rules, cast.now)


def report(cast, wish, picks=None):
    return series_figures.report(cast.actor("lin"), wish, cast.now, picks)


def test_all_of_a_series_is_asked_for_at_once_and_knows_it(cast, programmes, made):
    pk = made()
    rows = list(Reservation.objects.filter(series_id=pk).order_by("ordinal"))
    assert [(one.ordinal, one.state, one.purpose) for one in rows] == [(n, "requested", "lithium salts") for n in (1, 2, 3)]
    assert [(one.starts_at - rows[0].starts_at).days for one in rows] == [0, 7, 14]
    assert Quote.objects.filter(reservation__series_id=pk, revision=1).count() == 3
    kept = ReservationSeries.objects.get()
    assert (kept.zone, kept.planned, SeriesRule.read(kept.rule).count) == ("Asia/Shanghai", 3, 3)
    assert AuditEntry.objects.filter(action="series.request", object_id=str(pk)).count() == 1
    assert AuditEntry.objects.filter(action="reservation.request").count() == 3


def test_every_time_says_what_the_national_record_asks(cast, programmes, wish):
    asked = replace(wish(), service_direction="teaching", fund_source="3")
    picks = report(cast, asked).picks()
    pk = series.ask(cast.actor("lin"), asked, picks, cast.now, idempotency_key="r").series_id
    said = Reservation.objects.filter(series_id=pk).values_list("service_direction", "fund_source")
    assert list(said) == [("teaching", "3")] * 3
    with pytest.raises(Refusal) as refused:
        series.ask(cast.actor("lin"), replace(asked, fund_source="99"), picks, cast.now, idempotency_key="x")
    assert [(one.code, one.field) for one in refused.value.reasons] == [("service.fund_source_unknown", "fund_source")]


def test_the_lab_is_told_once_and_needs_nothing_more_when_all_are_answered(cast, programmes, made):
    pk = made()
    told = Notice.objects.filter(user=cast.users["wang"])
    assert [one.event for one in told] == ["series.requested"]
    assert told.get().params["count"] == 3 and told.get().path == f"/series/{pk}/"
    *others, last = Reservation.objects.filter(series_id=pk).order_by("ordinal")
    for one in others:
        transitions.approve(cast.actor("wang"), one.pk, cast.now)
    assert told.get().needs_action
    transitions.approve(cast.actor("wang"), last.pk, cast.now)
    assert not told.get().needs_action


def test_where_the_owner_asks_its_own_people_for_a_card_each_row_says_so(cast, programmes, wish):
    with_head(cast)
    own = replace(wish(), organisation_id=cast.lab.pk)
    assert series_figures.report(cast.actor("wang"), own, cast.now).is_possible
    research_groups.set_card_needed(cast.actor("li"), cast.lab.pk, True, cast.now)
    shown = series_figures.report(cast.actor("wang"), own, cast.now)
    assert [codes(one.row) for one in shown.rows] == [["card.needed"]] * 3 and shown.picks() == []
    assert report(cast, wish()).is_possible


def test_the_report_names_what_is_taken_with_the_nearest_free_time(cast, programmes, wish, slot):
    ask(cast, slot(10, 11, day=7), who="he", firm=cast.other_firm)
    free, taken, last = report(cast, wish()).rows
    assert free.row.is_free and last.row.is_free and not taken.row.is_free
    assert taken.row.verdict.taken and codes(taken.row) == []
    assert taken.row.verdict.instead == slot(11, 14, day=7)
    assert [one.row.wanted for one in (free, taken, last)] == [True, False, True]
    picked = [Pick(1, slot(9, 12)), Pick(2, slot(11, 14, day=7))]
    again = report(cast, wish(), picked)
    assert again.is_possible and [one.row.wanted for one in again.rows] == [True, True, False]
    asked = series.ask(cast.actor("lin"), wish(), again.picks(), cast.now, idempotency_key="s")
    assert len(asked.reservation_ids) == 2
    assert Reservation.objects.get(series_id=asked.series_id, ordinal=2).during == slot(11, 14, day=7)


def test_a_holiday_and_the_horizon_are_named_on_their_days(cast, programmes, wish):
    closed = CalendarEntry(
        EntryKind.CLOSURE, WEDNESDAY.replace(hour=0) + timedelta(days=7), WEDNESDAY + timedelta(days=7, hours=9)
    )
    schedule_store.add_entry(cast.xrd.calendar_id, "Asia/Shanghai", closed)
    say(cast, horizon_days=20)
    rows = report(cast, wish(count=4)).rows
    assert rows[0].row.is_free and rows[2].row.is_free
    assert codes(rows[1].row)[0].startswith("booking.closed") and codes(rows[3].row) == ["booking.beyond_horizon"]
    assert all(one.figures for one in rows)


def test_a_quota_counts_over_the_series(cast, programmes, wish):
    quota = {"subject": "person", "measure": "minutes", "period": "ahead", "most": 6 * 60, "peak_only": False}
    say(cast, quotas=[quota])
    rows = report(cast, wish(count=4)).rows
    assert [one.row.is_free for one in rows] == [True, True, False, False]
    assert codes(rows[2].row) == ["quota.person_minutes_ahead"] and rows[2].row.verdict.instead is None


def test_nothing_is_kept_when_one_time_cannot_be_had_any_more(cast, programmes, wish, slot):
    shown = report(cast, wish())
    ask(cast, slot(9, 12, day=14), who="he", firm=cast.other_firm)
    with pytest.raises(Conflict) as refused:
        series.ask(cast.actor("lin"), wish(), shown.picks(), cast.now, idempotency_key="s")
    first, second = refused.value.reasons
    assert (first.code, first.params["starts_at"][:10], second.code) == ("series.not_all", "2026-12-09", "booking.taken")
    assert not ReservationSeries.objects.exists() and Reservation.objects.count() == 1
    fresh = report(cast, wish())
    assert len(series.ask(cast.actor("lin"), wish(), fresh.picks(), cast.now, idempotency_key="s").reservation_ids) == 2


def test_figures_that_were_not_seen_are_not_accepted(cast, programmes, wish):
    picks = [Pick(one.ordinal, one.during, ExpectedFigures(1, 1)) for one in report(cast, wish()).picks()]
    with pytest.raises(Conflict) as refused:
        series.ask(cast.actor("lin"), wish(), picks, cast.now, idempotency_key="s")
    assert [reason.code for reason in refused.value.reasons] == ["series.not_all", "billing.figures_differ"]
    assert not Reservation.objects.exists()


def test_the_same_key_asks_once_and_another_series_under_it_is_refused(cast, programmes, wish):
    picks = report(cast, wish()).picks()
    first, second = (series.ask(cast.actor("lin"), wish(), picks, cast.now, idempotency_key="k") for _ in range(2))
    assert (first.series_id, second.replayed) == (second.series_id, True)
    assert Reservation.objects.count() == 3
    with pytest.raises(Refusal) as refused:
        series.ask(cast.actor("lin"), wish(), picks[:2], cast.now, idempotency_key="k")
    assert refused.value.reasons[0].code == "idempotency.other_payload"


def test_picks_belong_to_the_series_and_there_is_one_at_least(cast, wish, slot):
    for picks, code in (([], "series.nothing_picked"), ([Pick(9, slot(9, 12))], "series.pick_unknown")):
        with pytest.raises(Refusal) as refused:
            series.ask(cast.actor("lin"), wish(), picks, cast.now, idempotency_key="s")
        assert refused.value.reasons[0].code == code
    with pytest.raises(Forbidden):
        series.report(cast.actor("he"), wish(), cast.now)


@pytest.mark.parametrize("approval", [True, False])
def test_where_subsidy_runs_short_the_figures_are_those_that_are_written(cast, programmes, wish, slot, approval):
    """Little is left of what the firm may have in a year: the series runs into that cap."""
    before = ask(cast, slot(9, 10, day=-1))
    transitions.approve(cast.actor("wang"), before.reservation_id, cast.now)
    left = Account.objects.get(key__startswith="firm_year:DEMO-QH-V")
    payee = Account.objects.get(key__startswith="awarded:DEMO-QH-V")
    ledger.hold({left.pk: left.left_fen - 3000_00}, payee, ledger.Source("test", 1, "used elsewhere"), cast.now)
    say(cast, approval_required=approval, horizon_days=200, max_minutes=720)
    asked = wish(WEDNESDAY.replace(hour=8), count=4, hours=12, frequency="daily")
    shown = report(cast, asked)
    made = series.ask(cast.actor("lin"), asked, shown.picks(), cast.now, idempotency_key="s")
    written = Quote.objects.filter(reservation_id__in=made.reservation_ids, accepted_at__isnull=False)
    written = {one.reservation_id: one for one in written.order_by("revision")}
    assert [(one.payable_now_fen, one.final_cost_fen) for _pk, one in sorted(written.items())] == [
        (one.figures.payable_now_fen, one.figures.final_cost_fen) for one in shown.rows
    ]
    assert len({one.figures.final_cost_fen for one in shown.rows}) == (1 if approval else 3)
    assert made.state == ("requested" if approval else "approved")
    total = shown.if_all_approved if approval else shown.together
    assert total.final_cost_fen > 4 * shown.rows[0].figures.final_cost_fen


def test_the_report_takes_as_many_queries_for_sixty_times_as_for_three(cast, programmes, wish):
    quota = {"subject": "organisation", "measure": "minutes", "period": "week", "most": 12 * 60, "peak_only": False}
    say(cast, horizon_days=500, quotas=[quota], licence_needed=True)

    def queries(**more) -> int:
        with CaptureQueriesContext(connection) as captured:
            report(cast, wish(**more))
        return len(captured)

    queries()
    assert queries(frequency="daily", count=60) == queries()


BUSY = st.lists(st.tuples(st.integers(0, 20), st.integers(8, 17), st.integers(1, 3)), max_size=5)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    busy=BUSY,
    quota=st.tuples(st.sampled_from(["person", "organisation"]), st.sampled_from(["minutes", "count"]),
                    st.sampled_from(["day", "week", "month", "ahead"]), st.integers(1, 8)),
    buffer=st.sampled_from([0, 60]),
    pending=st.sampled_from([(True, True), (True, False), (False, True)]),
    rule=st.tuples(st.sampled_from(["weekly", "daily"]), st.integers(1, 3), st.integers(2, 6), st.integers(1, 4), st.integers(8, 17)),
)  # fmt: skip
def test_the_report_says_what_requesting_one_by_one_does(cast, wish, slot, busy, quota, buffer, pending, rule):
    subject, measure, period, most = quota
    frequency, interval, count, hours, hour = rule
    with transaction.atomic():
        say(
            cast,
            quotas=[{"subject": subject, "measure": measure, "period": period, "most": most * (90 if measure == "minutes" else 1),
                     "peak_only": False}],
            approval_required=pending[0],
            buffer_after_minutes=buffer,
        )  # fmt: skip
        InstrumentPolicy.objects.filter(instrument=cast.xrd).update(pending_blocks=pending[1])
        for day, first, length in busy:
            _try(cast, slot(first, first + length, day=day), "he", cast.other_firm)
        asked = wish(WEDNESDAY.replace(hour=hour), hours, frequency=frequency, interval=interval, count=count)
        for row in report(cast, asked).rows:
            said = set(codes(row.row)) or ({"taken"} if row.row.verdict.taken else set())
            assert _try(cast, row.row.during, "lin", cast.firm) == said
        transaction.set_rollback(True)


def _try(cast, during, who, firm) -> set[str]:
    """Ask for it: the codes against it, none when it was had."""
    request = ReservationRequest(cast.xrd.pk, firm.pk, during, "self_operated")
    try:
        reservations.reserve(cast.actor(who), request, cast.now, idempotency_key=f"{who}{during}")
    except Refusal as refusal:
        return {"taken" if reason.code.startswith("booking.just_taken") else reason.code for reason in refusal.reasons}
    return set()


def test_a_series_keeps_its_time_as_single_bookings_do(cast, programmes, made):
    made()
    assert Occupancy.objects.filter(blocking=True, source="reservation").count() == 3
