"""What other regions pay of an award, one service as a sum of its own, a price that two sides agreed on, and the tax on an add-on."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from billing.pricing.rules import parse_schedule
from billing.pricing.rules.agreed import agreed_document
from billing.pricing.rules.tax import Tax
from billing.subsidy.rules import Award, Balance, evaluate, parse_facts, parse_programme
from billing.subsidy.rules.before import NOTHING, service, together
from billing.subsidy.rules.facts import Before
from billing.subsidy.rules.outcome import Home, home_parts
from billing.subsidy.rules.programme import read_programme
from tests.billing.rules.builders import cap, facts_of, programme_document

EAST, SOUTH = "partner:CN-310000", "partner:CN-440000"
HOMES = (Home(EAST, 30_00), Home(SOUTH, 20_00))
VOUCHER = cap("voucher", "voucher", {"configured": True, "when_unset": "no_limit"})
MATCH = {
    "rule": "match",
    "lead": "county",
    "matches": [{"payer": "city", "ratio": "0.5"}],
    "rounding": "half_up",
    "gives_way": "last_first",
    "clause": "1",
}


def awarded(document: dict[str, Any], yuan: int, **balances: Balance) -> Award:
    found = evaluate(parse_programme(document), parse_facts(facts_of(yuan)), balances)
    assert isinstance(found, Award)
    return found


def told(award: Award) -> list[tuple[str, int]]:
    return [(step.params["payer"], step.params["part_fen"]) for step in award.steps if step.key == "subsidy.step.home_pays"]


def test_each_home_is_told_with_what_it_pays() -> None:
    found = awarded(programme_document(caps=[VOUCHER]), 160, voucher=Balance(90_00, homes=HOMES))
    assert told(found) == [(EAST, 30_00), (SOUTH, 20_00)]
    assert {line.payer: line.amount_fen for line in found.lines} == {EAST: 30_00, SOUTH: 20_00, "province": 30_00}


def test_the_homes_of_the_first_voucher_cap_pay() -> None:
    second = {**VOUCHER, "id": "other"}
    balances = {"voucher": Balance(90_00, homes=HOMES[:1]), "other": Balance(90_00, homes=HOMES[1:])}
    assert told(awarded(programme_document(caps=[VOUCHER, second]), 160, **balances)) == [(EAST, 30_00)]


def test_where_payers_match_each_other_homes_pay_first_and_the_rest_is_theirs() -> None:
    document = programme_document(payers=MATCH, caps=[VOUCHER])
    plain = awarded(document, 160)
    assert {line.payer: line.amount_fen for line in plain.lines} == {"county": 80_00, "city": 40_00} and told(plain) == []
    found = awarded(document, 160, voucher=Balance(120_00, homes=HOMES))
    parts = {line.payer: line.amount_fen for line in found.lines}
    assert found.total_fen == 120_00 and (parts.pop(EAST), parts.pop(SOUTH)) == (30_00, 20_00)
    assert sum(parts.values()) == 70_00 and set(parts) == {"county", "city"}


def test_a_home_pays_the_second_side_only_what_the_first_left_of_its_voucher() -> None:
    """Each side gives 40 of 80 yuan: the first takes the 30 of one region and 10 of the other, which has 10 left for the second."""
    document = programme_document(caps=[VOUCHER], sides=[{"id": "a"}, {"id": "b"}])
    found = awarded(document, 80, voucher=Balance(90_00, homes=HOMES))
    assert [(line.payer, line.amount_fen) for line in found.lines] == [
        (EAST, 30_00),
        (SOUTH, 10_00),
        (SOUTH, 10_00),
        ("province", 30_00),
    ]


def test_a_home_with_a_fen_left_pays_a_fen() -> None:
    assert home_parts([Home(EAST, 1), Home(SOUTH, 0)], 100) == {EAST: 1}
    assert home_parts([Home(EAST, 5), Home(EAST, 5)], 8) == {EAST: 8}


@pytest.mark.parametrize("unknown", [True, False])
def test_one_service_alone_counts_what_is_known_of_it(unknown: bool) -> None:
    award = awarded(programme_document(), 100)
    quantities = {} if unknown else {"quantities": {"minutes": 90, "samples": 4}}
    facts = parse_facts(facts_of(None if unknown else 100, **quantities))
    expected = (0, 0, 0) if unknown else (100_00, 90, 4)
    assert service(facts, award) == Before(*expected, awards=1, subsidised=50_00)


def test_what_is_not_known_of_a_year_counts_nothing_in_a_sum() -> None:
    assert together(Before(), Before()) == NOTHING
    assert together(NOTHING, Before()) == together(Before(), NOTHING) == NOTHING


HOURLY = {
    "format": 2,
    "currency": "CNY",
    "unit": "hour",
    "unit_minutes": 60,
    "step_minutes": 30,
    "rates": {"firm_sme": "400", "inside": "100"},
    "minimum": {"amount": "50"},
    "tax": {"rate": "0.06", "included": True},
    "rounding": {"step": "fen", "mode": "half_up"},
}


def test_an_agreed_price_counts_the_same_units_as_the_published_one_and_others_as_they_are() -> None:
    listed = {name: value for name, value in HOURLY.items() if name != "unit_minutes"}
    made = agreed_document(listed, "hour", 123_45)
    assert made["format"] == 2 and made["rates"] == {"firm_sme": "123.45", "inside": "123.45"}
    assert made["step_minutes"] == 30 and "minimum" not in made and made["tax"] == listed["tax"]
    assert parse_schedule(made).rates["firm_sme"].fen == Decimal(123_45)
    by_the_day = agreed_document(listed, "day", 2_000_00)
    assert by_the_day["rates"]["firm_sme"] == "2000.00" and "step_minutes" not in by_the_day


def test_added_tax_makes_an_addon_dearer_and_contained_tax_does_not() -> None:
    assert Tax(Decimal("0.06"), included=False).with_tax_fen(15_00) == 15_90
    assert Tax(Decimal("0.06"), included=True).with_tax_fen(15_00) == 15_00


def test_facts_of_a_service_are_told_where_a_rule_asks_for_them_and_not_for_the_sake_of_an_example() -> None:
    says = {"zh": "用途", "en": "Purpose"}
    asking = {"type": "condition", "clause": "1", "says": says, "when": {"fact": "service.purpose", "in": ["research"]}}
    example = {"service.purpose": "research"}
    assert read_programme(programme_document()).asks_of_service == frozenset()
    assert read_programme(programme_document(examples=[example])).asks_of_service == frozenset()
    assert read_programme(programme_document(gates=[asking])).asks_of_service == {"service.purpose"}
    yearly = programme_document(gates=[asking], caps=[cap("own", "person_year", "100")])
    assert read_programme(yearly).asks_of_service == {"service.purpose", "service.person"}
