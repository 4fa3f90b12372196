"""A booking on a fund card: what it keeps there, who has to agree first, and what is taken in the end."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.cards import services as cards
from billing.cards.accounts import card_key
from billing.ledger.models import Account
from billing.models import InternalSlip
from billing.settlement.services import quotes
from booking.models import InstrumentPolicy, LeaderApproval, Reservation, ReservationTransition
from booking.ports import ExpectedFigures
from booking.queries import inbox as inbox_queries
from booking.services import changes, decisions, escalation, leader_answers, reservations, transitions
from booking.services.changes import ChangeRequest
from booking.services.decision_rows import How
from booking.services.reservations import ReservationRequest
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.invariants import registered
from instruments.models import Notice
from instruments.services import members, research_groups
from tests.agreeing import check_out_agreed
from tests.booking.samples.conftest import Work, make_item
from tests.spending import VALID


def money(spenders):
    account = Account.objects.get(key=card_key(spenders.card.pk))
    return account.held_fen, account.posted_fen


def approval(reservation):
    return LeaderApproval.objects.get(reservation=reservation)


def refused(call):
    with pytest.raises(Refusal) as caught:
        call()
    return [reason.code for reason in caught.value.reasons]


def news_of(user):
    return list(Notice.objects.filter(user=user).order_by("pk").values_list("event", "needs_action"))


def sound():
    money = [check for name, check in registered().items() if name.startswith(("cards.", "ledger.", "settlement."))]
    assert len(money) > 6
    assert [finding.violations for finding in (check() for check in money) if finding.violations] == []


def test_a_booking_keeps_its_price_on_the_card_until_it_is_agreed_and_charged(spenders, ask, slot):
    asked = ask(slot(10, 12))
    assert money(spenders) == (400_00, 0)
    transitions.approve(spenders.cast.actor("wang"), asked.pk, spenders.cast.now)
    assert money(spenders) == (400_00, 0)
    transitions.check_in(spenders.cast.actor("wang"), asked.pk, asked.starts_at)
    check_out_agreed(spenders.cast.actor("wang"), asked.pk, asked.ends_at)
    assert money(spenders) == (0, 400_00)
    slip = InternalSlip.objects.get()
    assert (slip.number, slip.total_fen, slip.covered_fen, slip.group) == ("NB-2026-000001", 400_00, 400_00, spenders.salt)
    assert slip.content["lines"][0] | {"band": ""} == {
        "kind": "time", "band": "", "seconds": 7200, "yuan_per_hour": "200.00", "amount_fen": 400_00,
    }  # fmt: skip
    sound()


@pytest.mark.parametrize("end", ["cancel", "reject", "expire", "no_show"])
def test_whatever_ends_a_booking_gives_its_money_back_to_the_card(spenders, ask, slot, end):
    cast, asked = spenders.cast, ask(slot(10, 12))
    if end == "no_show":
        transitions.approve(cast.actor("wang"), asked.pk, cast.now)
        transitions.mark_no_shows_due(asked.ends_at + timedelta(minutes=1))
    elif end == "expire":
        transitions.expire_due(asked.starts_at)
    elif end == "reject":
        transitions.reject(cast.actor("wang"), asked.pk, cast.now, "Maintenance")
    else:
        transitions.cancel(cast.actor("ma"), asked.pk, cast.now)
    assert money(spenders) == (0, 0)
    sound()


def test_who_comes_late_after_a_miss_has_the_price_kept_again(spenders, ask, slot):
    cast, asked = spenders.cast, ask(slot(10, 12))
    transitions.approve(cast.actor("wang"), asked.pk, cast.now)
    transitions.mark_no_show(cast.actor("wang"), asked.pk, asked.starts_at + timedelta(minutes=45))
    transitions.check_in(cast.actor("wang"), asked.pk, asked.starts_at + timedelta(minutes=50))
    assert money(spenders) == (400_00, 0)
    sound()


def test_more_than_is_left_on_the_card_is_not_booked(spenders, ask, slot):
    ask(slot(8, 10))
    ask(slot(10, 12))
    with pytest.raises(Conflict) as caught:
        ask(slot(12, 14))
    (reason,) = caught.value.reasons
    assert reason.code == "card.not_enough_left"
    assert (reason.params["needed_fen"], reason.params["left_fen"]) == (400_00, 200_00)
    assert money(spenders) == (800_00, 0)


@pytest.mark.parametrize(("hours", "waits"), [(2.5, False), (3, True)])
def test_the_leader_is_asked_about_what_is_above_the_threshold_and_not_at_it(spenders, ask, slot, hours, waits):
    asked = ask(slot(10, 10 + hours))
    assert LeaderApproval.objects.filter(reservation=asked).exists() is waits


def test_a_card_without_a_threshold_follows_its_group_and_then_asks_nobody(spenders, ask, slot):
    keeper, now = spenders.cast.actor("li"), spenders.cast.now
    cards.change_card(keeper, spenders.card.pk, cards.CardFacts("NSF-1", "x", *VALID, 1000_00, None), now)
    assert not LeaderApproval.objects.filter(reservation=ask(slot(8, 10))).exists()
    research_groups.change_group(keeper, spenders.salt.pk, "Salt", spenders.cast.users["gao"].pk, 100_00, now)
    assert LeaderApproval.objects.filter(reservation=ask(slot(10, 12))).exists()


def test_what_waits_for_the_leader_is_not_approved_by_the_lab_until_the_leader_agrees(spenders, ask, slot):
    cast, asked = spenders.cast, ask(slot(10, 14))
    assert refused(lambda: transitions.approve(cast.actor("wang"), asked.pk, cast.now)) == ["card.leader_waits"]
    assert news_of(cast.users["gao"]) == [("reservation.leader_asked", True)]
    assert news_of(cast.users["wang"]) == []
    assert leader_answers.agree(cast.actor("gao"), approval(asked).pk, cast.now) == "requested"
    assert news_of(cast.users["gao"]) == [("reservation.leader_asked", False)]
    assert news_of(cast.users["ma"]) == [("reservation.leader_agreed", False)]
    assert news_of(cast.users["wang"]) == [("reservation.requested", True)]
    transitions.approve(cast.actor("wang"), asked.pk, cast.now)
    assert money(spenders) == (800_00, 0)
    sound()


def test_a_lab_that_asks_for_no_approval_gets_the_session_with_the_leaders_yes(spenders, ask, slot, at_once):
    cast = spenders.cast
    assert ask(slot(8, 10)).state == "approved"
    asked = ask(slot(10, 13))
    assert asked.state == "requested"
    assert leader_answers.agree(cast.actor("gao"), approval(asked).pk, cast.now) == "approved"
    assert Reservation.objects.get(pk=asked.pk).occupancies.get().blocking


def test_a_leader_who_declines_says_why_and_the_time_and_money_are_free(spenders, ask, slot):
    cast, asked = spenders.cast, ask(slot(10, 14))
    row = approval(asked)
    assert refused(lambda: leader_answers.decline(cast.actor("gao"), row.pk, cast.now, " ")) == ["booking.reason_missing"]
    leader_answers.decline(cast.actor("gao"), row.pk, cast.now, "Use the other card")
    asked.refresh_from_db()
    assert (asked.state, money(spenders)) == ("rejected", (0, 0))
    assert ReservationTransition.objects.filter(reservation=asked).latest("pk").reason == "Use the other card"
    assert news_of(cast.users["ma"]) == [("reservation.leader_declined", False)]
    assert refused(lambda: leader_answers.agree(cast.actor("gao"), row.pk, cast.now)) == ["card.answered_already"]
    sound()


def test_only_who_leads_the_group_now_answers(spenders, ask, slot):
    cast, row = spenders.cast, approval(ask(slot(10, 14)))
    for name in ("tan", "wang", "ma"):
        with pytest.raises(Forbidden):
            leader_answers.agree(cast.actor(name), row.pk, cast.now)
    with pytest.raises(NotFound):
        leader_answers.agree(cast.actor("lin"), row.pk, cast.now)
    research_groups.change_group(cast.actor("li"), spenders.salt.pk, "Salt", cast.users["tan"].pk, None, cast.now)
    with pytest.raises(Forbidden):
        leader_answers.agree(cast.actor("gao"), row.pk, cast.now)
    assert leader_answers.agree(cast.actor("tan"), row.pk, cast.now) == "requested"


def test_the_leaders_own_bookings_need_nobody(spenders, ask, slot):
    assert not LeaderApproval.objects.filter(reservation=ask(slot(10, 14), who="gao")).exists()


@pytest.mark.parametrize("who", ["tan", "wang"])
def test_a_card_of_a_group_that_one_does_not_spend_for_is_not_there(spenders, ask, slot, who):
    with pytest.raises(NotFound):
        ask(slot(10, 12), who=who)
    with pytest.raises(NotFound):
        ask(slot(10, 12), card=987654321)


def test_who_spent_for_the_group_until_yesterday_does_not_today(spenders, ask, slot):
    cast, today = spenders.cast, date(2026, 11, 23)
    group, gao, ma = spenders.salt.pk, cast.actor("gao"), cast.users["ma"].pk
    research_groups.set_member(gao, group, ma, date(2026, 1, 1), today, cast.now)
    ask(slot(8, 10))
    research_groups.set_member(gao, group, ma, date(2026, 1, 1), today - timedelta(days=1), cast.now)
    with pytest.raises(NotFound):
        ask(slot(10, 12))


def test_the_owner_may_ask_its_own_people_for_a_card(spenders, ask, slot):
    cast = spenders.cast
    assert ask(slot(8, 10), card=None).fund_card_id is None
    research_groups.set_card_needed(cast.actor("li"), cast.lab.pk, True, cast.now)
    assert refused(lambda: ask(slot(10, 12), card=None)) == ["card.needed"]
    ask(slot(10, 12))


def test_a_card_that_expires_before_the_session_is_refused_when_asking_moving_and_approving(spenders, ask, slot):
    cast, keeper, asked = spenders.cast, spenders.cast.actor("li"), ask(slot(10, 12))
    terms = cards.CardFacts("NSF-1", "Lithium", VALID[0], date(2026, 11, 24), 1000_00)
    cards.change_card(keeper, spenders.card.pk, terms, cast.now)
    assert refused(lambda: ask(slot(12, 14))) == ["card.not_valid_then"]
    assert refused(lambda: transitions.approve(cast.actor("wang"), asked.pk, cast.now)) == ["card.not_valid_then"]
    cards.change_card(keeper, spenders.card.pk, replace(terms, valid_until=date(2026, 11, 25)), cast.now)
    move = ChangeRequest(asked.pk, slot(10, 12, day=1))
    assert refused(lambda: changes.change(cast.actor("ma"), move, cast.now, idempotency_key="m")) == ["card.not_valid_then"]
    transitions.approve(cast.actor("wang"), asked.pk, cast.now)
    cards.set_card_closed(keeper, spenders.card.pk, True, cast.now)
    transitions.check_in(cast.actor("wang"), asked.pk, asked.starts_at)
    check_out_agreed(cast.actor("wang"), asked.pk, asked.ends_at)
    assert money(spenders) == (0, 400_00)  # what was approved is paid, whatever became of the card
    assert refused(lambda: ask(slot(14, 16))) == ["card.closed"]
    sound()


@pytest.fixture
def firms_card(cast):
    """A card of the firm, on which Lin books at the institute: the lab of another organisation."""
    zhao, day = cast.actor("zhao"), VALID[0]
    group = research_groups.create_group(zhao, cast.firm.pk, "Cells", cast.users["zhao"].pk, None, cast.now)
    research_groups.set_member(zhao, group.pk, cast.users["lin"].pk, day, None, cast.now)
    return cards.open_card(zhao, group.pk, cards.CardFacts("SECRET-7", "Cells", *VALID, 100_000_00), cast.now)


def told(call):
    with pytest.raises(Refusal) as caught:
        call()
    return [(reason.code, sorted(reason.params)) for reason in caught.value.reasons]


def book_for_the_firm(cast, card, during):
    asked = ReservationRequest(cast.xrd.pk, cast.firm.pk, during, "self_operated", fund_card_id=card.pk)
    done = reservations.reserve(cast.actor("lin"), asked, cast.now, idempotency_key="firm")
    return Reservation.objects.get(pk=done.reservation_id)


def test_the_lab_of_another_organisation_hears_of_a_card_only_that_it_cannot_pay(cast, slot, firms_card):
    asked, wang, zhao = book_for_the_firm(cast, firms_card, slot(10, 12)), cast.actor("wang"), cast.actor("zhao")
    cards.set_card_closed(zhao, firms_card.pk, True, cast.now)
    assert told(lambda: transitions.approve(wang, asked.pk, cast.now)) == [("card.cannot_pay", [])]
    move = ChangeRequest(asked.pk, slot(14, 16))
    moved = partial(changes.change, cast.actor("lin"), move, cast.now, idempotency_key="m")
    assert told(moved) == [("card.closed", ["number"])]  # who spends from the card reads which one and why


def test_a_late_check_in_does_not_tell_the_lab_what_is_left_on_the_customers_card(cast, slot, firms_card):
    asked, wang = book_for_the_firm(cast, firms_card, slot(10, 12)), cast.actor("wang")
    transitions.approve(wang, asked.pk, cast.now)
    transitions.mark_no_show(wang, asked.pk, asked.starts_at + timedelta(minutes=45))
    less = cards.CardFacts("SECRET-7", "Cells", *VALID, 1_00)
    cards.change_card(cast.actor("zhao"), firms_card.pk, less, cast.now)
    late = asked.starts_at + timedelta(minutes=50)
    assert told(lambda: transitions.check_in(wang, asked.pk, late)) == [("card.cannot_pay", [])]


def test_a_booking_that_becomes_dearer_waits_again_and_an_approved_one_is_not_moved(spenders, ask, slot):
    cast, asked = spenders.cast, ask(slot(10, 13))
    leader_answers.agree(cast.actor("gao"), approval(asked).pk, cast.now)
    changes.change(cast.actor("ma"), ChangeRequest(asked.pk, slot(10, 12.5)), cast.now, idempotency_key="shorter")
    assert not LeaderApproval.objects.filter(reservation=asked, state="waiting").exists()
    longer = ChangeRequest(asked.pk, slot(10, 14))
    asked_for = replace(longer, expected=replace(longer.expected, payable_now_fen=800_00, final_cost_fen=800_00))
    changes.change(cast.actor("ma"), asked_for, cast.now, idempotency_key="longer")
    assert (approval(asked).state, approval(asked).asked_fen, money(spenders)) == ("waiting", 800_00, (800_00, 0))
    leader_answers.agree(cast.actor("gao"), approval(asked).pk, cast.now)
    transitions.approve(cast.actor("wang"), asked.pk, cast.now)
    sound()


def test_an_approved_booking_gets_shorter_or_moves_at_its_price_whatever_the_threshold_became(spenders, ask, slot, at_once):
    cast, asked = spenders.cast, ask(slot(10, 12))
    assert asked.state == "approved"
    terms = cards.CardFacts("NSF-1", "x", *VALID, 1000_00, 100_00)
    cards.change_card(cast.actor("li"), spenders.card.pk, terms, cast.now)
    for key, hours in (("same", (13, 15)), ("shorter", (13, 14.5))):
        changes.change(cast.actor("ma"), ChangeRequest(asked.pk, slot(*hours)), cast.now, idempotency_key=key)
    assert money(spenders) == (300_00, 0)
    asked.refresh_from_db()
    assert (asked.during, LeaderApproval.objects.exists()) == (slot(13, 14.5), False)
    dearer = ChangeRequest(asked.pk, slot(13, 16), expected=ExpectedFigures(600_00, 600_00))
    longer = partial(changes.change, cast.actor("ma"), dearer, cast.now, idempotency_key="longer")
    assert refused(longer) == ["card.leader_first"]
    sound()


def test_a_shorter_request_that_needs_the_leader_no_more_is_booked_at_once_where_the_lab_asks_nothing(
    spenders, ask, slot, at_once
):
    cast, asked = spenders.cast, ask(slot(10, 13))
    changes.change(cast.actor("ma"), ChangeRequest(asked.pk, slot(10, 12)), cast.now, idempotency_key="m")
    asked.refresh_from_db()
    assert (asked.state, money(spenders)) == ("approved", (400_00, 0))
    assert not LeaderApproval.objects.filter(reservation=asked).exists()


def test_use_beyond_the_booked_end_takes_what_is_left_on_the_card_and_the_slip_says_the_rest(spenders, ask, slot):
    cast = spenders.cast
    first, second = ask(slot(8, 10)), ask(slot(10, 12))
    for one in (first, second):
        transitions.approve(cast.actor("wang"), one.pk, cast.now)
    transitions.check_in(cast.actor("wang"), second.pk, second.starts_at)
    check_out_agreed(cast.actor("wang"), second.pk, second.ends_at + timedelta(hours=2))
    slip = InternalSlip.objects.get()
    assert slip.covered_fen == min(slip.total_fen, 600_00)
    assert money(spenders) == (400_00, slip.covered_fen)
    sound()


def test_a_request_is_put_on_another_card_and_the_first_one_is_free(spenders, ask, slot):
    cast, asked = spenders.cast, ask(slot(10, 14))
    terms = cards.CardFacts("NSF-2", "Second", *VALID, 5000_00, None)
    second = cards.open_card(cast.actor("li"), spenders.salt.pk, terms, cast.now)
    leader_answers.choose_card(cast.actor("ma"), asked.pk, second.pk, cast.now)
    assert money(spenders) == (0, 0)
    assert Account.objects.get(key=card_key(second.pk)).held_fen == 800_00
    assert not LeaderApproval.objects.filter(reservation=asked).exists()
    assert refused(lambda: leader_answers.choose_card(cast.actor("ma"), asked.pk, second.pk, cast.now)) == ["card.same"]
    with pytest.raises(Forbidden):
        leader_answers.choose_card(cast.actor("tan"), asked.pk, spenders.card.pk, cast.now)
    transitions.approve(cast.actor("wang"), asked.pk, cast.now)
    with pytest.raises(Refusal) as caught:  # the first card asks its leader, and an approved booking waits for nobody
        leader_answers.choose_card(cast.actor("ma"), asked.pk, spenders.card.pk, cast.now)
    assert [reason.code for reason in caught.value.reasons] == ["card.leader_first"]
    sound()


def offer_figures(reservation, payable_fen):
    """Figures of the next revision, which wait for the customer."""
    quote = reservation.quotes.latest("revision")
    quote.pk, quote.revision, quote.accepted_at, quote.accepted_by = None, quote.revision + 1, None, None
    quote.gross_fen = quote.payable_now_fen = quote.final_cost_fen = payable_fen
    quote.save(force_insert=True)


def test_figures_accepted_where_nobody_is_asked_any_more_give_the_session_at_once(spenders, ask, slot, at_once):
    cast, asked = spenders.cast, ask(slot(10, 13))
    offer_figures(asked, 800_00)
    cards.change_card(cast.actor("li"), spenders.card.pk, cards.CardFacts("NSF-1", "x", *VALID, 1000_00, 900_00), cast.now)
    with CaptureQueriesContext(connection) as seen:
        quotes.accept_quote(cast.actor("ma"), asked.pk, cast.now)
    asked.refresh_from_db()
    assert (asked.state, money(spenders)) == ("approved", (600_00, 0))
    locks = [query["sql"] for query in seen if "FOR NO KEY UPDATE" in query["sql"] or "UPDATE billing_account" in query["sql"]]
    order = [
        next(at for at, sql in enumerate(locks) if table in sql) for table in ("schedule_calendar", "fundcard", "billing_account")
    ]
    assert order == sorted(order)
    sound()


def test_new_figures_are_not_accepted_on_a_card_that_was_closed_meanwhile(spenders, ask, slot):
    cast, asked = spenders.cast, ask(slot(10, 12))
    offer_figures(asked, 450_00)
    cards.set_card_closed(cast.actor("li"), spenders.card.pk, True, cast.now)
    assert refused(lambda: quotes.accept_quote(cast.actor("ma"), asked.pk, cast.now)) == ["card.closed"]
    assert money(spenders) == (400_00, 0)


def test_new_figures_that_the_customer_accepts_are_kept_on_the_card_and_shown_to_the_leader(spenders, ask, slot):
    cast, asked = spenders.cast, ask(slot(10, 12))
    offer_figures(asked, 800_00)
    quotes.accept_quote(cast.actor("ma"), asked.pk, cast.now)
    assert money(spenders) == (800_00, 0)
    assert (approval(asked).state, approval(asked).asked_fen) == ("waiting", 800_00)


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_a_decision_that_is_taken_back_leaves_the_money_on_the_card_for_the_request(spenders, ask, slot, verdict):
    cast, asked, wang = spenders.cast, ask(slot(10, 12)), spenders.cast.actor("wang")
    if verdict == "approve":
        transitions.approve(wang, asked.pk, cast.now, How(undo=True))
    else:
        transitions.reject(wang, asked.pk, cast.now, "Maintenance", How(undo=True))
    decisions.take_back(wang, asked.pk, cast.now)
    assert money(spenders) == (400_00, 0)
    transitions.approve(wang, asked.pk, cast.now)
    sound()


def test_no_programme_is_tried_for_an_owners_own_people(spenders, ask, slot, programmes):
    quote = ask(slot(10, 12)).quotes.get()
    assert (quote.deducted_fen, quote.refunded_fen, quote.inputs["candidates"]) == (0, 0, [])


def test_a_leader_does_not_leave_the_organisation_before_somebody_else_leads(spenders):
    cast = spenders.cast
    gao, keeper = cast.users["gao"].pk, cast.actor("wang")
    assert refused(lambda: members.remove_member(keeper, cast.lab.pk, gao, cast.now)) == ["group.leader_leaves"]
    research_groups.change_group(keeper, spenders.salt.pk, "Salt", cast.users["ma"].pk, None, cast.now)
    members.remove_member(keeper, cast.lab.pk, gao, cast.now)


def test_who_leaves_the_organisation_spends_nothing_more_for_its_groups(spenders):
    cast = spenders.cast
    members.remove_member(cast.actor("wang"), cast.lab.pk, cast.users["ma"].pk, cast.now)
    assert not spenders.salt.members.exists()


def test_what_waits_for_the_leader_is_not_overdue_and_the_lab_has_its_time_from_the_yes_on(spenders, ask, slot):
    cast, asked = spenders.cast, ask(slot(10, 14))
    agreed_at, day = cast.now + timedelta(hours=20), timedelta(minutes=1440)

    def overdue(now):
        (row,) = inbox_queries.inbox(cast.actor("wang"), now).rows
        return row.overdue, escalation.escalate_due(now)

    assert overdue(cast.now + day) == (False, 0)
    leader_answers.agree(cast.actor("gao"), approval(asked).pk, agreed_at)
    assert overdue(agreed_at + day - timedelta(minutes=1)) == (False, 0)
    assert overdue(agreed_at + day) == (True, 1)


def test_a_rejection_that_is_taken_back_keeps_its_time_where_only_the_leader_is_waited_for(spenders, ask, slot):
    cast, wang = spenders.cast, spenders.cast.actor("wang")
    InstrumentPolicy.objects.create(instrument=cast.xrd, approval_required=False, pending_blocks=False)
    asked = ask(slot(10, 14))
    assert asked.occupancies.get().blocking
    transitions.reject(wang, asked.pk, cast.now, "Maintenance", How(undo=True))
    assert not asked.occupancies.get().blocking
    decisions.take_back(wang, asked.pk, cast.now)
    assert asked.occupancies.get().blocking


def test_another_card_for_a_time_that_somebody_has_by_now_is_answered_with_a_conflict(spenders, ask, slot):
    cast = spenders.cast
    policy = InstrumentPolicy.objects.create(instrument=cast.xrd, pending_blocks=False)
    asked, rival = ask(slot(10, 12)), ask(slot(10, 12), who="gao", card=None)
    transitions.approve(cast.actor("wang"), rival.pk, cast.now)
    policy.approval_required = False
    policy.save()
    terms = cards.CardFacts("NSF-2", "Second", *VALID, 5000_00, None)
    second = cards.open_card(cast.actor("li"), spenders.salt.pk, terms, cast.now)
    with pytest.raises(Conflict, match=r"booking\.just_taken"):
        leader_answers.choose_card(cast.actor("ma"), asked.pk, second.pk, cast.now)
    asked.refresh_from_db()
    assert (asked.state, asked.fund_card) == ("requested", spenders.card)


@pytest.mark.parametrize("how", ["shorter", "another card"])
def test_the_lab_hears_of_a_request_that_waits_for_the_leader_no_more_without_an_answer(spenders, ask, slot, how):
    cast, asked = spenders.cast, ask(slot(10, 14))
    assert news_of(cast.users["wang"]) == []
    if how == "shorter":
        changes.change(cast.actor("ma"), ChangeRequest(asked.pk, slot(10, 12)), cast.now, idempotency_key="m")
    else:
        terms = cards.CardFacts("NSF-2", "Second", *VALID, 5000_00, None)
        second = cards.open_card(cast.actor("li"), spenders.salt.pk, terms, cast.now)
        leader_answers.choose_card(cast.actor("ma"), asked.pk, second.pk, cast.now)
    assert not LeaderApproval.objects.filter(reservation=asked).exists()
    assert ("reservation.requested", True) in news_of(cast.users["wang"])


def test_the_lab_is_not_told_twice_of_a_request_that_never_waited_for_the_leader(spenders, ask, slot):
    cast, asked = spenders.cast, ask(slot(10, 12))
    changes.change(cast.actor("ma"), ChangeRequest(asked.pk, slot(10, 11)), cast.now, idempotency_key="m")
    assert [event for event, _needs in news_of(cast.users["wang"])].count("reservation.requested") == 1


def test_a_new_leader_hears_of_single_bookings_and_samples_that_wait(spenders, ask, slot):
    cast, now = spenders.cast, spenders.cast.now
    ask(slot(10, 13))
    work = Work(cast, make_item(cast))
    research_groups.change_group(cast.actor("li"), spenders.salt.pk, "Salt lakes", cast.users["gao"].pk, None, now)
    cards.change_card(cast.actor("li"), spenders.card.pk, cards.CardFacts("NSF-1", "x", *VALID, 5000_00, 500_00), now)
    work.ask(7, "ma", cast.lab, fund_card_id=spenders.card.pk)
    research_groups.change_group(cast.actor("li"), spenders.salt.pk, "Salt lakes", cast.users["tan"].pk, None, now)
    asked = [(event, True) for event in ("reservation.leader_asked", "sample_job.leader_asked")]
    assert news_of(cast.users["tan"]) == asked
    assert news_of(cast.users["gao"]) == [(event, False) for event, _needs in asked]
