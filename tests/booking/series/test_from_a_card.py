"""A series and several instruments together that are paid from a fund card. An hour costs the institute's people 200 yuan."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from billing.cards import services as cards
from billing.cards.accounts import card_key
from billing.ledger.models import Account
from billing.settlement import series_figures, together_figures
from billing.settlement.series_figures import expected_of
from booking.models import InstrumentPolicy, LeaderApproval, Reservation
from booking.services import leader_answers, series, together
from booking.services.together import Bundle, Place
from config.kernel.errors import Conflict, NotFound, Refusal
from config.kernel.time_range import TimeRange
from instruments.models import Notice
from instruments.services import research_groups
from tests.concurrency.world import add_instrument
from tests.spending import VALID, build_spenders


@pytest.fixture
def spenders(cast, programmes):
    return build_spenders(cast)


@pytest.fixture
def on_card(spenders, wish):
    """``on_card(hours=1)``: Ma's series of three times on the group's card."""

    def make(card=None, **more):
        return replace(wish(**more), organisation_id=spenders.cast.lab.pk, fund_card_id=(card or spenders.card).pk)

    return make


def report(spenders, asked, who="ma"):
    return series_figures.report(spenders.cast.actor(who), asked, spenders.cast.now)


def ask(spenders, asked, key="c1"):
    shown = report(spenders, asked)
    return series.ask(spenders.cast.actor("ma"), asked, shown.picks(), spenders.cast.now, idempotency_key=key)


def held(spenders):
    return Account.objects.get(key=card_key(spenders.card.pk)).held_fen


def codes(report):
    return [[reason.code for reason in one.row.verdict.reasons] for one in report.rows]


def lab_heard(cast):
    return [one.params["count"] for one in Notice.objects.filter(user=cast.users["wang"], event="series.requested")]


def test_each_time_of_a_series_keeps_its_price_on_the_card(spenders, on_card):
    research_groups.set_card_needed(spenders.cast.actor("li"), spenders.cast.lab.pk, True, spenders.cast.now)
    made = ask(spenders, on_card(hours=1))
    assert set(Reservation.objects.filter(series_id=made.series_id).values_list("fund_card_id", flat=True)) == {spenders.card.pk}
    assert held(spenders) == 3 * 200_00
    assert lab_heard(spenders.cast) == [3]


def test_a_card_that_ends_before_the_last_time_is_said_at_that_time(spenders, on_card):
    keeper, now = spenders.cast.actor("li"), spenders.cast.now
    terms = cards.CardFacts("NSF-2", "Ends soon", VALID[0], date(2026, 12, 2), 5000_00, None)
    soon = cards.open_card(keeper, spenders.salt.pk, terms, now)
    assert codes(report(spenders, on_card(card=soon, hours=1))) == [[], [], ["card.not_valid_then"]]


def test_more_than_the_card_has_is_asked_for_wholly_or_not_at_all(spenders, on_card):
    asked = on_card(hours=2)
    with pytest.raises(Conflict) as refused:
        ask(spenders, asked)
    assert [one.code for one in refused.value.reasons] == ["series.not_all", "card.not_enough_left"]
    assert not Reservation.objects.exists() and held(spenders) == 0


def test_the_lab_hears_of_a_time_only_once_the_leader_has_agreed(spenders, on_card):
    keeper, now = spenders.cast.actor("li"), spenders.cast.now
    terms = cards.CardFacts("NSF-3", "Asked about everything", *VALID, 5000_00, 100_00)
    strict = cards.open_card(keeper, spenders.salt.pk, terms, now)
    made = ask(spenders, on_card(card=strict, hours=1))
    assert LeaderApproval.objects.filter(reservation__in=made.reservation_ids).count() == 3 and lab_heard(spenders.cast) == []
    waiting = LeaderApproval.objects.get(reservation=made.reservation_ids[0])
    leader_answers.agree(spenders.cast.actor("gao"), waiting.pk, now)
    assert Notice.objects.filter(user=spenders.cast.users["wang"], event="reservation.requested").count() == 1


@pytest.mark.parametrize("long_one", [1, 2])
def test_of_times_on_both_sides_of_the_leaders_threshold_each_is_told_by_what_it_is(spenders, on_card, long_one):
    InstrumentPolicy.objects.create(instrument=spenders.cast.xrd, approval_required=False)
    asked = on_card(hours=2, count=2)
    rows = [row.during for row in report(spenders, asked).report.rows]
    rows[long_one - 1] = TimeRange(rows[long_one - 1].starts_at, rows[long_one - 1].starts_at + timedelta(hours=3))
    picks = [series.Pick(ordinal, during) for ordinal, during in enumerate(rows, start=1)]
    made = series.ask(spenders.cast.actor("ma"), asked, picks, spenders.cast.now, idempotency_key="c1")
    states = dict(Reservation.objects.values_list("ordinal", "state"))
    assert states == {long_one: "requested", 3 - long_one: "approved"}
    assert made.state == "requested"
    booked = Notice.objects.get(event="series.booked")
    assert (booked.user, booked.params["count"]) == (spenders.cast.users["ma"], 1)
    assert lab_heard(spenders.cast) == []  # the leader is asked first


@pytest.mark.parametrize("who", ["wang", "lin"])
def test_who_does_not_spend_from_a_card_finds_none(spenders, on_card, who):
    asked = on_card(hours=1)
    if who == "lin":
        asked = replace(asked, organisation_id=spenders.cast.firm.pk)
    with pytest.raises(NotFound):
        report(spenders, asked, who)


def test_several_instruments_are_paid_from_one_card(spenders, slot):
    cast = spenders.cast
    sem = add_instrument(cast, "Electron microscope")
    places = [Place(cast.xrd.pk, slot(9, 11), "self_operated"), Place(sem.pk, slot(11, 12), "self_operated")]
    bundle = Bundle(cast.lab.pk, tuple(places), fund_card_id=spenders.card.pk)
    shown = together_figures.report(cast.actor("ma"), bundle, cast.now)
    assert shown.is_possible
    seen = tuple(replace(one.row.place, expected=expected_of(one.figures)) for one in shown.rows)
    together.ask(cast.actor("ma"), replace(bundle, places=seen), cast.now, idempotency_key="t1")
    assert set(Reservation.objects.values_list("fund_card_id", flat=True)) == {spenders.card.pk}
    assert held(spenders) == shown.total.payable_now_fen


def asked_of_leader(spenders, name="gao"):
    rows = Notice.objects.filter(user=spenders.cast.users[name], event__endswith="leader_asked").order_by("pk")
    return [(row.event, row.params.get("count"), row.needs_action) for row in rows]


@pytest.fixture
def waiting(spenders, on_card):
    """Three times of a series that wait for Gao."""
    keeper, now = spenders.cast.actor("li"), spenders.cast.now
    strict = cards.open_card(keeper, spenders.salt.pk, cards.CardFacts("NSF-4", "Asked", *VALID, 5000_00, 100_00), now)
    return ask(spenders, on_card(card=strict, hours=1))


def test_the_leader_hears_once_of_a_series_and_answers_all_of_it_at_once(spenders, waiting):
    gao, now = spenders.cast.actor("gao"), spenders.cast.now
    assert asked_of_leader(spenders) == [("series.leader_asked", 3, True)]
    ids = list(LeaderApproval.objects.order_by("pk").values_list("pk", flat=True))
    found = leader_answers.answer_all(gao, [*ids, 999_999], True, now)
    assert [one.refusal is None for one in found] == [True, True, True, False]
    assert asked_of_leader(spenders) == [("series.leader_asked", 3, False)]
    assert not LeaderApproval.objects.filter(state="waiting").exists()


def test_the_leader_is_still_asked_while_one_time_of_the_series_waits(spenders, waiting):
    gao, now = spenders.cast.actor("gao"), spenders.cast.now
    ids = list(LeaderApproval.objects.order_by("pk").values_list("pk", flat=True))
    leader_answers.answer_all(gao, ids[:2], False, now, "Too much")
    assert asked_of_leader(spenders) == [("series.leader_asked", 3, True)]
    assert Reservation.objects.filter(state="rejected").count() == 2
    for wrong in ((ids, False, ""), ([], True, "")):
        with pytest.raises(Refusal):
            leader_answers.answer_all(gao, wrong[0], wrong[1], now, wrong[2])


def test_a_new_leader_hears_of_what_waits_and_the_old_one_is_asked_no_more(spenders, waiting):
    cast, now = spenders.cast, spenders.cast.now
    research_groups.change_group(cast.actor("li"), spenders.salt.pk, "Salt lakes", cast.users["tan"].pk, None, now)
    assert asked_of_leader(spenders) == [("series.leader_asked", 3, False)]
    assert asked_of_leader(spenders, "tan") == [("series.leader_asked", 3, True)]
    research_groups.change_group(cast.actor("li"), spenders.salt.pk, "Salts", cast.users["tan"].pk, None, now)
    assert len(asked_of_leader(spenders, "tan")) == 1
