"""An instrument breaks: the time is taken, and each booking keeps its place, gets other times, or is cancelled at no cost."""

from __future__ import annotations

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from psycopg.types.range import TimestamptzRange

from billing.settlement.reservation_figures import quoted_of
from booking.models import CreditEvent, Downtime, DowntimeEffect, Occupancy, Reservation, ReservationChange, UsageSession
from booking.queries import downtimes as downtime_queries
from booking.rules.changes import counting
from booking.rules.downtime import LONGEST, Became, Choice, DowntimeKind, begins_before, outage_reason
from booking.rules.leaving import Fault
from booking.rules.states import Action
from booking.services import changes, credit, downtime_rows, downtimes, holds, maintenance, refusing, transitions, waiting
from booking.services import context as booking_context
from booking.services.downtimes import Decision
from booking.services.waiting import Wish
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.time_range import TimeRange
from tests.booking.usage.conftest import wrong
from tests.mailbox import mails

KEEP, CANCEL = Decision(Choice.KEEP), Decision(Choice.CANCEL)
RULES = {"start_points": 100, "points": {"no_show": 30, "left_early": 3, "late_cancel": 10}, "thresholds": []}


def taken(cast, source="maintenance"):
    rows = Occupancy.objects.filter(calendar_id=cast.xrd.calendar_id, source=source).order_by("during")
    return [(one.during.lower, one.during.upper) for one in rows]


def test_a_breakdown_takes_what_is_free_and_leaves_bookings_their_places(cast, slot, booked, breaks):
    kept = booked(10, 12)
    row = breaks(slot(14, 15).ends_at)
    assert taken(cast) == [(cast.now, kept.starts_at), (kept.ends_at, slot(14, 15).ends_at)]
    assert cast.xrd.status == "under_repair" and row.status_before == "normal" and row.effects.count() == 0
    assert Reservation.objects.get(pk=kept.pk).state == "approved" and wrong() == {}


def test_bookings_that_were_not_shown_stop_it_and_nothing_is_done(cast, slot, booked, breaks):
    kept = booked(10, 12)
    with pytest.raises(Conflict, match=r"downtime\.others_hit") as refused:
        breaks(slot(14, 15).ends_at, seen=())
    assert refused.value.extra["reservations"] == [kept.pk]
    cast.xrd.refresh_from_db()
    assert not Downtime.objects.exists() and cast.xrd.status == "normal"


def test_cancelled_on_the_labs_side_it_costs_nothing_and_leaves_no_mark(cast, slot, booked, breaks):
    credit.set_rules(cast.actor("wang"), cast.lab.pk, RULES, cast.now)
    first = booked(10, 12)
    row = breaks(slot(14, 15).ends_at, {first.pk: CANCEL}, words="Es tut uns leid.", words_en="We are sorry.")
    first.refresh_from_db()
    assert first.state == "cancelled" and not CreditEvent.objects.exists() and wrong() == {}
    assert [one.became for one in row.effects.all()] == [Became.CANCELLED]
    assert taken(cast) == [(cast.now, slot(14, 15).ends_at)], "its time belongs to the outage at once"
    told = [one["text"] for one in mails() if one["to"] == ["lin@example.org"] and "was cancelled" in one["subject"]]
    assert "The instrument is broken" in told[0] and "We are sorry." in told[0]
    assert not [one for one in mails() if one["to"] == ["wang@example.org"] and "was cancelled" in one["subject"]]


def test_offered_times_lie_behind_the_outage_and_one_is_taken_with_one_press(cast, slot, booked, breaks):
    first, second = booked(9, 11), booked(11, 13, who="he")
    found = downtime_queries.preview(cast.actor("wang"), cast.xrd, slot(9, 15), cast.now)
    times = {hit.reservation.pk: hit.times for hit in found.hits}
    everything = [one for share in times.values() for one in share]
    assert all(len(share) == 3 for share in times.values()) and len(set(everything)) == 6
    assert not any(one.overlaps(other) for one in everything for other in everything if one != other)
    assert all(one.starts_at >= slot(14, 15).ends_at for one in everything)
    row = breaks(slot(14, 15).ends_at, {pk: Decision(Choice.OFFER, share) for pk, share in times.items()})
    assert {one.became for one in row.effects.all()} == {Became.OFFERED}
    assert Occupancy.objects.filter(source="change").count() == 6
    proposal = ReservationChange.objects.get(reservation=first)
    changes.accept(cast.actor("lin"), proposal.pk, cast.now)
    first.refresh_from_db()
    assert first.state == "approved" and first.during in times[first.pk] and wrong() == {}
    assert first.pk in quoted_of(cast.actor("lin"), [first.pk])
    assert downtimes.settle_due(cast.now) == 1
    assert second.starts_at in [end for _start, end in taken(cast)], "who has not answered keeps the old place too"


def test_who_waits_is_told_and_cancelled_at_no_cost_when_the_time_comes(cast, slot, booked, breaks):
    credit.set_rules(cast.actor("wang"), cast.lab.pk, RULES, cast.now)
    kept = booked(10, 12)
    breaks(slot(14, 15).ends_at, {kept.pk: KEEP})
    assert any("waits" in one["subject"] for one in mails() if one["to"] == ["lin@example.org"])
    due = kept.starts_at + timedelta(hours=1)
    assert transitions.mark_no_shows_due(due) == 0, "nobody missed a broken instrument"
    with pytest.raises(Refusal, match=r"downtime\.nobody_to_blame"):
        transitions.mark_no_show(cast.actor("wang"), kept.pk, due)
    assert downtimes.release_due(kept.starts_at - timedelta(minutes=1)) == 0
    assert downtimes.release_due(kept.starts_at) == 1 == downtimes.release_due(kept.starts_at) + 1
    kept.refresh_from_db()
    assert kept.state == "cancelled" and not CreditEvent.objects.exists() and wrong() == {}
    assert DowntimeEffect.objects.get().became == Became.CANCELLED


def test_without_a_breakdown_the_same_booking_is_missed(cast, slot, booked):
    credit.set_rules(cast.actor("wang"), cast.lab.pk, RULES, cast.now)
    kept = booked(10, 12)
    due = kept.starts_at + timedelta(hours=1)
    assert downtimes.release_due(due) == 0 and transitions.mark_no_shows_due(due) == 1 and CreditEvent.objects.exists()


def test_a_running_session_ends_by_the_fault_and_only_what_was_used_is_charged(cast, slot, booked, breaks):
    credit.set_rules(cast.actor("wang"), cast.lab.pk, RULES, cast.now)
    running = booked(10, 14)
    transitions.check_in(cast.actor("wang"), running.pk, running.starts_at)
    broke = running.starts_at + timedelta(hours=1)
    row = breaks(slot(18, 19).ends_at, now=broke)
    session = UsageSession.objects.get(reservation=running)
    assert (session.outcome, session.billable_minutes, session.actual_ends_at) == ("fault", 60, broke)
    assert [one.became for one in row.effects.all()] == [Became.ENDED] and not CreditEvent.objects.exists() and wrong() == {}
    assert Reservation.objects.get(pk=running.pk).state == "completed"


def test_it_works_again_earlier(cast, slot, booked, breaks, ask):
    kept = booked(16, 18)
    row = breaks(slot(18, 19).ends_at, {kept.pk: KEEP})
    repaired = slot(12, 13).starts_at
    downtimes.close(cast.actor("wang"), row.pk, repaired)
    cast.xrd.refresh_from_db()
    assert taken(cast) == [(cast.now, repaired)] and cast.xrd.status == "normal"
    assert any("works again" in one["subject"] for one in mails() if one["to"] == ["lin@example.org"])
    with pytest.raises(Refusal, match=r"downtime\.closed"):
        downtimes.close(cast.actor("wang"), row.pk, repaired)
    assert ask(13, 15) and wrong() == {}


def test_when_its_time_is_over_the_running_state_comes_back_by_itself(cast, slot, breaks):
    breaks(slot(14, 15).ends_at)
    assert downtimes.close_due(slot(14, 15).starts_at) == 0
    assert downtimes.close_due(slot(14, 15).ends_at) == 1 == downtimes.close_due(slot(14, 15).ends_at) + 1
    cast.xrd.refresh_from_db()
    assert cast.xrd.status == "normal"


def test_a_state_that_somebody_else_set_meanwhile_stays(cast, slot, breaks):
    row = breaks(slot(14, 15).ends_at)
    cast.xrd.status = "retired"
    cast.xrd.save()
    downtimes.close(cast.actor("wang"), row.pk, cast.now + timedelta(hours=1))
    cast.xrd.refresh_from_db()
    assert cast.xrd.status == "retired"


def test_one_can_book_behind_the_expected_end_and_not_before(cast, slot, breaks, ask):
    breaks(slot(12, 13).ends_at)
    with pytest.raises(Refusal, match=r"booking\.instrument_unavailable"):
        ask(10, 11)
    assert ask(14, 16)


def test_a_later_end_hits_more_bookings_and_an_earlier_one_gives_time_back(cast, slot, booked, breaks):
    late = booked(15, 17)
    row = breaks(slot(12, 13).ends_at)
    wang = cast.actor("wang")
    with pytest.raises(Conflict, match=r"downtime\.others_hit"):
        downtimes.prolong(wang, row.pk, slot(17, 18).ends_at, (), cast.now)
    downtimes.prolong(wang, row.pk, slot(17, 18).ends_at, {late.pk}, cast.now)
    assert taken(cast) == [(cast.now, late.starts_at), (late.ends_at, slot(17, 18).ends_at)], (
        "what is not decided keeps its place"
    )
    downtimes.decide_all(wang, row.pk, {late.pk: CANCEL}, cast.now)
    assert taken(cast) == [(cast.now, slot(17, 18).ends_at)] and DowntimeEffect.objects.get().became == Became.CANCELLED
    downtimes.prolong(wang, row.pk, slot(10, 11).ends_at, (), cast.now)
    assert taken(cast) == [(cast.now, slot(10, 11).ends_at)] and wrong() == {}


def test_what_is_longer_than_a_year_is_a_mistake_whoever_says_it(cast, breaks):
    wang, year = cast.actor("wang"), TimeRange(cast.now, cast.now + LONGEST)
    longer = TimeRange(cast.now, year.ends_at + timedelta(minutes=1))
    row = breaks(year.ends_at)
    for say in (
        lambda: breaks(longer.ends_at, kind=DowntimeKind.SERVICE),
        lambda: downtimes.prolong(wang, row.pk, longer.ends_at, (), cast.now),
        lambda: maintenance.block(wang, cast.xrd.pk, longer, "Pump", cast.now),
    ):
        with pytest.raises(Refusal, match=r"maintenance\.too_long"):
            say()


def test_what_cannot_be_done_is_reported_and_the_others_are_done(cast, slot, booked, breaks):
    first, second = booked(9, 11), booked(11, 13, who="he")
    bad = Decision(Choice.OFFER, (slot(10, 12),))
    row = breaks(slot(14, 15).ends_at, {first.pk: bad, second.pk: CANCEL})
    assert {one.reservation_id: one.became for one in row.effects.all()} == {first.pk: "failed", second.pk: "cancelled"}
    assert row.effects.get(reservation=first).reasons[0][0] == "downtime.offered_within"
    (again,) = downtimes.decide_all(cast.actor("wang"), row.pk, {first.pk: CANCEL}, cast.now)
    assert again.became == Became.CANCELLED and wrong() == {}


def test_the_same_press_twice_tells_and_does_everything_once(cast, slot, booked, breaks):
    kept = booked(10, 12)
    rows = [breaks(slot(14, 15).ends_at, {kept.pk: KEEP}, key="k") for _press in range(2)]
    assert rows[0].pk == rows[1].pk
    assert sum("waits" in one["subject"] for one in mails() if one["to"] == ["lin@example.org"]) == 1


def test_it_is_the_labs_alone_and_only_one_breakdown_is_open(cast, slot, breaks):
    row = breaks(slot(14, 15).ends_at)
    with pytest.raises(Refusal, match=r"downtime\.open_already"):
        breaks(slot(16, 17).ends_at)
    for who, error in (("lin", NotFound), ("he", NotFound)):
        with pytest.raises(error):
            downtimes.close(cast.actor(who), row.pk, cast.now)
    with pytest.raises(Forbidden):
        downtimes.declare(
            cast.actor("lin"), cast.xrd.pk, downtimes.Outage(DowntimeKind.BREAKDOWN, slot(9, 10)), cast.now, idempotency_key="x"
        )


def test_planned_work_leaves_the_running_state_and_a_session_that_runs(cast, slot, booked, breaks):
    running = booked(10, 14)
    transitions.check_in(cast.actor("wang"), running.pk, running.starts_at)
    row = breaks(slot(15, 16).ends_at, kind=DowntimeKind.CALIBRATION, starts_at=slot(13, 14).starts_at, now=running.starts_at)
    assert Reservation.objects.get(pk=running.pk).state == "in_use" and cast.xrd.status == "normal"
    assert taken(cast) == [(running.ends_at, slot(15, 16).ends_at)] and row.effects.count() == 0


def test_a_proposal_into_the_outage_ends_and_the_booking_stays(cast, slot, booked, breaks):
    kept = booked(16, 18)
    asked = changes.ChangeRequest(kept.pk, slot(9, 11))
    changes.change(cast.actor("lin"), asked, cast.now, idempotency_key="c")
    row = breaks(slot(12, 13).ends_at, {kept.pk: KEEP})
    assert row.effects.get().became == Became.KEPT
    assert ReservationChange.objects.get().state == "refused" and taken(cast) == [(cast.now, slot(12, 13).ends_at)]


def test_a_place_that_becomes_free_belongs_to_the_outage_at_the_next_look(cast, slot, booked, breaks):
    kept = booked(10, 12)
    breaks(slot(14, 15).ends_at)
    transitions.cancel(cast.actor("lin"), kept.pk, cast.now)
    assert downtimes.settle_due(cast.now) == 1 == downtimes.settle_due(cast.now) + 1
    assert taken(cast) == [(cast.now, slot(14, 15).ends_at)]


def test_the_preview_takes_as_many_queries_for_five_bookings_as_for_two(cast, slot, booked, django_assert_max_num_queries):
    for hour in range(9, 14):
        booked(hour, hour + 1)
    cast.xrd.class_code = ""  # equal instruments are a search each, bounded by their own number
    few, many = slot(9, 11), slot(9, 15)
    for during in (few, many):
        with django_assert_max_num_queries(7):
            found = downtime_queries.preview(cast.actor("wang"), cast.xrd, during, cast.now)
        assert found.more == 0
    assert len(found.hits) == 5


def test_the_guard_refuses_an_outage_over_a_booking_whoever_writes_it(cast, slot, booked):
    from django.db import IntegrityError, transaction

    kept = booked(10, 12)
    with pytest.raises(IntegrityError), transaction.atomic():
        Occupancy.objects.create(
            calendar_id=cast.xrd.calendar_id,
            during=TimestamptzRange(kept.starts_at, kept.ends_at),
            blocking=True,
            source="maintenance",
        )


# --- Another instrument with the same calendar ------------------------------------------------------------------------
def test_what_shares_the_calendar_and_works_keeps_its_bookings_and_its_sessions(cast, programmes, slot, booked, breaks, twin):
    other = twin()
    running, ahead = booked(9, 11, instrument=other), booked(13, 15, instrument=other)
    mine = booked(11, 13)
    transitions.check_in(cast.actor("wang"), running.pk, running.starts_at)
    now = running.starts_at + timedelta(hours=1)
    assert downtimes.hit(cast.xrd, slot(9, 20), now) == [mine.pk]
    row = breaks(slot(19, 20).ends_at, {mine.pk: KEEP, ahead.pk: CANCEL}, now=now, seen=(mine.pk,))
    assert [one.reservation_id for one in row.effects.all()] == [mine.pk]
    assert taken(cast) == [(slot(15, 16).starts_at, slot(19, 20).ends_at)], "what is free of the shared time is taken"
    downtimes.decide_all(cast.actor("wang"), row.pk, {ahead.pk: CANCEL}, now)
    assert downtimes.release_due(ahead.starts_at) == 1, "the booking of the broken one alone"
    states = [Reservation.objects.get(pk=one.pk).state for one in (running, ahead, mine)]
    assert states == ["in_use", "approved", "cancelled"]
    assert downtime_rows.could_be_used(ahead) and not downtime_rows.could_be_used(mine)
    assert downtime_rows.covers(mine, mine.starts_at) and not downtime_rows.covers(ahead, ahead.starts_at)
    downtimes.close(cast.actor("wang"), row.pk, ahead.starts_at + timedelta(minutes=10))
    assert Reservation.objects.get(pk=ahead.pk).state == "approved" and wrong() == {}


# --- Whose fault it is ------------------------------------------------------------------------------------------------
def marks():
    return list(CreditEvent.objects.values_list("kind", flat=True))


def test_who_gives_back_a_booking_that_planned_work_hits_is_not_to_blame(cast, slot, booked, breaks):
    credit.set_rules(cast.actor("wang"), cast.lab.pk, RULES, cast.now)
    hit, apart = booked(10, 12), booked(14, 16)
    breaks(slot(12, 13).ends_at, {hit.pk: KEEP}, kind=DowntimeKind.SERVICE, starts_at=slot(11, 12).starts_at)
    late = hit.starts_at - timedelta(minutes=30)
    assert cast.xrd.status == "normal"
    transitions.cancel(cast.actor("lin"), hit.pk, late)
    assert marks() == []
    transitions.cancel(cast.actor("lin"), apart.pk, apart.starts_at - timedelta(minutes=30))
    assert marks() == ["late_cancel"]


def test_a_booking_behind_the_repair_is_a_promise_although_it_is_broken_today(cast, slot, booked, breaks):
    credit.set_rules(cast.actor("wang"), cast.lab.pk, RULES, cast.now)
    hit, behind = booked(10, 12), booked(14, 16)
    breaks(slot(12, 13).ends_at, {hit.pk: KEEP})
    now = hit.starts_at - timedelta(minutes=30)
    for pk, fault in ((hit.pk, None), (behind.pk, Fault.LATE_CANCEL)):
        row = Reservation.objects.get(pk=pk)
        assert transitions.fault_in(row, Action.CANCEL, cast.actor("lin"), now) == fault


# --- Another end ------------------------------------------------------------------------------------------------------
def told(who, words):
    return sum(words in one["subject"] for one in mails() if one["to"] == [f"{who}@example.org"])


def test_an_earlier_end_tells_those_whose_time_it_frees(cast, slot, booked, breaks):
    early, late = booked(9, 11), booked(14, 16, who="he")
    row = breaks(slot(16, 17).ends_at, {early.pk: KEEP, late.pk: KEEP})
    downtimes.prolong(cast.actor("wang"), row.pk, slot(12, 13).starts_at, (), cast.now)
    assert (told("lin", "works again"), told("he", "works again")) == (0, 1)


def test_a_later_end_tells_those_who_wait_the_new_time(cast, slot, booked, breaks):
    first, second, gone = booked(9, 11), booked(11, 12, who="he"), booked(12, 13, who="he")
    row = breaks(slot(12, 13).ends_at, {first.pk: KEEP, second.pk: KEEP, gone.pk: CANCEL})
    downtimes.prolong(cast.actor("wang"), row.pk, slot(16, 17).ends_at, (), cast.now)
    assert (told("lin", "waits"), told("he", "waits")) == (2, 2), "and nobody hears of what was cancelled"
    downtimes.prolong(cast.actor("wang"), row.pk, slot(16, 17).ends_at, (), cast.now)
    assert told("lin", "waits") == 2, "the same end is no news"


def test_what_should_have_begun_while_it_was_down_is_no_no_show_after_its_end(cast, slot, booked, breaks):
    kept, later = booked(10, 12), booked(16, 18)
    row = breaks(slot(18, 19).ends_at, {kept.pk: KEEP, later.pk: KEEP})
    repaired = kept.starts_at + timedelta(hours=1)
    downtimes.close(cast.actor("wang"), row.pk, repaired)  # the job has not run in between
    states = [Reservation.objects.get(pk=one.pk).state for one in (kept, later)]
    assert states == ["cancelled", "approved"] and transitions.mark_no_shows_due(repaired) == 0 and wrong() == {}
    assert row.effects.get(reservation=kept).became == Became.CANCELLED


def test_every_open_downtime_is_filled_however_many_there_are(cast, slot, booked, breaks, monkeypatch):
    monkeypatch.setattr(downtimes, "BATCH", 1)
    kept = booked(14, 15)
    breaks(slot(10, 11).ends_at, kind=DowntimeKind.SERVICE, starts_at=slot(10, 11).starts_at)
    breaks(slot(14, 15).ends_at, {kept.pk: KEEP}, kind=DowntimeKind.SERVICE, starts_at=slot(14, 15).starts_at)
    transitions.cancel(cast.actor("lin"), kept.pk, cast.now)
    assert downtimes.settle_due(cast.now) == 1


# --- A running state that was set by hand -----------------------------------------------------------------------------
def test_a_state_that_was_set_by_hand_first_comes_back_too(cast, slot, breaks, ask):
    cast.xrd.status = "under_repair"
    cast.xrd.save()
    row = breaks(slot(12, 13).ends_at)
    assert row.status_before == "normal" and downtime_rows.works_again_at(cast.xrd, cast.now) == row.ends_at
    assert ask(14, 16)
    downtimes.close(cast.actor("wang"), row.pk, slot(10, 11).starts_at)
    cast.xrd.refresh_from_db()
    assert cast.xrd.status == "normal"


def test_what_is_retired_works_never_again_whatever_the_breakdown_says(cast, slot, breaks):
    cast.xrd.status = "retired"
    cast.xrd.save()
    breaks(slot(12, 13).ends_at)
    assert downtime_rows.works_again_at(cast.xrd, cast.now) is None


def test_when_it_works_again_is_read_once_however_many_times_are_looked_at(cast, slot, breaks, django_assert_num_queries):
    breaks(slot(12, 13).ends_at)
    wang = cast.actor("wang")
    contexts = [booking_context.load(wang, cast.xrd.pk, lock=False), booking_context.load_many(wang, [cast.xrd.pk])[cast.xrd.pk]]
    with django_assert_num_queries(0):
        for context in contexts:
            codes = [
                [one.code for one in refusing.time_reasons(context, slot(first, first + 1), "assisted", cast.now)]
                for first in (11, 12, 13, 14)
            ]
            assert codes == [["booking.instrument_unavailable"], ["booking.instrument_unavailable"], [], []]


# --- Sessions ---------------------------------------------------------------------------------------------------------
def test_a_session_that_began_after_it_broke_goes_on_whatever_is_decided(cast, slot, booked, breaks):
    running, other = booked(10, 14), booked(15, 16)
    row = breaks(slot(18, 19).ends_at)
    transitions.check_in(cast.actor("wang"), running.pk, running.starts_at)
    now = running.starts_at + timedelta(hours=1)
    downtimes.decide_all(cast.actor("wang"), row.pk, {other.pk: CANCEL}, now)
    downtimes.prolong(cast.actor("wang"), row.pk, slot(17, 18).ends_at, (), now)
    assert Reservation.objects.get(pk=running.pk).state == "in_use"


def test_a_session_in_overtime_is_hit_by_what_breaks_now(cast, slot, booked, breaks):
    running = booked(10, 12)
    transitions.check_in(cast.actor("wang"), running.pk, running.starts_at)
    now = running.ends_at + timedelta(minutes=20)
    found = downtime_queries.preview(cast.actor("wang"), cast.xrd, TimeRange(now, slot(14, 15).ends_at), now)
    assert [(one.reservation.pk, one.runs, one.only_proposed) for one in found.hits] == [(running.pk, True, False)]
    assert downtimes.hit(cast.xrd, slot(13, 15), now) == [], "what comes later does not touch it"
    breaks(slot(14, 15).ends_at, now=now)
    assert UsageSession.objects.get(reservation=running).outcome == "fault" and wrong() == {}


@pytest.mark.parametrize("more", [{"words_en": "Otherwise"}, {"starts_at": 9}])
def test_another_start_or_other_words_are_another_call(cast, slot, breaks, more):
    if "starts_at" in more:
        more = {"starts_at": slot(9, 10).starts_at}
    given = {"kind": DowntimeKind.SERVICE, "starts_at": slot(10, 11).starts_at, "key": "k"}
    breaks(slot(14, 15).ends_at, **given)
    with pytest.raises(Refusal, match="idempotency"):
        breaks(slot(14, 15).ends_at, **(given | more))


# --- Nobody can book in it --------------------------------------------------------------------------------------------
def test_what_a_booking_kept_of_planned_work_cannot_be_booked_once_it_is_free(cast, slot, booked, breaks, ask):
    """The work takes it at the next look, five minutes later at most: until then it is asked as a rule."""
    kept, other = booked(10, 12), booked(16, 18, who="he")
    breaks(slot(14, 15).ends_at, {kept.pk: KEEP}, kind=DowntimeKind.SERVICE, starts_at=slot(10, 11).starts_at)
    transitions.cancel(cast.actor("lin"), kept.pk, cast.now)
    with pytest.raises(Refusal, match=r"downtime\.in_the_way"):
        ask(10, 12)
    with pytest.raises(Refusal, match=r"downtime\.in_the_way"):
        changes.change_one(cast.actor("he"), changes.ChangeRequest(other.pk, slot(10, 12)), cast.now)
    with pytest.raises(Refusal, match=r"downtime\.in_the_way"):
        holds.hold(cast.actor("lin"), cast.xrd.pk, slot(10, 12), cast.now)
    assert ask(15, 16)


def test_nobody_on_the_waiting_list_is_offered_what_planned_work_waits_for(cast, slot, booked, breaks):
    kept = booked(10, 12)
    whole = Wish(cast.xrd.pk, cast.other_firm.pk, slot(10, 12), 120, "assisted")
    entry = waiting.join(cast.actor("he"), whole, cast.now)
    row = breaks(slot(12, 13).starts_at, {kept.pk: KEEP}, kind=DowntimeKind.SERVICE, starts_at=slot(10, 11).starts_at)
    transitions.cancel(cast.actor("lin"), kept.pk, cast.now)
    assert waiting.offer_free_time(cast.now) == 0 and entry
    downtimes.close(cast.actor("wang"), row.pk, cast.now)
    assert waiting.offer_free_time(cast.now) == 1, "without the work it is offered"


def test_who_keeps_a_place_in_planned_work_may_give_a_part_of_it_back(cast, slot, booked, breaks):
    kept = booked(10, 14)
    breaks(slot(14, 15).ends_at, {kept.pk: KEEP}, kind=DowntimeKind.SERVICE, starts_at=slot(12, 13).starts_at)
    reasons = [outage_reason(slot(12, 15), ZoneInfo("Asia/Shanghai"))]
    assert counting(reasons, kept.during, slot(10, 13)) == []
    assert counting(reasons, kept.during, slot(12, 16)) == reasons


@pytest.mark.parametrize(
    ("kind", "begins", "before"),
    [("service", 10, True), ("service", 11, False), ("service", 12, False), ("breakdown", 10, False)],
)
def test_only_before_planned_work_one_begins_as_booked(slot, kind, begins, before):
    assert begins_before(slot(begins, 13).starts_at, slot(11, 12).starts_at, DowntimeKind(kind)) is before


def test_who_begins_before_planned_work_hears_when_that_begins_and_of_no_cancellation(cast, slot, booked, breaks):
    first, second = booked(9, 12), booked(12, 14, who="he")
    breaks(slot(15, 16).ends_at, {first.pk: KEEP, second.pk: KEEP}, kind=DowntimeKind.SERVICE, starts_at=slot(11, 12).starts_at)
    (mail,) = [one for one in mails() if one["to"] == ["lin@example.org"] and "work on it begins" in one["subject"]]
    assert re.search(r"The work begins at .*11:00", mail["text"]) and "is cancelled" not in mail["text"]
    assert (told("lin", "waits"), told("he", "waits")) == (0, 1)


@pytest.mark.parametrize("column", ["requested_by", "booked_by"])
def test_a_manager_is_not_offered_other_times_for_what_they_asked_for_or_booked_for_a_colleague(cast, slot, booked, column):
    row = booked(10, 12)
    Reservation.objects.filter(pk=row.pk).update(**{column: cast.users["wang"]})
    during = TimeRange(cast.now, slot(14, 15).ends_at)
    (hit,) = downtime_queries.preview(cast.actor("wang"), cast.xrd, during, cast.now).hits
    assert hit.choices == (Choice.KEEP, Choice.CANCEL)


def test_nobody_offers_other_times_for_what_they_booked_for_a_colleague(cast, slot, booked, breaks):
    row = booked(10, 12)
    Reservation.objects.filter(pk=row.pk).update(booked_by=cast.users["wang"])
    outage = breaks(slot(14, 15).ends_at, {row.pk: Decision(Choice.OFFER, (slot(15, 17),))})
    effect = outage.effects.get()
    assert (effect.became, [code for code, _params in effect.reasons]) == (Became.FAILED, ["downtime.choice"])
