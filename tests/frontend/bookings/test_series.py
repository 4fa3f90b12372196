"""The pages of a series: the form, the report, asking, the series itself and changing it."""

from __future__ import annotations

import re
from datetime import date
from html import unescape

import pytest

from billing.pricing import services as pricing
from billing.settlement.extra_models import SessionExtra
from booking.models import Reservation, ReservationSeries
from booking.services import policies, transitions
from booking.services.policies import Scope
from tests.billing.settlement.test_chosen_addons import publish_with_addons
from tests.conftest import PRICE
from tests.frontend.acting import FRAGMENT, may_pass_over_rules_is_opened, query_count, words
from tests.heads import with_head
from tests.spending import build_spenders

RULE = {"on": "2026-11-25", "from": "09:00", "to": "12:00", "frequency": "weekly", "every": "1", "ends": "count", "count": "3"}


@pytest.fixture
def page(cast):
    return f"/instruments/{cast.xrd.pk}/series"


def ticks(response) -> dict[str, str]:
    """id -> value of every tick of a report."""
    found = re.findall(r'id="((?:pick|other|change)-\d+)" type="checkbox" name="pick" value="([^"]+)"', response.content.decode())
    return {name: unescape(value) for name, value in found}


def sent(response, **more) -> dict:
    """What the report's form sends: everything hidden, and the ticks that are set."""
    html = response.content.decode().partition("series-report")[2] or response.content.decode().partition("change-report")[2]
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', html):
        fields.setdefault(name, []).append(unescape(value))
    fields["pick"] = [unescape(one) for one in re.findall(r'name="pick" value="([^"]+)" checked', html)]
    return fields | more


@pytest.fixture
def asked(as_, page):
    """The id of a series that Lin asked for on the page."""
    shown = as_("lin").get(page, RULE)
    response = as_("lin").post(page, sent(shown, action="ask"))
    assert response.status_code == 302
    pk = ReservationSeries.objects.latest("pk").pk
    assert response["Location"] == f"/series/{pk}/"
    return pk


def test_the_panel_leads_to_repeating_the_time_that_was_chosen(as_, cast, page):
    panel = as_("lin").get(f"/instruments/{cast.xrd.pk}/?on=2026-11-25&from=09:00&to=12:00")
    (address,) = re.findall(r'id="quote-repeat" href="([^"]+)"', panel.content.decode())
    form = as_("lin").get(unescape(address))
    assert 'value="2026-11-25"' in form.content.decode() and "Wednesday" in words(form)
    assert "4 times together" in words(form)


def test_the_report_shows_every_time_with_its_price_and_asks_for_all_at_once(as_, programmes, page):
    shown = as_("lin").get(page, RULE)
    text = words(shown)
    assert "very week on Wednesday, 09:00–12:00, 3 times" in text
    assert "3 times together" in text and "Request 3 times" in text and text.count("Free") >= 3
    assert len(ticks(shown)) == 3
    response = as_("lin").post(page, sent(shown, action="ask"), follow=True)
    assert "3 requests sent." in words(response)
    assert Reservation.objects.filter(series__isnull=False, state="requested").count() == 3


def test_what_the_national_record_asks_is_asked_once_for_every_time(as_, programmes, page):
    shown = as_("lin").get(page, RULE | {"service_direction": "teaching", "fund_source": "4"})
    assert "For the national record" in words(shown)
    as_("lin").post(page, sent(shown, action="ask"))
    said = Reservation.objects.filter(series__isnull=False).values_list("service_direction", "fund_source")
    assert list(said) == [("teaching", "4")] * 3


def test_the_button_says_book_where_the_lab_asks_for_no_approval(as_, cast, page):
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"approval_required": False}, cast.now)
    shown = as_("lin").get(page, RULE)
    assert "Book 3 times" in words(shown)
    assert "3 times booked." in words(as_("lin").post(page, sent(shown, action="ask"), follow=True))


def test_what_nobody_would_decide_about_is_said_of_each_time_and_why_once(as_, cast, page):
    shown = as_("wang").get(page, RULE | {"organisation": str(cast.lab.pk)})
    text = words(shown)
    assert text.count("Nobody would decide") == 3 and text.count("Have somebody made a manager of the lab") == 1
    assert ticks(shown) == {} and "series-submit" not in shown.content.decode() and "Choose other times above" not in text
    with_head(cast)
    shown = as_("wang").get(page, RULE | {"organisation": str(cast.lab.pk)})
    assert "Request 3 times" in words(shown) and "Nobody would decide" not in words(shown)


def test_a_taken_time_is_replaced_by_the_nearest_once_its_price_was_shown(as_, ask, page):
    ask(10, 11, day=7, who="he")
    shown = as_("lin").get(page, RULE)
    assert "2 times together" in words(shown) and "Taken" in words(shown)
    other = ticks(shown)["other-2"]
    wanted = sent(shown)
    both = wanted | {"pick": [*wanted["pick"], other]}
    unseen = as_("lin").post(page, both | {"action": "ask"})
    assert unseen.status_code == 422 and "Nothing is booked yet: here is what it costs" in words(unseen)
    looked = as_("lin").post(page, both | {"action": "look"}, headers=FRAGMENT)
    assert "<html" not in looked.content.decode() and "instead of the planned time" in words(looked)
    assert "Request 3 times" in words(looked)
    assert as_("lin").post(page, sent(looked, action="ask")).status_code == 302
    assert Reservation.objects.filter(series__isnull=False).count() == 3


def test_what_was_taken_after_the_report_is_said_with_a_fresh_one_and_nothing_is_booked(as_, ask, page):
    shown = as_("lin").get(page, RULE)
    ask(10, 11, day=7, who="he")
    response = as_("lin").post(page, sent(shown, action="ask", purpose="kept typing"))
    assert response.status_code == 409
    text = words(response)
    assert re.search(r"Nothing was done: something changed meanwhile at .{0,30}09:00\.", text)
    assert "Request 2 times" in text
    assert 'value="kept typing"' in response.content.decode()
    assert not ReservationSeries.objects.exists()
    assert as_("lin").post(page, sent(response, action="ask")).status_code == 302


def test_when_everything_is_unticked_nothing_is_ticked_again(as_, page):
    shown = sent(as_("lin").get(page, RULE))
    looked = as_("lin").post(page, shown | {"action": "look", "pick": []}, headers=FRAGMENT)
    assert len(ticks(looked)) == 3 and sent(looked)["pick"] == [] and "Request" not in words(looked)


def test_unticked_times_are_left_out(as_, page):
    shown = sent(as_("lin").get(page, RULE))
    response = as_("lin").post(page, shown | {"action": "ask", "pick": shown["pick"][:1]}, follow=True)
    assert "1 request sent." in words(response) and "2 times that could not be had" in words(response)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"count": ""}, "Give a whole number between 1 and 60"),
        ({"count": "61"}, "at most 60 times"),
        ({"ends": "until", "until": "x"}, "Give the day as year, month and day"),
        ({"ends": "until", "until": "2026-11-01"}, "before the first time"),
        ({"every": "0"}, "Give a whole number between 1 and 52"),
        ({"to": "09:00"}, "The end must be after the start"),
        ({"on": "9999-99-99"}, "Give the day as year, month and day"),
        ({"organisation": "999999"}, "You cannot book for this organisation"),
        ({"frequency": "hourly", "weekday": "9"}, "3 times together"),
    ],
)
def test_what_cannot_be_read_is_said_and_kept(as_, page, typed, said):
    response = as_("lin").get(page, RULE | typed)
    assert said in words(response) or typed.get("organisation")
    assert response.status_code in (200, 403, 409, 422)


@pytest.mark.parametrize(
    "pick",
    [
        "",
        "x",
        "1|x|y|||",
        "1|2026-11-25T01:00:00+00:00|2026-11-25T00:00:00+00:00|||",
        "9|2026-11-25T01:00:00|2026-11-25T02:00:00|||",
        "1|0001-01-01T00:00:00+00:00|0001-01-01T02:00:00+00:00|0|0|",
        "1|9999-12-31T20:00:00+00:00|9999-12-31T22:00:00+00:00|0|0|",
    ],
)
def test_ticks_that_cannot_be_read_are_no_ticks(as_, page, pick):
    shown = sent(as_("lin").get(page, RULE))
    response = as_("lin").post(page, shown | {"action": "ask", "pick": [pick]})
    assert response.status_code == 422 and "Tick at least one time" in words(response)


@pytest.mark.parametrize("action", ["look", "ask"])
def test_a_tick_of_many_years_is_refused_before_opening_hours_are_spread_out_over_it(as_, page, action):
    shown = sent(as_("lin").get(page, RULE))
    endless = "1|2027-01-01T00:00:00+00:00|2099-01-01T00:00:00+00:00|0|0|"
    response = as_("lin").post(page, shown | {"action": action, "pick": [endless]})
    assert response.status_code in (409, 422) and "One request can be for 92 days at most" in words(response)


def test_a_series_shows_its_rule_and_what_became_of_each_time(as_, cast, programmes, asked):
    first = Reservation.objects.get(series_id=asked, ordinal=1)
    transitions.approve(cast.actor("wang"), first.pk, cast.now)
    text = words(as_("lin").get(f"/series/{asked}/"))
    assert "very week on Wednesday" in text and "Approved" in text and text.count("Awaiting approval") == 2
    assert "Move several" in text and "Cancel several" in text
    assert "Cancel several" not in words(as_("li").get(f"/series/{asked}/"))
    assert as_("he").get(f"/series/{asked}/").status_code == 404
    assert f'href="/series/{asked}/"' in as_("lin").get(f"/bookings/{first.pk}/").content.decode()


def test_this_and_the_following_are_given_back_after_a_look(as_, asked):
    address = f"/series/{asked}/change"
    shown = as_("lin").get(address, {"step": "cancel", "scope": "following", "anchor": "2"})
    assert "Given back in time" in words(shown) and len(ticks(shown)) == 2
    response = as_("lin").post(address, sent(shown), follow=True)
    assert "2 times given back." in words(response)
    assert [one.state for one in Reservation.objects.filter(series_id=asked).order_by("ordinal")] == [
        "requested",
        "cancelled",
        "cancelled",
    ]


def test_all_are_moved_after_a_look_with_their_new_figures(as_, programmes, asked):
    address = f"/series/{asked}/change"
    typed = {"step": "move", "scope": "all", "anchor": "1", "on": "2026-11-26", "from": "10:00", "to": "12:00"}
    shown = as_("lin").get(address, typed)
    assert "Moves at once" in words(shown) and "¥" in words(shown)
    assert "3 times moved." in words(as_("lin").post(address, sent(shown), follow=True))
    same = as_("lin").get(address, typed)
    assert same.status_code == 422 and "This is the time it has already" in words(same)


def test_after_a_refused_move_the_fresh_report_is_of_what_was_ticked(as_, ask, programmes, asked):
    address = f"/series/{asked}/change"
    typed = {"step": "move", "scope": "all", "anchor": "1", "on": "2026-11-26", "from": "10:00", "to": "12:00"}
    shown = sent(as_("lin").get(address, typed))
    ask(10, 11, day=1, who="he")
    response = as_("lin").post(address, shown | {"pick": shown["pick"][:2]})
    assert response.status_code == 409 and "Stays as it is" in words(response)
    assert "2 times moved." not in words(response) and len(sent(response)["pick"]) == 1


def test_the_lab_gives_its_reason_before_it_gives_back(as_, asked):
    address = f"/series/{asked}/change"
    shown = as_("wang").get(address, {"step": "cancel", "scope": "all", "anchor": "1"})
    assert shown.status_code == 422 and "Give a reason" in words(shown)
    shown = as_("wang").get(address, {"step": "cancel", "scope": "all", "anchor": "1", "reason": "The tube is broken"})
    assert "3 times given back." in words(as_("wang").post(address, sent(shown), follow=True))
    assert as_("wang").get(address).status_code == 200


def test_the_pages_cost_as_many_queries_for_many_times(as_, cast, page):
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"horizon_days": 100}, cast.now)
    few = query_count(as_("lin"), f"{page}?on=2026-11-25&from=09:00&to=12:00&ends=count&count=3")
    assert query_count(as_("lin"), f"{page}?on=2026-11-25&from=09:00&to=12:00&ends=count&count=30&frequency=daily") == few


def test_a_series_is_paid_from_the_card_that_is_chosen_and_says_what_is_left(as_, cast, page):
    spenders = build_spenders(cast)
    typed = RULE | {"to": "10:00", "organisation": cast.lab.pk, "fund_card": spenders.card.pk}
    shown = as_("ma").get(page, typed)
    assert "NSF-1: \u00a5400.00 left after this" in words(shown)
    assert as_("ma").post(page, sent(shown, action="ask")).status_code == 302
    assert set(Reservation.objects.values_list("fund_card_id", flat=True)) == {spenders.card.pk}


@pytest.mark.parametrize("card", ["999999", "x", "-1"])
def test_a_card_that_is_not_the_persons_is_asked_for_again_and_nothing_is_lost(as_, cast, page, card):
    build_spenders(cast)
    typed = RULE | {"organisation": cast.lab.pk, "fund_card": card, "purpose": "kept typing"}
    shown = as_("ma").get(page, typed)
    assert shown.status_code == 422 and "Choose a fund card." in words(shown) and 'value="kept typing"' in shown.content.decode()


def test_the_report_says_what_giving_the_times_back_late_would_cost(as_, cast, programmes, page):
    fees = {"late_cancel": {"share": "0.5"}}
    today = date(2026, 11, 23)
    pricing.publish_price(cast.actor("li"), cast.xrd, PRICE | {"fees": fees}, today, cast.now, today)
    text = words(as_("lin").get(page, RULE))
    assert "until 24 h before its start. Later it costs a fee: ¥1,800.00 for all of them." in text


def test_a_manager_repeats_a_time_in_spite_of_the_labs_rules_with_one_reason(as_, cast, page, programmes):
    with_head(cast)
    wang, asked = as_("wang"), RULE | {"organisation": cast.lab.pk}
    assert not may_pass_over_rules_is_opened(wang.get(page, asked))
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"max_minutes": 120}, cast.now)
    plain = wang.get(page, asked)
    assert not ticks(plain) and 'id="series-override"' in plain.content.decode()
    assert may_pass_over_rules_is_opened(plain) and "You manage this lab" in words(plain)
    assert 'id="series-override"' not in as_("lin").get(page, RULE).content.decode()
    shown = wang.get(page, asked | {"override_reason": "Beam time was lost"})
    assert words(shown).count("In spite of the lab's rules: longest booking.") == 3
    made = wang.post(page, sent(shown, action="ask"))
    assert made.status_code == 302 and Reservation.objects.count() == 3
    first = words(wang.get(f"/bookings/{Reservation.objects.earliest('pk').pk}/"))
    assert "Beam time was lost (passed over: longest booking)" in first


def test_what_is_used_besides_each_time_is_chosen_for_the_whole_series(as_, cast, programmes, page):
    publish_with_addons(cast)
    panel = as_("lin").get(f"/instruments/{cast.xrd.pk}/?on=2026-11-25&from=09:00&to=12:00&addons=cell:2")
    (address,) = re.findall(r'id="quote-repeat" href="([^"]+)"', panel.content.decode())
    assert "addons=cell%3A2" in unescape(address) and "only; the lab adds them" not in words(panel)
    shown = as_("lin").get(unescape(address))
    assert 'id="addon-cell" name="addon-cell" inputmode="numeric" maxlength="4" value="2"' in shown.content.decode()
    more = as_("lin").get(page, RULE | {"addon-cell": "3"})
    text = words(more)
    assert text.count("¥45.00") == 3 and "¥135.00" in text and "Pay now with it" in text
    response = as_("lin").post(page, sent(more, action="ask"), follow=True)
    assert "3 requests sent." in words(response)
    assert list(SessionExtra.objects.values_list("addon", "quantity", "state")) == [("cell", 3, "agreed")] * 3


def test_a_wrong_choice_is_said_at_the_top_and_nothing_can_be_asked_for(as_, cast, programmes, page):
    publish_with_addons(cast)
    shown = as_("lin").get(page, RULE | {"addon-cell": "many"})
    assert "Give how many: a whole number from 1" in words(shown) and "Request 3 times" not in words(shown)
    assert 'value="many"' in shown.content.decode()


def test_a_choice_whose_sum_was_not_shown_is_shown_first(as_, cast, programmes, page):
    publish_with_addons(cast)
    unseen = sent(as_("lin").get(page, RULE), action="ask", addons="cell:2")
    unseen["pick"] = [one.rpartition("|")[0] + "|" for one in unseen["pick"]]
    response = as_("lin").post(page, unseen)
    assert response.status_code == 422 and not Reservation.objects.exists()
