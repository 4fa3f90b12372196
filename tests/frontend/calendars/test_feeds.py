"""Feeds: what stands in them equals the database, whoever holds a link reads what its person may see, and nobody else."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest
import vobject
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.urls import reverse

from booking import calendar_queries
from booking.models import BusyChange, FeedToken, InstrumentPolicy, Occupancy, Reservation
from booking.rules.downtime import Choice, DowntimeKind
from booking.services import calendar_sharing, changes, downtimes, feeds, holds, maintenance, transitions
from booking.services.changes import ChangeRequest
from booking.services.downtimes import Decision, Outage
from config.kernel.api.throttling import FeedThrottle
from config.kernel.errors import Forbidden, Refusal
from config.kernel.models import AuditEntry
from config.kernel.services.tokens import digest
from config.kernel.time_range import TimeRange
from instruments.models import Membership, Organisation
from instruments.services import registry
from tests.booking.services.test_reservation_flow import ask
from tests.conftest import slot_of
from tests.frontend.acting import query_count
from tests.instruments.people.test_one_place import ROOT

LONG_NAME = "\u9752\u6d77\u76d0\u6e56\u7814\u7a76\u6240" * 9


@pytest.fixture(autouse=True)
def _fresh_counts() -> None:
    caches["memory"].clear()


@pytest.fixture
def link(cast, clock):
    """``link("lin", "mine")``: the address of a new feed of that person."""

    def make(who: str = "lin", kind: str = "mine", **named: Any) -> str:
        return reverse("feed_private", args=[feeds.issue_feed(cast.actor(who), kind, "phone", clock(), **named)[1]])

    return make


def events(response: Any) -> list[Any]:
    assert response.status_code == 200, response.content
    assert response.headers["Content-Type"] == "text/calendar; charset=utf-8"
    return list(vobject.readOne(response.content.decode()).contents.get("vevent", []))


def as_rows(found: list[Any]) -> list[tuple[Any, ...]]:
    rows = [
        (
            each.uid.value,
            each.dtstart.value.astimezone(UTC),
            each.dtend.value.astimezone(UTC),
            each.status.value,
            int(each.sequence.value),
        )
        for each in found
    ]
    return sorted(rows)


def expected(reservations: Any) -> list[tuple[Any, ...]]:
    """The same from the database, without any query of the feeds."""
    status = {
        "requested": "TENTATIVE",
        "rejected": "CANCELLED",
        "cancelled": "CANCELLED",
        "no_show": "CANCELLED",
        "expired": "CANCELLED",
    }
    rows = [
        (
            f"{one.reference}@127.0.0.1",
            one.starts_at,
            one.ends_at,
            status.get(one.state, "CONFIRMED"),
            one.transitions.count() - 1,
        )
        for one in reservations
    ]
    return sorted(rows)


@pytest.fixture
def season(cast, programmes, ask, approved, charged, clock):
    """Bookings of two firms in every state, over the feeds' window and beyond it."""
    ask(9, 10)
    approved(10, 11)
    charged(11, 12)
    transitions.reject(cast.actor("wang"), ask(12, 13), clock(), "no")
    transitions.cancel(cast.actor("lin"), approved(13, 14), clock())
    ask(14, 15, who="he")
    approved(15, 16, day=3, who="he")
    transitions.expire_due(clock())
    moved = [ask(9, 10, day=day) for day in (5, 6)]
    Reservation.objects.filter(pk=moved[0]).update(starts_at=clock() - timedelta(days=60), ends_at=clock() - timedelta(days=59))
    Reservation.objects.filter(pk=moved[1]).update(starts_at=clock() + timedelta(days=300), ends_at=clock() + timedelta(days=301))
    return moved


# --- What stands in them ----------------------------------------------------------------------------------------------
def test_my_feed_is_what_i_booked(as_, season, link):
    mine = Reservation.objects.filter(requested_by__email="lin@example.org").exclude(pk__in=season)
    found = events(as_().get(link()))
    assert as_rows(found) == expected(mine) and len(found) == 5
    assert {each.status.value for each in found} == {"TENTATIVE", "CONFIRMED", "CANCELLED"}


def test_the_labs_feed_is_all_of_its_bookings_with_names(as_, season, link):
    found = events(as_().get(link("wang", "lab")))
    assert as_rows(found) == expected(Reservation.objects.exclude(pk__in=season))
    assert {"Gaoyuan Lithium", "Lianhe Materials"} <= {each.summary.value.partition(" · ")[2] for each in found}
    assert any("He" in each.description.value for each in found)


def test_a_link_of_one_lab_shows_its_bookings_and_no_others(as_, cast, season, link, clock):
    other = Organisation.objects.create(
        kind=cast.lab.kind, name="Salt Lake Lab", status="verified", verified_at=cast.now, created_at=cast.now
    )
    user = cast.actor("wang").user_id
    Membership.objects.create(user_id=user, organisation=other, role="lab_manager", created_at=cast.now)
    every = as_rows(events(as_().get(link("wang", "lab"))))
    assert as_rows(events(as_().get(link("wang", "lab", lab_id=cast.lab.pk)))) == every != []
    assert events(as_().get(link("wang", "lab", lab_id=other.pk))) == []
    page = as_("wang").get(reverse("feed_create")).content.decode()
    assert f'value="lab-{cast.lab.pk}"' in page and f'value="lab-{other.pk}"' in page
    made = as_("wang").post(reverse("feed_create"), {"kind": f"lab-{cast.lab.pk}", "name": "office"})
    assert made.status_code == 201
    assert FeedToken.objects.get(name="office").lab == cast.lab
    assert f"All bookings of {cast.lab.name}, with names" in as_("wang").get(reverse("feed_list")).content.decode()


def test_nobody_follows_a_lab_that_is_not_theirs(as_, cast, clock):
    other = Organisation.objects.exclude(pk=cast.lab.pk).first()
    with pytest.raises(Refusal, match=r"feeds\.lab_not_yours"):
        feeds.issue_feed(cast.actor("wang"), "lab", "phone", clock(), lab_id=other.pk)
    with pytest.raises(Refusal, match=r"feeds\.lab_not_yours"):
        feeds.issue_feed(cast.actor("wang"), "mine", "phone", clock(), lab_id=cast.lab.pk)
    assert as_("wang").post(reverse("feed_create"), {"kind": f"lab-{other.pk}", "name": "office"}).status_code == 422
    assert not FeedToken.objects.exists()


def test_the_public_feed_is_every_taken_time_and_no_name(as_, cast, season, slot):
    maintenance.block(cast.actor("wang"), cast.xrd.pk, slot(17, 18), "secret note", cast.now)
    Occupancy.objects.create(
        calendar_id=cast.xrd.calendar_id,
        during=(slot(18, 19).starts_at, slot(18, 19).ends_at),
        source="subscribed",
        note="private",
    )
    response = as_().get(reverse("instrument_busy", args=[cast.xrd.pk]))
    found = events(response)
    taken = Occupancy.objects.filter(calendar_id=cast.xrd.calendar_id, blocking=True).select_related("reservation")
    names = {
        "reservation": lambda one: f"r{one.reservation_id}",
        "maintenance": lambda one: f"d{one.downtime_id}-1",
        "subscribed": lambda one: str(one.pk),
    }
    given_up = Reservation.objects.filter(state__in=["rejected", "cancelled", "expired", "no_show"]).exclude(
        occupancies__blocking=True
    )
    assert [row[:4] for row in as_rows(found)] == sorted(
        [
            (f"busy-{names[one.source](one)}@127.0.0.1", one.during.lower, one.during.upper, "CONFIRMED")
            for one in taken
        ] + [
            (f"busy-r{one.pk}@127.0.0.1", one.starts_at, one.ends_at, "CANCELLED")
            for one in given_up
        ]
    )  # fmt: skip
    assert {(each.status.value, int(each.sequence.value)) for each in found} == {("CONFIRMED", 0), ("CANCELLED", 1)}
    assert {each.status.value for each in found} == {"CONFIRMED", "CANCELLED"}
    assert {(each.summary.value, each.status.value) for each in found} == {("Busy", "CONFIRMED"), ("Cancelled", "CANCELLED")}
    for word in ("Gaoyuan", "Lianhe", "Lin", "secret", "private", "JS-", "lithium"):
        assert word not in response.content.decode()
    assert response.headers["Cache-Control"] == "public, max-age=300"


def test_a_busy_time_keeps_its_name_when_it_is_given_up_and_goes_after_ninety_days(as_, cast, programmes, approved, clock):
    pk, address = approved(9, 10), reverse("instrument_busy", args=[cast.xrd.pk])
    before = events(as_().get(address))[0]
    transitions.cancel(cast.actor("lin"), pk, cast.now + timedelta(minutes=5))
    after = events(as_().get(address))[0]
    assert (before.uid.value, before.status.value) == (after.uid.value, "CONFIRMED")
    assert after.status.value == "CANCELLED"
    assert int(after.sequence.value) > int(before.sequence.value)
    told(cast, pk, "cancelled 89 days ago", cast.now - timedelta(days=89))
    assert events(as_().get(address))[0].status.value == "CANCELLED"
    told(cast, pk, "cancelled 91 days ago", cast.now - timedelta(days=91))
    assert events(as_().get(address)) == []


def told(cast, reservation_id: int, _what: str, changed_at: Any) -> None:
    """Say when the database wrote that a booking's time changed."""
    row = BusyChange.objects.get(calendar_id=cast.xrd.calendar_id, name=f"r{reservation_id}")
    row.sequence, row.changed_at = row.sequence + 1, changed_at
    row.save()


def test_a_piece_of_an_outage_keeps_its_name_when_the_rest_is_cut_anew(as_, cast, programmes, approved, slot):
    approved(10, 11)
    during = TimeRange(slot(9, 10).starts_at, slot(15, 16).ends_at)
    seen = frozenset(downtimes.hit(cast.xrd, during, cast.now))
    outage = Outage(DowntimeKind.SERVICE, during, "works", decisions={pk: Decision(Choice.KEEP) for pk in seen}, seen=seen)
    works = downtimes.declare(cast.actor("wang"), cast.xrd.pk, outage, cast.now, idempotency_key="works")

    def pieces():
        found = events(as_().get(reverse("instrument_busy", args=[cast.xrd.pk])))
        return {each.uid.value: each for each in found if each.uid.value.startswith("busy-d")}

    first, second = f"busy-d{works.pk}-1@127.0.0.1", f"busy-d{works.pk}-2@127.0.0.1"
    before = pieces()
    assert before.keys() == {first, second}
    downtimes.prolong(cast.actor("wang"), works.pk, slot(17, 18).starts_at, (), cast.now + timedelta(minutes=5))
    after = pieces()
    assert after.keys() == {first, second}
    assert after[first].serialize() == before[first].serialize()
    assert after[second].dtstart.value == before[second].dtstart.value and after[second].dtend.value == slot(17, 18).starts_at
    assert int(after[second].sequence.value) > int(before[second].sequence.value)
    downtimes.close(cast.actor("wang"), works.pk, cast.now + timedelta(minutes=10))
    ended = pieces()
    assert {each.status.value for each in ended.values()} == {"CANCELLED"}
    assert int(ended[second].sequence.value) > int(after[second].sequence.value)


def test_a_booking_that_moves_to_another_instrument_is_told_as_cancelled_where_it_was(
    as_, cast, another, programmes, approved, slot
):
    other = another()
    pk = approved(9, 10)
    here, there = (reverse("instrument_busy", args=[one]) for one in (cast.xrd.pk, other.pk))
    moved = slot(14, 15)
    asked = changes.change_one(cast.actor("wang"), ChangeRequest(pk, moved, "repair", instrument_id=other.pk), cast.now)
    changes.accept(cast.actor("lin"), asked.pk, cast.now)
    (left,) = [each for each in events(as_().get(here)) if each.uid.value == f"busy-r{pk}@127.0.0.1"]
    assert (left.status.value, left.dtstart.value, int(left.sequence.value)) == ("CANCELLED", slot(9, 10).starts_at, 1)
    (come,) = [each for each in events(as_().get(there)) if each.uid.value == f"busy-r{pk}@127.0.0.1"]
    assert (come.status.value, come.dtstart.value, come.dtend.value) == ("CONFIRMED", moved.starts_at, moved.ends_at)


def test_an_instrument_that_gets_another_calendar_goes_on_counting(as_, cast, another, programmes, approved, slot):
    other, pk = another(), approved(9, 10)
    asked = changes.change_one(cast.actor("wang"), ChangeRequest(pk, slot(14, 15), "repair"), cast.now)
    changes.accept(cast.actor("lin"), asked.pk, cast.now)

    def told_of_it():
        found = events(as_().get(reverse("instrument_busy", args=[cast.xrd.pk])))
        (one,) = [each for each in found if each.uid.value == f"busy-r{pk}@127.0.0.1"]
        return one.status.value, one.dtstart.value, int(one.sequence.value)

    status, starts_at, sequence = told_of_it()
    calendar_sharing.share(cast.actor("wang"), cast.xrd.pk, other.pk, cast.now)
    assert told_of_it()[:2] == (status, starts_at) == ("CONFIRMED", slot(14, 15).starts_at)
    assert told_of_it()[2] > sequence > 0


def test_time_kept_for_who_fills_in_a_form_is_not_told(as_, cast, programmes, slot, clock):
    holds.hold(cast.actor("lin"), cast.xrd.pk, slot(9, 10), clock())
    assert Occupancy.objects.get().source == "hold"
    assert events(as_().get(reverse("instrument_busy", args=[cast.xrd.pk]))) == []


def test_the_public_feed_is_in_the_readers_language(cast):
    body = Client(headers={"accept-language": "zh-hans"}).get(reverse("instrument_busy", args=[cast.xrd.pk]))
    assert body.headers["Content-Language"] == "zh-hans"


def test_a_hidden_instrument_has_no_public_feed(as_, cast):
    registry.set_published(cast.actor("wang"), cast.xrd.pk, False, cast.now)
    address = reverse("instrument_busy", args=[cast.xrd.pk])
    assert as_().get(address).status_code == as_("lin").get(address).status_code == 404
    assert as_("wang").get(address).headers["Cache-Control"] == "private, max-age=300"


def test_a_change_keeps_the_name_and_counts_up(as_, cast, programmes, ask, link):
    pk, address = ask(9, 10), link()
    before = events(as_().get(address))[0]
    transitions.approve(cast.actor("wang"), pk, cast.now + timedelta(minutes=5))
    after = events(as_().get(address))[0]
    assert before.uid.value == after.uid.value
    assert (int(before.sequence.value), int(after.sequence.value)) == (0, 1)
    assert after.last_modified.value == after.dtstamp.value == cast.now + timedelta(minutes=5)


def test_a_competing_request_that_never_took_time_is_not_told_when_it_is_given_up(as_, cast, programmes, approved, clock):
    InstrumentPolicy.objects.update_or_create(instrument=cast.xrd, defaults={"pending_blocks": False, "approval_required": True})
    address = reverse("instrument_busy", args=[cast.xrd.pk])
    asked = ask(cast, slot_of(9, 10), key="rival").reservation_id
    transitions.cancel(cast.actor("lin"), asked, clock())
    assert events(as_().get(address)) == []
    taken = approved(13, 14)
    transitions.cancel(cast.actor("lin"), taken, clock())
    assert [each.uid.value for each in events(as_().get(address))] == [f"busy-r{taken}@127.0.0.1"]


def test_what_was_cancelled_is_told_for_ninety_days(as_, cast, programmes, approved, link, clock):
    pk = approved(9, 10, day=50)
    transitions.cancel(cast.actor("lin"), pk, cast.now)
    later = cast.now + timedelta(days=150)
    Reservation.objects.filter(pk=pk).update(starts_at=later, ends_at=later + timedelta(hours=1))
    address = link()
    assert events(as_().get(address))[0].status.value == "CANCELLED"
    clock.now = cast.now + timedelta(days=89)
    assert events(as_().get(address))
    clock.now = cast.now + timedelta(days=91)
    assert events(as_().get(address)) == []


def test_long_chinese_names_are_folded_and_come_back(as_, cast, programmes, ask, link):
    Organisation.objects.filter(pk=cast.firm.pk).update(name=LONG_NAME)
    ask(9, 10)
    response = as_().get(link("wang", "lab"))
    assert LONG_NAME in events(response)[0].summary.value
    assert max(len(line) for line in response.content.split(b"\r\n")) <= 75


def test_a_feed_takes_as_many_queries_for_many_bookings_as_for_one(as_, cast, programmes, ask, link):
    ask(9, 10)
    addresses = [link(), link("wang", "lab"), reverse("instrument_busy", args=[cast.xrd.pk])]
    before = [query_count(as_(), address) for address in addresses]
    for place in range(5):
        ask(10 + place, 11 + place, who="he" if place % 2 else "lin")
    assert [query_count(as_(), address) for address in addresses] == before
    assert max(before) <= 7


# --- Too long ---------------------------------------------------------------------------------------------------------
HELD_BACK = "This calendar is too long to be given whole."


@pytest.fixture
def five(cast, approved, monkeypatch):
    """Five bookings: two that are over, one that runs, two to come; their ids by start."""
    ids = [approved(9 + place, 10 + place) for place in range(5)]
    for pk, (first, last) in zip(ids, ((-72, -71), (-48, -47), (-1, 1), (24, 25), (48, 49)), strict=True):
        during = cast.now + timedelta(hours=first), cast.now + timedelta(hours=last)
        Occupancy.objects.filter(reservation=pk).update(during=during)
        Reservation.objects.filter(pk=pk).update(starts_at=during[0], ends_at=during[1])
    return lambda most: monkeypatch.setattr(calendar_queries, "MAX_EVENTS", most) or ids


@pytest.mark.parametrize("kind", ["private", "public"])
def test_what_is_nearest_to_now_comes_first_in_a_feed_that_is_cut(as_, cast, programmes, five, link, kind):
    address = link() if kind == "private" else reverse("instrument_busy", args=[cast.xrd.pk])
    stamp = "%Y%m%dT%H%M%SZ"

    def read(most: int) -> tuple[set[int], Any]:
        ids = five(most)
        found = vobject.readOne(as_().get(address).content.decode())
        starts = [each.dtstart.value for each in found.contents.get("vevent", [])]
        assert starts == sorted(starts)
        at = dict(Reservation.objects.values_list("starts_at", "pk"))
        return {ids.index(at[one]) for one in starts}, found

    for most in (5, 6):
        held, whole = read(most)
        assert held == {0, 1, 2, 3, 4} and HELD_BACK not in whole.serialize(), "at the bound it is whole and says nothing"
    held, past_cut = read(4)
    assert held == {1, 2, 3, 4}
    ends = cast.now - timedelta(hours=71)
    assert past_cut.contents["x-jishi-left-out-before"][0].value == f"{ends:{stamp}}"
    assert past_cut.contents["description"][0].value == past_cut.contents["x-wr-caldesc"][0].value
    assert (
        past_cut.contents["description"][0].value
        == f"{HELD_BACK} Something of what was over before Fri 20 Nov 2026, 10:00 is left out."
    )
    held, none_past = read(3)
    assert held == {2, 3, 4} and "x-jishi-whole-until" not in none_past.contents
    held, ahead_cut = read(2)
    assert held == {2, 3}
    starts = cast.now + timedelta(hours=48)
    assert ahead_cut.contents["x-jishi-whole-until"][0].value == f"{starts:{stamp}}"
    assert ahead_cut.contents["description"][0].value.startswith(
        f"{HELD_BACK} It has everything that begins before Wed 25 Nov 2026, 09:00, "
    )


def test_a_labs_whole_window_fits_into_its_feed():
    """40 instruments, 30 days back and 180 ahead, three bookings on each day."""
    days = (calendar_queries.BACK + calendar_queries.AHEAD).days
    assert 40 * days * 3 < calendar_queries.MAX_EVENTS


def test_busy_times_of_every_hour_of_the_window_are_whole_and_one_query(cast, django_assert_num_queries):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO booking_occupancy (calendar_id, during, blocking, source, note)"
            " SELECT %s, tstzrange(f, f + interval '1 hour'), true, 'maintenance', ''"
            " FROM generate_series(%s::timestamptz - interval '30 days', %s::timestamptz + interval '179 days 23 hours',"
            " interval '1 hour') AS f",
            [cast.xrd.calendar_id, cast.now, cast.now],
        )
    with django_assert_num_queries(1):
        feed = calendar_queries.busy_times(cast.xrd, cast.now)
    assert len(feed.rows) == 210 * 24 and feed.whole_until is feed.left_out_before is None


# --- A client of Debian -----------------------------------------------------------------------------------------------
def shown_by_calcurse(feed: bytes, folder: Path) -> list[str]:
    """What calcurse shows in Shanghai once it has imported the feed, by start. It knows neither UID nor STATUS."""
    program = shutil.which("calcurse")
    assert program, "calcurse is needed (Debian: apt-get install calcurse)"
    folder.mkdir(exist_ok=True)
    file = folder / "feed.ics"
    file.write_bytes(feed)
    places = ["-D", str(folder / "data"), "-C", str(folder / "config")]
    environment = {"TZ": "Asia/Shanghai", "LC_ALL": "C.UTF-8", "HOME": str(folder), "PATH": "/usr/bin:/bin"}
    done = subprocess.run([program, "-q", *places, "-i", str(file)], env=environment, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return (folder / "data" / "apts").read_text().splitlines()


def test_a_calendar_program_of_debian_shows_the_real_feeds(as_, cast, programmes, approved, slot, link, tmp_path):
    kept, gone = approved(9, 10), approved(11, 12)
    transitions.cancel(cast.actor("lin"), gone, cast.now)
    busy, private = reverse("instrument_busy", args=[cast.xrd.pk]), link()
    assert shown_by_calcurse(as_().get(busy).content, tmp_path / "busy") == [
        "11/25/2026 @ 09:00 -> 11/25/2026 @ 10:00|Busy",
        "11/25/2026 @ 11:00 -> 11/25/2026 @ 12:00|Cancelled",
    ]
    mine = shown_by_calcurse(as_().get(private).content, tmp_path / "mine")
    assert [line[13:18] + line[32:40] for line in mine] == ["09:00 @ 10:00", "11:00 @ 12:00"]
    assert f"|{cast.xrd.name}" in mine[0] and f"|Cancelled: {cast.xrd.name}" in mine[1]

    asked = changes.change_one(cast.actor("lin"), ChangeRequest(kept, slot(14, 15)), cast.now)
    changes.accept(cast.actor("wang"), asked.pk, cast.now)
    moved = as_().get(busy).content
    anew = {
        "11/25/2026 @ 11:00 -> 11/25/2026 @ 12:00|Cancelled",
        "11/25/2026 @ 14:00 -> 11/25/2026 @ 15:00|Busy",
        "11/25/2026 @ 14:00 -> 11/25/2026 @ 15:00|Cancelled",  # what kept the time until the lab said yes
    }
    assert set(shown_by_calcurse(moved, tmp_path / "anew")) == anew, "who takes the file anew has what is"
    both = shown_by_calcurse(moved, tmp_path / "busy")
    assert set(both) == anew | {"11/25/2026 @ 09:00 -> 11/25/2026 @ 10:00|Busy"} and len(both) == 5, "it adds to what it has"


# --- Again ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["private", "public"])
def test_an_unchanged_calendar_is_answered_with_304(as_, cast, programmes, ask, link, kind):
    ask(9, 10)
    address = link() if kind == "private" else reverse("instrument_busy", args=[cast.xrd.pk])
    first = as_().get(address)
    etag = first.headers["ETag"]
    assert as_().head(address).headers["ETag"] == etag
    again = as_().get(address, headers={"if-none-match": etag})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)
    assert again.headers["Cache-Control"] == first.headers["Cache-Control"]
    ask(11, 12)
    changed = as_().get(address, headers={"if-none-match": etag})
    assert changed.status_code == 200 and changed.headers["ETag"] != etag


# --- Who reads them ---------------------------------------------------------------------------------------------------
def test_a_private_feed_is_kept_by_nobody(as_, link):
    response = as_().get(link())
    assert response.headers["Cache-Control"] == "private, no-store"
    assert response.headers["X-Robots-Tag"] == "noindex"


def test_a_link_that_opens_nothing_is_404_whatever_is_wrong(as_, cast, link, clock):
    good, over = link(), link(expires_at=clock() + timedelta(days=1))
    key = good.rsplit("/", 1)[1].removesuffix(".ics")
    assert as_().get(good).status_code == as_().get(over).status_code == 200
    clock.now += timedelta(days=1)
    wrong = as_().get(f"/feeds/{key[:-1]}{'A' if key[-1] != 'A' else 'B'}.ics")
    answers = [wrong, as_().get(over), as_().get("/feeds/x.ics"), as_().get(f"/feeds/{digest(key)}.ics")]
    feeds.revoke_feed(cast.actor("lin"), FeedToken.objects.get(key_sha256=digest(key)).pk, clock())
    answers.append(as_().get(good))
    assert {(each.status_code, each.content, each.headers["Cache-Control"]) for each in answers} == {
        (404, b"There is no such calendar.", "private, no-store")
    }


def test_a_person_who_may_no_longer_log_in_has_no_feed(as_, cast, link):
    address = link()
    cast.users["lin"].is_active = False
    cast.users["lin"].save()
    assert as_().get(address).status_code == 404


def test_who_left_the_lab_no_longer_reads_its_bookings(as_, cast, season, link):
    address = link("wang", "lab")
    assert events(as_().get(address))
    Membership.objects.filter(user=cast.users["wang"]).delete()
    assert events(as_().get(address)) == []


def test_only_who_manages_a_lab_has_its_feed(cast):
    for who in ("lin", "li", "chen"):
        with pytest.raises(Forbidden):
            feeds.issue_feed(cast.actor(who), "lab", "x", cast.now)
    for bad in ({"kind": "all", "name": "x"}, {"kind": "mine", "name": ""}):
        with pytest.raises(Refusal):
            feeds.issue_feed(cast.actor("lin"), now=cast.now, **bad)


def test_a_key_has_256_bits_and_only_its_digest_is_kept(cast):
    made, key = feeds.issue_feed(cast.actor("lin"), "mine", "phone", cast.now)
    assert len(key) == 43 and made.key_sha256 == digest(key)
    assert key not in str(list(FeedToken.objects.values())) + str(list(AuditEntry.objects.values()))


def test_too_many_requests_are_told_to_wait(as_, link, monkeypatch):
    monkeypatch.setattr(FeedThrottle, "THROTTLE_RATES", {"feed": "3/min"})
    address, visitor = link(), as_()
    assert [visitor.get(address).status_code for _ in range(3)] == [200] * 3
    refused = visitor.get(address)
    assert refused.status_code == 429 and int(refused.headers["Retry-After"]) > 0


# --- The page ---------------------------------------------------------------------------------------------------------
def test_a_link_is_made_shown_once_and_revoked(as_, cast, clock):
    browser = as_("wang")
    assert "No calendar links yet" in browser.get("/feeds/").content.decode()
    refused = browser.post("/feeds/new/", {"kind": "lab", "name": ""})
    assert refused.status_code == 422
    made = browser.post("/feeds/new/", {"kind": "lab", "name": "Control room", "expires_on": ""})
    assert made.status_code == 201
    (address,) = set(re.findall(r'value="(http://testserver/feeds/[^"]+\.ics)"', made.content.decode()))
    assert f'href="{address.replace("http", "webcal")}"' in made.content.decode()
    assert Client().get(address.removeprefix("http://testserver")).status_code == 200
    listed = browser.get("/feeds/").content.decode()
    assert "Control room" in listed and address not in listed
    browser.post(reverse("feed_revoke", args=[FeedToken.objects.get().pk]))
    assert Client().get(address.removeprefix("http://testserver")).status_code == 404
    assert as_("lin").post(reverse("feed_revoke", args=[FeedToken.objects.get().pk])).status_code == 404


def test_who_manages_no_lab_is_not_offered_its_calendar(as_):
    assert "labs that I manage" not in as_("lin").get("/feeds/new/").content.decode()
    refused = as_("lin").post("/feeds/new/", {"kind": "lab", "name": "x"})
    assert refused.status_code == 422 and not FeedToken.objects.exists()


def test_one_place_writes_calendars():
    """iCalendar is written by one module; the reading rules are the only others that know the library."""
    users = {
        path.relative_to(ROOT).as_posix()
        for app in ("config", "instruments", "booking", "billing", "frontend")
        for path in (ROOT / app).rglob("*.py")
        if re.search(r"^(from|import) icalendar", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert users == {"booking/rules/calendar_text.py", "instruments/rules/ics_reading.py"}
