"""What is kept out of the logs: keys that stand in addresses, and what somebody who keeps asking is told in the answer."""

from __future__ import annotations

import logging
import re

_KEY = re.compile(r"(/(?:feeds|invitations|searches/unsubscribe|notices/unsubscribe)/)[A-Za-z0-9_:-]{16,}")


def scrub(text: str) -> str:
    """The text with the keys of private calendars, invitations and mails replaced."""
    return _KEY.sub(r"\1[key]", text)


class WithoutKeys(logging.Filter):
    """For handlers of Python's logging: Django names the path of what it could not serve."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = scrub(record.getMessage()), None
        return True


class WithoutHealth(logging.Filter):
    """For Django's logger of requests: while a part comes up or is away, whoever waits for the platform asks its health several times a
    second, and a line for each answer would bury what is wrong."""

    def filter(self, record: logging.LogRecord) -> bool:
        return getattr(getattr(record, "request", None), "path", "") != "/healthz" or getattr(record, "status_code", 0) != 503
