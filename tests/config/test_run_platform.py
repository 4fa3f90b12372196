"""``run_platform`` for real: it serves, and however it ends no process is left behind."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import settings

from instruments.models import Organisation
from tests.conftest import NOW

from .conftest import Installation, add

START_SECONDS = 90
END_SECONDS = 30


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Running:
    """The platform on a port of its own, over a database that is not empty (so that no demo is loaded)."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "run_platform", "--port", str(self.port)],
            cwd=settings.BASE_DIR,
            env=installation.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def health(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    def wait_until_up(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            with suppress(urllib.error.URLError, ConnectionError, TimeoutError):
                if self.health()["status"] == "ok":
                    return
            time.sleep(0.1)
        pytest.fail(f"not up: {self.process.communicate(timeout=5)}" if self.process.poll() is not None else "not up in time")

    def family(self) -> list[psutil.Process]:
        """Web master, its two workers and our worker."""
        deadline = time.monotonic() + START_SECONDS
        found: list[psutil.Process] = []
        while len(found) < 4 and time.monotonic() < deadline:
            found = psutil.Process(self.process.pid).children(recursive=True)
            time.sleep(0.1)
        assert len(found) == 4, found
        return found

    def end(self) -> str:
        said, _ = self.process.communicate(timeout=END_SECONDS)
        return said


@pytest.fixture(scope="module")
def home(migrated: Installation) -> Installation:
    add(migrated, Organisation(kind="firm", name="a", name_key="a", created_at=NOW))
    return migrated


@pytest.fixture
def running(home: Installation) -> Iterator[Running]:
    platform = Running(home)
    platform.wait_until_up()
    yield platform
    if platform.process.poll() is None:
        platform.process.terminate()
        platform.end()


def assert_nothing_is_left(family: list[psutil.Process], home: Installation) -> None:
    psutil.wait_procs(family, timeout=10)
    assert [process for process in family if process.is_running() and process.status() != psutil.STATUS_ZOMBIE] == []
    assert home.server_pids() == []


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.proof)])
def test_a_signal_ends_web_worker_and_database(number: signal.Signals, running: Running, home: Installation) -> None:
    health = running.health()
    assert health["worker_heartbeat_age_seconds"] < 60
    family = running.family()
    assert {_umask(process) for process in family} == {"0027"}  # others cannot read what they write
    assert home.server_pids() != []
    running.process.send_signal(number)
    said = running.end()
    assert "Everything has ended." in said and "ERROR" not in said
    assert running.process.returncode == 0
    assert_nothing_is_left(family, home)


@pytest.mark.parametrize("name", ["worker", pytest.param("gunicorn", marks=pytest.mark.proof)])
def test_a_part_that_dies_ends_everything_and_says_so(name: str, running: Running, home: Installation) -> None:
    family = running.family()
    parts = [process for process in psutil.Process(running.process.pid).children() if name in " ".join(process.cmdline())]
    assert len(parts) == 1
    parts[0].kill()
    said = running.end()
    assert running.process.returncode == 1
    assert "process ended by itself (exit code -9); everything stops" in said
    assert_nothing_is_left(family, home)


@pytest.mark.proof
def test_a_killed_supervisor_takes_its_parts_with_it(running: Running, home: Installation) -> None:
    family = running.family()
    running.process.kill()
    running.process.wait()
    psutil.wait_procs(family, timeout=20)
    deadline = time.monotonic() + 10
    while home.server_pids() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert_nothing_is_left(family, home)


def test_a_taken_port_is_said_in_a_sentence(home: Installation) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = home.manage("run_platform", "--port", str(port))
    assert done.returncode == 1
    assert f"Port {port} on 127.0.0.1 cannot be had (Address already in use). Try: make run PORT={port + 1}" in done.stderr
    assert home.server_pids() == []


@pytest.mark.proof
def test_a_missing_guard_keeps_the_platform_down(home: Installation) -> None:
    drop = "from django.db import connection as c; c.cursor().execute('ALTER TABLE booking_occupancy {}')"
    lost = "DROP CONSTRAINT occupancy_half_open"
    back = "ADD CONSTRAINT occupancy_half_open CHECK (lower_inc(during))"
    home.manage("shell", "-v", "0", "-c", drop.format(lost))
    try:
        done = home.manage("run_platform", "--port", str(free_port()))
    finally:
        home.manage("shell", "-v", "0", "-c", drop.format(back))
    assert done.returncode == 1
    assert "constraint occupancy_half_open on booking_occupancy is missing" in done.stderr
    assert home.server_pids() == []


def _umask(process: psutil.Process) -> str:
    lines = Path("/proc", str(process.pid), "status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith("Umask"))
