"""Log-ins in the database, looked up by keys of our own making only."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore


class SessionStore(DatabaseStore):
    """Django's, except that a cookie which cannot be a key (a quoted one may even hold NUL) is no session instead of an error."""

    def _validate_session_key(self, key: Any) -> bool:
        return isinstance(key, str) and len(key) == 32 and key.isascii() and key.isalnum()
