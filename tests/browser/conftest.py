"""The platform runs once for the tests that only look, and once for those that book, approve and issue."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from playwright.sync_api import Browser, sync_playwright

from tests import databases
from tests.browser.chromium import ARGUMENTS, NoBrowser, installed
from tests.browser.running_site import Site, running, staged
from tests.browser.visitors import AXE, Visitor, Visitors
from tests.databases import CommittedDatabase


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest test of all comes first: at the end the other workers would wait for it."""
    for item in items:
        if "tests/browser/" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)
    items.sort(key=lambda item: item.path.name != "test_hostile_names.py")


def _needed() -> str:
    """The browser's path. Fails with what to do where something is missing."""
    if not (settings.BASE_DIR / "frontend" / "dist" / "manifest.json").is_file():
        pytest.fail("The front end is not built: run 'make setup' first.", pytrace=False)
    if not AXE.is_file():
        pytest.fail("axe-core is not installed: run 'make setup-dev' first.", pytrace=False)
    try:
        return installed()
    except NoBrowser as missing:
        pytest.fail(str(missing), pytrace=False)


@pytest.fixture(scope="session")
def chromium(django_test_environment: None) -> Iterator[Browser]:
    path = _needed()
    patch = pytest.MonkeyPatch()
    # Playwright's loop runs in this thread, which Django takes for a coroutine; nothing here is asynchronous.
    patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()
    patch.undo()


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the sites keep files, mails and logs."""
    return tmp_path_factory.mktemp("platform")


@pytest.fixture(scope="session")
def template(
    home: Path, tmp_path_factory: pytest.TempPathFactory, chromium: Browser, django_db_blocker: Any
) -> Iterator[CommittedDatabase]:
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    with django_db_blocker.unblock():
        host = databases.own_host()
        connections.close_all()
        with staged(host, shared, home) as database:
            yield database


@pytest.fixture(scope="session")
def shown(template: CommittedDatabase, home: Path, django_db_blocker: Any) -> Iterator[Site]:
    """The platform that is only looked at."""
    with running(template, "shown", home, django_db_blocker, worker=False) as site:
        yield site


@pytest.fixture(scope="session")
def used(template: CommittedDatabase, home: Path, django_db_blocker: Any) -> Iterator[Site]:
    """The platform in which tests book, approve and issue, each with instruments of its own."""
    with running(template, "used", home, django_db_blocker) as site:
        with site.data():
            _shut_nobody_out()
        yield site


def _shut_nobody_out() -> None:
    """The demo goes on while the tests run: at some hours a session of its researcher passes unused, and with what the tests give back
    late the points would shut the researcher out of the lab in the middle of another journey."""
    from booking.models import CreditRules

    for rules in CreditRules.objects.all():
        rules.document = {**rules.document, "thresholds": []}
        rules.save(update_fields=["document"])


@pytest.fixture(scope="session")
def visitors(chromium: Browser, shown: Site) -> Iterator[Visitors]:
    """People who only look."""
    people = Visitors(chromium, shown)
    yield people
    people.close()


@pytest.fixture
def people(chromium: Browser, used: Site) -> Iterator[Visitors]:
    """People who act; their windows close after the test."""
    acting = Visitors(chromium, used)
    yield acting
    acting.close()


@pytest.fixture
def anybody(people: Visitors) -> Visitor:
    """A visitor who has not logged in, in English."""
    return people.get("anonymous", "en")
