"""The number that our own lists give an instrument, by which they know it again without a number of its owner."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime

_OWN = re.compile(r"JS-[0-9]+-[0-9a-f]{6}")


def own_number(instrument_id: int, created_at: datetime) -> str:
    """The number that our export gives an instrument: its id, and a mark by which another installation's ids are told apart."""
    mark = hashlib.sha256(f"{instrument_id} {created_at.astimezone(UTC).isoformat()}".encode()).hexdigest()[:6]
    return f"JS-{instrument_id}-{mark}"


def is_own_number(text: str) -> bool:
    """Whether a number reads as one of our export, of this installation or of another."""
    return _OWN.fullmatch(text) is not None
