"""Keys that stand in addresses are kept out of every log."""

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
