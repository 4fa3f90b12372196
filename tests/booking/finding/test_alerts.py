"""Waiting for a time: asked for once, answered once, by mail."""

from __future__ import annotations

from datetime import timedelta

import pytest

from booking.models import TimeAlert
from booking.services import time_alerts
from booking.services.time_alerts import answer_due, as_json, ask, forget, from_json
from config.kernel.access import NOBODY
from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.time_range import TimeRange
from instruments.models import Delivery, NoticeSettings
from tests.booking.availability.building import occupy
from tests.mailbox import mails

pytestmark = pytest.mark.django_db


def test_an_alert_is_answered_once_when_a_time_becomes_free(labs, cast, search, slot):
    taken = occupy(cast.xrd.calendar_id, TimeRange(cast.now, slot(0, 1, day=20).starts_at))
    alert = ask(cast.actor("lin"), search(2), cast.now)
    assert answer_due(cast.now) == 0
    taken.delete()
    assert answer_due(cast.now) == 1
    assert answer_due(cast.now) == 0
    (mail,) = mails()
    assert mail["to"] == ["lin@example.org"]
    assert "X-ray diffractometer" in mail["text"]
    assert "/find-a-time/?from=2026-11-23&to=2026-12-07&hours=2" in mail["text"]
    alert.refresh_from_db()
    assert alert.notified_at == alert.checked_at == cast.now


def test_a_time_that_is_free_is_told_at_once_and_waits_for_nobody(labs, cast, search):
    NoticeSettings.objects.create(
        user=cast.users["lin"], time_zone="Asia/Shanghai", digest="weekly", digest_hour=18, digest_weekday=1
    )
    ask(cast.actor("lin"), search(2), cast.now)
    assert answer_due(cast.now) == 1
    (told,) = Delivery.objects.all()
    assert (told.digest, told.due_at, told.notice.needs_action) == (False, cast.now, False)


def test_the_same_search_waits_once_and_there_is_a_limit(labs, cast, search, monkeypatch):
    monkeypatch.setattr(time_alerts, "MOST_WAITING", 2)
    lin = cast.actor("lin")
    assert ask(lin, search(2), cast.now) == ask(lin, search(2), cast.now)
    ask(lin, search(3), cast.now)
    with pytest.raises(Refusal, match="too_many"):
        ask(lin, search(4), cast.now)
    with pytest.raises(Forbidden):
        ask(NOBODY, search(2), cast.now)


def test_an_alert_belongs_to_one_person(labs, cast, search):
    alert = ask(cast.actor("lin"), search(2), cast.now)
    with pytest.raises(NotFound):
        forget(cast.actor("zhao"), alert.pk, cast.now)
    forget(cast.actor("lin"), alert.pk, cast.now)
    assert not TimeAlert.objects.exists()


def test_days_that_are_over_are_looked_at_no_more(labs, cast, search):
    ask(cast.actor("lin"), search(2, last=1), cast.now)
    assert answer_due(cast.now + timedelta(days=2)) == 0
    assert mails() == []


def test_one_that_cannot_be_read_does_not_keep_the_others_waiting(labs, cast, search):
    TimeAlert.objects.create(user=cast.users["lin"], search={}, last_on="2026-12-01", created_at=cast.now)
    ask(cast.actor("lin"), search(2), cast.now)
    assert answer_due(cast.now) == 1


def test_a_search_is_kept_whole(search):
    asked = search(1.5, text="brine", owner=7, no_training=True)
    assert from_json(as_json(asked)) == asked
