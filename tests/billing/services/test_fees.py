"""A fee for time that was not used: when it is taken, from what, and how it falls away when the time is used after all."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from billing.cards import services as cards
from billing.ledger import services as ledger
from billing.ledger.models import Account, Transfer, TransferKind
from billing.models import BookingFee, FeeRelief, Quote
from billing.pricing import services as pricing
from billing.settlement import fee_figures, slip_queries
from billing.settlement.fee_models import ReliefCause
from billing.settlement.models import Award
from billing.settlement.services import fees, quotes
from billing.settlement.slip_csv import slips_csv
from billing.subsidy.rules.codec import differences
from billing.wording import unused_word
from booking import ports
from booking.models import CreditEvent, InstrumentPolicy, Reservation
from booking.rules.leaving import Fault
from booking.services import changes, credit, self_service, transitions
from config.kernel.errors import Conflict, Forbidden, Refusal
from config.kernel.models import AuditEntry
from instruments.models import Instrument, Notice
from instruments.services import opening_hours, research_groups
from tests.booking.usage.conftest import wrong
from tests.concurrency.world import add_instrument
from tests.conftest import PRICE

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
FEES = {"late_cancel": {"share": "0.5"}, "no_show": {"share": "1", "at_most": "1000"}}


@pytest.fixture(autouse=True)
def with_fees(cast):
    """From today on the lab takes half of the price for a late cancellation, and up to 1,000 yuan from who does not come."""
    return pricing.publish_price(
        cast.actor("li"), cast.xrd, PRICE | {"fees": FEES}, date(2026, 11, 23), cast.now, date(2026, 11, 23)
    )


@pytest.fixture
def points(cast):
    """The lab takes points for giving a time back too late."""
    credit.set_rules(cast.actor("wang"), cast.lab.pk, {"start_points": 100, "points": {"late_cancel": 5}}, cast.now)


@pytest.fixture
def booked(life):
    """``booked(slot(9, 12))``: approved; three hours cost 1,200 yuan."""

    def make(during, **asked):
        return life.approve(life.ask(during, **asked))

    return make


def give_back(cast, reservation, before=HOUR, who="lin", **more):
    return transitions.cancel(cast.actor(who), reservation.pk, reservation.starts_at - before, **more).fee_fen


def fee_of(reservation):
    return BookingFee.objects.get(reservation=reservation)


# --- When it is taken -----------------------------------------------------------------------------------------------------
def test_who_gives_a_promised_time_back_too_late_pays_the_share_and_both_sides_are_told(cast, programmes, booked, slot):
    reservation = booked(slot(9, 12))
    assert give_back(cast, reservation) == 600_00
    fee = fee_of(reservation)
    figures = (fee.gross_fen, fee.deducted_fen, fee.refunded_fen, fee.payable_now_fen, fee.final_cost_fen)
    assert figures == (600_00, 0, 0, 600_00, 600_00)
    assert [step["key"] for step in fee.result["steps"]] == ["fee.step.share", "fee.step.not_subsidised"]
    assert not Award.objects.exists()
    assert not Transfer.objects.filter(kind="hold", ends__isnull=True).exists()
    assert not Transfer.objects.filter(kind="post", source_id=reservation.pk).exists()
    told = Notice.objects.filter(event__in=["reservation.cancelled", "lab.reservation_cancelled"])
    assert [notice.params["fee_fen"] for notice in told] == [600_00, 600_00]
    assert AuditEntry.objects.filter(action="fee.charge").count() == 1
    assert wrong() == {}


@pytest.mark.parametrize("before", [24 * HOUR, 30 * HOUR])
def test_in_time_it_costs_nothing(cast, booked, slot, before):
    assert give_back(cast, booked(slot(9, 12)), before) == 0
    assert not BookingFee.objects.exists()


def test_the_lab_takes_no_fee_for_what_it_gives_back_itself(cast, booked, slot):
    assert give_back(cast, booked(slot(9, 12)), who="wang", reason="Leak") == 0
    assert not BookingFee.objects.exists()


def test_a_request_that_the_lab_had_not_promised_costs_nothing(cast, life, slot):
    assert give_back(cast, life.ask(slot(9, 12)), timedelta(minutes=1)) == 0
    assert not BookingFee.objects.exists()


def test_what_could_not_be_used_costs_nothing(cast, booked, slot):
    broken, closed = booked(slot(9, 12)), booked(slot(13, 15))
    opening_hours.close_between(
        cast.actor("wang"), cast.xrd.pk, datetime(2026, 11, 25, 14), datetime(2026, 11, 25, 18), "Power cut", cast.now
    )
    assert give_back(cast, closed) == 0
    Instrument.objects.filter(pk=cast.xrd.pk).update(status="under_repair")
    assert give_back(cast, broken) == 0
    assert not BookingFee.objects.exists()


@pytest.mark.parametrize("by_job", [True, False])
def test_who_does_not_come_pays_up_to_the_ceiling_whoever_marks_it(cast, booked, slot, by_job):
    reservation = booked(slot(9, 12))
    at = reservation.starts_at + HOUR
    if by_job:
        assert (transitions.mark_no_shows_due(at), transitions.mark_no_shows_due(at)) == (1, 0)
    else:
        transitions.mark_no_show(cast.actor("wang"), reservation.pk, at)
    assert (fee_of(reservation).kind, fee_of(reservation).payable_now_fen) == ("no_show", 1000_00)
    assert wrong() == {}


def test_a_price_without_fees_takes_none(cast, booked, slot, points):
    pricing.publish_price(cast.actor("li"), cast.xrd, PRICE, date(2026, 11, 24), cast.now, date(2026, 11, 23))
    reservation = booked(slot(9, 12))
    assert Quote.objects.filter(reservation=reservation).latest("revision").inputs[fees.TERMS] == {"notice_minutes": 1440}
    assert give_back(cast, reservation) == 0
    assert CreditEvent.objects.get().kind == "late_cancel"
    assert not BookingFee.objects.exists()


def test_rules_that_the_lab_makes_later_make_nothing_dearer(cast, booked, slot, points):
    reservation, other = booked(slot(9, 12)), booked(slot(13, 16))
    InstrumentPolicy.objects.update_or_create(instrument=cast.xrd, defaults={"cancel_notice_minutes": 3 * 1440})
    found = found_again(reservation)
    told = fee_figures.if_cancelled(cast.actor("lin"), found, found.starts_at - 25 * HOUR)
    assert (told.late, told.free_until, told.notice_minutes) == (False, found.starts_at - 24 * HOUR, 1440)
    assert give_back(cast, reservation, 25 * HOUR) == 0
    InstrumentPolicy.objects.filter(instrument=cast.xrd).update(cancel_notice_minutes=30)
    assert give_back(cast, other) == 0
    assert not CreditEvent.objects.exists()  # nobody was late by what they were told


def found_again(reservation):
    return Reservation.objects.select_related("instrument__site", "instrument__policy", "organisation").get(pk=reservation.pk)


def test_a_time_that_was_moved_too_late_is_late_also_where_it_costs_nothing(cast, booked, slot, points):
    pricing.publish_price(cast.actor("li"), cast.xrd, PRICE, date(2026, 11, 24), cast.now, date(2026, 11, 23))
    late, early = booked(slot(9, 12)), booked(slot(13, 15))
    InstrumentPolicy.objects.create(instrument=cast.xrd, approval_required=False)
    schedule = fees.thaw_schedule(fees.quote_of(late).inputs)
    assert fee_figures.stays_when_moved(late, schedule, 1200_00, late.starts_at - HOUR) == 0
    assert fee_figures.stays_when_moved(late, schedule, 1200_00, late.starts_at - 25 * HOUR) is None
    move(cast, late, slot(9, 12, day=3), late.starts_at - HOUR)
    move(cast, early, slot(13, 15, day=3), early.starts_at - 25 * HOUR)
    for one, kinds in ((early, []), (late, ["late_cancel"])):
        found = found_again(one)
        assert fee_figures.if_cancelled(cast.actor("lin"), found, found.starts_at - 30 * HOUR).late is bool(kinds)
        assert give_back(cast, found, 30 * HOUR) == 0
        assert list(CreditEvent.objects.values_list("kind", flat=True)) == kinds


def test_who_may_give_back_in_time_by_the_rules_of_now_keeps_no_fee_when_moving(cast, booked, slot):
    reservation = booked(slot(9, 12))
    InstrumentPolicy.objects.update_or_create(
        instrument=cast.xrd, defaults={"approval_required": False, "cancel_notice_minutes": 30}
    )
    move(cast, reservation, slot(9, 12, day=3), reservation.starts_at - HOUR)
    assert give_back(cast, found_again(reservation)) == 0


def test_quotes_of_before_say_nothing_of_giving_back_and_the_rules_of_now_judge(cast, booked, slot, points):
    reservation = booked(slot(9, 12))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE billing_quote SET inputs = inputs - 'cancellation'")
        cursor.execute("SET LOCAL session_replication_role = origin")
    found = found_again(reservation)
    assert ports.money().free_until(found) is None
    told = fee_figures.if_cancelled(cast.actor("lin"), found, found.starts_at - HOUR)
    assert (told.late, told.fee_fen, told.free_until) == (True, 0, found.starts_at - 24 * HOUR)
    InstrumentPolicy.objects.create(instrument=cast.xrd, approval_required=False)
    move(cast, reservation, slot(9, 12, day=3), cast.now)
    assert fees.TERMS not in fees.quote_of(reservation).inputs
    assert give_back(cast, found_again(reservation)) == 0
    assert CreditEvent.objects.get().kind == "late_cancel"


def move(cast, reservation, during, now, who="lin", **more):
    return changes.change(
        cast.actor(who), changes.ChangeRequest(reservation.pk, during, **more), now, idempotency_key=f"{during}{who}"
    )


def test_who_shortens_too_late_pays_the_fee_of_the_old_length_and_sees_it_before(cast, booked, slot, with_fees):
    reservation = booked(slot(9, 12))
    late, schedule = reservation.starts_at - HOUR, pricing.schedule(with_fees.pk)
    assert fee_figures.stays_when_moved(reservation, schedule, 400_00, late) == 600_00
    assert fee_figures.stays_when_moved(reservation, schedule, 400_00, late - 24 * HOUR) is None
    move(cast, reservation, slot(9, 10), late)
    assert give_back(cast, reservation, seen_fee_fen=600_00) == 600_00
    assert list(differences(fee_of(reservation).result, fees.again(fee_of(reservation)))) == []
    assert wrong() == {}


def test_who_moves_too_late_still_pays_for_giving_it_back_and_who_moves_in_time_does_not(cast, booked, slot):
    late, early = booked(slot(9, 12)), booked(slot(13, 15))
    InstrumentPolicy.objects.update_or_create(instrument=cast.xrd, defaults={"approval_required": False})
    move(cast, late, slot(9, 12, day=3), late.starts_at - HOUR)
    move(cast, early, slot(13, 15, day=3), early.starts_at - 25 * HOUR)
    for one, fee in ((late, 600_00), (early, 0)):
        one.refresh_from_db()
        assert give_back(cast, one, 30 * HOUR) == fee
    assert wrong() == {}


@pytest.mark.parametrize(("share", "fee"), [("1", 600_00), ("0.2", 240_00)])
def test_a_move_under_a_newer_price_keeps_the_accepted_fees_unless_those_are_milder(cast, booked, slot, share, fee):
    reservation = booked(slot(9, 12))
    InstrumentPolicy.objects.update_or_create(instrument=cast.xrd, defaults={"approval_required": False})
    dearer = PRICE | {"fees": {"late_cancel": {"share": share}}}
    pricing.publish_price(cast.actor("li"), cast.xrd, dearer, date(2026, 11, 27), cast.now, date(2026, 11, 23))
    there = slot(9, 12, day=4)
    if share == "1":
        with pytest.raises(Conflict) as refused:
            move(cast, reservation, there, cast.now, who="wang", reason="By phone", agreed=True)
        assert [one.code for one in refused.value.reasons] == ["change.dearer"]
    move(cast, reservation, there, cast.now)
    reservation.refresh_from_db()
    assert give_back(cast, reservation) == fee
    assert wrong() == {}


@pytest.mark.parametrize("milder", [{"fees": {"late_cancel": {"share": "0.2"}}}, {}])
def test_who_moves_too_late_to_a_day_with_milder_fees_or_none_keeps_the_old_ones_and_sees_them(cast, booked, slot, milder):
    reservation = booked(slot(9, 12))
    InstrumentPolicy.objects.update_or_create(instrument=cast.xrd, defaults={"approval_required": False})
    version = pricing.publish_price(cast.actor("li"), cast.xrd, PRICE | milder, date(2026, 11, 27), cast.now, date(2026, 11, 23))
    late, there = reservation.starts_at - HOUR, slot(9, 12, day=4)
    assert fee_figures.stays_when_moved(reservation, pricing.schedule(version.pk), 1200_00, late) == 600_00
    move(cast, reservation, there, late)
    again = found_again(reservation)
    assert fee_figures.if_cancelled(cast.actor("lin"), again, again.starts_at - 30 * HOUR).fee_fen == 600_00
    assert give_back(cast, again, 30 * HOUR) == 600_00
    assert list(differences(fee_of(reservation).result, fees.again(fee_of(reservation)))) == []
    assert wrong() == {}


# --- What is seen before ------------------------------------------------------------------------------------------------------
def test_the_quote_says_what_unused_time_costs(cast, slot):
    preview = quotes.preview(cast.actor("lin"), cast.xrd.pk, cast.firm.pk, slot(9, 12), cast.now)
    assert {kind.value: priced.fee_fen for kind, priced in preview.fees.items()} == {"late_cancel": 600_00, "no_show": 1000_00}
    assert preview.notice_minutes == 1440


def test_the_page_before_says_fee_subsidy_and_until_when(cast, programmes, booked, slot):
    reservation = booked(slot(9, 12))
    found = Reservation.objects.select_related("instrument__site", "instrument__policy", "organisation").get(pk=reservation.pk)
    lin = cast.actor("lin")
    early = fee_figures.if_cancelled(lin, found, cast.now)
    late = fee_figures.if_cancelled(lin, found, found.starts_at - HOUR)
    assert (early.late, early.fee_fen, early.free_until) == (False, 0, found.starts_at - 24 * HOUR)
    assert (late.late, late.fee_fen) == (True, 600_00)
    assert early.released_fen == late.released_fen > 0
    assert (early.why_free, late.why_free) == (None, None)


def test_the_page_before_says_why_it_costs_nothing_however_late_it_is(cast, life, booked, slot):
    reservation = life.ask(slot(9, 12))
    late = reservation.starts_at - HOUR
    assert fee_figures.if_cancelled(cast.actor("lin"), reservation, late).why_free == "not_promised"
    life.approve(reservation)
    reservation = Reservation.objects.get(pk=reservation.pk)
    assert fee_figures.if_cancelled(cast.actor("wang"), reservation, late).why_free == "by_lab"
    Instrument.objects.filter(pk=cast.xrd.pk).update(status="under_repair")
    reservation = Reservation.objects.get(pk=reservation.pk)
    assert fee_figures.if_cancelled(cast.actor("lin"), reservation, late).why_free == "unusable"


def test_who_saw_a_smaller_fee_is_asked_again_and_nothing_is_cancelled(cast, booked, slot):
    reservation = booked(slot(9, 12))
    with pytest.raises(Conflict) as refused:
        give_back(cast, reservation, seen_fee_fen=0)
    assert [(one.code, one.params) for one in refused.value.reasons] == [("billing.fee_differs", {"fee_fen": 600_00})]
    reservation.refresh_from_db()
    assert reservation.state == "approved"
    assert give_back(cast, reservation, seen_fee_fen=600_00) == 600_00


# --- What falls away ---------------------------------------------------------------------------------------------------------
def test_the_fee_falls_away_pro_rata_as_others_use_the_time(cast, life, booked, slot):
    lost = booked(slot(9, 12))
    give_back(cast, lost)
    he = {"who": "he", "firm": cast.other_firm}
    life.whole(slot(9, 10), **he)
    assert [one.amount_fen for one in FeeRelief.objects.all()] == [200_00]
    life.whole(slot(11, 13), **he)
    assert [one.amount_fen for one in FeeRelief.objects.order_by("pk")] == [200_00, 200_00]
    state = fee_figures.fee_of(cast.actor("lin"), lost)
    assert (state.fallen_fen, state.left_fen) == (400_00, 200_00)
    told = Notice.objects.filter(event__in=["reservation.fee_fell_away", "lab.fee_fell_away"]).order_by("pk")
    assert [(one.user.email, one.params["left_fen"]) for one in told] == [
        (who, left) for left in (400_00, 200_00) for who in ("lin@example.org", "wang@example.org")
    ]
    assert wrong() == {}


def test_use_that_nobody_is_charged_for_and_use_elsewhere_take_nothing_away(cast, life, booked, slot):
    give_back(cast, booked(slot(9, 12)))
    life.whole(slot(12, 13), who="he", firm=cast.other_firm)
    elsewhere = add_instrument(cast, "Electron microscope")
    Instrument.objects.filter(pk=elsewhere.pk).update(service_modes=["assisted"])
    life.whole(slot(9, 12), who="he", firm=cast.other_firm, instrument=elsewhere)
    again = booked(slot(9, 12), who="he", firm=cast.other_firm)
    transitions.check_in(cast.actor("wang"), again.pk, again.starts_at)
    transitions.check_out(cast.actor("wang"), again.pk, again.ends_at)
    assert not FeeRelief.objects.exists()  # not agreed yet


def test_two_fees_for_one_time_both_fall_away_when_it_is_used(cast, life, booked, slot):
    give_back(cast, booked(slot(9, 12)))
    give_back(cast, booked(slot(9, 10)))
    life.whole(slot(9, 12), who="he", firm=cast.other_firm)
    assert sorted(FeeRelief.objects.values_list("amount_fen", flat=True)) == [200_00, 600_00]
    assert wrong() == {}


def test_relieving_again_changes_nothing(cast, life, booked, slot):
    give_back(cast, booked(slot(9, 12)))
    used = life.whole(slot(9, 12), who="he", firm=cast.other_firm).reservation
    used = Reservation.objects.select_related("instrument", "session").get(pk=used.pk)
    fees.relieve(fees.to_relieve(used.session, used), used, cast.actor("wang"), cast.now)
    assert FeeRelief.objects.get().amount_fen == 600_00


def test_who_comes_late_pays_for_the_session_and_not_for_missing_it(cast, programmes, booked, slot):
    reservation = booked(slot(9, 12))
    transitions.mark_no_shows_due(reservation.starts_at + HOUR)
    self_service.start(cast.actor("lin"), reservation.pk, [], reservation.starts_at + HOUR)
    relief = FeeRelief.objects.get()
    assert (relief.cause, relief.amount_fen) == ("came_late", fee_of(reservation).payable_now_fen)
    assert wrong() == {}


def test_every_fee_and_every_reason_for_its_end_has_a_word():
    assert len({unused_word(code) for code in (*Fault, *ReliefCause.values)}) == len(Fault) + len(ReliefCause)


# --- Waiving it -----------------------------------------------------------------------------------------------------------
def waive(cast, reservation, amount_fen=100_00, who="wang", reason="Was ill", at=None):
    return fees.waive(cast.actor(who), reservation.pk, amount_fen, reason, at or cast.now)


def test_the_lab_waives_a_part_once_and_what_others_use_falls_away_beside_it(cast, life, booked, slot):
    lost = booked(slot(9, 12))
    give_back(cast, lost)
    assert waive(cast, lost).amount_fen == 100_00
    told = Notice.objects.get(event="reservation.fee_waived")
    assert (told.user.email, told.params["reason"], told.params["to_pay_fen"]) == ("lin@example.org", "Was ill", 500_00)
    with pytest.raises(Refusal) as refused:
        waive(cast, lost)
    assert [one.code for one in refused.value.reasons] == ["fee.waived_already"]
    life.whole(slot(9, 10.5), who="he", firm=cast.other_firm)
    life.whole(slot(10.5, 12), who="he", firm=cast.other_firm)
    assert list(FeeRelief.objects.order_by("pk").values_list("amount_fen", flat=True)) == [100_00, 300_00, 200_00]
    for row in FeeRelief.objects.all():
        assert list(differences(row.result, fees.again(row))) == []
    assert wrong() == {}


@pytest.mark.parametrize(
    ("who", "amount", "reason", "code"),
    [("wang", 600_01, "Ill", "fee.waive_amount"), ("wang", 0, "Ill", "fee.waive_amount"), ("wang", 1, " ", "booking.reason_missing"),
     ("lin", 1, "Ill", "access.denied"), ("he", 1, "Ill", "access.not_found"), ("own", 1, "Ill", "fee.own")],
)  # fmt: skip
def test_nobody_else_waives_it_nor_more_than_is_left_nor_without_a_reason(cast, booked, slot, who, amount, reason, code):
    lost = booked(slot(9, 12))
    give_back(cast, lost)
    if who == "own":
        who = "wang"
        Reservation.objects.update(requested_by=cast.users["wang"])
    with pytest.raises(Refusal) as refused:
        waive(cast, lost, amount, who, reason)
    found = [one.code for one in refused.value.reasons]
    assert found == [code] or (code == "access.denied" and isinstance(refused.value, Forbidden))
    assert not FeeRelief.objects.exists()


def test_a_missed_booking_whose_fee_was_waived_wholly_may_still_come_late(cast, programmes, booked, slot):
    reservation = booked(slot(9, 12))
    transitions.mark_no_shows_due(reservation.starts_at + HOUR)
    waive(cast, reservation, 1000_00)
    self_service.start(cast.actor("lin"), reservation.pk, [], reservation.starts_at + HOUR)
    assert wrong() == {}


def test_what_a_card_paid_of_a_waived_fee_goes_back_to_it(cast, life, booked, slot, card):
    lost = booked(slot(9, 12), who="ma", firm=cast.lab, fund_card_id=card.pk)
    give_back(cast, lost, who="ma")
    assert left_on(card) == 700_00
    waive(cast, lost, 300_00, at=lost.starts_at)
    assert left_on(card) == 1000_00
    assert wrong() == {}


# --- What keeps it true --------------------------------------------------------------------------------------------------------
def test_fees_and_what_fell_away_can_be_computed_again_from_what_was_frozen(cast, life, booked, slot):
    give_back(cast, booked(slot(9, 12)))
    transitions.mark_no_shows_due(booked(slot(13, 15)).starts_at + HOUR)
    life.whole(slot(9, 10.5), who="he", firm=cast.other_firm)
    pricing.schedule.cache_clear()
    rows = [*BookingFee.objects.all(), *FeeRelief.objects.all()]
    assert len(rows) == 3
    for row in rows:
        assert list(differences(row.result, fees.again(row))) == []


@pytest.mark.parametrize("what", ["update", "delete", "empty", "more", "twice"])
def test_the_database_keeps_fees_and_counter_entries(cast, life, booked, slot, what):
    give_back(cast, booked(slot(9, 12)))
    life.whole(slot(9, 10), who="he", firm=cast.other_firm)
    other = booked(slot(16, 17))
    relief = FeeRelief.objects.get()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        if what == "update":
            BookingFee.objects.update(gross_fen=1, payable_now_fen=1, final_cost_fen=1)
        elif what == "delete":
            FeeRelief.objects.all().delete()
        elif what == "empty":
            cursor.execute("TRUNCATE billing_bookingfee, billing_feerelief")
        else:
            relief.pk = None
            relief.used_by = other if what == "more" else relief.used_by
            relief.amount_fen = 400_01 if what == "more" else 1
            relief.save(force_insert=True)


# --- From a fund card ------------------------------------------------------------------------------------------------------
@pytest.fixture
def card(cast):
    from tests.spending import build_spenders

    return build_spenders(cast, threshold_fen=None).card


@pytest.fixture
def firm_card(cast):
    """Of a group of Lin's firm, which is subsidised."""
    keeper = cast.actor("zhao")
    group = research_groups.create_group(keeper, cast.firm.pk, "Brine", cast.users["lin"].pk, None, cast.now)
    terms = cards.CardFacts("F-1", "Brine", date(2026, 1, 1), date(2026, 12, 31), 5000_00, None)
    return cards.open_card(keeper, group.pk, terms, cast.now)


def left_on(card):
    return Account.objects.get(key=f"fund_card:{card.pk}").left_fen


def test_a_fund_card_pays_the_fee_and_gets_back_what_falls_away(cast, life, booked, slot, card):
    mine = {"who": "ma", "firm": cast.lab, "fund_card_id": card.pk}
    lost = booked(slot(9, 12), **mine)
    assert left_on(card) == 400_00
    give_back(cast, lost, who="ma")
    assert (left_on(card), fee_of(lost).covered_fen) == (700_00, 300_00)
    life.whole(slot(9, 11), who="he", firm=cast.other_firm)
    assert left_on(card) == 900_00
    state = fee_figures.fee_of(cast.actor("ma"), lost)
    assert (state.left_fen, state.returned_fen, state.to_pay_fen) == (100_00, 200_00, 0)
    told = Notice.objects.get(event="reservation.fee_fell_away").params
    assert (told["returned_fen"], told["to_pay_fen"]) == (200_00, 0)
    slips = slip_queries.slips_of(cast.actor("li"), lost.pk)
    assert [(one.number[-6:], one.total_fen, one.covered_fen) for one in slips] == [
        ("000001", 300_00, 300_00),
        ("000002", -200_00, -200_00),
    ]
    assert [slip.reservation_id for slip in slips_visible_to(cast, "ma")] == [lost.pk, lost.pk]
    assert slips_visible_to(cast, "tan") == slips_visible_to(cast, "he") == []
    with translation.override("en"):
        rows = slips_csv(slips, ZoneInfo("Asia/Shanghai")).decode("utf-8-sig").splitlines()
    assert [row.rsplit(",", 4)[1:] for row in rows[1:]] == [
        ["300.00", "300.00", "0.00", "Given back late"],
        ["-200.00", "-200.00", "0.00", "Fee fell away: the time was used"],
    ]
    assert wrong() == {}


def test_a_card_pays_no_more_of_a_fee_than_what_it_held_of_the_subsidised_price(cast, programmes, booked, slot, firm_card):
    whole = PRICE | {"fees": {"late_cancel": {"share": "1"}}}
    pricing.publish_price(cast.actor("li"), cast.xrd, whole, date(2026, 11, 24), cast.now, date(2026, 11, 23))
    lost = booked(slot(9, 12), fund_card_id=firm_card.pk)
    agreed_fen = 5000_00 - left_on(firm_card)
    assert 0 < agreed_fen < 1200_00
    assert give_back(cast, lost) == 1200_00
    assert (fee_of(lost).covered_fen, left_on(firm_card)) == (agreed_fen, 5000_00 - agreed_fen)
    assert fee_figures.fee_of(cast.actor("lin"), lost).to_pay_fen == 1200_00 - agreed_fen
    assert wrong() == {}


def test_who_comes_late_locks_card_and_programmes_at_once_in_id_order(cast, programmes, booked, slot, firm_card):
    """Another money move locks them in id order too; one after the other in another order they would wait for each other."""
    reservation = booked(slot(9, 12), fund_card_id=firm_card.pk)
    transitions.mark_no_shows_due(reservation.starts_at + HOUR)
    with CaptureQueriesContext(connection) as asked:
        self_service.start(cast.actor("lin"), reservation.pk, [], reservation.starts_at + HOUR)
    locking = [one["sql"] for one in asked if "FROM billing_account" in one["sql"] and "FOR NO KEY UPDATE" in one["sql"]]
    locked = [{int(number) for number in re.findall(r"\d+", sql.partition("ANY(")[2].partition(")")[0])} for sql in locking]
    card = Account.objects.get(key=f"fund_card:{firm_card.pk}").pk
    assert card in locked[0] and len(locked[0]) > 1
    assert all(later <= locked[0] for later in locked)
    assert (FeeRelief.objects.get().cause, wrong()) == ("came_late", {})


def slips_visible_to(cast, who):
    return list(slip_queries.slips_visible(cast.actor(who)))


def test_what_the_card_did_not_pay_falls_away_before_what_it_paid(cast, life, booked, slot, card):
    """A card that held 100 yuan of a fee of 300: two thirds of the time used leave it paying what is left of the fee."""
    lost = booked(slot(9, 12), who="ma", firm=cast.lab, fund_card_id=card.pk)
    account = Account.objects.get(key=f"fund_card:{card.pk}")
    hold = Transfer.objects.get(debit=account, kind="hold")
    source = ledger.Source("reservation", lost.pk, "test")
    ledger.end_holds([hold], {}, source, cast.now, TransferKind.VOID)
    ledger.hold({account.pk: 100_00}, Account.objects.get(kind="card_income"), source, cast.now)
    give_back(cast, lost, who="ma")
    assert (fee_of(lost).payable_now_fen, fee_of(lost).covered_fen) == (300_00, 100_00)
    life.whole(slot(9, 11), who="he", firm=cast.other_firm)
    assert FeeRelief.objects.get().returned_fen == 0
    life.whole(slot(11, 12), who="he", firm=cast.other_firm)
    assert [one.returned_fen for one in FeeRelief.objects.order_by("pk")] == [0, 100_00]
