"""Booking several instruments at once on one page."""

from __future__ import annotations

import re
from datetime import date
from html import unescape

import pytest

from billing.pricing import services as pricing
from billing.settlement.extra_models import SessionExtra
from booking.models import Reservation, ReservationGroup
from booking.services import policies
from booking.services.policies import Scope
from instruments.models import Instrument
from tests.billing.settlement.test_chosen_addons import publish_with_addons
from tests.concurrency.world import add_instrument
from tests.conftest import PRICE
from tests.frontend.acting import may_pass_over_rules_is_opened, words
from tests.heads import with_head
from tests.spending import build_spenders

PAGE = "/book-together/"


@pytest.fixture
def sem(cast):
    return add_instrument(cast, "Electron microscope")


@pytest.fixture
def both(cast, sem):
    """What the form sends for both: the first from nine to eleven, the second from eleven to twelve."""
    own = {f"on-{sem.pk}": "2026-11-25", f"from-{sem.pk}": "11:00", f"to-{sem.pk}": "12:00"}
    return {"instrument": [cast.xrd.pk, sem.pk], "on": "2026-11-25", "from": "09:00", "to": "11:00", **own}


def sent(response, **more) -> dict:
    """What the report's form sends."""
    html = response.content.decode().partition('id="together-report"')[2]
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', html):
        fields.setdefault(name, []).append(unescape(value))
    return fields | more


def test_the_panel_leads_there_and_a_second_instrument_can_be_added(as_, cast, sem):
    panel = as_("lin").get(f"/instruments/{cast.xrd.pk}/?on=2026-11-25&from=09:00&to=12:00")
    (address,) = re.findall(r'id="quote-together" href="([^"]+)"', panel.content.decode())
    page = as_("lin").get(unescape(address))
    assert "Add a second instrument" in words(page) and "Electron microscope" in words(page)
    assert 'value="2026-11-25"' in page.content.decode()


def test_both_are_shown_with_their_price_and_asked_for_at_once(as_, programmes, both):
    page = as_("lin").get(PAGE, both)
    text = words(page)
    assert text.count("Can be had") == 2 and "Request all of them" in text
    response = as_("lin").post(PAGE, sent(page))
    first, second = Reservation.objects.filter(group__isnull=False).order_by("pk")
    assert response.status_code == 302 and response["Location"] == f"/bookings/{first.pk}/"
    text = words(as_("lin").get(f"/bookings/{first.pk}/"))
    assert "Asked for together with" in text and "Electron microscope" in text
    assert f'href="/bookings/{second.pk}/"' in as_("lin").get(f"/bookings/{first.pk}/").content.decode()


def test_what_the_national_record_asks_is_asked_once_for_all(as_, programmes, both):
    page = as_("lin").get(PAGE, both | {"service_direction": "development", "fund_source": "2"})
    assert "For the national record" in words(page)
    as_("lin").post(PAGE, sent(page))
    said = Reservation.objects.filter(group__isnull=False).values_list("service_direction", "fund_source")
    assert list(said) == [("development", "2")] * 2


def test_what_nobody_would_decide_about_is_said_of_each(as_, cast, both):
    shown = as_("wang").get(PAGE, both | {"organisation": str(cast.lab.pk)})
    assert words(shown).count("Have somebody made a manager of the lab") == 2
    assert 'id="together-submit"' not in shown.content.decode()
    with_head(cast)
    assert "Request all of them" in words(as_("wang").get(PAGE, both | {"organisation": str(cast.lab.pk)}))


def test_the_button_says_what_will_happen_to_each(as_, cast, sem, both):
    policies.say(cast.actor("wang"), Scope(cast.lab.pk, instrument_id=sem.pk), {"approval_required": False}, cast.now)
    policies.say(cast.actor("wang"), Scope(cast.lab.pk, instrument_id=cast.xrd.pk), {"approval_required": True}, cast.now)
    page = as_("lin").get(PAGE, both)
    assert "Book 1 and request 1" in words(page)
    as_("lin").post(PAGE, sent(page))
    assert {one.state for one in Reservation.objects.all()} == {"approved", "requested"}


def test_what_was_taken_meanwhile_is_said_and_nothing_is_booked(as_, ask, both):
    page = as_("lin").get(PAGE, both)
    ask(10, 11, who="he")
    response = as_("lin").post(PAGE, sent(page, purpose="kept typing"))
    assert response.status_code == 409
    text = words(response)
    assert "Nothing was booked: X-ray diffractometer cannot be had any more" in text and "Not all of them can be had" in text
    assert "free:" in text and 'value="kept typing"' in response.content.decode()
    assert not ReservationGroup.objects.exists()


def test_one_is_left_out_again_and_figures_must_have_been_seen(as_, cast, sem, both):
    page = as_("lin").get(PAGE, both | {"remove": sem.pk})
    assert "Add a second instrument" in words(page)
    unseen = {name: value for name, value in sent(as_("lin").get(PAGE, both)).items() if not name.startswith(("now-", "cost-"))}
    response = as_("lin").post(PAGE, unseen)
    assert response.status_code == 422 and "Nothing is booked yet: here is what it costs" in words(response)


@pytest.mark.parametrize(
    "query",
    ["", "instrument=x", "instrument=999999999", "instrument=1&instrument=1", "instrument=" + "9" * 40, "organisation=%00"],
)
def test_any_address_gets_an_answer(as_, cast, query):
    assert as_("lin").get(f"{PAGE}?{query}").status_code == 200
    unreadable = f"instrument={cast.xrd.pk}&instrument={cast.xrd.pk + 1}&on=x&from=1&to=2"
    assert as_("lin").get(f"{PAGE}?{unreadable}").status_code in (200, 422)


def test_a_time_over_midnight_keeps_its_last_day(as_, cast, sem):
    late = {"instrument": [cast.xrd.pk, sem.pk], "on": "2026-11-25", "from": "19:00", "to": "09:00", "to_on": "2026-11-26"}
    page = as_("lin").get(PAGE, late)
    assert f'name="to_on-{sem.pk}" type="date" value="2026-11-26"' in page.content.decode()
    assert "Cannot be had so" in words(page)


def test_all_of_them_are_paid_from_the_card_that_is_chosen(as_, cast, both):
    spenders = build_spenders(cast)
    typed = both | {"organisation": cast.lab.pk, "fund_card": spenders.card.pk}
    shown = as_("ma").get(PAGE, typed)
    assert "NSF-1: \u00a5400.00 left after this" in words(shown)
    assert as_("ma").post(PAGE, sent(shown)).status_code == 302
    assert list(Reservation.objects.values_list("fund_card_id", flat=True)) == [spenders.card.pk] * 2


def test_what_giving_back_late_costs_stands_in_the_report(as_, cast, programmes, both):
    pricing.publish_price(
        cast.actor("li"), cast.xrd, PRICE | {"fees": {"late_cancel": {"share": "0.5"}, "no_show": {"share": "1"}}},
        date(2026, 11, 23), cast.now, date(2026, 11, 23),
    )  # fmt: skip
    text = words(as_("lin").get(PAGE, both))
    assert "given back late: ¥400.00" in text
    assert "Later it costs a fee: ¥400.00 for all of them." in text and "Not coming costs ¥800.00 for all of them." in text


def test_an_instrument_of_another_lab_is_found_and_added(as_, cast, programmes, both):
    other = add_instrument(cast, "Mass spectrometer")
    Instrument.objects.filter(pk=other.pk).update(organisation=cast.office, model="Q-Exactive 3")
    page = as_("lin").get(PAGE, both | {"find": "exactive"})
    offered = re.compile(rf'<option value="{other.pk}">[^<]*Mass spectrometer')
    assert offered.search(page.content.decode())
    assert not offered.search(as_("lin").get(PAGE, both).content.decode())
    assert "Try another word" in words(as_("lin").get(PAGE, both | {"find": "no such thing"}))
    added = as_("lin").get(PAGE, both | {"instrument": [*both["instrument"], other.pk]})
    assert "Mass spectrometer" in words(added) and f'name="on-{other.pk}"' in added.content.decode()


def test_a_manager_books_several_in_spite_of_the_labs_rules_with_one_reason(as_, cast, both, sem, programmes):
    with_head(cast)
    wang, asked = as_("wang"), both | {"organisation": cast.lab.pk}
    assert not may_pass_over_rules_is_opened(wang.get(PAGE, asked))
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"max_minutes": 60}, cast.now)
    plain = wang.get(PAGE, asked)
    assert "together-submit" not in plain.content.decode() and 'id="together-override"' in plain.content.decode()
    assert may_pass_over_rules_is_opened(plain) and "You manage this lab" in words(plain)
    assert 'id="together-override"' not in as_("lin").get(PAGE, both).content.decode()
    shown = wang.get(PAGE, asked | {"override_reason": "Beam time was lost"})
    assert words(shown).count("In spite of the lab's rules: longest booking.") == 1, "the second is short enough"
    assert wang.post(PAGE, sent(shown)).status_code == 302
    steps = [one.transitions.get(action="request") for one in Reservation.objects.order_by("starts_at")]
    assert [(one.reason, one.passed_over) for one in steps] == [("Beam time was lost", ["booking.too_long"]), ("", None)]


def test_the_part_opens_only_where_all_that_stands_against_them_is_of_the_managers_own_labs(as_, cast, both, sem, programmes):
    with_head(cast)
    shorter = {f"to-{cast.xrd.pk}": "09:07", "to": "09:07", f"to-{sem.pk}": "11:07", "organisation": cast.lab.pk}
    assert may_pass_over_rules_is_opened(as_("wang").get(PAGE, both | shorter))
    Instrument.objects.filter(pk=sem.pk).update(organisation=cast.office)
    page = as_("wang").get(PAGE, both | shorter)
    assert words(page).count("7 minutes is too short") == 2
    assert not may_pass_over_rules_is_opened(page) and "You manage this lab" not in words(page)


def test_each_instrument_has_its_own_add_ons(as_, cast, sem, programmes, both):
    publish_with_addons(cast)
    first = as_("lin").get(PAGE, both | {"addons": "cell:2"})
    html = first.content.decode()
    name = f"addon-{cast.xrd.pk}-cell"
    assert f'id="{name}" name="{name}" inputmode="numeric" maxlength="4" value="2"' in html and f"addon-{sem.pk}-" not in html
    assert "¥30.00" in words(first) and "Final cost with it" in words(first)
    own = {f"{word}-{cast.xrd.pk}": both[word] for word in ("on", "from", "to")}
    page = as_("lin").get(PAGE, both | own | {name: "3"})
    assert "¥45.00" in words(page)
    as_("lin").post(PAGE, sent(page))
    assert list(SessionExtra.objects.values_list("reservation__instrument_id", "quantity")) == [(cast.xrd.pk, 3)]


def test_add_ons_whose_sum_was_not_shown_are_not_booked(as_, cast, programmes, both):
    publish_with_addons(cast)
    fields = sent(as_("lin").get(PAGE, both))
    fields |= {f"addons-{cast.xrd.pk}": ["cell:2"], f"beside-{cast.xrd.pk}": [""]}
    assert as_("lin").post(PAGE, fields).status_code == 422 and not Reservation.objects.exists()


def test_what_an_instrument_does_not_offer_is_said_in_its_row(as_, cast, sem, programmes, both):
    publish_with_addons(cast)
    own = {f"on-{sem.pk}": "2026-11-25", f"from-{sem.pk}": "11:00", f"to-{sem.pk}": "12:00", f"addons-{sem.pk}": "cell:1"}
    page = as_("lin").get(PAGE, both | own)
    assert "The price has no such add-on" in words(page) and "Not all of them can be had" in words(page)
