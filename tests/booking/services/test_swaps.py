"""Two bookings exchange their places: both move, or neither."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.utils import translation

from billing.ledger.models import Account
from billing.pricing.models import PriceVersion
from billing.settlement import swap_figures
from billing.settlement.models import Quote
from booking.models import Occupancy, Reservation, ReservationChange
from booking.services import changes, policies, reservations, swaps, transitions
from booking.services.changes import ChangeRequest
from booking.services.policies import Scope
from booking.services.reservations import ReservationRequest
from booking.services.swaps import Swap, Swapped
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.invariants import registered
from config.kernel.messages import reason_sentence
from config.kernel.models import AuditEntry
from config.kernel.time_range import TimeRange
from instruments.models import Notice
from tests.booking.services.test_reservation_flow import ask
from tests.concurrency.world import add_instrument
from tests.conftest import PRICE
from tests.heads import with_head


def codes(refused) -> list[str]:
    return [reason.code for reason in refused.value.reasons]


def swap(cast, one: int, other: int, who="lin", key="s1", **more) -> Swapped:
    return swaps.swap(cast.actor(who), Swap(one, other, **more), cast.now, idempotency_key=key)


def by_the_lab(cast, one: int, other: int, **more) -> Swapped:
    return swap(cast, one, other, "wang", **{"reason": "Both agreed by phone", "agreed": True, **more})


def at(pk: int) -> TimeRange:
    return Reservation.objects.get(pk=pk).during


def taken(pk: int) -> tuple[bool, TimeRange]:
    row = Occupancy.objects.get(reservation_id=pk)
    return row.blocking, TimeRange(row.during.lower, row.during.upper)


def held() -> int:
    return sum(Account.objects.filter(kind="pool").values_list("held_fen", flat=True))


@pytest.fixture
def booked(cast, programmes, slot):
    """Books hours of the 25th, for the firm of Lin or that of He; approved where that is said."""

    def make(first: float, last: float, *, approved: bool = False, who: str = "lin") -> int:
        firm = cast.firm if who == "lin" else cast.other_firm
        pk = ask(cast, slot(first, last), who=who, firm=firm, key=f"{who}{first}").reservation_id
        if approved:
            transitions.approve(cast.actor("wang"), pk, cast.now)
        return pk

    return make


@pytest.fixture(autouse=True)
def nothing_is_broken(cast):
    """After each test the rows hold what is always true of them, of time and of money."""
    yield
    found = {name: check().violations for name, check in registered().items() if name.startswith(("booking.", "billing."))}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_adjacent_requests_of_equal_length_take_each_others_place_at_once(cast, booked, slot):
    one, other = booked(9, 11), booked(11, 13)
    swapped = swap(cast, one, other, reason="The furnace is free later")
    assert (at(one), at(other)) == (slot(11, 13), slot(9, 11))
    assert (taken(one), taken(other)) == ((True, slot(11, 13)), (True, slot(9, 11)))
    made = ReservationChange.objects.filter(pk__in=swapped.change_ids).order_by("pk")
    assert [(row.reservation_id, row.state, row.during) for row in made] == [
        (one, "made", slot(11, 13)),
        (other, "made", slot(9, 11)),
    ]
    for pk in (one, other):
        assert Reservation.objects.get(pk=pk).transitions.filter(action="move").count() == 1
        assert AuditEntry.objects.filter(action="reservation.move", object_id=str(pk)).count() == 1


def test_each_keeps_its_own_length_where_the_longer_comes_first(cast, booked, slot):
    one, other = booked(9, 12), booked(12, 13)
    swap(cast, one, other)
    assert (at(one), at(other)) == (slot(12, 15), slot(9, 10))
    assert ask(cast, slot(10, 12), who="he", firm=cast.other_firm, key="free").state == "requested"


def test_what_would_then_overlap_is_refused_with_the_way_on(cast, booked, slot):
    one, other = booked(9, 10), booked(10, 13)
    with pytest.raises(Refusal) as refused:
        swap(cast, one, other)
    assert codes(refused) == ["swap.overlap"]
    assert (at(one), at(other)) == (slot(9, 10), slot(10, 13))


@pytest.mark.parametrize("turned", [False, True])
def test_a_third_booking_in_the_way_leaves_both_untouched_whichever_is_named_first(cast, booked, slot, turned):
    short, long, third = booked(9, 10), booked(14, 17), booked(11, 12, who="he")
    before = held(), [taken(pk) for pk in (short, long, third)]
    with pytest.raises(Conflict) as refused:
        swap(cast, *((long, short) if turned else (short, long)))
    assert codes(refused) == ["booking.just_taken"] and refused.value.extra["alternatives"]
    assert refused.value.reasons[0].params["starts_at"].startswith("2026-11-25T09:00")
    assert refused.value.reasons[0].params["ends_at"].startswith("2026-11-25T12:00")
    assert (held(), [taken(pk) for pk in (short, long, third)]) == before
    assert not ReservationChange.objects.exists()


def test_the_lab_swaps_two_customers_who_agreed_and_money_stays_held(cast, booked, slot):
    one, other = booked(9, 11, approved=True), booked(14, 16, approved=True, who="he")
    before = held()
    by_the_lab(cast, one, other)
    assert (at(one), at(other)) == (slot(14, 16), slot(9, 11))
    assert held() == before > 0
    for pk in (one, other):
        latest = Quote.objects.filter(reservation_id=pk).latest("revision")
        assert latest.revision > 1 and latest.held_at is not None
    assert set(ReservationChange.objects.values_list("side", "reason")) == {("lab", "Both agreed by phone")}
    moved = Notice.objects.filter(event="reservation.moved")
    assert set(moved.values_list("user_id", flat=True)) == {cast.users["lin"].pk, cast.users["he"].pk}
    for pk, who in ((one, "lin"), (other, "he")):
        transitions.cancel(cast.actor(who), pk, cast.now)
    assert held() == 0


def test_what_is_approved_the_lab_swaps_only_with_the_customers_yes_and_a_reason(cast, booked, slot):
    one, other = booked(9, 11, approved=True), booked(14, 16, who="he")
    with pytest.raises(Refusal) as refused:
        by_the_lab(cast, one, other, agreed=False)
    assert codes(refused) == ["swap.agreed_first"]
    with pytest.raises(Refusal) as refused:
        by_the_lab(cast, one, other, reason=" ")
    assert codes(refused) == ["booking.reason_missing"]
    assert (at(one), at(other)) == (slot(9, 11), slot(14, 16))


def test_requests_too_are_their_customers_and_the_lab_moves_neither_without_a_yes(cast, booked, slot):
    one, other = booked(9, 11), booked(14, 16, who="he")
    with pytest.raises(Refusal) as refused:
        by_the_lab(cast, one, other, agreed=False)
    assert codes(refused) == ["swap.agreed_first"]
    by_the_lab(cast, one, other)
    assert (at(one), at(other)) == (slot(14, 16), slot(9, 11))


def test_what_can_only_be_given_back_late_is_not_swapped_with_what_could_be_given_back_in_time(cast, programmes, slot):
    late = ask(cast, slot(9, 11)).reservation_id
    later = ask(cast, slot(9, 11, day=9), key="k2").reservation_id
    for pk in (late, later):
        transitions.approve(cast.actor("wang"), pk, cast.now)
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"approval_required": False}, cast.now)
    evening = replace(cast, now=slot(9, 11).starts_at - timedelta(hours=12))
    for pair in ((late, later), (later, late)):
        with pytest.raises(Refusal) as refused:
            swap(evening, *pair)
        assert codes(refused) == ["swap.too_late"]
    assert (at(late), at(later)) == (slot(9, 11), slot(9, 11, day=9))


def test_the_customer_asks_the_lab_to_swap_what_it_has_approved_and_a_tick_does_not_help(cast, booked, slot):
    one, other = booked(9, 11), booked(14, 16, approved=True)
    with pytest.raises(Refusal) as refused:
        swap(cast, one, other, agreed=True)
    assert codes(refused) == ["swap.lab_decides"]
    assert (at(one), at(other)) == (slot(9, 11), slot(14, 16))


def test_where_the_lab_asks_for_no_approval_the_customer_swaps_what_is_approved(cast, booked, slot):
    one, other = booked(9, 11, approved=True), booked(14, 16, approved=True)
    before = held()
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"approval_required": False}, cast.now)
    swap(cast, one, other)
    assert (at(one), at(other), held()) == (slot(14, 16), slot(9, 11), before)


def test_requests_that_do_not_block_still_do_not_block_afterwards(cast, booked, slot):
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"pending_blocks": False}, cast.now)
    request, approved = booked(9, 11, who="he"), booked(14, 16, approved=True)
    assert (taken(request)[0], taken(approved)[0]) == (False, True)
    by_the_lab(cast, request, approved)
    assert (taken(request), taken(approved)) == ((False, slot(14, 16)), (True, slot(9, 11)))
    by_the_lab(cast, approved, request, key="back")
    assert (taken(request), taken(approved)) == ((False, slot(9, 11)), (True, slot(14, 16)))


def test_a_rule_that_the_second_breaks_leaves_the_first_untouched(cast, booked, slot):
    one, other = booked(9, 10), booked(14, 17)
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"max_minutes": 120}, cast.now)
    with pytest.raises(Refusal) as refused:
        swap(cast, one, other)
    assert codes(refused) == ["booking.too_long"]
    assert (at(one), at(other)) == (slot(9, 10), slot(14, 17))
    assert not ReservationChange.objects.exists()


def test_what_would_cost_one_of_them_more_is_not_swapped_unseen(cast, booked, slot):
    one = booked(9, 11, approved=True)
    other = ask(cast, slot(14, 16, day=1), who="he", firm=cast.other_firm, key="k2").reservation_id
    dearer = PRICE | {"rates": dict.fromkeys(PRICE["rates"], "900")}
    PriceVersion.objects.create(instrument=cast.xrd, effective_from=date(2026, 11, 26), document=dearer, published_at=cast.now)
    before = held()
    with pytest.raises(Conflict) as refused:
        by_the_lab(cast, one, other)
    assert codes(refused) == ["change.dearer"]
    assert (at(one), at(other), held()) == (slot(9, 11), slot(14, 16, day=1), before)


def test_a_quota_counts_the_other_one_where_it_will_be(cast, programmes, slot):
    """One of each day: while one was judged with the other still in its old place, that day would hold two."""
    one = ask(cast, slot(9, 11)).reservation_id
    other = ask(cast, slot(14, 16, day=1), key="k2").reservation_id
    quota = {"subject": "person", "measure": "count", "period": "day", "most": 1, "peak_only": False}
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"quotas": [quota]}, cast.now)
    swap(cast, one, other)
    assert (at(one), at(other)) == (slot(14, 16, day=1), slot(9, 11))


def test_a_booking_is_not_swapped_with_itself_or_with_another_calendars(cast, booked, slot):
    one = booked(9, 11)
    with pytest.raises(Refusal) as refused:
        swap(cast, one, one)
    assert codes(refused) == ["swap.same"]
    request = ReservationRequest(add_instrument(cast, "Microscope").pk, cast.firm.pk, slot(14, 16), "self_operated", "grains")
    elsewhere = reservations.reserve(cast.actor("lin"), request, cast.now, idempotency_key="sem").reservation_id
    with pytest.raises(Refusal) as refused:
        swap(cast, one, elsewhere)
    assert codes(refused) == ["swap.other_calendar"]


def test_nobody_swaps_with_a_strangers_booking_or_with_a_colleagues(cast, booked, slot):
    one, theirs = booked(9, 11), booked(14, 16, who="he")
    for pair in ((one, theirs), (theirs, one), (one, 10**9)):
        with pytest.raises(NotFound):
            swap(cast, *pair)
    Reservation.objects.filter(pk=theirs).update(organisation=cast.firm, requested_by=cast.users["zhao"])
    with pytest.raises(Forbidden):
        swap(cast, one, theirs)
    Reservation.objects.filter(pk=theirs).update(organisation=cast.other_firm, requested_by=cast.users["he"])
    assert (at(one), at(theirs)) == (slot(9, 11), slot(14, 16))


def test_a_manager_gives_no_customers_time_to_an_own_booking(cast, booked, slot):
    with_head(cast)
    theirs = booked(9, 11)
    own = ask(cast, slot(14, 16), who="wang", firm=cast.lab, key="own").reservation_id
    with pytest.raises(Refusal) as refused:
        by_the_lab(cast, theirs, own)
    assert codes(refused) == ["swap.two_sides"]


def test_a_start_that_was_not_shown_is_not_swapped(cast, booked, slot):
    one, other = booked(9, 11), booked(14, 16)
    for seen in ((slot(10, 11).starts_at, None), (slot(9, 11).starts_at, slot(15, 16).starts_at)):
        with pytest.raises(Conflict) as refused:
            swap(cast, one, other, seen=seen)
        assert codes(refused) == ["booking.changed_meanwhile"]
    swap(cast, one, other, seen=(slot(9, 11).starts_at, slot(14, 16).starts_at))
    assert at(one) == slot(14, 16)


def test_an_open_proposal_or_a_begun_session_stands_against_it(cast, booked, slot):
    one, other = booked(9, 11, approved=True), booked(14, 16, approved=True)
    later = replace(cast, now=slot(10, 11).starts_at)
    with pytest.raises(Refusal) as refused:
        by_the_lab(later, other, one)
    assert codes(refused) == ["change.begun"]
    changes.change(cast.actor("lin"), ChangeRequest(other, slot(17, 19)), cast.now, idempotency_key="m1")
    with pytest.raises(Refusal) as refused:
        by_the_lab(cast, one, other)
    assert codes(refused) == ["change.one_open"]


def test_the_same_key_swaps_once(cast, booked, slot):
    one, other = booked(9, 11), booked(14, 16)
    first, second = swap(cast, one, other), swap(cast, one, other)
    assert (first.change_ids, second.replayed, at(one)) == (second.change_ids, True, slot(14, 16))
    with pytest.raises(Refusal) as refused:
        swap(cast, other, one)
    assert codes(refused) == ["idempotency.other_payload"]


def test_looking_at_a_swap_says_what_both_would_cost_and_changes_nothing(cast, booked, slot):
    one, other = booked(9, 11), booked(14, 15)
    before = (at(one), at(other), Quote.objects.count(), ReservationChange.objects.count(), AuditEntry.objects.count())
    first, second = swap_figures.look(cast.actor("lin"), Swap(one, other), cast.now)
    assert (first.reservation_id, second.reservation_id) == (one, other)
    assert first.before.gross_fen == first.after.gross_fen > second.after.gross_fen > 0
    assert before == (at(one), at(other), Quote.objects.count(), ReservationChange.objects.count(), AuditEntry.objects.count())


def test_a_look_shows_what_the_swap_then_costs(cast, booked, slot):
    one, other = booked(9, 11), booked(18, 20)
    first, _second = swap_figures.look(cast.actor("lin"), Swap(one, other), cast.now)
    swap(cast, one, other)
    assert Quote.objects.filter(reservation=one).latest("revision").final_cost_fen == first.after.final_cost_fen


def test_a_look_is_refused_as_the_swap_would_be_and_names_the_booking(cast, booked, slot):
    one, other = booked(9, 12), booked(14, 15)
    booked(16, 17, who="he")
    with pytest.raises(Conflict) as refused:
        swap_figures.look(cast.actor("lin"), Swap(one, other), cast.now)
    assert codes(refused) == ["swap.no_room"]
    assert refused.value.reasons[0].about == Reservation.objects.get(pk=one).reference


def test_a_refusal_by_a_rule_says_which_of_the_two_it_is_about(cast, booked, slot):
    one, other = booked(9, 11), booked(14, 15)
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"max_minutes": 90}, cast.now)
    with pytest.raises(Refusal) as refused:
        swap(cast, one, other)
    reference = Reservation.objects.get(pk=one).reference
    assert [(reason.code, reason.about) for reason in refused.value.reasons] == [("booking.too_long", reference)]
    with translation.override("en"):
        assert reason_sentence(refused.value.reasons[0]).startswith(f"{reference}: ")


def test_what_is_taken_is_answered_for_the_one_that_has_no_room(cast, booked, slot):
    one, other = booked(9, 12), booked(14, 15)
    booked(16, 17, who="he")
    with pytest.raises(Conflict) as refused:
        swap(cast, one, other)
    assert [(reason.code, reason.about) for reason in refused.value.reasons] == [
        ("booking.just_taken", Reservation.objects.get(pk=one).reference)
    ]
