"""A running platform for the browser: a database of its own, the application server with two processes, and the worker."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from allauth.account.internal.userkit import user_id_to_str
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connections

from tests import databases
from tests.databases import CommittedDatabase, forget_versions

BEFOREHAND = os.environ.get("JISHI_STAGED", "")
"""A folder made for this run of the steps, when the demo is staged before the browser's tests begin."""
RUN = Path(BEFOREHAND).name.lower() or os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid.uuid4().hex
"""The same in all processes of a test run."""
STAGED = "jishi_staged_"
COPY = f"jishi_browser{os.environ.get('PYTEST_XDIST_WORKER', '')}_"
"""Each test process has copies of its own."""
READY_SECONDS = 60
STOP_SECONDS = 12
SESSION_STAYS_FRESH_SECONDS = 3600
"""So long nobody is asked for the password again before a delicate page, however slow the machine."""


@dataclass
class Site:
    """``address`` is where the pages are; ``database`` is what the processes behind it use, ``blocker`` pytest-django's.

    ``neighbour_port`` is the one loopback port that the site may read calendars from.
    """

    address: str
    database: CommittedDatabase
    log: Path
    blocker: Any
    neighbour_port: int = 0

    @contextlib.contextmanager
    def data(self) -> Iterator[None]:
        """Inside, the ORM of this process reads and writes the site's database."""
        connection = connections["default"]
        usual = connection.settings_dict["NAME"]
        if usual == self.database.name:
            yield
            return
        connection.settings_dict["NAME"] = self.database.name
        forget_versions()
        try:
            with self.blocker.unblock():
                yield
                connection.close()
        finally:
            connection.settings_dict["NAME"] = usual
            forget_versions()

    def session_cookie(self, email: str) -> dict[str, Any]:
        """A cookie of somebody who has just logged in."""
        with self.data():
            key = just_logged_in(email)
        return {"name": settings.SESSION_COOKIE_NAME, "value": key, "url": self.address}


def just_logged_in(email: str) -> str:
    """The key of a session, in the database of this process, of somebody who has just given the password."""
    from instruments.models import User

    user = User.objects.get(email=email)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session["account_authentication_methods"] = [
        {"method": "password", "at": time.time() + SESSION_STAYS_FRESH_SECONDS, "email": email, "reauthenticated": True}
    ]
    session["account_authentication_methods_user"] = user_id_to_str(user)
    session.create()
    return str(session.session_key)


def environment(database: CommittedDatabase, home: Path, **more: str) -> dict[str, str]:
    """The environment of the site's processes: nothing of the person's own settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JISHI_", "DATABASE_URL", "DJANGO_"))}
    return {**kept, "JISHI_HOME": str(home), "DATABASE_URL": database.url, **more}


def stage(host: str, files: Path) -> CommittedDatabase:
    """The template: a database with the demo province and what ``stage`` adds, with its files; made once for all processes of a run."""
    migrated = databases.migrated(host)

    def make(name: str) -> None:
        databases.create(host, name, migrated)
        done = subprocess.run(
            [sys.executable, "-m", "tests.browser.stage"],
            cwd=settings.BASE_DIR,
            env=environment(CommittedDatabase(name, host), files),
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"the demo could not be staged:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")

    return CommittedDatabase(databases.once(host, STAGED, RUN, make), host)


@contextlib.contextmanager
def staged(host: str, shared: Path, home: Path) -> Iterator[CommittedDatabase]:
    """The template, its files copied to ``home``; they lie in ``shared`` unless they were made beforehand. The copies of this process are
    dropped at the end, the template when the next run starts.
    """
    files = Path(BEFOREHAND or shared) / "staged"
    template = stage(host, files)
    shutil.copytree(files, home, dirs_exist_ok=True)
    databases.drop_all(host, COPY)
    try:
        yield template
    finally:
        databases.drop_all(host, COPY)


@contextlib.contextmanager
def running(
    template: CommittedDatabase,
    name: str,
    home: Path,
    blocker: Any,
    application: str = "config.wsgi:application",
    *,
    worker: bool = True,
    **more: str,
) -> Iterator[Site]:
    """Web and worker on a fresh copy of the template, with ``more`` in their environment; both are ended by their process ids. Without a
    ``worker`` everything stays as it was staged, and the health page says that none runs."""
    database = CommittedDatabase(COPY + name, template.host)
    databases.create(template.host, database.name, template.name)
    port, neighbour_port = _free_port(), _free_port()
    address = f"http://127.0.0.1:{port}"
    log = home / f"{name}.log"
    own = environment(
        database,
        home,
        JISHI_BIND=f"127.0.0.1:{port}",
        JISHI_PUBLIC_URL=address,
        JISHI_WEB_WORKERS="2",
        JISHI_LOGIN_RATE="300/m/ip",
        JISHI_OUTBOUND_ALLOW=f"127.0.0.1:{neighbour_port}",
        **more,
    )
    commands = [[sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py", application]]
    if worker:
        commands.append([sys.executable, "manage.py", "worker", "--concurrency", "1"])
    processes: list[subprocess.Popen[bytes]] = []
    with log.open("wb") as sink:
        try:
            for command in commands:
                processes.append(
                    subprocess.Popen(
                        command,
                        cwd=settings.BASE_DIR,
                        env=own,
                        stdin=subprocess.DEVNULL,
                        stdout=sink,
                        stderr=sink,
                        start_new_session=True,
                        preexec_fn=_end_with_parent,
                    )
                )
            _wait_until_healthy(processes, address, log, worker=worker)
            yield Site(address, database, log, blocker, neighbour_port)
        finally:
            _stop(processes)


def _end_with_parent() -> None:
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGTERM)


def _wait_until_healthy(processes: list[subprocess.Popen[bytes]], address: str, log: Path, *, worker: bool) -> None:
    deadline, said = time.monotonic() + READY_SECONDS, ""
    while time.monotonic() < deadline:
        if any(process.poll() is not None for process in processes):
            raise RuntimeError(f"a process of the site ended by itself:\n{log.read_text(errors='replace')[-4000:]}")
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")
            if not worker:
                return
        except OSError as error:
            said = str(error)
        time.sleep(0.1)
    raise RuntimeError(f"the site is not healthy after {READY_SECONDS} s: {said}\n{log.read_text(errors='replace')[-2000:]}")


def _stop(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in processes:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.1, deadline - time.monotonic()))
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
