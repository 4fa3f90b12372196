"""A document for other years: its days move, what is quoted stays."""

import json

import pytest

from billing.subsidy.drafts import TEMPLATES
from billing.subsidy.rules.checking import check
from billing.subsidy.rules.other_years import in_other_years

SHIPPED = sorted(path.stem for path in TEMPLATES.glob("*.json"))


def shipped(name):
    return json.loads((TEMPLATES / f"{name}.json").read_text(encoding="utf-8"))


def test_days_of_rules_and_examples_move_and_quoted_ones_stay():
    document = {
        "validity": {"first_day": "2026-01-01", "windows": [{"from": "2026-03-01"}]},
        "caps": [{"limit": "2026", "id": "2026-01-01x"}],
        "clauses": [{"id": "1", "zh": "2026-01-01"}],
        "legal_basis": [{"on": "2025-12-01"}],
        "examples": [{"title": "2026", "facts": {"service": {"service_on": "2024-02-29"}}}],
        "half": "2026-13-45",
    }
    assert in_other_years(document, 1) == document | {
        "validity": {"first_day": "2027-01-01", "windows": [{"from": "2027-03-01"}]},
        "examples": [{"title": "2026", "facts": {"service": {"service_on": "2025-02-28"}}}],
    }
    assert document["validity"]["first_day"] == "2026-01-01"


def test_twenty_years_are_the_most():
    assert in_other_years({"day": "2026-01-01"}, 20) == {"day": "2046-01-01"}
    assert in_other_years({"day": "2026-01-01"}, -20) == {"day": "2006-01-01"}


@pytest.mark.parametrize("years", [0, 21, -21])
def test_no_years_and_too_many_are_refused(years):
    with pytest.raises(ValueError, match="between 1 and 20"):
        in_other_years({}, years)


@pytest.mark.parametrize(("day", "years"), [("9999-01-01", 1), ("0001-06-01", -1), ("9996-02-29", 4)])
def test_a_year_that_no_calendar_has_is_refused(day, years):
    with pytest.raises(ValueError):
        in_other_years({"day": day}, years)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_worked_examples_of_every_shipped_document_come_out_four_years_later(name):
    """Four, so that a 29 February stays one."""
    checked = check(in_other_years(shipped(name), 4))
    assert not checked.flaws and [each.title for each in checked.examples if not each.passed] == []
