"""The page on which a time is found: what stands in the address, what each person sees, what cannot be read."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from html import unescape

import pytest
from django.http import QueryDict
from django.urls import reverse

from booking.models import AccessListEntry, Licence, TimeAlert
from booking.services import availability
from config.kernel.time_range import TimeRange
from frontend.presenters import times as times_presenter
from frontend.time_form import TimeForm
from instruments.rules import statutory_holidays
from instruments.rules.opening import HolidayRule
from instruments.services import schedule_store
from tests.booking.availability.building import occupy

pytestmark = pytest.mark.django_db
PAGE = reverse("find_a_time")


def text(response) -> str:
    return unescape(response.content.decode())


def links(response, words: str) -> list[str]:
    """The addresses of links whose text begins so."""
    found = re.findall(r'<a [^>]*?href="([^"]*)"[^>]*>\s*(?:<svg.*?</svg>)?\s*([^<]*)', response.content.decode(), re.S)
    return [unescape(address) for address, label in found if unescape(label).strip().startswith(words)]


def test_a_place_among_words_that_nothing_has_leads_to_what_is_free_there(as_, labs, cast):
    found = as_().get(PAGE, {"q": "Golmud"})  # no name has it
    assert found.status_code == 302 and found["Location"] == f"{PAGE}?region_code=632801"
    assert as_().get(PAGE, {"q": "Golmud", "region_code": "630100"}).status_code == 200  # another place was chosen
    named = cast.xrd.name_en or cast.xrd.name
    assert as_().get(PAGE, {"q": named}).status_code == 200


def test_a_visitor_sees_list_prices_and_is_told_how_to_see_more(as_, labs, programmes):
    page = as_().get(PAGE, {"hours": "3"})
    assert page.status_code == 200
    assert "1 instrument with 3 h free" in text(page)
    assert "¥1,500.00" in text(page)
    assert "List price" in text(page)
    assert "You pay now" not in text(page)
    assert "Log in to see your subsidy" in text(page)
    estimate = as_().get(PAGE, {"hours": "3", "who": "firm_small", "place": "630104"})
    assert "You pay now" in text(estimate)
    assert "estimate" in text(estimate)


@pytest.mark.parametrize("beyond", [False, True])
def test_the_days_say_in_chinese_how_many_are_free(as_, labs, monkeypatch, beyond):
    if beyond:
        tile = times_presenter._tile
        monkeypatch.setattr(times_presenter, "_tile", lambda day, *rest: tile(replace(day, more=True), *rest))
    visitor = as_()
    visitor.cookies["django_language"] = "zh-hans"
    strip = re.findall(r'<span class="strip-count num"[^>]*>([^<]*)<', text(visitor.get(PAGE, {"hours": "3"})))
    assert ("500+ 台有空" if beyond else "1 台有空") in strip
    assert not [words for words in strip if "free" in words]


def test_a_customer_sees_what_each_costs_and_books_with_one_press(as_, labs, programmes):
    lin = as_("lin")
    page = lin.get(PAGE, {"hours": "3", "from": "2026-11-25"})
    assert "Full price" in text(page)
    assert "Final cost" in text(page)
    (book,) = links(page, "Request this time")
    assert re.match(r"/instruments/\d+/book\?on=2026-11-25&from=08%3A00&to=11%3A00&organisation=\d+", book)
    form = lin.get(book)
    assert form.status_code == 200
    assert 'value="08:00"' in text(form)


def test_badges_say_whether_one_can_book(as_, labs, cast):
    labs.add("At once", policy={"approval_required": False})
    labs.add("Trained", training_needed=True)
    page = text(as_("lin").get(PAGE))
    assert "You can book at once" in page
    assert "Training needed" in page
    assert "The lab approves" in page


def test_who_holds_the_licence_is_not_sent_to_a_training_and_who_lacks_it_is_not_told_to_book(as_, labs, cast):
    rules = {"approval_required": False, "rules": {"licence_needed": True}}
    labs.add("Licensed", policy=rules, service_modes=["self_operated", "assisted"])
    lin = as_("lin")
    before = text(lin.get(PAGE, {"q": "Licensed"}))
    assert "Training needed" in before and "You can book at once" not in before
    given = {"granted_at": cast.now, "granted_by": cast.users["wang"], "changed_at": cast.now}
    Licence.objects.create(
        organisation=cast.lab, person=cast.users["lin"], level="self", origin="manual", class_code="0103", **given
    )
    after = text(lin.get(PAGE, {"q": "Licensed"}))
    assert "You can book at once" in after and "Training needed" not in after
    assisted = text(as_("he").get(PAGE, {"q": "Licensed", "service_mode": "assisted"}))
    assert "You can book at once" in assisted


def test_a_visitor_is_asked_to_log_in_instead_of_being_told_to_book(as_, labs):
    labs.add("At once", policy={"approval_required": False})
    page = text(as_().get(PAGE, {"q": "At once"}))
    assert "Log in to see whether you can book" in page
    assert "You can book at once" not in page


def test_who_stands_on_a_deny_list_reads_why_and_is_not_told_to_book(as_, labs, cast):
    labs.add("At once", policy={"approval_required": False})
    AccessListEntry.objects.create(
        organisation=cast.lab, person=cast.users["lin"], verdict="deny", reason="broke the tube", created_by=cast.users["wang"],
        created_at=cast.now,
    )  # fmt: skip
    page = text(as_("lin").get(PAGE, {"q": "At once"}))
    assert "You cannot book this time" in page and "broke the tube" in page
    assert "You can book at once" not in page
    assert "broke the tube" not in text(as_("zhao").get(PAGE, {"q": "At once"}))


def test_what_a_rule_of_the_lab_lets_through_is_booked_and_not_requested(as_, labs, cast):
    labs.add("By rule", policy={"rules": {"auto_approval": {"who": "anybody"}}})
    page = as_("lin").get(PAGE, {"q": "By rule"})
    assert "You can book at once" in text(page) and "The lab approves" not in text(page)
    assert links(page, "Book this time") and not links(page, "Request this time")


def test_what_has_no_price_is_not_said_to_be_booked_at_once(as_, labs, cast):
    labs.add("Unpriced", policy={"approval_required": False}, price=None)
    page = text(as_("lin").get(PAGE, {"q": "Unpriced"}))
    assert "You can book at once" not in page
    assert "No price yet: it cannot be booked here." in page


def test_nearest_to_nobody_knows_where_says_what_to_do(as_, labs):
    asked = "Say where you are under"
    assert asked in text(as_().get(PAGE, {"sort": "nearest"}))
    assert asked not in text(as_().get(PAGE, {"sort": "nearest", "place": "630104"}))
    assert asked not in text(as_("lin").get(PAGE, {"sort": "nearest"}))
    assert asked not in text(as_().get(PAGE))


def test_a_time_in_a_year_whose_holidays_nobody_knows_is_said_to_be_so(as_, labs, cast, monkeypatch):
    words = "The holidays of 2026 are not published yet"
    monkeypatch.setattr(statutory_holidays, "is_published", lambda year: False)
    assert words not in text(as_().get(PAGE)), "a calendar that takes no notice of holidays says nothing"
    schedule_store.set_holidays(cast.xrd.calendar_id, HolidayRule(closed=True))
    labs.derive()
    assert words in text(as_().get(PAGE))


def test_the_address_keeps_everything_and_sorts_and_days_are_links(as_, labs):
    labs.add("SEM")
    page = as_().get(PAGE, {"class_code": "01", "hours": "1.5", "from": "2026-11-26", "region_code": "630100"})
    (cost,) = links(page, "Lowest final cost")
    assert cost == "?hours=1.5&from=2026-11-26&region_code=630100&class_code=01&sort=cost"
    assert '<option value="630100" selected>' in text(page)
    assert "from=2026-11-24" in text(page)  # three days before would be over
    assert as_().get(PAGE + cost).status_code == 200


def test_nothing_found_says_what_blocks_most_and_offers_ways_out_and_a_mail(as_, labs, cast):
    labs.add("SEM", region="632801", techniques=("jishi:sem",))
    lin = as_("lin")
    page = lin.get(PAGE, {"technique": "jishi:sem", "region_code": "630100", "hours": "2"})
    assert "Nothing is free like this" in text(page)
    assert "What stands in the way most: the technique." in text(page)
    assert "Nearest elsewhere" in text(page)
    assert "SEM" in text(page)
    (way,) = links(page, "Leave out: the place")
    assert "SEM" in text(lin.get(PAGE + way))
    hidden = dict(
        re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', text(page)[text(page).index(reverse("time_alert_create")) :])
    )
    assert lin.post(reverse("time_alert_create"), hidden).status_code == 302
    (alert,) = TimeAlert.objects.all()
    assert (alert.search["technique"], alert.search["region_code"]) == ("jishi:sem", "630100")
    listed = lin.get(reverse("time_alert_list"))
    assert "Scanning electron microscopy" in text(listed)
    lin.post(reverse("time_alert_forget", args=[alert.pk]))
    assert "You wait for nothing" in text(lin.get(reverse("time_alert_list")))


def test_filters_that_block_together_are_named_and_what_is_nearest_is_shown(as_, labs, cast):
    labs.add("SEM", region="632801", techniques=("jishi:sem",), class_code="010102")
    page = as_().get(PAGE, {"technique": "jishi:sem", "class_code": "02", "region_code": "630100", "hours": "2"})
    assert "What stands in the way most: the class and the place." in text(page)
    (way,) = links(page, "Leave out: the class and the place")
    assert "SEM" in text(as_().get(PAGE + way))
    assert "Nearest alternatives" in text(page)
    assert text(page).count('class="card time-row"') == 1


@pytest.mark.parametrize(
    ("asked", "given_up", "shown"),
    [
        ({"zone": "no-such-zone"}, "Leave out: the zone", 3),
        ({"owner": "999999"}, "Leave out: the owner", 3),
        ({"technique": "jishi:tem"}, "Leave out: the technique", 3),
        ({"q": "Weekend", "from": "2026-11-23", "to": "2026-11-25"}, "Until Wed 9 Dec 2026", 1),
    ],
)
def test_the_nearest_that_would_do_are_shown_by_place_and_then_by_time(as_, labs, asked, given_up, shown):
    labs.add("Weekend", weekdays=(5,))
    labs.add("Far", region="632801", opens=6)
    labs.add("Near", region="630121", opens=7)
    labs.add("Next door", region="630104", opens=13)
    page = text(as_().get(PAGE, {"hours": "2", "place": "630104", "from": "2026-11-24", "to": "2026-11-25"} | asked))
    rest = page.split("Nearest alternatives")[1]
    assert f'<p class="small soft">{given_up}</p>' in rest
    names = re.findall(r'<h3><a href="[^"]*">([^<]*)</a>', rest)
    assert names == (["Weekend"] if shown == 1 else ["X-ray diffractometer", "Next door", "Near"])


def test_a_visitor_who_wants_a_mail_logs_in_first(as_, labs):
    assert as_().post(reverse("time_alert_create"), {"hours": "2"}).headers["Location"].startswith("/accounts/login/")


def test_a_busy_instrument_is_offered_later_and_calendars_in_the_making_are_named(as_, labs, cast, slot):
    occupy(cast.xrd.calendar_id, TimeRange(cast.now, slot(8, 9, day=3).starts_at))
    page = text(as_().get(PAGE))
    assert "28 Nov 2026, 08:00" in page
    availability.mark_calculating([cast.xrd.calendar_id], cast.now)
    assert "The calendar of 1 instrument is being calculated" in text(as_().get(PAGE))
    elsewhere = text(as_().get(PAGE, {"region_code": "632800"}))
    assert "is being calculated" not in elsewhere, "only what matters to the search is counted"


def test_beyond_the_known_days_it_says_so(as_, labs):
    page = as_().get(PAGE, {"from": "2027-01-15", "to": "2027-02-10"})
    assert "Free times are known until" in text(page)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"hours": "three"}, "“three” is no length. Give the length in hours"),
        ({"hours": "0"}, "“0” hours cannot be looked for. Give 0.25 to 168 hours."),
        ({"hours": "169"}, "“169” hours cannot be looked for. Give 0.25 to 168 hours."),
        ({"hours": "1e9"}, "Give the length in hours"),
        ({"hours": "NaN"}, "Give the length in hours"),
        ({"hours": "0.37"}, "Give the length in hours"),
        ({"from": "tomorrow"}, "Give the day as year, month and day"),
        ({"from": "2026-12-24", "to": "2026-12-01"}, "The last day comes before the first"),
        ({"to": "2028-01-01"}, "Look at 62 days at most"),
        ({"region_code": "Golmud"}, "No place “Golmud” is known here"),
        ({"region_code": "999999"}, "No place “999999” is known here"),
    ],
)
def test_what_cannot_be_read_is_said_and_kept(as_, labs, typed, said):
    page = as_().get(PAGE, typed)
    assert page.status_code == 422
    assert said in text(page)
    for name, value in typed.items():
        if name != "region_code":
            assert f'value="{value}"' in text(page)


@pytest.mark.parametrize(
    "query",
    [
        {"q": "100%_' \\ ; DROP"},
        {"q": "\u3002\uff0c\uff01\uff1f\u3001"},
        {"q": "a\x00b"},
        {"q": "x" * 100_000},
        {"owner": "99999999999999999999999"},
        {"owner": "-1"},
        {"zone": "'; --"},
        {"who": "1; drop"},
        {"show": "1000000"},
        {"sort": "random"},
        {"place": "1"},
        {"from": "2001-01-01"},
        {"hours": "\uff13"},
    ],
)
def test_hostile_or_senseless_input_is_answered(as_, labs, query):
    assert as_().get(PAGE, query).status_code == 200


def test_a_technique_that_nobody_knows_is_said_beside_its_field_and_not_dropped(as_, labs):
    page = as_().get(PAGE, {"technique": "no such", "hours": "2"})
    assert page.status_code == 422
    assert 'aria-describedby="time-technique-problem"' in text(page)
    assert "No technique \u201cno such\u201d is known here" in text(page)
    assert '<option value="no such" selected>' in text(page)


def test_owner_and_zone_are_said_and_can_be_left_out(as_, labs, cast):
    page = as_().get(PAGE, {"hours": "2", "owner": str(cast.lab.pk), "zone": "no-such-zone"})
    assert links(page, f"Owner: {cast.lab.name_en or cast.lab.name}") == ["?hours=2&zone=no-such-zone"]
    assert links(page, "Zone: no-such-zone") == [f"?hours=2&owner={cast.lab.pk}"]
    assert "Owner:" not in text(as_().get(PAGE, {"hours": "2"}))


def test_an_organisation_that_one_may_not_see_is_not_named(as_, labs, cast):
    for who, seen in ((None, False), ("lin", True)):
        visitor = as_(who) if who else as_()
        page = text(visitor.get(PAGE, {"hours": "2", "owner": str(cast.firm.pk)}))
        assert (cast.firm.name in page.split('id="times"')[1]) is seen
        assert ("Owner: " + (cast.firm.name if seen else str(cast.firm.pk))) in page


def test_a_wish_is_listed_with_its_owner_and_zone(as_, labs, cast, django_assert_num_queries):
    lin = as_("lin")
    lin.post(reverse("time_alert_create"), {"hours": "2", "owner": str(cast.lab.pk), "zone": "no-such-zone"})
    page = text(lin.get(reverse("time_alert_list")))
    assert "no-such-zone" in page
    assert (cast.lab.name_en or cast.lab.name) in page


def test_a_page_costs_as_many_statements_with_many_rows_as_with_one(as_, labs, programmes, django_assert_max_num_queries):
    as_("lin").get(PAGE, {"hours": "2"})
    for number in range(10):
        labs.add(f"SEM {number}")
    lin = as_("lin")
    with django_assert_max_num_queries(22):
        lin.get(PAGE, {"hours": "2"})


def test_the_fragment_is_the_result_alone(as_, labs):
    page = as_().get(PAGE, {"hours": "2"}, headers={"HX-Request": "true"})
    assert "<html" not in text(page)
    assert 'id="times"' in text(page)


def test_a_session_that_runs_over_midnight_has_both_days(as_, labs):
    labs.add("Night", opens=20, closes=32, policy={"max_minutes": 720})
    page = as_().get(PAGE, {"hours": "10", "q": "", "from": "2026-11-25"})
    assert "Night" in text(page)
    (book,) = links(page, "Request this time")
    assert "to_on=2026-11-26" in book


@pytest.mark.parametrize(("typed", "minutes"), [("0.33", 20), ("0.67", 40), ("0:20", 20), ("1.5", 90), ("0,25", 15), ("2", 120)])
def test_lengths_are_read_as_people_write_them(typed, minutes):
    assert TimeForm.read(QueryDict(f"hours={typed}")).search(date(2026, 11, 23)).duration_minutes == minutes


@pytest.mark.parametrize("typed", ["9e999999", "-9e999999", "1e400", "NaN", "Infinity", "0:99"])
def test_lengths_beyond_all_numbers_get_a_sentence(client, typed):
    answer = client.get("/find-a-time/", {"hours": typed})
    assert answer.status_code == 422
    assert f'value="{typed}"' in answer.content.decode()
