"""``make run``: the whole platform in the foreground, ended as a whole."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from types import FrameType
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from config.checks import migrations_pending
from config.embedded import server
from config.kernel.services import heartbeat

READY_SECONDS = 60
STOP_SECONDS = 12
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Part:
    """One process of the platform."""

    name: str
    process: subprocess.Popen[bytes]


class Stopped(Exception):
    """The platform was asked to end."""


class Command(BaseCommand):
    help = "Migrate, load the demo into an empty database, run web and worker until Ctrl-C; nothing is left behind."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = options["host"], options["port"]
        _refuse_taken_port(host, port)
        os.umask(0o027)
        for number in SIGNALS:
            signal.signal(number, _ask_to_stop)
        parts: list[Part] = []
        try:
            self._prepare()
            parts += _start(host, port)
            address = f"http://{host}:{port}"
            _wait_until_healthy(parts, address)
            self._welcome(address)
            _wait_for_an_end(parts)
        except Stopped:
            self.stdout.write("\nStopping ...")
        finally:
            for number in SIGNALS:
                signal.signal(number, signal.SIG_IGN)
            _stop(parts)
            self._leave_database()

    def _prepare(self) -> None:
        server.prepare_home(settings.HOME)
        settings.STATIC_ROOT.mkdir(exist_ok=True)
        if migrations_pending():
            self.stdout.write("Preparing the database ...")
            call_command("migrate", verbosity=0)
        if not apps.get_model("instruments", "Organisation").objects.exists():
            if "load_demo" in get_commands():
                self.stdout.write("Loading the demo province ...")
                call_command("load_demo")
            else:
                self.stdout.write("The database is empty.")
        heartbeat.forget("worker")  # healthy shall mean this worker, not the last one
        connections.close_all()

    def _welcome(self, address: str) -> None:
        self.stdout.write(self.style.SUCCESS(f"\nJishi runs at {address}"))
        if find_spec("config.demo") and find_spec("config.demo.accounts"):
            self.stdout.write("Log in as:")
            for account in import_module("config.demo.accounts").demo_accounts():
                self.stdout.write(f"  {account.label:<36} {account.email:<36} {account.password}")
        self.stdout.write("Ctrl-C ends it.")

    def _leave_database(self) -> None:
        connections.close_all()
        if settings.DATABASES["default"]["ENGINE"] != "config.embedded":
            return
        server.leave(settings.HOME)
        if server.running(settings.HOME):
            self.stdout.write("The embedded PostgreSQL goes on: another process uses it ('manage.py stop_database' ends it).")
        else:
            self.stdout.write("Everything has ended.")


def _ask_to_stop(number: int, frame: FrameType | None) -> None:
    raise Stopped


def _refuse_taken_port(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(f"Port {port} on {host} cannot be had ({error.strerror}). Try: make run PORT={port + 1}") from None


def _start(host: str, port: int) -> list[Part]:
    environment = {"JISHI_PUBLIC_URL": f"http://{host}:{port}", **os.environ, "JISHI_BIND": f"{host}:{port}"}
    programs = {
        "web": [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py"],
        "worker": [sys.executable, "manage.py", "worker"],
    }
    return [
        Part(
            name,
            subprocess.Popen(  # noqa: S603  (our own programs)
                program,
                cwd=settings.BASE_DIR,
                env=environment,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C reaches only us, and we end the parts in order
                preexec_fn=_end_with_parent,
            ),
        )
        for name, program in programs.items()
    ]


def _end_with_parent() -> None:
    """On Linux: SIGTERM when the supervisor is killed with -9."""
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGTERM)


def _wait_until_healthy(parts: list[Part], address: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    said = ""
    while time.monotonic() < deadline:
        _refuse_ended(parts)
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=5) as answer:  # noqa: S310  (our own address)
                if answer.status == 200:
                    return
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")
        except OSError as error:
            said = str(error)
        time.sleep(0.1)
    raise CommandError(f"The platform is not healthy after {READY_SECONDS} seconds: {said}")


def _wait_for_an_end(parts: list[Part]) -> None:
    while True:
        _refuse_ended(parts)
        time.sleep(0.5)


def _refuse_ended(parts: list[Part]) -> None:
    for part in parts:
        code = part.process.poll()
        if code is not None:
            raise CommandError(
                f"The {part.name} process ended by itself (exit code {code}); everything stops. Its reason is above."
            )


def _stop(parts: list[Part]) -> None:
    """SIGTERM to each part's process group, SIGKILL to what is left after a while."""
    for part in parts:
        if part.process.poll() is None:
            part.process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for part in parts:
        with suppress(subprocess.TimeoutExpired):
            part.process.wait(max(0.1, deadline - time.monotonic()))
        try:
            os.killpg(part.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
        part.process.wait()
