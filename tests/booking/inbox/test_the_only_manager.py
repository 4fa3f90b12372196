"""A lab with one manager: who decides about what that manager asks for, who hears of it, and when it is not asked for at all."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from booking import queries
from booking.models import Reservation, ReservationChange
from booking.queries.reservations import requests_waiting
from booking.services import changes, deciders, decisions, inbox, policies, reservations, transitions
from booking.services.changes import ChangeRequest
from booking.services.policies import Scope
from booking.services.reservations import ReservationRequest
from config.kernel.access import Role
from config.kernel.errors import Forbidden, Refusal
from frontend.presenters.open_change import open_change
from instruments.models import Membership, Notice, User
from tests.booking.usage.conftest import codes


def belongs(cast, name, role, organisation=None, **fields):
    user = cast.users.get(name) or User.objects.create(
        email=f"{name}@example.org", full_name=name.title(), password="!", language="en", **fields
    )
    Membership.objects.create(user=user, organisation=organisation or cast.lab, role=role, created_at=cast.now)
    cast.users[name] = user
    return user


@pytest.fixture
def head(cast):
    """An administrator of the institution that has the lab."""
    return belongs(cast, "yu", Role.FIRM_ADMIN)


def ask(cast, slot, who="wang", organisation=None, first=9, **fields):
    request = ReservationRequest(cast.xrd.pk, (organisation or cast.lab).pk, slot(first, first + 2), "assisted", **fields)
    pk = reservations.reserve(cast.actor(who), request, cast.now, idempotency_key=f"{who}{first}").reservation_id
    return Reservation.objects.select_related("instrument").get(pk=pk)


def told(event="reservation.requested"):
    return set(Notice.objects.filter(event=event, needs_action=True).values_list("user__full_name", flat=True))


def test_the_administrator_is_told_at_once_sees_it_and_decides(cast, slot, head):
    own = ask(cast, slot)
    assert told() == {"Wang", "Yu"}
    assert list(requests_waiting(cast.actor("yu"))) == [own]
    with pytest.raises(Refusal) as refused:
        transitions.approve(cast.actor("wang"), own.pk, cast.now)
    assert codes(refused) == {"booking.own_request"}
    inbox.decide(cast.actor("yu"), own.pk, inbox.Wish(inbox.Verdict.APPROVE), cast.now)
    own.refresh_from_db()
    assert own.state == "approved"
    decisions.take_back(cast.actor("yu"), own.pk, cast.now)
    transitions.reject(cast.actor("yu"), own.pk, cast.now, "Not this week")
    own.refresh_from_db()
    assert own.state == "rejected" and told() == set()


def test_what_anybody_else_asks_for_is_not_the_administrators(cast, slot, head):
    theirs = ask(cast, slot, "lin", cast.firm)
    ours = ask(cast, slot, "yu", first=12)
    assert told() == {"Wang"} and not requests_waiting(cast.actor("yu")).exists()
    for pk in (theirs.pk, ours.pk):
        with pytest.raises(Refusal):
            transitions.approve(cast.actor("yu"), pk, cast.now)
        transitions.approve(cast.actor("wang"), pk, cast.now)


def test_with_another_manager_the_administrator_has_nothing_to_say(cast, slot, head):
    belongs(cast, "ma", Role.LAB_MANAGER)
    own = ask(cast, slot)
    assert told() == {"Wang", "Ma"}
    with pytest.raises(Forbidden):
        transitions.approve(cast.actor("yu"), own.pk, cast.now)
    transitions.approve(cast.actor("ma"), own.pk, cast.now)


def test_a_manager_who_cannot_log_in_decides_nothing(cast, slot, head):
    belongs(cast, "ma", Role.LAB_MANAGER, is_active=False)
    own = ask(cast, slot)
    assert told() == {"Wang", "Yu"}
    transitions.approve(cast.actor("yu"), own.pk, cast.now)


@pytest.mark.parametrize("theirs", ["nobody", "the same person", "another organisation's"])
def test_what_nobody_could_decide_about_is_not_asked_for(cast, slot, theirs):
    if theirs == "the same person":
        belongs(cast, "wang", Role.FIRM_ADMIN)
    if theirs == "another organisation's":
        belongs(cast, "yu", Role.FIRM_ADMIN)
        belongs(cast, "wang", Role.RESEARCHER, cast.firm)
    with pytest.raises(Refusal) as refused:
        ask(cast, slot, organisation=cast.firm if theirs == "another organisation's" else None)
    assert codes(refused) == {"booking.nobody_decides"} and not Reservation.objects.exists()


def test_a_move_of_the_managers_own_booking_is_the_administrators_to_answer(cast, slot, head):
    own = ask(cast, slot)
    transitions.approve(cast.actor("yu"), own.pk, cast.now)
    changes.change(cast.actor("wang"), ChangeRequest(own.pk, slot(13, 15)), cast.now, idempotency_key="m")
    row = ReservationChange.objects.get()
    assert row.state == "open" and told("reservation.change_proposed_to_lab") == {"Wang", "Yu"}
    shown = open_change(cast.actor("yu"), own, cast.now)
    assert shown is not None and not shown.is_own
    with pytest.raises(Refusal) as refused:
        changes.accept(cast.actor("wang"), row.pk, cast.now)
    assert codes(refused) == {"booking.own_request"}
    changes.accept(cast.actor("yu"), row.pk, cast.now)
    own.refresh_from_db()
    assert own.during == slot(13, 15)


def test_nor_is_a_move_asked_for_that_nobody_could_answer(cast, slot, head):
    own = ask(cast, slot)
    transitions.approve(cast.actor("yu"), own.pk, cast.now)
    User.objects.filter(pk=head.pk).update(is_active=False)
    with pytest.raises(Refusal) as refused:
        changes.change(cast.actor("wang"), ChangeRequest(own.pk, slot(13, 15)), cast.now, idempotency_key="m")
    assert codes(refused) == {"booking.nobody_decides"} and not ReservationChange.objects.exists()


def test_where_nobody_approves_the_only_manager_books(cast, slot):
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"approval_required": False}, cast.now)
    assert ask(cast, slot).state == "approved"


def test_who_would_decide_is_known_before_and_costs_others_no_query(cast, head):
    assert deciders.of_own([cast.actor("wang")], cast.lab.pk, cast.lab.pk).names == ["Yu"]
    assert deciders.of_own([cast.actor("wang")], cast.lab.pk, cast.firm.pk).nobody
    belongs(cast, "ma", Role.LAB_MANAGER)
    assert deciders.of_own([cast.actor("wang")], cast.lab.pk, cast.lab.pk).names == ["Ma"]
    lin = cast.actor("lin")
    with CaptureQueriesContext(connection) as told_:
        assert deciders.of_own([lin], cast.lab.pk, cast.firm.pk) is None
    assert len(told_) == 0


def test_an_administrator_of_a_customer_has_no_inbox(cast, head):
    assert deciders.has_inbox(cast.actor("yu")) and deciders.has_inbox(cast.actor("wang"))
    for name in ("zhao", "lin", "li"):
        with pytest.raises(Forbidden):
            deciders.require_inbox(cast.actor(name))
    assert queries.approval_inbox(cast.actor("zhao")).count() == 0
