"""What came before in a year: summed up, and whose year it is."""

from __future__ import annotations

from billing.subsidy.rules.before import NOTHING, going_on, together
from billing.subsidy.rules.facts import Before, Spent, parse_facts
from billing.subsidy.rules.programme import read_programme
from tests.conftest import programme_document

ONE, OTHER = Before(100, 60, 0, 1, 40), Before(5, 30, 2, 1, 3)


def test_sums_add_up_in_any_order_and_nothing_adds_nothing() -> None:
    assert together(ONE, OTHER) == together(OTHER, ONE) == Before(105, 90, 2, 2, 43)
    assert together(ONE, NOTHING) == ONE


def test_what_was_spent_over_months_stays_as_it_was_said() -> None:
    facts = parse_facts({"before": {"minutes": 7, "spend": [{"on": "2026-01-02", "amount": 9}]}})
    seen = going_on(facts, ONE).more.before
    assert (seen.minutes, [type(one) for one in seen.spend]) == (60, [Spent])


def test_the_year_is_that_of_the_first_yearly_cap_where_a_rule_looks_before() -> None:
    document = programme_document("DEMO-QH-B")
    found = read_programme(document).counting_cap("firm")
    assert found is not None and found.id == "instrument-year"
    assert read_programme(document | {"caps": []}).counting_cap("firm") is None
    alone = {name: value for name, value in document["rate"].items() if name != "continues"}
    assert read_programme(document | {"rate": alone}).counting_cap("firm") is None
    assert (
        read_programme(programme_document("DEMO-QH-V")).counting_cap("firm") is None
    )  # yearly caps, and no rule that looks before


def test_without_a_yearly_cap_the_applicants_total_counts_but_not_one_that_is_a_vouchers() -> None:
    document = programme_document("DEMO-QH-B")
    total = {"id": "ever", "per": "unit_total", "clause": "1", "when_short": "partial"}
    for limit in ("10000", {"configured": True, "when_unset": "no_limit"}):
        found = read_programme(document | {"caps": [total | {"limit": limit}]}).counting_cap("firm")
        assert found is not None and found.id == "ever"
        both = read_programme(document | {"caps": [total | {"limit": limit}, *document["caps"]]}).counting_cap("firm")
        assert both is not None and both.id == "instrument-year"
    issued = total | {"limit": {"configured": True, "when_unset": "refuse"}}
    assert read_programme(document | {"caps": [issued]}).counting_cap("firm") is None
