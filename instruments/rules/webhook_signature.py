"""How a webhook's body is signed: HMAC-SHA256 over the time and the body, as the receiver checks it."""

from __future__ import annotations

import hashlib
import hmac

TOLERANCE_SECONDS = 300
"""How old a signature may be before a receiver should refuse it."""


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """The value of the header ``Jishi-Signature``. ``timestamp`` in seconds since 1970."""
    return f"t={timestamp},v1={_digest(secret, timestamp, body)}"


def is_genuine(secret: str, header: str, body: bytes, now: int) -> bool:
    """Whether the header was made with the secret for this body, not too long ago."""
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    stamp = parts.get("t", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 15) or abs(now - int(stamp)) > TOLERANCE_SECONDS:
        return False
    given = parts.get("v1", "").encode()
    return hmac.compare_digest(given, _digest(secret, int(stamp), body).encode())


def _digest(secret: str, timestamp: int, body: bytes) -> str:
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
