"""Who starts, extends and ends a session for the customer, who says yes to what it costs, and whose licence is asked for."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from billing.settlement.models import Charge
from billing.settlement.services import session_extras
from billing.settlement.services.session_extras import Used
from booking.models import Licence, Reservation, UsageAdjustment
from booking.ports import NOTHING_EXPECTED
from booking.queries import usage as usage_queries
from booking.queries.usage import here
from booking.rules.samples import ExtraEvent
from booking.services import acting, changes, consents, extending, policies, reservations, self_service, transitions, usage_review
from booking.services.changes import ChangeRequest
from booking.services.policies import Scope
from booking.services.reservations import ReservationRequest
from config.kernel.access import Role
from config.kernel.errors import Forbidden, Refusal
from frontend.presenters.life import rights
from frontend.presenters.session_extras import extras_panel
from frontend.presenters.usage import review_panel
from instruments.models import GroupMember, Membership, User
from tests.booking.usage.conftest import codes, state, wrong
from tests.spending import build_spenders

HOUR = timedelta(hours=1)
TODAY = date(2026, 11, 23)


@pytest.fixture
def mei(cast):
    """A researcher of Lin's firm."""
    user = User.objects.create(email="mei@example.org", full_name="Mei", password="!", language="en")
    Membership.objects.create(user=user, organisation=cast.firm, role=Role.RESEARCHER, created_at=cast.now)
    cast.users["mei"] = user
    return user


def licensed(cast, *names, level="self"):
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"licence_needed": True}, cast.now)
    for name in names:
        Licence.objects.create(
            organisation=cast.lab, person=cast.users[name], level=level, origin="manual", granted_at=cast.now,
            granted_by=cast.users["wang"], changed_at=cast.now,
        )  # fmt: skip


def for_lin(cast, slot, who="lin"):
    """Approved in Lin's name, booked by ``who``."""
    whose = {} if who == "lin" else {"for_person_id": cast.users["lin"].pk}
    request = ReservationRequest(cast.xrd.pk, cast.firm.pk, slot(9, 11), "self_operated", **whose)
    pk = reservations.reserve(cast.actor(who), request, cast.now, idempotency_key="k").reservation_id
    transitions.approve(cast.actor("wang"), pk, cast.now)
    return Reservation.objects.get(pk=pk)


# --- The session ----------------------------------------------------------------------------------------------------------
def test_a_colleague_sees_the_session_and_does_nothing_with_it(cast, slot, mei):
    reservation, at = for_lin(cast, slot), slot(9, 11).starts_at
    other, lin = cast.actor("mei"), cast.actor("lin")

    def refused(act):
        with pytest.raises(Forbidden) as caught:
            act()
        return caught.value.reasons[0]

    found = here(other, cast.xrd, at)
    assert (found.due, found.colleagues) == (None, reservation)
    reason = refused(lambda: self_service.start(other, reservation.pk, [], at))
    assert (reason.code, reason.params) == ("booking.not_your_time", {"person": "Lin"})
    self_service.start(lin, reservation.pk, [], at)
    assert (here(other, cast.xrd, at).running, here(lin, cast.xrd, at).running) == (None, reservation)
    later = reservation.ends_at + HOUR
    assert refused(lambda: extending.extend(other, reservation.pk, later, NOTHING_EXPECTED, at)).code == "booking.not_your_time"
    assert refused(lambda: self_service.end(other, reservation.pk, agrees=False, now=later)).code == "booking.not_your_time"
    assert state(reservation) == "in_use" and Reservation.objects.get().ends_at == reservation.ends_at
    self_service.end(lin, reservation.pk, agrees=False, now=reservation.ends_at)
    for act in (
        lambda: usage_review.agree(other, reservation.pk, later),
        lambda: usage_review.ask_adjustment(other, reservation.pk, None, "It failed.", later),
        lambda: usage_review.dispute(other, reservation.pk, "No.", later),
    ):
        assert refused(act).code == "booking.not_yours"
    panel = review_panel(other, Reservation.objects.get(), later)
    assert panel is not None and (panel.may_agree, panel.may_ask, panel.may_dispute) == (False, False, False)
    assert (list(usage_queries.my_reviews(other, later)), list(usage_queries.my_reviews(lin, later))) == ([], [reservation])
    assert here(other, cast.xrd, later).recent is None and wrong() == {}


@pytest.mark.parametrize(("who", "consented", "code"), [
    ("mei", True, ""), ("mei", False, "consent.over"), ("zhao", True, ""),
])  # fmt: skip
def test_who_booked_it_acts_while_they_may_and_an_administrator_always(cast, slot, mei, who, consented, code):
    given = consents.give(cast.actor("lin"), cast.firm.pk, mei.pk, TODAY + timedelta(days=30), cast.now)
    reservation, at = for_lin(cast, slot, "mei"), slot(9, 11).starts_at
    if not consented:
        consents.end(cast.actor("lin"), given.pk, cast.now)
    actor = cast.actor(who)
    mine = Reservation.objects.filter(acting.acted_for(actor, at)).exists()
    assert mine is acting.acts(reservation, actor, at) is not bool(code)
    assert (here(actor, cast.xrd, at).due == reservation) is not bool(code)
    if code:
        with pytest.raises(Refusal) as refused:
            self_service.start(actor, reservation.pk, [], at)
        assert codes(refused) == {code} and state(reservation) == "approved"
        return
    self_service.start(actor, reservation.pk, [], at)
    self_service.end(actor, reservation.pk, agrees=True, now=reservation.ends_at)
    assert state(reservation) == "completed"


def test_ones_own_session_goes_before_those_of_the_people_one_administers(cast, slot):
    for_lin(cast, slot)
    request = ReservationRequest(cast.xrd.pk, cast.firm.pk, slot(11, 12), "self_operated")
    own = reservations.reserve(cast.actor("zhao"), request, cast.now, idempotency_key="z").reservation_id
    transitions.approve(cast.actor("wang"), own, cast.now)
    assert here(cast.actor("zhao"), cast.xrd, slot(10.75, 11).starts_at).due.pk == own


# --- The licence of who is there ------------------------------------------------------------------------------------------
def test_who_starts_holds_the_licence_and_the_lab_asks_for_that_of_the_person_who_came(cast, slot, mei):
    licensed(cast, "lin")
    consents.give(cast.actor("lin"), cast.firm.pk, mei.pk, TODAY + timedelta(days=30), cast.now)
    reservation, at = for_lin(cast, slot, "mei"), slot(9, 11).starts_at
    for name in ("mei", "zhao"):
        with pytest.raises(Refusal) as refused:
            self_service.start(cast.actor(name), reservation.pk, [], at)
        assert codes(refused) == {"licence.needed_to_start"} and state(reservation) == "approved"
    transitions.check_in(cast.actor("wang"), reservation.pk, at)
    assert state(reservation) == "in_use"


def test_a_licensed_person_starts_for_one_whose_licence_has_ended(cast, slot, mei):
    licensed(cast, "lin", "mei")
    consents.give(cast.actor("lin"), cast.firm.pk, mei.pk, TODAY + timedelta(days=30), cast.now)
    reservation, at = for_lin(cast, slot, "mei"), slot(9, 11).starts_at
    Licence.objects.filter(person=cast.users["lin"]).update(state="revoked")
    with pytest.raises(Refusal) as refused:
        transitions.check_in(cast.actor("wang"), reservation.pk, at)
    assert codes(refused) == {"licence.check_in_refused"}
    self_service.start(cast.actor("mei"), reservation.pk, [], at)
    assert state(reservation) == "in_use"


# --- The card -------------------------------------------------------------------------------------------------------------
@pytest.fixture
def on_card(cast, slot):
    """Ma's session on Gao's card, running; Tan leads another group of the same institute."""
    spenders = build_spenders(cast, budget_fen=100000_00, threshold_fen=50000_00)
    request = ReservationRequest(cast.xrd.pk, cast.lab.pk, slot(9, 10), "self_operated", fund_card_id=spenders.card.pk)
    pk = reservations.reserve(cast.actor("ma"), request, cast.now, idempotency_key="k").reservation_id
    transitions.approve(cast.actor("wang"), pk, cast.now)
    reservation = Reservation.objects.get(pk=pk)
    self_service.start(cast.actor("ma"), pk, [], reservation.starts_at)
    return reservation


def leave_the_group(cast):
    GroupMember.objects.filter(user=cast.users["ma"]).update(until_on=date(2026, 11, 20))


def tries(cast, name, reservation):
    """What somebody is refused of all that spends: each step's code, empty where it went through."""
    at, actor = reservation.ends_at, cast.actor(name)
    extra = session_extras.propose(cast.actor("wang"), reservation.pk, Used(1, words="gas", rate_fen=50_00), at).pk

    def code(act):
        try:
            act()
        except Refusal as refusal:
            return refusal.reasons[0].code
        return ""

    return (
        code(
            lambda: extending.extend(actor, reservation.pk, reservation.ends_at + HOUR, NOTHING_EXPECTED, reservation.starts_at)
        ),
        code(lambda: session_extras.answer(actor, extra, ExtraEvent.AGREE, at)),
        code(lambda: self_service.end(actor, reservation.pk, agrees=True, now=at)),
    )


@pytest.mark.parametrize(("name", "leaves", "found"), [
    ("tan", False, ("booking.not_your_time", "booking.not_yours", "booking.not_your_time")),
    ("gao", False, ("booking.not_your_time", "", "booking.not_your_time")),
    ("ma", False, ("", "", "")),
    ("ma", True, ("card.not_your_spending",) * 3),
])  # fmt: skip
def test_only_who_acts_and_spends_from_the_card_makes_it_dearer(cast, on_card, name, leaves, found):
    if leaves:
        leave_the_group(cast)
    assert tries(cast, name, on_card) == found
    assert wrong() == {}


@pytest.mark.parametrize(("name", "leaves", "code"), [
    ("tan", False, "booking.not_yours"), ("gao", False, ""), ("ma", False, ""), ("ma", True, "card.not_your_spending"),
])  # fmt: skip
def test_only_who_spends_from_the_card_says_the_yes_that_charges_it(cast, on_card, name, leaves, code):
    at = on_card.ends_at
    transitions.check_out(cast.actor("wang"), on_card.pk, at)
    if leaves:
        leave_the_group(cast)
    panel = review_panel(cast.actor(name), Reservation.objects.get(), at)
    assert (panel.may_agree, panel.may_ask) == (not code, not code)
    if code:
        with pytest.raises(Refusal) as refused:
            usage_review.agree(cast.actor(name), on_card.pk, at)
        assert codes(refused) == {code} and not Charge.objects.exists()
        with pytest.raises(Refusal) as refused:
            usage_review.ask_adjustment(cast.actor(name), on_card.pk, None, "It failed.", at)
        assert codes(refused) == {code} and not UsageAdjustment.objects.exists()
    else:
        assert usage_review.agree(cast.actor(name), on_card.pk, at)
        assert state(on_card) == "agreed" and wrong() == {}


def test_who_spends_no_longer_gives_the_time_back_and_moves_it_no_more(cast, slot):
    spenders = build_spenders(cast)
    request = ReservationRequest(cast.xrd.pk, cast.lab.pk, slot(9, 10), "self_operated", fund_card_id=spenders.card.pk)
    pk = reservations.reserve(cast.actor("ma"), request, cast.now, idempotency_key="k").reservation_id
    leave_the_group(cast)
    assert not rights(cast.actor("ma"), Reservation.objects.get(), cast.now, waits_for_customer=False).may_move
    with pytest.raises(Refusal) as refused:
        changes.change(cast.actor("ma"), ChangeRequest(pk, slot(9, 11)), cast.now, idempotency_key="m")
    assert codes(refused) == {"card.not_your_spending"}
    transitions.cancel(cast.actor("ma"), pk, cast.now)
    assert wrong() == {}


def test_who_spends_no_longer_may_still_object_and_decline(cast, on_card):
    at, ma = on_card.ends_at, cast.actor("ma")
    extra = session_extras.propose(cast.actor("wang"), on_card.pk, Used(1, words="gas", rate_fen=50_00), at).pk
    leave_the_group(cast)
    panel = extras_panel(ma, Reservation.objects.get(), at)
    assert panel is not None and (panel.may_agree, panel.may_decline) == (False, True)
    session_extras.answer(ma, extra, ExtraEvent.DECLINE, at)
    self_service.end(ma, on_card.pk, agrees=False, now=at)
    usage_review.dispute(ma, on_card.pk, "It failed.", at)
    assert state(on_card) == "disputed"


def test_a_lab_manager_says_no_yes_for_a_customer_of_the_same_house(cast, on_card):
    Membership.objects.create(user=cast.users["wang"], organisation=cast.lab, role=Role.RESEARCHER, created_at=cast.now)
    self_service.end(cast.actor("ma"), on_card.pk, agrees=False, now=on_card.ends_at)
    assert usage_review.agree(cast.actor("wang"), on_card.pk, on_card.ends_at) is False
    assert not Charge.objects.exists()
