"""People, requests and the news of the inbox tests."""

from __future__ import annotations

import pytest

from tests.frontend.acting import approved, ask, charged  # noqa: F401
from tests.mailbox import mails


@pytest.fixture
def subjects():
    """The subjects of the mails that wait for somebody, by address."""
    return lambda to: [one["subject"] for one in mails() if one["to"] == [to]]
