"""Databases of the tests: the migrations run once for each state of their files, and every other database is a copy.

A copy takes a fraction of a second, migrations take ten; each worker of the tests, the races and the browser's sites
all need one. Rows that are append-only can never be flushed away, so a copy is also how a test starts afresh.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from psycopg import sql

from billing.pricing import services as pricing
from billing.settlement.once import asks
from billing.subsidy import queries as programmes
from billing.subsidy import services as subsidy
from tests import own_home

MIGRATED = "jishi_migrated_"
OF_A_PROCESS = ("test_jishi", "jishi_race")
"""How the names of the databases begin that a process of the tests has to itself."""
LOCK = 7_203_117
"""Held on the server while somebody makes what is made once, so that processes which start together wait for the first."""


@dataclass(frozen=True)
class CommittedDatabase:
    """A database in which everything is really committed. ``host``: the server's socket folder or name."""

    name: str
    host: str

    @property
    def url(self) -> str:
        """Its address for another process."""
        own = connections["default"].settings_dict
        user = own["USER"] + (f":{quote(own['PASSWORD'])}" if own["PASSWORD"] else "")
        if self.host.startswith("/"):
            return f"postgresql://{user}@/{self.name}?host={quote(self.host)}"
        port = f":{own['PORT']}" if own["PORT"] else ""
        return f"postgresql://{user}@{self.host}{port}/{self.name}"


def own_host() -> str:
    """Where the server of the default database is; starts the private one where it has to."""
    return str(connections["default"].get_connection_params()["host"])


def is_only_for_tests() -> bool:
    """Whether the default database's server is the private one of a home in which nothing but tests' data lies, as ``.ci/steps`` has it."""
    return settings.HOME.name == own_home.NAME and not os.environ.get("DATABASE_URL")


def migrated(host: str) -> str:
    """The name of a database with every migration of this checkout and no rows, made when it is not there yet."""

    def migrate(name: str) -> None:
        create(host, name)
        with default_is(name):
            call_command("migrate", verbosity=0, interactive=False)

    return once(host, MIGRATED, _digest(), migrate)


def once(host: str, prefix: str, key: str, make: Callable[[str], None]) -> str:
    """The name of the database of that beginning and key. Whoever comes first has it made by ``make(name)``, the others wait; those of
    other keys are dropped then."""
    name, half = prefix + key, f"{prefix}half"
    with server(host) as admin:
        admin.execute("SELECT pg_advisory_lock(%s, hashtext(%s))", [LOCK, prefix])
        existing = _names(admin, prefix)
        if name not in existing:
            for old in existing:
                drop(host, old)
            make(half)
            admin.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(half), sql.Identifier(name)))
    return name


def _digest() -> str:
    """Of all that migrations are made of: our files, and the versions of the libraries that bring some."""
    ours = [config for config in apps.get_app_configs() if Path(config.path).is_relative_to(settings.BASE_DIR)]
    patterns = ("migrations/*.py", "*_operations.py")
    files = [path for config in ours for pattern in patterns for path in Path(config.path).glob(pattern)]
    digest = hashlib.sha256()
    for path in sorted({*files, *settings.BASE_DIR.glob("requirements/*.txt")}):
        if settings.BASE_DIR / ".venv" not in path.parents:
            digest.update(f"{path.relative_to(settings.BASE_DIR)}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:12]


@contextmanager
def default_is(name: str, options: str = "") -> Iterator[None]:
    """Inside, the default database of this process is ``name``. ``options``: of its connections, in place of the usual ones."""
    own = connections["default"].settings_dict
    before = own["NAME"], own["OPTIONS"]["options"]
    connections.close_all()
    own["NAME"], own["OPTIONS"]["options"] = name, options or before[1]
    forget_versions()
    try:
        yield
    finally:
        connections.close_all()
        own["NAME"], own["OPTIONS"]["options"] = before
        forget_versions()


def forget_versions() -> None:
    """Versions are remembered per process by id; another database has other rows under the same ids."""
    pricing.schedule.cache_clear()
    pricing.agreed_for.cache_clear()
    subsidy.in_force.cache_clear()
    programmes.published_examples.cache_clear()
    asks.cache_clear()


def create(host: str, name: str, template: str = "template1") -> None:
    """A new database, a copy of ``template``; copied as files, which is a third of the work where disks are not waited for."""
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
        sql.Identifier(name), sql.Identifier(template)
    )
    with server(host) as admin:
        admin.execute(statement)


def drop(host: str, name: str) -> None:
    """Drop a database whoever uses it, if it is there."""
    with server(host) as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def drop_all(host: str, prefix: str) -> None:
    """Drop every database of that beginning."""
    drop_together(host, names(host, prefix))


def names(host: str, prefix: str) -> list[str]:
    """The databases of that beginning."""
    with server(host) as admin:
        return _names(admin, prefix)


def drop_together(host: str, names: Iterable[str]) -> None:
    """Each drop asks for a checkpoint, and those that wait at once share one."""
    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(lambda name: drop(host, name), names))


def leave(host: str, names: Iterable[str]) -> None:
    """What a process does with its databases when its tests are over. On the tests' own server ``.ci/steps`` has them dropped beside the
    next step (``sweep``) instead of having all processes wait for the disk."""
    if "JISHI_SWEPT" not in os.environ or not is_only_for_tests():
        drop_together(host, names)


def sweep(host: str) -> None:
    """Drop what processes have left behind, on the tests' own server: on another one somebody else's may be at work."""
    if is_only_for_tests():
        for prefix in OF_A_PROCESS:
            drop_all(host, prefix)


def server(host: str) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection that may create and drop databases."""
    own = connections["default"].settings_dict
    return psycopg.connect(
        host=host,
        port=own["PORT"] or None,
        user=own["USER"],
        password=own["PASSWORD"] or None,
        dbname="postgres",
        autocommit=True,
    )


def _names(admin: psycopg.Connection[tuple[Any, ...]], prefix: str) -> list[str]:
    rows = admin.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [prefix]).fetchall()
    return [str(row[0]) for row in rows]
