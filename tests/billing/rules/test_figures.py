"""Limits whose figure a document leaves open: for which years it is set, and the document with the figures that were."""

from __future__ import annotations

from billing.subsidy.rules import parse_programme
from billing.subsidy.rules.figures import settable, with_figures, years_of
from tests.billing.rules.builders import cap, programme_document

OPEN = {"configured": True, "when_unset": "no_limit"}


def test_a_yearly_figure_is_set_for_each_year_of_the_version_and_another_once() -> None:
    caps = [cap("year", "firm_year", OPEN), cap("all", "unit_total", OPEN)]
    programme = parse_programme(programme_document(caps=caps))
    assert [years_of(programme, each) for each in settable(programme)] == [[2025], [None]]
    from_april = parse_programme(programme_document(caps=caps, year_starts="04-01"))
    assert [years_of(from_april, each) for each in settable(from_april)] == [[2024, 2025], [None]]


def test_a_figure_that_was_set_stands_in_the_document_and_what_is_not_left_open_stays() -> None:
    fixed, worked = cap("fixed", "pool", 100), cap("worked", "pool", {"share": "0.5", "of": "fixed"})
    unset = cap("unset", "pool", OPEN)
    document = programme_document(caps=[fixed, worked, cap("open", "firm_year", OPEN), unset])
    found = with_figures(document, {"fixed": 1, "worked": 1, "open": 5_00})
    given = cap("open", "firm_year", {"configured": True, "default": "5.00"})
    assert found["caps"] == [fixed, worked, given, unset]
    side = {"id": "a", "caps": [cap("open", "firm_year", OPEN), fixed]}
    assert with_figures({"sides": [side]}, {"open": 5_00, "fixed": 1}) == {"sides": [{"id": "a", "caps": [given, fixed]}]}
