"""Who may move a reservation, when, and what each move leaves behind."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from procrastinate.contrib.django.models import ProcrastinateJob

from booking import ports
from booking.models import InstrumentPolicy, Occupancy, Reservation, ReservationTransition, UsageSession
from booking.services import context, maintenance, reservations, self_service, transitions
from booking.services.reservations import ReservationRequest
from config.kernel.access import Role
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.models import AuditEntry
from config.kernel.time_range import TimeRange
from instruments.models import Instrument, Membership, Notice, Organisation
from instruments.services import registry
from tests.agreeing import check_out_agreed
from tests.concurrency.world import add_instrument
from tests.heads import with_head


def ask(cast, during, who="lin", firm=None, key="k1", **fields):
    request = ReservationRequest(cast.xrd.pk, (firm or cast.firm).pk, during, fields.pop("mode", "assisted"), **fields)
    done = reservations.reserve(cast.actor(who), request, cast.now, idempotency_key=key)
    return Reservation.objects.get(pk=done.reservation_id)


def codes(refused) -> set[str]:
    return {reason.code for reason in refused.value.reasons}


def policy(cast, **fields) -> None:
    InstrumentPolicy.objects.update_or_create(instrument=cast.xrd, defaults=fields)


# --- Who ------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("who", ["lin", "zhao", "li", "chen", "qian", "wu"])
def test_only_the_lab_approves_rejects_checks_in_and_out(cast, slot, who):
    pk = ask(cast, slot(9, 12)).pk
    actor = cast.actor(who)
    for move in (
        lambda: transitions.approve(actor, pk, cast.now),
        lambda: transitions.reject(actor, pk, cast.now, "no"),
        lambda: transitions.check_in(actor, pk, slot(9, 12).starts_at),
        lambda: transitions.check_out(actor, pk, slot(9, 12).ends_at),
        lambda: transitions.mark_no_show(actor, pk, slot(9, 12).ends_at),
    ):
        with pytest.raises(Forbidden):
            move()
    assert Reservation.objects.get(pk=pk).state == "requested"


@pytest.mark.parametrize("who", ["he", "zhou"])
def test_for_people_without_a_part_in_it_the_reservation_does_not_exist(cast, slot, who):
    pk = ask(cast, slot(9, 12)).pk
    for move in (transitions.approve, transitions.cancel, transitions.check_in, transitions.check_out):
        with pytest.raises(NotFound):
            move(cast.actor(who), pk, cast.now)
    with pytest.raises(NotFound):
        transitions.cancel(cast.actor(who), 10**9, cast.now)


def test_nobody_approves_their_own_request(cast, slot):
    with_head(cast)
    Membership.objects.create(user=cast.users["wang"], organisation=cast.lab, role=Role.RESEARCHER, created_at=cast.now)
    pk = ask(cast, slot(9, 12), who="wang", firm=cast.lab).pk
    with pytest.raises(Refusal) as refused:
        transitions.approve(cast.actor("wang"), pk, cast.now)
    assert codes(refused) == {"booking.own_request"}


def test_the_requester_and_the_administrator_cancel_a_colleague_does_not(cast, slot):
    colleague = Membership.objects.create(
        user=cast.users["he"], organisation=cast.firm, role=Role.RESEARCHER, created_at=cast.now
    )
    first, second = ask(cast, slot(9, 12)), ask(cast, slot(13, 16), key="k2")
    assert colleague.user == cast.users["he"]
    with pytest.raises(Forbidden):
        transitions.cancel(cast.actor("he"), first.pk, cast.now)
    transitions.cancel(cast.actor("lin"), first.pk, cast.now)
    transitions.cancel(cast.actor("zhao"), second.pk, cast.now)


def test_the_lab_cancels_with_a_reason_that_is_kept(cast, slot):
    pk = ask(cast, slot(9, 12)).pk
    with pytest.raises(Refusal) as refused:
        transitions.cancel(cast.actor("wang"), pk, cast.now)
    assert codes(refused) == {"booking.reason_missing"}
    transitions.cancel(cast.actor("wang"), pk, cast.now, "tube broken")
    assert ReservationTransition.objects.filter(reservation_id=pk).latest("pk").reason == "tube broken"


# --- When -----------------------------------------------------------------------------------------------------------------
def test_check_in_opens_an_hour_before_and_closes_with_the_booked_time(cast, slot):
    during = slot(9, 12)
    pk = ask(cast, during).pk
    transitions.approve(cast.actor("wang"), pk, cast.now)
    for moment, code in (
        (during.starts_at - timedelta(minutes=60, seconds=1), "booking.too_early_to_check_in"),
        (during.ends_at, "booking.too_late_to_check_in"),
    ):
        with pytest.raises(Refusal) as refused:
            transitions.check_in(cast.actor("wang"), pk, moment)
        assert codes(refused) == {code}
    transitions.check_in(cast.actor("wang"), pk, during.starts_at - timedelta(minutes=60))


def test_nobody_cancels_once_the_time_has_begun(cast, slot):
    during = slot(9, 12)
    pk = ask(cast, during).pk
    transitions.approve(cast.actor("wang"), pk, cast.now)
    with pytest.raises(Refusal) as refused:
        transitions.cancel(cast.actor("lin"), pk, during.starts_at)
    assert codes(refused) == {"booking.too_late_to_cancel"}
    transitions.cancel(cast.actor("lin"), pk, during.starts_at - timedelta(seconds=1))


def test_a_missed_session_is_marked_after_the_grace(cast, slot):
    during = slot(9, 12)
    pk = ask(cast, during).pk
    transitions.approve(cast.actor("wang"), pk, cast.now)
    with pytest.raises(Refusal) as refused:
        transitions.mark_no_show(cast.actor("wang"), pk, during.starts_at + timedelta(minutes=29))
    assert codes(refused) == {"booking.too_early_for_no_show"}
    transitions.mark_no_show(cast.actor("wang"), pk, during.starts_at + timedelta(minutes=30))


# --- What stays -------------------------------------------------------------------------------------------------------------
def test_a_whole_life_leaves_history_audit_session_and_mail_to_send(cast, slot):
    during = slot(9, 12)
    pk = ask(cast, during).pk
    transitions.approve(cast.actor("wang"), pk, cast.now)
    transitions.check_in(cast.actor("wang"), pk, during.starts_at)
    transitions.check_out(cast.actor("wang"), pk, during.ends_at + timedelta(minutes=7), "filament changed")
    steps = ReservationTransition.objects.filter(reservation_id=pk).order_by("pk")
    assert [step.to_state for step in steps] == ["requested", "approved", "in_use", "completed"]
    written = AuditEntry.objects.filter(object_type="booking.reservation", object_id=str(pk)).order_by("pk")
    assert [entry.action for entry in written] == [f"reservation.{step.action}" for step in steps]
    session = UsageSession.objects.get(reservation_id=pk)
    assert (session.actual_ends_at, session.billable_minutes) == (during.ends_at + timedelta(minutes=7), 180)
    assert session.note == "filament changed"
    told = Notice.objects.order_by("pk").values_list("event", "user__email")
    assert list(told) == [
        ("reservation.requested", "wang@example.org"),
        ("reservation.approved", "lin@example.org"),
        ("reservation.completed", "lin@example.org"),
    ]
    assert ProcrastinateJob.objects.filter(task_name="notices.deliver").count() == 3


def test_what_is_refused_leaves_nothing(cast, slot):
    ask(cast, slot(9, 12))
    before = [model.objects.count() for model in (Reservation, Occupancy, AuditEntry, ReservationTransition, ProcrastinateJob)]
    with pytest.raises(Conflict):
        ask(cast, slot(10, 11), key="k2")
    with pytest.raises(Refusal):
        ask(cast, slot(3, 4), key="k3")
    after = [model.objects.count() for model in (Reservation, Occupancy, AuditEntry, ReservationTransition, ProcrastinateJob)]
    assert after == before


@pytest.mark.parametrize("reached", ["approved", "in_use", "agreed"])
def test_a_step_that_the_table_does_not_know_is_refused(cast, slot, reached):
    during = slot(9, 12)
    pk = ask(cast, during).pk
    transitions.approve(cast.actor("wang"), pk, cast.now)
    if reached != "approved":
        transitions.check_in(cast.actor("wang"), pk, during.starts_at)
    if reached == "agreed":
        check_out_agreed(cast.actor("wang"), pk, during.ends_at)
    with pytest.raises(Refusal) as refused:
        transitions.approve(cast.actor("wang"), pk, cast.now)
    assert codes(refused) == {"booking.illegal_transition"}
    assert Reservation.objects.get(pk=pk).state == reached


# --- What takes time --------------------------------------------------------------------------------------------------------
def test_buffers_keep_the_neighbour_away_and_touching_is_allowed_without(cast, slot):
    ask(cast, slot(9, 11))
    ask(cast, slot(11, 13), key="k2")
    policy(cast, buffer_before_minutes=15, buffer_after_minutes=30)
    ask(cast, slot(15, 16), key="k3")
    with pytest.raises(Conflict):
        ask(cast, slot(16, 17), key="k4")
    ask(cast, slot(17, 18), key="k5")


def test_where_pending_requests_do_not_block_several_wait_and_one_is_approved(cast, slot):
    policy(cast, pending_blocks=False)
    first = ask(cast, slot(9, 12))
    second = ask(cast, slot(10, 13), key="k2", who="he", firm=cast.other_firm)
    transitions.approve(cast.actor("wang"), second.pk, cast.now)
    with pytest.raises(Conflict) as refused:
        transitions.approve(cast.actor("wang"), first.pk, cast.now)
    assert codes(refused) == {"booking.just_taken"}
    assert Reservation.objects.get(pk=first.pk).state == "requested"


def test_a_lab_that_asks_for_no_approval_gives_the_time_at_once(cast, programmes, slot):
    policy(cast, approval_required=False)
    booked = ask(cast, slot(9, 12))
    assert booked.state == "approved"
    assert booked.quotes.filter(held_at__isnull=False).count() == 1
    assert ReservationTransition.objects.filter(reservation=booked).latest("pk").actor is None


def test_maintenance_and_reservations_keep_each_other_out(cast, slot):
    maintenance.block(cast.actor("wang"), cast.xrd.pk, slot(9, 12), "new tube", cast.now)
    with pytest.raises(Conflict):
        ask(cast, slot(11, 13))
    ask(cast, slot(12, 14), key="k2")
    with pytest.raises(Conflict):
        maintenance.block(cast.actor("wang"), cast.xrd.pk, slot(13, 15), "again", cast.now)
    with pytest.raises(Forbidden):
        maintenance.block(cast.actor("lin"), cast.xrd.pk, slot(15, 16), "mine", cast.now)


@pytest.mark.parametrize("status", ["under_repair", "retired"])
def test_an_instrument_that_does_not_run_cannot_be_booked(cast, slot, status):
    Instrument.objects.filter(pk=cast.xrd.pk).update(status=status)
    with pytest.raises((Refusal, NotFound)) as refused:
        ask(cast, slot(9, 12))
    assert codes(refused) & {"booking.instrument_unavailable", "access.not_found"}


def test_an_instrument_without_a_price_cannot_be_booked(cast, slot):
    bare = add_instrument(cast, "bare", priced=False)
    request = ReservationRequest(bare.pk, cast.firm.pk, slot(9, 12), "self_operated")
    with pytest.raises(Refusal) as refused:
        reservations.reserve(cast.actor("lin"), request, cast.now, idempotency_key="k")
    assert codes(refused) == {"price.none"}
    assert not Reservation.objects.exists()


# --- Odd input --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text", ["\u0f56\u0f7c\u0f51\u0f0b \U0001f9ea crystals", "=cmd()|' /C calc'!A0", "<script>alert(1)</script>", "x" * 500]
)
def test_what_people_write_is_kept_as_it_is(cast, slot, text):
    assert ask(cast, slot(9, 12), purpose=text).purpose == text


@pytest.mark.parametrize(("field", "longest"), [("purpose", 500), ("research_project", 200)])
def test_a_text_of_a_thousand_characters_is_refused_with_its_field(cast, slot, field, longest):
    with pytest.raises(Refusal) as refused:
        ask(cast, slot(9, 12), **{field: "x" * 1000})
    assert [reason.field for reason in refused.value.reasons] == [field]
    assert not Reservation.objects.exists()


@pytest.mark.parametrize("text", ["a\x00b", "a\u202eb"])
def test_control_and_direction_characters_are_refused(cast, slot, text):
    with pytest.raises(Refusal):
        ask(cast, slot(9, 12), purpose=text)


def test_an_unknown_service_mode_and_instrument_are_refused(cast, slot):
    with pytest.raises(Refusal) as refused:
        ask(cast, slot(9, 12), mode="by magic")
    assert codes(refused) == {"booking.service_mode_unknown"}
    request = ReservationRequest(10**9, cast.firm.pk, slot(9, 12), "assisted")
    with pytest.raises(NotFound):
        reservations.reserve(cast.actor("lin"), request, cast.now, idempotency_key="k")


@pytest.mark.parametrize(("key", "code"), [("", "idempotency.key_missing"), ("k" * 256, "idempotency.key_too_long")])
def test_a_key_is_needed_and_not_endless(cast, slot, key, code):
    with pytest.raises(Refusal) as refused:
        ask(cast, slot(9, 12), key=key)
    assert codes(refused) == {code}


def test_a_range_that_ends_before_it_starts_is_no_range(slot):
    during = slot(9, 12)
    with pytest.raises(ValueError):
        TimeRange(during.ends_at, during.starts_at)


def test_one_reservation_that_cannot_be_closed_does_not_stop_the_others(cast, slot, monkeypatch) -> None:
    first = reservations.reserve(
        cast.actor("lin"),
        ReservationRequest(cast.xrd.pk, cast.firm.pk, slot(9, 10), "self_operated"),
        cast.now,
        idempotency_key="first",
    )
    second = reservations.reserve(
        cast.actor("lin"),
        ReservationRequest(cast.xrd.pk, cast.firm.pk, slot(11, 12), "self_operated"),
        cast.now,
        idempotency_key="second",
    )
    release = ports.money().on_release

    def failing(reservation, *rest) -> int:
        if reservation.pk == first.reservation_id:
            raise RuntimeError("money is broken")
        return release(reservation, *rest)

    monkeypatch.setattr(type(ports.money()), "on_release", lambda self, *words: failing(*words))
    assert transitions.expire_due(slot(13, 14).starts_at) == 1
    states = dict(Reservation.objects.values_list("pk", "state"))
    assert states == {first.reservation_id: "requested", second.reservation_id: "expired"}


# --- What is judged is what stands behind the lock --------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("act", "code"),
    [
        (lambda cast, pk, now: transitions.mark_no_show(cast.actor("wang"), pk, now), "booking.too_early_for_no_show"),
        (lambda cast, pk, now: transitions.check_in(cast.actor("wang"), pk, now), "booking.too_early_to_check_in"),
        (lambda cast, pk, now: transitions.cancel(cast.actor("lin"), pk, now), None),
    ],
)
def test_a_time_that_was_moved_while_the_lock_was_waited_for_is_the_one_that_counts(cast, slot, monkeypatch, act, code):
    pk = ask(cast, slot(9, 12)).pk
    transitions.approve(cast.actor("wang"), pk, cast.now)
    real, later = transitions.lock_row, slot(13, 16)

    def moved_meanwhile(reservation_id):
        Reservation.objects.filter(pk=reservation_id).update(starts_at=later.starts_at, ends_at=later.ends_at)
        return real(reservation_id)

    monkeypatch.setattr(transitions, "lock_row", moved_meanwhile)
    at = slot(9, 12).starts_at + timedelta(minutes=40)
    if code is None:
        act(cast, pk, at)
        assert Reservation.objects.get(pk=pk).state == "cancelled"
        return
    with pytest.raises(Refusal) as refused:
        act(cast, pk, at)
    assert codes(refused) == {code}
    assert Reservation.objects.get(pk=pk).state == "approved"


def test_a_time_that_the_manager_did_not_see_is_not_approved(cast, slot):
    pk = ask(cast, slot(9, 12)).pk
    with pytest.raises(Conflict) as refused:
        transitions.approve(cast.actor("wang"), pk, cast.now, seen=slot(13, 16))
    assert codes(refused) == {"booking.changed_meanwhile"}
    assert Reservation.objects.get(pk=pk).state == "requested"
    transitions.approve(cast.actor("wang"), pk, cast.now, seen=slot(9, 12))


def test_what_the_clock_has_ended_is_not_approved_although_no_job_has_come_by(cast, slot):
    during = slot(9, 12)
    pk = ask(cast, during).pk
    with pytest.raises(Refusal) as refused:
        transitions.approve(cast.actor("wang"), pk, during.starts_at)
    assert codes(refused) == {"booking.too_late_to_approve"}
    assert transitions.expire_due(during.starts_at) == 1


def test_an_instrument_in_hand_knows_its_policy(cast, slot):
    policy(cast, cancel_notice_minutes=7)
    one, _customer = context.load_for_customer(cast.actor("lin"), cast.xrd.pk, cast.firm.pk, slot(9, 10))
    (many,) = context.load_many(cast.actor("lin"), [cast.xrd.pk], cast.firm).values()
    with CaptureQueriesContext(connection) as asked:
        known = [context.policy_for(found.instrument).cancel_notice_minutes for found in (one, many)]
    assert (known, len(asked)) == ([7, 7], 0)


# --- What has ended meanwhile -----------------------------------------------------------------------------------------------
def test_a_request_of_a_suspended_organisation_is_not_approved(cast, slot):
    asked = ask(cast, slot(9, 12))
    Organisation.objects.filter(pk=cast.firm.pk).update(status="suspended")
    with pytest.raises(Refusal) as refused:
        transitions.approve(cast.actor("wang"), asked.pk, cast.now)
    assert codes(refused) == {"booking.customer_suspended"}
    asked.refresh_from_db()
    assert asked.state == "requested"


def test_nothing_is_approved_or_started_on_a_retired_instrument(cast, slot):
    asked, booked = ask(cast, slot(9, 12)), ask(cast, slot(13, 15), key="k2")
    transitions.approve(cast.actor("wang"), booked.pk, cast.now)
    Instrument.objects.filter(pk=cast.xrd.pk).update(status="retired")
    with pytest.raises(Refusal) as refused:
        transitions.approve(cast.actor("wang"), asked.pk, cast.now)
    assert codes(refused) == {"booking.instrument_retired"}
    for start in (lambda: transitions.check_in(cast.actor("wang"), booked.pk, slot(13, 15).starts_at),
                  lambda: self_service.start(cast.actor("lin"), booked.pk, [], slot(13, 15).starts_at)):  # fmt: skip
        with pytest.raises(Refusal) as refused:
            start()
        assert codes(refused) == {"check_in.instrument_retired"}


@pytest.mark.parametrize("approved", [False, True])
def test_an_instrument_is_retired_once_nothing_is_booked_on_it_any_more(cast, slot, approved):
    booked = ask(cast, slot(9, 12))
    if approved:
        transitions.approve(cast.actor("wang"), booked.pk, cast.now)
    with pytest.raises(Refusal) as refused:
        registry.set_status(cast.actor("wang"), cast.xrd.pk, "retired", cast.now)
    assert codes(refused) == {"booking.ahead_of_retirement"}
    assert registry.set_status(cast.actor("wang"), cast.xrd.pk, "under_repair", cast.now).status == "under_repair"
    transitions.cancel(cast.actor("wang"), booked.pk, cast.now, "It goes.")
    assert registry.set_status(cast.actor("wang"), cast.xrd.pk, "retired", cast.now).status == "retired"


def test_a_person_does_not_compete_with_themselves_for_a_time(cast, slot):
    InstrumentPolicy.objects.create(instrument=cast.xrd, pending_blocks=False)
    first = ask(cast, slot(9, 12))
    with pytest.raises(Conflict) as refused:
        ask(cast, slot(9, 12), key="k2")
    assert codes(refused) == {"booking.asked_already"}
    assert refused.value.reasons[0].params["reservation_id"] == first.pk
    ask(cast, slot(9, 12), who="he", firm=cast.other_firm, key="k3")
    transitions.cancel(cast.actor("lin"), first.pk, cast.now)
    assert ask(cast, slot(9, 12), key="k4").state == "requested"
