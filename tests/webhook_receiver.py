"""What a receiver of webhooks does with a signature."""

from __future__ import annotations

import hashlib
import hmac

TOLERANCE_SECONDS = 300
"""How old a signature may be before a receiver should refuse it."""


def is_genuine(secret: str, header: str, body: bytes, now: int) -> bool:
    """Whether the header was made with the secret for this body, not too long ago."""
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    stamp = parts.get("t", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 15) or abs(now - int(stamp)) > TOLERANCE_SECONDS:
        return False
    expected = hmac.new(secret.encode(), f"{int(stamp)}.".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(parts.get("v1", "").encode(), expected.encode())
