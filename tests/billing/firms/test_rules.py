"""Size, group and labels of a firm on a day, from what was declared."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.firms.rules.declarations import checked
from billing.firms.rules.group import Tie, circle, controller_of, group_of
from billing.firms.rules.profile import Base, Entry, Known, party, standing
from billing.subsidy.rules.facts import Listing
from config.kernel.errors import Refusal

TODAY = date(2026, 11, 23)
DAY = date(2026, 6, 1)
LONG_AGO = date(2020, 1, 1)


def tie(firm: str, above: str, since: date = date(2020, 1, 1), until: date | None = None, order: int = 1) -> Tie:
    return Tie(firm, above, since, until, order)


def entry(
    kind: str,
    content: dict,
    since: date = date(2020, 1, 1),
    until: date | None = None,
    order: int = 1,
    key: str = "a",
    party: str = "",
) -> Entry:
    return Entry(key, kind, since, until, content, party, order)


def known(*entries: Entry, staff: int | None = 10, revenue: int | None = 1_000_000_00) -> Known:
    bases = {key: Base(key, "firm", "630104", frozenset({"east"}), True, staff, revenue) for key in ("a", "b")}
    return Known(bases, entries, {"a": (Listing("serious_default", date(2026, 1, 1), None),)}, {})


def figures(year: int, staff: int | None, revenue: int | None, order: int = 1, key: str = "a") -> Entry:
    content = {"year": year, "staff": staff, "revenue_fen": revenue, "assets_fen": None, "capital_fen": None}
    return entry("figures", content, date(year, 1, 1), date(year, 12, 31), order, key)


def test_without_declarations_the_profile_of_the_organisation_stands_in():
    found = party(known(), "a", None, DAY)
    assert (found.size, found.region_code, found.policy_zones, found.profile.staff) == ("micro", "630104", {"east"}, 10)
    assert found.profile.group_staff == 10
    assert found.profile.credit_listings == (Listing("serious_default", date(2026, 1, 1), None),)


def test_the_last_full_year_before_the_day_decides_the_size():
    declared = [figures(2024, 30, 5_000_000_00), figures(2025, 400, 30_000_000_00)]
    assert party(known(*declared), "a", None, date(2026, 1, 1)).size == "medium"
    assert party(known(*declared), "a", None, date(2025, 12, 31)).size == "small"
    found = party(known(*declared), "a", None, DAY).profile
    assert (found.annual_revenue, found.previous_annual_revenue) == (30_000_000_00, 5_000_000_00)


def test_of_two_declarations_of_a_year_the_later_counts_and_keeps_what_it_leaves_open():
    found = party(known(figures(2025, 30, 5_000_000_00, 1), figures(2025, 25, None, 2)), "a", None, DAY).profile
    assert (found.staff, found.annual_revenue) == (25, 5_000_000_00)


def test_a_move_counts_from_its_day():
    moved = entry("place", {"region_code": "632801", "policy_zones": []}, date(2026, 6, 1))
    assert party(known(moved), "a", None, date(2026, 5, 31)).region_code == "630104"
    assert party(known(moved), "a", None, date(2026, 6, 1)).region_code == "632801"
    assert party(known(moved), "a", None, date(2026, 6, 1)).policy_zones == frozenset()


def test_founding_day_and_industry_are_those_last_said_and_outlive_a_move():
    first = entry("place", {"region_code": "630104", "policy_zones": [], "founded_on": "2024-03-01", "industry_code": "C2614"})
    moved = entry("place", {"region_code": "632801", "policy_zones": []}, date(2026, 5, 1), order=2)
    found = party(known(first, moved), "a", None, DAY)
    assert (found.region_code, found.profile.founded_on, found.profile.industry_code) == ("632801", date(2024, 3, 1), "C2614")
    none = party(known(moved), "a", None, DAY).profile
    assert (none.founded_on, none.industry_code) == (None, None)


def test_an_entry_of_the_platforms_own_list_is_a_violation_and_no_other_is():
    own = Listing("platform", date(2026, 2, 1), None)
    found = Known(known().bases, (), {"a": (*known().listings["a"], own)}, {})
    assert party(found, "a", None, DAY).profile.violations == (own,) and party(found, "b", None, DAY).profile.violations == ()
    assert standing(found, "a", None, DAY).violations == (own,)


def test_an_applicant_on_a_partners_list_is_known_as_such():
    found = Known(known().bases, (), {}, {"a": (Listing("310000", date(2026, 1, 1), date(2026, 6, 30)),)})
    assert party(found, "a", None, DAY).profile.lists == {"partner:310000"}
    assert party(found, "a", None, date(2026, 7, 1)).profile.lists == frozenset()


def test_net_assets_are_those_of_the_last_year_and_stay_where_a_later_declaration_leaves_them_open():
    first = figures(2025, 30, 5_000_000_00)
    said = entry("figures", first.content | {"assets_fen": 9_00, "net_assets_fen": 4_00}, first.valid_from, first.valid_to)
    assert party(known(said), "a", None, DAY).profile.net_assets == 4_00
    later = figures(2025, 31, None, order=2)
    assert party(known(said, later), "a", None, DAY).profile.net_assets == 4_00
    assert party(known(said), "a", None, date(2025, 6, 1)).profile.net_assets is None


def test_net_assets_are_at_most_the_total_assets():
    with pytest.raises(Refusal) as refused:
        checked("figures", {"year": 2025, "assets_fen": 100, "net_assets_fen": 101}, TODAY)
    assert [(each.code, each.field) for each in refused.value.reasons] == [("firm.net_above_total", "net_assets_fen")]
    assert checked("figures", {"year": 2025, "assets_fen": 100, "net_assets_fen": 100}, TODAY).content["net_assets_fen"] == 100
    assert checked("figures", {"year": 2025, "net_assets_fen": 0}, TODAY).content["net_assets_fen"] == 0


def test_group_figures_are_sums_and_unknown_when_a_part_is():
    control = entry("controller", {}, key="b", party="a")
    found = party(known(control, figures(2025, 100, 10, key="b")), "a", None, DAY).profile
    assert (found.group_staff, found.group_annual_revenue, found.controller) == (110, 1_000_000_10, None)
    unknown = entry("controller", {}, key="c", party="a")
    assert party(known(control, unknown), "a", None, DAY).profile.group_staff is None


def test_a_person_at_the_top_adds_no_figures():
    ties = [entry("controller", {}, key=key, party="person:Wang:123X") for key in ("a", "b")]
    found = party(known(*ties), "a", "b", DAY).profile
    assert (found.controller, found.group_staff, found.related_to_provider) == ("person:Wang:123X", 20, True)


def test_an_affiliate_tie_relates_on_its_days_only():
    tied = entry("affiliate", {}, date(2026, 1, 1), date(2026, 6, 30), party="b")
    assert party(known(tied), "a", "b", DAY).profile.related_to_provider is True
    assert party(known(tied), "a", "b", date(2026, 7, 1)).profile.related_to_provider is False


def test_the_actual_controller_is_at_the_end_of_the_chain_and_changes_with_its_days():
    ties = [tie("a", "b"), tie("b", "c", until=date(2025, 12, 31)), tie("a", "d", since=date(2026, 1, 1), order=2)]
    assert controller_of(ties, "a", date(2025, 6, 1)) == "c"
    assert controller_of(ties, "a", date(2026, 6, 1)) == "d"
    assert controller_of(ties, "z", DAY) == "z"
    assert group_of(ties, "a", date(2025, 6, 1)) == {"a", "b", "c"}


def test_a_circle_is_told_with_its_chain():
    ties = [tie("a", "b"), tie("b", "c")]
    assert circle(ties, tie("c", "a")) == ("c", "a", "b", "c")
    assert circle(ties, tie("c", "d")) == ()


def test_a_circle_that_begins_later_is_found_and_one_that_never_is_together_is_none():
    ties = [tie("b", "c", since=date(2027, 1, 1))]
    assert circle(ties, tie("c", "b", since=DAY)) == ("c", "b", "c")
    assert circle(ties, tie("c", "b", since=DAY, until=date(2026, 12, 31))) == ()


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=12))
def test_whatever_is_let_in_one_by_one_nobody_controls_itself(pairs):
    ties: list[Tie] = []
    for place, (firm, above) in enumerate(pairs):
        new = tie(str(firm), str(above), order=place)
        if firm != above and not circle(ties, new):
            ties.append(new)
    chosen = {each.firm: each.party for each in ties}
    for start in chosen:
        seen, node = set(), start
        while node in chosen:
            assert node not in seen
            seen.add(node)
            node = chosen[node]
        assert controller_of(ties, start, DAY) == node


@pytest.mark.parametrize(
    ("kind", "content", "fields"),
    [
        ("figures", {"year": 2026, "staff": -1}, {"year", "staff"}),
        ("figures", {"year": 2025}, {"staff"}),
        ("place", {"region_code": "63"}, {"region_code", "valid_from"}),
        (
            "place",
            {"region_code": "630104", "founded_on": date(2027, 1, 1), "industry_code": "mining", "valid_from": DAY},
            {"founded_on", "industry_code"},
        ),
        ("label", {"label": "best", "level": "galactic", "number": "", "valid_from": DAY}, {"label", "level", "number"}),
        (
            "label",
            {"label": "high_tech", "level": "national", "number": "1", "valid_from": DAY, "valid_to": date(2020, 1, 1)},
            {"valid_to"},
        ),
        ("controller", {"party_kind": "organisation", "name": "X", "uscc": "91630100MA00000152", "valid_from": DAY}, {"uscc"}),
        ("controller", {"party_kind": "person", "name": "王", "mark": "12", "valid_from": DAY}, {"mark"}),
        ("controller", {"party_kind": "ghost", "name": "王", "valid_from": DAY}, {"party_kind", "mark"}),
        ("affiliate", {"tie": "friend", "name": "X", "uscc": "", "valid_from": DAY}, {"tie", "uscc"}),
        ("poem", {}, {"kind"}),
    ],
)
def test_what_is_wrong_is_told_at_its_field_all_at_once(kind, content, fields):
    with pytest.raises(Refusal) as refused:
        checked(kind, content, TODAY)
    assert {reason.field for reason in refused.value.reasons} == fields


def test_a_registration_says_its_founding_and_industry_only_where_they_were_typed():
    plain = {"region_code": "630104", "valid_from": DAY}
    assert checked("place", plain, TODAY).content == {"region_code": "630104", "policy_zones": []}
    said = checked("place", plain | {"founded_on": date(2024, 3, 1), "industry_code": " c2614 "}, TODAY).content
    assert (said["founded_on"], said["industry_code"]) == ("2024-03-01", "C2614")
