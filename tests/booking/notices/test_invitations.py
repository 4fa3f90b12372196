"""What a mail about a reservation brings to calendar programs, read back by parsers that are not ours and by a client of Debian."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
import vobject
from icalendar import Calendar

from booking.models import Reservation
from booking.rules.calendar_text import CalendarEvent, calendar_text
from booking.services import reservations, transitions
from booking.services.calendar_mail import calendar_of
from booking.services.reservations import ReservationRequest
from frontend import calendar_file
from tests.mailbox import waiting_mails

pytestmark = pytest.mark.django_db


@pytest.fixture
def approved(cast: Any, slot: Any) -> int:
    wanted = ReservationRequest(cast.xrd.pk, cast.firm.pk, slot(9, 12), "self_operated")
    pk = reservations.reserve(cast.actor("lin"), wanted, cast.now, idempotency_key="k").reservation_id
    transitions.approve(cast.actor("wang"), pk, cast.now)
    return pk


def invitations() -> list[tuple[EmailMessage, str]]:
    """(mail, its calendar) of every waiting mail that has one."""
    found = []
    for mail in waiting_mails():
        for part in mail.message().walk():
            if part.get_content_type() == "text/calendar":
                assert part.get_filename() == "reservation.ics"
                found.append((part, part.get_payload(decode=True).decode()))
    return found


def test_an_approval_brings_an_invitation_in_the_zone_of_the_instrument(cast, approved):
    ((part, text),) = invitations()
    assert part.get_param("method") == "REQUEST"
    (event,) = Calendar.from_ical(text).walk("VEVENT")
    assert event["DTSTART"].params["TZID"] == "Asia/Shanghai"
    assert event.decoded("DTSTART").isoformat() == "2026-11-25T09:00:00+08:00"
    assert str(event["ATTENDEE"]) == "mailto:lin@example.org"
    assert str(event["ORGANIZER"]) == "mailto:no-reply@jishi.example"
    assert [str(zone["TZID"]) for zone in Calendar.from_ical(text).walk("VTIMEZONE")] == ["Asia/Shanghai"]
    read = vobject.readOne(text)
    assert (read.method.value, read.vevent.status.value) == ("REQUEST", "CONFIRMED")
    assert read.vevent.dtstart.value.astimezone(UTC) == datetime(2026, 11, 25, 1, tzinfo=UTC)


def test_a_cancellation_takes_the_same_event_back_under_a_higher_number(cast, approved):
    ((_part, before),) = invitations()
    transitions.cancel(cast.actor("lin"), approved, cast.now + timedelta(minutes=1))
    parts = invitations()
    first, last = vobject.readOne(before), vobject.readOne(parts[-1][1])
    assert (last.method.value, last.vevent.status.value) == ("CANCEL", "CANCELLED")
    assert parts[-1][0].get_param("method") == "CANCEL"
    assert first.vevent.uid.value == last.vevent.uid.value
    assert int(first.vevent.sequence.value) < int(last.vevent.sequence.value)
    # The approval that was still waiting says by now that it is off: no late mail brings an event back.
    assert vobject.readOne(parts[0][1]).method.value == "CANCEL"


def test_the_uid_and_number_are_those_of_the_feeds(cast, approved):
    from booking.calendar_queries import with_history

    row = with_history(Reservation.objects.select_related("instrument__site", "organisation", "requested_by")).get(pk=approved)
    feed = vobject.readOne(calendar_file.reservation_file(row).decode()).vevent
    mailed = vobject.readOne(calendar_of(approved, "lin@example.org").content.decode()).vevent
    assert (feed.uid.value, feed.sequence.value) == (mailed.uid.value, mailed.sequence.value)


def test_a_change_of_time_raises_the_number(cast, approved):
    from booking.models import ReservationTransition

    before = vobject.readOne(calendar_of(approved, "x@example.org").content.decode()).vevent
    starts = Reservation.objects.get(pk=approved).starts_at + timedelta(hours=2)
    Reservation.objects.filter(pk=approved).update(starts_at=starts, ends_at=starts + timedelta(hours=1))
    ReservationTransition.objects.create(
        reservation_id=approved, action="move", from_state="approved", to_state="approved", at=cast.now + timedelta(hours=1)
    )
    after = vobject.readOne(calendar_of(approved, "x@example.org").content.decode()).vevent
    assert int(after.sequence.value) == int(before.sequence.value) + 1
    assert after.uid.value == before.uid.value and after.dtstart.value.astimezone(UTC) == starts


def test_a_zone_with_summer_time_is_described_and_understood():
    starts = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 02:30 for the first time that night
    event = CalendarEvent("a@x", starts, starts + timedelta(hours=1), "XRD", starts, zone="Europe/Berlin")
    text = calendar_text([event], method="REQUEST").decode()
    read = vobject.readOne(text).vevent
    assert read.dtend.value.astimezone(UTC) - starts in (timedelta(hours=1), timedelta(0), timedelta(hours=2))
    assert Calendar.from_ical(text).walk("VTIMEZONE")[0]["TZID"] == "Europe/Berlin"
    summer = datetime(2026, 7, 1, 8, tzinfo=UTC)
    text = calendar_text(
        [CalendarEvent("b@x", summer, summer + timedelta(hours=2), "XRD", summer, zone="Europe/Berlin")]
    ).decode()
    assert vobject.readOne(text).vevent.dtstart.value.astimezone(UTC) == summer
    assert vobject.readOne(text).vevent.dtstart.value.hour == 10


def test_a_calendar_program_of_debian_takes_the_invitation(cast, approved, tmp_path):
    assert shutil.which("calcurse"), "calcurse is needed (Debian: apt-get install calcurse)"
    ((_part, text),) = invitations()
    (tmp_path / "reservation.ics").write_text(text, encoding="utf-8")
    command = [
        "calcurse",
        "-D",
        str(tmp_path / "home"),
        "-C",
        str(tmp_path / "home"),
        "-q",
        "-i",
        str(tmp_path / "reservation.ics"),
    ]
    environment = {"TZ": "Asia/Shanghai", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}
    subprocess.run(command, check=True, env=environment, capture_output=True)
    asked = ["calcurse", "-D", str(tmp_path / "home"), "-C", str(tmp_path / "home"), "-Q", "--from", "11/25/2026", "--days", "1"]
    shown = subprocess.run(asked, check=True, env=environment, capture_output=True, text=True).stdout
    assert "X-ray diffractometer" in shown and "09:00 -> 12:00" in shown
