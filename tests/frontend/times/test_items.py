"""Test items beside the free times: promised days beside other jobs, the reader's figures, three orders, and ways out of nothing."""

from __future__ import annotations

import re
from datetime import date, timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.pricing import sample_prices
from billing.settlement.sample_finding import find_items
from billing.settlement.services import sample_quotes
from billing.settlement.time_finding import assumed_customer, customer_of
from booking.services import sample_jobs
from booking.services.sample_jobs import Wish
from instruments.models import Resource, SavedSearch
from instruments.queries.promises import ItemSearch
from instruments.services import resources

pytestmark = pytest.mark.django_db
PAGE = reverse("find_a_time")
TODAY = date(2026, 11, 23)


def text(response: Any) -> str:
    return unescape(response.content.decode())


@pytest.fixture
def items(labs: Any, cast: Any, programmes: Any) -> dict[str, Resource]:
    """Four ways to measure brine: near and full of work, far and cheap, by the hour, on request."""

    def item(name: str, fen: int | None, unit: str = "sample", *, region: str = "630104", **part: Any) -> Resource:
        core = {"name": f"Brine {name}", "published": True, "region_code": region}
        made = resources.create_resource(cast.actor("wang"), cast.lab.pk, "test_item", core, part, cast.now)
        sample_prices.publish_test_price(cast.actor("li"), made, unit, fen, {}, TODAY, cast.now, TODAY)
        return made

    found = {
        "near": item("near", 12_000, turnaround_days=3, daily_capacity=10),
        "far": item("far", 3_000, region="632801", turnaround_days=4),
        "hourly": item("hourly", 9_000, "hour", turnaround_days=1),
        "asked": item("asked", None),
    }
    wish = Wish(found["near"].pk, cast.firm.pk, 35, arrive_on=TODAY)
    job = sample_jobs.ask(cast.actor("lin"), wish, cast.now, idempotency_key="full")
    sample_jobs.accept(cast.actor("wang"), job.pk, cast.now + timedelta(hours=3))
    labs.derive()
    return found


def names(found: Any) -> list[str]:
    return [row.resource.name.removeprefix("Brine ") for row in found.rows]


def test_items_have_the_quotes_figures_and_promise_in_three_orders(items: dict[str, Resource], cast: Any) -> None:
    search, lin = ItemSearch("brine", samples=12), customer_of(cast.firm)
    found = find_items(search, lin, "earliest", cast.now, 5, "630104")
    assert names(found) == ["hourly", "far", "near", "asked"]  # 35 samples of others come before ours
    assert (found.total, found.compared) == (4, 4)
    for row in found.rows:
        if row.assessment is None:
            assert row.resource in (items["hourly"], items["asked"])
            continue
        quote = sample_quotes.preview(cast.actor("lin"), row.resource.pk, cast.firm.pk, 12, 1, cast.now)
        assert (row.assessment, row.promised_on) == (quote.assessment, quote.promised_on)
        assert row.assessment.final_cost_fen < row.assessment.gross_fen
    near = next(row for row in found.rows if row.resource == items["near"])
    assert near.answer_hours == 3.0
    assert names(find_items(search, lin, "cost", cast.now, 5, "630104")) == ["far", "near", "hourly", "asked"]
    assert names(find_items(search, lin, "nearest", cast.now, 5, "632801"))[0] == "far"
    assert names(find_items(search, lin, "nearest", cast.now, 2, "630104")) == ["hourly", "near"]
    assert names(find_items(ItemSearch("brine", region="6328"), lin, "earliest", cast.now, 5, "")) == ["far"]
    (visitor,) = find_items(ItemSearch("brine", region="6328"), assumed_customer("", ""), "earliest", cast.now, 5, "").rows
    assert visitor.assessment is not None and visitor.assessment.final_cost_fen == visitor.assessment.gross_fen == 3_000

    def statements(count: int) -> int:
        with CaptureQueriesContext(connection) as queries:
            find_items(search, lin, "earliest", cast.now, count, "630104")
        return len(queries)

    statements(4)
    assert statements(4) == statements(2) <= 12


def test_each_element_that_the_words_name_is_reckoned_where_elements_cost(
    as_: Any, items: dict[str, Resource], cast: Any
) -> None:
    core = {"name": "Brine elements", "published": True, "region_code": "630104"}
    part = {"analytes": [{"name": one} for one in ("Li", "Mg", "K")], "turnaround_days": 1}
    made = resources.create_resource(cast.actor("wang"), cast.lab.pk, "test_item", core, part, cast.now)
    sample_prices.publish_test_price(cast.actor("li"), made, "element", 2_000, {}, TODAY, cast.now, TODAY)
    (row,) = find_items(ItemSearch("brine Li Mg", samples=12), customer_of(cast.firm), "earliest", cast.now, 5, "").rows
    quote = sample_quotes.preview(cast.actor("lin"), made.pk, cast.firm.pk, 12, 2, cast.now)
    assert row.assessment == quote.assessment and row.assessment.gross_fen == 12 * 2 * 2_000
    found = text(as_("lin").get(PAGE, {"q": "brine Li Mg", "samples": "12"}))
    assert "12 samples, 2 elements each" in found
    assert f"{reverse('sample_create', args=[made.pk])}?samples=12&elements=2&organisation={cast.firm.pk}" in found
    card = text(as_("lin").get(reverse("search"), {"q": "brine, Li and Mg, 12 samples"}))
    assert "12 samples, 2 elements each: final cost for you" in card
    assert f"{reverse('resource_detail', args=[made.pk])}?samples=12&elements=2" in card


def test_the_page_shows_what_one_pays_and_leads_to_the_form(as_: Any, items: dict[str, Resource], cast: Any) -> None:
    page = text(as_("lin").get(PAGE, {"q": "brine", "samples": "12"}))
    rows = page[page.index('id="items-title"') :]
    assert "You pay now" in rows and "Final cost" in rows
    assert "Approval, usually in 3 hours" in rows
    assert "The lab approves" in rows
    assert "from ¥90.00 for an hour" in rows or "¥90.00" in rows
    assert "On request" in rows
    assert f"{reverse('sample_create', args=[items['far'].pk])}?samples=12&organisation={cast.firm.pk}" in rows
    assert reverse("sample_create", args=[items["hourly"].pk]) not in rows
    assert "Lowest final cost" in page  # the orders are there though no instrument is
    visitor = text(as_().get(PAGE, {"q": "brine", "samples": "12"}))
    assert "You pay now" not in visitor
    assert "List price" in visitor
    assert "Brine" not in text(as_().get(PAGE))  # nobody said what is to be measured


def test_nothing_to_send_samples_to_says_what_blocks_and_offers_ways_out_and_mail(as_: Any, items: Any) -> None:
    lin = as_("lin")
    page = text(lin.get(PAGE, {"q": "brine", "region_code": "632700", "samples": "2"}))
    rows = page[page.index('id="items-title"') :]
    assert "No test item fits the filters" in rows
    assert "What stands in the way most: the place." in rows
    assert "4 test items" in rows
    assert "Nearest test items elsewhere" in rows
    assert "Brine far" in rows
    (way,) = re.findall(r'<a class="chip" href="([^"]*)"[^>]*>Leave out: the place', rows)
    assert "Brine near" in text(lin.get(PAGE + way))
    query = re.findall(r'name="query" value="([^"]*)"', rows)[0]
    assert query == "q=brine&kind=test_item&region_code=632700"
    assert lin.post(reverse("saved_search_create"), {"query": query, "alert": "on"}).status_code == 302
    saved = SavedSearch.objects.get()
    assert saved.alert and "kind=test_item" in saved.query
    assert "No test item fits" not in text(lin.get(PAGE, {"q": "diffractometer"}))  # somebody who found an instrument
    assert "Log in to hear of new test items" in text(as_().get(PAGE, {"q": "brine", "region_code": "632700", "samples": "2"}))
