"""Many callers at the same moment: threads with connections of their own, and a real server with several processes."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings
from django.db import connection

from config.kernel import invariants
from tests.databases import CommittedDatabase

T = TypeVar("T")
START_SECONDS = 30


def violations() -> dict[str, tuple[str, ...]]:
    """Every broken invariant of the current database with what is wrong."""
    findings = {name: invariant() for name, invariant in invariants.registered().items()}
    return {name: finding.violations for name, finding in findings.items() if finding.violations}


def broken(*leave_out: str) -> dict[str, tuple[str, ...]]:
    """As ``violations``, without the named invariants (for a control that removed a guard itself)."""
    return {name: found for name, found in violations().items() if name not in leave_out}


def overlapping_pairs() -> int:
    """Pairs of blocking occupancies of one calendar that share time, counted by the database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM booking_occupancy a JOIN booking_occupancy b"
            " ON a.calendar_id = b.calendar_id AND a.id < b.id AND a.during && b.during WHERE a.blocking AND b.blocking"
        )
        return int(cursor.fetchone()[0])


def sql_run(*statements: str) -> None:
    """Change the schema of the current database."""
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def at_once(calls: Sequence[Callable[[], T]]) -> list[T | Exception]:
    """Make every call in a thread of its own, released together; what each gave or raised, in order."""
    gate = threading.Barrier(len(calls))
    results: list[T | Exception] = [RuntimeError("never ran")] * len(calls)

    def run(place: int) -> None:
        try:
            connection.ensure_connection()
            gate.wait(timeout=60)
            results[place] = calls[place]()
        except Exception as error:
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@dataclass(frozen=True)
class Answer:
    """What the server said, and how long that took."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]
    seconds: float


@dataclass
class Server:
    """gunicorn with its worker processes on a port of its own."""

    database: CommittedDatabase
    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def post(self, path: str, body: dict[str, Any], token: str, key: str, timeout: float = 60) -> Answer:
        """One POST on a connection of its own. Raises OSError or http.client.HTTPException when the server broke it off."""
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Idempotency-Key": key,
            "Accept-Language": "en",
        }
        began = time.monotonic()
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            client.request("POST", path, json.dumps(body), headers)
            response = client.getresponse()
            raw = response.read()
            text = json.loads(raw) if raw.startswith(b"{") else {"raw": raw.decode(errors="replace")[:2000]}
            return Answer(response.status, text, dict(response.getheaders()), time.monotonic() - began)
        finally:
            client.close()

    def workers(self) -> list[int]:
        """The process ids of the workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def kill_worker(self) -> int:
        """kill -9 the first worker; returns its process id."""
        pid = self.workers()[0]
        os.kill(pid, signal.SIGKILL)
        return pid


@contextlib.contextmanager
def serving(
    database: CommittedDatabase, *, workers: int = 4, app: str = "config.wsgi:application", **extra: str
) -> Iterator[Server]:
    """The application server on ``database``, started as in production, stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="jishi-races-") as home:
        log = Path(home) / "server.log"
        port = _free_port()
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("JISHI_", "DATABASE_URL", "DJANGO_"))}
        environment = {
            **kept,
            "JISHI_HOME": home,
            "DATABASE_URL": database.url,
            "JISHI_BIND": f"127.0.0.1:{port}",
            "JISHI_WEB_WORKERS": str(workers),
            "JISHI_API_RATE": "1000000/min",
            **extra,
        }
        command = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py", app]
        with log.open("wb") as sink:
            process = subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment, stdout=sink, stderr=sink)
        server = Server(database, process, port, log)
        try:
            _wait_until_up(server)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_up(server: Server) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            raise RuntimeError(f"the server ended: {server.log.read_text()}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", server.port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"the server does not come up: {server.log.read_text()}")


def tally(outcomes: Sequence[object]) -> Counter[str]:
    """How often each outcome came: a status, a refusal's first code, or a result's type."""
    return Counter(_label(outcome) for outcome in outcomes)


def _label(outcome: object) -> str:
    if isinstance(outcome, Answer):
        return str(outcome.status)
    reasons = getattr(outcome, "reasons", None)
    if reasons:
        return str(reasons[0].code)
    if isinstance(outcome, Exception):
        return f"{type(outcome).__name__}: {outcome}"[:200]
    return "ok"
