"""The demo and what the browser tests add to it, made at any hour of any day: every page finds what it is about, and is there.

The clock of this process is moved to the moment; what the database takes for now is not, and nothing here asks it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.conf import settings as site_settings
from django.core.cache import caches
from django.test import Client
from django.urls import resolve

from tests import databases
from tests.browser import stage
from tests.browser.pages import PAGES, Shown
from tests.browser.running_site import just_logged_in
from tests.browser.visitors import ANONYMOUS, PERSONAS

pytestmark = pytest.mark.proof

DATABASE = f"jishi_hours{os.environ.get('PYTEST_XDIST_WORKER', '')}"
SHANGHAI = ZoneInfo("Asia/Shanghai")
NOTHING_OF = re.compile(r"^ +0  (.+)$", re.MULTILINE)
"""Of what ``load_demo`` says that it made."""
AT_WORK = {"running now"}
"""What there is only while labs are open."""
MOMENTS = {
    "2026-11-25 12:00": "noon of a Wednesday",
    "2026-11-30 23:55": "the last minutes of a month",
    "2026-12-01 07:55": "the first day of a month, before labs open",
    "2026-12-04 18:30": "Friday, after labs have closed",
    "2026-12-05 00:05": "a Saturday has just begun",
    "2026-12-06 12:00": "noon of a Sunday",
    "2026-12-24 12:00": "what is booked for next week is of this year or of the next",
    "2026-12-31 23:50": "the year ends",
    "2027-01-01 00:10": "the year has begun, and a holiday",
    "2027-02-28 18:30": "the last day of a short month, a Sunday",
    "2027-03-01 00:05": "the first minutes of a month after a short one",
    "2027-08-31 07:55": "six months before is a day that February does not have",
    "2028-02-29 12:00": "the day that three years in four do not have",
}


@contextmanager
def _staged(now: datetime) -> Iterator[None]:
    """Inside it is ``now``, and the default database is one with the demo and the stage of then."""
    host = databases.own_host()
    databases.drop(host, DATABASE)
    databases.create(host, DATABASE, databases.migrated(host))
    try:
        with databases.default_is(DATABASE), time_machine.travel(now, tick=True):
            caches["memory"].clear()
            stage.main(now)
            _make_documents()
            yield
    finally:
        caches["memory"].clear()  # what was kept until a time of then
        databases.drop(host, DATABASE)


def _make_documents() -> None:
    """Of one statement, as the worker does of all."""
    from billing.settlement.models import Statement
    from billing.tasks import render_statement

    render_statement(Statement.objects.latest("pk").pk)


class Looking:
    """People who look at pages; each logs in once."""

    def __init__(self) -> None:
        self._clients: dict[str, Client] = {}

    def __call__(self, page: Shown) -> str:
        """What is wrong with a page for whom it is made for; nothing where it is there."""
        try:
            path = page.path()
            answer = self._client(page.personas[0]).get(path, follow=page.leads_on)
        except Exception as fault:
            return f"{page.name}: {fault!r}"
        if answer.status_code != page.status:
            return f"{page.name}: {path} answers {answer.status_code} {answer.get('Location', '')}"
        arrived = resolve(urlsplit(answer.request["PATH_INFO"]).path).view_name if page.leads_on else page.route
        return "" if arrived == page.route else f"{page.name}: {path} leads to {arrived}"

    def _client(self, persona: str) -> Client:
        if persona not in self._clients:
            client = self._clients[persona] = Client(headers={"accept-language": "en"})
            if persona != ANONYMOUS:
                client.cookies[site_settings.SESSION_COOKIE_NAME] = just_logged_in(PERSONAS[persona])
        return self._clients[persona]


@pytest.mark.parametrize("moment", MOMENTS)
def test_every_page_is_there_whenever_the_demo_is_made(
    moment: str, settings: Any, django_db_blocker: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.OUTBOUND_ALLOW = frozenset()  # the stage adds to it
    told = datetime.fromisoformat(moment).replace(tzinfo=SHANGHAI)
    with django_db_blocker.unblock(), _staged(told.astimezone(UTC)):
        without = set(NOTHING_OF.findall(capsys.readouterr().out)) - (set() if 9 <= told.hour < 17 else AT_WORK)
        faults = [f"the demo has no {what}" for what in sorted(without)]
        faults += [fault for fault in map(Looking(), PAGES) if fault]
    assert not faults, "\n".join(faults)
