"""Price schedules of format 2: units, marginal steps, classes, holidays, what comes on top, tax; format 1 stays what it was."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.ledger.rules.documents import DocumentError
from billing.pricing.rules import LineKind, PricedSession, parse_schedule, price_session
from billing.pricing.rules.classes import Customer
from billing.pricing.rules.counted import CountedTerms, parse_counted
from billing.pricing.rules.pricing import TIME_KINDS, Use
from billing.pricing.rules.public_days import PublicDays, public_days_from_json, public_days_to_json
from billing.pricing.rules.samples import SamplePrice, price_samples, sample_price_from_json, sample_price_to_json
from config.kernel.time_range import TimeRange

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")
ZONES = [SHANGHAI, NEW_YORK, ZoneInfo("Australia/Lord_Howe")]
#: 1 October is a holiday; Saturday 10 October is worked.
DAYS = PublicDays(frozenset({date(2026, 10, day) for day in range(1, 8)}), frozenset({date(2026, 10, 10)}))

DOCUMENT: dict[str, Any] = {
    "format": 2,
    "currency": "CNY",
    "unit": "hour",
    "rates": {"inside": "200", "firm_sme": "400"},
    "steps": [{"up_to": "2", "ratio": "1"}, {"up_to": "5.5", "ratio": "0.9"}, {"ratio": "0.75"}],
    "bands": [
        {"code": "day", "weekdays": [1, 2, 3, 4, 5], "from": "09:00", "to": "18:00", "ratio": "1.25"},
        {
            "code": "night",
            "weekdays": [1, 2, 3, 4, 5, 6, 7],
            "holidays": True,
            "from": "22:00",
            "to": "06:00",
            "ratio": "0.333333",
        },
        {"code": "holiday", "weekdays": [], "holidays": True, "from": "06:00", "to": "22:00", "ratio": "2"},
    ],
    "holidays": {"makeup_weekday": 1},
    "rounding": {"step": "fen", "mode": "half_up"},
}
RATIOS = {"standard": Fraction(1), "day": Fraction("1.25"), "night": Fraction("0.333333"), "holiday": Fraction(2)}
STEP_RATIOS = [Fraction(1), Fraction("0.9"), Fraction("0.75")]


ON_THESE_DAYS = Use(days=DAYS)


def document(**changes: Any) -> dict[str, Any]:
    kept = {name: value for name, value in {**DOCUMENT, **changes}.items() if value is not None}
    return kept


def plain(**changes: Any) -> dict[str, Any]:
    """Without steps, bands and holidays."""
    return document(**{"steps": None, "bands": None, "holidays": None, **changes})


def priced(made: dict[str, Any], start: str, end: str, use: Use = ON_THESE_DAYS, name: str = "firm_sme") -> PricedSession:
    during = TimeRange(*(datetime.fromisoformat(text).replace(tzinfo=SHANGHAI) for text in (start, end)))
    return price_session(parse_schedule(made), during, SHANGHAI, name, use)


def told(session: PricedSession) -> list[tuple[str, int, int]]:
    return [(line.kind.value, line.seconds // 60, line.amount_fen) for line in session.lines]


def band_by_the_clock(local: datetime) -> str:
    """The band at a wall time, written down a second time."""
    if local.hour >= 22 or local.hour < 6:
        return "night"
    if local.date() in DAYS.holidays:
        return "holiday"
    weekday = 1 if local.date() in DAYS.makeup else local.isoweekday()
    return "day" if weekday <= 5 and 9 <= local.hour < 18 else "standard"


def walk(during: TimeRange, zone: ZoneInfo) -> list[tuple[str, int, int]]:
    """A second implementation: every minute that passes has a band by the clock and a step by how much time is gone."""
    found: list[tuple[str, int, int]] = []
    for minute in range(during.seconds // 60):
        local = (during.starts_at + timedelta(minutes=minute)).astimezone(zone)
        key = (band_by_the_clock(local), sum(minute >= end for end in (120, 330)) + 1)
        if found and found[-1][:2] == key:
            found[-1] = (*key, found[-1][2] + 1)
        else:
            found.append((*key, 1))
    return found


#: Starts around holidays, a make-up workday, and the nights on which clocks jump in New York and on Lord Howe.
STARTS = [
    datetime(*day, tzinfo=UTC)
    for day in ((2026, 9, 30), (2026, 10, 7), (2026, 10, 10), (2026, 3, 8), (2026, 11, 1), (2026, 4, 4))
]


@given(st.sampled_from(ZONES), st.sampled_from(STARTS), st.integers(-1440, 1440), st.integers(1, 4000))
@settings(max_examples=150, deadline=None)
def test_a_session_is_cut_at_bands_holidays_and_steps_as_a_walk_by_the_minute_would(
    zone: ZoneInfo, day: datetime, offset: int, length: int
) -> None:
    start = day + timedelta(minutes=offset)
    during = TimeRange(start, start + timedelta(minutes=length))
    session = price_session(parse_schedule(DOCUMENT), during, zone, "firm_sme", Use(days=DAYS))
    walked = walk(during, zone)
    assert [(line.band, line.step, line.seconds // 60) for line in session.lines] == walked
    for line, (band, step, minutes) in zip(session.lines, walked, strict=True):
        exact = 40_000 * RATIOS[band] * STEP_RATIOS[step - 1] * Fraction(minutes, 60)
        assert line.amount_fen == int(exact + Fraction(1, 2))
    assert session.gross_fen == sum(line.amount_fen for line in session.lines)
    assert session.lines[0].starts_at == start and session.lines[-1].ends_at == during.ends_at
    assert [step.amount_fen for step in session.steps][-1] == session.gross_fen


@given(st.permutations([0, 1, 2]), st.integers(-600, 600), st.integers(1, 4000))
@settings(max_examples=60, deadline=None)
def test_the_order_in_which_a_document_lists_its_bands_changes_no_amount(order: list[int], offset: int, length: int) -> None:
    bands = [DOCUMENT["bands"][place] for place in order]
    start = STARTS[0] + timedelta(minutes=offset)
    during = TimeRange(start, start + timedelta(minutes=length))
    documents = (DOCUMENT, document(bands=bands))
    one, other = (price_session(parse_schedule(made), during, SHANGHAI, "inside", ON_THESE_DAYS) for made in documents)
    assert one == other


@given(
    st.integers(1, 3000),
    st.integers(0, 300),
    st.integers(0, 240),
    st.integers(0, 5_000),
    st.booleans(),
    st.sampled_from([None, True, False]),
    st.sampled_from(["inside", "firm_sme"]),
)
@settings(max_examples=150, deadline=None)
def test_lines_sum_to_the_gross_and_minimums_only_add(
    length: int, least: int, step: int, charge: int, operated: bool, included: bool | None, name: str
) -> None:
    made = document(
        minimum={"minutes": least, "amount": charge},
        step_minutes=step or None,
        setup={"inside": 0, "firm_sme": "33.33"},
        operator={"rates": {"inside": "80", "firm_sme": "99.99"}},
        tax=None if included is None else {"rate": "0.06", "included": included},
    )
    start = datetime(2026, 9, 30, 20, 7, tzinfo=SHANGHAI)
    during = TimeRange(start, start + timedelta(minutes=length))
    use = Use(operated, DAYS)
    session = price_session(parse_schedule(made), during, SHANGHAI, name, use)
    without = price_session(parse_schedule({**made, "minimum": {}}), during, SHANGHAI, name, use)
    assert session.gross_fen == sum(line.amount_fen for line in session.lines)
    assert session.minimum_top_up_fen == max(0, session.gross_fen - without.gross_fen)
    assert session.gross_fen >= charge * 100
    charged = sum(line.seconds for line in session.lines if line.kind in TIME_KINDS) // 60
    longest = max(length, least)
    assert charged == (-(-longest // step) * step if step else longest)
    assert session.steps[-1].amount_fen == session.gross_fen
    assert all(line.amount_fen >= 0 for line in session.lines)


def test_a_half_day_is_charged_whole_once_it_is_started() -> None:
    made = plain(unit="half_day", step_minutes=240, rates={"firm_sme": "1000"})
    assert told(priced(made, "2026-11-03T08:00", "2026-11-03T13:00")) == [("time", 300, 125_000), ("rounded_time", 180, 75_000)]
    assert priced(made, "2026-11-03T08:00", "2026-11-03T12:00").gross_fen == 100_000
    exact = plain(unit="day", unit_minutes=420, rates={"firm_sme": "1000"})
    assert priced(exact, "2026-11-03T08:00", "2026-11-03T09:00").gross_fen == 14_286  # 1000 / 7 h


def test_what_comes_on_top_is_told_in_one_order() -> None:
    made = plain(
        setup={"inside": 0, "firm_sme": 50},
        operator={"rates": {"inside": 0, "firm_sme": 100}},
        minimum={"minutes": 60, "amount": 800},
        tax={"rate": "0.06", "included": False},
    )
    session = priced(made, "2026-11-03T08:00", "2026-11-03T08:30", Use(operated=True))
    assert told(session) == [
        ("time", 30, 20_000), ("minimum_time", 30, 20_000), ("setup", 0, 5_000), ("operator", 60, 10_000),
        ("minimum_charge", 0, 25_000), ("tax", 0, 4_800),
    ]  # fmt: skip
    assert session.gross_fen == 84_800
    # Without minimums: 200 + 50 + 50 for the operator's half hour, and six per cent.
    assert session.minimum_top_up_fen == 84_800 - 31_800
    assert "operator" not in {kind for kind, _, _ in told(priced(made, "2026-11-03T08:00", "2026-11-03T08:30"))}


def test_included_tax_changes_nothing_but_what_is_told() -> None:
    session = priced(plain(tax={"rate": "0.06", "included": True}), "2026-11-03T08:00", "2026-11-03T10:00")
    assert session.gross_fen == 80_000
    assert session.steps[-1].params["tax_fen"] == 4_528  # 800 x 0.06 / 1.06 = 45.283...


def test_a_holiday_is_no_weekday_and_a_make_up_day_is_a_monday() -> None:
    def bands(start: str, end: str) -> set[str]:
        return {line.band for line in priced(DOCUMENT, start, end).lines}

    assert bands("2026-10-01T10:00", "2026-10-01T11:00") == {"holiday"}  # a Thursday
    assert bands("2026-10-10T10:00", "2026-10-10T11:00") == {"day"}  # a Saturday
    assert bands("2026-10-17T10:00", "2026-10-17T11:00") == {"standard"}  # the next one
    without = priced(DOCUMENT, "2026-10-01T10:00", "2026-10-01T11:00", Use())
    assert {line.band for line in without.lines} == {"day"}, "days that nobody passed in are no holidays"


def test_public_days_come_back_from_json() -> None:
    assert public_days_from_json(public_days_to_json(DAYS)) == DAYS


def test_the_first_class_whose_conditions_hold_is_the_customers() -> None:
    classes = [
        {"code": "own", "when": {"own": True}},
        {"code": "neighbour", "name": {"zh": "省内", "en": "In the province"}, "when": {"regions": ["63"], "verified": True}},
        {"code": "small", "when": {"kinds": ["firm", "team"], "sizes": ["micro", "small"]}},
        {"code": "zone", "when": {"zones": ["XN-HT"]}},
        {"code": "others"},
    ]
    made = plain(classes=classes, rates=dict.fromkeys(("own", "neighbour", "small", "zone", "others"), 100))
    schedule = parse_schedule(made)
    assert schedule.customer_classes == ("own", "neighbour", "small", "zone", "others")
    assert schedule.class_names["neighbour"]["en"] == "In the province"
    found = {
        "own": Customer("owner", None, is_owner=True, region_code="630104"),
        "neighbour": Customer("firm", "small", is_owner=False, region_code="630104", verified=True),
        "small": Customer("firm", "small", is_owner=False, region_code="630104"),
        "zone": Customer("firm", None, is_owner=False, zones=frozenset({"XN-HT"})),
        "others": Customer("government", None, is_owner=False),
    }
    assert {name: schedule.class_of(customer) for name, customer in found.items()} == {name: name for name in found}


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({"unit": "sample"}, ["$.unit"]),
        ({"unit": "week"}, ["$.unit"]),
        ({"unit_minutes": 60}, ["$.unit_minutes"]),
        ({"steps": [{"ratio": "1"}]}, ["$.steps"]),
        ({"steps": [{"up_to": "2", "ratio": "1"}, {"up_to": "3", "ratio": "1"}]}, ["$.steps[1].up_to"]),
        ({"steps": [{"up_to": "2", "ratio": "1"}, {"up_to": "2", "ratio": "1"}, {"ratio": "1"}]}, ["$.steps[1].up_to"]),
        ({"steps": [{"up_to": "0.0001", "ratio": "1"}, {"ratio": "1"}]}, ["$.steps[0].up_to"]),
        ({"steps": [{"ratio": "1"}, {"ratio": "1"}]}, ["$.steps[0]"]),
        ({"steps": [{"up_to": "1", "rates": {"inside": 1}}, {"ratio": "1"}]}, ["$.steps[0].rates"]),
        ({"steps": [{"up_to": str(n), "ratio": "1"} for n in range(1, 10_000)]}, ["$.steps"]),
        ({"setup": {"inside": 1}}, ["$.setup"]),
        ({"operator": {"rates": {"inside": 1}}}, ["$.operator.rates"]),
        ({"tax": {"rate": "1.06", "included": True}}, ["$.tax.rate"]),
        ({"tax": {"rate": 0.06, "included": True}}, ["$.tax.rate"]),
        ({"holidays": None}, ["$.bands[1].holidays", "$.bands[2].holidays"]),
        ({"classes": [{"code": "inside"}, {"code": "firm_sme"}]}, ["$.classes[0].when"]),
        ({"classes": [{"code": "inside", "when": {"own": True}}]}, ["$.classes[0].when", "$.rates.firm_sme"]),
        ({"classes": [{"code": "king"}]}, ["$.classes[0].code", "$.rates.firm_sme", "$.rates.inside"]),
        ({"format": 3}, ["$.format"]),
        (
            {"bands": [*DOCUMENT["bands"], {"code": "worked", "weekdays": [7], "from": "05:00", "to": "07:00", "ratio": "1"}]},
            ["$.bands[3]"],
        ),
        # Only on a make-up workday, which is priced as a Monday, can a Saturday's night run into a Monday's morning.
        (
            {
                "bands": [
                    {"code": "late", "weekdays": [6], "from": "22:00", "to": "08:00", "ratio": "1"},
                    {"code": "early", "weekdays": [1], "from": "07:00", "to": "09:00", "ratio": "1"},
                ]
            },
            ["$.bands[1]"],
        ),
    ],
)
def test_every_fault_is_told_with_its_path(changes: dict[str, Any], paths: list[str]) -> None:
    with pytest.raises(DocumentError) as error:
        parse_schedule(document(**changes))
    assert sorted({fault.path for fault in error.value.faults}) == paths


COUNTED: dict[str, Any] = {
    "format": 2,
    "currency": "CNY",
    "unit": "sample",
    "rates": {"inside": "50", "academic": "80", "team": "90", "firm_sme": "100", "firm_large": "120"},
    "steps": [{"up_to": "10", "ratio": "1"}, {"up_to": "50", "ratio": "0.8"}, {"ratio": "0.5"}],
    "setup": {"inside": 0, "academic": 0, "team": 0, "firm_sme": 200, "firm_large": 200},
    "minimum": {"amount": "500"},
    "tax": {"rate": "0.06", "included": False},
    "rounding": {"step": "fen", "mode": "half_up"},
}


def test_samples_are_priced_step_by_step() -> None:
    found = price_samples(SamplePrice.of_terms(parse_counted(COUNTED)), 60, 1, "firm_sme", date(2026, 11, 3))
    assert [(line.unit, line.quantity, line.rate_fen) for line in found.lines] == [
        ("sample", 10, 10_000), ("sample", 40, 8_000), ("sample", 10, 5_000), ("setup", 1, 20_000), ("tax", 1, 29_400),
    ]  # fmt: skip
    assert (found.gross_fen, found.minimum_top_up_fen) == (519_400, 0)
    one = price_samples(SamplePrice.of_terms(parse_counted(COUNTED)), 1, 1, "inside", date(2026, 11, 3))
    assert (one.gross_fen, one.minimum_top_up_fen) == (53_000, 53_000 - 5_300)


@given(st.integers(1, 5_000), st.sampled_from(sorted(COUNTED["rates"])))
@settings(max_examples=60, deadline=None)
def test_marginal_steps_of_samples_add_up_like_single_samples(count: int, name: str) -> None:
    terms = parse_counted({part: COUNTED[part] for part in COUNTED if part not in ("setup", "minimum", "tax")})
    rate = terms.rates_fen[name]
    one_by_one = sum(rate if n < 10 else rate * 8 // 10 if n < 50 else rate // 2 for n in range(count))
    priced = price_samples(SamplePrice.of_terms(terms), count, 1, name, date(2026, 11, 3))
    assert priced.gross_fen == one_by_one == sum(line.amount_fen for line in priced.lines)


def test_a_price_of_samples_comes_back_from_json() -> None:
    for price in (SamplePrice.of_terms(parse_counted(COUNTED)), SamplePrice("sample", 100, {"team": 50})):
        assert sample_price_from_json(sample_price_to_json(price)) == price


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({"unit": "hour"}, ["$.unit"]),
        ({"bands": []}, ["$.bands"]),
        ({"minimum": {"minutes": 1}}, ["$.minimum.minutes"]),
        ({"steps": [{"up_to": "1.5", "ratio": "1"}, {"ratio": "1"}]}, ["$.steps[0].up_to"]),
        ({"steps": [{"up_to": "1", "ratio": "0.333333"}, {"ratio": "1"}]}, ["$.steps[0].ratio"]),
    ],
)
def test_a_schedule_of_samples_has_no_parts_of_time(changes: dict[str, Any], paths: list[str]) -> None:
    with pytest.raises(DocumentError) as error:
        parse_counted({**COUNTED, **changes})
    assert sorted({fault.path for fault in error.value.faults}) == paths


def test_a_document_of_format_1_means_the_same_in_format_2() -> None:
    """Word for word the same lines, steps and amounts: what format 2 adds is not there unless it is asked for."""
    one = {
        "format": 1,
        "currency": "CNY",
        "rates": {"inside": "200", "firm_sme": 400},
        "bands": [{"code": "peak", "weekdays": [1, 2, 3, 4, 5], "from": "09:00", "to": "18:00", "ratio": "1.25"}],
        "minimum": {"minutes": 30, "amount": "100"},
        "rounding": {"step": "fen", "mode": "half_up"},
    }
    two = {**one, "format": 2, "unit": "hour"}
    for start, end in (("2026-11-03T08:50", "2026-11-03T09:10"), ("2026-11-03T07:00", "2026-11-04T19:00")):
        assert priced(one, start, end) == priced(two, start, end)
    assert isinstance(parse_counted(COUNTED), CountedTerms)
    assert LineKind.TIME in TIME_KINDS
