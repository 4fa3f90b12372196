"""The calendars that we write, read back by a parser that is not ours and by a client of Debian."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import vobject
from hypothesis import example, given, settings
from hypothesis import strategies as st

from booking.rules.calendar_text import CalendarEvent, calendar_text

START = datetime(2026, 11, 24, 0, 0, tzinfo=UTC)
CHINESE = "\u626b\u63cf\u7535\u5b50\u663e\u5fae\u955c"
WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Co", "Cn")), max_size=120).map(lambda text: " ".join(text.split()))
EVENTS = st.builds(
    lambda place, minutes, length, **named: CalendarEvent(
        uid=f"{place}@jishi.example",
        starts_at=START + timedelta(minutes=minutes),
        ends_at=START + timedelta(minutes=minutes + length),
        changed_at=START - timedelta(minutes=minutes),
        **named,
    ),
    st.integers(0, 10**9),
    st.integers(0, 500_000),
    st.integers(1, 10_000),
    summary=WORDS,
    sequence=st.integers(0, 40),
    status=st.sampled_from(["TENTATIVE", "CONFIRMED", "CANCELLED"]),
    description=st.lists(WORDS, max_size=3).map("\n".join),
    location=WORDS,
)


def read_back(text: bytes) -> list[CalendarEvent]:
    """The events as vobject reads them."""
    found = vobject.readOne(text.decode())
    return [
        CalendarEvent(
            uid=each.uid.value,
            starts_at=each.dtstart.value.astimezone(UTC),
            ends_at=each.dtend.value.astimezone(UTC),
            summary=each.summary.value,
            changed_at=each.last_modified.value.astimezone(UTC),
            sequence=int(each.sequence.value),
            status=each.status.value,
            description=each.description.value if hasattr(each, "description") else "",
            location=each.location.value if hasattr(each, "location") else "",
            url=each.url.value if hasattr(each, "url") else "",
        )
        for each in found.contents.get("vevent", [])
    ]


ODD = CalendarEvent("odd", START, START + timedelta(hours=1), r"\N in D:\New; a, b", START, description="\\\n;", location="\\N")


@settings(deadline=None)
@given(st.lists(EVENTS, max_size=4, unique_by=lambda event: event.uid))
@example([ODD])
def test_what_is_written_is_read_back_by_another_parser(events):
    assert read_back(calendar_text(events)) == events


@settings(deadline=None)
@given(st.lists(EVENTS, max_size=3), WORDS)
def test_lines_have_75_octets_at_most_and_no_character_is_cut(events, name):
    text = calendar_text(events, name=name, refresh=timedelta(minutes=30))
    lines = text.split(b"\r\n")
    assert lines[-1] == b"" and all(len(line) <= 75 for line in lines)
    for line in lines:
        line.decode()


def test_a_long_chinese_title_is_folded_within_octets():
    (event,) = read_back(calendar_text([CalendarEvent("a", START, START + timedelta(hours=1), CHINESE * 30, START)]))
    assert event.summary == CHINESE * 30
    raw = calendar_text([CalendarEvent("a", START, START + timedelta(hours=1), CHINESE * 30, START)])
    assert sum(line.startswith(b" ") for line in raw.split(b"\r\n")) >= 8


def test_the_check_of_the_octets_sees_a_line_that_is_folded_by_characters():
    """Negative control."""
    by_characters = "SUMMARY:" + CHINESE * 5
    assert len(by_characters[:75]) <= 75 < len(by_characters[:75].encode())


def test_the_same_events_give_the_same_bytes():
    event = CalendarEvent("a", START, START + timedelta(hours=1), "x", START)
    assert calendar_text([event], name="n") == calendar_text([event], name="n")


def test_it_says_how_often_to_read_it_again_and_what_it_is_called():
    found = vobject.readOne(calendar_text([], name="Lab; \u4e2d\u6587", refresh=timedelta(minutes=30)).decode())
    assert found.x_wr_calname.value == found.contents["name"][0].value == "Lab; \u4e2d\u6587"
    assert found.refresh_interval.value == "PT30M" and found.refresh_interval.params == {"VALUE": ["DURATION"]}
    assert found.x_published_ttl.value == "PT30M"


def test_a_calendar_program_of_debian_shows_the_same_times_and_titles(tmp_path: Path):
    program = shutil.which("calcurse")
    assert program, "calcurse is needed (Debian: apt-get install calcurse)"
    events = [
        CalendarEvent(
            f"{hour}", START + timedelta(hours=hour), START + timedelta(hours=hour + 2), CHINESE * 8 + f" {hour}, a; b", START
        )
        for hour in (1, 9, 20)
    ]
    file = tmp_path / "feed.ics"
    file.write_bytes(calendar_text(events, name=CHINESE, refresh=timedelta(minutes=30)))
    places = ["-D", str(tmp_path / "data"), "-C", str(tmp_path / "config")]
    environment = {"TZ": "Asia/Shanghai", "LC_ALL": "C.UTF-8", "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run([program, "-q", *places, "-i", str(file)], env=environment, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    shown = (tmp_path / "data" / "apts").read_text().splitlines()
    local = timedelta(hours=8)
    expected = [f"{event.starts_at + local:%m/%d/%Y @ %H:%M} -> {event.ends_at + local:%m/%d/%Y @ %H:%M}" for event in events]
    assert [line[: len(expected[0])] for line in shown] == expected
    assert all(event.summary in line for event, line in zip(events, shown, strict=True))
