"""kill -9 in the middle of the work: nothing half done stays, and every booking and later step that was acknowledged is there once."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from booking.models import Reservation, ReservationTransition
from booking.services import transitions
from config.kernel.time_range import TimeRange
from instruments.rules.opening import CalendarEntry, EntryKind
from instruments.rules.recurrence import Recurrence
from instruments.services import schedule_store
from tests.concurrency.harness import Answer, Server, overlapping_pairs, tally, violations
from tests.concurrency.test_server import RESERVATIONS, body
from tests.concurrency.test_slot_stampede import asking
from tests.concurrency.world import EVERY_DAY, LABS, World, add_instrument

LIVES = 12
"""Clients that book until they are told to stop."""
STEPS = ("check_in", "extend", "check_out", "agree", "approve", "cancel")
TRIES = 40
"""How often a client asks again that gets no answer, as long as workers die."""


@dataclass
class Load:
    """What clients were told while workers died. ``answers`` by idempotency key; ``unanswered`` are bookings that were broken off.
    ``sessions`` (by client) wait to be begun; ``done`` are later steps that were acknowledged; ``repeated``: how often one broke off."""

    server: Server
    world: World
    sessions: dict[int, list[Reservation]]
    answers: dict[str, Answer] = field(default_factory=dict)
    unanswered: list[tuple[int, str, dict[str, object]]] = field(default_factory=list)
    done: Counter[tuple[int, str]] = field(default_factory=Counter)
    repeated: int = 0
    stop: threading.Event = field(default_factory=threading.Event)
    began: datetime = field(default_factory=lambda: datetime.now(UTC))

    def run(self, client: int) -> None:
        number, waiting = 0, list(self.sessions[client])
        while waiting or not self.stop.is_set():
            if waiting:
                self.use(client, waiting.pop())
            key, place = f"{client}-{number}", number * LIVES + client
            during = self.world.real_slot(8 + place % 22 / 2, 1, day=place // 220 % 50)
            wanted = body(self.world, client, during, place % LABS)
            try:
                self.answers[key] = self.server.post(RESERVATIONS, wanted, self.world.keys[client], key, timeout=20)
            except (OSError, http.client.HTTPException):
                self.unanswered.append((client, key, wanted))
            else:
                if self.answers[key].status == 201 and number % 2:
                    self.promise_and_give_back(client, self.answers[key].body["id"])
            number += 1

    def use(self, client: int, session: Reservation) -> None:
        """Come, stay longer, leave, and agree to it."""
        lab, customer = self.world.manager_keys[client % 4], self.world.keys[client]
        self.step(session.pk, "check-in", "check_in", lab)
        until = session.ends_at + timedelta(hours=1)
        self.step(session.pk, "extend", "extend", customer, ends_at=until.isoformat())
        self.step(session.pk, "check-out", "check_out", lab)
        self.step(session.pk, "agree", "agree", customer)

    def promise_and_give_back(self, client: int, pk: int) -> None:
        self.step(pk, "approve", "approve", self.world.manager_keys[client % 4])
        self.step(pk, "cancel", "cancel", self.world.keys[client])

    def step(self, pk: int, path: str, action: str, token: str, **said: Any) -> None:
        """Take it, again under the same key until there is an answer."""
        for _ in range(TRIES):
            try:
                answer = self.server.post(f"{RESERVATIONS}{pk}/{path}/", said, token, f"{action} {pk}", timeout=20)
            except (OSError, http.client.HTTPException):
                self.repeated += 1
                time.sleep(0.05)
                continue
            self.answers[f"{action} {pk}"] = answer
            if answer.status == 200:
                self.done[pk, action] += 1
            return
        raise AssertionError(f"no answer to {action} of {pk}")


def sessions_of_now(world: World, each: int) -> dict[int, list[Reservation]]:
    """Promised sessions for each client that have begun by the server's clock, every one on an instrument of its own that is open day and
    night."""
    now = datetime.now(UTC)
    starts_at = now.replace(minute=now.minute // 30 * 30, second=0, microsecond=0)
    during, before = TimeRange(starts_at, starts_at + timedelta(hours=2)), starts_at - timedelta(days=2)
    weekly = Recurrence(frequency="weekly", interval=1, weekdays=EVERY_DAY, until=None, count=None)
    all_day = CalendarEntry(EntryKind.OPENING, datetime(2025, 1, 6), datetime(2025, 1, 7), weekly)
    own = replace(world, instruments=[add_instrument(world.cast, f"Always {place}") for place in range(LIVES * each)])
    schedule_store.add_entries([(one.calendar_id, world.cast.site.time_zone, all_day) for one in own.instruments])
    promised: dict[int, list[Reservation]] = {client: [] for client in range(LIVES)}
    for place, one in enumerate(own.instruments):
        pk = asking(own, place % LIVES, during, f"now {one.pk}", place, before)().reservation_id
        promised[place % LIVES].append(transitions.approve(own.manager(0), pk, before))
    return promised


def under_load(server: Server, world: World, kills: int, pause: float, sessions: int) -> Load:
    """Book, and use ``sessions`` of each client, while ``kills`` workers are killed, one every ``pause`` seconds; what the clients saw."""
    load = Load(server, world, sessions_of_now(world, sessions))
    clients = [threading.Thread(target=load.run, args=(client,)) for client in range(LIVES)]
    for client in clients:
        client.start()
    for _ in range(kills):
        time.sleep(pause)
        server.kill_worker()
    load.stop.set()
    for client in clients:
        client.join()
    return load


def nothing_is_lost(load: Load) -> None:
    """Every acknowledged booking is in the database, and so is every later step, once; who got no answer asks again under the same key and
    gets one effect."""
    assert set(tally(list(load.answers.values()))) <= {"200", "201", "409"}
    assert {action for _pk, action in load.done} == set(STEPS)
    assert all(load.done[session.pk, "agree"] for each in load.sessions.values() for session in each)
    taken = ReservationTransition.objects.filter(action__in=STEPS, at__gte=load.began).values_list("reservation_id", "action")
    assert Counter(taken) == load.done
    acknowledged = {answer.body["id"] for answer in load.answers.values() if answer.status == 201}
    assert acknowledged
    assert set(Reservation.objects.filter(pk__in=acknowledged).values_list("pk", flat=True)) == acknowledged
    again = [load.server.post(RESERVATIONS, wanted, load.world.keys[client], key) for client, key, wanted in load.unanswered]
    assert set(tally(again)) <= {"200", "201", "409"}
    told = acknowledged | {answer.body["id"] for answer in again if answer.status in {200, 201}}
    promised = {session.pk for each in load.sessions.values() for session in each}
    assert set(Reservation.objects.values_list("pk", flat=True)) == told | promised
    connection.close()
    assert overlapping_pairs() == 0
    assert violations() == {}


def figures(load: Load, record_property: Callable[[str, object], None]) -> None:
    """What goes into the report of the run."""
    record_property("answers", dict(tally(list(load.answers.values()))))
    record_property("calls broken off", len(load.unanswered))
    record_property("later steps broken off", load.repeated)


def test_workers_killed_under_load_lose_nothing(
    template: World, server: Server, record_property: Callable[[str, object], None]
) -> None:
    load = under_load(server, template, kills=8, pause=1.0, sessions=4)
    figures(load, record_property)
    nothing_is_lost(load)


@pytest.mark.proof
def test_a_hundred_workers_killed_under_load_lose_nothing(
    template: World, server: Server, record_property: Callable[[str, object], None]
) -> None:
    before = set(Reservation.objects.values_list("pk", flat=True))
    load = under_load(server, template, kills=100, pause=0.8, sessions=40)
    figures(load, record_property)
    assert load.unanswered and load.repeated, "the kills hit no request, or no later step: they prove nothing"
    load.answers |= {f"before {pk}": Answer(201, {"id": pk}, {}, 0) for pk in before}
    nothing_is_lost(load)
