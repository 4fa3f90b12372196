"""Two sessions on one instrument: nobody uses it beside somebody else, who was kept out is not to blame, and the lab looks at what does not
add up before time agrees it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from billing.pricing.models import PriceVersion
from billing.settlement.fee_models import BookingFee
from billing.settlement.models import Charge
from booking.models import AgreedHow, CreditEvent, Reservation, UsageSession
from booking.queries import usage as usage_queries
from booking.services import policies, running, self_service, sessions, transitions, usage_review
from booking.services.policies import Scope
from config.kernel.errors import Conflict, Forbidden, Refusal
from config.kernel.models import AuditEntry
from config.kernel.time_range import TimeRange
from instruments.models import Notice
from tests.booking.usage.conftest import codes, state, wrong
from tests.conftest import PRICE

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def start(cast, reservation, at, who="lin"):
    self_service.start(cast.actor(who), reservation.pk, [], at)


def session_of(reservation) -> UsageSession:
    return UsageSession.objects.get(reservation=reservation)


@pytest.fixture
def forgotten(cast, book):
    """Lin's session from nine, booked until eleven, that nobody ends; and He's booking from eleven on."""
    first, second = book(9, 11), book(11, 13, who="he")
    start(cast, first, first.starts_at)
    return first, second


# --- Beginning while another runs -----------------------------------------------------------------------------------------
def test_what_nobody_ended_ends_when_the_next_begins_at_its_time(cast, forgotten):
    first, second = forgotten
    start(cast, second, second.starts_at + 5 * MINUTE, "he")
    ended = session_of(first)
    assert (state(first), state(second)) == ("completed", "in_use")
    assert (ended.actual_ends_at, ended.ended_by_means, ended.checked_out_by_id) == (second.starts_at + 5 * MINUTE, "next", None)
    assert ended.doubt == "ended_by_next" and wrong() == {}


def test_nobody_starts_early_while_somebody_runs_over(cast, book):
    first, later = book(9, 10), book(12, 13, who="he")
    start(cast, first, first.starts_at)
    shown = usage_queries.here(cast.actor("he"), cast.xrd, later.starts_at - 20 * MINUTE)
    assert shown.still_used and shown.taken_until is None
    with pytest.raises(Conflict) as refused:
        start(cast, later, later.starts_at - 20 * MINUTE, "he")
    assert codes(refused) == {"booking.still_in_use"} and state(first) == "in_use"


def test_the_lab_starts_nobody_beside_a_session_either(cast, forgotten):
    first, second = forgotten
    transitions.check_in(cast.actor("wang"), second.pk, second.starts_at)
    assert (state(first), state(second)) == ("completed", "in_use")


def test_without_the_look_two_would_run(cast, forgotten, monkeypatch):
    monkeypatch.setattr(sessions, "_end_what_runs_still", lambda *_given: None)
    first, second = forgotten
    start(cast, second, second.starts_at, "he")
    assert (state(first), state(second)) == ("in_use", "in_use")


# --- Who is kept out ------------------------------------------------------------------------------------------------------
@pytest.fixture
def fees(cast):
    document = PRICE | {"fees": {"late_cancel": {"share": "0.5"}, "no_show": {"share": "1"}}}
    PriceVersion.objects.create(instrument=cast.xrd, effective_from=date(2026, 11, 1), document=document, published_at=cast.now)


def test_who_is_kept_out_is_not_missed_while_the_other_goes_on(cast, fees, forgotten):
    first, second = forgotten
    assert transitions.mark_no_shows_due(second.starts_at + 31 * MINUTE) == 0
    with pytest.raises(Refusal) as refused:
        transitions.mark_no_show(cast.actor("wang"), second.pk, second.starts_at + 31 * MINUTE)
    assert codes(refused) == {"booking.kept_out"}
    transitions.check_out(cast.actor("wang"), first.pk, second.starts_at + 40 * MINUTE)
    assert transitions.mark_no_shows_due(second.starts_at + 69 * MINUTE) == 0, "the grace begins when the other has gone"
    assert transitions.mark_no_shows_due(second.starts_at + 70 * MINUTE) == 1
    assert BookingFee.objects.get().reservation_id == second.pk


def test_whose_whole_time_somebody_else_used_pays_nothing_and_loses_no_points(cast, fees, forgotten):
    _first, second = forgotten
    assert transitions.mark_no_shows_due(second.ends_at + MINUTE) == 1
    assert state(second) == "no_show" and not BookingFee.objects.exists() and not CreditEvent.objects.exists()


def test_without_the_look_he_would_pay(cast, fees, forgotten, monkeypatch):
    monkeypatch.setattr(running, "kept_out_until", lambda *_given: None)
    _first, second = forgotten
    assert transitions.mark_no_shows_due(second.starts_at + 31 * MINUTE) == 1
    assert BookingFee.objects.get().gross_fen == 800_00


def test_where_late_comers_are_not_let_in_a_phone_starts_nothing_after_the_grace(cast, book):
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"late_may_use": False}, cast.now)
    reservation = book(9, 11)
    with pytest.raises(Refusal) as refused:
        start(cast, reservation, reservation.starts_at + 30 * MINUTE)
    assert codes(refused) == {"check_in.too_late"}
    start(cast, reservation, reservation.starts_at + 29 * MINUTE)


def test_the_grace_of_who_was_kept_out_begins_later_on_the_phone_too(cast, forgotten):
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"late_may_use": False}, cast.now)
    first, second = forgotten
    transitions.check_out(cast.actor("wang"), first.pk, second.starts_at + 20 * MINUTE)
    start(cast, second, second.starts_at + 45 * MINUTE, "he")
    assert state(second) == "in_use"


# --- What does not add up -------------------------------------------------------------------------------------------------
def by_time(reservation):
    """All that time does about a session that ended."""
    until = session_of(reservation).review_until
    usage_review.remind_due(until - HOUR)
    return usage_review.agree_due(until + 2 * DAY)


def test_time_agrees_no_session_that_was_forgotten_until_the_lab_says_yes(cast, book):
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"billable_basis": "overage"}, cast.now)
    reservation = book(9, 11)
    start(cast, reservation, reservation.starts_at)
    self_service.end(cast.actor("lin"), reservation.pk, agrees=True, now=reservation.ends_at + 3 * DAY)
    assert session_of(reservation).doubt == "long_over"
    assert [one.pk for one in usage_queries.doubtful(cast.actor("wang"))] == [reservation.pk]
    assert usage_queries.problem_count(cast.actor("wang")) == 1
    assert by_time(reservation) == 0 and state(reservation) == "completed"
    part = TimeRange(reservation.starts_at, reservation.ends_at)
    assert usage_review.charge_less(cast.actor("wang"), reservation.pk, part, "Forgotten; the door says 11:00", cast.now)
    assert state(reservation) == "agreed" and Charge.objects.get().gross_fen == 800_00
    assert not usage_queries.doubtful(cast.actor("wang")) and wrong() == {}
    said = AuditEntry.objects.get(action="usage.charge_less")
    assert said.reason == "Forgotten; the door says 11:00" and said.after["ends_at"] == reservation.ends_at.isoformat()
    assert Notice.objects.filter(event="reservation.charged_less", user=cast.users["lin"]).exists()


def test_once_the_lab_has_said_yes_time_agrees_it_as_any_other(cast, book):
    reservation = book(9, 11)
    start(cast, reservation, reservation.starts_at)
    self_service.end(cast.actor("lin"), reservation.pk, agrees=False, now=reservation.ends_at + 2 * HOUR)
    assert not usage_review.agree(cast.actor("wang"), reservation.pk, reservation.ends_at + 3 * HOUR)
    assert by_time(reservation) == 1
    assert session_of(reservation).agreed_how == AgreedHow.TIME


def test_sessions_that_overlap_are_told_of(cast, book):
    first, second = book(9, 11), book(13, 15, who="he")
    for one, who in ((first, "lin"), (second, "he")):
        start(cast, one, one.starts_at, who)
        self_service.end(cast.actor(who), one.pk, agrees=False, now=one.ends_at)
    UsageSession.objects.filter(reservation=first).update(actual_ends_at=second.starts_at + HOUR)
    later = session_of(second)
    sessions.note_doubt(Reservation.objects.select_related("instrument").get(pk=second.pk), later)
    assert later.doubt == "overlaps" and session_of(first).doubt == ""


@pytest.mark.parametrize(
    ("hours", "code"),
    [((9, 11), "usage.proposal_same"), ((8, 10), "usage.proposal_outside"), ((10, 12), "usage.proposal_outside")],
)
def test_the_lab_charges_less_and_never_more(cast, book, slot, hours, code):
    reservation = book(9, 11)
    start(cast, reservation, reservation.starts_at)
    self_service.end(cast.actor("lin"), reservation.pk, agrees=False, now=reservation.ends_at)
    wang, at = cast.actor("wang"), reservation.ends_at
    with pytest.raises(Refusal) as refused:
        usage_review.charge_less(wang, reservation.pk, slot(*hours), "because", at)
    assert codes(refused) == {code}
    with pytest.raises(Refusal) as refused:
        usage_review.charge_less(wang, reservation.pk, None, " ", at)
    assert codes(refused) == {"usage.reason_missing"}
    with pytest.raises(Forbidden):
        usage_review.charge_less(cast.actor("lin"), reservation.pk, None, "because", at)
    assert not usage_review.charge_less(wang, reservation.pk, None, "The source was off", at)
    assert session_of(reservation).billable is None and session_of(reservation).note == "The source was off"
    assert usage_review.agree(cast.actor("lin"), reservation.pk, at) and wrong() == {}
