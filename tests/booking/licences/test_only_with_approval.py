"""A low score under which whatever a person asks for waits for the lab."""

from __future__ import annotations

import pytest

from booking.models import CreditEvent, InstrumentPolicy, Reservation, ReservationChange
from booking.queries import policies as policy_queries
from booking.queries.policies import Somebody
from booking.queries.reservations import reservations_visible
from booking.queries.swaps import swappable
from booking.rules.changes import Side
from booking.services import changes, context, credit, only_with_approval, policies, reservations, swaps, transitions
from booking.services.changes import ChangeRequest
from booking.services.policies import Scope
from booking.services.reservations import ReservationRequest
from booking.services.swaps import Swap
from config.kernel.access import Role
from config.kernel.errors import Refusal
from instruments.models import Membership
from tests.booking.usage.conftest import wrong

RULES = {"start_points": 100, "points": {"no_show": 30}, "thresholds": [{"below": 80, "kind": "with_approval", "days": None}]}


@pytest.fixture
def at_once(cast):
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"approval_required": False}, cast.now)


@pytest.fixture
def by_rule(cast):
    """The lab approves, but not what members of customers ask for."""
    said = {"approval_required": True, "auto_approval": {"who": "anybody"}}
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), said, cast.now)


def low(cast, name="lin", points=-30):
    credit.set_rules(cast.actor("wang"), cast.lab.pk, RULES, cast.now)
    return credit.note_manual(cast.actor("wang"), cast.lab.pk, f"{name}@example.org", points, "Left it dirty", cast.now)


def ask(cast, slot, who="lin", first=9, firm=None):
    request = ReservationRequest(cast.xrd.pk, (firm or cast.firm).pk, slot(first, first + 2), "assisted")
    return reservations.reserve(cast.actor(who), request, cast.now, idempotency_key=f"{who}{first}")


def test_what_would_count_at_once_waits_for_the_lab_and_the_lab_may_approve_it(cast, slot, at_once):
    assert ask(cast, slot).state == "approved"
    low(cast)
    held = ask(cast, slot, first=12)
    assert held.state == "requested"
    assert ask(cast, slot, "he", 15, cast.other_firm).state == "approved", "others are not concerned"
    transitions.approve(cast.actor("wang"), held.reservation_id, cast.now)
    assert Reservation.objects.get(pk=held.reservation_id).state == "approved" and wrong() == {}


def test_nor_does_it_count_by_the_rule_for_such_requests(cast, slot, by_rule):
    assert ask(cast, slot).state == "approved"
    low(cast)
    assert ask(cast, slot, first=12).state == "requested"


def test_the_lab_keeps_nobody_from_booking_with_it_and_it_ends_with_the_points(cast, slot, at_once):
    low(cast)
    event = CreditEvent.objects.get()
    credit.note_manual(cast.actor("wang"), cast.lab.pk, "lin@example.org", 15, "Cleaned it", cast.now)
    assert ask(cast, slot).state == "approved" and event.lab_points == -30


def test_what_is_shown_before_says_the_same(cast, slot, at_once):
    def looks_for():
        who = Somebody(cast.users["lin"].pk, "Lin", cast.firm.pk, "Gaoyuan Lithium")
        found = policy_queries.tried(cast.actor("wang"), cast.xrd.pk, who, slot(9, 11), "assisted", cast.now, lambda *_: None)
        return [one.code for one in found.looks_for]

    assert looks_for() == []
    low(cast)
    assert looks_for() == ["at_once.only_with_approval"]


def test_a_time_that_is_moved_waits_for_the_lab_too(cast, slot, at_once):
    booked = ask(cast, slot).reservation_id
    low(cast)
    changes.change(cast.actor("lin"), ChangeRequest(booked, slot(13, 15)), cast.now, idempotency_key="m")
    assert ReservationChange.objects.get().state == "open"


def offered(cast, booked, who="lin", side=Side.CUSTOMER):
    one = reservations_visible(cast.actor(who)).select_related("instrument__policy").get(pk=booked)
    return [place.other.pk for place in swappable(cast.actor(who), one, side, cast.now)]


def test_a_swap_that_would_wait_for_the_lab_is_neither_offered_nor_made(cast, slot, at_once):
    one, other = ask(cast, slot).reservation_id, ask(cast, slot, first=13).reservation_id
    assert offered(cast, one) == [other]
    low(cast)
    assert offered(cast, one) == []
    with pytest.raises(Refusal) as refused:
        swaps.swap(cast.actor("lin"), Swap(one, other), cast.now, idempotency_key="s")
    assert [reason.code for reason in refused.value.reasons] == ["swap.lab_decides"]
    assert offered(cast, one, "wang", Side.LAB) == [other], "the lab says that both have agreed"


def test_of_several_peoples_bookings_those_are_offered_whose_person_may(cast, slot, at_once, django_assert_num_queries):
    """The administrator of a firm may swap what its people booked; a score is each person's own."""
    Membership.objects.create(user=cast.users["zhao"], organisation=cast.firm, role=Role.RESEARCHER, created_at=cast.now)
    own, of_lin = ask(cast, slot, "zhao").reservation_id, ask(cast, slot, first=13).reservation_id
    again = ask(cast, slot, "zhao", 16).reservation_id
    assert offered(cast, own, "zhao") == [of_lin, again]
    low(cast)
    assert offered(cast, own, "zhao") == [again] and offered(cast, of_lin, "zhao") == []
    one = reservations_visible(cast.actor("zhao")).select_related("instrument__policy").get(pk=own)
    actor = cast.actor("zhao")
    with django_assert_num_queries(3):
        swappable(actor, one, Side.CUSTOMER, cast.now)
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"approval_required": True}, cast.now)
    one = reservations_visible(cast.actor("zhao")).select_related("instrument__policy").get(pk=own)
    with django_assert_num_queries(2):
        assert swappable(actor, one, Side.CUSTOMER, cast.now) == []


def test_where_the_lab_looks_anyway_nothing_more_is_asked(cast, django_assert_num_queries):
    low(cast)
    found = context.load(cast.actor("lin"), cast.xrd.pk, lock=False)
    with django_assert_num_queries(0):
        assert only_with_approval.applied(found, cast.users["lin"].pk, cast.firm.pk, cast.now) is found


def test_one_who_may_not_book_at_all_does_not_book_with_approval(cast, slot, at_once):
    strict = RULES | {"thresholds": [*RULES["thresholds"], {"below": 80, "kind": "no_booking", "days": 7}]}
    low(cast)
    credit.set_rules(cast.actor("wang"), cast.lab.pk, strict, cast.now)
    with pytest.raises(Refusal):
        ask(cast, slot)
    assert InstrumentPolicy.objects.exists()
