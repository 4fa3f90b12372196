"""kill -9 in the middle of the work: nothing half done stays, and every booking that was acknowledged is there."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from django.db import connection

from booking.models import Reservation
from tests.concurrency.harness import Answer, Server, overlapping_pairs, tally, violations
from tests.concurrency.test_server import RESERVATIONS, body
from tests.concurrency.world import LABS, World

LIVES = 12
"""Clients that book until they are told to stop."""


@dataclass
class Load:
    """What clients were told while workers died. ``answers`` by idempotency key; ``unanswered`` are calls that were broken off."""

    server: Server
    world: World
    answers: dict[str, Answer] = field(default_factory=dict)
    unanswered: list[tuple[int, str, dict[str, object]]] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self, client: int) -> None:
        number = 0
        while not self.stop.is_set():
            key, place = f"{client}-{number}", number * LIVES + client
            during = self.world.real_slot(8 + place % 22 / 2, 1, day=place // 220 % 50)
            wanted = body(self.world, client, during, place % LABS)
            try:
                self.answers[key] = self.server.post(RESERVATIONS, wanted, self.world.keys[client], key, timeout=20)
            except (OSError, http.client.HTTPException):
                self.unanswered.append((client, key, wanted))
            number += 1


def under_load(server: Server, world: World, kills: int, pause: float) -> Load:
    """Book while ``kills`` workers are killed, one every ``pause`` seconds; what the clients saw."""
    load = Load(server, world)
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
    """Every acknowledged booking is in the database; who got no answer asks again under the same key and gets one effect."""
    assert set(tally(list(load.answers.values()))) <= {"201", "409"}
    acknowledged = {answer.body["id"] for answer in load.answers.values() if answer.status == 201}
    assert acknowledged
    assert set(Reservation.objects.filter(pk__in=acknowledged).values_list("pk", flat=True)) == acknowledged
    again = [load.server.post(RESERVATIONS, wanted, load.world.keys[client], key) for client, key, wanted in load.unanswered]
    assert set(tally(again)) <= {"200", "201", "409"}
    told = acknowledged | {answer.body["id"] for answer in again if answer.status in {200, 201}}
    assert set(Reservation.objects.values_list("pk", flat=True)) == told
    connection.close()
    assert overlapping_pairs() == 0
    assert violations() == {}


def figures(load: Load, record_property: Callable[[str, object], None]) -> None:
    """What goes into the report of the run."""
    record_property("answers", dict(tally(list(load.answers.values()))))
    record_property("calls broken off", len(load.unanswered))


def test_workers_killed_under_load_lose_nothing(
    template: World, server: Server, record_property: Callable[[str, object], None]
) -> None:
    load = under_load(server, template, kills=8, pause=1.0)
    figures(load, record_property)
    nothing_is_lost(load)


@pytest.mark.proof
def test_a_hundred_workers_killed_under_load_lose_nothing(
    template: World, server: Server, record_property: Callable[[str, object], None]
) -> None:
    before = set(Reservation.objects.values_list("pk", flat=True))
    load = under_load(server, template, kills=100, pause=0.8)
    figures(load, record_property)
    assert load.unanswered, "the kills hit no request: they prove nothing"
    load.answers |= {f"before {pk}": Answer(201, {"id": pk}, {}, 0) for pk in before}
    nothing_is_lost(load)
