"""The feed of a lab's timeline: everything that takes time, in a constant number of statements, and nothing of other labs."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pgtrigger
import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from psycopg.types.range import TimestamptzRange

from booking.models import Downtime, InstrumentPolicy, Occupancy
from booking.queries.timeline import _ENTRIES, Span, timeline
from booking.services import calendar_sharing, downtime_rows, holds, maintenance, transitions
from config.kernel.errors import Forbidden, NotFound
from instruments.models import FormerCalendar, Instrument
from instruments.services import schedule_store
from tests.frontend.acting import approved, as_, ask, clock, query_count, twin  # noqa: F401

DAY = date(2026, 11, 25)
FEED = "/api/v1/timeline/?date=2026-11-25"


@pytest.fixture
def more(cast):
    """``more(20)``: so many further instruments of the lab, open as the cast's."""

    def make(count):
        made = []
        for number in range(count):
            calendar_id = schedule_store.create_calendar(f"more {number}")
            made.append(
                Instrument.objects.create(
                    organisation=cast.lab,
                    site=cast.site,
                    calendar_id=calendar_id,
                    name=f"Z {number:03d}",
                    created_at=cast.now,
                    updated_at=cast.now,
                )
            )
        return made

    return make


def test_bookings_requests_holds_maintenance_and_closures_are_all_there(cast, programmes, slot, approved, ask):  # noqa: F811
    one, asked = approved(9, 10), ask(11, 12)
    maintenance.block(cast.actor("wang"), cast.xrd.pk, slot(15, 16), "Pump", cast.now)
    holds.hold(cast.actor("lin"), cast.xrd.pk, slot(17, 18), cast.now, cast.firm.pk)
    found = timeline(cast.actor("wang"), None, DAY, Span.DAY, cast.now)
    shown = [(entry.kind, entry.state, entry.reservation_id, entry.during) for entry in found.entries]
    assert shown == [
        ("reservation", "approved", one, slot(9, 10)),
        ("reservation", "requested", asked, slot(11, 12)),
        ("maintenance", "", None, slot(15, 16)),
        ("hold", "", None, slot(17, 18)),
    ]
    assert found.entries[2].downtime_kind == "service" and found.entries[0].title == "Gaoyuan Lithium"
    assert [one.ends_at for one in found.closed[cast.xrd.pk]] == [slot(8, 9).starts_at, slot(23, 24).ends_at]
    late = timeline(cast.actor("wang"), None, DAY, Span.DAY, cast.now + timedelta(hours=2))
    assert [entry.kind for entry in late.entries] == ["reservation", "reservation", "maintenance"], (
        "an expired hold keeps nobody out"
    )


def test_a_request_that_blocks_nothing_is_shown_and_what_was_given_up_is_not(cast, programmes, approved, ask):  # noqa: F811
    InstrumentPolicy.objects.update_or_create(instrument=cast.xrd, defaults={"pending_blocks": False})
    cast.xrd.refresh_from_db()
    asked, gone = ask(9, 11), approved(13, 14)
    transitions.cancel(cast.actor("lin"), gone, cast.now)
    assert not Occupancy.objects.filter(reservation=asked, blocking=True).exists()
    found = timeline(cast.actor("wang"), None, DAY, Span.DAY, cast.now)
    assert [entry.reservation_id for entry in found.entries] == [asked]


def test_what_another_instrument_takes_of_the_same_calendar_stands_on_both_rows(cast, programmes, slot, ask, twin):  # noqa: F811
    other = twin()
    pk = ask(9, 10, instrument=other)
    block = maintenance.block(cast.actor("wang"), other.pk, slot(15, 16), "Pump", cast.now)
    found = timeline(cast.actor("wang"), None, DAY, Span.DAY, cast.now)
    shown = {
        (one.instrument_id, one.kind, one.state, one.reservation_id or one.downtime_id, one.downtime_kind, one.movable)
        for one in found.entries
    }
    assert shown == {
        (other.pk, "reservation", "requested", pk, "", True),
        (cast.xrd.pk, "reservation", "", pk, "", False),
        (other.pk, "maintenance", "", block.pk, "service", False),
        (cast.xrd.pk, "maintenance", "", block.pk, "", False),
    }
    assert {(one.title, one.person) for one in found.entries} == {("Gaoyuan Lithium", cast.users["lin"].full_name), ("Pump", "")}


def test_what_was_taken_on_a_calendar_that_an_instrument_has_left_is_still_shown_and_nothing_of_before_or_after(
    cast, programmes, slot, more
):
    """Z goes to the calendar of the XRD on Wednesday noon and leaves it on Wednesday evening; later both are booked apart."""
    wang, (other,) = cast.actor("wang"), more(1)
    schedule_store.add_entries(
        [
            (other.calendar_id, one.zone_name, one.entry)
            for one in schedule_store.stored_calendars([cast.xrd.calendar_id])[cast.xrd.calendar_id].entries
        ]
    )

    def taken(instrument, first, last):
        row = Downtime.objects.create(
            instrument=instrument, kind="service", starts_at=slot(first, last).starts_at, ends_at=slot(first, last).ends_at,
            note=f"{instrument.name} {first}", made_by=cast.users["wang"], made_at=cast.now,
        )  # fmt: skip
        downtime_rows.fill(row, Instrument.objects.get(pk=instrument.pk).calendar_id)
        Downtime.objects.filter(pk=row.pk).update(closed_at=row.ends_at)
        return row

    first, second = taken(cast.xrd, 9, 10), taken(other, 9, 11)  # at once: each on its own calendar
    calendar_sharing.share(wang, other.pk, cast.xrd.pk, slot(12, 13).starts_at)
    third, fourth = taken(cast.xrd, 13, 14), taken(other, 15, 16)  # on the shared one
    calendar_sharing.part(wang, other.pk, slot(18, 19).starts_at)
    fifth, sixth = taken(cast.xrd, 19, 20), taken(other, 20, 21)  # apart again
    found = timeline(wang, None, DAY, Span.DAY, slot(22, 23).starts_at)
    shown = [(entry.downtime_id, entry.instrument_id, bool(entry.downtime_kind)) for entry in found.entries]
    assert sorted(shown) == sorted([
        (first.pk, cast.xrd.pk, True), (second.pk, other.pk, True),
        (third.pk, cast.xrd.pk, True), (third.pk, other.pk, False), (fourth.pk, other.pk, True), (fourth.pk, cast.xrd.pk, False),
        (fifth.pk, cast.xrd.pk, True), (sixth.pk, other.pk, True),
    ])  # fmt: skip
    later = timeline(wang, None, DAY + timedelta(days=1), Span.DAY, slot(22, 23).starts_at)
    assert not later.entries
    with transaction.atomic():  # the control: nobody remembers where it was
        with pgtrigger.ignore("instruments.FormerCalendar:former_calendar_append_only"):
            FormerCalendar.objects.all().delete()
        forgotten = timeline(wang, None, DAY, Span.DAY, slot(22, 23).starts_at)
        transaction.set_rollback(True)
    assert {(entry.downtime_id, entry.instrument_id) for entry in forgotten.entries} == {
        (first.pk, cast.xrd.pk), (third.pk, cast.xrd.pk), (fourth.pk, cast.xrd.pk), (fifth.pk, cast.xrd.pk), (sixth.pk, other.pk),
    }  # fmt: skip
    for change in (lambda rows: rows.update(left_at=cast.now), lambda rows: rows.delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            change(FormerCalendar.objects.all())
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("TRUNCATE instruments_formercalendar CASCADE")


def test_it_is_only_busy_where_the_other_instrument_is_of_another_lab(cast, programmes, slot, ask, as_, twin):  # noqa: F811
    other = twin(cast.other_firm)
    ask(9, 10, instrument=other)
    Downtime.objects.create(
        instrument=other, kind="service", starts_at=slot(15, 16).starts_at, ends_at=slot(15, 16).ends_at, note="Secret pump",
        made_by=cast.users["he"], made_at=cast.now,
    )  # fmt: skip
    downtime_rows.fill(Downtime.objects.get(), other.calendar_id)
    answer = as_("wang").get(FEED)
    assert [(one["instrument"], one["kind"], one["starts_at"][11:16]) for one in answer.json()["entries"]] == [
        (cast.xrd.pk, "reservation", "09:00"),
        (cast.xrd.pk, "maintenance", "15:00"),
    ]
    for one in answer.json()["entries"]:
        assert not any(one[name] for name in ("title", "person", "reservation", "downtime", "state", "downtime_kind", "movable"))
    page = as_("wang").get(reverse("lab_timeline") + "?date=2026-11-25").content.decode()
    assert "Another instrument&#x27;s booking" in page and "Gaoyuan" not in page and "Secret" not in page


def test_it_takes_as_many_statements_for_many_instruments_as_for_one(cast, as_, more, clock):  # noqa: F811
    browser = as_("wang")

    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert browser.get(FEED).status_code == 200
        return len(captured)

    count()
    one = count()
    for made in more(30):
        Occupancy.objects.create(
            calendar_id=made.calendar_id, during=TimestamptzRange(cast.now, cast.now + timedelta(days=9)), source="subscribed"
        )
    assert count() == one <= 6


def test_a_day_holds_two_hundred_and_a_week_fifty(cast, more):
    more(60)
    wang = cast.actor("wang")
    week = timeline(wang, None, DAY, Span.WEEK, cast.now)
    assert len(week.instruments) == 50 and week.more and week.window.duration == timedelta(days=7)
    rest = timeline(wang, None, DAY, Span.WEEK, cast.now, page=2)
    assert len(rest.instruments) == 11 and not rest.more
    assert len(timeline(wang, None, DAY, Span.DAY, cast.now).instruments) == 61


def test_it_is_for_managers_and_their_own_labs(cast):
    with pytest.raises(NotFound):
        timeline(cast.actor("wang"), cast.firm.pk, DAY, Span.DAY, cast.now)
    for who in ("lin", "li", "zhou"):
        with pytest.raises(Forbidden):
            timeline(cast.actor(who), None, DAY, Span.DAY, cast.now)


def test_asked_again_it_says_that_nothing_changed(cast, programmes, as_, ask):  # noqa: F811
    browser = as_("wang")
    first = browser.get(FEED)
    again = browser.get(FEED, headers={"If-None-Match": first["ETag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    assert again["ETag"] == first["ETag"]
    several = browser.get(FEED, headers={"If-None-Match": f'"other", {first["ETag"]}'})
    assert several.status_code == 304, "as well where it is one of those that the reader knows"
    ask(9, 10)
    changed = browser.get(FEED, headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200 and changed["ETag"] != first["ETag"]
    row = changed.json()["entries"][0]
    assert row["starts_at"] == "2026-11-25T09:00:00+08:00" and row["movable"]


@pytest.mark.parametrize("query", ["?span=year", "?date=x", "?page=0", "?lab=x", "?other=1", "?page=99999999999"])
def test_what_cannot_be_read_is_refused(cast, as_, query):  # noqa: F811
    assert as_("wang").get(f"/api/v1/timeline/{query}").status_code == 400


def test_the_list_says_the_same_in_words_and_leads_on(cast, programmes, slot, as_, approved):  # noqa: F811
    pk = approved(9, 10)
    maintenance.block(cast.actor("wang"), cast.xrd.pk, slot(15, 16), "Pump", cast.now)
    answer = as_("wang").get(reverse("lab_timeline") + "?date=2026-11-25")
    page = answer.content.decode()
    for text in ("09:00–10:00", "Approved", "Gaoyuan Lithium", "15:00–16:00", "Maintenance or service", "00:00–08:00", "Closed:"):
        assert text in page
    assert reverse("reservation_move", args=[pk]) in page and "data-feed=" in page
    assert "Timeline: the same stands in the list below" in page
    for query in ("?date=9999-99-99&page=x&lab=", "?span=week&page=99999999999999999999", "?lab=99999"):
        assert as_("wang").get(reverse("lab_timeline") + query).status_code in (200, 404)


def days_of_week(page: str) -> list[str]:
    """What the list says of each day of a week, for the only instrument."""
    whole = re.search(r'<ol class="listed-days">(.*?)</ol>', page, re.S)
    assert whole is not None
    return re.findall(r"<li><h4>.*?</div></li>", whole[1], re.S)


def test_the_list_of_a_week_says_each_of_its_days(cast, programmes, slot, as_, approved):  # noqa: F811
    """Every entry stands on its day with its links, and what goes on over midnight on both."""
    first, sixth = approved(9, 10), approved(13, 15, day=5)
    maintenance.block(cast.actor("wang"), cast.xrd.pk, slot(20, 34, 2), "Pump", cast.now)
    page = as_("wang").get(reverse("lab_timeline") + "?date=2026-11-25&span=week").content.decode()
    days = days_of_week(page)
    assert (
        len(days) == 7
        and all(f"2026-11-{25 + place:02d}" in day for place, day in enumerate(days[:6]))
        and "2026-12-01" in days[6]
    )
    assert ["Nothing on this day." in day for day in days] == [False, True, False, False, True, False, True]
    assert "09:00–10:00" in days[0] and reverse("reservation_move", args=[first]) in days[0]
    assert "13:00–15:00" in days[5] and reverse("reservation_detail", args=[sixth]) in days[5]
    assert all("Pump" in day and "10:00" in day for day in days[2:4])
    assert all("Closed:" in day for day in days)
    assert "Timeline: the same stands in the list below" in page


def test_a_week_of_many_takes_as_many_statements_as_an_empty_one(cast, programmes, as_, approved, more):  # noqa: F811
    browser, address = as_("wang"), reverse("lab_timeline") + "?date=2026-11-25&span=week"
    empty = query_count(browser, address)
    more(4)
    for day in range(6):
        approved(9, 10, day=day)
        approved(11, 12, day=day)
    assert query_count(browser, address) <= empty


def test_a_day_beyond_the_calendar_is_refused_and_never_fails(as_):  # noqa: F811
    assert as_("wang").get("/api/v1/timeline/?date=9999-12-31").status_code == 400
    assert as_("wang").get("/timeline/?date=9999-12-31").status_code == 200


@pytest.mark.parametrize("guarded", [True, False])
def test_the_day_of_everybody_is_never_compared_with_each_calendar(cast, guarded):
    """With the indexes out of the planner's mind; the control: without OFFSET it does just that."""
    window = TimestamptzRange(cast.now, cast.now + timedelta(days=1))
    asked = {"calendars": [1, 2], "instruments": [1, 2], "window": window, "now": cast.now}
    text = _ENTRIES if guarded else _ENTRIES.replace("OFFSET 0", "")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute("EXPLAIN " + text, asked)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    compared = [line for line in plan.splitlines() if "Join Filter" in line and "int8range" in line]
    assert (compared == []) == guarded, plan
