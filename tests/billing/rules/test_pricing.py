"""Prices of sessions: bands in local wall time, elapsed time billed, one rounding per line, minimums."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.ledger.rules.documents import DocumentError
from billing.pricing.rules import LineKind, PricedSession, describe, parse_schedule, price_session
from config.kernel.errors import Refusal
from config.kernel.time_range import TimeRange

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")
ZONES = [SHANGHAI, ZoneInfo("Asia/Urumqi"), NEW_YORK, ZoneInfo("Australia/Lord_Howe")]

DOCUMENT: dict[str, Any] = {
    "format": 1,
    "currency": "CNY",
    "rates": {"inside": "200", "firm_sme": 400},
    "bands": [
        {"code": "peak", "weekdays": [1, 2, 3, 4, 5], "from": "09:00", "to": "18:00", "ratio": "1.25"},
        {
            "code": "night",
            "name": {"zh": "x", "en": "Night"},
            "weekdays": [1, 2, 3, 4, 5, 6, 7],
            "from": "22:00",
            "to": "06:00",
            "rates": {"inside": "100.01", "firm_sme": "199.99"},
        },
        {"code": "saturday", "weekdays": [6], "from": "06:00", "to": "22:00", "ratio": "1.333333"},
    ],
    "rounding": {"step": "fen", "mode": "half_up"},
}
RATES = {
    "standard": Fraction(40000),
    "peak": Fraction(50000),
    "night": Fraction(19999),
    "saturday": 40000 * Fraction("1.333333"),
}


def document(**changes: Any) -> dict[str, Any]:
    return {**DOCUMENT, **changes}


def priced(zone: ZoneInfo, start: str, end: str, customer_class: str = "firm_sme", **changes: Any) -> PricedSession:
    """Price a session given by wall times (the first of a repeated hour)."""
    time_range = TimeRange(*(datetime.fromisoformat(text).replace(tzinfo=zone) for text in (start, end)))
    return price_session(parse_schedule(document(**changes)), time_range, zone, customer_class)


def lines(session: PricedSession) -> list[tuple[str, int, int]]:
    return [(line.band, line.seconds // 60, line.amount_fen) for line in session.lines]


def band_by_the_clock(local: datetime) -> str:
    """The band at a wall time, written down a second time."""
    if local.hour >= 22 or local.hour < 6:
        return "night"
    if local.isoweekday() == 6:
        return "saturday"
    return "peak" if local.isoweekday() <= 5 and 9 <= local.hour < 18 else "standard"


def walk_minute_by_minute(time_range: TimeRange, zone: ZoneInfo) -> list[tuple[str, datetime, datetime]]:
    """A second implementation: look at the wall clock at every minute that passes."""
    found: list[tuple[str, datetime, datetime]] = []
    at = time_range.starts_at
    while at < time_range.ends_at:
        band, after = band_by_the_clock(at.astimezone(zone)), at + timedelta(minutes=1)
        if found and found[-1][0] == band:
            found[-1] = (band, found[-1][1], after)
        else:
            found.append((band, at, after))
        at = after
    return found


#: Starts around the nights on which clocks jump in New York and on Lord Howe (by half an hour), and plain days.
JUMPS = [datetime(*day, tzinfo=UTC) for day in ((2025, 3, 9), (2025, 11, 2), (2025, 4, 5), (2025, 10, 4), (2024, 2, 29))]


@given(
    st.sampled_from(ZONES),
    st.sampled_from(JUMPS),
    st.integers(-1440, 1440),
    st.integers(1, 3200),
)
@settings(max_examples=120, deadline=None)
def test_a_session_is_cut_as_a_walk_minute_by_minute_would(zone: ZoneInfo, day: datetime, offset: int, length: int) -> None:
    start = day + timedelta(minutes=offset)
    time_range = TimeRange(start, start + timedelta(minutes=length))
    session = price_session(parse_schedule(DOCUMENT), time_range, zone, "firm_sme")
    walked = walk_minute_by_minute(time_range, zone)
    assert [(line.band, line.starts_at, line.ends_at) for line in session.lines] == walked
    for line in session.lines:
        exact = RATES[line.band] * Fraction(line.seconds, 3600)
        assert line.amount_fen == int(exact + Fraction(1, 2))
    assert session.gross_fen == sum(line.amount_fen for line in session.lines)
    assert sum(line.seconds for line in session.lines) == time_range.seconds
    assert session.local_on == start.astimezone(zone).date()


def test_a_session_over_a_peak_boundary_is_not_priced_by_its_start() -> None:
    assert lines(priced(SHANGHAI, "2025-06-10T08:30", "2025-06-10T09:30")) == [
        ("standard", 30, 20000),
        ("peak", 30, 25000),
    ]


def test_midnight_alone_cuts_nothing() -> None:
    assert lines(priced(SHANGHAI, "2025-06-10T23:00", "2025-06-11T01:00")) == [("night", 120, 39998)]


def test_an_edge_belongs_to_the_band_that_starts() -> None:
    assert lines(priced(SHANGHAI, "2025-06-10T18:00", "2025-06-10T19:00")) == [("standard", 60, 40000)]
    assert lines(priced(SHANGHAI, "2025-06-10T17:00", "2025-06-10T18:00")) == [("peak", 60, 50000)]


def test_the_hour_that_the_clock_skips_is_not_billed() -> None:
    day = priced(NEW_YORK, "2025-03-09T00:00", "2025-03-10T00:00", bands=[])
    assert [(line.seconds, line.amount_fen) for line in day.lines] == [(23 * 3600, 23 * 40000)]


def test_the_hour_that_the_clock_repeats_is_billed_twice() -> None:
    day = priced(NEW_YORK, "2025-11-02T00:00", "2025-11-03T00:00", bands=[])
    assert [(line.seconds, line.amount_fen) for line in day.lines] == [(25 * 3600, 25 * 40000)]


def test_a_band_edge_inside_the_skipped_hour_takes_effect_at_the_jump() -> None:
    band = {"code": "early", "weekdays": [7], "from": "02:30", "to": "05:00", "ratio": "2"}
    session = priced(NEW_YORK, "2025-03-09T01:30", "2025-03-09T03:30", bands=[band])
    assert lines(session) == [("standard", 30, 20000), ("early", 30, 40000)]


def test_a_band_inside_the_repeated_hour_is_met_twice() -> None:
    band = {"code": "short", "weekdays": [7], "from": "01:15", "to": "01:45", "ratio": "2"}
    session = priced(NEW_YORK, "2025-11-02T01:00", "2025-11-02T02:00", bands=[band])
    minutes = [(band, minutes) for band, minutes, _ in lines(session)]
    assert minutes == [("standard", 15), ("short", 30), ("standard", 30), ("short", 30), ("standard", 15)]


def test_a_band_may_last_around_the_clock() -> None:
    band = {"code": "sunday", "weekdays": [7], "from": "00:00", "to": "24:00", "ratio": "2"}
    whole = {"code": "whole", "weekdays": [7], "from": "12:00", "to": "12:00", "ratio": "2"}
    assert lines(priced(SHANGHAI, "2025-06-07T23:00", "2025-06-09T01:00", bands=[band])) == [
        ("standard", 60, 40000),
        ("sunday", 1440, 24 * 80000),
        ("standard", 60, 40000),
    ]
    assert lines(priced(SHANGHAI, "2025-06-09T11:00", "2025-06-09T13:00", bands=[whole])) == [
        ("whole", 60, 80000),
        ("standard", 60, 40000),
    ]


def test_sessions_that_do_not_start_on_a_whole_second_are_priced_to_the_microsecond() -> None:
    start = datetime(2025, 6, 10, 8, 59, 59, 500_000, tzinfo=SHANGHAI)
    time_range = TimeRange(start, start + timedelta(seconds=36, microseconds=500_000))
    session = price_session(parse_schedule(DOCUMENT), time_range, SHANGHAI, "firm_sme")
    assert [(line.band, line.amount_fen) for line in session.lines] == [("standard", 6), ("peak", 500)]
    assert session.lines[0].ends_at == datetime(2025, 6, 10, 9, tzinfo=SHANGHAI)


def test_missing_time_is_charged_at_the_rate_in_force_at_the_end() -> None:
    session = priced(SHANGHAI, "2025-06-10T08:50", "2025-06-10T09:10", minimum={"minutes": 30})
    assert [line.kind for line in session.lines] == [LineKind.TIME, LineKind.TIME, LineKind.MINIMUM_TIME]
    assert lines(session)[-1] == ("peak", 10, 8333)
    assert session.minimum_top_up_fen == 8333


def test_the_minimum_charge_is_a_line_of_its_own() -> None:
    session = priced(SHANGHAI, "2025-06-10T10:00", "2025-06-10T10:06", minimum={"minutes": 12, "amount": "150"})
    assert [line.amount_fen for line in session.lines] == [5000, 5000, 5000]
    assert (session.gross_fen, session.minimum_top_up_fen) == (15000, 10000)
    assert [step.amount_fen for step in session.steps] == [5000, 10000, 15000]


def test_the_minimum_charge_is_met_by_what_the_minimum_time_costs() -> None:
    session = priced(SHANGHAI, "2025-06-10T10:00", "2025-06-10T10:06", minimum={"minutes": 30, "amount": "200"})
    assert [line.kind for line in session.lines] == [LineKind.TIME, LineKind.MINIMUM_TIME]
    assert (session.gross_fen, session.minimum_top_up_fen) == (25000, 20000)


def test_a_session_above_both_minimums_has_no_line_for_them() -> None:
    session = priced(SHANGHAI, "2025-06-10T10:00", "2025-06-10T11:00", minimum={"minutes": 60, "amount": "500"})
    assert (lines(session), session.minimum_top_up_fen) == ([("peak", 60, 50000)], 0)


def test_lines_are_rounded_as_the_schedule_says() -> None:
    session = priced(SHANGHAI, "2025-06-10T06:00", "2025-06-10T06:01", bands=[], rounding={"step": "yuan", "mode": "down"})
    assert session.gross_fen == 600


def test_a_class_without_a_price_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        priced(SHANGHAI, "2025-06-10T10:00", "2025-06-10T11:00", "team")
    assert [reason.code for reason in refused.value.reasons] == ["price.class_without_rate"]


def faults_of(changed: dict[str, Any]) -> list[str]:
    with pytest.raises(DocumentError) as error:
        parse_schedule(changed)
    return [fault.path for fault in error.value.faults]


PEAK = DOCUMENT["bands"][0]


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({"rates": {"inside": 200.0}}, ["$.rates.inside"]),
        ({"rates": {}}, ["$.rates"]),
        ({"rates": {"inside": "-1"}}, ["$.rates.inside"]),
        ({"bands": [PEAK, PEAK]}, ["$.bands[1]", "$.bands[1].code"]),
        ({"bands": [{**PEAK, "weekdays": [0], "from": "9:00"}]}, ["$.bands[0].from", "$.bands[0].weekdays[0]"]),
        ({"bands": [{**PEAK, "code": "standard"}]}, ["$.bands[0].code"]),
        ({"bands": [{**PEAK, "ratio": 1.5}]}, ["$.bands[0].ratio"]),
        ({"bands": [{**PEAK, "rates": {"inside": 1, "firm_sme": 1}}]}, ["$.bands[0]"]),
        (
            {"bands": [{"code": "own", "weekdays": [1], "from": "01:00", "to": "02:00", "rates": {"inside": 1}}]},
            ["$.bands[0].rates"],
        ),
        (
            {
                "bands": [
                    {**PEAK, "weekdays": [7], "from": "22:00", "to": "06:00"},
                    {**PEAK, "code": "monday", "weekdays": [1], "from": "05:00", "to": "07:00"},
                ]
            },
            ["$.bands[1]"],
        ),
        ({"minimum": {"minutes": 1.0}}, ["$.minimum.minutes"]),
        ({"rounding": {"step": "jiao"}}, ["$.rounding", "$.rounding.step"]),
        ({"surprise": 1}, ["$"]),
    ],
)
def test_every_fault_of_a_schedule_is_told_with_its_path(changes: dict[str, Any], paths: list[str]) -> None:
    assert faults_of(document(**changes)) == paths


def test_a_schedule_can_be_described_in_words() -> None:
    described = describe(parse_schedule(document(minimum={"minutes": 30, "amount": "50"})))
    assert [band.code for band in described.bands] == ["standard", "peak", "night", "saturday"]
    standard, peak, night, saturday = described.bands
    assert standard.yuan_per_unit == {"inside": "200.00", "firm_sme": "400.00"}
    assert (peak.from_time, peak.to_time, peak.until_next_day, peak.ratio) == ("09:00", "18:00", False, "1.25")
    assert (night.until_next_day, night.ratio, night.name["en"]) == (True, "", "Night")
    assert saturday.yuan_per_unit["firm_sme"] == "533.3332"
    assert (described.minimum_minutes, described.minimum_charge_fen) == (30, 5000)
