"""Who holds what at a time, recognition, suspension, check-in without a licence, reminders, gaps, and the list that is taken over."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from booking.licence_queries import levels_held, without_licence
from booking.models import Licence, LicenceGap, RecognitionRequest, Reservation, UsageSession
from booking.services import licences, policies, reservations, training, transitions, usage_review
from booking.services.licence_import import LICENCES
from booking.services.policies import Scope
from booking.services.reservations import ReservationRequest
from booking.services.state_writing import lock_row
from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.models import AuditEntry
from instruments.models import Instrument, Notice
from instruments.services.import_kinds import Order

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.4 proof"


@pytest.fixture
def give(cast, now):
    """``give(level="self", class_code="0103")``: a licence of Lin's."""

    def make(name="lin", **fields):
        values = {
            "organisation": cast.lab, "person": cast.users[name], "level": "self", "origin": "manual", "granted_at": now,
            "granted_by": cast.users["wang"], "changed_at": now,
        }  # fmt: skip
        return Licence.objects.create(**(values | fields))

    return make


@pytest.fixture
def held(cast):
    return lambda at: levels_held(cast.users["lin"].pk, cast.xrd.pk, at)


@pytest.fixture
def booked(cast, slot, now):
    """A reservation of Lin's for Wednesday 9 to 11, approved."""

    def make(mode="self_operated", first=9):
        request = ReservationRequest(cast.xrd.pk, cast.firm.pk, slot(first, first + 2), mode)
        pk = reservations.reserve(cast.actor("lin"), request, now, idempotency_key=f"{mode}-{first}").reservation_id
        transitions.approve(cast.actor("wang"), pk, now)
        return Reservation.objects.get(pk=pk)

    return make


def test_what_is_held_is_asked_in_one_statement(cast, give, held, now):
    give()
    with CaptureQueriesContext(connection) as captured:
        assert held(now) == {"assisted", "self"}
    assert len(captured) == 1


@pytest.mark.parametrize(
    ("fields", "holds"),
    [
        ({}, True),
        ({"class_code": "0103"}, True),
        ({"class_code": "0104"}, False),
        ({"state": "suspended"}, False),
        ({"state": "revoked"}, False),
        ({"level": "assisted"}, False),
        ({"level": "off_hours"}, True),
    ],
)
def test_scope_state_and_level_decide(give, held, now, fields, holds):
    give(**fields)
    assert ("self" in held(now)) is holds


def test_a_licence_holds_from_its_grant_until_its_end_and_not_at_it(give, held, now):
    give(valid_until=now + timedelta(days=1))
    assert not held(now - timedelta(seconds=1))
    assert held(now) and held(now + timedelta(hours=23, minutes=59))
    assert not held(now + timedelta(days=1))


def test_another_instrument_or_another_lab_is_something_else(cast, give, held, now):
    other = Instrument.objects.create(
        organisation=cast.lab, site=cast.site, calendar_id=cast.xrd.calendar_id, name="B", created_at=now, updated_at=now
    )
    give(instrument=other)
    give(organisation=cast.firm)
    give("zhao")
    assert not held(now)


def test_what_is_not_used_for_too_long_ends_and_use_keeps_it(cast, give, held, booked, now):
    give(unused_months=3)
    assert held(now + timedelta(days=91)) and not held(now + timedelta(days=92))
    reservation = booked()
    transitions.check_in(cast.actor("wang"), reservation.pk, reservation.starts_at)
    transitions.check_out(cast.actor("wang"), reservation.pk, reservation.ends_at)
    assert held(now + timedelta(days=93))
    assert not held(reservation.starts_at + timedelta(days=92))


def test_a_use_that_is_disputed_is_a_use_all_the_same(cast, give, held, booked, now):
    give(unused_months=3)
    reservation = booked()
    transitions.check_in(cast.actor("wang"), reservation.pk, reservation.starts_at)
    transitions.check_out(cast.actor("wang"), reservation.pk, reservation.ends_at)
    usage_review.dispute(cast.actor("lin"), reservation.pk, "The detector was off", reservation.ends_at)
    assert held(now + timedelta(days=93))


def test_a_missed_booking_is_no_use(cast, give, held, booked, now):
    give(unused_months=3)
    reservation = booked()
    transitions.mark_no_show(cast.actor("wang"), reservation.pk, reservation.ends_at)
    assert not held(now + timedelta(days=93))


# --- Coming without one -----------------------------------------------------------------------------------------------
def test_a_licence_that_ended_between_booking_and_session_is_told_to_both_and_refused_at_check_in(
    cast, course, give, booked, now, django_capture_on_commit_callbacks
):
    licence = give()
    reservation = booked()
    assert not without_licence([reservation], now) and licences.tell_gaps_due(now) == 0
    licences.suspend(cast.actor("wang"), licence.pk, "Leaked helium", now)
    assert without_licence([reservation], now) == {reservation.pk}
    assert (licences.tell_gaps_due(now), licences.tell_gaps_due(now)) == (1, 0)
    assert LicenceGap.objects.get().reservation == reservation
    with pytest.raises(Refusal, match=r"licence\.check_in_refused"):
        transitions.check_in(cast.actor("wang"), reservation.pk, reservation.starts_at)
    assert not UsageSession.objects.exists()
    transitions.check_in(cast.actor("wang"), reservation.pk, reservation.starts_at, "I stand beside them")
    kept = AuditEntry.objects.get(action="licence.override")
    assert (kept.object_id, kept.reason) == (str(reservation.pk), "I stand beside them")


@pytest.mark.parametrize("end", ["restored", "granted", "cancelled", "missed", "done"])
def test_a_missing_licence_needs_nobody_once_it_is_there_or_the_booking_is_over(cast, course, give, booked, now, end):
    wang, licence = cast.actor("wang"), give()
    reservation = booked()
    licences.suspend(wang, licence.pk, "Leaked helium", now)
    licences.tell_gaps_due(now)
    told = Notice.objects.filter(event="licence.gap", needs_action=True)
    assert told.get().object_id == str(reservation.pk)
    if end == "restored":
        licences.restore(wang, licence.pk, now)
    elif end == "granted":
        licences.grant(wang, cast.xrd.pk, "lin@example.org", "assisted", "Only with help", None, now)
        assert told.exists()
        licences.grant(wang, cast.xrd.pk, "lin@example.org", "self", "Seen at work", None, now)
    elif end == "cancelled":
        transitions.cancel(cast.actor("lin"), reservation.pk, now)
    elif end == "missed":
        transitions.mark_no_show(wang, reservation.pk, reservation.ends_at)
    else:
        transitions.check_in(wang, reservation.pk, reservation.starts_at, "I stand beside them")
        transitions.check_out(wang, reservation.pk, reservation.ends_at)
    assert not told.exists()


def test_assisted_sessions_and_instruments_without_the_rule_are_never_asked(cast, booked, now):
    assisted, alone = booked("assisted"), booked(first=12)
    locked = [lock_row(one.pk) for one in (assisted, alone)]
    with CaptureQueriesContext(connection) as captured:
        assert not any(licences.lacks_licence(one, one.requested_by_id, now) for one in locked)
    assert len(captured) == 0
    assert not without_licence([assisted, alone], now)
    training.require_licence(cast.actor("wang"), cast.xrd.pk, True, now)
    assert without_licence([assisted, alone], now) == {alone.pk}
    transitions.check_in(cast.actor("wang"), assisted.pk, assisted.starts_at)


def test_booking_alone_waits_for_the_licence_and_assisted_does_not(cast, course, give, booked, now):
    with pytest.raises(Refusal) as refused:
        booked()
    assert [reason.code for reason in refused.value.reasons] == ["booking.licence_needed"]
    assert booked("assisted").state == "approved"
    give(valid_until=now + timedelta(days=1))  # the session is on the day after
    with pytest.raises(Refusal, match=r"booking\.licence_needed"):
        booked(first=12)
    give()
    assert booked(first=12).state == "approved"


# --- The lab's word ---------------------------------------------------------------------------------------------------
def test_a_licence_is_suspended_restored_and_revoked_with_reasons(cast, give, held, now):
    licence, wang = give(), cast.actor("wang")
    for act in (licences.suspend, licences.revoke):
        with pytest.raises(Refusal, match=r"licence\.reason_missing"):
            act(wang, licence.pk, " ", now)
        with pytest.raises(Forbidden):
            act(cast.actor("lin"), licence.pk, "No", now)
        with pytest.raises(NotFound):
            act(cast.actor("he"), licence.pk, "No", now)
    with pytest.raises(Refusal, match=r"training\.illegal_step"):
        licences.restore(wang, licence.pk, now)
    licences.suspend(wang, licence.pk, "Leak", now)
    assert not held(now)
    licences.restore(wang, licence.pk, now)
    assert held(now)
    licences.revoke(wang, licence.pk, "Again", now)
    with pytest.raises(Refusal, match=r"training\.illegal_step"):
        licences.restore(wang, licence.pk, now)


def test_the_lab_licenses_a_person_by_its_own_word(cast, held, now):
    wang = cast.actor("wang")
    with pytest.raises(Refusal) as refused:
        licences.grant(wang, cast.xrd.pk, "nobody@example.org", "expert", "", now, now)
    assert [one.field for one in refused.value.reasons] == ["email", "level", "reference", "valid_until"]
    with pytest.raises(Refusal, match=r"licence\.own"):
        licences.grant(wang, cast.xrd.pk, "wang@example.org", "self", "me", None, now)
    licences.grant(wang, cast.xrd.pk, " Lin@example.org ", "self", "Seen at work", None, now)
    assert held(now)


def test_a_proof_is_asked_for_accepted_and_becomes_a_licence(cast, held, now):
    lin, wang = cast.actor("lin"), cast.actor("wang")
    with pytest.raises(Refusal) as refused:
        licences.ask_recognition(lin, cast.xrd.pk, "expert", "", None, now)
    assert [one.field for one in refused.value.reasons] == ["statement", "level", "file"]
    request = licences.ask_recognition(lin, cast.xrd.pk, "self", "Five years at Lanzhou", PDF, now)
    with pytest.raises(Refusal, match=r"licence\.asked_already"):
        licences.ask_recognition(lin, cast.xrd.pk, "self", "Again", PDF, now)
    with pytest.raises(NotFound):
        licences.recognition_evidence_for(cast.actor("he"), request.pk)
    assert licences.recognition_evidence_for(wang, request.pk)[1] == PDF
    with pytest.raises(Forbidden):
        licences.decide_recognition(lin, request.pk, True, "", None, now)
    licences.decide_recognition(wang, request.pk, True, "", now + timedelta(days=90), now)
    assert held(now) == {"assisted", "self"} and licences.evidence_for(lin, Licence.objects.get().pk)[1] == PDF
    with pytest.raises(Refusal, match=r"training\.illegal_step"):
        licences.decide_recognition(wang, request.pk, False, "No", None, now)


def test_a_proof_is_refused_with_a_reason_or_withdrawn(cast, now):
    lin, wang = cast.actor("lin"), cast.actor("wang")
    first = licences.ask_recognition(lin, cast.xrd.pk, "self", "Five years", PDF, now)
    with pytest.raises(Refusal, match=r"licence\.reason_missing"):
        licences.decide_recognition(wang, first.pk, False, "", None, now)
    licences.decide_recognition(wang, first.pk, False, "Another model", None, now)
    second = licences.ask_recognition(lin, cast.xrd.pk, "self", "Six years", PDF, now)
    with pytest.raises(Forbidden):
        licences.withdraw_recognition(wang, second.pk, now)
    asked = Notice.objects.filter(event="licence.asked", needs_action=True)
    assert asked.get().object_id == str(second.pk)
    licences.withdraw_recognition(lin, second.pk, now)
    assert not asked.exists()
    assert sorted(RecognitionRequest.objects.values_list("state", flat=True)) == ["refused", "withdrawn"]


def test_the_end_is_told_once_a_month_before(give, now):
    ends, later = give(valid_until=now + timedelta(days=30)), give(valid_until=now + timedelta(days=31))
    give(valid_until=now + timedelta(days=5), state="revoked")
    assert (licences.remind_due(now), licences.remind_due(now)) == (1, 0)
    ends.refresh_from_db(), later.refresh_from_db()
    assert (ends.reminded_at, later.reminded_at) == (now, None)


# --- A list -----------------------------------------------------------------------------------------------------------
HEAD = "E-mail,Instrument,Level,Granted on,Valid until,Evidence\n"


@pytest.fixture
def take_in(cast, now):
    def make(rows, *, dry_run=False, digest="", who="wang"):
        order = Order(
            content=(HEAD + rows).encode(), file_name="l.csv", layout="licence_list", document=None, owner_id=cast.lab.pk,
            dry_run=dry_run, expected_digest=digest, progress=lambda done, total: None,
        )  # fmt: skip
        return LICENCES.run(cast.actor(who), order, now)

    return make


def test_a_list_is_previewed_written_once_and_known_the_second_time(cast, take_in, held, now):
    rows = (
        "lin@example.org,X-ray diffractometer,self,2026-01-05,2027-01-05,ZS-1\n"
        "LIN@example.org,X-ray diffractometer,Use alone,2026-01-05,2027-01-05,ZS-1\n"
        "zhao@example.org,,off hours,,,ZS-2\n"
    )
    seen = take_in(rows, dry_run=True)
    assert ([one.fate for one in seen.rows], Licence.objects.count()) == (["created", "repeated", "created"], 0)
    take_in(rows, digest=seen.digest)
    licence = Licence.objects.get(person=cast.users["lin"])
    assert (licence.origin, licence.evidence_reference, licence.granted_at.year) == ("imported", "ZS-1", 2026)
    assert "self" in held(now) and "off_hours" in levels_held(cast.users["zhao"].pk, cast.xrd.pk, now)
    assert [one.fate for one in take_in(rows).rows] == ["unchanged", "repeated", "unchanged"]
    assert Licence.objects.count() == 2


def test_one_bad_row_and_nothing_is_written(cast, take_in):
    report = take_in(
        "lin@example.org,X-ray diffractometer,self,,,ZS-1\n"
        "nobody@example.org,Unknown thing,expert,soon,1999-01-01,\n"
        ",,self,,,x\n"
        "wang@example.org,,self,,,x\n"
    )
    assert [one.fate for one in report.rows] == ["created", "refused", "refused", "refused"] and not report.written
    assert sorted({reason.code for reason in report.rows[1].reasons}) == [
        "licence.day_unreadable", "licence.instrument_unknown", "licence.level_unreadable", "licence.person_unknown",
        "licence.reference_missing", "licence.until_past",
    ]  # fmt: skip
    assert not Licence.objects.exists()


def test_a_list_without_people_or_by_somebody_else_is_refused(cast, take_in):
    with pytest.raises(Forbidden):
        take_in("lin@example.org,,self,,,x\n", who="lin")
    order = Order(b"Name,Level\nA,self\n", "l.csv", "licence_list", None, cast.lab.pk, True, "", lambda done, total: None)
    with pytest.raises(Refusal, match=r"licence\.column_missing"):
        LICENCES.run(cast.actor("wang"), order, cast.now)
    assert not mail.outbox


def test_a_batch_is_filled_by_those_who_hold_no_licence_and_not_by_those_who_do(
    cast, course, give, booked, slot, now, monkeypatch
):
    licence = give()
    booked(first=9)
    late = booked(first=12)
    Licence.objects.filter(pk=licence.pk).update(valid_until=slot(11, 12).starts_at)
    monkeypatch.setattr(licences, "BATCH", 1)
    assert licences.tell_gaps_due(now) == 1
    assert LicenceGap.objects.get().reservation == late


def test_off_hours_are_asked_for_at_check_in_too(cast, give, booked, now):
    reservation = booked()
    evening = {"weekdays": [1, 2, 3, 4, 5, 6, 7], "from_minute": 10 * 60, "until_minute": 24 * 60}
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"licensed_times": [evening]}, now)
    give()
    with pytest.raises(Refusal, match=r"licence\.check_in_refused"):
        transitions.check_in(cast.actor("wang"), reservation.pk, reservation.starts_at)
    give(level="off_hours")
    transitions.check_in(cast.actor("wang"), reservation.pk, reservation.starts_at)


@pytest.mark.parametrize(
    ("level", "first", "lacks"), [("self", 18, True), ("self", 16, True), ("self", 9, False), ("off_hours", 18, False)]
)
def test_a_missing_licence_for_off_hours_is_told_like_any_other(cast, give, booked, now, level, first, lacks):
    licence = give(level="off_hours")
    evening = {"weekdays": [1, 2, 3, 4, 5], "from_minute": 17 * 60, "until_minute": 22 * 60}
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"licensed_times": [evening]}, now)
    reservation = booked(first=first)
    Licence.objects.filter(pk=licence.pk).update(level=level)
    assert without_licence([reservation], now) == ({reservation.pk} if lacks else set())
    assert licences.tell_gaps_due(now) == lacks
    assert Notice.objects.filter(event="lab.licence_gap").exists() is lacks
