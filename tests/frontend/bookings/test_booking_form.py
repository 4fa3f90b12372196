from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import pytest

from config.kernel.errors import Refusal
from config.kernel.time_range import TimeRange
from frontend.booking_form import BookingForm, read_addons, read_day, read_expected, read_key, read_range, seen_times

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")


def typed(**fields) -> BookingForm:
    return BookingForm.read({"on": "2026-11-25", "from": "09:00", "to": "12:00"} | fields)


def codes(form: BookingForm, zone: ZoneInfo = SHANGHAI) -> set[tuple[str, str]]:
    with pytest.raises(Refusal) as refused:
        form.during(zone)
    return {(reason.code, reason.field) for reason in refused.value.reasons}


def test_wall_time_is_read_in_the_zone_of_the_site():
    during = typed().during(SHANGHAI)
    assert during.starts_at == datetime(2026, 11, 25, 1, tzinfo=UTC)
    assert during.seconds == 3 * 3600


def test_full_width_digits_are_read():
    wide = typed(on="\uff12\uff10\uff12\uff16-11-25", **{"from": "\uff10\uff19\uff1a\uff10\uff10"})
    assert wide.during(SHANGHAI) == typed().during(SHANGHAI)


@pytest.mark.parametrize("midnight", ["00:00", "24:00"])
def test_an_end_at_midnight_is_the_end_of_the_day(midnight):
    assert typed(to=midnight).during(SHANGHAI).seconds == 15 * 3600


def test_a_session_may_end_on_another_day():
    assert typed(to="08:00", to_on="2026-11-26").during(SHANGHAI).seconds == 23 * 3600


@pytest.mark.parametrize("last", ["09:00", "08:30"])
def test_an_end_that_is_not_after_the_start_is_refused(last):
    assert codes(typed(to=last)) == {("booking.range_invalid", "ends_at")}


@pytest.mark.parametrize(
    "day",
    ["", "tomorrow", "2026-02-30", "26-11-25", "0001-01-01", "9999-12-31", "2026-11-25 ", "\U0001f52c", "9" * 1000, "2026-W48-1"],
)
def test_what_is_no_day_is_refused_and_never_fails(day):
    form = typed(on=day)
    if day == "2026-11-25 ":
        assert form.during(SHANGHAI)
    else:
        assert codes(form) == {("booking.day_unreadable", "on")}


@pytest.mark.parametrize("clock", ["", "9", "25:00", "09:60", "09:00:30", "24:00", "noon", "\u0f21\u0f22:00"])
def test_what_is_no_time_is_refused_and_never_fails(clock):
    assert codes(typed(**{"from": clock})) == {("booking.time_unreadable", "starts_at")}


def test_every_field_that_cannot_be_read_is_named():
    expected = {
        ("booking.day_unreadable", "on"),
        ("booking.time_unreadable", "starts_at"),
        ("booking.time_unreadable", "ends_at"),
    }
    assert codes(typed(on="x", **{"from": "y"}, to="z")) == expected


def test_a_time_that_clocks_jump_over_is_refused():
    gap = typed(on="2026-03-29", **{"from": "02:30"}, to="04:00")
    assert codes(gap, BERLIN) == {("booking.time_not_local", "starts_at")}
    assert gap.during(SHANGHAI)


def test_of_a_repeated_hour_the_first_pass_is_meant():
    repeated = typed(on="2026-10-25", **{"from": "02:00"}, to="02:30")
    assert repeated.during(BERLIN).starts_at == datetime(2026, 10, 25, 0, tzinfo=UTC)
    assert repeated.during(BERLIN).seconds == 30 * 60


def test_the_same_fields_come_back_from_the_query():
    form = typed(purpose="=cmd() \u0f56\u0f7c\u0f51", organisation="7")
    from django.http import QueryDict

    assert BookingForm.read(QueryDict(form.query())) == form


@pytest.mark.parametrize("to, to_on", [("12:00", ""), ("00:00", ""), ("03:00", "2026-11-26")])
def test_a_range_written_into_the_form_reads_as_itself(to, to_on):
    form = typed(to=to, to_on=to_on)
    during = form.during(SHANGHAI)
    assert form.at(during, SHANGHAI).during(SHANGHAI) == during


@pytest.mark.parametrize("key", ["", "x", "\x00", "0" * 300, "\uff10" * 36])
def test_only_our_own_keys_are_read(key):
    assert read_key({"key": key}) == ""


@pytest.mark.parametrize("figure", ["", "-1", "1.5", "9" * 16, "\u0f21", "1e5"])
def test_figures_that_cannot_be_read_count_as_not_seen(figure):
    assert read_expected({"expected_payable_now_fen": figure}).payable_now_fen is None
    assert read_expected({"expected_payable_now_fen": "72000"}).payable_now_fen == 72000


def test_days_outside_two_centuries_are_no_days():
    assert read_day("1999-12-31") is None and read_day("2100-01-01") is None
    assert read_day("2099-12-31") is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x/y",
        "2026-11-25T09:00:00/2026-11-25T10:00:00",
        "0001-01-01T00:00:00+08:00/2026-11-25T10:00:00+08:00",
        "2026-11-25T10:00:00+08:00/9999-12-31T23:59:59-08:00",
        "2026-11-25T10:00:00+08:00/2026-11-25T10:00:00+08:00",
        "2026-11-25T10:00:00+08:00/" + "9" * 1000,
    ],
)
def test_what_is_no_interval_is_none_and_never_fails(text):
    assert read_range(text) is None and seen_times({"seen-7": text}, [7]) == {}


def test_an_interval_is_two_instants_with_a_slash():
    during = read_range("2026-11-25T09:00:00+08:00/2026-11-25T02:00:00Z")
    assert during == TimeRange(datetime(2026, 11, 25, 1, tzinfo=UTC), datetime(2026, 11, 25, 2, tzinfo=UTC))


def test_add_ons_are_read_from_their_boxes_and_come_back_from_the_address():
    form = typed(**{"addon-cell": " \uff12", "addon-gas": "", "addon-oil": "0", "addon-tube": "many", "addon-<b>": "1"})
    assert form.addons == "cell:2,tube:many" and form.chosen_addons() == (("cell", 2), ("tube", 0))
    back = BookingForm.read(dict(parse_qsl(form.query())))
    assert back.addons == form.addons and back.quantities() == {"cell": "2", "tube": "many"}
    assert typed(addons="cell").addons == typed(addons="::,,:1").addons == "" and typed(addons="cell:1:2").addons == ""
    assert len(typed(**{f"addon-a{place}": "1" for place in range(500)}).chosen_addons()) <= 50
    seen = read_addons(form, {"expected_addons_fen": "3000"})
    assert (seen.chosen, seen.seen_fen) == (form.chosen_addons(), 30_00)
    assert read_addons(form, {"expected_addons_fen": "x"}).seen_fen is None
