"""*demo*: how long ``manage.py load_demo`` takes on a migrated database, as a program of its own."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time

from django.conf import settings

from tests import databases
from tests.bench.harness import Figure

DATABASE = "jishi_bench_demo"
SECONDS = 30


def figures() -> list[Figure]:
    """By the clock, and what of that the program itself was on a CPU (the database is not counted)."""
    host = databases.own_host()
    databases.drop(host, DATABASE)
    databases.create(host, DATABASE, databases.migrated(host))
    command = [sys.executable, "manage.py", "load_demo"]
    before, began = _children(), time.perf_counter()
    subprocess.run(
        command, cwd=settings.BASE_DIR, env={**os.environ, "JISHI_DATABASE": DATABASE}, check=True, stdout=subprocess.DEVNULL
    )
    took, busy = time.perf_counter() - began, _children() - before
    databases.drop(host, DATABASE)
    return [
        Figure("demo, load", took, "s", f"<= {SECONDS}", took <= SECONDS),
        Figure("demo, load, CPU of the program", busy, "s", "", True),
    ]


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
