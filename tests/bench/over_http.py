"""What is measured over HTTP: two gunicorn processes, and clients that each send one call after the other."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from tests.bench.harness import Figure, on_cpu, percentile

CLIENTS = 8


@dataclass(frozen=True, slots=True)
class Site:
    """The application on the bench's database, with two worker processes as in production."""

    port: int
    process: subprocess.Popen[bytes]

    def post(self, path: str, token: str, key: str, body: dict[str, Any]) -> int:
        """One request on a connection of its own, as gunicorn's sync workers serve them; returns the status."""
        payload = json.dumps(body).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: {key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\nConnection: close\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as link:
            link.sendall(head.encode() + payload)
            answer = link.recv(65536)
            while link.recv(65536):
                pass
        return int(answer.split(b" ", 2)[1])

    def crowd(self, calls: int, call: Callable[[int, int], int], clients: int = CLIENTS) -> Crowd:
        """``call(client, turn)`` answers with a status; every client makes ``calls`` of them, one after the other."""
        latencies: list[float] = []
        statuses: list[int] = []

        def client(number: int) -> None:
            for turn in range(calls):
                began = time.perf_counter()
                statuses.append(call(number, turn))
                latencies.append(time.perf_counter() - began)

        threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
        busy, began = self.busy(), time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return Crowd(latencies, statuses, time.perf_counter() - began, self.busy() - busy)

    def busy(self) -> float:
        """Seconds that its processes and those of the database that work for it were on a CPU."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
            database = [pid for (pid,) in cursor.fetchall()]
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="ascii").split()
        return sum(on_cpu(Path(f"/proc/{pid}/schedstat")) for pid in (*database, *children))


@dataclass(frozen=True, slots=True)
class Crowd:
    """What all clients together were told. ``seconds`` by the clock, from the first call to the last answer; ``busy`` are those that the
    processes of server and database were on a CPU: what is left of them is the machine's and the clients'."""

    latencies: list[float]
    statuses: list[int]
    seconds: float
    busy: float

    def figures(
        self, name: str, status: int, per_second: int, p99_ms: int | None, peer: tuple[str, str] = ("", "")
    ) -> list[Figure]:
        """Rate, latencies and cost; every call has to be answered with ``status``. ``peer``: how many and how slow elsewhere."""
        done = self.statuses.count(status)
        rate, p99 = done / self.seconds, percentile(self.latencies, 0.99) * 1000
        enough = rate >= per_second and done == len(self.statuses)
        soon = "" if p99_ms is None else f"<= {p99_ms}"
        return [
            Figure(f"{name}, HTTP, 8 clients, 2 processes", rate, "per s", f">= {per_second}{peer[0]}", enough),
            Figure(f"{name}, HTTP, CPU of server and database", self.busy / len(self.statuses) * 1000, "ms", "", True),
            Figure(f"{name}, HTTP, p50", percentile(self.latencies, 0.5) * 1000, "ms", peer[1], True),
            Figure(f"{name}, HTTP, p99", p99, "ms", soon, p99_ms is None or p99 <= p99_ms),
        ]


@contextmanager
def serving(**more: str) -> Iterator[Site]:
    """The site, until the end of the block; ``more``: further settings of its environment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = {**os.environ, "JISHI_API_RATE": "1000000/min", "JISHI_LOG": "ERROR", **more}
    command = [
        sys.executable, "-m", "gunicorn", "config.wsgi", "--workers", "2", "--bind", f"127.0.0.1:{port}",
        "--no-control-socket", "--log-level", "error",
    ]  # fmt: skip
    server = subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment)
    try:
        _wait_for(port)
        yield Site(port, server)
    finally:
        server.terminate()
        server.wait(timeout=20)


def hour_ahead(hours: int) -> tuple[datetime, datetime]:
    """That hour of the days from the day after tomorrow, by the server's own clock: such hours never touch."""
    start = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=2, hours=hours)
    return start, start + timedelta(hours=1)


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
