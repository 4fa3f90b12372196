"""Booking in a colleague's name: only with consent, under the colleague's rules, and both may give it back."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.pricing import services as pricing
from billing.settlement import fee_figures
from booking.models import BookingConsent, Occupancy, Reservation, ReservationTransition
from booking.queries import consents as queries
from booking.queries import inbox
from booking.rules.leaving import Fault
from booking.rules.states import Action
from booking.services import changes, consents, holds, policies, reservations, transitions
from booking.services.reservations import ReservationRequest
from config.kernel.access import Role
from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.models import AuditEntry
from frontend.presenters import life
from instruments.models import Membership, Notice, User
from tests.booking.usage.conftest import wrong
from tests.conftest import PRICE
from tests.heads import with_head
from tests.spending import build_spenders

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 23)


@pytest.fixture
def mei(cast):
    """A researcher of Lin's firm, who lets Lin book in her name."""
    user = User.objects.create(email="mei@example.org", full_name="Mei", password="!", language="en")
    Membership.objects.create(user=user, organisation=cast.firm, role=Role.RESEARCHER, created_at=cast.now)
    cast.users["mei"] = user
    consents.give(cast.actor("mei"), cast.firm.pk, cast.users["lin"].pk, TODAY + timedelta(days=30), cast.now)
    return user


def book(cast, during, whose, who="lin", firm=None, key="k", now=None, **more):
    request = ReservationRequest(cast.xrd.pk, (firm or cast.firm).pk, during, "assisted", for_person_id=whose.pk, **more)
    done = reservations.reserve(cast.actor(who), request, now or cast.now, idempotency_key=key)
    return Reservation.objects.get(pk=done.reservation_id)


def code_of(refused):
    return [(reason.code, reason.field) for reason in refused.value.reasons]


def test_it_is_the_colleagues_booking_and_the_history_says_who_made_it(cast, slot, mei):
    reservation = book(cast, slot(9, 12), mei)
    assert (reservation.requested_by, reservation.booked_by) == (mei, cast.users["lin"])
    assert ReservationTransition.objects.get().actor == cast.users["lin"]
    told = Notice.objects.filter(event="reservation.booked_for_you")
    assert [(one.user, one.params["who"]) for one in told] == [(mei, "Lin")]
    transitions.approve(cast.actor("wang"), reservation.pk, cast.now)
    assert {one.user.email for one in Notice.objects.filter(event="reservation.approved")} == {
        "lin@example.org",
        "mei@example.org",
    }
    assert wrong() == {}


@pytest.mark.parametrize("who", ["lin", "mei", "zhao"])
def test_both_may_give_it_back_and_the_administrator_too(cast, slot, mei, who):
    reservation = book(cast, slot(9, 12), mei)
    transitions.cancel(cast.actor(who), reservation.pk, cast.now)
    assert Reservation.objects.get().state == "cancelled"


def test_one_booked_for_oneself_has_no_second_name(cast, slot):
    assert book(cast, slot(9, 12), cast.users["lin"]).booked_by is None


@pytest.mark.parametrize("why", ["never", "ended", "over", "other way", "other firm", "left"])
def test_without_a_consent_that_holds_nothing_is_booked(cast, slot, mei, why):
    who, whose, now = "lin", mei, cast.now
    if why == "never":
        who = "zhao"
    elif why == "ended":
        consents.end(cast.actor("mei"), BookingConsent.objects.get().pk, cast.now)
    elif why == "over":
        BookingConsent.objects.update(until_on=TODAY - timedelta(days=1))
    elif why == "other way":
        who, whose = "mei", cast.users["lin"]
    elif why == "other firm":
        BookingConsent.objects.update(organisation=cast.other_firm)
    else:
        Membership.objects.filter(user=mei).delete()
    with pytest.raises(Refusal) as refused:
        book(cast, slot(9, 12), whose, who=who, now=now)
    assert code_of(refused) == [("consent.missing", "for_person")]
    assert not Reservation.objects.exists()


def test_the_rules_about_people_are_asked_for_the_colleague(cast, slot, mei):
    """One booking ahead for each person: Mei's place is used up by what Lin books for her, and Lin's own is not."""
    quota = {"subject": "person", "measure": "count", "period": "ahead", "most": 1, "peak_only": False}
    policies.say(cast.actor("wang"), policies.Scope(cast.lab.pk), {"quotas": [quota]}, cast.now)
    book(cast, slot(9, 10), mei, key="a")
    book(cast, slot(11, 12), cast.users["lin"], key="b")
    with pytest.raises(Refusal) as refused:
        book(cast, slot(13, 14), mei, key="c")
    assert [code for code, _field in code_of(refused)] == ["quota.person_count_ahead"]


def test_it_is_paid_from_a_card_of_the_colleagues_not_of_ones_own(cast, slot):
    card = build_spenders(cast, threshold_fen=None).card
    consents.give(cast.actor("ma"), cast.lab.pk, cast.users["tan"].pk, TODAY, cast.now)
    with pytest.raises(NotFound):
        book(cast, slot(9, 10), cast.users["tan"], who="tan", firm=cast.lab, fund_card_id=card.pk, key="a")
    consents.give(cast.actor("tan"), cast.lab.pk, cast.users["ma"].pk, TODAY, cast.now)
    with pytest.raises(Refusal) as refused:  # Ma's own card, and Tan's name
        book(cast, slot(9, 10), cast.users["tan"], who="ma", firm=cast.lab, fund_card_id=card.pk, key="c")
    assert code_of(refused) == [("card.choose", "fund_card")]
    mas = book(cast, slot(9, 10), cast.users["ma"], who="tan", firm=cast.lab, fund_card_id=card.pk, key="b")
    assert (mas.fund_card, mas.requested_by) == (card, cast.users["ma"])


def test_a_manager_who_booked_for_a_colleague_does_not_approve_it(cast, slot):
    with_head(cast)
    build_spenders(cast)
    Membership.objects.create(user=cast.users["wang"], organisation=cast.lab, role=Role.RESEARCHER, created_at=cast.now)
    consents.give(cast.actor("ma"), cast.lab.pk, cast.users["wang"].pk, TODAY, cast.now)
    reservation = book(cast, slot(9, 10), cast.users["ma"], who="wang", firm=cast.lab)
    with pytest.raises(Refusal) as refused:
        transitions.approve(cast.actor("wang"), reservation.pk, cast.now)
    assert code_of(refused) == [("booking.own_request", "")]


def test_a_manager_who_booked_for_a_colleague_gives_it_back_late_as_anybody_does(cast, slot):
    with_head(cast)
    build_spenders(cast)
    Membership.objects.create(user=cast.users["wang"], organisation=cast.lab, role=Role.RESEARCHER, created_at=cast.now)
    consents.give(cast.actor("ma"), cast.lab.pk, cast.users["wang"].pk, TODAY, cast.now)
    reservation = book(cast, slot(9, 10), cast.users["ma"], who="wang", firm=cast.lab)
    Reservation.objects.update(state="approved")
    reservation.refresh_from_db()
    late = reservation.starts_at - timedelta(minutes=1)
    faults = {who: transitions.fault_in(reservation, Action.CANCEL, cast.actor(who), late) for who in ("wang", "ma")}
    assert faults == {"wang": Fault.LATE_CANCEL, "ma": Fault.LATE_CANCEL}
    cast.users["tan"].memberships.update(role=Role.LAB_MANAGER)
    assert transitions.fault_in(reservation, Action.CANCEL, cast.actor("tan"), late) is None  # another manager: for the lab


def test_it_waits_for_somebody_else_in_the_inbox_of_the_manager_who_booked_it(cast, slot):
    with_head(cast)
    build_spenders(cast)
    Membership.objects.create(user=cast.users["wang"], organisation=cast.lab, role=Role.RESEARCHER, created_at=cast.now)
    consents.give(cast.actor("ma"), cast.lab.pk, cast.users["wang"].pk, TODAY, cast.now)
    book(cast, slot(9, 10), cast.users["ma"], who="wang", firm=cast.lab)
    assert [one.own for one in inbox.inbox(cast.actor("wang"), cast.now).rows] == [True]


def test_once_the_consent_has_ended_it_is_not_moved_nor_given_back_for_a_fee_only_freely(cast, slot, mei):
    fees = {"fees": {"late_cancel": {"share": "0.5"}}}
    pricing.publish_price(cast.actor("li"), cast.xrd, PRICE | fees, TODAY, cast.now, TODAY)
    reservation, other = book(cast, slot(9, 12), mei), book(cast, slot(13, 14), mei, key="b")
    for one in (reservation, other):
        transitions.approve(cast.actor("wang"), one.pk, cast.now)
    consents.end(cast.actor("mei"), BookingConsent.objects.get().pk, cast.now)
    lin, late = cast.actor("lin"), reservation.starts_at - timedelta(hours=1)
    assert not life.rights(lin, reservation, cast.now, waits_for_customer=False).may_move
    for refused_step in (
        lambda: changes.change(lin, changes.ChangeRequest(reservation.pk, slot(9, 11)), cast.now, idempotency_key="m"),
        lambda: transitions.cancel(lin, reservation.pk, late),
    ):
        with pytest.raises(Refusal) as refused:
            refused_step()
        assert code_of(refused) == [("consent.over", "")]
    reservation.refresh_from_db()
    may_pay = [fee_figures.if_cancelled(cast.actor(who), reservation, late).may_pay for who in ("lin", "mei", "zhao")]
    assert may_pay == [False, True, True]
    assert fee_figures.if_cancelled(lin, reservation, cast.now).may_pay  # nothing is to pay
    transitions.cancel(lin, other.pk, cast.now)  # in time
    assert transitions.cancel(cast.actor("mei"), reservation.pk, late).fee_fen > 0
    assert wrong() == {}


def test_who_may_give_it_back_is_one_answer(cast, slot, mei):
    reservation = book(cast, slot(9, 12), mei)
    Membership.objects.create(user=cast.users["sun"], organisation=cast.firm, role=Role.RESEARCHER, created_at=cast.now)
    before, after = reservation.starts_at - timedelta(minutes=1), reservation.starts_at
    people = ("lin", "mei", "zhao", "wang", "sun")
    for at, expected in ((before, [True, True, True, True, False]), (after, [False, False, False, True, False])):
        assert [transitions.may_cancel(reservation, cast.actor(who), at) for who in people] == expected
    transitions.cancel(cast.actor("mei"), reservation.pk, cast.now)
    reservation.refresh_from_db()
    assert not any(transitions.may_cancel(reservation, cast.actor(who), before) for who in people)


def test_a_hold_is_judged_for_whose_booking_it_will_be_and_held_by_who_fills_the_form(cast, slot, mei):
    quota = {"subject": "person", "measure": "count", "period": "ahead", "most": 1, "peak_only": False}
    policies.say(cast.actor("wang"), policies.Scope(cast.lab.pk), {"quotas": [quota]}, cast.now)
    book(cast, slot(9, 10), cast.users["lin"])
    with pytest.raises(Refusal):
        holds.hold(cast.actor("lin"), cast.xrd.pk, slot(13, 14), cast.now, cast.firm.pk)
    holds.hold(cast.actor("lin"), cast.xrd.pk, slot(13, 14), cast.now, cast.firm.pk, for_person_id=mei.pk)
    assert Occupancy.objects.get(source="hold").holder == cast.users["lin"]


# --- Giving and ending ------------------------------------------------------------------------------------------------------
def test_both_are_told_when_it_is_given_and_ended_and_it_stands_in_the_audit_trail(cast, mei):
    row = BookingConsent.objects.get()
    consents.end(cast.actor("lin"), row.pk, cast.now)  # who may book can want it no longer
    told = Notice.objects.filter(event__startswith="consent.").order_by("pk").values_list("event", "user__email")
    assert sorted(told) == sorted(
        (f"consent.{what}", f"{who}@example.org") for what in ("given", "ended") for who in ("lin", "mei")
    )
    assert set(AuditEntry.objects.filter(action__startswith="consent.").values_list("action", flat=True)) == {
        "consent.give",
        "consent.end",
    }
    with pytest.raises(Refusal) as refused:
        consents.end(cast.actor("mei"), row.pk, cast.now)
    assert code_of(refused) == [("consent.ended", "")]


def test_giving_it_again_moves_the_last_day_of_the_row_that_is_locked(cast, mei):
    with CaptureQueriesContext(connection) as asked:
        consents.give(cast.actor("mei"), cast.firm.pk, cast.users["lin"].pk, TODAY + timedelta(days=60), cast.now)
    assert any('FROM "booking_bookingconsent"' in one["sql"] and "FOR NO KEY UPDATE" in one["sql"] for one in asked)
    assert BookingConsent.objects.get().until_on == TODAY + timedelta(days=60)


@pytest.mark.parametrize(
    ("taker", "days", "code"),
    [("he", 1, "consent.not_a_colleague"), ("mei", 1, "consent.not_a_colleague"), ("lin", -1, "consent.days"),
     ("lin", 367, "consent.days")],
)  # fmt: skip
def test_only_a_colleague_and_only_for_a_while(cast, mei, taker, days, code):
    with pytest.raises(Refusal) as refused:
        consents.give(cast.actor("mei"), cast.firm.pk, cast.users[taker].pk, TODAY + timedelta(days=days), cast.now)
    assert [one for one, _field in code_of(refused)] == [code]


def test_nobody_gives_it_for_an_organisation_that_is_not_theirs_nor_sees_that_of_others(cast, mei):
    with pytest.raises(Forbidden):
        consents.give(cast.actor("he"), cast.firm.pk, cast.users["lin"].pk, TODAY, cast.now)
    with pytest.raises(NotFound):
        consents.end(cast.actor("zhao"), BookingConsent.objects.get().pk, cast.now)
    assert [row.giver for row in queries.bookable_people(cast.actor("lin"), cast.firm.pk, cast.now)] == [mei]
    assert queries.bookable_people(cast.actor("zhao"), cast.firm.pk, cast.now) == []
