"""What a calendar file says, oddities and malice included."""

from __future__ import annotations

import resource
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.kernel.errors import Refusal
from config.kernel.messages import reason_sentence
from config.kernel.time_range import TimeRange
from instruments.rules import ics_lines
from instruments.rules.ics_reading import IcsRow, read_ics
from instruments.services import ics_reader
from tests.conftest import NOW
from tests.instruments.calendars.ics import calendar, event, timed

SHANGHAI = ZoneInfo("Asia/Shanghai")
WINDOW = TimeRange(NOW, NOW + timedelta(days=400))
ZONE = (
    "BEGIN:VTIMEZONE\nTZID:Lab time\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0530\nTZOFFSETTO:+0530\nEND:STANDARD"
)


def rows(*parts: str, zone: ZoneInfo = SHANGHAI, window: TimeRange = WINDOW) -> list[IcsRow]:
    return list(read_ics(calendar(*parts), zone, window).rows)


def only(*parts: str, **named: object) -> IcsRow:
    (row,) = rows(*parts, **named)  # type: ignore[arg-type]
    return row


def times(found: list[IcsRow]) -> list[str]:
    """Starts of what takes time, in UTC, to the minute."""
    return [f"{row.starts_at:%m-%d %H:%M}" for row in found if row.fate == "taken" and row.starts_at]


def told(row: IcsRow) -> tuple[str, str]:
    if row.reason is None:
        return row.fate, ""
    sentence = reason_sentence(row.reason)
    assert sentence != row.reason.code and "%(" not in sentence
    return row.fate, row.reason.code


# --- When it is -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("body", "zone", "starts", "hours"), [
    ("DTSTART:20261124T080000Z\nDTEND:20261124T093000Z", "Asia/Shanghai", "2026-11-24 08:00", 1.5),
    ("DTSTART:20261124T080000\nDTEND:20261124T100000", "Asia/Shanghai", "2026-11-24 00:00", 2),
    ("DTSTART:20261124T080000\nDTEND:20261124T100000", "Asia/Urumqi", "2026-11-24 02:00", 2),
    ("DTSTART;TZID=Europe/Berlin:20261124T080000\nDURATION:PT45M", "Asia/Shanghai", "2026-11-24 07:00", 0.75),
    ("DTSTART;TZID=China Standard Time:20261124T080000\nDURATION:PT1H", "Asia/Urumqi", "2026-11-24 00:00", 1),
    ("DTSTART;VALUE=DATE:20261124", "Asia/Shanghai", "2026-11-23 16:00", 24),
    ("DTSTART;VALUE=DATE:20261124\nDTEND;VALUE=DATE:20261127", "Asia/Shanghai", "2026-11-23 16:00", 72),
    ("DTSTART;VALUE=DATE:20270314", "America/New_York", "2027-03-14 05:00", 23),
    ("DTSTART;VALUE=DATE:20271107", "America/New_York", "2027-11-07 04:00", 25),
    ("DTSTART;VALUE=DATE:20261124\nDURATION:P2D", "Asia/Shanghai", "2026-11-23 16:00", 48),
])  # fmt: skip
def test_an_event_is_read_as_the_instants_it_means(body, zone, starts, hours):
    row = only(event(body=body), zone=ZoneInfo(zone))
    assert told(row) == ("taken", "")
    assert row.during is not None and f"{row.during.starts_at:%Y-%m-%d %H:%M}" == starts
    assert row.during.duration == timedelta(hours=hours)


def test_a_zone_that_the_file_defines_is_used():
    row = only(ZONE + "\nEND:VTIMEZONE", event(body="DTSTART;TZID=Lab time:20261124T080000\nDURATION:PT1H"))
    assert times([row]) == ["11-24 02:30"]


def test_a_file_may_name_its_own_zone_for_times_without_one():
    floating = event(body="DTSTART:20261124T080000\nDTEND:20261124T090000")
    assert times(rows("X-WR-TIMEZONE:Europe/Berlin", floating)) == ["11-24 07:00"]
    assert times(rows("X-WR-TIMEZONE:Mars/Olympus", floating)) == ["11-24 00:00"]


# --- What takes no time, what cannot be read --------------------------------------------------------------------------
@pytest.mark.parametrize(("part", "expected"), [
    (event("STATUS:CANCELLED"), ("skipped", "ics.cancelled")),
    (event("TRANSP:TRANSPARENT"), ("skipped", "ics.free")),
    (event(body="DTSTART:20261124T080000Z"), ("skipped", "ics.no_length")),
    (timed("20261124T080000Z", "20261124T080000Z"), ("skipped", "ics.no_length")),
    (timed("20261120T080000Z", "20261120T090000Z"), ("skipped", "ics.past")),
    (timed("20281120T080000Z", "20281120T090000Z"), ("skipped", "ics.far_ahead")),
    (event("RRULE:FREQ=DAILY;UNTIL=20261101T000000Z", body="DTSTART:20261020T080000Z\nDURATION:PT1H"),
     ("skipped", "ics.none_in_window")),
    (event(body=""), ("refused", "ics.no_start")),
    (event(body="DTSTART:yesterday\nDTEND:20261124T090000Z"), ("refused", "ics.property_unreadable")),
    (event("RRULE:FREQ=SOMETIMES"), ("refused", "ics.property_unreadable")),
    (event("RRULE:FREQ=SECONDLY"), ("refused", "ics.too_often")),
    (event("RRULE:FREQ=HOURLY;COUNT=3"), ("refused", "ics.too_often")),
    (event("RRULE:FREQ=DAILY;BYHOUR=1,2,3,4,5"), ("refused", "ics.too_often")),
    (event("RRULE:FREQ=WEEKLY;INTERVAL=-1"), ("refused", "ics.series_unreadable")),
    (event("DTSTART:20261125T080000Z"), ("refused", "ics.twice")),
    (event("DTEND:20261125T080000Z"), ("refused", "ics.twice")),
    (timed("20261124T090000Z", "20261124T080000Z"), ("refused", "ics.ends_before_start")),
    (timed("20261124T080000Z", "20990101T000000Z"), ("refused", "ics.lasts_too_long")),
    (timed("00010101T080000Z", "00010101T090000Z"), ("refused", "ics.year")),
    (timed("99991231T235959Z", "99991231T235959Z"), ("refused", "ics.year")),
    (event(body="DTSTART;TZID=Mars/Olympus:20261124T080000\nDURATION:PT1H"), ("refused", "ics.zone_unknown")),
    (event("RDATE:" + ",".join(["20261125T080000Z"] * 600)), ("refused", "ics.event_too_long")),
    ("BEGIN:VEVENT\nUID:a\nDTSTART:20261124T080000Z", ("refused", "ics.not_ended")),
])  # fmt: skip
def test_each_oddity_has_a_fate_with_words_and_spoils_nothing_else(part, expected):
    found = rows(part, timed("20261201T080000Z", "20261201T090000Z", uid="good"))
    assert told(next(row for row in found if row.uid != "good")) == expected
    assert times(found)[-1:] == ["12-01 08:00"]


def test_the_line_of_a_broken_event_is_told():
    found = rows(event(uid="fine"), event(body="DTSTART:x"))
    assert [(row.line, row.fate) for row in found] == [(3, "taken"), (9, "refused")]


def test_events_without_a_name_keep_the_same_key():
    first, second = only(event(uid="")), only(event(uid=""))
    assert first.key == second.key != only(event(uid="", title="Other")).key


def test_the_same_event_twice_counts_once_and_other_times_under_one_name_count_each():
    assert [told(row) for row in rows(event(), event())] == [("taken", ""), ("skipped", "ics.repeated")]
    other = timed("20261125T080000Z", "20261125T090000Z")
    found = rows(event(), other)
    assert times(found) == ["11-24 08:00", "11-25 08:00"] and len({row.key for row in found}) == 2


def test_titles_are_one_visible_line():
    assert only(event(title="Be\u202eam\\ntime \u4e2d\u6587" + "x" * 500)).title == ("Beam time \u4e2d\u6587" + "x" * 500)[:200]


def test_folded_lines_alarms_and_attachments_do_not_matter():
    alarm = "BEGIN:VALARM\nTRIGGER:-PT5M\nDTSTART:broken\nSUMMARY:alarm\nEND:VALARM"
    attachment = "ATTACH;ENCODING=BASE64:" + "A" * 200_000
    row = only(event(alarm, attachment, title="Long\n er title"))
    assert told(row) == ("taken", "") and row.title == "Longer title"


# --- Repetition -------------------------------------------------------------------------------------------------------
def test_a_series_is_expanded_with_what_was_moved_left_out_and_added():
    series = event(
        "RRULE:FREQ=WEEKLY;COUNT=4",
        "EXDATE:20261201T080000Z",
        "RDATE:20261203T080000Z",
        body="DTSTART:20261124T080000Z\nDURATION:PT1H",
    )
    moved = event("RECURRENCE-ID:20261208T080000Z", body="DTSTART:20261209T100000Z\nDURATION:PT1H", title="Moved")
    gone = event("RECURRENCE-ID:20261215T080000Z", "STATUS:CANCELLED", body="DTSTART:20261215T080000Z\nDURATION:PT1H")
    found = rows(series, moved, gone)
    assert times(found) == ["11-24 08:00", "12-03 08:00", "12-09 10:00"]
    assert [row.title for row in found if row.fate == "taken"][-1] == "Moved"
    assert {row.recurrence[:10] for row in found} == {"2026-11-24", "2026-12-03", "2026-12-08", "2026-12-15"}
    assert [row.cancelled for row in found] == [False, False, False, True]


def test_a_series_keeps_its_wall_time_through_a_change_of_the_clock():
    series = event("RRULE:FREQ=WEEKLY;COUNT=3", body="DTSTART;TZID=Europe/Berlin:20270314T090000\nDURATION:PT1H")
    assert times(rows(series)) == ["03-14 08:00", "03-21 08:00", "03-28 07:00"]


def test_a_series_in_utc_follows_the_zone_that_its_file_names():
    series = event("RRULE:FREQ=WEEKLY;COUNT=3", body="DTSTART:20270314T080000Z\nDURATION:PT1H")
    assert times(rows("X-WR-TIMEZONE:Europe/Berlin", series)) == ["03-14 08:00", "03-21 08:00", "03-28 07:00"]


def test_days_and_floating_times_repeat_at_the_place():
    days = event("RRULE:FREQ=DAILY;COUNT=2", body="DTSTART;VALUE=DATE:20261124")
    floating = event("RRULE:FREQ=DAILY;COUNT=2", body="DTSTART:20261124T080000\nDTEND:20261124T090000", uid="b")
    assert times(rows(days, floating, zone=ZoneInfo("Asia/Urumqi"))) == [
        "11-23 18:00",
        "11-24 02:00",
        "11-24 18:00",
        "11-25 02:00",
    ]


def test_an_endless_series_is_read_as_far_as_the_window_goes():
    found = rows(event("RRULE:FREQ=DAILY;COUNT=1000000000"))
    assert len(times(found)) == 399 and {row.fate for row in found} == {"taken"}


# --- Whole files ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("content", "code"), [
    (b"", "ics.empty"), (b" \r\n ", "ics.empty"), (b"\x00\x01\x02", "ics.not_a_calendar"),
    (b"name,start,end\nx,1,2\n", "ics.not_a_calendar"),
    (b"PK\x03\x04 zipped", "ics.not_a_calendar"), (b"\xff\xfeB\x00E\x00", "ics.encoding"),
    (b"BEGIN:VCALENDAR\n" + b"x" * 2**21, "ics.too_big"),
    (b"BEGIN:VCALENDAR\n" * 1000, "ics.too_deep"), (b"BEGIN:VCALENDAR\n" + b"\n" * 130_000, "ics.too_long"),
    (b"BEGIN:VCALENDAR\n" + b"BEGIN:VEVENT\nEND:VEVENT\n" * 3000, "ics.too_many_events"),
])  # fmt: skip
def test_what_is_no_calendar_is_refused_as_a_whole(content, code):
    with pytest.raises(Refusal) as refused:
        read_ics(content, SHANGHAI, WINDOW)
    (reason,) = refused.value.reasons
    assert (reason.code, reason.field) == (code, "file")
    assert reason_sentence(reason) != code


def test_chinese_files_are_read_in_both_encodings():
    text = calendar(event(title="\u7ef4\u62a4")).decode()
    for encoding in ("utf-8", "utf-8-sig", "gb18030"):
        (row,) = read_ics(text.encode(encoding), SHANGHAI, WINDOW).rows
        assert row.title == "\u7ef4\u62a4"


def test_an_empty_calendar_has_no_rows_and_its_title_is_known():
    file = read_ics(calendar("X-WR-CALNAME:Beam line"), SHANGHAI, WINDOW)
    assert (file.title, file.rows) == ("Beam line", ())


LINES = st.sampled_from([
    "BEGIN:VEVENT", "END:VEVENT", "BEGIN:VALARM", "END:VALARM", "BEGIN:VTIMEZONE", "END:VTIMEZONE", "BEGIN:VCALENDAR", "END:VCALENDAR",
    "UID:a", "UID:b", "DTSTART:20261124T080000Z", "DTEND:20261124T090000Z", "DTSTART;VALUE=DATE:20261124", "DTEND;VALUE=DATE:20261120",
    "DTSTART;TZID=Europe/Berlin:20261124T080000", "DURATION:PT1H", "DURATION:-P1W", "RRULE:FREQ=WEEKLY;COUNT=2",
    "RRULE:FREQ=YEARLY;BYDAY=MO",
    "RRULE:;;=", "RECURRENCE-ID:20261124T080000Z", "RECURRENCE-ID;VALUE=DATE:20261124", "EXDATE:20261124T080000Z",
    "RDATE;VALUE=PERIOD:20261124T080000Z/PT2H",
    "STATUS:CANCELLED", "SEQUENCE:x", "SEQUENCE:2", "SUMMARY", ":", "", " folded", "\x00", "TZID:Lab", "X-WR-TIMEZONE:Asia/Shanghai",
])  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(LINES, max_size=40))
def test_no_order_of_lines_breaks_the_reading(lines):
    try:
        file = read_ics("\n".join(["BEGIN:VCALENDAR", *lines]).encode(), SHANGHAI, WINDOW)
    except Refusal as refusal:
        assert refusal.reasons[0].code.startswith("ics.")
        return
    keys = [row.key for row in file.rows if row.fate == "taken"]
    assert len(keys) == len(set(keys))
    assert all((row.reason is None) == (row.fate == "taken") for row in file.rows)
    assert all(row.during is not None for row in file.rows if row.fate == "taken")


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_break_the_reading(content):
    try:
        read_ics(b"BEGIN:VCALENDAR\nBEGIN:VEVENT\n" + content, SHANGHAI, WINDOW)
    except Refusal as refusal:
        assert refusal.reasons[0].code.startswith("ics.")


# --- The process of its own -------------------------------------------------------------------------------------------
def test_the_process_reads_the_same_as_the_rules():
    content = calendar("X-WR-CALNAME:Beam", event("RRULE:FREQ=DAILY;COUNT=3"), event(uid="b", body="DTSTART:x"))
    assert ics_reader.read(content, SHANGHAI, WINDOW) == read_ics(content, SHANGHAI, WINDOW)


NEVER = "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"


def test_a_rule_that_is_never_done_is_refused_in_time_and_spares_the_others():
    began = time.monotonic()
    file = ics_reader.read(calendar(event(NEVER, uid="never"), event()), SHANGHAI, WINDOW)
    assert [told(row) for row in file.rows] == [("taken", ""), ("refused", "ics.series_too_costly")]
    assert time.monotonic() - began < 10


def test_a_file_full_of_such_rules_is_refused_as_a_whole(monkeypatch):
    monkeypatch.setattr(ics_reader, "WALL_SECONDS", 3)
    with pytest.raises(Refusal) as refused:
        ics_reader.read(calendar(*[event(NEVER, uid=str(place)) for place in range(100)]), SHANGHAI, WINDOW)
    assert refused.value.reasons[0].code == "ics.too_costly"


def test_our_own_memory_does_not_grow_with_what_a_file_stands_for():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    content = calendar(*[event("RRULE:FREQ=DAILY", uid=str(place)) for place in range(ics_lines.MAX_EVENTS)])
    with pytest.raises(Refusal) as refused:
        ics_reader.read(content, SHANGHAI, WINDOW)
    assert refused.value.reasons[0].code in {"ics.too_many_rows", "ics.too_costly"}
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kB


# --- Real files -------------------------------------------------------------------------------------------------------
def test_the_files_of_a_real_facility_are_read_event_by_event(shared_data):
    """NSLS-II, October 2022 to September 2023: UTC, no DTSTAMP, one event without length; the months overlap nowhere."""
    window = TimeRange(datetime(2022, 8, 1, tzinfo=UTC), datetime(2023, 12, 1, tzinfo=UTC))
    fates: Counter[tuple[str, str]] = Counter()
    for path in sorted((shared_data / "usage" / "nsls2-fy23").glob("*.ics")):
        content = path.read_bytes()
        found = read_ics(content, ZoneInfo("America/New_York"), window).rows
        assert len(found) == content.count(b"BEGIN:VEVENT")
        assert all(row.uid and row.title for row in found)
        fates.update(told(row) for row in found)
    assert fates == {("taken", ""): 100, ("skipped", "ics.no_length"): 1}
