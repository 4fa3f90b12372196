"""A lab's manager enters a request for a customer's person: under the customer's rules, on its account, and never without its yes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pgtrigger
import pytest
from django.db import DatabaseError, transaction
from django.db.models import F
from django.utils import translation

from billing.ledger.models import Transfer
from billing.prepaid.services import setting
from billing.prepaid.services.setting import LimitFacts
from billing.settlement.models import Quote
from billing.settlement.services import quotes
from booking.models import LabEntry, Occupancy, Reservation, ReservationTransition
from booking.ports import ExpectedFigures
from booking.queries import customers
from booking.services import changes, escalation, holds, leader_answers, policies, reservations, service_facts, transitions
from booking.services.entering import Entered
from booking.services.reservations import ReservationRequest
from config.kernel.access import Role
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.models import AuditEntry
from frontend.presenters import life
from instruments.models import Instrument, Membership, Notice, Organisation, User
from tests.booking.usage.conftest import wrong
from tests.spending import build_spenders

pytestmark = pytest.mark.django_db
YES = "Lin on the telephone, Monday 8:50"
PAID = 1200_00
LIMIT = LimitFacts(None, "brine", 10_000_00, date(2026, 1, 1), date(2026, 12, 31))


@pytest.fixture(autouse=True)
def known(cast, slot):
    """Lin has asked at the lab before, and took it back: the lab knows her, and nobody else of her firm."""
    asked = ReservationRequest(cast.xrd.pk, cast.firm.pk, slot(18, 19, 6), "self_operated")
    made = reservations.reserve(cast.actor("lin"), asked, cast.now, idempotency_key="before")
    transitions.cancel(cast.actor("lin"), made.reservation_id, cast.now)
    Notice.objects.all().delete()


def enter(cast, during, yes=YES, who="wang", person="lin", firm=None, key="k", email="", mode="self_operated", **more):
    entered = Entered(email, yes)
    pk = cast.users[person].pk
    request = ReservationRequest(cast.xrd.pk, (firm or cast.firm).pk, during, mode, for_person_id=pk, entered=entered, **more)
    done = reservations.reserve(cast.actor(who), request, cast.now, idempotency_key=key)
    return Reservation.objects.get(pk=done.reservation_id)


def codes(refused):
    return [(reason.code, reason.field) for reason in refused.value.reasons]


def held_fen(reservation):
    rows = Transfer.objects.filter(source_type="reservation", source_id=reservation.pk, kind="hold", ends__isnull=True)
    return {one.debit.kind: one.amount_fen for one in rows.select_related("debit")}


def other_lab(cast):
    """Another institution with a manager of its own."""
    lab = Organisation.objects.create(
        kind="owner", name="Other Institute", status="verified", verified_at=cast.now, region_code="630104", name_key="o",
        created_at=cast.now,
    )  # fmt: skip
    user = User.objects.create(email="fang@example.org", full_name="Fang", password="!", language="en")
    Membership.objects.create(user=user, organisation=lab, role=Role.LAB_MANAGER, created_at=cast.now)
    cast.users["fang"] = user
    return lab


def test_with_the_customers_yes_it_is_the_customers_approved_booking(cast, slot):
    reservation = enter(cast, slot(9, 12))
    assert (reservation.state, reservation.organisation, reservation.requested_by) == ("approved", cast.firm, cast.users["lin"])
    assert reservation.booked_by is None
    steps = list(
        ReservationTransition.objects.filter(reservation=reservation).order_by("pk").values_list("action", "actor__email")
    )
    assert steps == [("request", "wang@example.org"), ("approve", "wang@example.org")]
    entry = LabEntry.objects.get()
    assert (entry.evidence, entry.entered_by, entry.agreed_by) == (YES, cast.users["wang"], cast.users["wang"])
    assert AuditEntry.objects.get(action="reservation.enter").after["customer_yes"] == YES
    told = {(one.event, one.user.email) for one in Notice.objects.filter(event__startswith="reservation.")}
    assert told == {("reservation.entered_as_agreed", "lin@example.org"), ("reservation.approved", "lin@example.org")}
    assert wrong() == {}


def test_the_history_says_who_entered_it_for_the_lab_and_what_is_said_of_the_yes(cast, slot):
    reservation = enter(cast, slot(9, 12))
    steps = reservation.transitions.select_related("actor").order_by("pk")
    with translation.override("en"):
        first = life.timeline(reservation, steps)[0]
        assert str(first.title) == "Entered by the lab" and first.who == "Wang for Lin" and YES in first.text


def test_the_price_is_the_customers_and_its_subsidy_is_promised(cast, slot):
    reservation = enter(cast, slot(9, 12))
    own = quotes.preview(cast.actor("lin"), cast.xrd.pk, cast.firm.pk, slot(13, 16), cast.now, "self_operated").assessment
    quote = Quote.objects.filter(reservation=reservation).latest("revision")
    assert (quote.payable_now_fen, quote.final_cost_fen) == (own.payable_now_fen, own.final_cost_fen)
    assert quote.held_at is not None


def test_without_a_yes_it_waits_for_the_person_and_keeps_no_money(cast, slot):
    setting.set_limit(cast.actor("zhao"), cast.firm.pk, LIMIT, cast.now)
    reservation = enter(cast, slot(9, 12), yes="", research_project="brine")
    assert (reservation.state, held_fen(reservation)) == ("requested", {})
    assert Quote.objects.get(reservation=reservation).accepted_at is None
    assert Occupancy.objects.get(reservation=reservation).blocking
    waiting = Notice.objects.get(event="reservation.entered_for_you")
    assert (waiting.user, waiting.needs_action) == (cast.users["lin"], True)
    quotes.accept_quote(cast.actor("lin"), reservation.pk, cast.now)
    reservation.refresh_from_db()
    assert reservation.state == "approved" and held_fen(reservation)["spending_limit"] == PAID
    entry = LabEntry.objects.get()
    assert (entry.evidence, entry.agreed_by) == ("", cast.users["lin"])
    waiting.refresh_from_db()
    assert not waiting.needs_action
    assert wrong() == {}


def test_nothing_is_approved_moved_or_charged_for_before_the_yes(cast, slot):
    reservation = enter(cast, slot(9, 12), yes="")
    with pytest.raises(Refusal) as refused:
        transitions.approve(cast.actor("wang"), reservation.pk, cast.now)
    assert codes(refused) == [("entry.waits_for_customer", "")]
    for who, agreed in (("lin", False), ("wang", True)):
        asked = changes.ChangeRequest(reservation.pk, slot(13, 16), "because", agreed=agreed)
        with pytest.raises(Refusal) as refused:
            changes.change(cast.actor(who), asked, cast.now, idempotency_key=who)
        assert codes(refused) == [("entry.waits_for_customer", "")]
    reservation.refresh_from_db()
    assert (reservation.state, reservation.during) == ("requested", slot(9, 12))


def test_who_entered_it_says_no_yes_for_the_customer(cast, slot):
    reservation = enter(cast, slot(9, 12), yes="")
    for who, error in (("wang", Forbidden), ("he", NotFound)):
        with pytest.raises(error):
            quotes.accept_quote(cast.actor(who), reservation.pk, cast.now)
    assert LabEntry.objects.get().waits


def test_a_correction_of_the_facts_is_no_yes(cast, slot):
    reservation = enter(cast, slot(9, 12), yes="")
    quote = Quote.objects.get(reservation=reservation)
    seen = ExpectedFigures(quote.payable_now_fen, quote.final_cost_fen)
    facts = replace(reservation.service_facts, research_project="brine")
    assert service_facts.correct(cast.actor("lin"), reservation.pk, facts, cast.now, seen)
    assert LabEntry.objects.get().waits and not Quote.objects.filter(reservation=reservation, accepted_at__isnull=False).exists()
    quotes.accept_quote(cast.actor("lin"), reservation.pk, cast.now)
    reservation.refresh_from_db()
    assert reservation.state == "approved" and wrong() == {}


@pytest.mark.parametrize("yes", [YES, ""])
def test_the_person_cancels_it_as_any_booking(cast, slot, yes):
    reservation = enter(cast, slot(9, 12), yes=yes)
    assert transitions.cancel(cast.actor("lin"), reservation.pk, cast.now).fee_fen == 0
    reservation.refresh_from_db()
    assert (reservation.state, held_fen(reservation)) == ("cancelled", {})
    assert wrong() == {}


def test_without_an_answer_it_lapses_at_its_start_and_no_manager_is_reminded_of_it(cast, slot):
    reservation = enter(cast, slot(9, 12), yes="")
    assert escalation.escalate_due(reservation.starts_at - timedelta(minutes=5)) == 0
    assert transitions.expire_due(reservation.starts_at) == 1
    assert wrong() == {}


def test_a_limit_of_the_customers_own_keeps_the_price(cast, slot):
    setting.set_limit(cast.actor("zhao"), cast.firm.pk, LIMIT, cast.now)
    assert held_fen(enter(cast, slot(9, 12), research_project="brine"))["spending_limit"] == PAID


def test_prepaid_money_that_is_missing_refuses_it_and_at_the_persons_yes_too(cast, slot):
    waiting = enter(cast, slot(13, 16), yes="", key="b")
    setting.ask_for_prepaid(cast.actor("li"), cast.lab.pk, cast.firm.pk, True, "new customer", cast.now)
    with pytest.raises(Conflict) as refused:
        enter(cast, slot(9, 12))
    assert codes(refused)[0][0] == "prepaid.not_enough_left"
    with pytest.raises(Conflict):
        quotes.accept_quote(cast.actor("lin"), waiting.pk, cast.now)
    assert LabEntry.objects.get().waits and Reservation.objects.get(pk=waiting.pk).state == "requested"


def test_the_rules_are_those_of_the_customer_and_its_person(cast, slot):
    quota = {"subject": "person", "measure": "count", "period": "ahead", "most": 1, "peak_only": False}
    licence = {"licence_needed": True}
    policies.say(cast.actor("wang"), policies.Scope(cast.lab.pk), {"quotas": [quota], **licence}, cast.now)
    with pytest.raises(Refusal) as refused:
        enter(cast, slot(9, 12))
    assert [code for code, _field in codes(refused)] == ["booking.licence_needed"]
    enter(cast, slot(9, 12), mode="assisted")
    with pytest.raises(Refusal) as refused:
        enter(cast, slot(13, 14), mode="assisted", key="k2")
    assert [code for code, _field in codes(refused)] == ["quota.person_count_ahead"]


def test_the_lab_passes_over_its_own_rules_with_a_reason_that_is_kept(cast, slot):
    policies.say(cast.actor("wang"), policies.Scope(cast.lab.pk), {"max_minutes": 60}, cast.now)
    with pytest.raises(Refusal):
        enter(cast, slot(9, 12))
    reservation = enter(cast, slot(9, 12), key="k2", override_reason="Beam time was lost")
    step = reservation.transitions.get(action="request")
    assert (step.reason, step.passed_over) == ("Beam time was lost", ["booking.too_long"])
    audited = AuditEntry.objects.get(action="reservation.request", object_id=str(reservation.pk))
    assert (audited.reason, audited.after["passed_over"]) == ("Beam time was lost", ["booking.too_long"])
    assert reservation.state == "approved" and wrong() == {}


def test_nobody_passes_over_what_is_closed(cast, slot):
    with pytest.raises(Refusal) as refused:
        enter(cast, slot(21, 22), override_reason="Please")
    assert codes(refused)[0][0] == "booking.outside_opening_hours"


@pytest.mark.parametrize("who", ["fang", "lin", "li", "zhao"])
def test_others_than_the_labs_managers_enter_nothing(cast, slot, who):
    other_lab(cast)
    with pytest.raises(Forbidden):
        enter(cast, slot(9, 12), who=who, person="zhao" if who == "lin" else "lin")
    assert not LabEntry.objects.exists()


def test_an_instrument_that_another_lab_keeps_to_itself_is_not_there(cast, slot):
    other_lab(cast)
    Instrument.objects.filter(pk=cast.xrd.pk).update(published=False)
    with pytest.raises(NotFound):
        enter(cast, slot(9, 12), who="fang")
    with pytest.raises(Refusal) as refused:
        enter(cast, slot(9, 12), key="k2")
    assert codes(refused) == [("entry.instrument_unseen", "for_person")]


@pytest.mark.parametrize(
    ("person", "firm", "code"),
    [("zhao", "firm", "unknown"), ("lin", "other_firm", "unknown"), ("wang", "lab", "yourself"), ("chen", "office", "unknown")],
)
def test_it_is_entered_only_for_whom_the_lab_knows(cast, slot, person, firm, code):
    with pytest.raises(Refusal) as refused:
        enter(cast, slot(9, 12), person=person, firm=getattr(cast, firm))
    assert codes(refused) == [(f"entry.{'person_unknown' if code == 'unknown' else 'yourself'}", "for_person")]


def test_by_the_exact_address_for_anybody_of_a_verified_organisation(cast, slot):
    assert enter(cast, slot(9, 12), person="zhao", email="Zhao@example.org").requested_by == cast.users["zhao"]
    Organisation.objects.filter(pk=cast.firm.pk).update(status="claimed")
    Membership.objects.create(user=cast.users["he"], organisation=cast.firm, role=Role.RESEARCHER, created_at=cast.now)
    for key, email in (("a", "he@example.org"), ("b", "zhao@example.org")):
        with pytest.raises(Refusal):
            enter(cast, slot(13, 14), person="he", email=email, key=key)


def test_who_left_the_customer_is_not_booked_for(cast, slot):
    cast.users["lin"].memberships.all().delete()
    with pytest.raises(Refusal):
        enter(cast, slot(9, 12))


def test_pressed_twice_it_is_entered_once(cast, slot):
    first, second = enter(cast, slot(9, 12)), enter(cast, slot(9, 12))
    assert first == second and LabEntry.objects.count() == 1
    assert Notice.objects.filter(event="reservation.entered_as_agreed").count() == 1
    with pytest.raises(Refusal):
        enter(cast, slot(9, 12), yes="Another yes")  # the same key says something else
    with pytest.raises(Conflict) as refused:
        enter(cast, slot(9, 12), key="other")
    assert codes(refused)[0][0].startswith("booking.just_taken")


def test_what_its_person_holds_is_taken_for_them_and_what_others_hold_is_not(cast, slot):
    holds.hold(cast.actor("lin"), cast.xrd.pk, slot(9, 12), cast.now)
    holds.hold(cast.actor("he"), cast.xrd.pk, slot(13, 14), cast.now)
    assert enter(cast, slot(9, 12)).state == "approved"
    with pytest.raises(Conflict):
        enter(cast, slot(13, 14), key="k2")


@pytest.mark.parametrize("yes", [YES, ""])
def test_where_the_leader_of_the_group_pays_the_leader_is_asked_as_ever(cast, slot, yes):
    spenders = build_spenders(cast)
    hours = slot(9, 12)
    reservation = enter(cast, hours, yes=yes, person="ma", firm=cast.lab, fund_card_id=spenders.card.pk)
    if not yes:
        assert held_fen(reservation) == {} and not hasattr(reservation, "leader_approval")
        quotes.accept_quote(cast.actor("ma"), reservation.pk, cast.now)
        reservation = Reservation.objects.get(pk=reservation.pk)
    assert (reservation.state, reservation.leader_approval.state) == ("requested", "waiting")
    assert held_fen(reservation)["fund_card"] == 600_00
    leader_answers.agree(cast.actor("gao"), reservation.leader_approval.pk, cast.now)
    reservation.refresh_from_db()
    assert reservation.state == "approved" and wrong() == {}


def test_a_card_from_which_the_person_does_not_spend_is_not_charged(cast, slot):
    spenders = build_spenders(cast)
    with pytest.raises(Refusal) as refused:
        enter(cast, slot(9, 12), person="tan", firm=cast.lab, fund_card_id=spenders.card.pk)
    assert codes(refused) == [("card.choose", "fund_card")]


@pytest.mark.parametrize(
    ("change", "guards"),
    [
        (lambda: LabEntry.objects.update(evidence="something else"), ["frozen", "agreed_once"]),
        (lambda: LabEntry.objects.update(agreed_at=F("agreed_at") + timedelta(days=1)), ["agreed_once"]),
        (lambda: LabEntry.objects.all().delete(), ["kept"]),
    ],
)
def test_what_is_said_of_the_yes_stays_as_it_was_written(cast, slot, change, guards):
    """The rows of booking_labentry."""
    enter(cast, slot(9, 12))
    with pytest.raises(DatabaseError), transaction.atomic():
        change()
    with pgtrigger.ignore(*(f"booking.LabEntry:lab_entry_{guard}" for guard in guards)):
        change()  # it was the guards alone that kept it


def test_an_approved_entry_without_a_yes_is_found(cast, slot):
    enter(cast, slot(9, 12), yes="")
    Reservation.objects.filter(entry__isnull=False).update(state="approved")
    assert "booking.entered_with_a_yes" in wrong()


def names(found):
    return [(one.name, one.organisation) for one in found.people]


def test_the_search_finds_whom_the_lab_knows_by_a_part_and_others_by_the_exact_address(cast):
    wang = cast.actor("wang")
    assert names(customers.find(wang, cast.lab.pk, "lin")) == [("Lin", "Gaoyuan Lithium")]
    assert names(customers.find(wang, cast.lab.pk, "gaoyuan")) == [("Lin", "Gaoyuan Lithium")]
    assert names(customers.find(wang, cast.lab.pk, "zhao")) == names(customers.find(wang, cast.lab.pk, "zhao@example")) == []
    assert names(customers.find(wang, cast.lab.pk, "zhao@example.org")) == [("zhao@example.org", "Gaoyuan Lithium")]


def test_the_search_says_of_another_verified_organisation_only_that_it_is_here(cast):
    wang = cast.actor("wang")
    found = customers.find(wang, cast.lab.pk, "Lianhe Materials")
    assert (found.people, found.organisation) == ([], "Lianhe Materials")
    assert customers.find(wang, cast.lab.pk, "Lianhe").organisation == ""
    Organisation.objects.filter(pk=cast.other_firm.pk).update(status="claimed")
    assert customers.find(wang, cast.lab.pk, "Lianhe Materials").organisation == ""
    assert customers.find(wang, cast.lab.pk, "he@example.org").people == []


def test_the_search_is_for_the_labs_managers(cast):
    other_lab(cast)
    for who in ("fang", "lin", "li"):
        with pytest.raises((Forbidden, NotFound)):
            customers.find(cast.actor(who), cast.lab.pk, "lin")
    with pytest.raises(Refusal) as refused:
        customers.find(cast.actor("wang"), cast.lab.pk, " l ")
    assert codes(refused) == [("entry.search_short", "q")]


@pytest.fixture
def looks(cast):
    """The lab approves requests, which wait beside each other."""
    rules = {"approval_required": True, "pending_blocks": False}
    policies.say(cast.actor("wang"), policies.Scope(cast.lab.pk), rules, cast.now)


def test_a_yes_counts_for_the_time_that_the_lab_looked_at_alone(cast, slot, looks, monkeypatch):
    reservation = enter(cast, slot(9, 12), yes="")
    with monkeypatch.context() as patch:
        patch.setattr(transitions, "_ended_reasons", lambda locked: ["closed"])
        quotes.accept_quote(cast.actor("lin"), reservation.pk, cast.now)
    reservation.refresh_from_db()
    assert reservation.state == "requested"
    told = Notice.objects.filter(event="reservation.requested", user=cast.users["wang"])
    assert told.count() == 1, "the lab hears of what it has to look at after all"
    asked = changes.ChangeRequest(reservation.pk, slot(13, 16))
    changes.change(cast.actor("lin"), asked, cast.now, idempotency_key="move")
    reservation.refresh_from_db()
    assert (reservation.state, reservation.during) == ("requested", slot(13, 16))
    transitions.approve(cast.actor("wang"), reservation.pk, cast.now)
    assert wrong() == {}


def test_where_somebody_else_asks_for_the_time_meanwhile_the_lab_chooses(cast, slot, looks):
    reservation = enter(cast, slot(9, 12), yes="")
    asked = ReservationRequest(cast.xrd.pk, cast.other_firm.pk, slot(9, 12), "self_operated")
    reservations.reserve(cast.actor("he"), asked, cast.now, idempotency_key="rival")
    quotes.accept_quote(cast.actor("lin"), reservation.pk, cast.now)
    reservation.refresh_from_db()
    assert reservation.state == "requested"
    transitions.approve(cast.actor("wang"), reservation.pk, cast.now)


def test_the_card_is_changed_after_the_yes_and_keeps_nothing_before(cast, slot):
    spenders = build_spenders(cast)
    reservation = enter(cast, slot(9, 12), person="ma", firm=cast.lab, yes="", fund_card_id=spenders.card.pk)
    with pytest.raises(Refusal) as refused:
        leader_answers.choose_card(cast.actor("ma"), reservation.pk, spenders.card.pk + 1, cast.now)
    assert codes(refused) == [("entry.waits_for_customer", "")]
    assert held_fen(reservation) == {}


def test_whose_lab_it_is_not_learns_of_no_organisation(cast, slot):
    for organisation_id in (cast.firm.pk, 999_999):
        asked = ReservationRequest(
            cast.xrd.pk,
            organisation_id,
            slot(9, 12),
            "self_operated",
            for_person_id=cast.users["lin"].pk,
            entered=Entered("", YES),
        )
        with pytest.raises(Forbidden):
            reservations.reserve(cast.actor("he"), asked, cast.now, idempotency_key=f"k{organisation_id}")
