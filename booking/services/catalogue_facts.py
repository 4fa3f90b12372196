"""What booking tells the catalogue: whether the lab approves each booking, and the numbers of its policy by which a time is found."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from booking.models import InstrumentPolicy
from instruments.models import POLICY_NUMBERS


def policies(as_of: Mapping[int, datetime]) -> dict[int, dict[str, Any]]:
    """Of each instrument, the usual ones where it has no policy of its own: one statement. Without a longest length where some times know
    none (``BookingPolicy.may_last``)."""
    usual = _facts(InstrumentPolicy())
    rows = InstrumentPolicy.objects.filter(instrument__in=list(as_of))
    return dict.fromkeys(as_of, usual) | {row.instrument_id: _facts(row) for row in rows}


def _facts(row: InstrumentPolicy) -> dict[str, Any]:
    facts = {"approval_needed": row.approval_required} | {name: getattr(row, name) for name in POLICY_NUMBERS}
    return facts | {"max_minutes": None} if row.rules.get("unlimited") else facts
