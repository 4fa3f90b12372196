"""Size classes of firms by sector, at and beside every threshold, and the sector of every industry."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.rules.firm_size import Figures, Sector, SizeClass, sector_of, size_class, sizing

WAN = 10_000 * 100
MILLION_YUAN = 100 * WAN
ORDER = [None, *SizeClass]
#: The standard as it is printed: sector, an industry of it, then for large, medium and small the least staff, revenue and total assets
#: (amounts in ten thousand yuan), None where the sector does not look at it.
PRINTED = [
    ("agriculture", "A0111", (None, 20000, None), (None, 500, None), (None, 50, None)),
    ("industry", "C2614", (1000, 40000, None), (300, 2000, None), (20, 300, None)),
    ("construction", "E4710", (None, 80000, 80000), (None, 6000, 5000), (None, 300, 300)),
    ("wholesale", "F5169", (200, 40000, None), (20, 5000, None), (5, 1000, None)),
    ("retail", "F5211", (300, 20000, None), (50, 500, None), (10, 100, None)),
    ("transport", "G5430", (1000, 30000, None), (300, 3000, None), (20, 200, None)),
    ("storage", "G5920", (200, 30000, None), (100, 1000, None), (20, 100, None)),
    ("post", "G6020", (1000, 30000, None), (300, 2000, None), (20, 100, None)),
    ("lodging", "H6110", (300, 10000, None), (100, 2000, None), (10, 100, None)),
    ("catering", "H6210", (300, 10000, None), (100, 2000, None), (10, 100, None)),
    ("information", "I6312", (2000, 100000, None), (100, 1000, None), (10, 100, None)),
    ("software", "I6513", (300, 10000, None), (100, 1000, None), (10, 50, None)),
    ("real_estate", "K7010", (None, 200000, 10000), (None, 1000, 5000), (None, 100, 2000)),
    ("property", "K7020", (1000, 5000, None), (300, 1000, None), (100, 500, None)),
    ("business_services", "L7271", (300, None, 120000), (100, None, 8000), (10, None, 100)),
    ("other", "M7320", (300, None, None), (100, None, None), (10, None, None)),
]
FIGURES = st.tuples(st.integers(0, 2500), st.integers(0, 210_000 * WAN), st.integers(0, 130_000 * WAN))


def figures(row):
    staff, revenue, assets = row
    return [staff, revenue and revenue * WAN, assets and assets * WAN]


def edges():
    for sector, code, *rows in PRINTED:
        for above, below, row in zip(("large", "medium", "small"), ("medium", "small", "micro"), rows, strict=True):
            at = figures(row)
            yield pytest.param(code, at, above, id=f"{sector} {above}")
            for place, value in enumerate(at):
                if value is not None:
                    short = [*at[:place], value - 1, *at[place + 1 :]]
                    yield pytest.param(code, short, below, id=f"{sector} just not {above} by figure {place}")


@pytest.mark.parametrize(("code", "at", "expected"), list(edges()))
def test_every_threshold_of_every_sector_is_met_exactly_and_missed_by_one(code, at, expected):
    assert size_class(code, *at) == expected


def test_the_printed_table_has_every_sector_once():
    assert [row[0] for row in PRINTED] == [sector.value for sector in Sector]
    assert [sector_of(row[1]) for row in PRINTED] == list(Sector)


@pytest.mark.parametrize(
    ("staff", "revenue_fen", "expected"),
    [
        (0, 0, "micro"),
        (299, 20 * MILLION_YUAN, "small"),
        (5000, 1, "micro"),
        (5, 900 * MILLION_YUAN, "micro"),
        (1000, 400 * MILLION_YUAN, "large"),
    ],
)
def test_without_an_industry_a_firm_goes_by_the_figures_of_industry(staff, revenue_fen, expected):
    found = sizing(None, Figures(staff, revenue_fen))
    assert (found.size, found.sector, found.known) == (expected, Sector.INDUSTRY, False)
    assert size_class("G", staff, revenue_fen) == expected  # the section alone does not say which


@given(st.sampled_from(PRINTED), FIGURES, FIGURES)
def test_growing_never_makes_a_firm_smaller(row, own, more):
    grown = [one + other for one, other in zip(own, more, strict=True)]
    assert ORDER.index(size_class(row[1], *grown)) >= ORDER.index(size_class(row[1], *own))


@given(st.sampled_from(PRINTED), FIGURES)
def test_what_a_sector_does_not_look_at_changes_nothing(row, own):
    looked_at = [value if least is not None else None for value, least in zip(own, row[2], strict=True)]
    assert size_class(row[1], *looked_at) == size_class(row[1], *own) is not None


@pytest.mark.parametrize("row", PRINTED, ids=[row[0] for row in PRINTED])
def test_without_a_figure_that_the_sector_looks_at_there_is_no_size(row):
    for place, value in enumerate(row[2]):
        if value is None:
            continue
        known = [10**9, 10**15, 10**15]
        known[place] = None
        assert size_class(row[1], *known) is None
        assert sizing(row[1], Figures(*known)).lacking == (("staff", "revenue_fen", "assets_fen")[place],)


def test_sizing_says_which_thresholds_decided():
    found = sizing("I65", Figures(45, 8 * MILLION_YUAN, 7))
    assert (found.sector, found.known, found.size) == ("software", True, "small")
    assert (found.reached, found.missed) == (Figures(10, 50 * WAN), ("medium", Figures(100, 1000 * WAN)))
    assert found.looked_at == Figures(45, 8 * MILLION_YUAN)
    assert sizing("I65", Figures(300, 100 * MILLION_YUAN)).missed is None
    micro = sizing("I65", Figures(9, 100 * MILLION_YUAN))
    assert (micro.reached, micro.missed) == (None, ("small", Figures(10, 50 * WAN)))


@pytest.mark.parametrize(
    ("code", "sector"),
    [
        ("A", "agriculture"),
        ("01", "agriculture"),
        ("05", "agriculture"),
        ("B", "industry"),
        ("06", "industry"),
        ("46", "industry"),
        ("D4412", "industry"),
        ("47", "construction"),
        ("50", "construction"),
        ("E", "construction"),
        ("51", "wholesale"),
        ("52", "retail"),
        ("G53", "other"),  # railways are no transport there
        ("54", "transport"),
        ("58", "transport"),
        ("G5910", "transport"),  # handling of goods
        ("59", "storage"),
        ("60", "post"),
        ("61", "lodging"),
        ("62", "catering"),
        ("63", "information"),
        ("64", "information"),
        ("65", "software"),
        ("J66", "other"),
        ("69", "other"),
        ("70", "real_estate"),
        ("K701", "real_estate"),
        ("702", "property"),
        ("K7030", "other"),
        ("7040", "other"),
        ("7090", "other"),
        ("71", "business_services"),
        ("72", "business_services"),
        ("L", "business_services"),
        ("73", "other"),
        ("M", "other"),
        ("97", "other"),
        ("F", None),
        ("G", None),
        ("H", None),
        ("I", None),
        ("K", None),
        ("00", None),
        ("98", None),
        ("C2", None),
        ("mining", None),
        ("", None),
        (None, None),
    ],
)
def test_the_sector_follows_from_the_industry(code, sector):
    assert sector_of(code) == sector


@pytest.mark.parametrize("wrong", [(-1, 0, 0), (0, -1, 0), (0, 0, -1)])
def test_negative_numbers_are_refused(wrong):
    with pytest.raises(ValueError, match="not negative"):
        size_class(None, *wrong)
