"""Databases of our own with committed data, because rows that are append-only can never be flushed away.

A database is migrated once and gets the cast; for every test it is copied (CREATE DATABASE ... TEMPLATE) and the copy dropped.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connections
from psycopg import sql

from tests.concurrency.harness import CommittedDatabase, Server, forget_versions, serving
from tests.concurrency.world import World, build_world

TEMPLATE = "jishi_race"
PATIENCE_MS = 60_000
"""How long fifty threads of one test wait for each other on a machine that is busy with other things."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is a race."""
    for item in items:
        if "tests/concurrency/" in item.path.as_posix():
            item.add_marker(pytest.mark.concurrency)


@pytest.fixture(scope="session")
def server_socket(django_test_environment: None, django_db_blocker: Any) -> str:
    """The socket folder (or host) of the database server of the tests."""
    with django_db_blocker.unblock():
        return str(connections["default"].get_connection_params()["host"])


@pytest.fixture(scope="session")
def template(server_socket: str, django_db_blocker: Any) -> Iterator[World]:
    """A migrated database with the cast and its crowd in it, and what is where."""
    connection = connections["default"]
    usual = connection.settings_dict["NAME"]
    with django_db_blocker.unblock():
        connections.close_all()
        _drop_all(server_socket)
        _admin(server_socket, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
        connection.settings_dict["NAME"] = TEMPLATE
        try:
            call_command("migrate", verbosity=0, interactive=False)
            world = build_world()
        finally:
            connections.close_all()
            connection.settings_dict["NAME"] = usual
            forget_versions()
    yield world
    _drop_all(server_socket)


@contextmanager
def _own_database(server_socket: str, blocker: Any, name: str) -> Iterator[CommittedDatabase]:
    """A fresh copy of the template under ``name`` as the default database, and the former one again afterwards.

    All copies are dropped together at the end of the run: each drop asks the server to write everything to disk.
    """
    settings = connections["default"].settings_dict
    before = settings["NAME"], settings["OPTIONS"]["options"]
    with blocker.unblock():
        connections.close_all()
        _copy(server_socket, TEMPLATE, name)
        settings["NAME"], settings["OPTIONS"]["options"] = name, f"-c lock_timeout={PATIENCE_MS}"
        forget_versions()
        try:
            yield CommittedDatabase(name, server_socket)
        finally:
            connections.close_all()
            settings["NAME"], settings["OPTIONS"]["options"] = before
            forget_versions()


@pytest.fixture
def committed_db(
    template: World, server_socket: str, django_db_blocker: Any, request: pytest.FixtureRequest
) -> Iterator[CommittedDatabase]:
    """A database of this test's own: the default one of the test and its threads and, by its address, of other processes."""
    with _own_database(server_socket, django_db_blocker, f"{TEMPLATE}_{request.session.items.index(request.node)}") as own:
        yield own


@pytest.fixture(scope="module")
def server(template: World, server_socket: str, django_db_blocker: Any, request: pytest.FixtureRequest) -> Iterator[Server]:
    """The application server on a database that all tests of a module share; each takes instruments of its own."""
    name = f"{TEMPLATE}_{request.node.path.stem}"
    with _own_database(server_socket, django_db_blocker, name) as own, serving(own) as started:
        yield started


@pytest.fixture
def world(template: World, committed_db: CommittedDatabase) -> World:
    """The cast in the committed database."""
    return template


def _drop_all(host: str) -> None:
    """Drop our databases together: each drop asks for a checkpoint, and those that wait at the same time share one."""
    pattern = TEMPLATE.replace("_", r"\_") + "%"
    with _server(host) as admin:
        names = [row[0] for row in admin.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [pattern]).fetchall()]
    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(lambda name: _drop(host, name), names))


def _copy(host: str, source: str, name: str) -> None:
    _admin(host, sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(source)))


def _drop(host: str, name: str) -> None:
    _admin(host, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _admin(host: str, statement: sql.Composed) -> None:
    with _server(host) as admin:
        admin.execute(statement)


def _server(host: str) -> psycopg.Connection[tuple[Any, ...]]:
    settings = connections["default"].settings_dict
    return psycopg.connect(
        host=host,
        port=settings["PORT"] or None,
        user=settings["USER"],
        password=settings["PASSWORD"] or None,
        dbname="postgres",
        autocommit=True,
    )
