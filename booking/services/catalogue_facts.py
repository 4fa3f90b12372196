"""What booking tells the catalogue: whether the lab approves each booking."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from booking.models import InstrumentPolicy


def approvals(as_of: Mapping[int, datetime]) -> dict[int, dict[str, Any]]:
    """Of each instrument with a booking policy of its own: one statement."""
    rows = InstrumentPolicy.objects.filter(instrument__in=list(as_of)).values_list("instrument_id", "approval_required")
    return {pk: {"approval_needed": needed} for pk, needed in rows}
