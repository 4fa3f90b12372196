"""What busy times told and what nobody needs to hear again. The changes themselves are written by the database (``models.BusyChange``)."""

from __future__ import annotations

from datetime import datetime, timedelta

from booking.models import BusyChange
from config.kernel.services.transactions import whole

KEPT = timedelta(days=120)
"""Longer than anything is told as gone, or as over."""


@whole
def forget(now: datetime) -> int:
    """Remove what changed last, and was over, so long ago that no feed tells it; returns how many. Safe to repeat."""
    rows = BusyChange.objects.filter(changed_at__lt=now - KEPT, during__endswith__lt=now - KEPT)
    count, _by_model = rows.delete()
    return count
