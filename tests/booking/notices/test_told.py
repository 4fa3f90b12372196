"""Who is told what when a booked time moves, and what nobody has to look at any more."""

from __future__ import annotations

from datetime import UTC

import pytest
import vobject
from django.db import connection
from django.test.utils import CaptureQueriesContext

from booking.models import ReservationChange
from booking.services import changes, transitions
from booking.services.changes import ChangeRequest
from instruments.models import Notice
from instruments.notice_events import words_of
from tests.booking.services.test_reservation_flow import ask
from tests.mailbox import waiting_mails

pytestmark = pytest.mark.django_db


@pytest.fixture
def approved(cast, programmes, slot):
    reserved = ask(cast, slot(9, 12))
    transitions.approve(cast.actor("wang"), reserved.reservation_id, cast.now)
    return reserved.reservation_id


def propose(cast, pk, during, who) -> int:
    changes.change(cast.actor(who), ChangeRequest(pk, during, reason="The sample comes later"), cast.now, idempotency_key="m")
    return ReservationChange.objects.latest("pk").pk


def unread(cast, name) -> list[str]:
    rows = Notice.objects.filter(user=cast.users[name], read_at=None).order_by("pk")
    return [event.partition(".")[2] for event in rows.values_list("event", flat=True)]


def test_a_new_time_that_is_asked_for_waits_for_the_lab_and_its_answer_reaches_both_with_a_new_invitation(cast, approved, slot):
    change = propose(cast, approved, slot(14, 17), "lin")
    assert unread(cast, "wang") == ["change_proposed_to_lab"]
    asked = Notice.objects.get(event="reservation.change_proposed_to_lab")
    lines = words_of(asked.event, asked.params).lines
    assert any("14:00" in line and "17:00" in line for line in lines) and any("The sample comes later" in line for line in lines)
    changes.accept(cast.actor("wang"), change, cast.now)
    assert unread(cast, "wang") == ["reservation_moved"]
    assert unread(cast, "lin") == ["approved", "moved"]
    mail = next(one for one in waiting_mails() if "new time" in one.subject and one.to == ["lin@example.org"])
    (text,) = [
        part.get_payload(decode=True).decode() for part in mail.message().walk() if part.get_content_type() == "text/calendar"
    ]
    event = vobject.readOne(text).vevent
    assert event.dtstart.value.astimezone(UTC) == slot(14, 17).starts_at
    assert int(event.sequence.value) == 2


@pytest.mark.parametrize(("end", "of_lab", "of_customer"), [
    ("refuse", [], ["approved", "change_refuse_to_customer"]),
    ("withdraw", ["reservation_change_withdrawn"], ["approved", "change_withdrawn"]),
    ("lapse", [], ["approved", "change_lapse_to_customer"]),
])  # fmt: skip
def test_a_new_time_that_comes_to_nothing_is_told_and_waits_for_nobody(cast, approved, slot, end, of_lab, of_customer):
    change = propose(cast, approved, slot(14, 17), "lin")
    if end == "refuse":
        changes.refuse(cast.actor("wang"), change, cast.now, "The beam is off")
    elif end == "withdraw":
        changes.withdraw(cast.actor("lin"), change, cast.now)
    else:
        changes.lapse_due(slot(9, 12).starts_at)
    assert (unread(cast, "wang"), unread(cast, "lin")) == (of_lab, of_customer)


def test_what_the_lab_proposes_waits_for_the_customer(cast, approved, slot):
    propose(cast, approved, slot(14, 17), "wang")
    assert unread(cast, "lin") == ["approved", "change_proposed_to_customer"]
    assert Notice.objects.get(event="reservation.change_proposed_to_customer").needs_action


def test_asking_for_time_reads_the_names_that_are_told_with_the_rest(cast, programmes, slot):
    ask(cast, slot(9, 10), key="before")
    with CaptureQueriesContext(connection) as found:
        ask(cast, slot(10, 11), key="then")
    statements = [each["sql"] for each in found.captured_queries if not each["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert len(statements) <= 15  # what tests/bench measures the platform by, one of them for outages
