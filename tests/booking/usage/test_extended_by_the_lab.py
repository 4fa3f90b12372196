"""The lab's staff let a customer's session go on for longer: what it costs, who is told, and whose yes it takes."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from billing.settlement.services.extension_quotes import extension_figures
from booking.models import Licence, Reservation, ReservationChange, ReservationTransition
from booking.ports import NOTHING_EXPECTED, ExpectedFigures
from booking.services import extending, policies, reservations, self_service, transitions
from booking.services.policies import Scope
from booking.services.reservations import ReservationRequest
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from instruments.models import GroupMember, Notice
from tests.booking.usage.conftest import codes, wrong
from tests.spending import build_spenders

HOUR = timedelta(hours=1)
ASKED = "Lin called from the glove box."


def go_on(cast, reservation, expected=NOTHING_EXPECTED, who="wang", reason=ASKED, hours=1):
    extending.extend_for_customer(
        cast.actor(who), reservation.pk, reservation.ends_at + hours * HOUR, expected, reason, reservation.starts_at + HOUR
    )


def test_what_was_shown_is_held_and_the_customer_is_told_who_asked_who_entered_it_and_what_is_to_pay(cast, programmes, running):
    reservation = running(9, 11)
    shown = extension_figures(reservation, reservation.ends_at + HOUR, reservation.starts_at + HOUR)
    with pytest.raises(Conflict) as refused:
        go_on(cast, reservation, ExpectedFigures(shown.payable_now_fen - 1, shown.final_cost_fen))
    assert codes(refused) == {"billing.figures_differ"}
    go_on(cast, reservation, ExpectedFigures(shown.payable_now_fen, shown.final_cost_fen))
    assert Reservation.objects.get().ends_at == reservation.ends_at + HOUR
    step, change = ReservationTransition.objects.get(action="extend"), ReservationChange.objects.get()
    assert (step.actor, step.reason) == (cast.users["wang"], ASKED)
    assert (change.side, change.reason, change.proposed_by) == ("lab", ASKED, cast.users["wang"])
    told = Notice.objects.get(event="reservation.extended_for_you")
    assert (told.user, told.params["reason"], told.params["staff"]) == (cast.users["lin"], ASKED, str(cast.users["wang"]))
    assert told.params["payable_now_fen"] == shown.payable_now_fen
    assert not Notice.objects.filter(event="reservation.extended").exists() and wrong() == {}


@pytest.mark.parametrize(("who", "refusal"), [("lin", Forbidden), ("li", Forbidden), ("he", NotFound)])
def test_only_who_manages_the_instrument_extends_for_the_customer(cast, running, who, refusal):
    reservation = running(9, 11)
    with pytest.raises(refusal):
        go_on(cast, reservation, who=who)
    assert Reservation.objects.get().ends_at == reservation.ends_at


def test_nobody_extends_for_a_customer_without_saying_who_asked(cast, running):
    reservation = running(9, 11)
    with pytest.raises(Refusal) as refused:
        go_on(cast, reservation, reason=" \n ")
    assert codes(refused) == {"booking.extension_reason_missing"} and refused.value.reasons[0].field == "reason"


def test_the_lab_takes_nothing_from_the_next_customer(cast, running, book):
    reservation = running(9, 11)
    book(12, 14, who="he")
    with pytest.raises(Refusal) as refused:
        go_on(cast, reservation, hours=2)
    assert codes(refused) == {"booking.extension_not_free"}
    go_on(cast, reservation)


@pytest.fixture
def on_card(cast, slot):
    """Ma's session on Gao's card, running."""
    spenders = build_spenders(cast, budget_fen=100000_00, threshold_fen=50000_00)
    request = ReservationRequest(cast.xrd.pk, cast.lab.pk, slot(9, 10), "self_operated", fund_card_id=spenders.card.pk)
    pk = reservations.reserve(cast.actor("ma"), request, cast.now, idempotency_key="k").reservation_id
    transitions.approve(cast.actor("wang"), pk, cast.now)
    reservation = Reservation.objects.get(pk=pk)
    self_service.start(cast.actor("ma"), pk, [], reservation.starts_at)
    return reservation


def extended(cast, reservation):
    actor, at = cast.actor("wang"), reservation.starts_at
    extending.extend_for_customer(actor, reservation.pk, reservation.ends_at + HOUR, NOTHING_EXPECTED, ASKED, at)


def test_the_lab_spends_from_no_card_that_the_person_has_left(cast, on_card):
    GroupMember.objects.filter(user=cast.users["ma"]).update(until_on=date(2026, 11, 20))
    with pytest.raises(Forbidden) as refused:
        extended(cast, on_card)
    (reason,) = refused.value.reasons
    assert (reason.code, reason.params) == ("booking.person_does_not_spend", {"person": "Ma", "leader": "Gao"})
    GroupMember.objects.filter(user=cast.users["ma"]).update(until_on=None)
    extended(cast, on_card)
    assert wrong() == {}


def test_above_the_leaders_amount_the_lab_extends_nothing(cast, on_card):
    type(on_card.fund_card).objects.update(threshold_fen=300_00)
    with pytest.raises(Refusal) as refused:
        extended(cast, on_card)
    assert codes(refused) == {"card.leader_first"}
    assert Reservation.objects.get().ends_at == on_card.ends_at


# --- The licence of who is there --------------------------------------------------------------------------------------
def licensed(cast, *names):
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"licence_needed": True}, cast.now)
    for name in names:
        Licence.objects.create(
            organisation=cast.lab, person=cast.users[name], level="self", origin="manual", granted_at=cast.now,
            granted_by=cast.users["wang"], changed_at=cast.now,
        )  # fmt: skip


@pytest.fixture
def started_by_zhao(cast, slot):
    """Lin's session, which the administrator of the firm started at the instrument and works in."""
    licensed(cast, "lin", "zhao")
    request = ReservationRequest(cast.xrd.pk, cast.firm.pk, slot(9, 11), "self_operated")
    pk = reservations.reserve(cast.actor("lin"), request, cast.now, idempotency_key="k").reservation_id
    transitions.approve(cast.actor("wang"), pk, cast.now)
    reservation = Reservation.objects.get(pk=pk)
    self_service.start(cast.actor("zhao"), pk, [], reservation.starts_at)
    return Reservation.objects.get(pk=pk)


@pytest.mark.parametrize("by_lab", [True, False])
def test_to_go_on_asks_for_the_licence_of_who_started_it_and_says_whose(cast, started_by_zhao, by_lab):
    one = started_by_zhao

    def more(hours):
        if by_lab:
            return go_on(cast, one, hours=hours)
        return extending.extend(cast.actor("lin"), one.pk, one.ends_at + hours * HOUR, NOTHING_EXPECTED, one.starts_at)

    Licence.objects.filter(person=cast.users["lin"]).update(state="revoked")
    more(1)
    Licence.objects.filter(person=cast.users["zhao"]).update(state="revoked")
    Licence.objects.filter(person=cast.users["lin"]).update(state="valid")
    with pytest.raises(Refusal) as refused:
        more(2)
    assert codes(refused) == {"booking.licence_needed", "booking.extension_licence_of"}
    assert refused.value.reasons[-1].params == {"person": "Zhao"}


def test_a_session_that_the_lab_checked_in_goes_on_with_the_licence_of_whom_it_is_booked_for(cast, slot):
    licensed(cast, "lin")
    request = ReservationRequest(cast.xrd.pk, cast.firm.pk, slot(9, 11), "self_operated")
    pk = reservations.reserve(cast.actor("lin"), request, cast.now, idempotency_key="k").reservation_id
    transitions.approve(cast.actor("wang"), pk, cast.now)
    one = Reservation.objects.get(pk=pk)
    transitions.check_in(cast.actor("wang"), pk, one.starts_at)
    Licence.objects.update(state="revoked")
    with pytest.raises(Refusal) as refused:
        go_on(cast, one)
    assert codes(refused) == {"booking.licence_needed"}
