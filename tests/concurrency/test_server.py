"""The same through the application server as it runs in production: several processes, real connections, real tokens.

All tests but the control use one server and one database, each its own instruments.
"""

from __future__ import annotations

import http.client
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg

from booking.models import InstrumentPolicy, Reservation
from config.kernel.models import IdempotencyRecord
from config.kernel.time_range import TimeRange
from tests.concurrency.harness import (
    Answer,
    CommittedDatabase,
    Server,
    at_once,
    overlapping_pairs,
    serving,
    sql_run,
    tally,
    violations,
)
from tests.concurrency.world import CLIENTS, World

ROUNDS = 20
RESERVATIONS = "/api/v1/reservations/"


def body(world: World, place: int, during: TimeRange, instrument: int = 0) -> dict[str, Any]:
    return {
        "instrument": world.instruments[instrument].pk,
        "organisation": world.firms[place].pk,
        "starts_at": during.starts_at.isoformat(),
        "ends_at": during.ends_at.isoformat(),
        "service_mode": "self_operated",
        "purpose": "race",
    }


def stampede(server: Server, world: World, rounds: int) -> list[list[Answer]]:
    """Every client asks for the same two hours, round after round, each round another time."""
    answers = []
    with ThreadPoolExecutor(CLIENTS) as clients:
        for number in range(rounds):
            during = world.real_slot(8 + 2 * (number % 6), day=number // 6)

            def ask(place: int, during: TimeRange = during, number: int = number) -> Answer:
                return server.post(RESERVATIONS, body(world, place, during), world.keys[place], f"round {number}")

            answers.append(list(clients.map(ask, range(CLIENTS))))
    return answers


def test_fifty_clients_and_twenty_rounds_have_one_winner_each(
    template: World, server: Server, record_property: Callable[[str, object], None]
) -> None:
    answers = stampede(server, template, ROUNDS)
    waits = sorted(answer.seconds for each in answers for answer in each)
    record_property("seconds, median and p99", [round(waits[len(waits) * part // 100], 3) for part in (50, 99)])
    assert [tally(each) for each in answers] == [{"201": 1, "409": CLIENTS - 1}] * ROUNDS
    losers = [answer for each in answers for answer in each if answer.status == 409]
    assert Counter(answer.body["code"] for answer in losers) == {"booking.just_taken": ROUNDS * (CLIENTS - 1)}
    assert all(answer.body["alternatives"] for answer in losers)
    assert Reservation.objects.filter(instrument=template.instruments[0]).count() == ROUNDS
    assert overlapping_pairs() == 0
    assert violations() == {}


def test_without_constraint_and_lock_and_with_an_early_look_there_are_many_winners(
    world: World, committed_db: CommittedDatabase, record_property: Callable[[str, object], None]
) -> None:
    """The control: the same clients, the same harness."""
    sql_run("ALTER TABLE booking_occupancy DROP CONSTRAINT occupancy_no_overlap")
    with serving(committed_db, app="tests.concurrency.control_app:application") as server:
        answers = stampede(server, world, 5)
    winners = [tally(each)["201"] for each in answers]
    record_property("winners of each round", winners)
    assert sum(each > 1 for each in winners) >= 2, winners
    assert overlapping_pairs() > 0
    assert violations()["booking.no_double_booking"]


def test_random_overlapping_requests_leave_no_overlap(template: World, server: Server) -> None:
    def ask(number: int) -> Answer:
        place, start = number % CLIENTS, 8 + (number * 7 % 21) / 2
        during = template.real_slot(start, 1 + number % 3 / 2, day=number // 100)
        wanted = body(template, place, during, 1 + number % 2)
        return server.post(RESERVATIONS, wanted, template.keys[place], f"random {number}")

    with ThreadPoolExecutor(CLIENTS) as clients:
        outcome = tally(list(clients.map(ask, range(200))))
    assert set(outcome) == {"201", "409"}
    assert outcome["201"] == Reservation.objects.filter(instrument__in=template.instruments[1:3]).count() > 8
    assert overlapping_pairs() == 0
    assert violations() == {}


def test_one_key_sent_twenty_times_books_once_and_is_answered_alike(template: World, server: Server) -> None:
    wanted = body(template, 0, template.real_slot(9), 3)
    answers = at_once([lambda: server.post(RESERVATIONS, wanted, template.keys[0], "same")] * 20)
    assert tally(answers) == {"201": 1, "200": 19}
    assert len({str(answer.body) for answer in answers}) == 1
    assert Reservation.objects.filter(instrument=template.instruments[3]).count() == 1
    assert IdempotencyRecord.objects.filter(key="same").count() == 1
    other = server.post(RESERVATIONS, wanted | {"purpose": "another"}, template.keys[0], "same")
    assert (other.status, other.body["code"]) == (422, "idempotency.other_payload")
    missing = server.post(RESERVATIONS, wanted, template.keys[0], "")
    assert (missing.status, missing.body["code"]) == (422, "idempotency.key_missing")
    assert violations() == {}


def test_a_calendar_that_stays_locked_is_answered_503_with_a_time_to_come_back(template: World, server: Server) -> None:
    wanted = body(template, 0, template.real_slot(9), 4)
    with psycopg.connect(server.database.url) as other:
        other.execute("SELECT 1 FROM schedule_calendar WHERE id = %s FOR UPDATE", [template.instruments[4].calendar_id])
        busy = server.post(RESERVATIONS, wanted, template.keys[0], "locked")
        other.rollback()
    assert (busy.status, busy.body["code"], busy.headers["Retry-After"]) == (503, "kernel.busy", "2")
    assert 3 <= busy.seconds < 10
    assert server.post(RESERVATIONS, wanted, template.keys[0], "locked").status == 201


def test_managers_who_approve_competing_requests_over_http_approve_one(template: World, server: Server) -> None:
    """Every other time they let the rivals wait; else whoever comes first declines them with it."""
    InstrumentPolicy.objects.create(instrument=template.instruments[5], pending_blocks=False)
    for number in range(6):
        during = template.real_slot(8 + 2 * number)
        asked = [
            server.post(RESERVATIONS, body(template, place, during, 5), template.keys[place], f"rival {number}")
            for place in range(4)
        ]
        paths = [f"{RESERVATIONS}{answer.body['id']}/approve/" for answer in asked]
        sent, lost = (
            ({"rivals": "keep"}, ("409", "booking.just_taken")) if number % 2 else ({}, ("422", "booking.illegal_transition"))
        )
        calls = [
            lambda path=path, key=key, sent=sent: server.post(path, sent, key, f"approve {path}")
            for path, key in zip(paths, template.manager_keys, strict=True)
        ]
        answers = at_once(calls)
        assert tally(answers) == {"200": 1, lost[0]: 3}
        assert {answer.body["code"] for answer in answers if answer.status != 200} == {lost[1]}
    of_instrument = Reservation.objects.filter(instrument=template.instruments[5])
    assert Counter(of_instrument.values_list("state", flat=True)) == {"approved": 6, "requested": 9, "rejected": 9}
    assert overlapping_pairs() == 0
    assert violations() == {}


def test_an_address_of_a_hundred_kilobytes_is_refused_as_too_long_and_searching_goes_on(server: Server) -> None:
    def asked(words: str) -> tuple[int, str]:
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        try:
            client.request("GET", f"/search/?q={words}")
            answer = client.getresponse()
            return answer.status, answer.read().decode()
        finally:
            client.close()

    for words in ("a" * 100_000, "%E4%BB%AA" * 12_000):
        status, told = asked(words)
        assert status == 414, told
    assert asked("brine")[0] == 200
    assert asked("%E4%BB%AA" * 400)[0] == 200  # far more than anybody types
