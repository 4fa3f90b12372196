"""How long one reservation may be at most, before opening hours are spread out over it."""

from __future__ import annotations

from datetime import timedelta

from config.kernel.errors import Refusal

LONGEST_DAYS = 92


def require_length(length: timedelta) -> None:
    """Raises Refusal ``booking.range_too_long``."""
    if length > timedelta(days=LONGEST_DAYS):
        raise Refusal.of("booking.range_too_long", "ends_at", days=LONGEST_DAYS)
