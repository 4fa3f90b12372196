"""Rows of a lab's own list: headings, times on the wall, and what takes the same time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from booking.rules.booking_rows import (
    BookingRow,
    Kind,
    Placed,
    colliding,
    columns_of,
    document_of,
    guess,
    key_of,
    kind_of,
    placed,
    read_rows,
    repeated,
    row_of_event,
    says_same,
)
from config.kernel.errors import Refusal
from config.kernel.time_range import TimeRange
from instruments.rules.registry_file import Row, Table

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 23, 1, tzinfo=UTC)
BASE = datetime(2026, 11, 25, tzinfo=UTC)


def row(**cells):
    table = Table(tuple(cells), (Row(2, {name: str(text) for name, text in cells.items()}),))
    return read_rows(table, columns_of(table.headers, None))[0]


def booking(start, end, **more):
    return row(instrument="X", email="A@example.org", start=start, end=end, **more)


def codes(reasons):
    return [(reason.code.removeprefix("booking_import."), reason.field) for reason in reasons]


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-11-25 09:00", "2026-11-25 11:30", (1, 3.5)),
        ("2026/11/25 9:00:00", "11:30", (1, 3.5)),
        ("2026-11-25T09:00+09:00", "2026-11-25T02:30Z", (0, 2.5)),
        ("2026-11-25T06:00+09:00", "10:30", (-3, 1.5)),
        ("2026-11-25", "2026-11-25 24:00", (-8, 16)),
        ("\uff12\uff10\uff12\uff16-11-25 09:00", "2026-11-26 01:00", (1, 17)),
    ],
)
def test_times_are_read_as_people_write_them(start, end, hours):
    found, faults = placed(booking(start, end), SHANGHAI, NOW)
    assert not faults
    assert found == TimeRange(*(BASE + timedelta(hours=hour) for hour in hours))


def test_a_day_with_two_clock_times_may_end_on_the_next_day():
    one = row(instrument="X", email="a@example.org", day="2026-11-25", **{"from": "22:00", "to": "02:00"})
    found, _faults = placed(one, SHANGHAI, NOW)
    assert found is not None and found.duration == timedelta(hours=4)


@pytest.mark.parametrize(
    ("clocks", "told"),
    [
        (("09:00Z", "10:00"), ("clock_unreadable", "from")),
        (("09:00", "10:00+08:00"), ("clock_unreadable", "to")),
        (("09:00", ""), ("clock_missing", "to")),
        (("09:00", "09:00"), ("clocks_equal", "to")),
    ],
)
def test_clock_times_with_an_offset_or_without_a_length_are_refused(clocks, told):
    one = row(instrument="X", email="a@example.org", day="2026-11-25", **dict(zip(("from", "to"), clocks, strict=True)))
    assert codes(one.reasons) == [told]


@pytest.mark.parametrize(
    ("start", "end", "told"),
    [
        ("soon", "2026-11-25 10:00", ("time_unreadable", "starts_at")),
        ("2026-02-30 10:00", "2026-11-25 10:00", ("time_unreadable", "starts_at")),
        ("2026-11-25 25:00", "2026-11-25 10:00", ("time_unreadable", "starts_at")),
        ("1926-11-25 09:00", "2026-11-25 10:00", ("time_unreadable", "starts_at")),
        ("2026-11-25 09:00", "", ("time_missing", "ends_at")),
    ],
)
def test_what_is_no_time_is_said_at_its_column(start, end, told):
    assert codes(booking(start, end).reasons) == [told]


@pytest.mark.parametrize(
    ("start", "end", "told"),
    [
        ("2026-11-25 10:00", "2026-11-25 09:00", ("ends_before_start", "ends_at")),
        ("2026-11-25 10:00", "2026-12-25 09:00", ("too_long", "ends_at")),
        ("2026-11-23 08:00", "2026-11-23 10:00", ("running", "starts_at")),
    ],
)
def test_times_that_make_no_booking_are_refused(start, end, told):
    assert codes(placed(booking(start, end), SHANGHAI, NOW)[1]) == [told]


def test_a_time_that_the_clock_leaves_out_is_refused_and_one_that_comes_twice_is_not():
    left_out = booking("2026-03-08 02:30", "2026-03-08 05:00")
    assert codes(placed(left_out, NEW_YORK, NOW)[1]) == [("no_such_time", "starts_at")]
    twice, faults = placed(booking("2026-11-01 01:00", "2026-11-01 02:00"), NEW_YORK, NOW)
    assert not faults and twice is not None and twice.duration == timedelta(hours=2)


def test_a_booking_to_come_cannot_be_free_of_charge_and_past_use_can():
    free = booking("2026-11-25 09:00", "2026-11-25 10:00", charge="no")
    assert codes(placed(free, SHANGHAI, NOW)[1]) == [("upcoming_charged", "charge")]
    assert not placed(booking("2026-11-25 09:00", "2026-11-25 10:00", charge=""), SHANGHAI, NOW)[1]
    assert not placed(booking("2026-11-20 09:00", "2026-11-20 10:00", charge="no"), SHANGHAI, NOW)[1]


def test_what_is_over_is_past_and_what_is_ahead_is_not():
    assert kind_of(TimeRange(NOW - timedelta(hours=1), NOW), NOW) is Kind.PAST
    assert kind_of(TimeRange(NOW, NOW + timedelta(hours=1)), NOW) is Kind.UPCOMING


def test_words_that_mean_nothing_are_said():
    one = booking("2026-11-25 09:00", "2026-11-25 10:00", charge="perhaps", **{"service mode": "by magic"})
    assert codes(one.reasons) == [("mode_unreadable", "service_mode"), ("charge_unreadable", "charge")]
    fine = booking("2026-11-25 09:00", "2026-11-25 10:00", charge="Yes", **{"service mode": "Own work"})
    assert (fine.charge, fine.service_mode, fine.email, fine.reasons) == (True, "self_operated", "a@example.org", ())


def test_who_where_and_when_are_needed_and_a_mapping_says_it_for_foreign_headings():
    with pytest.raises(Refusal) as refused:
        columns_of(("Instrument", "Start"), None)
    assert len(refused.value.reasons) == 2
    document = document_of({"Wer": "email", "Was": "instrument", "Ab": "starts_at", "Bis": "ends_at", "Rest": ""}, "t", ",")
    assert columns_of(("Wer", "Was", "Ab", "Bis", "Rest"), document)["email"] == "Wer"
    with pytest.raises(Refusal) as gone:
        columns_of(("Was", "Ab", "Bis"), document)
    assert gone.value.reasons[0].code == "booking_import.column_gone"
    assert guess(["E-mail", "email", "other"]) == {"E-mail": "email"}


def test_a_row_is_known_by_its_number_else_by_what_it_says():
    during = TimeRange(BASE, BASE + timedelta(hours=1))
    numbered = BookingRow(2, external_id="7", email="a@example.org")
    assert key_of(numbered, 1, during) == "id:1:7" != key_of(numbered, 2, during)
    long = [booking("2026-11-25", "2026-11-26", **{"booking id": "n" * 150 + end}).external_id for end in "ab"]
    assert long[0] != long[1] and len(key_of(BookingRow(2, external_id=long[0]), 2**63, during)) <= 120
    plain = BookingRow(2, email="a@example.org")
    assert key_of(plain, 1, during) == key_of(BookingRow(9, email="a@example.org"), 1, during) != key_of(plain, 2, during)


def placed_rows(pairs):
    return [
        Placed(line, BookingRow(7), calendar, str(line), one, one)
        for line, (calendar, start, length) in enumerate(pairs, 2)
        for one in [TimeRange(BASE + timedelta(hours=start), BASE + timedelta(hours=start + length))]
    ]


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 2), st.integers(0, 30), st.integers(1, 6)), max_size=9))
def test_collisions_are_those_that_comparing_each_with_each_finds(pairs):
    rows = placed_rows(pairs)
    clash = {
        one.position
        for one in rows
        for other in rows
        if one is not other and one.calendar_id == other.calendar_id and one.occupied.overlaps(other.occupied)
    }
    found = colliding(rows)
    assert set(found) == clash
    of = {one.position: one for one in rows}
    assert all(of[position].occupied.overlaps(other.occupied) for position, other in found.items())


def test_the_first_of_equal_rows_counts():
    rows = placed_rows([(1, 0, 1), (1, 0, 1)])
    same = [Placed(one.position, one.row, 1, "k", one.during, one.occupied) for one in rows]
    assert repeated(same) == {3: same[0]} and says_same(*same)
    other = Placed(4, BookingRow(9, email="b@example.org"), 1, "k", same[0].during, same[0].occupied)
    assert not says_same(same[0], other)


def test_an_event_names_its_person_in_the_title():
    one = row_of_event(3, "uid-1", "", "XRD of salts (Lin@example.org)", "X", BASE, BASE + timedelta(hours=1))
    assert (one.email, one.purpose, one.external_id) == ("lin@example.org", "XRD of salts", "uid-1")
    nobody = row_of_event(3, "u" * 200, "", "Maintenance", "X", BASE, BASE + timedelta(hours=1))
    assert codes(nobody.reasons) == [("event_names_nobody", "email")] and len(nobody.external_id) <= 100
