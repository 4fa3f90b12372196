"""What was quoted, what was held, what is charged: the four numbers through a reservation's life."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from billing.ledger.models import Account, Transfer
from billing.pricing import services as pricing
from billing.settlement.models import Award, Quote
from billing.settlement.services import quotes
from booking.models import ReservationTransition
from booking.ports import ExpectedFigures
from booking.services import transitions
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from tests.conftest import PRICE


def figures(row):
    return (row.gross_fen, row.deducted_fen, row.payable_now_fen, row.refunded_fen, row.final_cost_fen)


def no_money_is_promised() -> bool:
    return not Account.objects.filter(held_fen__gt=0).exists()


# --- Both settlement modes --------------------------------------------------------------------------------------------
def test_a_deducting_programme_lowers_what_is_paid_now_and_pays_the_owner(life, programmes, slot):
    charge = life.whole(slot(9, 12))
    assert figures(charge) == (1200_00, 480_00, 720_00, 0, 720_00)
    award = Award.objects.get(charge=charge)
    assert (award.mode, award.payee, award.total_fen) == ("deducted_now", life.cast.lab, 480_00)
    assert award.payers == [{"payer": "province", "amount_fen": 288_00}, {"payer": "prefecture", "amount_fen": 192_00}]


def test_a_refunding_programme_leaves_what_is_paid_now_and_pays_the_firm(life, programmes, slot):
    charge = life.whole(slot(9, 12), who="he", firm=life.cast.other_firm)
    # 3 h at 400; half of it, and the bonus of 1,000 for the first use cut to what is left of the cost
    assert figures(charge) == (1200_00, 0, 1200_00, 1200_00, 0)
    award = Award.objects.get(charge=charge)
    assert (award.mode, award.payee) == ("refunded_later", life.cast.other_firm)
    second = life.whole(slot(13, 16), who="he", firm=life.cast.other_firm)
    assert figures(second) == (1200_00, 0, 1200_00, 600_00, 600_00)


def test_without_a_programme_everything_is_paid_and_nothing_held(life, slot):
    charge = life.whole(slot(9, 12))
    assert figures(charge) == (1200_00, 0, 1200_00, 0, 1200_00)
    assert not Transfer.objects.exists() and not Award.objects.exists()


def test_two_programmes_of_one_class_do_not_add_up(life, publish, variant, slot):
    publish(variant("DEMO-QH-V"))
    publish(variant("DEMO-QH-V", code="DEMO-QH-W", rate={"type": "flat", "clause": "5", "rate": "0.3"}))
    charge = life.whole(slot(9, 12))
    assert figures(charge) == (1200_00, 480_00, 720_00, 0, 720_00)
    refused = charge.result["outcomes"][1]
    assert [reason["code"] for reason in refused["reasons"]] == ["subsidy.unmet.exclusive"]


def test_two_programmes_that_may_add_up_never_exceed_the_cost(life, publish, variant, slot):
    flat = {"type": "flat", "clause": "5", "rate": "0.7"}
    for code in ("ONE", "TWO"):
        document = variant("DEMO-QH-V", code=code, rate=flat)
        document.pop("exclusive")
        publish(document)
    charge = life.whole(slot(9, 12))
    assert figures(charge) == (1200_00, 1200_00, 0, 0, 0)
    assert sorted(Award.objects.values_list("total_fen", flat=True)) == [360_00, 840_00]
    assert no_money_is_promised()


# --- Figures that changed -----------------------------------------------------------------------------------------------
def test_when_the_pool_is_emptied_before_approval_the_customer_is_asked_again(life, publish, variant, slot):
    publish(variant("DEMO-QH-V", limits={"pool": "500"}))
    first, second = life.ask(slot(9, 12)), life.ask(slot(13, 16))
    life.approve(first)
    with pytest.raises(Conflict) as refused:
        life.approve(second)
    assert refused.value.reasons[0].code == "booking.figures_changed"
    second.refresh_from_db()
    waiting = life.quote(second)
    assert second.state == "requested"
    assert (waiting.revision, waiting.accepted_at, figures(waiting)) == (2, None, (1200_00, 20_00, 1180_00, 0, 1180_00))
    with pytest.raises(Conflict):
        life.approve(second)
    assert life.quote(second).revision == 2, "the same figures are not asked twice"
    quotes.accept_quote(life.cast.actor("lin"), second.pk, life.cast.now)
    assert life.approve(second).state == "approved"
    assert figures(life.use(second)) == (1200_00, 20_00, 1180_00, 0, 1180_00)


def test_new_figures_are_accepted_once_and_only_by_the_customer(life, publish, variant, slot):
    publish(variant("DEMO-QH-V", limits={"pool": "500"}))
    first, second = life.ask(slot(9, 12)), life.ask(slot(13, 16))
    life.approve(first)
    with pytest.raises(Conflict):
        life.approve(second)
    with pytest.raises(NotFound):
        quotes.accept_quote(life.cast.actor("he"), second.pk, life.cast.now)
    with pytest.raises(Forbidden):
        quotes.accept_quote(life.cast.actor("wang"), second.pk, life.cast.now)
    quotes.accept_quote(life.cast.actor("zhao"), second.pk, life.cast.now)
    with pytest.raises(Refusal) as refused:
        quotes.accept_quote(life.cast.actor("lin"), second.pk, life.cast.now)
    assert refused.value.reasons[0].code == "billing.nothing_to_accept"


def test_new_figures_are_not_accepted_where_others_were_shown(life, publish, variant, slot):
    publish(variant("DEMO-QH-V", limits={"pool": "500"}))
    first, second = life.ask(slot(9, 12)), life.ask(slot(13, 16))
    life.approve(first)
    with pytest.raises(Conflict):
        life.approve(second)
    old, new = second.quotes.order_by("revision")
    with pytest.raises(Conflict, match="figures_differ") as refused:
        quotes.accept_quote(
            life.cast.actor("lin"), second.pk, life.cast.now, ExpectedFigures(old.payable_now_fen, old.final_cost_fen)
        )
    assert refused.value.extra["final_cost_fen"] == new.final_cost_fen and life.quote(second).accepted_at is None
    seen = ExpectedFigures(new.payable_now_fen, new.final_cost_fen)
    quotes.accept_quote(life.cast.actor("lin"), second.pk, life.cast.now, seen)
    assert life.quote(second).accepted_at is not None


def test_money_that_comes_back_before_approval_is_not_asked_about(life, publish, variant, slot):
    publish(variant("DEMO-QH-V", limits={"pool": "500"}))
    first = life.approve(life.ask(slot(9, 12)))
    second = life.ask(slot(13, 16))
    assert life.quote(second).deducted_fen == 20_00
    transitions.cancel(life.cast.actor("lin"), first.pk, life.cast.now)
    assert life.approve(second).state == "approved"
    held = life.quote(second)
    assert (held.deducted_fen, held.held_at is not None) == (480_00, True)


def test_an_answer_to_other_figures_than_were_seen_is_refused_with_the_real_ones(life, programmes, slot):
    seen = ExpectedFigures(payable_now_fen=700_00, final_cost_fen=720_00)
    with pytest.raises(Conflict) as refused:
        life.ask(slot(9, 12), expected=seen)
    assert refused.value.reasons[0].code == "billing.figures_differ"
    assert refused.value.extra == {"payable_now_fen": 720_00, "final_cost_fen": 720_00}
    assert not Quote.objects.exists()
    assert life.ask(slot(9, 12), expected=ExpectedFigures(720_00, 720_00)).state == "requested"


def test_the_price_of_the_quote_is_held_though_the_lab_publishes_another(life, programmes, slot):
    during = slot(9, 12)
    asked = life.ask(during)
    dearer = PRICE | {"rates": dict.fromkeys(PRICE["rates"], "900")}
    pricing.publish_price(life.cast.actor("wang"), life.cast.xrd, dearer, date(2026, 11, 24), life.cast.now, date(2026, 11, 23))
    assert figures(life.use(life.approve(asked))) == (1200_00, 480_00, 720_00, 0, 720_00)
    assert life.whole(slot(13, 16)).gross_fen == 2700_00


def test_the_programme_of_the_quote_is_held_though_another_starts(life, programmes, publish, variant, slot):
    asked = life.ask(slot(9, 12))
    publish(variant("DEMO-QH-V", code="RICH", exclusive={"class": "session-subsidy", "clause": "10"},
                    rate={"type": "flat", "clause": "5", "rate": "0.9"}))  # fmt: skip
    assert figures(life.use(life.approve(asked))) == (1200_00, 480_00, 720_00, 0, 720_00)
    assert life.whole(slot(13, 16)).deducted_fen == 1080_00


# --- First use ----------------------------------------------------------------------------------------------------------
def test_the_bonus_of_the_first_use_is_given_once_to_two_open_requests(life, programmes, slot):
    he = {"who": "he", "firm": life.cast.other_firm}
    first, second = life.ask(slot(9, 12), **he), life.ask(slot(13, 16), **he)
    assert [life.quote(each).refunded_fen for each in (first, second)] == [1200_00, 1200_00]
    life.approve(second)
    with pytest.raises(Conflict):
        life.approve(first)
    quotes.accept_quote(life.cast.actor("he"), first.pk, life.cast.now)
    life.approve(first)
    assert [life.use(each).refunded_fen for each in (first, second)] == [600_00, 1200_00]


def test_a_first_use_that_was_cancelled_leaves_the_bonus_for_the_next(life, programmes, slot):
    he = {"who": "he", "firm": life.cast.other_firm}
    first = life.approve(life.ask(slot(9, 12), **he))
    transitions.cancel(life.cast.actor("he"), first.pk, life.cast.now)
    assert life.whole(slot(13, 16), **he).refunded_fen == 1200_00
    assert life.whole(slot(16, 19), **he).refunded_fen == 600_00


# --- Money that goes back -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("fate", "ended"),
    [("cancel", "void"), ("cancelled by the lab", "void"), ("missed", "void"), ("missed, found by the sweep", "void")],
)
def test_what_was_held_comes_back_when_nothing_is_used(life, programmes, slot, fate, ended):
    during = slot(9, 12)
    held = life.approve(life.ask(during))
    assert not no_money_is_promised()
    if fate == "cancel":
        transitions.cancel(life.cast.actor("lin"), held.pk, life.cast.now)
    elif fate == "cancelled by the lab":
        transitions.cancel(life.cast.actor("wang"), held.pk, life.cast.now, "the tube is broken")
    elif fate == "missed":
        transitions.mark_no_show(life.cast.actor("wang"), held.pk, during.starts_at + timedelta(minutes=30))
    else:
        assert transitions.mark_no_shows_due(during.ends_at) == 1
        assert transitions.mark_no_shows_due(during.ends_at) == 0
    assert no_money_is_promised()
    assert set(Transfer.objects.filter(hold__isnull=False).values_list("kind", flat=True)) == {ended}
    assert life.whole(slot(13, 16)).deducted_fen == 480_00


def test_a_request_that_nobody_answered_expires_and_holds_nothing(life, programmes, slot):
    asked = life.ask(slot(9, 12))
    assert transitions.expire_due(slot(9, 12).starts_at - timedelta(seconds=1)) == 0
    assert transitions.expire_due(slot(9, 12).starts_at) == 1
    asked.refresh_from_db()
    assert asked.state == "expired"
    assert ReservationTransition.objects.filter(reservation=asked).latest("pk").actor is None
    assert not Transfer.objects.filter(kind="hold").exists()


def test_a_rejected_request_needs_a_reason_and_holds_nothing(life, programmes, slot):
    asked = life.ask(slot(9, 12))
    with pytest.raises(Refusal):
        transitions.reject(life.cast.actor("wang"), asked.pk, life.cast.now, "  ")
    transitions.reject(life.cast.actor("wang"), asked.pk, life.cast.now, "not for salts")
    assert no_money_is_promised()


# --- Rounding and limits --------------------------------------------------------------------------------------------------
def test_a_programme_that_gives_whole_yuan_drops_the_rest(life, publish, variant, slot):
    publish(variant("DEMO-QH-V", rounding={"step": "yuan", "mode": "down", "clause": "8"},
                    rate={"type": "flat", "clause": "5", "rate": "0.333"}))  # fmt: skip
    charge = life.whole(slot(9, 10.5))
    assert figures(charge) == (600_00, 199_00, 401_00, 0, 401_00)  # 199.80
    assert sum(line["amount_fen"] for line in Award.objects.get().payers) == 199_00


def test_a_cap_whose_limit_nobody_set_and_that_then_does_not_limit_gives_at_approval_what_was_quoted(
    life, publish, variant, slot
):
    """Langfang's total per unit is read from a configuration; without one there is no limit."""
    document = variant("HE-LF", validity={"first_day": "2026-01-01", "last_day": "2026-12-31", "clause": "6"})
    document["gates"] = [gate for gate in document["gates"] if gate["type"] not in {"region", "service_kind"}]
    publish(document)
    asked = life.ask(slot(9, 12))
    assert life.quote(asked).refunded_fen == 600_00
    charge = life.use(life.approve(asked))
    assert figures(charge) == (1200_00, 0, 1200_00, 600_00, 600_00)


def test_the_yearly_cap_cuts_the_last_award_and_then_gives_nothing(life, publish, variant, slot):
    publish(variant("DEMO-QH-V", limits={"firm-year": "600"}))
    given = [life.whole(slot(9, 12, day)).deducted_fen for day in range(3)]
    assert given == [480_00, 120_00, 0]
    assert Account.objects.get(kind="firm_year").posted_fen == 600_00


def test_an_unverified_firm_is_quoted_and_gets_nothing(life, programmes, slot):
    life.cast.firm.status = "claimed"
    life.cast.firm.save()
    charge = life.whole(slot(9, 12))
    assert figures(charge) == (1200_00, 0, 1200_00, 0, 1200_00)
    codes = {reason["code"] for outcome in charge.result["outcomes"] for reason in outcome["reasons"]}
    assert "subsidy.unmet.verified_organisation" in codes
