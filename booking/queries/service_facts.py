"""What was corrected of what a customer says of a service."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from booking.models import Reservation
from booking.rules.states import Action
from booking.services.service_facts import ACTION
from config.kernel.models import AuditEntry

Corrected = Mapping[str, tuple[str, str]]
"""Names of facts with the text before and after."""


def corrections_of(reservation: Reservation) -> dict[datetime, Corrected]:
    """When what was corrected of a reservation that the reader sees (with its history); one query, and none where nothing was."""
    if not any(step.action == Action.CORRECT for step in reservation.transitions.all()):
        return {}
    rows = AuditEntry.objects.filter(object_type=Reservation._meta.label_lower, object_id=str(reservation.pk), action=ACTION)
    return {row.at: {name: (text, row.after[name]) for name, text in row.before.items()} for row in rows}
