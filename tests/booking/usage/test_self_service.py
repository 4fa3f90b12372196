"""At the instrument with a phone: the code, starting early, in time and late, going on for longer, the end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from billing.settlement.models import Charge, Quote
from billing.settlement.services.extension_quotes import extension_figures
from booking.models import CreditEvent, InstrumentPolicy, Occupancy, Reservation, UsageSession
from booking.ports import NOTHING_EXPECTED, ExpectedFigures
from booking.queries.credit import open_appeals
from booking.queries.usage import here
from booking.services import check_in_points, credit, extending, holds, self_service, transitions, usage_review
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.messages import reason_sentence
from config.kernel.models import AuditEntry
from config.kernel.time_range import TimeRange
from instruments.models import Notice, Site
from tests.booking.usage.conftest import codes, state, wrong

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def ticks(cast):
    return check_in_points.set_ticks(cast.actor("wang"), cast.xrd.pk, ["Gloves on", " ", "Shutter closed"], cast.now).ticks


# --- The code -------------------------------------------------------------------------------------------------------------
def test_a_code_leads_to_a_proof_that_lasts_fifteen_minutes_for_one_person(cast):
    point = check_in_points.ensure(cast.actor("wang"), cast.xrd.pk, cast.now)
    proof = check_in_points.read_code(cast.actor("lin"), point.code, cast.now)
    assert check_in_points.instrument_of(cast.actor("lin"), proof, cast.now + 14 * MINUTE) == cast.xrd
    for name, moment, given in (("lin", 15, proof), ("zhao", 0, proof), ("lin", 0, proof + "x"), ("lin", 0, "")):
        with pytest.raises(Refusal) as refused:
            check_in_points.instrument_of(cast.actor(name), given, cast.now + moment * MINUTE)
        assert codes(refused) == {"check_in.scan_again"}


def test_a_renewed_code_makes_the_old_label_useless(cast):
    old = check_in_points.ensure(cast.actor("wang"), cast.xrd.pk, cast.now).code
    new = check_in_points.renew(cast.actor("wang"), cast.xrd.pk, cast.now).code
    assert old != new
    with pytest.raises(NotFound):
        check_in_points.read_code(cast.actor("lin"), old, cast.now)
    assert check_in_points.read_code(cast.actor("lin"), new, cast.now)


def test_only_the_lab_sets_codes_and_points(cast):
    for name in ("lin", "li", "zhou"):
        with pytest.raises((Forbidden, NotFound)):
            check_in_points.renew(cast.actor(name), cast.xrd.pk, cast.now)
    with pytest.raises(Refusal) as refused:
        check_in_points.set_ticks(cast.actor("wang"), cast.xrd.pk, [f"Point {place}" for place in range(13)], cast.now)
    assert codes(refused) == {"check_in.too_many_ticks"}


# --- Starting -------------------------------------------------------------------------------------------------------------
def test_every_point_has_to_be_confirmed_and_is_kept_with_the_session(cast, book, ticks):
    reservation = book(9, 12)
    with pytest.raises(Refusal) as refused:
        self_service.start(cast.actor("lin"), reservation.pk, ["Gloves on"], reservation.starts_at)
    assert codes(refused) == {"check_in.ticks_missing"}
    self_service.start(cast.actor("lin"), reservation.pk, ticks, reservation.starts_at)
    session = UsageSession.objects.get()
    assert (session.confirmed_ticks, session.started_by_means) == (["Gloves on", "Shutter closed"], "phone")


@pytest.mark.parametrize(("name", "refusal"), [("wang", Forbidden), ("li", Forbidden), ("he", NotFound)])
def test_only_the_customers_people_start_on_the_phone(cast, book, name, refusal):
    reservation = book(9, 12)
    with pytest.raises(refusal):
        self_service.start(cast.actor(name), reservation.pk, [], reservation.starts_at)
    self_service.start(cast.actor("zhao"), reservation.pk, [], reservation.starts_at)


def test_who_comes_at_the_wrong_time_is_told_when_it_is_and_whether_the_instrument_is_free(cast, book):
    reservation = book(14, 16)
    book(9, 11, who="he")
    early = reservation.starts_at - 4 * HOUR
    with pytest.raises(Refusal) as refused:
        self_service.start(cast.actor("lin"), reservation.pk, [], early)
    assert codes(refused) == {"booking.too_early_to_check_in"}
    found = here(cast.actor("lin"), cast.xrd, early)
    assert (found.due, found.later, found.taken_until) == (None, reservation, early + HOUR)
    assert here(cast.actor("lin"), cast.xrd, early + 2 * HOUR).taken_until is None
    with pytest.raises(Refusal) as refused:
        self_service.start(cast.actor("lin"), reservation.pk, [], reservation.ends_at)
    assert codes(refused) == {"booking.too_late_to_check_in"}


def test_an_early_start_takes_the_free_time_before_and_costs_nothing_more(cast, programmes, book):
    reservation = book(14, 16)
    begun = reservation.starts_at - 40 * MINUTE
    self_service.start(cast.actor("lin"), reservation.pk, [], begun)
    assert Occupancy.objects.get().during.lower == begun
    self_service.end(cast.actor("lin"), reservation.pk, agrees=True, now=reservation.ends_at)
    session = UsageSession.objects.get()
    assert (session.actual_starts_at, session.billable_starts_at) == (begun, reservation.starts_at)
    assert (session.overrun_minutes, session.outcome) == (40, "normal")
    assert usage_review.agree(cast.actor("wang"), reservation.pk, reservation.ends_at)
    assert Charge.objects.get().gross_fen == 800_00
    assert wrong() == {}


def test_an_early_start_into_somebody_elses_time_is_refused_with_its_end(cast, book):
    reservation = book(14, 16)
    book(12, 14, who="he")
    with pytest.raises(Conflict) as refused:
        self_service.start(cast.actor("lin"), reservation.pk, [], reservation.starts_at - 20 * MINUTE)
    (reason,) = refused.value.reasons
    assert reason.code == "booking.early_not_free"
    assert reason.params["taken_until_at"] == "2026-11-25T14:00:00+08:00"
    assert state(reservation) == "approved"


def test_an_early_start_before_the_opening_is_refused(cast, book):
    reservation = book(8, 10)
    with pytest.raises(Refusal) as refused:
        self_service.start(cast.actor("lin"), reservation.pk, [], reservation.starts_at - 20 * MINUTE)
    assert codes(refused) & {"booking.outside_opening_hours", "booking.closed_because", "booking.closed_exceptionally"}


@pytest.mark.parametrize("who", ["customer", "lab"])
def test_whoever_comes_at_the_wrong_time_reads_the_clock_of_the_site(cast, book, who):
    Site.objects.filter(pk=cast.xrd.site_id).update(time_zone="Asia/Urumqi")
    reservation = book(14, 16)

    def begin(at):
        if who == "lab":
            return transitions.check_in(cast.actor("wang"), reservation.pk, at)
        return self_service.start(cast.actor("lin"), reservation.pk, [], at)

    for at, words in (
        (reservation.starts_at - 2 * HOUR, "Too early: one may start 60 minutes before Wed 25 Nov 2026, 12:00."),
        (reservation.ends_at, "The booked time ended at Wed 25 Nov 2026, 14:00."),
    ):
        with pytest.raises(Refusal) as refused, override("en"):
            begin(at)
        with override("en"):
            assert [reason_sentence(one) for one in refused.value.reasons] == [words]


# --- Late -----------------------------------------------------------------------------------------------------------------
def test_after_the_grace_the_time_is_free_for_others_and_who_comes_late_may_use_it_while_it_is(cast, programmes, book):
    reservation = book(9, 12)
    assert transitions.mark_no_shows_due(reservation.starts_at + 29 * MINUTE) == 0
    assert transitions.mark_no_shows_due(reservation.starts_at + 30 * MINUTE) == 1
    assert (state(reservation), Occupancy.objects.get().blocking) == ("no_show", False)
    self_service.start(cast.actor("lin"), reservation.pk, [], reservation.starts_at + 50 * MINUTE)
    assert (state(reservation), Occupancy.objects.get().blocking) == ("in_use", True)
    assert wrong() == {}
    self_service.end(cast.actor("lin"), reservation.pk, agrees=False, now=reservation.ends_at)
    assert UsageSession.objects.get().outcome == "late"
    usage_review.agree(cast.actor("lin"), reservation.pk, reservation.ends_at)
    assert usage_review.agree(cast.actor("wang"), reservation.pk, reservation.ends_at)
    assert wrong() == {}


def test_who_comes_late_finds_somebody_else_who_took_the_time(cast, book):
    reservation = book(9, 12)
    transitions.mark_no_shows_due(reservation.starts_at + 30 * MINUTE)
    book(10, 11, who="he")
    with pytest.raises(Conflict) as refused:
        self_service.start(cast.actor("lin"), reservation.pk, [], reservation.starts_at + 40 * MINUTE)
    assert codes(refused) == {"booking.just_taken"}
    assert state(reservation) == "no_show"
    assert wrong() == {}


def test_the_page_at_the_instrument_offers_a_missed_booking_only_while_it_can_be_started(cast, book):
    missed, next_one = book(9, 12), book(13, 14)
    late = missed.starts_at + 40 * MINUTE
    transitions.mark_no_shows_due(late)
    lin = cast.actor("lin")
    assert (here(lin, cast.xrd, late).due, here(lin, cast.xrd, late).lost) == (missed, None)
    assert here(lin, cast.xrd, next_one.starts_at - 65 * MINUTE).due == missed
    found = here(lin, cast.xrd, next_one.starts_at - 60 * MINUTE)
    assert (found.due, found.lost) == (next_one, None), "an approved one goes before a missed one"
    policy = InstrumentPolicy.objects.create(instrument=cast.xrd, rules={"late_may_use": False})
    found = here(lin, cast.xrd, late)
    assert (found.due, found.lost, found.later) == (None, missed, next_one)
    policy.delete()
    book(11, 12, who="he")
    found = here(lin, cast.xrd, late)
    assert (found.due, found.lost, found.taken_until) == (None, missed, None), "free now, but not for all of the missed time"


@pytest.mark.parametrize("means", ["phone", "lab"])
def test_who_comes_late_gets_the_points_for_not_coming_back_and_loses_those_for_being_late(cast, book, means):
    credit.set_rules(cast.actor("wang"), cast.lab.pk, {"start_points": 100, "points": {"no_show": 30, "late": 5}}, cast.now)
    reservation = book(9, 12)
    at = reservation.starts_at + 40 * MINUTE
    transitions.mark_no_shows_due(at)
    (missed,) = CreditEvent.objects.all()
    if means == "phone":
        self_service.start(cast.actor("lin"), reservation.pk, [], at)
    else:
        transitions.check_in(cast.actor("wang"), reservation.pk, at)
    back = CreditEvent.objects.get(reverses=missed)
    with pytest.raises(Refusal) as refused:
        credit.appeal(cast.actor("lin"), missed.pk, "I came.", at)
    assert codes(refused) == {"credit.nothing_to_appeal"}
    assert (back.kind, back.lab_points, back.at) == ("no_show", 30, at)
    self_service.end(cast.actor("lin"), reservation.pk, agrees=False, now=reservation.ends_at)
    standing = CreditEvent.objects.filter(reverses=None, reversal=None)
    assert [(one.kind, one.lab_points) for one in standing] == [("late", -5)]
    assert wrong() == {}


def test_an_appeal_that_is_granted_after_one_came_late_gives_the_points_back_once(cast, book):
    credit.set_rules(cast.actor("wang"), cast.lab.pk, {"start_points": 100, "points": {"no_show": 30}}, cast.now)
    reservation = book(9, 12)
    at = reservation.starts_at + 40 * MINUTE
    transitions.mark_no_shows_due(at)
    appealed = credit.appeal(cast.actor("lin"), CreditEvent.objects.get().pk, "I stood at the door.", at)
    self_service.start(cast.actor("lin"), reservation.pk, [], at)
    waits = Notice.objects.filter(event="credit.appealed", needs_action=True)
    assert not waits.exists() and not open_appeals(cast.actor("wang")), "it has decided itself"
    assert Notice.objects.filter(event="credit.taken_back", user=cast.users["lin"]).count() == 1
    credit.decide_appeal(cast.actor("wang"), appealed.pk, True, "You did.", at)
    assert sorted(CreditEvent.objects.values_list("lab_points", flat=True)) == [-30, 30]
    assert wrong() == {}


# --- Longer ---------------------------------------------------------------------------------------------------------------
def test_a_session_goes_on_for_longer_with_the_figures_that_were_shown(cast, programmes, running):
    reservation = running(9, 11)
    now = reservation.ends_at - 20 * MINUTE
    found = Reservation.objects.select_related("instrument__site", "instrument__organisation", "organisation").get()
    offered = extending.extensible(found, now)
    until = offered.ends[1]
    assert until == reservation.ends_at + HOUR
    figures = extension_figures(found, until, now)
    seen = ExpectedFigures(figures.payable_now_fen, figures.final_cost_fen)
    extending.extend(cast.actor("lin"), reservation.pk, until, seen, now)
    reservation.refresh_from_db()
    session = UsageSession.objects.get()
    assert reservation.ends_at == session.booked_ends_at == Occupancy.objects.get().during.upper == until
    held = Quote.objects.filter(held_at__isnull=False).latest("revision")
    assert (held.gross_fen, held.payable_now_fen) == (1200_00, figures.payable_now_fen)
    assert wrong() == {}
    transitions.check_out(cast.actor("wang"), reservation.pk, until)
    usage_review.agree(cast.actor("lin"), reservation.pk, until)
    charge = Charge.objects.get()
    assert (charge.gross_fen, charge.payable_now_fen) == (held.gross_fen, held.payable_now_fen)
    assert wrong() == {}


def test_other_figures_than_those_shown_extend_nothing(cast, programmes, running):
    reservation = running(9, 11)
    with pytest.raises(Conflict) as refused:
        extending.extend(
            cast.actor("lin"), reservation.pk, reservation.ends_at + HOUR, ExpectedFigures(1, 1), reservation.starts_at
        )
    assert codes(refused) == {"billing.figures_differ"}
    reservation.refresh_from_db()
    assert reservation.ends_at == Occupancy.objects.get().during.upper
    assert wrong() == {}


def test_what_is_taken_or_closed_behind_it_is_refused_with_what_is_free(cast, running, book):
    reservation = running(9, 11)
    book(12, 14, who="he")
    lin, now = cast.actor("lin"), reservation.starts_at
    for until, code in (
        (reservation.ends_at + 2 * HOUR, "booking.extension_not_free"),
        (reservation.ends_at + 10 * MINUTE, "booking.extension_off_grid"),
        (reservation.ends_at, "booking.extension_not_later"),
    ):
        with pytest.raises(Refusal) as refused:
            extending.extend(lin, reservation.pk, until, NOTHING_EXPECTED, now)
        assert codes(refused) == {code}
    extending.extend(lin, reservation.pk, reservation.ends_at + HOUR, NOTHING_EXPECTED, now)
    with pytest.raises(Refusal) as refused:
        extending.extend(lin, reservation.pk, reservation.ends_at + 2 * HOUR, NOTHING_EXPECTED, now)
    assert codes(refused) == {"booking.extension_nothing_free"}


def test_a_buffer_stays_free_behind_an_extension(cast, running, book):
    InstrumentPolicy.objects.create(instrument=cast.xrd, buffer_after_minutes=30)
    reservation = running(9, 11)
    book(13, 14, who="he")
    found = Reservation.objects.select_related("instrument__site", "instrument__policy", "organisation").get(pk=reservation.pk)
    ends = extending.extensible(found, reservation.starts_at).ends
    assert ends[-1] == reservation.ends_at + 90 * MINUTE


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"rules": {"licensed_times": [{"weekdays": [1, 2, 3, 4, 5, 6, 7], "from_minute": 660, "until_minute": 1440}]}},
         "booking.off_hours_licence"),
        ({"rules": {"licence_needed": True}}, "booking.licence_needed"),
        ({"rules": {"cool_off_minutes": 60}}, "booking.cool_off"),
    ],
)  # fmt: skip
def test_going_on_asks_the_labs_rules_as_a_new_booking_does(cast, running, book, changes, code):
    reservation = running(9, 11)
    book(12, 13)
    Reservation.objects.filter(pk=reservation.pk).update(service_mode="self_operated")
    InstrumentPolicy.objects.create(instrument=cast.xrd, notice_minutes=60, **changes)
    with pytest.raises(Refusal) as refused:
        until = reservation.ends_at + HOUR
        extending.extend(cast.actor("lin"), reservation.pk, until, NOTHING_EXPECTED, reservation.starts_at + HOUR)
    assert codes(refused) == {code}
    found = Reservation.objects.select_related("instrument__site", "instrument__policy", "organisation").get(pk=reservation.pk)
    offered = extending.extensible(found, reservation.starts_at + HOUR)
    assert offered.ends == [], "what would be refused is not offered"
    assert [reason.code for reason in offered.reasons] == [code], "and it is said why"


def test_a_session_of_the_longest_length_does_not_go_on_and_nobody_is_told_that_the_time_is_taken(cast, running, book):
    InstrumentPolicy.objects.create(instrument=cast.xrd, max_minutes=120)
    reservation = running(9, 11)
    with pytest.raises(Refusal) as refused:
        until = reservation.ends_at + HOUR
        extending.extend(cast.actor("lin"), reservation.pk, until, NOTHING_EXPECTED, reservation.starts_at + HOUR)
    assert codes(refused) == {"booking.extension_longest"}
    found = Reservation.objects.select_related("instrument__site", "instrument__policy", "organisation").get(pk=reservation.pk)
    assert [one.code for one in extending.extensible(found, reservation.starts_at).reasons] == ["booking.extension_longest"]
    book(11, 12, who="he")
    assert [one.code for one in extending.extensible(found, reservation.starts_at).reasons] == ["booking.extension_nothing_free"]


def test_an_instrument_that_broke_down_is_not_used_for_longer(cast, running):
    reservation = running(9, 11)
    cast.xrd.status = "under_repair"
    cast.xrd.save()
    with pytest.raises(Refusal) as refused:
        extending.extend(cast.actor("lin"), reservation.pk, reservation.ends_at + HOUR, NOTHING_EXPECTED, reservation.starts_at)
    assert codes(refused) == {"booking.instrument_unavailable"}


@pytest.mark.parametrize(("name", "refusal"), [("wang", Forbidden), ("li", Forbidden), ("he", NotFound)])
def test_only_the_customers_people_extend_because_it_becomes_dearer(cast, running, name, refusal):
    reservation = running(9, 11)
    with pytest.raises(refusal):
        extending.extend(cast.actor(name), reservation.pk, reservation.ends_at + HOUR, NOTHING_EXPECTED, reservation.starts_at)


# --- The end --------------------------------------------------------------------------------------------------------------
def test_the_lab_agrees_at_once_to_what_the_customer_confirmed_on_the_phone(cast, running):
    reservation = running(9, 11)
    self_service.end(cast.actor("lin"), reservation.pk, agrees=True, now=reservation.ends_at - 10 * MINUTE)
    session = UsageSession.objects.get()
    assert (state(reservation), session.ended_by_means, session.outcome) == ("completed", "phone", "left_early")
    assert (session.customer_agreed_at is not None, session.lab_agreed_at) == (True, None)
    assert usage_review.agree(cast.actor("wang"), reservation.pk, reservation.ends_at)
    assert state(reservation) == "agreed"


def test_a_yes_on_the_phone_is_audited_and_asks_the_customer_nothing_more(cast, running):
    reservation = running(9, 11)
    self_service.end(cast.actor("lin"), reservation.pk, agrees=True, now=reservation.ends_at)
    said = AuditEntry.objects.get(action="usage.say_yes")
    assert (said.actor, said.after) == (cast.users["lin"], {"customer": True, "lab": False})
    needing = Notice.objects.filter(needs_action=True, object_id=str(reservation.pk))
    assert not needing.filter(user=cast.users["lin"]).exists()
    until = UsageSession.objects.get().review_until
    usage_review.remind_due(until)
    assert [one.event for one in needing.all()] == ["lab.agree_soon"]
    usage_review.agree(cast.actor("wang"), reservation.pk, until)
    assert not needing.all().exists()


# --- Holds ----------------------------------------------------------------------------------------------------------------
def test_holds_that_have_expired_and_the_own_keep_nobody_from_going_on(cast, running):
    reservation = running(9, 11)
    holds.hold(cast.actor("he"), cast.xrd.pk, _at(reservation, 0, 1), cast.now)
    found = Reservation.objects.select_related("instrument__site", "organisation").get()
    until, now = reservation.ends_at + HOUR, reservation.ends_at - 20 * MINUTE
    assert until in extending.extensible(found, now).ends
    extending.extend(cast.actor("lin"), reservation.pk, until, NOTHING_EXPECTED, now)
    InstrumentPolicy.objects.create(instrument=cast.xrd, notice_minutes=0)
    holds.hold(cast.actor("lin"), cast.xrd.pk, _at(reservation, 1, 2), now)
    extending.extend(cast.actor("lin"), reservation.pk, until + HOUR, NOTHING_EXPECTED, now)
    assert [one.source for one in Occupancy.objects.all()] == ["reservation"]


def test_an_expired_hold_keeps_nobody_from_starting_early_or_late(cast, book):
    InstrumentPolicy.objects.create(instrument=cast.xrd, notice_minutes=0)
    missed, early = book(9, 11), book(14, 16)
    late = missed.starts_at + 31 * MINUTE
    transitions.mark_no_shows_due(late)
    holds.hold(cast.actor("he"), cast.xrd.pk, _at(missed, -1, 0), late - MINUTE)
    with pytest.raises(Conflict):
        self_service.start(cast.actor("lin"), missed.pk, [], late)
    self_service.start(cast.actor("lin"), missed.pk, [], late + 9 * MINUTE)
    self_service.end(cast.actor("lin"), missed.pk, agrees=False, now=missed.ends_at)
    holds.hold(cast.actor("he"), cast.xrd.pk, _at(early, -3, -2), missed.ends_at)
    self_service.start(cast.actor("lin"), early.pk, [], early.starts_at - 30 * MINUTE)
    assert (state(missed), state(early)) == ("completed", "in_use")


def _at(reservation, first, last) -> TimeRange:
    """So many hours after its end."""
    return TimeRange(reservation.ends_at + first * HOUR, reservation.ends_at + last * HOUR)


def test_what_is_offered_is_looked_at_as_far_as_it_is_shown(cast, running):
    credit_rules = {"start_points": 100, "points": {"no_show": 30}}
    running(9, 11)
    found = Reservation.objects.select_related("instrument__site", "instrument__policy", "organisation").get()

    def asked(most) -> int:
        with CaptureQueriesContext(connection) as told:
            assert len(extending.extensible(found, found.starts_at, most).ends) == most
        return len(told)

    assert asked(1) == asked(4), "where nothing is kept, nothing is asked for each end"
    credit.set_rules(cast.actor("wang"), cast.lab.pk, credit_rules, cast.now)
    assert asked(4) == asked(1) + 3
