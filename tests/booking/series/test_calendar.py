"""A mail about a series brings all its times to calendar programs, each the event that feeds and later mails know."""

from __future__ import annotations

from typing import Any

import pytest
import vobject

from booking.rules.series import Scope
from booking.services import transitions
from booking.services.calendar_mail import calendar_of, calendar_of_series
from tests.booking.notices.test_invitations import invitations
from tests.booking.series.test_changing import cancelling, do, look, parts

pytestmark = pytest.mark.django_db


def test_a_cancelled_part_of_a_series_is_taken_back_and_the_rest_stands(cast: Any, programmes: Any, made: Any) -> None:
    pk = made()
    for one in parts(pk):
        transitions.approve(cast.actor("wang"), one.pk, cast.now)
    own = {vobject.readOne(text).vevent.uid.value for _part, text in invitations()}
    change = cancelling(pk, Scope.FOLLOWING, anchor=2)
    do(cast, change, look(cast, change))
    part, text = next((part, text) for part, text in invitations() if part.get_param("method") == "PUBLISH")
    read = vobject.readOne(text)
    assert read.method.value == "PUBLISH" and part.get_content_type() == "text/calendar"
    assert [event.status.value for event in read.vevent_list] == ["CONFIRMED", "CANCELLED", "CANCELLED"]
    assert {event.uid.value for event in read.vevent_list} == own
    assert not any(hasattr(event, "attendee") for event in read.vevent_list)  # nobody is asked to a published event


def test_the_events_of_a_series_are_those_of_its_single_mails(cast: Any, programmes: Any, made: Any) -> None:
    pk = made()
    several = vobject.readOne(calendar_of_series(pk, "lin@example.org").content.decode()).vevent_list
    singly = [vobject.readOne(calendar_of(one.pk, "lin@example.org").content.decode()).vevent for one in parts(pk)]
    names = ("uid", "sequence", "dtstart", "dtend", "summary", "status")
    assert [[getattr(event, name).value for name in names] for event in several] == [
        [getattr(event, name).value for name in names] for event in singly
    ]
    assert calendar_of_series(pk + 1, "lin@example.org") is None
