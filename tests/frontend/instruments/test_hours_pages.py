"""The pages on which a lab says when its instrument is open, and what everybody reads of it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils.translation import override

from booking.models import Occupancy
from frontend.presenters.hours import repeat_words, week_words
from instruments.models import CalendarEntry, Site
from instruments.queries import calendar_of, rules_of
from instruments.rules.recurrence import Recurrence
from instruments.services import opening_hours, schedule_store
from instruments.services.weekly_hours import WeeklyWindow

pytestmark = pytest.mark.django_db
wall = datetime.fromisoformat
SEASON = {
    "name": "Winter <break>", "first_on": "2027-01-18", "last_on": "2027-02-21",
    "day1_0_opens": "10:00", "day1_0_closes": "12:00", "day3_0_opens": "10:00", "day3_0_closes": "12:00",
}  # fmt: skip
NIGHTS = {
    "audiences": ["inside"], "effect": "open", "weekdays": ["0", "1", "2"], "opens": "20:00", "closes": "23:00",
    "first_on": "2026-11-23",
}  # fmt: skip
FRIDAYS = {
    "effect": "closed", "starts_local": "2026-11-27T14:00", "ends_local": "2026-11-27T18:00", "repeat": "month_last_weekday",
    "interval": "1", "reason": "Calibration",
}  # fmt: skip


@pytest.fixture
def wang(as_: Any) -> Any:
    return as_("wang")


def page(answer: Any) -> str:
    return answer.content.decode()


def at(name: str, cast: Any, *more: int) -> str:
    return reverse(name, args=[cast.xrd.pk, *more])


def only_entry(cast: Any, **lookup: Any) -> int:
    return CalendarEntry.objects.get(calendar_id=cast.xrd.calendar_id, **lookup).pk


def test_a_season_is_added_shown_changed_taken_back_and_brought_back(cast: Any, wang: Any, as_: Any) -> None:
    assert wang.post(at("instrument_season", cast), SEASON).status_code == 302
    shown = page(wang.get(at("instrument_hours", cast)))
    assert "Winter &lt;break&gt;" in shown and "Tue, Thu 10:00–12:00" in shown
    public = page(as_().get(at("instrument_detail", cast)))
    assert "Seasons with other hours" in public and "Mon 18 Jan 2027 to Sun 21 Feb 2027" in public
    entry = only_entry(cast, season_name=SEASON["name"])
    edit = f"{at('instrument_season', cast)}?entry={entry}"
    assert 'value="Winter &lt;break&gt;"' in page(wang.get(edit))
    assert wang.post(edit, SEASON | {"last_on": "2027-02-28"}).status_code == 302
    entry = only_entry(cast, season_name=SEASON["name"])
    gone = wang.post(at("instrument_reopen", cast, entry))
    assert gone["Location"].endswith(f"?removed={entry}")
    after = page(wang.get(gone["Location"]))
    assert "Taken back: Winter &lt;break&gt;." in after and ">Undo<" in after
    assert wang.post(at("instrument_bring_back", cast, entry)).status_code == 302
    assert only_entry(cast, season_name=SEASON["name"]) == entry


def test_what_is_wrong_with_a_season_stands_at_its_field_and_what_was_typed_stays(cast: Any, wang: Any) -> None:
    wrong = wang.post(at("instrument_season", cast), SEASON | {"last_on": "2026-01-01", "name": "Very much winter"})
    assert wrong.status_code == 422
    assert "The end must be after the start" in page(wrong) and 'value="Very much winter"' in page(wrong)
    empty = wang.post(at("instrument_season", cast), {name: SEASON[name] for name in ("name", "first_on", "last_on")})
    assert "A season needs hours" in page(empty)
    wang.post(at("instrument_season", cast), SEASON)
    again = wang.post(at("instrument_season", cast), SEASON | {"name": "Other"})
    assert again.status_code == 422 and "These days belong to Winter &lt;break&gt; already" in page(again)
    assert wang.get(f"{at('instrument_season', cast)}?entry=77777777").status_code == 404
    assert wang.get(f"{at('instrument_season', cast)}?entry=x").status_code == 404


def test_hours_for_some_customers_in_plain_words(cast: Any, wang: Any, as_: Any) -> None:
    assert wang.post(at("instrument_customers", cast), NIGHTS).status_code == 302
    closed = NIGHTS | {"audiences": ["firm", "team"], "effect": "closed", "weekdays": ["5", "6"], "opens": "00:00",
                       "closes": "00:00", "reason": "Teaching", "last_on": "2027-06-30"}  # fmt: skip
    assert wang.post(at("instrument_customers", cast), closed).status_code == 302
    public = page(as_().get(at("instrument_detail", cast)))
    for words in ("Also open for the owner&#x27;s own people", "Mon–Wed 20:00–23:00", "Closed for start-up teams, firms",
                  "Sat–Sun 00:00–24:00", "until Wed 30 Jun 2027", "Teaching"):  # fmt: skip
        assert words in public, words
    month = page(wang.get(f"{at('instrument_hours', cast)}?month=2026-12&for=firm"))
    assert "Only for the owner&#x27;s own people, universities and institutes" in month
    nobody = wang.post(at("instrument_customers", cast), NIGHTS | {"audiences": [], "weekdays": []})
    assert nobody.status_code == 422


def test_a_closure_that_comes_again_has_single_days_to_cancel_move_and_undo(cast: Any, wang: Any) -> None:
    assert wang.post(at("instrument_exception", cast), FRIDAYS).status_code == 302
    entry = only_entry(cast, kind="closure")
    assert "14:00–18:00" in page(wang.get(at("instrument_hours", cast)))
    assert "every month on the last Friday" in page(wang.get(at("instrument_hours", cast)))
    address = at("instrument_occurrences", cast, entry)
    assert "Fri 25 Dec 2026, 14:00–18:00" in page(wang.get(address))
    assert wang.post(address, {"action": "cancel", "day": "2026-12-25"}).status_code == 302
    assert "Cancelled" in page(wang.get(address))
    assert wang.post(address, {"action": "restore", "day": "2026-12-25"}).status_code == 302
    assert 'value="2026-12-25T14:00"' in page(wang.get(f"{address}?move=2026-12-25"))
    moved = {"action": "move", "day": "2026-12-25", "starts_local": "2026-12-28T08:00", "ends_local": "2026-12-28T10:00"}
    backwards = wang.post(address, moved | {"ends_local": "2026-12-28T07:00"})
    assert backwards.status_code == 422 and "The end must be after the start" in page(backwards)
    assert wang.post(address, moved).status_code == 302
    assert "Mon 28 Dec 2026, 08:00–10:00" in page(wang.get(address))
    assert wang.post(address, {"action": "cancel", "day": "2026-12-24"}).status_code == 422
    stored = next(one.entry for one in calendar_of(cast.xrd) if one.id == entry)
    assert [one.original_on for one in stored.moved] == [date(2026, 12, 25)]


@pytest.mark.parametrize("day", ["", "x", "2026-02-31", "9999-12-31"])
def test_a_day_that_is_none_is_told_and_not_a_server_error(cast: Any, wang: Any, day: str) -> None:
    wang.post(at("instrument_exception", cast), FRIDAYS)
    address = at("instrument_occurrences", cast, only_entry(cast, kind="closure"))
    for action in ("cancel", "move", "restore", ""):
        assert wang.post(address, {"action": action, "day": day}).status_code == 422
    assert wang.get(f"{address}?move={day}").status_code == 200


def test_an_exception_that_means_nothing_is_refused_where_it_stands(cast: Any, wang: Any) -> None:
    both = wang.post(at("instrument_exception", cast), FRIDAYS | {"last_on": "2027-01-01", "count": "3"})
    assert both.status_code == 422
    assert "not both" in page(both)
    assert wang.post(at("instrument_exception", cast), FRIDAYS | {"repeat": "hourly"}).status_code == 422


@pytest.mark.parametrize(
    ("repeat", "expected"),
    [
        ("", None),
        ("daily", Recurrence("daily", 2)),
        ("weekly", Recurrence("weekly", 2, (1, 4))),
        ("month_day", Recurrence("monthly", 2, month_days=(27,))),
        ("month_last_day", Recurrence("monthly", 2, month_days=(-1,))),
        ("month_weekday", Recurrence("monthly", 2, (4,), nth=4)),
        ("month_last_weekday", Recurrence("monthly", 2, (4,), nth=-1)),
        ("yearly", Recurrence("yearly", 2)),
    ],
)
def test_each_way_of_repeating_is_stored_and_comes_back_to_its_form(
    cast: Any, wang: Any, repeat: str, expected: Recurrence | None
) -> None:
    typed = FRIDAYS | {"repeat": repeat, "interval": "2", "weekdays": ["1", "4"]}
    assert wang.post(at("instrument_exception", cast), typed).status_code == 302
    entry = only_entry(cast, kind="closure")
    assert next(one.entry.recurrence for one in calendar_of(cast.xrd) if one.id == entry) == expected
    form = page(wang.get(f"{at('instrument_exception', cast)}?entry={entry}"))
    assert f'<option value="{repeat}" selected' in form


def test_an_exceptional_opening_is_stored_above_holidays(cast: Any, wang: Any) -> None:
    opened = {"effect": "open", "starts_local": "2026-10-05T10:00", "ends_local": "2026-10-05T12:00", "reason": "Open day"}
    assert wang.post(at("instrument_exception", cast), opened).status_code == 302
    assert wang.post(at("instrument_holidays", cast), {"closed": "on", "makeup_weekday": "0"}).status_code == 302
    month = page(wang.get(f"{at('instrument_hours', cast)}?month=2026-10"))
    assert month.count("National Day") > 7 and "10:00–12:00" in month
    assert "Make-up workday (National Day)" in month


def test_years_whose_holidays_are_not_published_are_said_to_be_so(cast: Any, wang: Any, as_: Any) -> None:
    words = "The holidays of 2027 are not published yet"
    assert words in page(wang.get(at("instrument_hours", cast)))
    assert words not in page(as_().get(at("instrument_detail", cast))), "a calendar that takes no notice of holidays says nothing"
    wang.post(at("instrument_holidays", cast), {"closed": "on", "makeup_weekday": ""})
    assert words in page(as_().get(at("instrument_detail", cast)))
    assert words in page(wang.get(f"{at('instrument_hours', cast)}?month=2027-03"))
    assert wang.post(at("instrument_holidays", cast), {"makeup_weekday": "9"}).status_code == 422


def test_a_place_outside_of_china_has_no_switch_for_its_holidays(cast: Any, wang: Any) -> None:
    Site.objects.filter(pk=cast.site.pk).update(time_zone="Europe/London")
    shown = page(wang.get(at("instrument_hours", cast)))
    assert "do not apply at this place (Europe/London)" in shown and "makeup_weekday" not in shown


@pytest.mark.parametrize("month", ["", "x", "2026-13", "0000-01", "2099-12"])
def test_any_month_can_be_asked_for(cast: Any, wang: Any, month: str) -> None:
    assert wang.get(f"{at('instrument_hours', cast)}?month={month}&for=dean").status_code == 200


def test_the_hours_page_costs_the_same_queries_however_many_layers_there_are(
    cast: Any, wang: Any, django_assert_max_num_queries: Any
) -> None:
    for number in range(10):
        start = wall("2026-12-01T08:00") + timedelta(days=number)
        window = opening_hours.OnceOrAgain(start, start + timedelta(hours=1), "x", Recurrence("weekly"))
        opening_hours.close(cast.actor("wang"), cast.xrd.pk, window, cast.now)
    with django_assert_max_num_queries(8):
        wang.get(at("instrument_hours", cast))


# --- Maintenance ------------------------------------------------------------------------------------------------------
TUBE = {
    "kind": "service",
    "key": "6f1f4e36-8f3c-4f0a-9d3e-5a1d0c3b2a11",
    "starts_local": "2026-11-25T09:00",
    "ends_local": "2026-11-25T12:00",
    "note": "New tube",
}


def test_maintenance_is_planned_shown_and_given_back_with_one_press_to_undo(cast: Any, wang: Any) -> None:
    address = at("instrument_maintenance", cast)
    assert wang.post(address, TUBE).status_code == 302
    kept = Occupancy.objects.get(source="maintenance")
    assert kept.during.lower.isoformat() == "2026-11-25T01:00:00+00:00"
    assert "Wed 25 Nov 2026, 09:00–12:00" in page(wang.get(address))
    gone = wang.post(reverse("downtime_close", args=[kept.downtime_id]))
    assert not Occupancy.objects.exists()
    again = page(wang.get(gone["Location"]))
    assert 'value="2026-11-25T09:00"' in again and 'value="New tube"' in again
    assert wang.post(reverse("downtime_close", args=[kept.downtime_id])).status_code == 422


def test_maintenance_from_before_there_were_downtimes_is_given_back_too(cast: Any, wang: Any) -> None:
    kept = Occupancy.objects.create(
        calendar_id=cast.xrd.calendar_id, during=(cast.now, cast.now + timedelta(hours=1)), source="maintenance", note="Pump"
    )
    assert "Pump" in page(wang.get(at("instrument_maintenance", cast)))
    gone = wang.post(at("maintenance_remove", cast, kept.pk))
    assert not Occupancy.objects.exists() and 'value="Pump"' in page(wang.get(gone["Location"]))
    assert wang.post(at("maintenance_remove", cast, kept.pk)).status_code == 404


def test_maintenance_shows_what_it_would_hit_and_never_takes_a_booked_time(cast: Any, wang: Any, ask: Any) -> None:
    reservation = ask(10, 11)
    address = at("instrument_maintenance", cast)
    checked = wang.post(address, TUBE | {"action": "check"})
    assert checked.status_code == 200
    for answer in (checked, refused := wang.post(address, TUBE)):
        assert reverse("reservation_detail", args=[reservation]) in page(answer) and "Gaoyuan Lithium" in page(answer)
    assert refused.status_code == 409 and "Nothing is done yet" in page(refused) and 'value="New tube"' in page(refused)
    assert not Occupancy.objects.filter(source="maintenance").exists()
    free = wang.post(address, TUBE | {"starts_local": "2026-11-25T13:00", "ends_local": "2026-11-25T14:00", "action": "check"})
    assert "Nothing is booked in this time" in page(free)
    assert wang.post(address, TUBE | {"ends_local": "2026-11-25T08:00"}).status_code == 422


def test_maintenance_belongs_to_the_lab(cast: Any, as_: Any) -> None:
    address = at("instrument_maintenance", cast)
    assert [as_(who).get(address).status_code for who in ("wang", "lin", "li", "zhou")] == [200, 403, 403, 403]
    kept = Occupancy.objects.create(
        calendar_id=cast.xrd.calendar_id, during=(cast.now, cast.now + timedelta(hours=1)), source="maintenance"
    )
    assert as_("lin").post(at("maintenance_remove", cast, kept.pk)).status_code == 403
    assert Occupancy.objects.filter(pk=kept.pk).exists()


# --- Words ------------------------------------------------------------------------------------------------------------
def test_a_week_and_repetitions_in_words() -> None:
    windows = [WeeklyWindow(day, wall("2026-01-01T09:00").time(), wall("2026-01-01T17:00").time()) for day in (0, 1, 2, 4)]
    first = wall("2026-11-27T09:00")
    with override("en"):
        assert week_words(windows) == ["Mon–Wed, Fri 09:00–17:00"]
        assert repeat_words(Recurrence("monthly", month_days=(1, -1)), first) == "every month on day 1, the last day"
        assert repeat_words(Recurrence("weekly", 2, count=3), first) == "every 2 weeks on Fri, 3 times"
        assert repeat_words(Recurrence("yearly", until=date(2030, 1, 1)), first).endswith("until Tue 1 Jan 2030")


def test_slots_and_the_day_say_why_it_is_closed(cast: Any, wang: Any, as_: Any) -> None:
    window = opening_hours.OnceOrAgain(wall("2026-11-25T00:00"), wall("2026-11-26T00:00"), "Stocktaking")
    opening_hours.close(cast.actor("wang"), cast.xrd.pk, window, cast.now)
    assert rules_of(cast.xrd) == schedule_store.rules_by_calendar([cast.xrd.calendar_id])[cast.xrd.calendar_id]
    shown = page(as_("lin").get(at("instrument_detail", cast)))
    assert "Closed: Stocktaking" in shown


@pytest.mark.parametrize(
    "typed",
    [
        {"starts_local": "0001-01-01T00:00", "ends_local": "0001-01-01T02:00"},
        {"starts_local": "9999-12-31T00:00", "ends_local": "9999-12-31T23:59"},
        {"starts_local": "2026-12-01T00:00", "ends_local": "2062-12-01T00:00"},
    ],
)
def test_maintenance_in_a_year_that_nobody_means_is_refused_and_kept(cast: Any, wang: Any, typed: dict[str, str]) -> None:
    answer = wang.post(at("instrument_maintenance", cast), TUBE | typed)
    assert answer.status_code == 422
    assert f'value="{typed["ends_local"]}"' in page(answer)
    assert not Occupancy.objects.exists()
