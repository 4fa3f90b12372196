"""*reserve*: the real service in process, and the real route over HTTP with two server processes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from booking.services import reservations
from booking.services.reservations import ReservationRequest
from config.kernel.time_range import TimeRange
from tests.bench.harness import NOW, Figure, hours_from_now, percentile, seconds_for, silent_garbage
from tests.bench.stage import Stage

IN_PROCESS = 400
CLIENTS = 8
PER_CLIENT = 150


def in_process(stage: Stage) -> list[Figure]:
    """One reserve with quote, history, audit, job and idempotency, against one bare INSERT and COMMIT into the same database."""
    actor = stage.cast.actor("lin")
    slots = hours_from_now()
    instrument = stage.instruments[0]

    def reserve(key: int) -> None:
        during = TimeRange(*next(slots))
        request = ReservationRequest(instrument.pk, stage.cast.firm.pk, during, "self_operated", "bench")
        reservations.reserve(actor, request, NOW, idempotency_key=f"in-process-{key}")

    for key in range(30):
        reserve(-1 - key)
    with CaptureQueriesContext(connection) as queries:
        reserve(IN_PROCESS)
    statements = [q for q in queries.captured_queries if not q["sql"].startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE"))]
    with silent_garbage():
        ours, bare = _interleaved(reserve)
    per_ours, per_bare = ours / IN_PROCESS * 1000, bare / IN_PROCESS * 1000
    return [
        Figure(
            "reserve, in process",
            per_ours,
            "ms",
            "<= 10x",
            per_ours <= 10 * per_bare,
            per_bare,
            "bare INSERT + COMMIT",
        ),
        Figure("reserve, SQL statements", len(statements), "queries", "<= 14", len(statements) <= 14),
    ]


def _interleaved(reserve: object) -> tuple[float, float]:
    """Both in turns of forty, so that a busy moment of the machine falls on both."""
    ours = bare = 0.0
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS bench_bare (id bigserial PRIMARY KEY, calendar_id bigint, during tstzrange)")

        def insert(key: int) -> None:
            start, end = next(slots)
            cursor.execute("INSERT INTO bench_bare (calendar_id, during) VALUES (%s, tstzrange(%s, %s))", [1, start, end])

        slots = hours_from_now()
        for turn in range(0, IN_PROCESS, 40):
            keys = range(turn, turn + 40)
            ours += seconds_for(lambda keys=keys: [reserve(key) for key in keys])  # type: ignore[operator, misc]
            bare += seconds_for(lambda keys=keys: [insert(key) for key in keys])  # type: ignore[misc]
    return ours, bare


def over_http(stage: Stage) -> list[Figure]:
    """Eight clients against two gunicorn processes; every request books another slot, so all succeed."""
    port = _free_port()
    environment = {**os.environ, "JISHI_API_RATE": "1000000/min", "JISHI_LOG": "ERROR"}
    command = [
        sys.executable, "-m", "gunicorn", "config.wsgi", "--workers", "2", "--bind", f"127.0.0.1:{port}",
        "--no-control-socket", "--log-level", "error",
    ]  # fmt: skip
    server = subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment)
    try:
        _wait_for(port)
        _run_clients(stage, port, 5, "warm")
        latencies, statuses, wall = _run_clients(stage, port, PER_CLIENT, "run")
    finally:
        server.terminate()
        server.wait(timeout=20)
    rate = statuses.count(201) / wall
    p99 = percentile(latencies, 0.99) * 1000
    wrong = len(statuses) - statuses.count(201)
    return [
        Figure("reserve, HTTP, 8 clients, 2 processes", rate, "per s", ">= 200 (peer 31)", rate >= 200 and wrong == 0),
        Figure("reserve, HTTP, p50", percentile(latencies, 0.5) * 1000, "ms", "(peer 219)", True),
        Figure("reserve, HTTP, p99", p99, "ms", "<= 150", p99 <= 150),
    ]


def _run_clients(stage: Stage, port: int, count: int, name: str) -> tuple[list[float], list[int], float]:
    latencies: list[float] = []
    statuses: list[int] = []

    def client(number: int) -> None:
        instrument = stage.instruments[1 + number]
        slots = _slots(name)
        for turn in range(count):
            payload = _payload(stage, instrument.pk, *next(slots))
            began = time.perf_counter()
            statuses.append(_post(port, stage.token, f"{name}-{number}-{turn}", payload))
            latencies.append(time.perf_counter() - began)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return latencies, statuses, time.perf_counter() - began


def _slots(name: str) -> Iterator[tuple[datetime, datetime]]:
    slots = hours_from_now()
    for _ in range(0 if name == "warm" else 20):
        next(slots)
    return slots


def _payload(stage: Stage, instrument_id: int, start: datetime, end: datetime) -> bytes:
    body = {
        "instrument": instrument_id,
        "organisation": stage.cast.firm.pk,
        "starts_at": start.isoformat(),
        "ends_at": end.isoformat(),
        "service_mode": "self_operated",
        "purpose": "bench",
    }
    return json.dumps(body).encode()


def _post(port: int, token: str, key: str, payload: bytes) -> int:
    """One request on a connection of its own, as gunicorn's sync workers serve them; returns the status."""
    head = (
        f"POST /api/v1/reservations/ HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=30) as link:
        link.sendall(head.encode() + payload)
        answer = link.recv(65536)
        while link.recv(65536):
            pass
    return int(answer.split(b" ", 2)[1])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            time.sleep(1)
            return
    raise RuntimeError("the server did not start")
