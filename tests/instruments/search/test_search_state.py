"""The address and the search are one: read, written, the same again; and what an entry is counted under."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.rules.facets import PRICE_BANDS, Traits, facet_values, price_band, region_path
from instruments.rules.search_state import CatalogueSearch, canonical_query, read_search, search_of_query


def test_a_search_is_written_in_one_order_and_read_back() -> None:
    search = read_search({"sort": "price", "q": "  Li \0 brine ", "kind": "test_item", "price": "to300"})
    assert canonical_query(search) == "q=Li+brine&kind=test_item&price=to300&sort=price"
    assert search_of_query(canonical_query(search)) == search


@pytest.mark.parametrize(
    "query",
    [
        {"kind": "car"},
        {"class_code": "010"},
        {"class_code": "01030401"},
        {"region_code": "63"},
        {"owner": "-1"},
        {"owner": "9" * 30},
        {"technique": "'; DROP TABLE"},
        {"next_free": "2"},
        {"sort": "evil"},
        {"price": "%"},
        {"bookable": "1"},
    ],
)
def test_what_means_nothing_is_left_out(query: dict[str, str]) -> None:
    assert read_search(query) == CatalogueSearch()


@given(st.dictionaries(st.sampled_from(["q", "kind", "owner", "technique", "zone", "price"]), st.text(max_size=60)))
def test_whatever_stands_in_the_address_reads_the_same_twice(query: dict[str, str]) -> None:
    search = read_search(query)
    assert search_of_query(canonical_query(search)) == search


@pytest.mark.parametrize(
    ("said", "meant"),
    [("01", "01"), ("0103", "0103"), ("010300", "0103"), ("010304", "010304"), ("010000", "01"), ("100000", "10")],
)
def test_a_class_of_any_level_is_read_without_what_fills_it_up(said: str, meant: str) -> None:
    assert read_search({"class_code": said}).class_code == meant


def test_a_very_long_text_is_cut() -> None:
    assert len(read_search({"q": "x" * 100_000}).text) == 200


def test_bands_touch_and_leave_no_price_out() -> None:
    edges = [0, *(high for _, high in PRICE_BANDS.values() if high is not None)]
    assert [low for low, _ in PRICE_BANDS.values()] == edges
    assert (price_band(None), price_band(0), price_band(99_99), price_band(100_00), price_band(10**12)) == (
        "",
        "to100",
        "to100",
        "to300",
        "over1000",
    )


def test_an_entry_is_counted_under_its_place_and_all_around_it() -> None:
    assert region_path("630104") == ["630000", "630100", "630104"]
    assert region_path("630000") == ["630000"]
    assert region_path("") == []
    values = facet_values(Traits("instrument", 7, class_code="010301", region_code="630104", bookable=True))
    assert {"k:instrument", "o:7", "c:01", "r:630000", "r:630104", "b:yes", "n:no"} <= set(values)
    assert [value for value in values if value.startswith("c:")] == ["c:01", "c:0103", "c:010301"]
    assert not [value for value in values if value.startswith(("p:", "s:", "x:"))]
