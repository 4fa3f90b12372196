"""A chosen time is kept while the form is filled in; a time that frees is offered to who has waited longest, one at a time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from booking.models import InstrumentPolicy, Occupancy, Reservation, WaitEntry
from booking.rules.waiting import REST
from booking.services import changes, holds, maintenance, policies, transitions, waiting
from booking.services.changes import ChangeRequest
from booking.services.policies import Scope
from booking.services.waiting import Wish
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.invariants import registered
from instruments.models import Instrument, Notice, Organisation, User
from instruments.services import members
from tests.booking.services.test_reservation_flow import ask

MINUTE = timedelta(minutes=1)


def codes(refused) -> list[str]:
    return [reason.code for reason in refused.value.reasons]


@pytest.fixture(autouse=True)
def nothing_is_broken(cast):
    """After each test the rows hold what is always true of them."""
    yield
    found = {name: check().violations for name, check in registered().items() if name.startswith("booking.")}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def wish(cast, window, minutes=120, firm=None) -> Wish:
    return Wish(cast.xrd.pk, (firm or cast.firm).pk, window, minutes, "self_operated")


def others_ask(cast, during, key="other"):
    return ask(cast, during, who="he", firm=cast.other_firm, key=key)


# --- Holds ------------------------------------------------------------------------------------------------------------
def test_a_held_time_is_kept_from_others_and_booked_by_its_holder(cast, slot):
    held = holds.hold(cast.actor("lin"), cast.xrd.pk, slot(9, 11), cast.now)
    assert held.expires_at == cast.now + 8 * MINUTE
    with pytest.raises(Conflict):
        others_ask(cast, slot(10, 12))
    assert ask(cast, slot(9, 11)).state == "requested"
    assert not Occupancy.objects.filter(source="hold").exists()


def test_an_expired_hold_keeps_nobody_out_even_before_the_job_takes_it_away(cast, slot):
    holds.hold(cast.actor("lin"), cast.xrd.pk, slot(9, 11), cast.now - 9 * MINUTE)
    assert others_ask(cast, slot(9, 11)).state == "requested"


def test_the_job_takes_away_what_has_expired_and_nothing_else(cast, slot):
    holds.hold(cast.actor("lin"), cast.xrd.pk, slot(9, 11), cast.now)
    assert holds.release_expired(cast.now + 7 * MINUTE) == 0
    assert holds.release_expired(cast.now + 8 * MINUTE) == 1


def test_a_person_holds_one_time_of_an_instrument(cast, slot):
    holds.hold(cast.actor("lin"), cast.xrd.pk, slot(9, 11), cast.now)
    holds.hold(cast.actor("lin"), cast.xrd.pk, slot(13, 15), cast.now)
    assert Occupancy.objects.filter(source="hold").count() == 1
    assert others_ask(cast, slot(9, 11)).state == "requested"


def test_a_hold_is_renewed_and_not_for_ever(cast, slot):
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"hold_minutes": 10}, cast.now)
    lin, during = cast.actor("lin"), slot(9, 11)
    assert holds.hold(lin, cast.xrd.pk, during, cast.now).renewable
    assert holds.hold(lin, cast.xrd.pk, during, cast.now + 9 * MINUTE).expires_at == cast.now + 19 * MINUTE
    last = holds.hold(lin, cast.xrd.pk, during, cast.now + 25 * MINUTE)
    assert (last.expires_at, last.renewable) == (cast.now + 30 * MINUTE, False)
    with pytest.raises(Refusal) as refused:
        holds.hold(lin, cast.xrd.pk, during, cast.now + 30 * MINUTE)
    assert codes(refused) == ["hold.over"]


def test_what_is_taken_or_closed_cannot_be_held(cast, slot):
    others_ask(cast, slot(9, 11))
    with pytest.raises(Conflict) as refused:
        holds.hold(cast.actor("lin"), cast.xrd.pk, slot(10, 12), cast.now)
    assert codes(refused) == ["booking.just_taken"]
    with pytest.raises(Refusal) as refused:
        holds.hold(cast.actor("lin"), cast.xrd.pk, slot(21, 22), cast.now)
    assert codes(refused) == ["booking.outside_opening_hours"]


def test_letting_go_frees_the_time(cast, slot):
    holds.hold(cast.actor("lin"), cast.xrd.pk, slot(9, 11), cast.now)
    holds.release(cast.actor("lin"), cast.xrd.pk)
    assert others_ask(cast, slot(9, 11)).state == "requested"


def test_a_held_time_is_no_time_to_move_to(cast, slot):
    reserved = others_ask(cast, slot(13, 15))
    holds.hold(cast.actor("lin"), cast.xrd.pk, slot(9, 11), cast.now)
    with pytest.raises(Conflict):
        changes.change(cast.actor("he"), ChangeRequest(reserved.reservation_id, slot(9, 11)), cast.now, idempotency_key="m")


def test_a_hold_that_wanders_is_still_the_same_hold(cast, slot):
    lin = cast.actor("lin")
    minutes = holds.hold(lin, cast.xrd.pk, slot(9, 11), cast.now).expires_at - cast.now
    for turn, hours in enumerate([(9, 12), (10, 12), (10, 13)], start=1):
        last = holds.hold(lin, cast.xrd.pk, slot(*hours), cast.now + turn * minutes * 0.9)
    assert (last.expires_at, last.renewable) == (cast.now + 3 * minutes, False)


def test_nobody_holds_what_they_could_not_book(cast, slot):
    with pytest.raises(Forbidden) as refused:
        holds.hold(cast.actor("lin"), cast.xrd.pk, slot(9, 11), cast.now, customer_id=cast.other_firm.pk)
    assert codes(refused) == ["booking.not_for_this_organisation"]
    with pytest.raises(Forbidden):
        holds.hold(cast.actor("chen"), cast.xrd.pk, slot(9, 11), cast.now)
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"max_minutes": 60}, cast.now)
    with pytest.raises(Refusal) as refused:
        holds.hold(cast.actor("lin"), cast.xrd.pk, slot(9, 11), cast.now)
    assert codes(refused) == ["booking.too_long"]
    assert not Occupancy.objects.exists()


def test_a_hold_is_judged_by_the_mode_that_was_chosen_or_by_the_one_in_which_least_stands_against_it(cast, slot):
    cast.xrd.service_modes = ["self_operated", "operated_by_lab"]
    cast.xrd.save()
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"licence_needed": True}, cast.now)
    lin, during = cast.actor("lin"), slot(9, 11)
    for mode in ("", "operated_by_lab"):
        assert holds.hold(lin, cast.xrd.pk, during, cast.now, cast.firm.pk, mode).during == during
        holds.release(lin, cast.xrd.pk)
    with pytest.raises(Refusal) as refused:
        holds.hold(lin, cast.xrd.pk, during, cast.now, cast.firm.pk, "self_operated")
    assert codes(refused) == ["booking.licence_needed"]
    with pytest.raises(Refusal) as refused:
        holds.hold(lin, cast.xrd.pk, during, cast.now, cast.firm.pk, "sample_service")
    assert codes(refused) == ["booking.service_mode_unknown"]


def test_a_booking_with_nothing_in_its_way_looks_for_no_hold(cast, slot):
    with CaptureQueriesContext(connection) as told:
        ask(cast, slot(9, 11))
    assert not [one for one in told.captured_queries if one["sql"].lstrip().startswith("DELETE FROM booking_occupancy")]


# --- Waiting ----------------------------------------------------------------------------------------------------------
def test_who_waits_is_offered_the_time_that_frees_and_takes_it(cast, slot):
    taken = others_ask(cast, slot(8, 16))
    entry = waiting.join(cast.actor("lin"), wish(cast, slot(9, 11)), cast.now)
    assert waiting.offer_free_time(cast.now) == 0
    transitions.cancel(cast.actor("he"), taken.reservation_id, cast.now)
    assert waiting.offer_free_time(cast.now) == 1
    entry.refresh_from_db()
    assert (entry.state, entry.offered) == ("offered", slot(9, 11))
    assert Notice.objects.filter(event="waiting.offered", user=cast.users["lin"]).count() == 1
    with pytest.raises(Conflict):
        others_ask(cast, slot(9, 11), key="k2")
    reserved = waiting.accept(cast.actor("lin"), entry.pk, cast.now + 5 * MINUTE)
    assert Reservation.objects.get(pk=reserved.reservation_id).during == slot(9, 11)
    entry.refresh_from_db()
    assert (entry.state, entry.reservation_id) == ("taken", reserved.reservation_id)


@pytest.mark.parametrize("end", ["take", "pass", "withdraw", "nobody"])
def test_an_offer_needs_nobody_once_it_is_over(cast, slot, end):
    lin = cast.actor("lin")
    entry = waiting.join(lin, wish(cast, slot(9, 11)), cast.now)
    waiting.offer_free_time(cast.now)
    offered = Notice.objects.filter(event="waiting.offered", needs_action=True)
    assert offered.count() == 1
    if end == "nobody":
        waiting.offer_free_time(slot(11, 12).starts_at)
    else:
        act = {"take": waiting.accept, "pass": waiting.decline, "withdraw": waiting.withdraw}[end]
        act(lin, entry.pk, cast.now + MINUTE)
    assert not offered.exists()


def test_any_two_hours_of_a_day_are_found_where_they_are_free(cast, slot):
    others_ask(cast, slot(8, 15))
    entry = waiting.join(cast.actor("lin"), wish(cast, slot(8, 20)), cast.now)
    waiting.offer_free_time(cast.now)
    entry.refresh_from_db()
    assert entry.offered == slot(15, 17)


def test_what_a_person_does_with_a_hold_leaves_their_offer_alone(cast, slot):
    entry = waiting.join(cast.actor("lin"), wish(cast, slot(9, 11)), cast.now)
    waiting.offer_free_time(cast.now)
    holds.hold(cast.actor("lin"), cast.xrd.pk, slot(13, 15), cast.now)
    holds.release(cast.actor("lin"), cast.xrd.pk)
    assert waiting.offer_free_time(cast.now + MINUTE) == 0
    entry.refresh_from_db()
    assert (entry.state, entry.offers) == ("offered", 1)
    with pytest.raises(Conflict):
        others_ask(cast, slot(9, 11))
    waiting.accept(cast.actor("lin"), entry.pk, cast.now + 2 * MINUTE)


def test_an_answer_to_an_offer_leaves_the_persons_hold_alone(cast, slot):
    entry = waiting.join(cast.actor("lin"), wish(cast, slot(9, 11)), cast.now)
    waiting.offer_free_time(cast.now)
    holds.hold(cast.actor("lin"), cast.xrd.pk, slot(13, 15), cast.now)
    waiting.decline(cast.actor("lin"), entry.pk, cast.now)
    assert [one.source for one in Occupancy.objects.all()] == ["hold"]


def test_who_books_what_was_offered_waits_no_longer(cast, slot):
    entry = waiting.join(cast.actor("lin"), wish(cast, slot(9, 11)), cast.now)
    waiting.offer_free_time(cast.now)
    reserved = ask(cast, slot(9, 11))
    entry.refresh_from_db()
    assert (entry.state, entry.reservation_id) == ("taken", reserved.reservation_id)
    assert not Notice.objects.filter(event="waiting.offered", needs_action=True).exists()


def test_who_let_an_offer_pass_rests_and_then_stands_behind_the_others(cast, slot):
    first = waiting.join(cast.actor("lin"), wish(cast, slot(9, 11)), cast.now - 10 * MINUTE)
    waiting.offer_free_time(cast.now)
    waiting.decline(cast.actor("lin"), first.pk, cast.now)
    assert waiting.offer_free_time(cast.now + MINUTE) == 0
    second = waiting.join(cast.actor("he"), wish(cast, slot(9, 11), firm=cast.other_firm), cast.now - 5 * MINUTE)
    later = cast.now + REST
    assert waiting.offer_free_time(later) == 1
    assert [WaitEntry.objects.get(pk=one.pk).state for one in (first, second)] == ["waiting", "offered"]
    waiting.decline(cast.actor("he"), second.pk, later)
    assert waiting.offer_free_time(later) == 1
    assert [WaitEntry.objects.get(pk=one.pk).state for one in (first, second)] == ["offered", "waiting"]
    assert Notice.objects.filter(event="waiting.offered").count() == 3


def test_one_entry_that_fails_keeps_no_time_from_the_others(cast, slot, caplog):
    broken = waiting.join(cast.actor("lin"), wish(cast, slot(9, 11)), cast.now - 10 * MINUTE)
    over = waiting.join(cast.actor("he"), wish(cast, slot(9, 11), firm=cast.other_firm), cast.now - 9 * MINUTE)
    waiting.offer_free_time(cast.now)
    WaitEntry.objects.filter(pk=broken.pk).update(offers=32767, passed_at=cast.now - 2 * REST)
    WaitEntry.objects.filter(pk=broken.pk).update(state="waiting")
    Occupancy.objects.all().delete()
    waiting.offer_free_time(cast.now)
    assert [WaitEntry.objects.get(pk=one.pk).state for one in (broken, over)] == ["waiting", "offered"]
    assert f"entry of the waiting list {broken.pk} is parked" in caplog.text


def test_who_waits_longest_is_asked_first_and_alone(cast, slot):
    first = waiting.join(cast.actor("lin"), wish(cast, slot(9, 11)), cast.now - 10 * MINUTE)
    second = waiting.join(cast.actor("he"), wish(cast, slot(9, 11), firm=cast.other_firm), cast.now - 5 * MINUTE)
    assert waiting.offer_free_time(cast.now) == 1
    assert [WaitEntry.objects.get(pk=one.pk).state for one in (first, second)] == ["offered", "waiting"]
    waiting.decline(cast.actor("lin"), first.pk, cast.now + MINUTE)
    # Back in the list with the old place; the one behind is asked when the first lets it pass for good.
    waiting.withdraw(cast.actor("lin"), first.pk, cast.now + MINUTE)
    assert waiting.offer_free_time(cast.now + MINUTE) == 1
    assert WaitEntry.objects.get(pk=second.pk).state == "offered"


def test_what_begins_before_one_can_answer_is_not_offered(cast, slot):
    waiting.join(cast.actor("lin"), wish(cast, slot(9, 11)), cast.now)
    InstrumentPolicy.objects.update_or_create(instrument=cast.xrd, defaults={"notice_minutes": 0})
    assert waiting.offer_free_time(slot(9, 11).starts_at - 9 * MINUTE) == 0
    assert waiting.offer_free_time(slot(9, 11).starts_at - 10 * MINUTE) == 1


def test_an_offer_that_nobody_answers_passes_to_the_next(cast, slot):
    first = waiting.join(cast.actor("lin"), wish(cast, slot(9, 11)), cast.now - 10 * MINUTE)
    waiting.offer_free_time(cast.now)
    with pytest.raises(Refusal) as refused:
        waiting.accept(cast.actor("lin"), first.pk, cast.now + 61 * MINUTE)
    assert codes(refused) == ["wait.offer_over"]
    second = waiting.join(cast.actor("he"), wish(cast, slot(9, 11), firm=cast.other_firm), cast.now)
    waiting.offer_free_time(cast.now + 61 * MINUTE)
    states = {WaitEntry.objects.get(pk=one.pk).state for one in (first, second)}
    assert states == {"offered", "waiting"}


def test_nothing_is_offered_that_the_person_may_not_book(cast, slot):
    quota = {"subject": "person", "measure": "count", "period": "ahead", "most": 1, "peak_only": False}
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"quotas": [quota]}, cast.now)
    ask(cast, slot(13, 15))
    waiting.join(cast.actor("lin"), wish(cast, slot(9, 11)), cast.now)
    assert waiting.offer_free_time(cast.now) == 0


def test_an_entry_whose_days_are_over_lapses(cast, slot):
    entry = waiting.join(cast.actor("lin"), wish(cast, slot(9, 11)), cast.now)
    waiting.offer_free_time(slot(11, 12).starts_at)
    entry.refresh_from_db()
    assert entry.state == "lapsed"


def test_nobody_answers_for_another(cast, slot):
    entry = waiting.join(cast.actor("lin"), wish(cast, slot(9, 11)), cast.now)
    waiting.offer_free_time(cast.now)
    with pytest.raises(NotFound):
        waiting.accept(cast.actor("he"), entry.pk, cast.now)
    with pytest.raises(Forbidden):
        waiting.withdraw(cast.actor("wang"), entry.pk, cast.now)


@pytest.mark.parametrize(
    ("hours", "minutes", "code"),
    [((9, 10), 120, "wait.length"), ((9, 20), 45, "wait.length"), ((9, 24 * 90), 120, "wait.window")],
)
def test_a_wish_that_can_never_be_met_is_refused(cast, slot, hours, minutes, code):
    with pytest.raises(Refusal) as refused:
        waiting.join(cast.actor("lin"), wish(cast, slot(*hours), minutes), cast.now)
    assert codes(refused) == [code]


def test_a_person_waits_for_ten_times_at_most(cast, slot):
    for hour in range(10):
        waiting.join(cast.actor("lin"), wish(cast, slot(8 + hour, 10 + hour)), cast.now)
    with pytest.raises(Refusal) as refused:
        waiting.join(cast.actor("lin"), wish(cast, slot(8, 11)), cast.now)
    assert codes(refused) == ["wait.too_many"]


def test_nobody_waits_twice_for_the_same(cast, slot):
    first = waiting.join(cast.actor("lin"), wish(cast, slot(8, 20)), cast.now)
    with pytest.raises(Refusal) as refused:
        waiting.join(cast.actor("lin"), wish(cast, slot(8, 20)), cast.now)
    assert codes(refused) == ["wait.already"]
    waiting.withdraw(cast.actor("lin"), first.pk, cast.now)
    assert waiting.join(cast.actor("lin"), wish(cast, slot(8, 20)), cast.now).state == "waiting"


def test_one_time_of_an_instrument_is_on_offer_to_a_person_and_then_the_next_is_asked(cast, slot):
    for hour in range(5):
        waiting.join(cast.actor("lin"), wish(cast, slot(8, 20 - hour)), cast.now)
    waiting.join(cast.actor("he"), wish(cast, slot(8, 20), firm=cast.other_firm), cast.now)
    assert waiting.offer_free_time(cast.now) == 2
    offered = WaitEntry.objects.filter(state="offered").order_by("pk")
    assert [one.requested_by.full_name for one in offered] == [cast.users[name].full_name for name in ("lin", "he")]
    waiting.accept(cast.actor("lin"), offered[0].pk, cast.now)
    assert waiting.offer_free_time(cast.now) == 1


def test_as_long_as_can_be_booked_at_some_time_can_be_waited_for(cast, slot):
    always = [{"weekdays": [1, 2, 3, 4, 5, 6, 7], "from_minute": 480, "until_minute": 1200}]
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"max_minutes": 120, "unlimited": always}, cast.now)
    entry = waiting.join(cast.actor("lin"), wish(cast, slot(8, 20), 240), cast.now)
    assert waiting.offer_free_time(cast.now) == 1
    entry.refresh_from_db()
    assert entry.offered == slot(8, 12)


def test_nobody_waits_for_a_retired_instrument(cast, slot):
    Instrument.objects.filter(pk=cast.xrd.pk).update(status="retired")
    with pytest.raises(Refusal) as refused:
        waiting.join(cast.actor("lin"), wish(cast, slot(8, 20)), cast.now)
    assert codes(refused) == ["wait.retired"]


def leaves(cast):
    members.remove_member(cast.actor("zhao"), cast.firm.pk, cast.users["lin"].pk, cast.now)


def is_locked_out(cast):
    User.objects.filter(pk=cast.users["lin"].pk).update(is_active=False)


@pytest.mark.parametrize("ends", [leaves, is_locked_out])
@pytest.mark.parametrize("offered", [False, True])
def test_who_has_left_is_asked_no_more_and_what_was_kept_is_free(cast, slot, ends, offered):
    entry = waiting.join(cast.actor("lin"), wish(cast, slot(9, 11)), cast.now)
    if offered:
        waiting.offer_free_time(cast.now)
    told = Notice.objects.count()
    ends(cast)
    assert waiting.offer_free_time(cast.now) == 0
    entry.refresh_from_db()
    assert entry.state == "lapsed" and not Occupancy.objects.exists()
    assert Notice.objects.count() == told


@pytest.mark.parametrize("offered", [False, True])
def test_what_a_suspended_firm_waits_for_waits_until_it_may_book_again(cast, slot, offered):
    entry = waiting.join(cast.actor("lin"), wish(cast, slot(9, 11)), cast.now)
    if offered:
        waiting.offer_free_time(cast.now)
    Organisation.objects.filter(pk=cast.firm.pk).update(status="suspended")
    assert waiting.offer_free_time(cast.now) == 0
    entry.refresh_from_db()
    assert entry.state == "waiting" and not Occupancy.objects.exists()
    Organisation.objects.filter(pk=cast.firm.pk).update(status="verified")
    assert waiting.offer_free_time(cast.now + REST) == 1


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        ({"licensed_times": [{"weekdays": [1, 2, 3, 4, 5, 6, 7], "from_minute": 480, "until_minute": 720}]}, (12, 14)),
        ({"quotas": [{"subject": "person", "measure": "count", "period": "day", "most": 1}]}, (32, 34)),
    ],
)
def test_a_time_that_the_rules_forbid_hides_no_later_one(cast, slot, rules, found):
    ask(cast, slot(16, 18))
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), rules, cast.now)
    entry = waiting.join(cast.actor("lin"), wish(cast, slot(8, 44)), cast.now)
    assert waiting.offer_free_time(cast.now) == 1
    entry.refresh_from_db()
    assert entry.offered == slot(*found)


def test_to_look_for_those_who_wait_locks_nothing_and_reads_each_instrument_once(cast, slot):
    others_ask(cast, slot(8, 16))
    for hours in ((9, 11), (11, 13), (13, 15)):
        waiting.join(cast.actor("lin"), wish(cast, slot(*hours)), cast.now)
    with CaptureQueriesContext(connection) as told:
        assert waiting.offer_free_time(cast.now) == 0
    statements = [one["sql"] for one in told.captured_queries]
    assert not [one for one in statements if "FOR NO KEY UPDATE" in one]
    assert len([one for one in statements if 'FROM "instruments_instrument"' in one]) == 1


def test_who_books_beside_an_offer_lets_it_pass_and_waits_on(cast, slot):
    InstrumentPolicy.objects.create(instrument=cast.xrd, buffer_before_minutes=30)
    entry = waiting.join(cast.actor("lin"), wish(cast, slot(9, 11)), cast.now)
    waiting.offer_free_time(cast.now)
    ask(cast, slot(11, 12))
    entry.refresh_from_db()
    assert (entry.state, entry.reservation_id, entry.passed_at) == ("waiting", None, cast.now)
    assert not Occupancy.objects.filter(source="offer").exists()
    assert not Notice.objects.filter(event="waiting.offered", needs_action=True).exists()


def test_what_one_was_offered_is_not_held_beside_it_but_booked(cast, slot):
    waiting.join(cast.actor("lin"), wish(cast, slot(9, 11)), cast.now)
    waiting.offer_free_time(cast.now)
    with pytest.raises(Refusal) as refused:
        holds.hold(cast.actor("lin"), cast.xrd.pk, slot(9, 11), cast.now)
    assert codes(refused) == ["hold.offered"]
    with pytest.raises(Conflict):
        holds.hold(cast.actor("he"), cast.xrd.pk, slot(9, 11), cast.now)
    assert ask(cast, slot(9, 11)).state == "requested"


# --- Whom a hold keeps out ------------------------------------------------------------------------------------------------
def expired(cast, during, who="he"):
    holds.hold(cast.actor(who), cast.xrd.pk, during, cast.now - 9 * MINUTE)


def moved(cast, reserved, during, who="lin", **more):
    wanted = ChangeRequest(reserved.reservation_id, during, **more)
    return changes.change(cast.actor(who), wanted, cast.now, idempotency_key=f"{who}-{during}").state


def test_an_expired_hold_keeps_no_move_and_no_proposal_out(cast, slot):
    request, approved = ask(cast, slot(9, 10)), ask(cast, slot(10, 11), key="k2")
    transitions.approve(cast.actor("wang"), approved.reservation_id, cast.now)
    expired(cast, slot(13, 14))
    assert moved(cast, request, slot(13, 14)) == "made"
    expired(cast, slot(15, 16))
    assert moved(cast, approved, slot(15, 16)) == "open"


def test_who_moves_is_not_kept_out_by_the_own_hold_and_the_lab_is(cast, slot):
    reserved = ask(cast, slot(9, 10))
    holds.hold(cast.actor("lin"), cast.xrd.pk, slot(13, 14), cast.now)
    with pytest.raises(Conflict):
        moved(cast, reserved, slot(13, 14), who="wang", reason="Agreed by phone", agreed=True)
    assert moved(cast, reserved, slot(13, 14)) == "made"


def test_an_expired_hold_keeps_no_approval_and_no_maintenance_out(cast, slot):
    InstrumentPolicy.objects.create(instrument=cast.xrd, pending_blocks=False)
    reserved = ask(cast, slot(9, 10))
    expired(cast, slot(9, 10))
    transitions.approve(cast.actor("wang"), reserved.reservation_id, cast.now)
    expired(cast, slot(13, 14))
    maintenance.block(cast.actor("wang"), cast.xrd.pk, slot(13, 14), "New tube", cast.now)
    assert not Occupancy.objects.filter(source="hold").exists()
