"""More time against a new booking, a wish accepted twice, a batch of events sent many times: each has one outcome."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from billing.settlement.models import Charge
from booking.models import DeviceEvent, DeviceRun, Reservation, UsageSession
from booking.ports import NOTHING_EXPECTED
from booking.rules.device_runs import EventKind
from booking.services import device_events, device_keys, extending, transitions, usage_review
from booking.services.device_events import Batch, Told
from tests.concurrency.harness import at_once, broken, overlapping_pairs, sql_run, tally, violations
from tests.concurrency.test_slot_stampede import asking
from tests.concurrency.world import World, publish, voucher

HOUR = timedelta(hours=1)
ROUNDS = 5


def running(world: World, place: int, instrument: int) -> Reservation:
    """A session from eight to ten of one of the crowd that has begun."""
    pk = asking(world, place, world.slot(8), f"r{instrument}", instrument)().reservation_id
    transitions.approve(world.manager(0), pk, world.cast.now)
    transitions.check_in(world.manager(0), pk, world.slot(8).starts_at)
    return Reservation.objects.get(pk=pk)


def test_of_more_time_and_a_new_booking_one_gets_the_hour(world: World) -> None:
    publish(world.cast, voucher())
    for number in range(ROUNDS):
        session = running(world, number, number)
        until, now = session.ends_at + HOUR, session.starts_at - timedelta(days=1)
        longer = partial(extending.extend, world.person(number), session.pk, until, NOTHING_EXPECTED, now)
        others = [asking(world, 20 + place, world.slot(10), f"o{number}-{place}", number) for place in range(3)]
        outcomes = at_once([longer, *others])
        assert tally(outcomes)["ok"] == 1
    assert overlapping_pairs() == 0
    assert violations() == {}


def test_without_constraint_and_lock_both_get_the_hour(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    sql_run("ALTER TABLE booking_occupancy DROP CONSTRAINT occupancy_no_overlap")
    unlocked = Reservation.objects.select_related("instrument__site", "instrument__organisation", "organisation")
    monkeypatch.setattr(extending, "behind_lock", lambda pk: unlocked.get(pk=pk))
    monkeypatch.setattr(extending, "extension_faults", lambda *args: [])
    session = running(world, 0, 0)
    now = session.starts_at - timedelta(days=1)
    longer = partial(extending.extend, world.person(0), session.pk, session.ends_at + HOUR, NOTHING_EXPECTED, now)
    outcomes = at_once([longer, asking(world, 1, world.slot(10), "other", 0)])
    assert tally(outcomes)["ok"] == 2
    assert overlapping_pairs() == 1
    assert "booking.no_double_booking" in broken("kernel.guards_installed")


def test_a_wish_accepted_by_many_at_once_is_charged_once(world: World) -> None:
    publish(world.cast, voucher())
    for number in range(ROUNDS):
        session = running(world, number, number)
        at = session.ends_at
        transitions.check_out(world.manager(0), session.pk, at)
        usage_review.ask_adjustment(world.person(number), session.pk, None, "It failed.", at)
        calls = [partial(usage_review.accept_adjustment, world.manager(place % 4), session.pk, at) for place in range(4)]
        calls += [partial(usage_review.refuse_adjustment, world.manager(place), session.pk, "No.", at) for place in range(2)]
        assert tally(at_once(calls)) == {"ok": 1, "booking.illegal_transition": 5}
    assert Charge.objects.count() == UsageSession.objects.filter(agreed_at__isnull=False).count()
    assert violations() == {}


def test_the_same_batch_from_many_senders_is_stored_once(world: World) -> None:
    instrument = world.instruments[0]
    key = device_keys.issue(world.manager(0), world.cast.lab.pk, instrument.pk, "PC", world.cast.now)[0]
    span = world.slot(12)
    now = span.ends_at
    told = (Told("a", EventKind.START, span.starts_at), Told("b", EventKind.STOP, span.ends_at))
    outcomes = at_once([partial(device_events.receive, key, Batch(now, told), now) for _ in range(6)])
    results = sorted(fate.result for receipt in outcomes for fate in receipt.fates)  # type: ignore[union-attr]
    assert results == ["repeated"] * 10 + ["stored"] * 2
    assert (DeviceEvent.objects.count(), DeviceRun.objects.count()) == (2, 1)
    assert violations() == {}
