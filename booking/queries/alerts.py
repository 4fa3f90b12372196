"""What somebody waits for."""

from __future__ import annotations

from datetime import date

from django.db.models import QuerySet

from booking.models import TimeAlert
from config.kernel.access import Actor, visible_to


def waiting_alerts(actor: Actor, today: date) -> QuerySet[TimeAlert]:
    """The actor's alerts that were not answered and whose days are not over, the latest first."""
    return visible_to(TimeAlert.objects.filter(notified_at=None, last_on__gte=today), actor).order_by("-created_at", "-pk")
