"""A lock that is not had in time and a deadlock are answered, not suffered."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import connection

from billing.ledger.models import Account
from booking.models import FeedToken, Reservation
from booking.services import feeds, reservations
from config.kernel.access import Actor
from config.kernel.errors import Busy
from config.kernel.models import IdempotencyRecord
from config.kernel.services import transactions
from tests.concurrency.harness import at_once, tally, violations
from tests.concurrency.test_slot_stampede import asking
from tests.concurrency.world import World, publish, voucher
from tests.databases import CommittedDatabase


@contextmanager
def held_by_another(database: CommittedDatabase, statement: str, *values: object) -> Iterator[None]:
    """A connection of somebody else that holds the rows of ``statement``."""
    with psycopg.connect(database.url) as other:
        other.execute(statement, values)
        yield
        other.rollback()


@pytest.fixture
def impatient(committed_db: CommittedDatabase) -> None:
    """This connection waits a fifth of a second for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '200ms'")


def test_a_lock_that_is_not_had_in_time_is_busy_and_leaves_nothing(
    world: World, committed_db: CommittedDatabase, impatient: None
) -> None:
    calendar = world.instruments[0].calendar_id
    call = asking(world, 0, world.slot(9), "k")
    held = held_by_another(committed_db, "SELECT 1 FROM schedule_calendar WHERE id = %s FOR UPDATE", calendar)
    with held, pytest.raises(Busy) as refused:
        call()
    assert refused.value.reasons[0].params == {"retry_after_seconds": 2}
    assert not Reservation.objects.exists() and not IdempotencyRecord.objects.exists()
    assert call().state == "requested"


def test_a_row_lock_of_another_calendar_makes_nobody_wait(world: World, committed_db: CommittedDatabase, impatient: None) -> None:
    other = world.instruments[1].calendar_id
    with held_by_another(committed_db, "SELECT 1 FROM schedule_calendar WHERE id = %s FOR UPDATE", other):
        assert asking(world, 0, world.slot(9), "k")().state == "requested"


def test_a_deadlock_is_retried_as_a_whole(world: World, committed_db: CommittedDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two bookings that take the rows of two calendars in opposite order: the database ends one, which then succeeds."""
    meet = threading.Barrier(2, timeout=30)
    runs: list[int] = []
    load = reservations.booking_context.load_for_customer
    calendars = [each.calendar_id for each in world.instruments[:2]]

    def crosswise(actor, instrument_id, customer_id, during):
        found, customer = load(actor, instrument_id, customer_id, during)
        runs.append(instrument_id)
        if runs.count(instrument_id) == 1:
            meet.wait()
            other = next(each for each in calendars if each != found.instrument.calendar_id)
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM schedule_calendar WHERE id = %s FOR NO KEY UPDATE", [other])
        return found, customer

    monkeypatch.setattr(reservations.booking_context, "load_for_customer", crosswise)
    outcomes = at_once([asking(world, place, world.slot(9), f"k{place}", place) for place in range(2)])
    assert tally(outcomes) == {"ok": 2}
    assert sorted(runs.count(each.pk) for each in world.instruments[:2]) == [1, 2]
    assert Reservation.objects.count() == 2
    assert violations() == {}


def test_after_three_deadlocks_the_error_is_not_hidden(committed_db: CommittedDatabase) -> None:
    tries = []

    def work() -> None:
        tries.append(1)
        with connection.cursor() as cursor:
            cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'deadlock' USING ERRCODE = '40P01'; END $$")

    with pytest.raises(transactions.DatabaseError):
        transactions.run(work)
    assert len(tries) == transactions.ATTEMPTS


def test_another_error_of_the_database_is_not_retried(committed_db: CommittedDatabase) -> None:
    tries = []

    def work() -> None:
        tries.append(1)
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    with pytest.raises(transactions.DatabaseError):
        transactions.run(work)
    assert len(tries) == 1


def test_accounts_opened_by_many_at_once_are_one(world: World) -> None:
    from billing.ledger import services as ledger

    specs = [ledger.AccountSpec(f"new:{number}", "firm_year", 100_00) for number in range(5)]

    def call(place: int):
        wanted = specs if place % 2 else specs[::-1]
        return lambda: transactions.run(lambda: ledger.open_accounts(wanted, world.cast.now))

    publish(world.cast, voucher())
    assert tally(at_once([call(place) for place in range(20)])) == {"ok": 20}
    assert Account.objects.filter(key__startswith="new:").count() == 5
    assert {account.granted_fen for account in Account.objects.filter(key__startswith="new:")} == {100_00}
    assert violations() == {}


def _links(world: World) -> list[Any]:
    actor = world.cast.actor("wang")
    calls = [partial(feeds.issue_feed, actor, "mine", f"link {number}", world.cast.now) for number in range(feeds.MAX_VALID + 8)]
    return at_once(calls)


def test_a_limit_holds_for_a_person_who_asks_many_times_at_once(world: World, committed_db: CommittedDatabase) -> None:
    _links(world)
    assert FeedToken.objects.count() == feeds.MAX_VALID


def test_without_the_lock_of_the_person_the_limit_is_overrun(
    world: World, committed_db: CommittedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = threading.Barrier(feeds.MAX_VALID + 8, timeout=30)

    def nobody_waits(actor: Actor) -> int:
        together.wait()
        return actor.person_id

    monkeypatch.setattr(feeds, "one_at_a_time", nobody_waits)
    _links(world)
    assert FeedToken.objects.count() > feeds.MAX_VALID
