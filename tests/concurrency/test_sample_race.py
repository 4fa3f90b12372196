"""Many firms send samples to one test item at the same moment: no day is promised to more samples than it has room for."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial

import pytest
from django.db.models import Sum

from billing.pricing import sample_prices
from booking.models import RequestDecision, SampleDay
from booking.rules.deciding import Verdict
from booking.services import decisions, sample_days, sample_decisions, sample_inbox, sample_jobs
from booking.services.reject_reasons import Why
from booking.services.sample_jobs import Asked, Wish
from instruments.models import Resource, TestItem
from instruments.services import resources
from tests.concurrency.harness import at_once, broken, tally, violations
from tests.concurrency.world import World

ASKERS, EACH, CAPACITY = 12, 4, 10
FIRST, SECOND, THIRD = (date(2026, 11, day) for day in (25, 26, 27))
INVARIANT = "samples.no_day_is_promised_twice"


def item_of(world: World) -> Resource:
    """A test item of the cast's lab that measures ten samples a day."""
    cast, on = world.cast, date(2026, 11, 23)
    part = {"turnaround_days": 1, "daily_capacity": CAPACITY}
    item = resources.create_resource(cast.actor("wang"), cast.lab.pk, "test_item", {"name": "Li in brine"}, part, cast.now)
    resources.set_published(cast.actor("wang"), item.pk, True, cast.now)
    sample_prices.publish_test_price(cast.actor("wang"), item, "sample", 8_000, {}, on, cast.now, on)
    return item


def asking(world: World, item: Resource, place: int, samples: int = EACH) -> Callable[[], Asked]:
    wish = Wish(item.pk, world.firms[place].pk, samples, FIRST)
    return lambda: sample_jobs.ask(world.person(place), wish, world.cast.now, idempotency_key=f"ask-{place}")


def sooner_beside_an_ask(world: World) -> list[object]:
    """Three full days, of which the second is given back: the lab accepts the job of the third for it, while another firm asks for it."""
    item, jobs = item_of(world), []

    def accept(place: int, promised_on: date) -> None:
        sample_jobs.accept(world.cast.actor("wang"), jobs[place], world.cast.now, promised_on=promised_on)

    for place in range(3):
        jobs.append(asking(world, item, place, CAPACITY)().pk)
        if place == 0:
            accept(place, FIRST)
    assert by_day() == {FIRST: CAPACITY, SECOND: CAPACITY, THIRD: CAPACITY}
    sample_jobs.cancel(world.person(1), jobs[1], "", world.cast.now)
    return at_once([lambda: accept(2, SECOND), asking(world, item, 3, CAPACITY)])


def slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for the test item, and everybody takes time between looking and writing."""

    def unlocked(resource_id: int) -> TestItem:
        return TestItem.objects.get(pk=resource_id)

    worked_out = sample_days.work_out

    def slow(*args: object, **kwargs: object) -> object:
        found = worked_out(*args, **kwargs)  # type: ignore[arg-type]
        time.sleep(0.2)
        return found

    monkeypatch.setattr(sample_days, "lock_item", unlocked)
    monkeypatch.setattr(sample_days, "work_out", slow)


def by_day() -> dict[date, int]:
    found: dict[date, int] = {}
    for day, samples in SampleDay.objects.values_list("day", "samples"):
        found[day] = found.get(day, 0) + samples
    return found


def test_of_many_who_ask_at_once_each_is_promised_what_the_others_left(world: World) -> None:
    item = item_of(world)
    assert tally(at_once([asking(world, item, place) for place in range(ASKERS)])) == {"ok": ASKERS}
    assert sorted(by_day().values()) == [8, 10, 10, 10, 10]
    assert violations() == {}


def test_without_the_lock_the_same_day_is_promised_to_several(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    item = item_of(world)
    slowly(monkeypatch)
    at_once([asking(world, item, place) for place in range(ASKERS)])
    assert max(by_day().values()) > CAPACITY
    assert set(broken("kernel.guards_installed")) == {INVARIANT}


def test_a_sooner_promise_and_a_new_wish_do_not_take_the_same_day(world: World) -> None:
    accepted, asked = sooner_beside_an_ask(world)
    assert isinstance(asked, Asked)
    assert accepted is None or [reason.code for reason in accepted.reasons] == ["samples.promise_beyond_capacity"]  # type: ignore[attr-defined]
    assert by_day() == {FIRST: CAPACITY, SECOND: CAPACITY, THIRD: CAPACITY}
    assert violations() == {}


def test_without_the_lock_a_sooner_promise_takes_the_day_of_a_new_wish(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: both look before either has written."""
    slowly(monkeypatch)
    sooner_beside_an_ask(world)
    assert by_day() == {FIRST: CAPACITY, SECOND: 2 * CAPACITY}
    assert set(broken("kernel.guards_installed")) == {INVARIANT}


def test_an_answer_is_told_or_taken_back_and_never_both(world: World) -> None:
    item, lab, now = item_of(world), world.cast.actor("wang"), world.cast.now
    ids = [asking(world, item, place)().pk for place in range(6)]
    sample_inbox.decide_all(lab, ids[:3], Verdict.APPROVE, Why(), now, seen={})
    sample_inbox.decide_all(lab, ids[3:], Verdict.REJECT, Why("no_capacity"), now, seen={})
    rows = list(RequestDecision.objects.order_by("pk"))
    last = rows[0].final_at
    calls: list[Callable[[], object]] = [
        partial(sample_decisions.take_back, lab, row.sample_job_id, last - timedelta(microseconds=1)) for row in rows
    ]
    at_once([*calls, *(partial(decisions.tell, row.pk, last) for row in rows)])
    for row in RequestDecision.objects.select_related("sample_job"):
        assert (row.told_at is None) != (row.taken_back_at is None)
        answered = {"approve": "accepted", "reject": "refused"}[row.action]
        assert row.sample_job is not None and row.sample_job.state == ("asked" if row.told_at is None else answered)
    assert violations() == {}


def test_a_refusal_that_is_taken_back_and_a_new_wish_do_not_get_the_same_day(world: World) -> None:
    lab, now = world.cast.actor("wang"), world.cast.now
    for place in range(0, 8, 2):
        item = item_of(world)
        refused = asking(world, item, place, CAPACITY)().pk
        sample_inbox.refuse(lab, refused, Why("no_capacity"), now)
        at_once([partial(sample_decisions.take_back, lab, refused, now), asking(world, item, place + 1, CAPACITY)])
        taken = (
            SampleDay.objects.filter(resource=item).values("day").annotate(total=Sum("samples")).values_list("total", flat=True)
        )
        assert max(taken) <= CAPACITY
    assert violations() == {}
