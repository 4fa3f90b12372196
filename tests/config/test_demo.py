"""What somebody who tries the demo must be able to do, whatever the hour of the first start."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from booking.rules.credit import EventKind, MeasureKind, PastEvent, Scope, policy_from, standing_of
from config.demo import load
from config.demo.programmes import lasting
from config.demo.training import CREDIT_RULES
from tests.conftest import programme_document

NOW = datetime(2026, 11, 23, 1, tzinfo=UTC)


def keeps_from_booking(missed: int) -> bool:
    """Whether the first lab's rules shut its printed researcher out, who cancelled late in the demo's story."""
    policy = policy_from(CREDIT_RULES, Scope.LAB)
    kinds = [EventKind.LATE_CANCEL, *[EventKind.NO_SHOW] * missed]
    found = standing_of(policy, Scope.LAB, [PastEvent(NOW, -policy.points[kind]) for kind in kinds], NOW)
    return MeasureKind.NO_BOOKING in {one.kind for one in found.measures}


def test_who_lets_both_sessions_of_the_first_day_pass_can_still_book() -> None:
    assert not keeps_from_booking(2)
    assert keeps_from_booking(3)  # the control: the rules do shut out


def test_a_demo_that_outlives_its_programmes_has_them_last_longer_and_their_clauses_say_so() -> None:
    document = programme_document("DEMO-QH-A")
    assert lasting(document, date(2027, 10, 31)) is document
    longer = lasting(document, date(2027, 11, 2))
    assert longer["validity"] == document["validity"] | {"last_day": "2028-12-31"}
    assert "31 December 2028" in json.dumps(longer) and "2027" not in json.dumps(longer)


@pytest.mark.django_db
def test_the_hours_of_the_demo_are_the_same_in_whatever_zone_its_moment_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[datetime] = []
    monkeypatch.setattr(load, "_load", lambda _seed, now: told.append(now))
    load.load(1, NOW.astimezone(timezone(timedelta(hours=8))))
    assert told == [NOW] and told[0].tzinfo is UTC
