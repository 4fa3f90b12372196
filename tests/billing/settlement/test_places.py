"""An instrument and a test lie in the policy zones of their owner, unless they stand outside its division: live, listed and tried."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from billing.firms.rules.places import place_of
from billing.firms.rules.self_test import Answers, facts_of
from billing.sandbox.services.reading import Reader
from billing.settlement.services import catalogue_facts, sample_quotes
from billing.settlement.services.replaying import replay_charges
from tests.billing.services.conftest import Life
from tests.billing.vouchers.conftest import CODE, published
from tests.booking.samples.conftest import Work, make_item
from tests.conftest import slot_of, voucher_document

__all__ = ["published"]


def in_zone() -> dict[str, Any]:
    """40 % at once for instruments in one zone."""
    document = voucher_document(CODE)
    clause = document["caps"][0]["clause"]
    document["caps"] = []
    gate = {"type": "region", "subject": "instrument", "any_of": [{"zone": "east"}], "clause": clause}
    return document | {"gates": [gate], "base": document["base"] | {"minimum_charge": "included"}}


@pytest.fixture
def life(cast: Any, published: Any) -> Life:
    cast.lab.policy_zones = ["east"]
    cast.lab.region_code = "630100"
    cast.lab.save()
    cast.xrd.organisation.refresh_from_db()
    published(in_zone())
    return Life(cast)


def moved(cast: Any, region_code: str) -> None:
    site = cast.xrd.site
    site.region_code = region_code
    site.save()


@pytest.mark.parametrize(
    ("region", "owner", "zones"),
    [
        ("630104", "630100", {"east"}),
        ("630104", "630104", {"east"}),
        ("", "630104", {"east"}),
        ("630104", "", {"east"}),
        ("632801", "630100", set()),
        ("630102", "630104", set()),
    ],
)
def test_a_place_shares_the_zones_of_an_owner_whose_division_it_lies_in(region: str, owner: str, zones: set[str]) -> None:
    found = place_of(region, owner, ["east"])
    assert (found.region_code, found.policy_zones) == (region or None, zones)


def test_a_gate_on_the_zone_of_the_instrument_is_met_and_replayed_and_refuses_outside(life: Life, cast: Any) -> None:
    given = life.whole(slot_of(9, 11))
    assert given.deducted_fen == 320_00
    assert given.inputs["candidates"][0]["facts"]["instrument"]["policy_zones"] == ["east"]
    moved(cast, "632801")
    refused = life.quote(life.ask(slot_of(13, 15)))
    [outcome] = refused.result["outcomes"]
    assert [reason["code"] for reason in outcome["reasons"]] == ["subsidy.unmet.region"]
    assert {(each.differences, each.problem) for each in replay_charges()} == {((), "")}


def test_the_zone_of_a_test_is_that_of_its_owner_too(life: Life, cast: Any) -> None:
    item = make_item(cast)
    shown = sample_quotes.preview(cast.actor("lin"), item.pk, cast.firm.pk, 3, 1, cast.now)
    job = Work(cast, item).accept(Work(cast, item).ask(3))
    assert shown.assessment.deducted_fen == job.quotes.latest("revision").deducted_fen == 96_00


def test_the_catalogue_says_that_a_programme_of_the_zone_reaches_what_stands_there(life: Life, cast: Any) -> None:
    def reached() -> bool:
        return bool(catalogue_facts.offers({cast.xrd.pk: cast.now})[cast.xrd.pk]["subsidy_eligible"])

    item = make_item(cast)
    assert catalogue_facts.test_offers({item.pk: cast.now})[item.pk]["subsidy_eligible"]
    assert reached()
    moved(cast, "632801")
    assert not reached()


def test_the_sandbox_knows_the_zone_of_a_session_for_which_no_programme_was_tried(cast: Any) -> None:
    cast.lab.policy_zones = ["east"]
    cast.lab.save()
    Life(cast).whole(slot_of(9, 11))
    [piece] = Reader(date(2026, 11, 1), date(2026, 11, 30)).pieces(0)
    assert [facts["instrument"]["policy_zones"] for facts in piece.facts] == [["east"]]


def test_the_self_test_takes_the_instrument_to_stand_where_the_applicant_is() -> None:
    said = Answers("firm", "small", None, None, "630104", frozenset({"east"}), (), "testing", 100_00, date(2026, 11, 25))
    assert facts_of(said).instrument.policy_zones == facts_of(said).provider.policy_zones == {"east"}
    elsewhere = Answers(
        "firm", "small", None, None, "630104", frozenset({"east"}), (), "testing", 100_00, date(2026, 11, 25), "310104"
    )
    assert facts_of(elsewhere).instrument.policy_zones == frozenset()
