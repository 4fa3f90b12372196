"""Jobs of one digest that start at the same moment: one takes all of it, none waits in a circle."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import pytest
from django.db import DatabaseError

from config.kernel.services import transactions
from config.kernel.services.transactions import sqlstate
from instruments.models import Delivery, NoticeSettings
from instruments.services import notice_delivery
from instruments.services.notices import News, person, tell
from tests.concurrency.harness import at_once
from tests.concurrency.world import World

JOBS = 8


def gathered(world: World) -> tuple[list[int], datetime]:
    """Deliveries of one digest of Lin's, and when it goes."""
    lin, now = world.cast.users["lin"], world.cast.now
    NoticeSettings.objects.create(user=lin, time_zone="Asia/Shanghai", digest="daily", digest_hour=18)
    for _ in range(JOBS):
        tell(News("organisation.verified", {"organisation": "Kunlun"}), person(lin.pk), now)
    rows = Delivery.objects.filter(user=lin).order_by("pk")
    return list(rows.values_list("pk", flat=True)), rows[0].due_at + timedelta(minutes=1)


def claiming(ids: list[int], now: datetime) -> list[Callable[[], notice_delivery.Batch | None]]:
    return [partial(notice_delivery.claim, pk, now) for pk in ids]


def test_one_job_takes_the_whole_digest_and_the_others_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "RETRYABLE", frozenset())  # so that a deadlock would be seen
    ids, now = gathered(world)
    outcomes = at_once(claiming(ids, now))
    assert [one for one in outcomes if isinstance(one, Exception)] == []
    (batch,) = (one for one in outcomes if isinstance(one, notice_delivery.Batch))
    assert [one.pk for one in batch.rows] == ids
    assert set(Delivery.objects.filter(pk__in=ids).values_list("state", "attempts", "message_id")) == {
        ("sending", 1, batch.message_id)
    }


def test_jobs_that_lock_their_own_row_first_wait_in_a_circle(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: each has its own, and then wants the others'."""
    monkeypatch.setattr(transactions, "RETRYABLE", frozenset())
    ids, now = gathered(world)
    read = notice_delivery._with_it

    def own_first(found: Delivery, moment: datetime) -> list[int]:
        Delivery.objects.select_for_update(no_key=True).get(pk=found.pk)
        time.sleep(0.5)
        return read(found, moment)

    monkeypatch.setattr(notice_delivery, "_with_it", own_first)
    outcomes = at_once(claiming(ids, now))
    assert any(isinstance(one, DatabaseError) and sqlstate(one) == "40P01" for one in outcomes)
