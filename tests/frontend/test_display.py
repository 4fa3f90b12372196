"""How money, dates and durations are written."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from django.test import override_settings
from django.utils import translation

from billing.wording import step_sentence
from config.kernel.messages import duration_words, filled, sentence
from frontend import display
from frontend.templatetags.jishi import colon
from instruments.notice_events import events

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture(autouse=True)
def english() -> object:
    with translation.override("en"):
        yield


@pytest.mark.parametrize(
    ("fen", "words"),
    [
        (0, "¥0.00"),
        (5, "¥0.05"),
        (123450, "¥1,234.50"),
        (123456789012, "¥1,234,567,890.12"),
        (-48000, "\u2212¥480.00"),
        (-1, "\u2212¥0.01"),
    ],
)
def test_fen_are_written_as_yuan_without_rounding(fen: int, words: str) -> None:
    assert display.yuan(fen) == words


def test_a_date_carries_its_weekday() -> None:
    assert display.date_words(date(2026, 11, 23)) == "Mon 23 Nov 2026"


def test_every_day_of_a_leap_year_has_the_weekday_and_month_of_the_calendar() -> None:
    for ordinal in range(date(2028, 1, 1).toordinal(), date(2029, 1, 1).toordinal()):
        day = date.fromordinal(ordinal)
        assert display.date_words(day) == f"{day:%a} {day.day} {day:%b} {day.year}"


def test_times_are_shown_on_the_clock_of_the_named_zone() -> None:
    moment = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
    assert display.moment_words(display.in_zone(moment)) == "Mon 23 Nov 2026, 14:00"
    assert display.moment_words(display.in_zone(moment, "Asia/Tokyo")) == "Mon 23 Nov 2026, 15:00"


def test_a_zone_is_written_when_its_clock_is_not_the_readers_wherever_the_platform_is() -> None:
    moment = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
    assert display.zone_label(moment, "Asia/Shanghai") == ""
    assert display.zone_label(moment, "Asia/Tokyo") == "UTC+9, Asia/Tokyo"
    with display.read_in("Asia/Tokyo"):
        assert display.zone_label(moment, "Asia/Shanghai") == "UTC+8, Asia/Shanghai"
        assert display.zone_label(moment, "Asia/Tokyo") == ""
        assert display.zone_label(moment) == ""
    with display.read_in("Asia/Singapore"):
        assert display.zone_label(moment, "Asia/Shanghai") == ""
    assert display.zone_label(moment, "Asia/Kolkata") == "UTC+5:30, Asia/Kolkata"


def test_a_readers_clock_is_compared_at_the_moment_of_the_time() -> None:
    with display.read_in("Europe/Berlin"):
        assert display.zone_label(datetime(2026, 7, 1, tzinfo=UTC), "Africa/Cairo") == "UTC+3, Africa/Cairo"
        assert display.zone_label(datetime(2026, 1, 1, tzinfo=UTC), "Africa/Johannesburg") == "UTC+2, Africa/Johannesburg"
        assert display.zone_label(datetime(2026, 7, 1, tzinfo=UTC), "Africa/Johannesburg") == ""


@pytest.mark.parametrize("name", ["", "Mars/Base", "../../etc/passwd", "x" * 5000, "\0"])
def test_an_unknown_zone_of_a_reader_is_the_platforms(name: str) -> None:
    with display.read_in(name):
        assert display.zone_label(datetime(2026, 11, 23, 6, 0, tzinfo=UTC), "Asia/Shanghai") == ""


def test_every_page_says_whose_clock_its_times_are() -> None:
    moment = datetime(2026, 7, 1, tzinfo=UTC)
    assert display.platform_clock(moment) == "China Standard Time (UTC+8)"
    with override_settings(TIME_ZONE="America/St_Johns"):
        assert display.platform_clock(moment) == "America/St_Johns (UTC-2:30)"


def test_refusals_news_and_explanations_write_dates_as_the_pages_do() -> None:
    at = "2026-11-23T14:00:00+08:00"
    assert "Mon 23 Nov 2026, 14:00" in sentence("booking.too_soon", {"earliest": at, "notice_minutes": 60})
    assert "Mon 23 Nov 2026, 14:00" in sentence("calendar.no_such_wall_time", {"zone": "x", "wall_time": "2026-11-23 14:00"})
    assert "(Mon 23 Nov 2026)" in sentence("resource.end_before_start", {"first_on": "2026-11-23", "last_on": "2026-11-22"})
    assert "Mon 23 Nov 2026" in step_sentence("subsidy.step.validity", {"basis": "service", "on": "2026-11-23"})
    news = [
        filled(line, {"starts_at": at, "ends_at": at, "zone": "Asia/Shanghai"})
        for line in _approved_lines()
        if "starts_at" in line
    ]
    assert news == ["Time: Mon 23 Nov 2026, 14:00 to 14:00 (China Standard Time)"]


def test_the_end_of_a_time_has_a_date_only_on_another_day_and_a_place_a_clock_that_people_know() -> None:
    text = "%(starts_at)s to %(ends_at)s (%(zone)s)"
    starts, next_day = "2026-11-23T22:00:00+08:00", "2026-11-24T06:00:00+08:00"
    over_night = filled(text, {"starts_at": starts, "ends_at": next_day, "zone": "Asia/Urumqi"})
    assert over_night == "Mon 23 Nov 2026, 22:00 to Tue 24 Nov 2026, 06:00 (Asia/Urumqi)"
    assert filled("until %(ends_at)s", {"starts_at": starts, "ends_at": next_day}) == "until Tue 24 Nov 2026, 06:00"
    with translation.override("zh-hans"):
        assert filled("%(zone)s%(rows)s", {"zone": "Asia/Shanghai", "rows": [1, 2]}) == "北京时间1、2"
        assert colon() == "："
    assert colon() == ": "


def _approved_lines() -> list[str]:
    return [str(line) for line in events()["reservation.approved"].lines]


@pytest.mark.parametrize(
    ("zone", "label"),
    [
        ("", ""),
        ("Asia/Shanghai", ""),
        ("Asia/Hong_Kong", ""),
        ("Asia/Tokyo", "UTC+9, Asia/Tokyo"),
        ("Asia/Kathmandu", "UTC+5:45, Asia/Kathmandu"),
        ("America/New_York", "UTC-5, America/New_York"),
    ],
)
def test_the_zone_is_written_only_where_its_clock_differs_from_the_viewers(zone: str, label: str) -> None:
    assert display.zone_label(datetime(2026, 11, 23, 6, 0, tzinfo=UTC), zone) == label


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        (datetime(2026, 11, 23, 9, 0, tzinfo=SHANGHAI), "Mon 23 Nov 2026, 08:00–09:00"),
        (datetime(2026, 11, 24, 0, 0, tzinfo=SHANGHAI), "Mon 23 Nov 2026, 08:00–24:00"),
        (datetime(2026, 11, 24, 1, 0, tzinfo=SHANGHAI), "Mon 23 Nov 2026, 08:00–Tue 24 Nov 2026, 01:00"),
        (datetime(2026, 11, 25, 0, 0, tzinfo=SHANGHAI), "Mon 23 Nov 2026, 08:00–Wed 25 Nov 2026, 00:00"),
    ],
)
def test_a_range_names_the_second_day_only_when_it_is_another_one(ends: datetime, words: str) -> None:
    assert display.range_words(datetime(2026, 11, 23, 8, 0, tzinfo=SHANGHAI), ends) == words


@pytest.mark.parametrize(("minutes", "words"), [(0, "0 min"), (45, "45 min"), (60, "1 h"), (150, "2 h 30 min"), (1500, "25 h")])
def test_minutes_are_written_as_hours_and_minutes(minutes: int, words: str) -> None:
    assert duration_words(minutes) == words


@pytest.mark.parametrize(("size", "words"), [(0, "1 kB"), (120_400, "120 kB"), (20_971_520, "21.0 MB")])
def test_file_sizes_are_rounded_for_people(size: int, words: str) -> None:
    assert display.bytes_words(size) == words
