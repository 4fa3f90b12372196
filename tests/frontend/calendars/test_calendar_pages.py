"""The pages of a lab's calendars: files of closures and followed calendars."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from booking.models import CalendarSubscription
from booking.services import subscription_refresh, subscriptions
from instruments.models import ClosureImport
from instruments.rules.ics_reading import read_ics
from instruments.services import ics_reader, registry
from instruments.services.registry import InstrumentFields
from tests.frontend.acting import FRAGMENT, query_count, words
from tests.instruments.calendars.ics import calendar, event, timed
from tests.kernel.services.neighbour import Neighbour, neighbour, says

MAINTENANCE = timed("20261125T000000Z", "20261125T100000Z", uid="m", title="=Maintenance")
BROKEN = event(body="DTSTART:soon", uid="b", title="Soon")


@pytest.fixture(autouse=True)
def _here(settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = settings.STORAGES | {"default": files}
    monkeypatch.setattr(ics_reader, "read", read_ics)


@pytest.fixture
def lab(settings: Any) -> Iterator[Neighbour]:
    with neighbour(says(calendar(MAINTENANCE))) as server:
        settings.OUTBOUND_ALLOW = frozenset({("127.0.0.1", server.port)})
        yield server


def main_of(answer) -> str:
    """The page without its frame, whose bell listens by itself."""
    return answer.content.decode().partition("<main")[2]


def hand_in(browser: Any, pk: int, content: bytes, **more: Any) -> Any:
    file = SimpleUploadedFile("lab.ics", content, "text/calendar")
    return browser.post(reverse("instrument_closure_import", args=[pk]), {"file": file, "with_titles": "on", **more})


# --- Closures ---------------------------------------------------------------------------------------------------------
def test_a_file_is_looked_at_confirmed_and_reported(as_, cast, programmes, approved):
    browser = as_("wang")
    booked = approved(9, 12)
    other = registry.create_instrument(cast.actor("wang"), cast.site.pk, InstrumentFields("Tube furnace"), cast.now)
    assert "Tube furnace" in words(browser.get(reverse("instrument_closure_import", args=[cast.xrd.pk])))
    response = hand_in(browser, cast.xrd.pk, calendar(MAINTENANCE, BROKEN), others=[other.pk])
    address = response.headers["Location"]
    shown = words(browser.get(address))
    assert "Will be closed" in shown and "DTSTART of the event cannot be read." in shown and "Save 1 change" in shown
    assert (
        "Booked in these times" in shown
        and "Gaoyuan Lithium" in shown
        and f"/bookings/{booked}/" in str(browser.get(address).content)
    )
    for _ in range(2):
        assert browser.post(address).headers["Location"] == address
    done = words(browser.get(address))
    assert "The closures are saved" in done and "Save 1 change" not in done
    rows = list(csv.reader(io.StringIO(browser.get(f"{address}report.csv").content.decode("utf-8-sig"))))
    assert rows[1][1:6] == ["'=Maintenance", "2026-11-25 08:00", "2026-11-25 18:00", "new", ""]
    assert rows[2][1] == "Soon" and rows[2][4:6] == ["refused", "ics.property_unreadable"]
    again = hand_in(browser, cast.xrd.pk, calendar(MAINTENANCE))
    assert "Nothing to change" in words(browser.get(again.headers["Location"]))


@pytest.mark.parametrize(("content", "told"), [
    (b"", "The file is empty"), (b"x" * (2**21 + 1), "The file is larger than 2 MB"), (b"\xff\xfe\x00", "cannot be read"),
    (b"name;start\n", "This is no calendar file"), (b"BEGIN:VCALENDAR\n" * 50, "The file is broken at line 7"),
])  # fmt: skip
def test_a_broken_file_is_answered_in_words_at_its_field(as_, cast, content, told):
    response = hand_in(as_("wang"), cast.xrd.pk, content)
    assert response.status_code == 422 and told in words(response)
    assert 'aria-invalid="true"' in response.content.decode()
    assert not ClosureImport.objects.exists()


def test_no_file_at_all_is_answered(as_, cast):
    assert as_("wang").post(reverse("instrument_closure_import", args=[cast.xrd.pk]), {}).status_code == 422


def test_an_instrument_that_is_not_offered_is_not_closed(as_, cast):
    registry.create_instrument(cast.actor("wang"), cast.site.pk, InstrumentFields("Tube furnace"), cast.now)
    assert hand_in(as_("wang"), cast.xrd.pk, calendar(MAINTENANCE), others=[10**6]).status_code == 422


# --- Followed calendars -----------------------------------------------------------------------------------------------
def test_an_address_that_may_not_be_read_is_refused_and_kept_as_typed(as_, cast):
    browser = as_("wang")
    typed = {"address": "http://10.1.2.3/lab.ics", "title": "Lab \u4e2d\u6587"}
    response = browser.post(reverse("instrument_calendars", args=[cast.xrd.pk]), typed)
    assert response.status_code == 422
    assert "10.1.2.3 lies on a private network" in words(response) and all(
        text in response.content.decode() for text in typed.values()
    )


def test_a_followed_calendar_waits_is_read_and_shows_its_faults(as_, cast, lab, clock):
    browser, address = as_("wang"), reverse("instrument_calendars", args=[cast.xrd.pk])
    browser.post(address, {"address": lab.url("/secret-key.ics"), "title": "Lab calendar"})
    waiting = browser.get(address)
    assert "Being read" in words(waiting) and "hx-get" in main_of(waiting)
    pk = CalendarSubscription.objects.get().pk
    lab.reply = says(calendar(MAINTENANCE, BROKEN))
    subscription_refresh.refresh(pk, clock())
    shown = browser.get(address)
    assert "Up to date" in words(shown) and "1 event cannot be read" in words(shown) and "hx-get" not in main_of(shown)
    assert "secret-key" not in shown.content.decode()
    lab.reply = says(b"", 500)
    clock.now += timedelta(minutes=15)
    subscription_refresh.refresh(pk, clock())
    assert "answers with the error 500" in words(browser.get(address))
    piece = browser.get(address, headers=FRAGMENT)
    assert "<html" not in piece.content.decode() and "answers with the error 500" in words(piece)
    for name, data, told in (("switch", {"enabled": "0"}, "Paused"), ("switch", {"enabled": "1"}, "Being read"),
                             ("refresh", {}, "Being read"),
                             ("remove", {}, "No calendar is followed")):  # fmt: skip
        assert browser.post(reverse(f"subscription_{name}", args=[pk]), data).headers["Location"] == address
        assert told in words(browser.get(address))


def test_many_calendars_take_no_more_queries_than_one(as_, cast, lab, clock):
    address = reverse("instrument_calendars", args=[cast.xrd.pk])
    counts = []
    for place in range(3):
        made = subscriptions.subscribe(cast.actor("wang"), cast.xrd.pk, lab.url(f"/{place}.ics"), "Lab", clock())
        subscription_refresh.refresh(made.pk, clock())
        counts.append(query_count(as_("wang"), address))
    assert len(set(counts)) == 1


def test_the_hours_page_leads_to_all_of_it(as_, cast):
    page = as_("wang").get(reverse("instrument_hours", args=[cast.xrd.pk])).content.decode()
    for name in ("instrument_closure_import", "instrument_calendars"):
        assert reverse(name, args=[cast.xrd.pk]) in page
    assert reverse("feed_list") in page
    assert (
        reverse("instrument_busy", args=[cast.xrd.pk])
        in as_().get(reverse("instrument_detail", args=[cast.xrd.pk])).content.decode()
    )
