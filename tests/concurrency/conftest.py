"""Databases of our own with committed data: one gets the cast, and every test a copy of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connections

from tests import databases
from tests.concurrency.harness import Server, serving
from tests.concurrency.world import World, build_world
from tests.databases import CommittedDatabase

TEMPLATE = f"jishi_race{os.environ.get('PYTEST_XDIST_WORKER', '')}"
"""Each test process has one of its own."""
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
        return databases.own_host()


@pytest.fixture(scope="session")
def template(server_socket: str, django_db_blocker: Any) -> Iterator[World]:
    """A migrated database with the cast and its crowd in it, and what is where."""
    with django_db_blocker.unblock():
        databases.drop_all(server_socket, TEMPLATE)
        databases.create(server_socket, TEMPLATE, databases.migrated(server_socket))
        with databases.default_is(TEMPLATE):
            world = build_world()
    yield world
    databases.leave(server_socket, databases.names(server_socket, TEMPLATE))


@contextmanager
def _own_database(server_socket: str, blocker: Any, name: str) -> Iterator[CommittedDatabase]:
    """A fresh copy of the template under ``name`` as the default database, and the former one again afterwards.

    All copies are dropped together at the end of the run: each drop asks the server to write everything to disk.
    """
    with blocker.unblock():
        connections.close_all()
        databases.create(server_socket, name, TEMPLATE)
        with databases.default_is(name, f"-c lock_timeout={PATIENCE_MS}"):
            yield CommittedDatabase(name, server_socket)


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
