"""The same month as the tests of settlement, and the clock of the pages on the first of December."""

from __future__ import annotations

import pytest
from django.utils import timezone

from tests.billing.settlement.conftest import DECEMBER, begins_with_month, issue, month

__all__ = ["begins_with_month", "issue", "month"]


@pytest.fixture
def december(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: DECEMBER)


@pytest.fixture
def browse(cast, client, december):
    """``browse("qian")`` is a browser in which Qian is logged in, pages in English."""
    from django.test import Client

    def make(name: str) -> Client:
        browser = Client(headers={"accept-language": "en"})
        browser.cookies["django_language"] = "en"
        browser.force_login(cast.users[name])
        return browser

    return make
