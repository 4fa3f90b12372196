"""From a sentence to a time and a price: what was typed in the search is carried on, and each result says when and for how much."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from billing.ledger.models import Account
from billing.pricing import sample_prices
from booking.services import availability
from frontend.organisation_forms import region_choices
from instruments.models import Code, Membership, Resource, Site, TestItem, User
from instruments.queries import actor_for, codes, divisions
from tests.booking.finding.labs import labs
from tests.frontend.acting import as_, clock
from tests.instruments.registry.conftest import make_owner

__all__ = ["as_", "clock", "labs"]
pytestmark = pytest.mark.django_db
SENTENCE = "XRD, 3 hours, next week, near Xining"


def text(response: Any) -> str:
    return unescape(response.content.decode())


def test_a_sentence_leads_from_the_search_to_a_time_and_what_it_costs(as_: Any, labs: Any, cast: Any, programmes: Any) -> None:
    labs.add("XRD of the east", techniques=("PaNET01216",))
    page = text(as_("lin").get(reverse("search"), {"q": SENTENCE}))
    assert "Next free" in page
    assert "30 Nov 2026, 09:00" in page
    assert "3 h: final cost for you ¥" in page
    assert f"on=2026-11-30&from=09%3A00&to=12%3A00&organisation={cast.firm.pk}#booking-panel" in page
    (first, *_) = re.findall(r'class="find-offer" href="([^"]*)"', page)
    booking = text(as_("lin").get(first))
    assert "quote-when" in booking and "quote-problems" not in booking  # the form takes the time that the card names
    times = "/find-a-time/?q=XRD&hours=3&from=2026-11-30&to=2026-12-06&region_code=630100"
    assert f'href="{times}"' in page
    visitor = text(as_().get(reverse("search"), {"q": SENTENCE}))
    assert "3 h: list price ¥1,500.00" in visitor
    assert "for you" not in visitor
    found = text(as_("lin").get(times))
    assert "with 3 h free" in found
    assert "XRD of the east" in found
    # the sentence itself is read by Find a time too: as a page and as a piece of one
    assert as_("lin").get(reverse("find_a_time"), {"q": SENTENCE}).headers["Location"] == times
    piece = as_("lin").get(reverse("find_a_time"), {"q": SENTENCE, "hours": "2"}, headers={"HX-Request": "true"})
    assert piece.headers["HX-Redirect"] == times
    typed = as_("lin").get(reverse("find_a_time"), {"q": SENTENCE, "hours": "4"})
    assert "hours=4" in typed.headers["Location"]  # what was set by hand stays


def test_what_is_not_near_is_shown_farther_away_and_the_time_is_looked_for_nearest_first(as_: Any, labs: Any) -> None:
    labs.add("XRD of the east", techniques=("PaNET01216",))
    page = text(as_().get(reverse("search"), {"q": "XRD near Golmud"}))
    assert "Nothing that fits is near Haixi" in page and "XRD of the east" in page
    assert "place=632800" in page and "sort=nearest" in page


def brine_test(cast: Any, owner: Any = None, name: str = "Li and Mg in brine", by: Any = None) -> Resource:
    """A published test item of an owner (the cast's lab): five workdays, four samples a day, 120 yuan each."""
    stamps = {"created_at": cast.now, "updated_at": cast.now}
    item = Resource.objects.create(kind="test_item", organisation=owner or cast.lab, name=name, published=True, **stamps)
    TestItem.objects.create(resource=item, matrix="brine", turnaround_days=5, daily_capacity=4)
    sample_prices.publish_test_price(
        by or cast.actor("li"), item, "sample", 120_00, {}, cast.now.date(), cast.now, cast.now.date()
    )
    return item


@pytest.mark.parametrize("who", ["", "lin"])
def test_test_items_of_many_owners_take_as_many_queries_as_one(as_: Any, labs: Any, cast: Any, programmes: Any, who: str) -> None:
    """On a page of words and samples, where each card says its day and its cost, on the list of test items, and beside times."""
    client = as_(who) if who else as_()

    def asked(address: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    addresses = [reverse("search") + query for query in ("?q=brine%2C+12+samples", "?kind=test_item", "")]
    addresses += [reverse("find_a_time") + f"?q=brine&samples=12&sort={sort}" for sort in ("earliest", "cost", "nearest")]
    brine_test(cast)
    labs.derive()
    for address in addresses:
        asked(address)
    one = [asked(address) for address in addresses]
    for number in range(6):
        owner = make_owner(f"Owner {number}", cast.now)
        by = User.objects.create(email=f"{number}@owner.example.org", password="!")
        Membership.objects.create(user=by, organisation=owner, role="owner_finance", created_at=cast.now)
        Site.objects.create(organisation=owner, name="Hall", time_zone="Asia/Shanghai", region_code="630100")
        brine_test(cast, owner, f"Brine {number}", actor_for(by))
    labs.derive()
    assert [asked(address) for address in addresses] == one


def test_samples_get_a_promised_day_and_a_price_and_are_carried_on(as_: Any, labs: Any, cast: Any, programmes: Any) -> None:
    item = brine_test(cast)
    labs.derive()
    page = text(as_().get(reverse("search"), {"q": "brine, Li and Mg, 12 samples"}))
    assert "12 samples from ¥1,440.00" in page
    assert "Results by" in page
    assert "2 Dec 2026" in page  # five workdays, and two more for twelve samples at four a day
    assert f"{reverse('resource_detail', args=[item.pk])}?samples=12" in page
    times = as_().get(reverse("find_a_time"), {"q": "brine, Li and Mg, 12 samples"})
    assert times.headers["Location"] == "/find-a-time/?q=brine+Li+Mg&samples=12"
    found = text(as_().get(times.headers["Location"]))
    assert "2 Dec 2026" in found
    assert "¥1,440.00" in found
    own = text(as_("lin").get(reverse("search"), {"q": "brine, Li and Mg, 12 samples"}))
    assert "12 samples: final cost for you ¥" in own


def test_the_cost_of_results_takes_the_same_queries_however_many(as_: Any, labs: Any, programmes: Any) -> None:
    lin = as_("lin")

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert lin.get(reverse("instrument_list")).status_code == 200
        return len(queries)

    labs.add("Second")
    asked()
    two = asked()
    for name in ("Third", "Fourth", "Fifth"):
        labs.add(name)
    assert asked() <= two


def test_compared_things_say_their_next_time_and_the_readers_price(as_: Any, labs: Any, cast: Any, programmes: Any) -> None:
    other = labs.add("Other")
    ids = f"{cast.xrd.entry.pk},{other.entry.pk}"
    page = text(as_("lin").get(reverse("compare"), {"ids": ids}))
    assert "What it costs you" in page
    assert "1 h: final cost for you ¥" in page
    assert "2026, 11:00" in page  # two hours of notice: what can be booked, not what is free now


def test_a_budget_of_which_little_is_left_is_named_on_cards_and_side_by_side(
    as_: Any, labs: Any, cast: Any, programmes: Any
) -> None:
    words = "DEMO-QH-V: budget nearly used up"
    ids = f"{cast.xrd.entry.pk},{labs.add('Other').entry.pk}"
    lin = as_("lin")
    assert words not in text(lin.get(reverse("search"), {"q": "diffractometer, 2 hours"}))
    for pool in Account.objects.filter(kind="pool", key__startswith="pool:DEMO-QH-V"):
        Account.objects.filter(pk=pool.pk).update(posted_fen=pool.granted_fen * 95 // 100)
    assert words in text(lin.get(reverse("search"), {"q": "diffractometer, 2 hours"}))
    assert words in text(lin.get(reverse("compare"), {"ids": ids}))
    assert words not in text(as_().get(reverse("search"), {"q": "diffractometer, 2 hours"}))


def test_calendars_in_the_making_are_named_beside_what_fits_and_on_their_card(as_: Any, labs: Any, cast: Any) -> None:
    labs.add("Other")
    page = text(as_().get(reverse("search")))
    assert "being calculated" not in page
    availability.mark_calculating([cast.xrd.calendar_id], cast.now)
    page = text(as_().get(reverse("search")))
    assert "The calendar of 1 instrument is being calculated" in page
    assert page.count("Free times are being calculated") == 1
    assert "being calculated" not in text(as_().get(reverse("search"), {"q": "Other"}))


def test_a_place_that_is_none_is_said_to_be_none(as_: Any, labs: Any) -> None:
    assert "No division has the code 999999" in text(as_().get(reverse("search"), {"region_code": "999999"}))
    assert "No division has the code" not in text(as_().get(reverse("search"), {"region_code": "440000"}))
    ended = text(as_().get(reverse("search"), {"region_code": "630122"}))
    assert "630106 (湟中区) took its place" in ended and "No division has the code" not in ended
    assert as_().get(reverse("find_a_time"), {"region_code": "630122"}).status_code == 200
    refused = as_().get(reverse("find_a_time"), {"region_code": "999999"})
    assert refused.status_code == 422
    assert "No place “999999” is known here" in text(refused)
    named = as_().get(reverse("find_a_time"), {"q": "XRD near Atlantis"}, follow=True)
    assert "No place “Atlantis” is known here" in text(named)


def test_a_form_groups_counties_under_their_prefecture_and_offers_prefectures_elsewhere_by_themselves() -> None:
    with translation.override("en"):
        offered = dict(region_choices())
    assert ("630106", "Huangzhong District") in offered["Xining City"]
    assert offered["620100"] == "兰州市"
    assert "市辖区" not in {str(name) for name in offered.values()}


def test_divisions_of_the_operators_list_are_known_by_name_everywhere(as_: Any, labs: Any, cast: Any) -> None:
    assert divisions.division_name("440100", "en") == "广州市"  # what is shipped has no English names there
    for code, zh, en, level, above in (
        ("440000", "广东省", "Guangdong Province", 1, ""),
        ("440100", "广州市", "Guangzhou City", 2, "440000"),
        ("440103", "荔湾区", "Liwan District", 3, "440100"),
    ):
        Code.objects.create(scheme="gbt2260", code=code, name=zh, name_en=en, level=level, parent_code=above)
    codes.forget()
    try:
        labs.add("Far one", region="440103", techniques=("PaNET01216",))
        page = text(as_().get(reverse("search"), {"q": "XRD near Guangzhou"}))
        assert "Far one" in page
        assert "near Guangzhou City" in page
        assert "Liwan District" in page
        form = text(as_().get(reverse("find_a_time"), {"region_code": "440103"}))
        assert '<option value="440100">Guangzhou City</option>' in form
        assert '<option value="440103" selected>Liwan District</option>' in form  # chosen, so offered
        assert ("440106", "440106") not in divisions.choices("en")
        assert not divisions.is_division("440999")
        assert not divisions.is_division("440106")  # the list leaves it out, so what is shipped does not count
        assert divisions.is_division("510104") and not divisions.is_division("519999")
        assert "guangzhou" in divisions.known_places().places
    finally:
        Code.objects.all().delete()
        codes.forget()
    assert "guangzhou" not in divisions.known_places().places
