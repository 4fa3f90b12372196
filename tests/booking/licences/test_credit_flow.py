"""Points from what happens to bookings, appeals decided by another, lists, and what holds against a person."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from booking.credit_queries import measures_against
from booking.models import CreditAppeal, CreditEvent, CreditRules, Reservation, UsageSession
from booking.queries import credit as queries
from booking.queries import policies as policy_queries
from booking.rules.credit import EventKind, strictest
from booking.rules.standing import may_be_overridden
from booking.services import access_lists, credit, licences, ratings, reservations, transitions
from booking.services.access_lists import Listing
from booking.services.reservations import ReservationRequest
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.messages import reason_sentence
from config.kernel.models import AuditEntry
from instruments.models import Notice
from tests.agreeing import check_out_agreed

pytestmark = pytest.mark.django_db
RULES = {
    "start_points": 100,
    "points": {"no_show": 30, "late": 5, "left_early": 3, "overtime": 4, "late_cancel": 10, "no_feedback": 1},
    "thresholds": [{"below": 80, "kind": "no_booking", "days": 7}],
}


@pytest.fixture
def rules(cast, now):
    return credit.set_rules(cast.actor("wang"), cast.lab.pk, RULES, now)


@pytest.fixture
def approved(cast, slot, now):
    def make(first=9):
        request = ReservationRequest(cast.xrd.pk, cast.firm.pk, slot(first, first + 2), "self_operated")
        pk = reservations.reserve(cast.actor("lin"), request, now, idempotency_key=f"k{first}").reservation_id
        transitions.approve(cast.actor("wang"), pk, now)
        return Reservation.objects.get(pk=pk)

    return make


@pytest.fixture
def missed(cast, approved):
    reservation = approved()
    transitions.mark_no_show(cast.actor("wang"), reservation.pk, reservation.ends_at)
    return reservation


@pytest.fixture
def against(cast):
    def ask(at, name="lin", customer=None):
        return measures_against(cast.users[name].pk, (customer or cast.firm).pk, cast.xrd.pk, cast.lab.pk, at)

    return ask


def points():
    return {one.kind: one.lab_points for one in CreditEvent.objects.all()}


def test_without_rules_nothing_is_noted(cast, missed):
    assert not CreditEvent.objects.exists()


def test_who_did_not_come_loses_points_and_cannot_book_for_a_week(cast, rules, missed, against):
    event = CreditEvent.objects.get()
    assert (event.kind, event.lab_points, event.platform_points, event.person) == ("no_show", -30, 0, cast.users["lin"])
    with CaptureQueriesContext(connection) as captured:
        measure = strictest(against(missed.ends_at))
    assert len(captured) == 1
    assert (measure.kind, measure.until, measure.score) == ("no_booking", missed.ends_at + timedelta(days=7), 70)
    assert not against(missed.ends_at, "zhao")
    assert not against(missed.ends_at + timedelta(days=7))


def test_booking_is_refused_while_a_measure_holds_and_the_lab_may_say_otherwise(cast, rules, missed, slot):
    at = missed.ends_at
    request = ReservationRequest(cast.xrd.pk, cast.firm.pk, slot(9, 11, day=2), "self_operated")
    with pytest.raises(Refusal) as refused:
        reservations.reserve(cast.actor("lin"), request, at, idempotency_key="kept")
    (reason,) = refused.value.reasons
    assert reason.code == "measure.credit_until" and "until_at" in reason.params and may_be_overridden(reason)
    access_lists.put_on_list(cast.actor("wang"), Listing(cast.lab.pk, "deny", "Unpaid", email="lin@example.org"), at)
    with pytest.raises(Refusal, match=r"measure\.listed"):
        reservations.reserve(cast.actor("lin"), request, at, idempotency_key="kept")


def test_where_nothing_is_kept_a_booking_asks_nothing_more(cast, slot, now):
    def count(key, first):
        request = ReservationRequest(cast.xrd.pk, cast.firm.pk, slot(first, first + 1), "self_operated")
        with CaptureQueriesContext(connection) as captured:
            reservations.reserve(cast.actor("lin"), request, now, idempotency_key=key)
        return len(captured)

    count("warm", 8)
    plain = count("plain", 9)
    credit.set_rules(cast.actor("wang"), cast.lab.pk, RULES, now)
    assert count("kept", 10) == plain + 1


def test_time_alone_notes_it_too_and_only_once(cast, rules, approved):
    reservation = approved()
    transitions.mark_no_shows_due(reservation.ends_at)
    assert points() == {"no_show": -30}
    assert credit.note_violation(reservation, EventKind.NO_SHOW, cast.actor("wang"), cast.now) is None
    assert CreditEvent.objects.count() == 1


def test_a_late_cancellation_by_the_customer_is_noted_and_no_other(cast, rules, approved, now):
    early, late, labs = approved(9), approved(12), approved(15)
    transitions.cancel(cast.actor("lin"), early.pk, early.starts_at - timedelta(hours=24))
    assert points() == {}
    transitions.cancel(cast.actor("lin"), late.pk, late.starts_at - timedelta(hours=23))
    transitions.cancel(cast.actor("wang"), labs.pk, labs.starts_at - timedelta(hours=1), "Leak")
    assert points() == {"late_cancel": -10}


def test_measured_times_say_late_early_and_overtime(cast, rules, approved):
    wang, minutes = cast.actor("wang"), timedelta(minutes=1)
    fine, late, over = approved(9), approved(12), approved(15)
    for one, start, end in ((fine, 0, 0), (late, 20, -40), (over, 0, 30)):
        transitions.check_in(wang, one.pk, one.starts_at + start * minutes)
        transitions.check_out(wang, one.pk, one.ends_at + end * minutes)
    assert points() == {"late": -5, "left_early": -3, "overtime": -4}


def test_misses_that_are_only_counted_are_noted_without_points_and_keep_from_booking(cast, approved, against, slot, now):
    count = {"kind": "no_show", "times": 2, "within_days": 90, "leads_to": "no_booking", "days": 14}
    credit.set_rules(cast.actor("wang"), cast.lab.pk, {"start_points": 100, "counts": [count]}, now)
    first, second = approved(9), approved(12)
    for one in (first, second):
        assert not against(one.starts_at)
        transitions.mark_no_show(cast.actor("wang"), one.pk, one.ends_at)
    assert points() == {"no_show": 0}
    request = ReservationRequest(cast.xrd.pk, cast.firm.pk, slot(9, 11, day=2), "self_operated")
    with pytest.raises(Refusal) as refused:
        reservations.reserve(cast.actor("lin"), request, second.ends_at, idempotency_key="kept")
    (reason,) = refused.value.reasons
    assert reason.code == "measure.counted_until" and may_be_overridden(reason)
    with override("en"):
        assert "“Did not come” was noted 2 times within 90 days" in reason_sentence(reason)
    assert not against(second.ends_at + timedelta(days=14))
    made = credit.appeal(cast.actor("lin"), CreditEvent.objects.latest("pk").pk, "The door was locked", second.ends_at)
    credit.decide_appeal(cast.actor("zhou"), made.pk, True, "It was", second.ends_at)
    assert not against(second.ends_at)


def test_a_session_as_booked_and_a_new_licence_give_points_without_a_mail_of_their_own(cast, approved, now):
    document = {"start_points": 100, "points": {"late": 5}, "gains": {"used": 2, "licence": 6}, "most_points": 110}
    credit.set_rules(cast.actor("wang"), cast.lab.pk, document, now)
    fine, late = approved(9), approved(12)
    for one, start in ((fine, 0), (late, 20)):
        transitions.check_in(cast.actor("wang"), one.pk, one.starts_at + timedelta(minutes=start))
        transitions.check_out(cast.actor("wang"), one.pk, one.ends_at)
    licences.grant(cast.actor("wang"), cast.xrd.pk, "lin@example.org", "self", "Certificate 7", None, late.ends_at)
    assert points() == {"used": 2, "late": -5, "licence": 6}
    assert {one.params["credit_event"] for one in Notice.objects.filter(event="credit.noted")} == {"late"}
    (_row, standing), *_rest = queries.my_standings(cast.actor("lin"), late.ends_at)
    assert standing.score == 103
    with pytest.raises(Refusal, match=r"credit\.nothing_to_appeal"):
        credit.appeal(cast.actor("lin"), CreditEvent.objects.get(kind="used").pk, "x", late.ends_at)


def test_what_other_times_say_takes_the_points_of_normal_use_back(cast, approved, now):
    credit.set_rules(cast.actor("wang"), cast.lab.pk, {"start_points": 100, "gains": {"used": 2}, "most_points": 110}, now)
    one = approved(9)
    transitions.check_in(cast.actor("wang"), one.pk, one.starts_at)
    transitions.check_out(cast.actor("wang"), one.pk, one.ends_at)
    session = UsageSession.objects.get(reservation=one)
    session.actual_starts_at += timedelta(minutes=40)
    for _again in range(2):
        credit.note_session(one, session, cast.actor("wang"), one.ends_at)
    assert [event.lab_points for event in CreditEvent.objects.order_by("pk")] == [2, -2]
    assert not Notice.objects.filter(event="credit.taken_back")


def test_missing_feedback_that_is_only_counted_is_noted(cast, approved, now):
    count = {"kind": "no_feedback", "times": 3, "within_days": 90, "leads_to": "notice"}
    credit.set_rules(cast.actor("wang"), cast.lab.pk, {"start_points": 100, "counts": [count]}, now)
    silent = approved(9)
    transitions.check_in(cast.actor("wang"), silent.pk, silent.starts_at)
    check_out_agreed(cast.actor("wang"), silent.pk, silent.ends_at)
    assert credit.note_missing_feedback_due(silent.ends_at + timedelta(hours=24)) == 1


def test_no_feedback_within_a_day_is_noted_once(cast, rules, approved):
    told, silent = approved(9), approved(12)
    for one in (told, silent):
        transitions.check_in(cast.actor("wang"), one.pk, one.starts_at)
        check_out_agreed(cast.actor("wang"), one.pk, one.ends_at)
    ratings.rate(cast.actor("lin"), told.pk, 5, "", told.ends_at)
    assert credit.note_missing_feedback_due(silent.ends_at + timedelta(hours=23)) == 0
    later = silent.ends_at + timedelta(hours=24)
    assert (credit.note_missing_feedback_due(later), credit.note_missing_feedback_due(later)) == (1, 0)
    assert CreditEvent.objects.get().reservation_id == silent.pk


def test_feedback_that_cannot_be_noted_keeps_no_other_from_being_noted(cast, rules, approved, caplog):
    silent = [approved(9), approved(12)]
    for one in silent:
        transitions.check_in(cast.actor("wang"), one.pk, one.starts_at)
        check_out_agreed(cast.actor("wang"), one.pk, one.ends_at)
    with connection.cursor() as cursor:
        cursor.execute(f"""
            CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
            CREATE TRIGGER refuse BEFORE INSERT ON booking_creditevent FOR EACH ROW
              WHEN (NEW.reservation_id = {silent[0].pk}) EXECUTE FUNCTION pg_temp.refuse()""")
    assert credit.note_missing_feedback_due(silent[1].ends_at + timedelta(hours=24)) == 1
    assert CreditEvent.objects.get().reservation_id == silent[1].pk
    assert f"feedback on reservation {silent[0].pk} is parked" in caplog.text


def test_a_transition_that_fails_notes_nothing(cast, rules, approved, monkeypatch):
    from booking import ports

    reservation = approved()

    def broken(*_args):
        raise RuntimeError

    monkeypatch.setattr(type(ports.money()), "on_release", broken)
    with pytest.raises(RuntimeError):
        transitions.mark_no_show(cast.actor("wang"), reservation.pk, reservation.ends_at)
    assert not CreditEvent.objects.exists()


@pytest.mark.parametrize("statement", ["UPDATE booking_creditevent SET lab_points = 0", "DELETE FROM booking_creditevent",
                                       "TRUNCATE booking_creditevent CASCADE"])  # fmt: skip
def test_events_are_never_changed(rules, missed, statement):
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


# --- Appeal -----------------------------------------------------------------------------------------------------------
def test_a_granted_appeal_is_a_reversing_entry_and_the_measure_ends(cast, rules, missed, against, gao):
    event, at = CreditEvent.objects.get(), missed.ends_at + timedelta(hours=1)
    with pytest.raises(NotFound):
        credit.appeal(cast.actor("he"), event.pk, "x", at)
    with pytest.raises(Forbidden, match=r"credit\.not_yours"):
        credit.appeal(gao, event.pk, "x", at)
    with pytest.raises(Refusal, match=r"credit\.appeal_text_missing"):
        credit.appeal(cast.actor("lin"), event.pk, " ", at)
    made = credit.appeal(cast.actor("lin"), event.pk, "The door was locked", at)
    with pytest.raises(Conflict, match=r"credit\.appealed"):
        credit.appeal(cast.actor("lin"), event.pk, "Again", at)
    with pytest.raises(Forbidden, match=r"credit\.second_person"):
        credit.decide_appeal(cast.actor("wang"), made.pk, True, "I noted it", at)
    with pytest.raises(Refusal, match=r"credit\.answer_missing"):
        credit.decide_appeal(gao, made.pk, True, "", at)
    credit.decide_appeal(gao, made.pk, True, "It was", at)
    reversal = CreditEvent.objects.get(reverses=event)
    assert (reversal.lab_points, reversal.made_by) == (30, cast.users["gao"])
    assert not against(at)
    with pytest.raises(Refusal, match=r"credit\.appeal_decided"):
        credit.decide_appeal(gao, made.pk, False, "No", at)
    with pytest.raises(Refusal, match=r"credit\.nothing_to_appeal"):
        credit.appeal(cast.actor("lin"), reversal.pk, "x", at)


def test_the_operator_may_decide_and_a_refused_appeal_changes_nothing(cast, rules, missed, against):
    made = credit.appeal(cast.actor("lin"), CreditEvent.objects.get().pk, "Please", missed.ends_at)
    credit.decide_appeal(cast.actor("zhou"), made.pk, False, "It was open", missed.ends_at)
    assert CreditAppeal.objects.get().state == "refused" and against(missed.ends_at)
    assert CreditEvent.objects.count() == 1


def test_the_lab_notes_by_its_own_word_with_a_reason(cast, rules, now):
    wang = cast.actor("wang")
    with pytest.raises(Refusal) as refused:
        credit.note_manual(wang, cast.lab.pk, "nobody@example.org", 0, "", now)
    assert [one.field for one in refused.value.reasons] == ["email", "note", "points"]
    with pytest.raises(Refusal, match=r"credit\.own"):
        credit.note_manual(wang, cast.lab.pk, "wang@example.org", 5, "me", now)
    with pytest.raises(Forbidden):
        credit.note_manual(cast.actor("lin"), cast.lab.pk, "zhao@example.org", 5, "x", now)
    credit.note_manual(wang, cast.lab.pk, "lin@example.org", -7, "Left samples", now)
    (row, standing), *_rest = queries.my_standings(cast.actor("lin"), now)
    assert (row.organisation, standing.score) == (cast.lab, 93)


def test_what_the_lab_notes_by_its_own_word_is_logged_told_and_given_back_by_a_granted_appeal(cast, rules, now, gao):
    wang, lin = cast.actor("wang"), cast.actor("lin")
    event = credit.note_manual(wang, cast.lab.pk, "lin@example.org", -7, "Left samples", now)
    (logged,) = AuditEntry.objects.filter(action="credit.event", object_id=str(event.pk))
    assert (logged.actor_id, logged.reason, logged.after) == (wang.user_id, "Left samples", {"kind": "manual", "points": -7})
    (told,) = Notice.objects.filter(event="credit.noted", user=cast.users["lin"])
    assert (told.params["points"], told.params["note"]) == ("-7", "Left samples")
    made = credit.appeal(lin, event.pk, "They were mine to leave", now)
    with pytest.raises(Forbidden):
        credit.decide_appeal(wang, made.pk, True, "Well", now)
    credit.decide_appeal(gao, made.pk, True, "Right", now)
    (_lab, standing), *_rest = queries.my_standings(lin, now)
    assert standing.score == 100


def test_points_of_the_platform_move_by_the_operators_word_alone(cast, now):
    for name in ("wang", "zhou"):
        credit.note_manual(cast.actor(name), cast.lab.pk, "lin@example.org", -7, "Left samples", now)
    noted = [(one.lab_points, one.platform_points) for one in CreditEvent.objects.order_by("pk")]
    assert noted == [(-7, 0), (-7, -7)]


def test_appeals_are_few_within_a_year_and_granted_ones_do_not_count(cast, now, gao):
    credit.set_rules(cast.actor("wang"), cast.lab.pk, {"start_points": 100, "appeals_a_year": 1}, now)
    events = [
        credit.note_manual(cast.actor("wang"), cast.lab.pk, "lin@example.org", -7, "Left samples", now) for _each in range(3)
    ]
    lin = cast.actor("lin")
    granted = credit.appeal(lin, events[0].pk, "Not mine", now)
    with pytest.raises(Refusal, match=r"credit\.appeals_used_up"):
        credit.appeal(lin, events[1].pk, "Not mine either", now)
    credit.decide_appeal(gao, granted.pk, True, "Right", now)
    refused = credit.appeal(lin, events[1].pk, "Not mine either", now)
    credit.decide_appeal(gao, refused.pk, False, "It was", now)
    with pytest.raises(Refusal) as used_up:
        credit.appeal(lin, events[2].pk, "Nor this", now + timedelta(days=364))
    with override("en"):
        assert "The next appeal is possible from" in reason_sentence(used_up.value.reasons[0])
    with pytest.raises(Conflict, match=r"credit\.appealed"):
        credit.appeal(lin, events[1].pk, "Again", now)
    assert credit.appeal(lin, events[2].pk, "Nor this", now + timedelta(days=365))


# --- Rules of two -----------------------------------------------------------------------------------------------------
def test_rules_of_the_platform_count_everywhere_and_are_its_operators(cast, now, approved, against):
    document = {"start_points": 50, "points": {"no_show": 40}, "thresholds": [{"below": 20, "kind": "account_inactive"}]}
    with pytest.raises(Forbidden):
        credit.set_rules(cast.actor("wang"), None, document, now)
    credit.set_rules(cast.actor("zhou"), None, document, now)
    reservation = approved()
    transitions.mark_no_show(cast.actor("wang"), reservation.pk, reservation.ends_at)
    event = CreditEvent.objects.get()
    assert (event.lab_points, event.platform_points) == (0, -40)
    assert strictest(against(reservation.ends_at)).kind == "account_inactive"
    credit.set_rules(cast.actor("zhou"), None, None, now)
    assert not against(reservation.ends_at) and not CreditRules.objects.exists()


# --- Lists ------------------------------------------------------------------------------------------------------------
def test_who_is_on_a_list_is_kept_from_booking_until_it_ends(cast, against, now):
    wang = cast.actor("wang")
    entry = access_lists.put_on_list(
        wang, Listing(cast.lab.pk, "deny", "Unpaid bill", email="lin@example.org", until=now + timedelta(days=3)), now
    )
    measure = strictest(against(now))
    assert (measure.kind, measure.why, measure.note, measure.until) == (
        "lab_list",
        "list",
        "Unpaid bill",
        now + timedelta(days=3),
    )
    assert not against(now + timedelta(days=3))
    access_lists.take_off_list(wang, entry.pk, now)
    assert not against(now)
    with pytest.raises(Refusal, match=r"credit\.entry_ended"):
        access_lists.take_off_list(wang, entry.pk, now)


def test_a_customer_or_one_instrument_can_be_listed(cast, against, now):
    wang = cast.actor("wang")
    access_lists.put_on_list(
        wang, Listing(cast.lab.pk, "deny", "Broke it", customer="Gaoyuan Lithium", instrument_id=cast.xrd.pk), now
    )
    assert strictest(against(now)).kind == "instrument_list" and strictest(against(now, "zhao"))
    assert not against(now, "lin", cast.other_firm)


def test_an_exemption_takes_away_what_credit_leads_to(cast, rules, missed, against):
    access_lists.put_on_list(
        cast.actor("wang"), Listing(cast.lab.pk, "allow", "Guest professor", email="lin@example.org"), cast.now
    )
    assert not against(missed.ends_at)


def test_lists_are_refused_with_every_reason(cast, now):
    with pytest.raises(Refusal) as refused:
        access_lists.put_on_list(cast.actor("wang"), Listing(cast.lab.pk, "maybe", "", until=now, instrument_id=5), now)
    assert [one.field for one in refused.value.reasons] == ["email", "reason", "verdict", "until", "instrument"]
    with pytest.raises(Refusal, match=r"credit\.customer_unknown"):
        access_lists.put_on_list(cast.actor("wang"), Listing(cast.lab.pk, "deny", "x", customer="Nobody"), now)
    with pytest.raises(Forbidden):
        access_lists.put_on_list(cast.actor("wang"), Listing(None, "deny", "x", email="lin@example.org"), now)
    with pytest.raises(Forbidden):
        access_lists.put_on_list(cast.actor("lin"), Listing(cast.lab.pk, "deny", "x", email="zhao@example.org"), now)


def test_what_the_operator_wrote_about_somebody_is_not_told_to_labs(cast, now, slot):
    for until in (None, now + timedelta(days=30)):
        entry = access_lists.put_on_list(
            cast.actor("zhou"), Listing(None, "deny", "Fraud is looked into", email="lin@example.org", until=until), now
        )
        lin = policy_queries.Somebody(cast.users["lin"].pk, "Lin", cast.firm.pk, "Gaoyuan Lithium")
        tried = policy_queries.tried(cast.actor("wang"), cast.xrd.pk, lin, slot(9, 11), "self_operated", now, lambda *_: None)
        (reason,) = tried.against
        assert reason.code == ("measure.stopped" if until is None else "measure.stopped_until")
        assert reason_sentence(reason) and "Fraud" not in f"{reason_sentence(reason)} {reason.params}"
        access_lists.take_off_list(cast.actor("zhou"), entry.pk, now)


def test_each_side_reads_its_own(cast, rules, missed):
    assert queries.my_events(cast.actor("lin")).count() == queries.lab_events(cast.actor("wang")).count() == 1
    for name in ("he", "zhao", "li", "chen"):
        assert not queries.events_visible(cast.actor(name))
    assert queries.events_visible(cast.actor("wu")).count() == 1
