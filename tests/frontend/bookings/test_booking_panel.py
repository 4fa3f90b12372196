"""The instrument's page: free times, price, rules and the live quote."""

from __future__ import annotations

import re
from datetime import date

import pytest

from billing.pricing.models import PriceVersion
from billing.settlement.extra_models import SessionExtra
from booking.models import InstrumentPolicy
from instruments.models import Instrument, User
from tests.billing.settlement.test_chosen_addons import publish_with_addons
from tests.conftest import PRICE
from tests.frontend.acting import FRAGMENT, query_count, words

CHOSEN = "?on=2026-11-25&from=09:00&to=12:00"


@pytest.fixture
def page(cast):
    return f"/instruments/{cast.xrd.pk}/"


def test_a_visitor_sees_free_times_and_prices_and_is_told_to_log_in_with_the_chosen_time(as_, page):
    response = as_().get(page + CHOSEN)
    text = words(response)
    assert response.status_code == 200
    assert "Free times" in text and "¥400.00" in text and "Log in to see your subsidy and book" in text
    link = re.search(r'id="booking-login" href="([^"]+)"', response.content.decode()).group(1)
    assert "2026-11-25" in link and "book" in link
    assert "booking-form" not in response.content.decode()


def test_every_free_start_is_a_link_that_fills_the_form(as_, page):
    html = as_("lin").get(page + "?week=2026-11-25").content.decode()
    assert 'data-on="2026-11-25" data-from="09:00" data-to="10:00"' in html
    assert re.search(r'href="/instruments/\d+/\?week=2026-11-25&amp;on=2026-11-25&amp;from=09%3A00', html)


def test_a_chosen_length_is_kept_when_another_start_is_chosen(as_, page):
    html = as_("lin").get(page + CHOSEN).content.decode()
    assert 'data-on="2026-11-26" data-from="10:00" data-to="13:00"' in html


def test_a_start_at_which_nothing_fits_is_none(as_, page):
    html = as_("lin").get(page + "?week=2026-11-25").content.decode()
    assert 'data-from="19:00"' in html and 'data-from="19:30"' not in html


def test_taken_time_says_so(as_, page, approved):
    approved(9, 12)
    text = words(as_("he").get(page + "?week=2026-11-25"))
    assert "09:00–12:00 Taken" in text
    assert "09:00–12:00 Taken" not in words(as_("he").get(page + "?week=2026-11-26"))


def test_weeks_follow_one_another_and_none_lies_before_today(as_, page):
    assert 'rel="prev"' not in as_().get(page).content.decode()
    assert "week=2026-11-23" in as_().get(page + "?week=2026-11-30").content.decode()
    assert 'rel="next"' not in as_().get(page + "?week=2027-06-01").content.decode()


@pytest.mark.parametrize("week", ["", "x", "0000-00-00", "9999-99-99", "2026-02-30", "%F0%9F%94%AC", "9" * 1000])
def test_a_week_that_cannot_be_read_is_the_coming_one(as_, page, week):
    response = as_().get(f"{page}?week={week}")
    assert response.status_code == 200
    assert "Mon 23 Nov 2026" in words(response)


def test_the_week_alone_is_sent_for_htmx_and_others_are_led_to_the_page(as_, cast):
    address = f"/instruments/{cast.xrd.pk}/slots?week=2026-11-30"
    fragment = as_().get(address, headers=FRAGMENT)
    assert fragment.status_code == 200 and "<html" not in fragment.content.decode()
    assert as_().get(address).headers["Location"] == f"/instruments/{cast.xrd.pk}/?week=2026-11-30"


@pytest.mark.parametrize("address", ["/instruments/999999/slots", "/instruments/999999999999999999999999/slots"])
def test_slots_of_no_instrument_are_not_found(as_, address):
    assert as_().get(address, headers=FRAGMENT).status_code == 404


def test_the_quote_shows_hours_subsidy_and_the_three_figures(as_, page, programmes):
    text = words(as_("lin").get(page + CHOSEN))
    assert "3 h × ¥400.00" in text and "¥1,200.00" in text
    assert "Subsidy, taken off now" in text and "Pay now ¥720.00" in text and "Final cost ¥720.00" in text
    assert "¥59,520.00 of ¥60,000.00 left after this" in text and "Plenty is left" in text
    assert "1 programme gives nothing here" in text and "How was this calculated?" in text
    assert "Cancel without being late until Tue 24 Nov 2026, 09:00" in text


def test_a_refund_comes_back_later_and_is_named(as_, page, programmes):
    text = words(as_("he").get(page + CHOSEN))
    assert "Pay now ¥1,200.00" in text and "Comes back later" in text


def test_an_unverified_firm_sees_what_it_would_get(as_, page, cast, programmes):
    cast.firm.status = "claimed"
    cast.firm.save()
    text = words(as_("lin").get(page + CHOSEN))
    assert "Pay now ¥1,200.00" in text
    assert "Once your organisation is verified the same session costs ¥720.00 now" in text


def test_a_verified_firm_is_not_told_to_get_verified(as_, page, programmes):
    assert "Once your organisation is verified" not in words(as_("lin").get(page + CHOSEN))


def test_the_reader_finds_the_own_class_first(as_, page):
    text = words(as_("lin").get(page))
    assert text.index("Small and medium-sized firm") < text.index("Start-up team") and "your class" in text
    assert "your class" not in words(as_().get(page))


def test_bands_and_minimums_are_said_in_words(as_, page, cast, now):
    band = {"code": "peak", "name": {"zh": "x", "en": "Peak hours"}, "weekdays": [1, 2, 3, 4, 5], "from": "09:00", "to": "12:00"}
    document = PRICE | {"bands": [band | {"ratio": "1.5"}], "minimum": {"minutes": 60, "amount": "100"}}
    PriceVersion.objects.create(instrument=cast.xrd, effective_from=date(2026, 11, 1), document=document, published_at=now)
    text = words(as_("lin").get(page))
    assert "Peak hours Mon to Fri from 09:00 to 12:00" in text and "¥600.00" in text
    assert "At least 1 h are charged. A session costs at least ¥100.00." in text


def test_the_button_says_request_or_book(as_, page, cast):
    assert re.search(r'id="booking-submit"[^>]*>.*Request\s*</button>', as_("lin").get(page + CHOSEN).content.decode(), re.DOTALL)
    InstrumentPolicy.objects.create(instrument=cast.xrd, approval_required=False)
    html = as_("lin").get(page + CHOSEN).content.decode()
    assert re.search(r'id="booking-submit"[^>]*>.*Book\s*</button>', html, re.DOTALL) and "Request\n" not in html


def test_an_instrument_without_a_price_says_so(as_, cast, now):
    priceless = Instrument.objects.create(
        organisation=cast.lab, site=cast.site, calendar_id=cast.xrd.calendar_id, name="Balance", created_at=now, updated_at=now
    )
    text = words(as_("lin").get(f"/instruments/{priceless.pk}/{CHOSEN}"))
    assert "has not published a price" in text and "Pay now" not in text


def test_somebody_without_an_organisation_is_led_to_one(as_, page, cast):
    cast.users["lin"].memberships.all().delete()
    assert "Book for an organisation: create yours" in words(as_("lin").get(page + CHOSEN))


@pytest.mark.parametrize(
    "query",
    [
        "on=x&from=y&to=z",
        "on=2026-11-25&from=12:00&to=09:00",
        "on=9999-12-31&from=09:00&to=10:00",
        "on=%00&from=%00&to=%00",
        "organisation=" + "9" * 400,
    ],
)
def test_what_cannot_be_read_is_shown_back_and_never_fails(as_, page, query):
    assert as_("lin").get(f"{page}?{query}").status_code == 200


def test_the_live_quote_is_a_fragment_and_says_what_is_wrong(as_, cast):
    address = f"/quotes/preview?instrument={cast.xrd.pk}&organisation={cast.firm.pk}&service_mode=assisted&on=2026-11-25"
    good = as_("lin").get(address + "&from=09:00&to=12:00", headers=FRAGMENT)
    assert good.status_code == 200 and "Pay now" in words(good) and "<html" not in good.content.decode()
    closed = words(as_("lin").get(address + "&from=05:00&to=05:15", headers=FRAGMENT))
    assert "outside the instrument's opening hours" in closed and "too short" in closed
    assert "End must be" not in closed
    assert "The end must be after the start" in words(as_("lin").get(address + "&from=12:00&to=09:00", headers=FRAGMENT))
    assert "Choose a day and times" in words(as_("lin").get(address, headers=FRAGMENT))


def test_a_taken_time_offers_others(as_, cast, approved):
    approved(9, 12)
    address = f"/quotes/preview?instrument={cast.xrd.pk}&organisation={cast.other_firm.pk}&service_mode=assisted"
    response = as_("he").get(address + "&on=2026-11-25&from=10:00&to=12:00", headers=FRAGMENT)
    assert "This time is taken" in words(response) and 'data-from="12:00" data-to="14:00"' in response.content.decode()


@pytest.mark.parametrize("instrument", ["", "x", "999999", "9" * 40, "%00"])
def test_a_quote_for_no_instrument_is_not_found(as_, instrument):
    assert as_("lin").get(f"/quotes/preview?instrument={instrument}", headers=FRAGMENT).status_code == 404


def test_a_quote_for_a_foreign_firm_is_not_given(as_, cast, programmes):
    address = f"/quotes/preview?instrument={cast.xrd.pk}&organisation={cast.other_firm.pk}&service_mode=assisted"
    html = as_("lin").get(address + "&on=2026-11-25&from=09:00&to=12:00", headers=FRAGMENT).content.decode()
    assert "¥720.00" in html  # her own firm's figures, not the other's


def test_the_page_takes_as_many_queries_for_many_bookings_as_for_few(as_, page, approved):
    approved(8, 9)
    few = query_count(as_("lin"), page + CHOSEN)
    for day in range(1, 5):
        for hour in range(8, 18, 2):
            approved(hour, hour + 1, day=day)
    # The bell, outages, in whose name one may book, what one keeps of the time and whether somebody asked for it are five of them.
    assert query_count(as_("lin"), page + CHOSEN) <= few <= 32


def test_a_foreign_zone_is_named(as_, page, cast):
    cast.site.time_zone = "Asia/Tokyo"
    cast.site.save()
    assert "UTC+9, Asia/Tokyo" in words(as_("lin").get(page + "?week=2026-11-25"))


def test_the_zone_of_the_instrument_is_named_to_who_reads_by_another_clock(as_, page, approved):
    booking = f"/bookings/{approved(9, 11)}/"
    lin = as_("lin")
    assert "UTC+8" not in words(lin.get(booking)).partition("Times are")[0]
    lin.cookies["zone"] = "Asia/Tokyo"
    for address in (page + "?week=2026-11-25", booking, "/bookings/"):
        assert "UTC+8, Asia/Shanghai" in words(lin.get(address)), address
    lin.cookies["zone"] = "Nowhere/At-All"
    assert "UTC+8" not in words(lin.get(booking)).partition("Times are")[0]


def test_the_end_of_free_time_is_not_called_too_short_and_a_real_gap_is(as_, page, approved):
    assert "19:30–20:00" not in words(as_("lin").get(page + "?week=2026-11-25"))
    approved(9, 11)
    approved(11.5, 13)
    assert "11:00–11:30 Too short" in words(as_("lin").get(page + "?week=2026-11-25"))


# --- Add-ons ---------------------------------------------------------------------------------------------------------
def test_what_is_chosen_besides_the_time_stands_beside_the_figures_and_is_booked_with_it(as_, page, cast, programmes):
    publish_with_addons(cast)
    lin = as_("lin")
    plain = lin.get(page + CHOSEN)
    assert "Sample cell" in words(plain) and "样品池" not in words(plain) and "Final cost with it" not in words(plain)
    asked = f"/quotes/preview{CHOSEN}&instrument={cast.xrd.pk}&organisation={cast.firm.pk}&service_mode=self_operated"
    quote = words(lin.get(asked + "&addon-cell=2&addon-nothing=9", headers=FRAGMENT))
    assert "Chosen besides the time, without subsidy ¥30.00" in quote and "Pay now ¥720.00" in quote
    assert "Price with it ¥1,230.00" in quote and "Pay now with it ¥750.00" in quote and "Final cost with it ¥750.00" in quote
    for typed in ("lots", "1001"):
        wrong = lin.get(f"{asked}&addon-cell={typed}", headers=FRAGMENT)
        assert "a whole number from 1 to 1000" in words(wrong) and f'value="{typed}"' in wrong.content.decode()
    sent = {
        "key": plain.context["panel"].key, "organisation": cast.firm.pk, "on": "2026-11-25", "from": "09:00", "to": "12:00",
        "service_mode": "self_operated", "expected_payable_now_fen": 720_00, "expected_final_cost_fen": 720_00, "addon-cell": "2",
    }  # fmt: skip
    refused = lin.post(f"{page}book", sent | {"expected_addons_fen": 15_00})
    assert refused.status_code == 409 and "The add-ons come to ¥30.00 by now" in words(refused)
    assert 'name="addon-cell" inputmode="numeric" maxlength="4" value="2"' in refused.content.decode()
    assert lin.post(f"{page}book", sent | {"expected_addons_fen": 30_00}).status_code == 302
    row = SessionExtra.objects.get()
    shown = lin.get(f"/bookings/{row.reservation_id}/")
    assert (row.words, row.words_en) == ("样品池", "Sample cell") and "Sample cell · 2 ×" in words(shown)
    User.objects.filter(pk=row.proposed_by_id).update(language="zh-hans")
    in_chinese = as_("lin").get(f"/bookings/{row.reservation_id}/")
    assert "样品池 · 2 ×" in words(in_chinese) and "Sample cell" not in words(in_chinese)
    User.objects.filter(pk=row.proposed_by_id).update(language="en")
    lin = as_("lin")
    assert "chosen when booking" in words(shown) and f"/bookings/extras/{row.pk}/withdraw" in shown.content.decode()
    assert "Agreed and charged beside the price, without subsidy: ¥30.00" in words(shown)
    again = lin.get(f"/bookings/{row.reservation_id}/again", follow=True)
    assert again.context["panel"].form.addons == "cell:2" and "Final cost with it" in words(again)
    assert lin.post(f"/bookings/extras/{row.pk}/withdraw").status_code == 302
    assert "chosen when booking" in words(lin.get(f"/bookings/{row.reservation_id}/"))
    row.refresh_from_db()
    assert row.state == "withdrawn"


def test_a_price_without_add_ons_offers_none(as_, page, programmes):
    assert "addon-" not in as_("lin").get(page + CHOSEN).content.decode()
